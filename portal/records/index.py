"""What the search index holds of a record, and keeping it so.

The index is written with the rights of the portal itself; who may find a row is decided when it is asked.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa

from portal.conditions import All, Test
from portal.database import search
from portal.database.engine import writing
from portal.database.tables import Tables
from portal.declaration.shapes import Declaration, Module
from portal.fields.link import Linked
from portal.records.policy import stands_in_record, system_policy
from portal.records.query import Query, Record, Records

BATCH = 1000
AT_ONCE = 200  # records whose texts are written in one transaction while others want to write as well

_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="index")
_later: list[Future[None]] = []


def index(system: Records, ids: Iterable[int]) -> None:
    """Puts records of one module to the front of the index. `system`: the records as the portal itself sees them."""
    entries = (entry(system.module, record) for record in _loaded(system, ids))
    search.put_many(system.connection, system.policy.tables.search, entries)


def renamed(system: Records, identity: int) -> None:
    """Brings the texts of the records that link to a renamed one up to date; their place in the order stays.

    More than AT_ONCE of them follow when the change is committed, a few at a time, so that nobody waits for them.
    """
    for module in system.policy.declaration.modules.values():
        for field in module.fields.values():
            if field.searched and system.name in getattr(field, "to", ()):
                linking = system.of(module.name, All((Test((field.name,), "equal", Linked(identity, system.name)),)))
                ids = [record.id for record in linking.each(Query(sort=("id",)), [])]
                if len(ids) <= AT_ONCE:
                    _replace(linking, ids)
                else:
                    _after_commit(system, identity, linking, ids)


def under_way() -> list[Future[None]]:
    """The work that was left for later and is not done yet."""
    return [future for future in _later if not future.done()]


def _after_commit(system: Records, identity: int, linking: Records, ids: Sequence[int]) -> None:
    engine, policy, name = linking.connection.engine, linking.policy, linking.name
    renamed_row = sa.select(system.table.c["id"]).where(system.table.c["id"] == identity)

    def work() -> None:
        if engine.dialect.name != "sqlite":
            # The event comes just before the commit: the row is locked until that is done. SQLite's writers take turns.
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as beside:
                beside.execute(renamed_row.with_for_update(read=True))
        for batch in _slices(ids):
            with writing(engine) as connection:
                _replace(Records(connection, policy, name), batch)

    @sa.event.listens_for(linking.connection, "commit", once=True)
    def start(connection: sa.Connection) -> None:
        _later[:] = [*under_way(), _worker.submit(work)]


def refresh(
    engine: sa.Engine,
    declaration: Declaration,
    tables: Tables,
    modules: Iterable[str],
    told: Callable[[str, int], None] = lambda module, done: None,
) -> int:
    """Brings the index of `modules` up to date, a few records at a time, while the portal serves and writes: until
    its turn has come a record is found by what it was. Answers how many records."""
    policy, total = system_policy(declaration, tables), 0
    for name in modules:
        done, after = 0, 0
        while True:
            with writing(engine) as connection:
                system = Records(connection, policy, name)
                identity = system.table.c["id"]
                following = sa.select(identity).where(identity > after).order_by(identity).limit(AT_ONCE)
                ids = connection.scalars(following).all()
                _replace(system, ids)
            if not ids:
                break
            after, done = ids[-1], done + len(ids)
            told(name, done)
        total += done
    return total


def rebuild(
    connection: sa.Connection,
    declaration: Declaration,
    tables: Tables,
    modules: Iterable[str],
    told: Callable[[str, int], None] = lambda module, done: None,
) -> int:
    """Fills the index of `modules` anew, oldest change first; answers how many records. `told`: module, how many."""
    policy, total = system_policy(declaration, tables), 0
    with search.filling(connection):
        for name in modules:
            connection.execute(sa.delete(tables.search).where(tables.search.c["module"] == name))
            system, done = Records(connection, policy, name), 0
            for records in _batches(system.each(Query(sort=("modified", "id")), searched_names(system.module))):
                search.put_many(connection, tables.search, (entry(system.module, record) for record in records))
                done += len(records)
                told(name, done)
            total += done
    return total


def complete(connection: sa.Connection, declaration: Declaration, tables: Tables) -> tuple[int, int]:
    """Puts records into the index that it lacks, and takes out what is no record any more; answers how many of each."""
    policy, added, removed = system_policy(declaration, tables), 0, 0
    module, record = tables.search.c["module"], tables.search.c["record"]
    removed += connection.execute(sa.delete(tables.search).where(module.not_in(list(declaration.modules)))).rowcount
    with search.filling(connection):
        for name in declaration.modules:
            system = Records(connection, policy, name)
            there = sa.select(record).where(module == name)
            lacking = sa.select(system.table.c["id"]).where(system.table.c["id"].not_in(there))
            ids = connection.scalars(lacking.order_by(system.table.c["modified"], system.table.c["id"])).all()
            index(system, ids)
            gone = record.not_in(sa.select(system.table.c["id"]))
            removed += connection.execute(sa.delete(tables.search).where(module == name, gone)).rowcount
            added += len(ids)
    return added, removed


def searched_names(module: Module) -> list[str]:
    """The fields that make a record's entry: what is searched, and what says whose it is."""
    searched = [name for name, field in module.fields.items() if field.searched and field.stored]
    whose = [path for path in (module.owner, module.organization) if path and stands_in_record(path) and path != "id"]
    return [*dict.fromkeys([*searched, "reference", *whose])]


def entry(module: Module, record: Record) -> search.Entry:
    """What everyone may match; and, where there are internal fields, what only staff may."""
    searched = {name: field for name, field in module.fields.items() if field.searched and field.stored}
    texts = {name: list(field.texts(record.values.get(name))) for name, field in searched.items()}
    internal = {name for name, field in searched.items() if field.internal}
    return search.Entry(
        module.name,
        record.id,
        [text for name, found in texts.items() if name not in internal for text in found],
        record.reference,
        [*_tokens(module.owner, record, search.person), *_tokens(module.organization, record, search.organization)],
        [text for name in internal for text in texts[name]] if internal else None,
    )


def _replace(system: Records, ids: Iterable[int]) -> None:
    """The texts of records anew; their place in the order stays."""
    for record in _loaded(system, ids):
        search.replace_text(system.connection, system.policy.tables.search, entry(system.module, record))


def _slices(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]


def _loaded(system: Records, ids: Iterable[int]) -> Iterator[Record]:
    """The records in the order of `ids`."""
    names, ids = searched_names(system.module), list(ids)
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        found = {record.id: record for record in system.rows(batch, names)}
        yield from (found[identity] for identity in batch if identity in found)


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _tokens(path: str | None, record: Record, token: Callable[[int], str]) -> list[str]:
    if path is None or not stands_in_record(path):
        return []
    if path == "id":
        return [token(record.id)]
    value: Any = record.values.get(path)
    links = [value] if isinstance(value, Linked) else value or ()
    return [token(link.id) for link in links]
