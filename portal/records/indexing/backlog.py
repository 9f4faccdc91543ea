"""Updates the search index after a change that affects many records: a new `search:`, another owner, a renamed company.

The change marks the records in its own transaction (database/search/marks.py). The marks are worked off here, a few
records per transaction, so that no writer waits; until then a record is found by its old text. A killed process leaves
the mark where it was, and the next process continues there. Called after a commit that marked something, at startup,
after a reload, every hour by the worker, and by commands.
"""

import logging
import threading
import time
import weakref
from collections.abc import Callable
from itertools import islice

import sqlalchemy as sa

from portal.conditions import AnyOf, Comparison
from portal.database.engine import reading, writing
from portal.database.errors import DatabaseError, driver_error, is_retryable
from portal.database.migration.interrupted_migration import finish_interrupted, is_interrupted
from portal.database.schema.tables import Tables
from portal.database.search.index import finish_search_index, is_finished
from portal.database.search.marks import Mark, advance_mark, has_marks, lock_oldest_mark, mark_linking, remove_mark
from portal.database.sql import where
from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Module
from portal.fields.linked_value import Linked
from portal.records.indexing.folding import refold
from portal.records.indexing.recomputing import recompute
from portal.records.indexing.search_entries import indexed_modules, replace_texts
from portal.records.policy import system_policy
from portal.records.reading.records import Query, Records

log = logging.getLogger(__name__)

BATCH = 100  # records whose texts are written in one transaction, while others also want to write

_turn = threading.Lock()  # one thread of a process is enough
_threads: list[threading.Thread] = []
_announced: weakref.WeakSet[sa.Transaction] = weakref.WeakSet()  # transactions whose commit starts the work


def update_linking_records(system: Records, record_id: int) -> None:
    """Rewrites the search entries of the records that link to a renamed record, or look up a value that changed in it.

    They do not become newer. If there are more than BATCH, they are marked; work on the mark begins when the change
    is committed.
    """
    target = (system.name, record_id)
    for module in indexed_modules(system.policy.declaration):
        links = _links(system.policy.declaration, module, target)
        if links.parts:
            linking = system.of(module.name, links)
            ids = [record.id for record in islice(linking.iterate(Query(sort=("id",)), [], BATCH + 1), BATCH + 1)]
            if len(ids) <= BATCH:
                replace_texts(linking, ids)
            else:
                mark_linking(system.connection, system.policy.tables, module.name, target)
                _start_after_commit(system, record_id)


def catch_up(engine: sa.Engine, tables: Tables, report: Callable[[int], None] = lambda count: None) -> int:
    """Works off all marks that no other process has locked, and what a killed migration left behind.

    Returns the number of records, which `report` is given as it grows.
    """
    count = 0
    with _turn:
        finish_search_index(engine)
        while (updated := catch_up_some(engine, tables)) is not None:
            count += updated
            report(count)
        finish_interrupted(engine, tables)
    return count


def catch_up_some(engine: sa.Engine, tables: Tables) -> int | None:
    """Updates the next few records. Returns their number; None when all marks are worked off or locked."""
    began = time.monotonic()
    try:
        with writing(engine) as connection:
            mark = lock_oldest_mark(connection, tables)
            updated = None if mark is None else _update_some(connection, tables, mark)
    except sa.exc.DBAPIError as error:
        if not is_retryable(error):
            raise
        return 0  # one of these records has just been changed
    if updated is not None and engine.dialect.name == "sqlite":
        time.sleep((time.monotonic() - began) / 2)  # without a pause, no other writer would ever get its turn
    return updated


def catch_up_later(engine: sa.Engine, tables: Tables) -> None:
    """Starts a thread that works off the marks of the search index, if any, and what a killed migration left behind."""
    with reading(engine) as connection:
        has_work = not is_finished(connection) or has_marks(connection, tables) or is_interrupted(connection, tables)
    if has_work:
        _start(lambda: catch_up(engine, tables))


def running_threads() -> list[threading.Thread]:
    """The threads that work off marks of the search index."""
    return [thread for thread in _threads if thread.is_alive()]


def _update_some(connection: sa.Connection, tables: Tables, mark: Mark) -> int:
    system = Records(connection, system_policy(tables), mark.module)
    record_id = system.table.c["id"]
    following = sa.select(record_id).where(record_id > mark.after).order_by(record_id).limit(BATCH)
    if mark.target is not None:
        links = _links(tables.declaration, system.module, mark.target)
        following = following.where(where(links, system.table, system.module, tables.declaration, system.policy.reader))
    ids = connection.scalars(following).all()
    if mark.target is None:
        for renamed in recompute(system, ids):
            update_linking_records(system, renamed)
        refold(system, ids)
    replace_texts(system, ids)
    if len(ids) < BATCH:
        remove_mark(connection, tables, mark)
    else:
        advance_mark(connection, tables, mark, ids[-1])
    return len(ids)


def _links(declaration: Declaration, module: Module, target: tuple[str, int]) -> AnyOf:
    """The condition for records of `module` whose search entry contains the title, or a value, of `target`."""
    name, target_id = target
    searched = [field for field in module.fields.values() if field.searched and not field.link_path]
    paths: list[tuple[str, ...]] = [(field.name,) for field in searched if name in field.targets]
    paths += [
        (field.name, column.name)
        for field in searched
        for column in field.row_fields.values()
        if column.searched and name in column.targets
    ]
    ways = declaration.searched_ways(module)
    paths += [path for path, _here, field in ways if name in field.targets and not field.link_path]
    return AnyOf(tuple(Comparison(path, "equal", Linked(target_id, name)) for path in paths))


def _start_after_commit(system: Records, record_id: int) -> None:
    connection, policy = system.connection, system.policy
    engine, transaction = connection.engine, connection.get_transaction()
    renamed_row = sa.select(system.table.c["id"]).where(system.table.c["id"] == record_id)
    if transaction is None or transaction in _announced:
        return
    _announced.add(transaction)

    def work() -> None:
        if engine.dialect.name != "sqlite":
            # The event comes just before the commit, which unlocks the row. SQLite's writers take turns.
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
                other.execute(renamed_row.with_for_update(read=True))
        catch_up(engine, policy.tables)

    sa.event.listen(connection, "commit", lambda connection: _start(work), once=True)


def _start(work: Callable[[], object]) -> None:
    def run() -> None:
        try:
            work()
        except DatabaseError as error:
            log.error(
                "The search index is behind until the worker or the next start continues: %s", driver_error(error)
            )

    # A daemon: the process need not wait for it, since the marks remain.
    thread = threading.Thread(target=run, name="index", daemon=True)
    _threads[:] = [*running_threads(), thread]
    thread.start()
