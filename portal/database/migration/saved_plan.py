"""A plan in a file, which `portal apply FILE` only carries out while it is still the current plan.

It has the digest of the declarations, the state of the database when it was made, and the steps. Counts of what stays
may change, since people keep working; counts of what would be lost may not.
"""

import hashlib
import json
import re
from dataclasses import dataclass

import sqlalchemy as sa

from portal.database.engine import reading
from portal.database.migration.plan_steps import PlanStep, step_entry
from portal.database.migration.snapshot import last_applied
from portal.database.schema.tables import Tables

KIND = "portal plan"
# Counts in a sentence, and the words that depend on singular or plural.
COUNTED = re.compile(r"\d[\d,]* \w+( that exists? keeps?| without it stays? as (it is|they are)| stays?)?")


class NotThePlanError(Exception):
    """The file is not what `portal plan` would say now, or not a plan at all; the message says what changed."""


@dataclass(frozen=True)
class SavedPlan:
    """What must be the same when the plan is carried out."""

    files: str  # the digest of the declarations
    database: str  # the digest of what was last applied
    steps: tuple[str, ...]

    @classmethod
    def of(cls, connection: sa.Connection, tables: Tables, files: str, steps: list[PlanStep]) -> "SavedPlan":
        """The current plan."""
        applied = json.dumps(last_applied(connection, tables), sort_keys=True)
        return cls(files, hashlib.sha256(applied.encode()).hexdigest(), tuple(map(_essence, steps)))

    @classmethod
    def read(cls, text: str) -> "SavedPlan":
        """The plan in the text of a file. Raises NotThePlanError."""
        try:
            entry = json.loads(text)
            if entry["kind"] != KIND:
                raise ValueError
            return cls(str(entry["files"]), str(entry["database"]), tuple(map(str, entry["essence"])))
        except (ValueError, KeyError, TypeError):
            raise NotThePlanError("this file is not one that `portal plan --out` has written") from None

    def write(self, steps: list[PlanStep]) -> str:
        """The text of the file."""
        entry = {"kind": KIND, "files": self.files, "database": self.database, "essence": self.steps}
        return json.dumps({**entry, "steps": list(map(step_entry, steps))}, indent=1, ensure_ascii=False) + "\n"

    def check(self, now: "SavedPlan") -> None:
        """Raises NotThePlanError if anything has changed."""
        moved = [
            sentence
            for sentence, before, after in (
                ("the declarations have changed", self.files, now.files),
                ("the database was migrated", self.database, now.database),
                ("the steps have changed", self.steps, now.steps),
            )
            if before != after
        ]
        if moved:
            raise NotThePlanError(f"{' and '.join(moved)} since the plan was made: make a new one")


def _essence(step: PlanStep) -> str:
    """What may not differ in a saved plan: for a step that loses nothing, everything except the counts."""
    return step.sentence if step.loses or step.blocked else COUNTED.sub("#", step.sentence)


def saved_plan(engine: sa.Engine, tables: Tables, files: str, steps: list[PlanStep]) -> SavedPlan:
    """The plan for a file; `files`: the digest of the declarations."""
    with reading(engine) as connection:
        return SavedPlan.of(connection, tables, files, steps)
