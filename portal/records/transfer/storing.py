"""Stores checked rows as records, in batches: columns, links, numbers, history and the search index together.

Nobody is notified: the event is `imported`, which makes no letters.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.batches import batched
from portal.database.engine import analyze
from portal.database.search import index as search
from portal.declaration.references import parse_reference
from portal.fields.base import Field
from portal.fields.linked_value import Linked
from portal.records.indexing.backlog import update_linking_records
from portal.records.indexing.formulas import computed, formulas_reading
from portal.records.indexing.search_entries import index_records, replace_texts
from portal.records.reading.records import Records
from portal.records.transfer.import_row import ImportRow
from portal.records.transfer.importing_files import FilesIn
from portal.records.writing.errors import unique_violations_retried
from portal.records.writing.files import delete_replaced_files
from portal.records.writing.form_conditions import EMPTY
from portal.records.writing.history import Author, author_of, change_details, event_row, state_written
from portal.records.writing.links_and_lines import link_values
from portal.records.writing.module_rows import new_row
from portal.records.writing.sequence import keep_above, next_numbers
from portal.records.writing.signatures import with_signatures

BATCH = 1000
EVENT = "imported"


@dataclass(frozen=True)
class ImportOutcome:
    """How many records were added and changed, and how many rows say what their records hold already."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


def expected_outcome(rows: Sequence[ImportRow]) -> ImportOutcome:
    """What storing `rows` would do."""
    changed = [bool(changed_values_of_row(row) or row.attachments) for row in rows if row.record is not None]
    return ImportOutcome(len(rows) - len(changed), sum(changed), len(changed) - sum(changed))


def store_rows(
    system: Records,
    rows: Sequence[ImportRow],
    author: Author,
    on_written: Callable[[int], None] = lambda done: None,
    files: FilesIn | None = None,
) -> ImportOutcome:
    """Stores `rows`, all in the caller's transaction. `on_written` gets how many are done.

    Raises RetryError, and StoreError and OSError where there are `files`.
    """
    if files:
        files.store_fields(system, rows, author)
    new = [row for row in rows if row.record is None]
    changed_values = {row: changed_values_of_row(row) for row in rows if row.record is not None}
    changed = [row for row, values in changed_values.items() if values]
    visibly, internally = _by_visibility(system, changed, changed_values)
    done = 0
    with search.filling(system.connection), unique_violations_retried():
        _use_numbers(system, new)
        for batch in batched(new, BATCH):
            _insert(system, batch, author)
            done += len(batch)
            on_written(done)
        for batch in (*batched(visibly, BATCH), *batched(internally, BATCH)):
            _update(system, batch, changed_values, author)
            done += len(batch)
            on_written(done)
        _write_links_between_rows(system, rows)
        if files:
            files.store_attachments(system, rows, author)
        _index(system, [*new, *visibly])
        replace_texts(system, [row.id for row in internally])
        for row in changed:
            if system.module.title_field.name in changed_values[row]:
                update_linking_records(system, row.id)
    if len(new) + len(changed) >= BATCH:
        analyze(system.connection, [system.table.name, system.policy.tables.search.name])
    touched = sum(bool(values or row.attachments) for row, values in changed_values.items())
    return ImportOutcome(len(new), touched, len(changed_values) - touched)


def _by_visibility(
    system: Records, changed: Sequence[ImportRow], values: Mapping[ImportRow, Mapping[str, Any]]
) -> tuple[list[ImportRow], list[ImportRow]]:
    """The rows that change what customers may see, and those that change internal fields alone."""
    internal = {name for name, field in system.module.everything.items() if field.internal}
    visibly = [row for row in changed if not internal.issuperset(values[row])]
    return visibly, [row for row in changed if internal.issuperset(values[row])]


def _index(system: Records, rows: Sequence[ImportRow]) -> None:
    """Puts the records into the search index, the newest in front; changed ones count as changed now."""
    now = system.policy.reader.now
    created = {row: row.values.get("created") or now if row.record is None else now for row in rows}
    index_records(system, [row.id for row in sorted(rows, key=lambda row: created[row])])


def changed_values_of_row(row: ImportRow) -> dict[str, Any]:
    """The values that differ from the record's; fields with links to other rows of the file always count."""
    record = row.record
    if record is None:
        return row.values
    row.id = record.id
    differing = {
        name: value
        for name, value in row.values.items()
        if _comparable_value(record.values.get(name)) != _comparable_value(value)
    }
    return {**differing, **{name: row.values[name] for name in row.linked_rows}}


def _comparable_value(value: Any) -> Any:
    """Links are compared by what they lead to: a file does not know their titles."""
    if value in EMPTY:
        return None
    if isinstance(value, tuple):
        return tuple(map(_comparable_value, value))
    return (value.module, value.id) if isinstance(value, Linked) else value


def _use_numbers(system: Records, new: Sequence[ImportRow]) -> None:
    """Takes the numbers that the file brings along; the portal's own go on behind them.

    A reference without a number has the one that the module's pattern finds in it, if it was made by this pattern.
    """
    for row in new:
        made = parse_reference(system.module.reference, row.values.get("reference") or "")
        if made and "number" not in row.values:
            row.values["number"] = int(made["number"])
    numbers = [row.values["number"] for row in new if row.values.get("number")]
    if numbers:
        keep_above(system.connection, system.policy.tables, system.name, max(numbers))


def _insert(system: Records, batch: Sequence[ImportRow], author: Author) -> None:
    table, reference = system.table, system.module.field("reference")
    unnumbered = sum(not row.values.get("number") for row in batch)
    fresh = next_numbers(system.connection, system.policy.tables, system.name, unnumbered) if unnumbered else ()
    next_number = iter(fresh)
    numbers = {row: row.values.get("number") or next(next_number) for row in batch}
    columns = []
    for row, number in numbers.items():
        reference_text = row.values.get("reference")
        values = with_signatures(system, row.values, author, row.values.get("created"))
        columns.append(
            new_row(system, values, number, author) | (reference.store(reference_text) if reference_text else {})
        )
    system.connection.execute(sa.insert(table), columns)
    inserted = sa.select(table.c["number"], table.c["id"]).where(table.c["number"].in_(numbers.values()))
    ids = {number: record_id for number, record_id in system.connection.execute(inserted)}
    for row, number in numbers.items():
        row.id = ids[number]
    _write_join_tables(system, {row: row.values for row in batch})
    _add_events(system, {row: state_written(system.module, row.values) for row in batch}, author)


def _update(
    system: Records, batch: Sequence[ImportRow], changed: Mapping[ImportRow, dict[str, Any]], author: Author
) -> None:
    """One statement for the batch: it sets every field that the file has, also where only one of them differs."""
    table, now = system.table, system.policy.reader.now
    names = dict.fromkeys(name for row in batch for name in row.values)
    fields = [field for name in names if (field := system.module.field(name)).columns()]
    formulas, currency = formulas_reading(system.module, names), system.policy.reader.currency
    parameters = []
    by_upload = [field.name for field in fields if field.by_upload]
    for row in batch:
        values = {**row.all_values(), **with_signatures(system, changed[row], author)}
        delete_replaced_files(system, [name for name in by_upload if name in changed[row]], row.id)
        stored = {name: value for field in fields for name, value in field.store(values[field.name]).items()}
        parameters.append({"_id": row.id, **_new(stored | computed(formulas, values, currency))})
    columns: dict[str, Any] = {
        column.name: sa.bindparam(f"new_{column.name}") for field in (*fields, *formulas) for column in field.columns()
    }
    if _by_visibility(system, batch, changed)[0]:
        who = author_of(system, author, "modified_by")
        columns |= {"modified": now, **who, "_version": table.c["_version"] + 1}
    statement = sa.update(table).where(table.c["id"] == sa.bindparam("_id"))
    system.connection.execute(statement.values(columns), parameters)
    _write_join_tables(system, {row: changed[row] for row in batch})
    _add_events(system, {row: _update_details(system, row, changed[row]) for row in batch}, author)


def _update_details(system: Records, row: ImportRow, changed: Mapping[str, Any]) -> dict[str, Any]:
    """The details of the event; links to rows of the file have no ids yet, and are named as changed alone."""
    details = change_details(system.module, row.record.values if row.record else {}, changed)
    for name in row.linked_rows:
        details["changes"].pop(name, None)
    return details


def _new(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Columns as parameters, whose names must be others than those of the columns."""
    return {f"new_{name}": value for name, value in stored.items()}


def _write_join_tables(system: Records, values: Mapping[ImportRow, Mapping[str, Any]]) -> None:
    """Writes the links that live in join tables; those of changed records replace what was there."""
    for name in link_values(system.module, dict.fromkeys(system.module.fields)):
        links = {row: row_values[name] or () for row, row_values in values.items() if name in row_values}
        if links:
            _write_join_table(system, name, links)


def _write_join_table(system: Records, name: str, links: Mapping[ImportRow, Iterable[Linked]]) -> None:
    table = system.policy.tables.join(system.name, name)
    system.connection.execute(sa.delete(table).where(table.c["record"].in_([row.id for row in links])))
    lines = [
        {"record": row.id, "target": target, "position": position}
        for row, linked in links.items()
        for position, target in enumerate(dict.fromkeys(link.id for link in linked))
    ]
    if lines:
        system.connection.execute(sa.insert(table), lines)


def _write_links_between_rows(system: Records, rows: Sequence[ImportRow]) -> None:
    """Writes the links between rows of the file, once all of them are records."""
    for name in dict.fromkeys(name for row in rows for name in row.linked_rows):
        field, linking = system.module.field(name), [row for row in rows if name in row.linked_rows]
        for row in linking:
            others = tuple(Linked(other.id, system.name) for other in row.linked_rows[name])
            row.values[name] = (*row.values[name], *others) if field.multiple else others[0]
        for batch in batched(linking, BATCH):
            if field.multiple:
                _write_join_table(system, name, {row: row.values[name] for row in batch})
            else:
                _set_link(system, field, batch)


def _set_link(system: Records, field: Field, batch: Sequence[ImportRow]) -> None:
    table = system.table
    parameters = [{"_id": row.id, **_new(field.store(row.values[field.name]))} for row in batch]
    columns: dict[str, Any] = {column.name: sa.bindparam(f"new_{column.name}") for column in field.columns()}
    statement = sa.update(table).where(table.c["id"] == sa.bindparam("_id")).values(columns)
    system.connection.execute(statement, parameters)


def _add_events(system: Records, details: Mapping[ImportRow, dict[str, Any]], author: Author) -> None:
    events = [event_row(system, row.id, EVENT, author, detail) for row, detail in details.items()]
    system.connection.execute(sa.insert(system.policy.tables.event), events)
