"""What the search index holds of a record, and how it is kept up to date.

The index is written with the rights of the portal itself; each search decides who may find a record. Changes that
concern many records are in backlog.py.
"""

from collections.abc import Callable, Iterable, Iterator

import sqlalchemy as sa

from portal.batches import batched
from portal.database.schema.tables import Tables
from portal.database.search import index as search
from portal.database.search.tokens import organization_token, owner_token, watcher_token
from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.records.policy import is_own_field, system_policy
from portal.records.reading.comment_texts import conversation_texts
from portal.records.reading.records import Query, Record, Records
from portal.records.reading.watchers import watchers_of

BATCH = 1000


def index_records(system: Records, ids: Iterable[int]) -> None:
    """Indexes records of one module as the newest. `system`: the records as the portal itself sees them."""
    if system.module.table is None:
        search.put_many(system.connection, system.policy.tables.search, _entries(system, _loaded(system, ids)))


def replace_texts(system: Records, ids: Iterable[int]) -> None:
    """Rewrites the search entries of records without making them newer."""
    if system.module.table is None:
        search.replace_texts(system.connection, system.policy.tables.search, _entries(system, _loaded(system, ids)))


def rebuild(connection: sa.Connection, tables: Tables, modules: Iterable[str]) -> None:
    """Fills the search index of `modules` again, oldest change first."""
    policy = system_policy(tables)
    with search.filling(connection):
        for name in modules:
            connection.execute(sa.delete(tables.search).where(tables.search.c["module"] == name))
            system = Records(connection, policy, name)
            oldest_first = system.iterate(Query(sort=("modified", "id")), _searched_names(system.module))
            for records in batched(oldest_first, BATCH):
                search.put_many(connection, tables.search, _entries(system, records))


def complete_index(connection: sa.Connection, tables: Tables) -> tuple[int, int]:
    """Adds records that the index lacks, and removes entries without a record. Returns how many of each."""
    policy, added, removed = system_policy(tables), 0, 0
    module, record = tables.search.c["module"], tables.search.c["record"]
    names = [module.name for module in indexed_modules(tables.declaration)]
    unknown = module.not_in(names)
    removed += connection.execute(sa.delete(tables.search).where(unknown)).rowcount
    with search.filling(connection):
        for name in names:
            system = Records(connection, policy, name)
            there = sa.select(record).where(module == name)
            lacking = sa.select(system.table.c["id"]).where(system.table.c["id"].not_in(there))
            ids = connection.scalars(lacking.order_by(system.table.c["modified"], system.table.c["id"])).all()
            index_records(system, ids)
            is_deleted = record.not_in(sa.select(system.table.c["id"]))
            removed += connection.execute(sa.delete(tables.search).where(module == name, is_deleted)).rowcount
            added += len(ids)
    return added, removed


def indexed_modules(declaration: Declaration) -> list[Module]:
    """The modules whose records the index holds: a search in an existing table reads the table itself."""
    return [module for module in declaration.modules.values() if module.table is None]


def _searched_names(module: Module) -> list[str]:
    """The fields of which a record's search entry is made: those that are searched, owner and organization."""
    searched = [name for name, field in module.fields.items() if field.searched]
    scope = [path for path in (module.owner, module.organization) if path and is_own_field(path) and path != "id"]
    return [*dict.fromkeys([*searched, "reference", *scope])]


def _entries(system: Records, records: Iterable[Record]) -> Iterator[search.Entry]:
    for batch in batched(records, BATCH):
        ids, tables = [record.id for record in batch], system.policy.tables
        public, internal = conversation_texts(system.connection, tables, system.module, ids)
        watching = watchers_of(system.connection, tables, system.module, ids)
        for record in batch:
            texts = public.get(record.id, ()), internal.get(record.id, ())
            yield search_entry(system.module, record, *texts, watching.get(record.id, ()))


def search_entry(
    module: Module,
    record: Record,
    public: Iterable[str] = (),
    internal_comments: Iterable[str] = (),
    watchers: Iterable[int] = (),
) -> search.Entry:
    """A record's search entry: what every reader may find, public comments included; and what only staff may."""
    searched = {name: field for name, field in module.fields.items() if field.searched}
    texts = {name: list(field.texts(record.values.get(name))) for name, field in searched.items()}
    internal = [name for name, field in searched.items() if field.internal]
    internal_texts = [text for name in internal for text in texts[name]]
    for name, field in searched.items():
        internal_texts += field.internal_texts(record.values.get(name))
    has_internal = bool(internal) or bool(module.comments) or any(map(_has_internal_columns, searched.values()))
    return search.Entry(
        module.name,
        record.id,
        [*(text for name in texts if name not in internal for text in texts[name]), *public],
        record.reference,
        [
            *_tokens(module, module.owner, record, owner_token),
            *_tokens(module, module.organization, record, organization_token),
            *map(watcher_token, watchers),
        ],
        [*internal_texts, *internal_comments] if has_internal else None,
    )


def _has_internal_columns(field: Field) -> bool:
    """Whether the rows of a `lines` field have words that only staff may find."""
    return any(column.internal and column.searched for column in field.row_fields.values())


def _loaded(system: Records, ids: Iterable[int]) -> Iterator[Record]:
    """The records whose search entries are written, in the order of `ids`."""
    names = _searched_names(system.module)
    for batch in batched(ids, BATCH):
        records = {record.id: record for record in system.by_ids(batch, names)}
        yield from (records[record_id] for record_id in batch if record_id in records)


def _tokens(module: Module, path: str | None, record: Record, token: Callable[[int], str]) -> list[str]:
    if path is None or not is_own_field(path):
        return []
    if path == "id":
        return [token(record.id)]
    return [token(link.id) for link in module.field(path).links_in(record.values.get(path))]
