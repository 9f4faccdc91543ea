"""What a database lacks of a declaration, in sentences; and doing it, all or nothing.

`plan` says it, `apply` does it, `missing` tells quickly, without a look at the real tables, whether anything is to be
done. What would lose data is done only when that was allowed. Who calls: `portal plan` and `portal apply`, the start-up
and the reload. Where the search index has to be made anew it is marked so, and follows afterwards
(records/indexing/index.py).
"""

import contextlib
import copy
import datetime
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from portal.database.engine import analyze, reading, writing
from portal.database.migration import alter
from portal.database.migration.difference import compare, detect
from portal.database.migration.rename import rename
from portal.database.migration.row_counts import Rows
from portal.database.migration.snapshot import (
    NOTHING,
    Remembered,
    Renames,
    column_names,
    describe,
    find_renames,
    last_applied,
    with_new_names,
)
from portal.database.migration.steps import Difference, Planner, Step
from portal.database.schema.tables import Tables
from portal.database.search.backlog import mark_all
from portal.database.search.index import create_index
from portal.declaration.garbage import gc_paused

__all__ = ["CannotBeAppliedError", "Plan", "Step", "WouldLoseDataError", "apply", "missing", "plan"]

LOCK = 7_022_601_118  # PostgreSQL's lock of whoever applies; any number that nobody else uses
PATIENCE = "10s"  # that a plan waits on PostgreSQL for a table that others are using


@dataclass(frozen=True)
class Plan:
    """The steps, in the order in which people read them."""

    steps: list[Step]

    @property
    def loses(self) -> bool:
        """Whether a step would lose data."""
        return any(step.loses for step in self.steps)

    @property
    def blocked(self) -> bool:
        """Whether a step cannot be done as things are."""
        return any(step.blocked for step in self.steps)

    @property
    def index(self) -> tuple[str, ...]:
        """The modules whose search index has to be filled anew."""
        return tuple(module for step in self.steps for module in step.index)

    def __str__(self) -> str:
        return "\n".join(step.sentence for step in self.steps) or "nothing to do: the database fits the declarations"


class NotAppliedError(Exception):
    """Nothing was done; `plan` says why."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(str(plan))
        self.plan = plan


class WouldLoseDataError(NotAppliedError):
    """A step would lose data, and that was not allowed."""


class CannotBeAppliedError(NotAppliedError):
    """A step cannot be done, whatever is allowed."""


def plan(engine: sa.Engine, tables: Tables) -> Plan:
    """What the database lacks. Nothing is changed."""
    with reading(engine) as connection:
        old = last_applied(connection, tables) or NOTHING
        renames = find_renames(old, tables.declaration)
        if not renames:
            return Plan(_planner(connection, tables, old, renames).steps())
    # What is lacking is seen when everything bears its new name: done for the look, and undone.
    with writing(engine) as connection, connection.begin_nested() as look:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}'")
        rename(connection, tables, old, renames)
        found = Plan(_planner(connection, tables, old, renames).steps())
        look.rollback()
    return found


def apply(
    engine: sa.Engine,
    tables: Tables,
    allow_loss: bool = False,
    additive_only: bool = False,
) -> list[str]:
    """Does what the plan says, in one transaction; answers the sentences of what was done.

    With `additive_only` what would take something away or convert it waits for another time. The search index is only
    marked. Raises WouldLoseDataError and CannotBeAppliedError, and then everything is as it was.
    """
    with _alone(engine) as connection:
        old = last_applied(connection, tables) or NOTHING
        renames = find_renames(old, tables.declaration)
        rename(connection, tables, old, renames)
        planner = _planner(connection, tables, old, renames)
        steps = planner.steps()
        if _locked(connection, steps):
            steps = planner.steps()
        if not additive_only:
            _refuse(Plan(steps), allow_loss)
        chosen = [step for step in steps if step.additive] if additive_only else steps
        for _phase, work in sorted((each for step in chosen for each in step.work), key=lambda each: each[0]):
            work()
        create_index(connection)
        mark_all(connection, tables, Plan(chosen).index)
        _remember(connection, tables, _kept(planner.old, planner.new, [step for step in steps if step not in chosen]))
    if indexed := sorted(table for table, names in planner.lacking.indexes.items() if names):
        with writing(engine) as connection:
            analyze(connection, indexed)
    return [step.done for step in chosen]


def missing(connection: sa.Connection, tables: Tables) -> list[Step]:
    """The steps as far as what was last applied tells them: quick, without counts, blind to what others changed."""
    old, new = last_applied(connection, tables) or NOTHING, describe(tables)
    if old == new:
        return []
    renames = find_renames(old, tables.declaration)
    known = with_new_names(old, renames)
    difference = Difference(known, new, renames, compare(known, new))
    return Planner(tables, difference, Rows(None)).steps()


def hindering(connection: sa.Connection, tables: Tables) -> list[Step]:
    """Those of the missing steps without which the portal cannot run; what nobody names any more may wait."""
    named = {(name, "fields", field) for name, module in tables.declaration.modules.items() for field in module.fields}
    steps = missing(connection, tables)
    return [step for step in steps if _hinders(step) or any(path in named for path in step.about)]


def _hinders(step: Step) -> bool:
    return (step.blocked or step.additive) and not step.index


@contextlib.contextmanager
def _alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A writing transaction, one at a time; on PostgreSQL it sees what others committed while it waited for a table."""
    if engine.dialect.name != "postgresql":
        with writing(engine) as connection:
            yield connection
        return
    with writing(engine.execution_options(isolation_level="READ COMMITTED")) as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        yield connection


def _locked(connection: sa.Connection, steps: list[Step]) -> bool:
    """Whether tables had to be locked before their values are read and changed: a row may have come in between."""
    names = sorted({table for step in steps for table in step.tables})
    if not names or connection.dialect.name != "postgresql":
        return False
    listed = ", ".join(alter.quoted(connection, name) for name in names)
    connection.exec_driver_sql(f"LOCK TABLE {listed} IN ACCESS EXCLUSIVE MODE")
    return True


@gc_paused()
def _planner(connection: sa.Connection, tables: Tables, old: Remembered, renames: Renames) -> Planner:
    known, new = with_new_names(old, renames), describe(tables)
    difference = Difference(known, new, renames, detect(connection, tables, known, new))
    return Planner(tables, difference, Rows(connection))


def _refuse(found: Plan, allow_loss: bool) -> None:
    if found.blocked:
        raise CannotBeAppliedError(found)
    if found.loses and not allow_loss:
        raise WouldLoseDataError(found)


def _kept(old: Remembered, new: Remembered, waiting: list[Step]) -> Remembered:
    """What is remembered when some steps wait: what they are about stays as it was."""
    modules = copy.deepcopy(new["modules"]) if waiting else new["modules"]
    for step in waiting:
        for path in step.about:
            _put_back(old["modules"], modules, path)
    return {**new, "modules": modules}


def _put_back(old: Remembered, modules: Remembered, path: tuple[str, ...]) -> None:
    name, *rest = path
    if name not in old:
        return
    elif not rest:
        modules[name] = old[name]
    elif rest == ["indexes"]:
        modules[name]["indexes"] = old[name]["indexes"]
    elif rest[1] in old[name]["fields"]:
        entry = modules[name]["fields"][rest[1]] = old[name]["fields"][rest[1]]
        kept = column_names(entry)
        indexes = {index: made for index, made in old[name]["indexes"].items() if not kept.isdisjoint(made[1:])}
        modules[name]["indexes"] = {**indexes, **modules[name]["indexes"]}


def _remember(connection: sa.Connection, tables: Tables, description: Remembered) -> None:
    if last_applied(connection, tables) == description:
        return
    connection.execute(sa.delete(tables.schema))
    now = datetime.datetime.now(datetime.UTC)
    connection.execute(sa.insert(tables.schema).values(applied=now, description=description))
