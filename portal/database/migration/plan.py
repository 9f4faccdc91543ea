"""The plan that brings a database to a declaration, and carrying it out in one transaction.

`plan` makes it, `apply` carries it out; `missing_steps` compares snapshots only, which is quick, without a look at the
real tables. Called by `portal plan` and `portal apply`, at start-up and by the reload. Where the search index must be
filled again it is only marked; records/indexing does the work afterwards.
"""

import contextlib
import copy
import datetime
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from portal.database.engine import analyze, reading, writing
from portal.database.migration import alter
from portal.database.migration.difference import compare_snapshots, inspect_database
from portal.database.migration.planner import Changes, Planner
from portal.database.migration.rename import rename
from portal.database.migration.row_counts import RowCounts
from portal.database.migration.snapshot import (
    EMPTY,
    Renames,
    Snapshot,
    column_names,
    find_renames,
    last_applied,
    take_snapshot,
    with_new_names,
)
from portal.database.migration.steps import Step
from portal.database.schema.tables import Tables
from portal.database.search.backlog import mark_modules
from portal.database.search.index import create_index
from portal.declaration.garbage import gc_paused

__all__ = ["CannotBeAppliedError", "Plan", "Step", "WouldLoseDataError", "apply", "missing_steps", "plan"]

LOCK = 7_022_601_118  # the advisory lock on PostgreSQL; any number that nobody else uses
LOCK_TIMEOUT = "10s"  # how long `plan` waits on PostgreSQL for a table that others use


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
        """Whether a step cannot be done with the present data."""
        return any(step.blocked for step in self.steps)

    @property
    def modules_to_index(self) -> tuple[str, ...]:
        """The modules whose search index must be filled again."""
        return tuple(module for step in self.steps for module in step.modules_to_index)

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
    """A step cannot be done with the present data, whatever is allowed."""


def plan(engine: sa.Engine, tables: Tables) -> Plan:
    """The steps from the database to `tables`. Nothing is changed."""
    with reading(engine) as connection:
        old = last_applied(connection, tables) or EMPTY
        renames = find_renames(old, tables.declaration)
        if not renames:
            return Plan(_planner(connection, tables, old, renames).steps())
    # The database is inspected under its new names: the renames are done in a savepoint, and rolled back.
    with writing(engine) as connection, connection.begin_nested() as savepoint:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        rename(connection, tables, old, renames)
        steps = _planner(connection, tables, old, renames).steps()
        savepoint.rollback()
    return Plan(steps)


def apply(engine: sa.Engine, tables: Tables, allow_loss: bool = False, additive_only: bool = False) -> list[str]:
    """Carries out the plan in one transaction; the sentences of what was done.

    With `additive_only` the steps that remove or convert something are left for another time. The search index is only
    marked. Raises WouldLoseDataError and CannotBeAppliedError, and then nothing was changed.
    """
    with _exclusive(engine) as connection:
        old = last_applied(connection, tables) or EMPTY
        renames = find_renames(old, tables.declaration)
        rename(connection, tables, old, renames)
        planner = _planner(connection, tables, old, renames)
        steps = planner.steps()
        if _lock_tables(connection, steps):
            steps = planner.steps()
        if not additive_only:
            _refuse(Plan(steps), allow_loss)
        chosen = [step for step in steps if step.additive] if additive_only else steps
        for task in sorted((task for step in chosen for task in step.tasks), key=lambda task: task.phase):
            task.run()
        create_index(connection)
        mark_modules(connection, tables, Plan(chosen).modules_to_index)
        left = [step for step in steps if step not in chosen]
        _save_snapshot(connection, tables, _snapshot_without(planner.old, planner.new, left))
    if indexed := sorted(table for table, names in planner.difference.indexes.items() if names):
        with writing(engine) as connection:
            analyze(connection, indexed)
    return [step.done for step in chosen]


def missing_steps(connection: sa.Connection, tables: Tables) -> list[Step]:
    """The steps from the last snapshot to `tables`: quick, without counts, blind to changes made by others."""
    old, new = last_applied(connection, tables) or EMPTY, take_snapshot(tables)
    if old == new:
        return []
    renames = find_renames(old, tables.declaration)
    renamed = with_new_names(old, renames)
    changes = Changes(renamed, new, renames, compare_snapshots(renamed, new))
    return Planner(tables, changes, RowCounts(None)).steps()


def blocking_steps(connection: sa.Connection, tables: Tables) -> list[Step]:
    """The missing steps without which the portal cannot run; fields that are no longer declared may wait."""
    modules = tables.declaration.modules.items()
    declared = {(name, "fields", field) for name, module in modules for field in module.fields}
    steps = missing_steps(connection, tables)
    return [step for step in steps if _is_blocking(step) or any(path in declared for path in step.paths)]


def _is_blocking(step: Step) -> bool:
    return (step.blocked or step.additive) and not step.modules_to_index


@contextlib.contextmanager
def _exclusive(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A writing transaction, one at a time; on PostgreSQL it sees what others committed while it waited for a table."""
    if engine.dialect.name != "postgresql":
        with writing(engine) as connection:
            yield connection
        return
    with writing(engine.execution_options(isolation_level="READ COMMITTED")) as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        yield connection


def _lock_tables(connection: sa.Connection, steps: list[Step]) -> bool:
    """Whether tables had to be locked before their values are read and changed: a row may have come in between."""
    names = sorted({table for step in steps for table in step.tables})
    if not names or connection.dialect.name != "postgresql":
        return False
    listed = ", ".join(alter.quoted(connection, name) for name in names)
    connection.exec_driver_sql(f"LOCK TABLE {listed} IN ACCESS EXCLUSIVE MODE")
    return True


@gc_paused()
def _planner(connection: sa.Connection, tables: Tables, old: Snapshot, renames: Renames) -> Planner:
    renamed, new = with_new_names(old, renames), take_snapshot(tables)
    changes = Changes(renamed, new, renames, inspect_database(connection, tables, renamed, new))
    return Planner(tables, changes, RowCounts(connection))


def _refuse(plan: Plan, allow_loss: bool) -> None:
    if plan.blocked:
        raise CannotBeAppliedError(plan)
    if plan.loses and not allow_loss:
        raise WouldLoseDataError(plan)


def _snapshot_without(old: Snapshot, new: Snapshot, left: list[Step]) -> Snapshot:
    """The new snapshot without the steps that were left: what these are about stays as it is in the old one."""
    modules = copy.deepcopy(new["modules"]) if left else new["modules"]
    for step in left:
        for path in step.paths:
            _restore(old["modules"], modules, path)
    return {**new, "modules": modules}


def _restore(old: Snapshot, modules: Snapshot, path: tuple[str, ...]) -> None:
    name, *rest = path
    if name not in old:
        return
    elif not rest:
        modules[name] = old[name]
    elif rest == ["indexes"]:
        modules[name]["indexes"] = old[name]["indexes"]
    elif rest[1] in old[name]["fields"]:
        entry = modules[name]["fields"][rest[1]] = old[name]["fields"][rest[1]]
        columns = column_names(entry)
        indexes = {index: made for index, made in old[name]["indexes"].items() if not columns.isdisjoint(made[1:])}
        modules[name]["indexes"] = {**indexes, **modules[name]["indexes"]}


def _save_snapshot(connection: sa.Connection, tables: Tables, snapshot: Snapshot) -> None:
    if last_applied(connection, tables) == snapshot:
        return
    connection.execute(sa.delete(tables.schema))
    now = datetime.datetime.now(datetime.UTC)
    connection.execute(sa.insert(tables.schema).values(applied=now, description=snapshot))
