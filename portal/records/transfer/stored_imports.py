"""Files that a person uploaded for import, and what became of them: rows of portal_pending_file.

Until the file is imported, the row's field is FIELD; afterwards it says what became of the file, so that the import can
be shown and undone as long as the row is kept.
"""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.batches import batched
from portal.conditions import Comparison
from portal.fields.base import Field
from portal.fields.link import links_to
from portal.fields.linked_value import Linked
from portal.records.reading.records import Query, Record, Records
from portal.records.transfer.csv_reading import CsvRows
from portal.records.transfer.import_options import ImportOptions
from portal.records.transfer.importing import ImportReport, import_file
from portal.records.transfer.storing import EVENT
from portal.records.writing.deleting import Deletion
from portal.records.writing.history import Author
from portal.texts import _

FIELD, DONE, UNDONE = "_import", "_imported", "_undone"
UNDONE_WITHIN = datetime.timedelta(days=1)
MOST_EVENTS = 100_000  # that others may write while an import is stored
BATCH = 500


@dataclass(frozen=True)
class StoredImport:
    """An uploaded file, and its import, if it was imported.

    `first_event`: the id of the import's first event; 0 before there is one.
    """

    key: str
    name: str
    stored: str
    first_event: int = 0
    undone: bool = False


@dataclass(frozen=True)
class Imported:
    """What an import created and changed, as far as its author still sees it."""

    at: datetime.datetime
    made: tuple[Record, ...]
    changed: tuple[Record, ...]


@dataclass(frozen=True)
class Undone:
    """What undoing an import deleted, by title, and the records that it left, each with the reason."""

    deleted: tuple[str, ...]
    left: tuple[tuple[Record, str], ...]


def stored_imports(records: Records, account_id: int | None, key: str = "") -> list[StoredImport]:
    """The files that `account_id` uploaded for this module, latest first; with `key`, only the one with that key."""
    table = records.policy.tables.pending_file
    of_account = [table.c["account"] == account_id, table.c["module"] == records.name]
    of_account.append(table.c["key"] == key if key else table.c["field"].startswith(DONE, autoescape=True))
    columns = [table.c[name] for name in ("key", "name", "stored", "field")]
    rows = records.connection.execute(sa.select(*columns).where(*of_account).order_by(table.c["created"].desc()))
    imports = []
    for row_key, name, stored, field in rows:
        what, _colon, event = (field or "").partition(":")
        if what in (FIELD, DONE, UNDONE):
            imports.append(StoredImport(row_key, name, stored, int(event or 0), what == UNDONE))
    return imports


def store_import(records: Records, source: CsvRows, options: ImportOptions, stored: StoredImport) -> ImportReport:
    """Imports like `import_file`, and remembers the result unless nothing was imported."""
    event = records.policy.tables.event
    before = records.connection.scalar(sa.select(sa.func.max(event.c["id"]))) or 0
    report = import_file(records, source, options)
    of_import = event.c["id"] > before, *_written_by(records, event, options.author, records.policy.reader.now)
    first = records.connection.scalar(sa.select(sa.func.min(event.c["id"])).where(*of_import))
    if first:
        _remember(records, stored, f"{DONE}:{first}")
    return report


def _written_by(
    records: Records, event: sa.Table, author: Author, at: datetime.datetime
) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        event.c["module"] == records.name,
        event.c["kind"] == EVENT,
        event.c["account"] == author.account,
        event.c["at"] == at,
    )


def _remember(records: Records, stored: StoredImport, field: str) -> None:
    table = records.policy.tables.pending_file
    records.connection.execute(sa.update(table).where(table.c["key"] == stored.key).values(field=field))


def imported_at(records: Records, stored: StoredImport) -> datetime.datetime | None:
    """When an uploaded file was imported; None if that is no longer known."""
    event = records.policy.tables.event
    at: datetime.datetime | None = records.connection.scalar(
        sa.select(event.c["at"]).where(event.c["id"] == stored.first_event)
    )
    return at


def imported(records: Records, stored: StoredImport, author: Author) -> Imported | None:
    """What the import of an uploaded file by `author` created and changed; None if that is no longer known."""
    event, at = records.policy.tables.event, imported_at(records, stored)
    if at is None:
        return None
    within = event.c["id"].between(stored.first_event, stored.first_event + MOST_EVENTS)
    query = sa.select(event.c["record"], event.c["details"]).where(within, *_written_by(records, event, author, at))
    created, changed = list[int](), list[int]()
    for record_id, details in records.connection.execute(query.order_by(event.c["id"])):
        (changed if "fields" in details else created).append(record_id)
    return Imported(at, _visible(records, created), _visible(records, changed))


def _visible(records: Records, ids: list[int]) -> tuple[Record, ...]:
    visible = {record.id: record for batch in batched(ids, BATCH) for record in records.by_ids(batch, ["reference"])}
    return tuple(visible[record_id] for record_id in ids if record_id in visible)


def undo_import(records: Records, stored: StoredImport, author: Author) -> Undone:
    """Deletes the records that an import created and nobody has touched since; says why the others stay."""
    present = imported(records, stored, author)
    if present is None:
        return Undone((), ())
    created = {record.id: record for record in present.made}
    reasons = {
        record_id: _("There has been activity on it since the import.")
        for record_id in _touched(records, list(created))
    }
    needed = _("Other records link to it.")
    links = _linking(records, list(created))
    while waiting := {
        target
        for target, sources in links.items()
        if target not in reasons and any(_stays(s, created, reasons) for s in sources)
    }:
        reasons |= dict.fromkeys(waiting, needed)
    deletion, system = Deletion(author, records), records.as_system
    for going in batched((record_id for record_id in created if record_id not in reasons), BATCH):
        deletion.remove(system, going)
    _remember(records, stored, f"{UNDONE}:{stored.first_event}")
    changed = [(record, _("It already existed before the import.")) for record in present.changed]
    return Undone(
        tuple(record.title for record in present.made if record.id not in reasons),
        (*((created[record_id], reason) for record_id, reason in reasons.items()), *changed),
    )


def _stays(source: tuple[str, int], created: Mapping[int, Record], reasons: Mapping[int, str]) -> bool:
    """Whether the record `source` (module and id; "" for this module) still exists after an import is undone."""
    module, record_id = source
    return bool(module) or record_id not in created or record_id in reasons


def _touched(records: Records, ids: list[int]) -> list[int]:
    """The records among `ids` that have been changed since they were imported."""
    event = records.policy.tables.event
    touched: list[int] = []
    for batch in batched(ids, BATCH):
        of_records = event.c["module"] == records.name, event.c["record"].in_(batch)
        query = sa.select(event.c["record"]).where(*of_records).group_by(event.c["record"]).having(sa.func.count() > 1)
        touched += records.connection.scalars(query)
    return touched


def _linking(records: Records, ids: list[int]) -> dict[int, set[tuple[str, int]]]:
    """What links to the imported records `ids`, by their ids, regardless of who may see it."""
    linking: dict[int, set[tuple[str, int]]] = {}
    for module in records.policy.declaration.modules.values():
        others = records.as_system.of(module.name)
        place = "" if module.name == records.name else module.name
        for path in (path for field in module.fields.values() for path in links_to(records.name, field)):
            for batch in batched(ids, BATCH):
                links = tuple(Linked(record_id, records.name) for record_id in batch)
                query = Query(condition=Comparison(path, "one_of", links), sort=("id",))
                for other in others.iterate(query, [path[0]]):
                    for link in _links_of(module.field(path[0]), other.values[path[0]], path[1:]):
                        linking.setdefault(link.id, set()).add((place, other.id))
    return {record_id: linking[record_id] for record_id in ids if record_id in linking}


def _links_of(field: Field, value: Any, column: tuple[str, ...]) -> Iterator[Linked]:
    """The links of a field, or those of a column of its rows, that may lead to imported records."""
    if not column:
        yield from field.links_in(value)
    for row in value if column else ():
        yield from field.row_fields[column[0]].links_in(row.get(column[0]))
