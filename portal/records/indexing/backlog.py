"""The search index follows a change that many records feel: another `search:`, another owner, a renamed company.

The change marks what is behind in its own transaction (database/search/backlog.py). Here the marks are worked off, a
few records per transaction, so that nobody waits; until its turn has come a record is found by what it was. Whoever
is killed leaves the mark where it was: the next one goes on there. Called after a commit that marked something, at
the start, after a reload and by commands.
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
from portal.database.errors import is_retryable
from portal.database.schema.tables import Tables
from portal.database.search.backlog import Mark, advance_mark, has_backlog, lock_oldest_mark, mark_linking, remove_mark
from portal.database.sql import where
from portal.declaration.shapes import Module
from portal.fields.linked import Linked
from portal.records.indexing.index import replace_texts
from portal.records.policy import system_policy
from portal.records.reading.records import Query, Records

log = logging.getLogger(__name__)

AT_ONCE = 100  # records whose texts are written in one transaction while others want to write as well

_turn = threading.Lock()  # one thread of a process is enough
_threads: list[threading.Thread] = []
_announced: weakref.WeakSet[sa.Transaction] = weakref.WeakSet()  # transactions whose commit starts the work


def renamed(system: Records, identity: int) -> None:
    """Brings the texts of the records that link to a renamed one up to date; their place in the order stays.

    More than AT_ONCE of them follow when the change is committed.
    """
    target = (system.name, identity)
    for module in system.policy.declaration.modules.values():
        links = _links(module, target)
        if links.parts:
            linking = system.of(module.name, links)
            ids = [record.id for record in islice(linking.each(Query(sort=("id",)), [], AT_ONCE + 1), AT_ONCE + 1)]
            if len(ids) <= AT_ONCE:
                replace_texts(linking, ids)
            else:
                mark_linking(system.connection, system.policy.tables, module.name, target)
                _start_after_commit(system, identity)


def catch_up(engine: sa.Engine, tables: Tables, told: Callable[[int], None] = lambda done: None) -> int:
    """Works off what is behind, unless others are at it already; answers how many records. `told`: how many so far."""
    done = 0
    with _turn:
        while (made := some(engine, tables)) is not None:
            done += made
            told(done)
    return done


def some(engine: sa.Engine, tables: Tables) -> int | None:
    """The next few records; None when there is nothing left, or nothing that nobody else is at."""
    began = time.monotonic()
    try:
        with writing(engine) as connection:
            mark = lock_oldest_mark(connection, tables)
            made = None if mark is None else _some_of(connection, tables, mark)
    except sa.exc.DBAPIError as error:
        if not is_retryable(error):
            raise
        return 0  # somebody changed one of these records meanwhile
    if made is not None and engine.dialect.name == "sqlite":
        time.sleep((time.monotonic() - began) / 2)  # for others: a turn that is given back at once goes to nobody
    return made


def catch_up_later(engine: sa.Engine, tables: Tables) -> None:
    """In a thread, if something is behind."""
    with reading(engine) as connection:
        behind = has_backlog(connection, tables)
    if behind:
        _start(lambda: catch_up(engine, tables))


def under_way() -> list[threading.Thread]:
    """The threads that are at it."""
    return [thread for thread in _threads if thread.is_alive()]


def _some_of(connection: sa.Connection, tables: Tables, mark: Mark) -> int:
    system = Records(connection, system_policy(tables), mark.module)
    identity = system.table.c["id"]
    following = sa.select(identity).where(identity > mark.after).order_by(identity).limit(AT_ONCE)
    if mark.target is not None:
        links = _links(system.module, mark.target)
        following = following.where(where(links, system.table, system.module, tables.declaration, system.policy.reader))
    ids = connection.scalars(following).all()
    replace_texts(system, ids)
    if len(ids) < AT_ONCE:
        remove_mark(connection, tables, mark)
    else:
        advance_mark(connection, tables, mark, ids[-1])
    return len(ids)


def _links(module: Module, target: tuple[str, int]) -> AnyOf:
    """Whether a record of `module` shows the title of `target` among what is searched."""
    name, identity = target
    fields = [field for field in module.fields.values() if field.searched and name in field.targets]
    return AnyOf(tuple(Comparison((field.name,), "equal", Linked(identity, name)) for field in fields))


def _start_after_commit(system: Records, identity: int) -> None:
    connection, policy = system.connection, system.policy
    engine, transaction = connection.engine, connection.get_transaction()
    renamed_row = sa.select(system.table.c["id"]).where(system.table.c["id"] == identity)
    if transaction in _announced:
        return
    _announced.add(transaction)

    def work() -> None:
        if engine.dialect.name != "sqlite":
            # The event comes just before the commit: the row is locked until that is done. SQLite's writers take turns.
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as beside:
                beside.execute(renamed_row.with_for_update(read=True))
        catch_up(engine, policy.tables)

    sa.event.listen(connection, "commit", lambda connection: _start(work), once=True)


def _start(work: Callable[[], object]) -> None:
    def run() -> None:
        try:
            work()
        except sa.exc.DBAPIError as error:
            log.error("The search index is still behind, and goes on at the next start: %s", error.orig)

    # A daemon: the process need not wait for it, the marks stay.
    thread = threading.Thread(target=run, name="index", daemon=True)
    _threads[:] = [*under_way(), thread]
    thread.start()
