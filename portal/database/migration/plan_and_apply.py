"""The plan that migrates a database to a declaration, and carrying it out.

It is one transaction, except for slow work on PostgreSQL: values of large tables are converted before it
(background_conversion.py), indexes are created after it (index_changes.py).

`plan` makes it, `apply` carries it out; `missing_steps` only compares snapshots, which is fast, without reading the
real tables. Called by `portal plan` and `portal apply`, at start-up and on reload. If the search index must be filled
again, it is only marked; records/indexing does the work afterwards.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from portal.database.engine import analyze, read_committed, reading, writing
from portal.database.migration.background_conversion import (
    PreparedConversions,
    Report,
    clear_conversions,
    prepare_conversions,
)
from portal.database.migration.blocked_steps import misfit_steps
from portal.database.migration.conversion import Conversion
from portal.database.migration.declared_renames import Renames, find_renames
from portal.database.migration.difference import Changes, compare_snapshots, inspect_database
from portal.database.migration.former_names import SAME, FormerNames, former_names, with_new_names
from portal.database.migration.locks import (
    FROM_EVERYONE,
    FROM_SAVING,
    lock_tables,
    one_at_a_time,
    when_free,
)
from portal.database.migration.next_snapshot import next_snapshot
from portal.database.migration.plan_steps import PlanStep
from portal.database.migration.planner import Planner
from portal.database.migration.rename import rename_in_database, tables_with_names
from portal.database.migration.row_counts import RowCounts
from portal.database.migration.saved_plan import SavedPlan
from portal.database.migration.snapshot import (
    EMPTY,
    NOTHING_LEFT,
    Snapshot,
    declared_part,
    last_applied,
    left_behind,
    save_snapshot,
    take_snapshot,
)
from portal.database.migration.temporary_views import show_renamed
from portal.database.schema.tables import Tables
from portal.database.search.index import create_search_index
from portal.database.search.marks import mark_modules
from portal.memory import gc_paused


@dataclass(frozen=True)
class Plan:
    """The steps of a migration, in the order for people."""

    steps: list[PlanStep]

    @property
    def modules_to_index(self) -> tuple[str, ...]:
        """The modules whose search index must be filled again."""
        return tuple(module for step in self.steps for module in step.modules_to_index)

    def __str__(self) -> str:
        return "\n".join(step.planned for step in self.steps) or "nothing to do: the database matches the declarations"


@dataclass(frozen=True)
class Applied:
    """What `apply` did, in sentences, and the steps it did not do because they would lose data, or are impossible."""

    done: list[str]
    left: list[PlanStep]


@dataclass(frozen=True)
class Expected:
    """The only plan that may be carried out; `files`: the digest of the present declarations."""

    plan: SavedPlan
    files: str


class CannotBeAppliedError(Exception):
    """A step that the portal needs to run is impossible in this database; nothing was done."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(str(plan))
        self.plan = plan


def plan(engine: sa.Engine, tables: Tables) -> Plan:
    """The steps from the database to `tables`. Nothing is changed."""
    with reading(engine) as connection:
        old = last_applied(connection, tables) or EMPTY
        renames = find_renames(connection, old, tables.declaration)
        if not renames:
            return Plan(_plan_steps(connection, tables, old, renames)[1])
    with writing(engine) as connection:
        return Plan(_plan_steps(connection, tables, old, renames)[1])


class _ToBePreparedError(Exception):
    """Conversions of large tables must come first; nothing was done."""

    def __init__(self, conversions: Iterable[Conversion]) -> None:
        super().__init__()
        self.conversions = conversions


def apply(
    engine: sa.Engine,
    tables: Tables,
    allow_loss: bool = False,
    expected: Expected | None = None,
    report: Report = lambda converted: None,
) -> Applied:
    """Carries out the plan, except for steps that would lose data unless that is allowed.

    What is left does not prevent the portal from running: values of removed fields and modules stay in the database,
    and values that do not fit the new type of their field are set aside. The search index is only marked. Raises
    CannotBeAppliedError, or NotThePlanError if the plan is not the `expected` one; then nothing was changed.
    """
    with one_at_a_time(engine) as turn:
        clear_conversions(engine)
        conversions: Iterable[Conversion] = ()
        try:
            planner, applied = _apply_in_one(engine, tables, allow_loss, expected, PreparedConversions(engine))
        except _ToBePreparedError as error:
            conversions = error.conversions
        if conversions:
            with prepare_conversions(engine, conversions, turn.keep, report) as work:
                planner, applied = _apply_in_one(engine, tables, allow_loss, expected, work)
        are_unique = planner.indexes.late.finish(engine)
        if indexed := sorted(table for table, names in planner.difference.indexes.items() if names):
            with writing(engine) as connection:
                analyze(connection, indexed)
    if not are_unique:  # after a conversion, or because of values saved since
        sentences = {step.sentence for step in applied.left}
        blocked = [step for step in plan(engine, tables).steps if step.blocked and step.sentence not in sentences]
        return Applied(applied.done, [*applied.left, *blocked])
    return applied


def _apply_in_one(
    engine: sa.Engine, tables: Tables, allow_loss: bool, expected: Expected | None, work: PreparedConversions
) -> tuple[Planner, Applied]:
    """Carries out what a plan does in one transaction; returns it with the planner, which knows what is left."""
    with writing(read_committed(engine)) as connection:
        old = last_applied(connection, tables) or EMPTY
        renames = find_renames(connection, old, tables.declaration)
        planner, steps = _plan_steps(connection, tables, old, renames, work)
        _check(connection, tables, expected, steps)
        if planner.large_conversions and not work.fields:
            raise _ToBePreparedError(planner.large_conversions)
        checkpoints = [prepared.checkpoint() for prepared in work.fields.values()]

        def carry_out() -> tuple[Planner, Applied]:
            _take_tables(connection, old, planner, steps)
            if renames:
                rename_in_database(connection, tables, old, renames)
            now, steps_now = planner, steps
            differs = work.finish(connection) or any(step.tables and not step.is_prepared for step in steps)
            if differs and connection.dialect.name == "postgresql":  # a row may have been added in between
                now = Planner(tables, planner.changes, RowCounts(connection), work.fields)
                steps_now = now.steps()
                _check(connection, tables, expected, steps_now)
            return now, _carry_out(connection, old, now, steps_now, allow_loss)

        def undo() -> None:
            planner.indexes.late.clear()
            for take_back in checkpoints:
                take_back()

        return when_free(connection, carry_out, undo)


def _carry_out(
    connection: sa.Connection, old: Snapshot, planner: Planner, steps: list[PlanStep], allow_loss: bool
) -> Applied:
    """Does the steps of a planner, marks what must be indexed, and saves the snapshot."""
    left = [step for step in steps if step.blocked or (step.loses and not allow_loss)]
    accepted = [step for step in steps if step not in left]
    tasks = [task for step in accepted for task in step.tasks] + [task for step in left for task in step.tasks_if_left]
    for task in sorted(tasks, key=lambda task: task.phase):
        task.run()
    create_search_index(connection)
    mark_modules(connection, planner.tables, Plan(accepted).modules_to_index)
    save_snapshot(connection, planner.tables, next_snapshot(connection, planner, old, left))
    sentences = [step.sentence_if_left if step in left else step.done for step in steps]
    undone = [step for step in left if not step.sentence_if_left]
    return Applied([sentence for sentence in sentences if sentence], undone)


def _check(connection: sa.Connection, tables: Tables, expected: Expected | None, steps: list[PlanStep]) -> None:
    """Raises NotThePlanError or CannotBeAppliedError."""
    if expected is not None:
        expected.plan.check(SavedPlan.of(connection, tables, expected.files, steps))
    if any(step.blocked and step.needed for step in steps):
        raise CannotBeAppliedError(Plan(steps))


def missing_steps(connection: sa.Connection, tables: Tables) -> list[PlanStep]:
    """The steps from the last snapshot to `tables`: fast, without counts, and without noticing changes by others."""
    old, new = last_applied(connection, tables) or EMPTY, take_snapshot(tables)
    if declared_part(old) == new and left_behind(old) == NOTHING_LEFT:
        return list(misfit_steps(tables))
    renames = find_renames(connection, old, tables.declaration)
    renamed = with_new_names(old, renames)
    changes = Changes(renamed, new, renames, compare_snapshots(renamed, new))
    return Planner(tables, changes, RowCounts(None), {}).steps()


def steps_needed_to_run(connection: sa.Connection, tables: Tables) -> list[PlanStep]:
    """The missing steps that the portal needs to run."""
    return [step for step in missing_steps(connection, tables) if step.needed]


def _take_tables(connection: sa.Connection, old: Snapshot, planner: Planner, steps: list[PlanStep]) -> None:
    """Locks all tables that are altered, and those with rows that name something renamed against saving, so that
    everything being saved is seen."""
    renames, names = planner.renames, former_names(old, planner.renames)
    altered = planner.difference.altered_tables.union(*[step.tables for step in steps], names.tables, names.columns)
    replaced = renames.modules.keys() & old["modules"].keys()
    lock_tables(connection, {*map(names.table, altered), *replaced}, FROM_EVERYONE)
    with_options = {names.table(module) for module, _field in planner.option_renames}
    lock_tables(connection, with_options | tables_with_names(planner.tables, old, renames), FROM_SAVING)


def _plan_steps(
    connection: sa.Connection, tables: Tables, old: Snapshot, renames: Renames, work: PreparedConversions | None = None
) -> tuple[Planner, list[PlanStep]]:
    """The steps of a plan, with the names after the renames, which are not done yet.

    On SQLite, the renames are done in a savepoint and rolled back. On PostgreSQL, that would keep readers waiting.
    """
    on_sqlite, names = connection.dialect.name == "sqlite", SAME
    with connection.begin_nested() if renames else contextlib.nullcontext() as savepoint:
        if renames and on_sqlite:
            rename_in_database(connection, tables, old, renames)
        elif renames:
            names = former_names(old, renames)
        changes = _changes(connection, tables, old, renames, names)
        if names is not SAME:
            show_renamed(connection, names)
        planner = Planner(tables, changes, RowCounts(connection), work.fields if work else {})
        steps = planner.steps()
        if savepoint is not None:
            savepoint.rollback()
    return planner, steps


@gc_paused()
def _changes(connection: sa.Connection, tables: Tables, old: Snapshot, renames: Renames, names: FormerNames) -> Changes:
    renamed, new = with_new_names(old, renames), take_snapshot(tables)
    return Changes(renamed, new, renames, inspect_database(connection, tables, renamed, new, names))
