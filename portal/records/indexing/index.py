"""What the search index holds of a record, and keeping it so.

The index is written with the rights of the portal itself; who may find a row is decided when it is asked. What many
records need because something else changed follows in catching_up.py.
"""

from collections.abc import Callable, Iterable, Iterator

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.database.search import index as search
from portal.declaration.shapes import Module
from portal.records.policy import stands_in_record, system_policy
from portal.records.reading.records import Query, Record, Records

BATCH = 1000


def index(system: Records, ids: Iterable[int]) -> None:
    """Puts records of one module to the front of the index. `system`: the records as the portal itself sees them."""
    entries = (entry(system.module, record) for record in _loaded(system, ids))
    search.put_many(system.connection, system.policy.tables.search, entries)


def replace_texts(system: Records, ids: Iterable[int]) -> None:
    """The texts of records anew; their place in the order stays."""
    entries = (entry(system.module, record) for record in _loaded(system, ids))
    search.replace_texts(system.connection, system.policy.tables.search, entries)


def rebuild(
    connection: sa.Connection,
    tables: Tables,
    modules: Iterable[str],
    told: Callable[[str, int], None] = lambda module, done: None,
) -> int:
    """Fills the index of `modules` anew, oldest change first; answers how many records. `told`: module, how many."""
    policy, total = system_policy(tables), 0
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


def complete(connection: sa.Connection, tables: Tables) -> tuple[int, int]:
    """Puts records into the index that it lacks, and takes out what is no record any more; answers how many of each."""
    policy, added, removed = system_policy(tables), 0, 0
    module, record = tables.search.c["module"], tables.search.c["record"]
    unknown = module.not_in(list(tables.declaration.modules))
    removed += connection.execute(sa.delete(tables.search).where(unknown)).rowcount
    with search.filling(connection):
        for name in tables.declaration.modules:
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
        [
            *_tokens(module, module.owner, record, search.person),
            *_tokens(module, module.organization, record, search.organization),
        ],
        [text for name in internal for text in texts[name]] if internal else None,
    )


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


def _tokens(module: Module, path: str | None, record: Record, token: Callable[[int], str]) -> list[str]:
    if path is None or not stands_in_record(path):
        return []
    if path == "id":
        return [token(record.id)]
    return [token(link.id) for link in module.field(path).links_in(record.values.get(path))]
