"""The steps of a plan, each with a sentence for people and the tasks that carry it out."""

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from portal.database.migration.effort import Effort
from portal.fields.table_names import is_rows

WITH_LOSS = "(apply with --allow-loss)"


class Phase(enum.IntEnum):
    """The order of tasks over all steps: an index is dropped before its column, a table created before links to it."""

    DROP_INDEXES = enum.auto()
    RENAME_OPTIONS = enum.auto()
    CREATE_TABLES = enum.auto()
    CREATE_JOIN_TABLES = enum.auto()
    ADD_COLUMNS = enum.auto()
    CONVERT_VALUES = enum.auto()
    DROP_FIELDS = enum.auto()
    DROP_MODULES = enum.auto()
    CREATE_INDEXES = enum.auto()


@dataclass(frozen=True)
class Task:
    """A part of the work of a plan's step; nothing changes before `run` is called."""

    phase: Phase
    run: Callable[[], object]


@dataclass(frozen=True)
class PlanStep:
    """One step of a plan, and its sentence.

    `loses`: it would lose data, and is not done unless that is allowed. `blocked`: it is impossible with the present
    data. `needed`: the portal cannot run before it is done. `left_before`: it was not done before.

    If a step is not done, `tasks_if_left` are run instead of its `tasks`, `sentence_if_left` says what they did, and
    `path` is the entry of the snapshot that stays as it was: (module,) or (module, "fields", field).
    """

    sentence: str
    note: str = ""  # added to the sentence before the step is carried out
    effort: Effort | None = None  # None: it takes no time, or the time is unknown
    loses: bool = False
    blocked: bool = False
    needed: bool = True
    left_before: bool = False
    modules_to_index: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()  # whose rows are read and then changed
    is_prepared: bool = field(default=False, compare=False)  # its rows are already converted
    tasks: tuple[Task, ...] = field(default=(), repr=False, compare=False)
    path: tuple[str, ...] = ()
    tasks_if_left: tuple[Task, ...] = field(default=(), repr=False, compare=False)
    sentence_if_left: str = ""

    @property
    def planned(self) -> str:
        """The sentence before the step was carried out."""
        return self.sentence + self.note + (self.effort.note if self.effort else "")

    @property
    def done(self) -> str:
        """The sentence after the step was carried out."""
        if not self.loses:
            return self.sentence
        return self.sentence.removeprefix("! ").removesuffix(f" {WITH_LOSS}").replace(" would be lost", " lost", 1)


def removing(change: str, loss: str, path: tuple[str, ...], tasks: tuple[Task, ...], table: str) -> PlanStep:
    """A step of a plan that removes something from a table; `loss` says what would be lost, "" for nothing."""
    if not loss:
        return PlanStep(change, needed=False, path=path, tasks=tasks, tables=(table,))
    renamed = f"; if it only has another name now, write formerly: {path[-1].rpartition('$')[2]} there"
    sentence = f"! {change}{loss} {WITH_LOSS}"
    return PlanStep(sentence, note=renamed, loses=True, needed=False, path=path, tasks=tasks, tables=(table,))


def words_for_table(table: str) -> tuple[str, str]:
    """The words for a table and its contents in the sentence of a step: module and record, field and line."""
    return ("field", "line") if is_rows(table) else ("module", "record")


def for_people(step: PlanStep, names: Iterable[str]) -> PlanStep:
    """The step with the declared names of the tables of rows among `names`: `orders$lines` is orders.lines."""
    sentence, left = step.sentence, step.sentence_if_left
    for name in filter(is_rows, names):
        sentence, left = (text.replace(name, name.replace("$", ".")) for text in (sentence, left))
    return replace(step, sentence=sentence, sentence_if_left=left)


def step_entry(step: PlanStep) -> dict[str, Any]:
    """A step for programs. `waits`: saving, everyone or null for nobody; `table`: the one concerned, null for all."""
    effort = step.effort
    return {
        "sentence": step.sentence,
        "loses": step.loses,
        "blocked": step.blocked,
        "needed": step.needed,
        "rows": effort.rows if effort else None,
        "seconds": round(effort.seconds, 1) if effort else 0.0,
        "waits": (effort.waits or None) if effort else None,
        "table": (effort.table or None) if effort else None,
    }
