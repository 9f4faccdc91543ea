"""Stores checked rows as records, in batches: columns, links, numbers, history and the search index together.

Nobody is notified: the event is `imported`, which triggers no letters.
"""

import datetime
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from portal.database.engine import analyze
from portal.database.search import index as search
from portal.declaration.references import parse_reference
from portal.fields.base import Field
from portal.fields.linked_value import Linked
from portal.records.indexing.backlog import update_linking_records
from portal.records.indexing.formulas import computed_columns, formulas_reading, is_in_other_texts
from portal.records.indexing.rollups import RollupsOver
from portal.records.indexing.search_entries import index_records, replace_texts
from portal.records.indexing.stopwatches import stopwatches_after
from portal.records.reading.records import Records
from portal.records.transfer.import_row import ImportRow, changed_values
from portal.records.transfer.importing_files import FileImport
from portal.records.transfer.records_by_name import LinkedLines
from portal.records.transfer.row_buffer import RowBuffer
from portal.records.writing.deadlines import moved_deadlines
from portal.records.writing.errors import unique_violations_retried
from portal.records.writing.files import delete_replaced_files
from portal.records.writing.history import Author, author_of, change_details, event_row, state_details
from portal.records.writing.links_and_lines import write_links, write_own_tables
from portal.records.writing.module_rows import new_row
from portal.records.writing.sequence import keep_above, next_numbers
from portal.records.writing.signatures import with_signatures

BATCH = 1000
EVENT = "imported"


@dataclass(frozen=True)
class ImportOutcome:
    """How many records an import added and changed, and how many rows match what their records already hold.

    `ids`: of the records, by line of the file; `added_ids`: of the new ones.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    ids: Mapping[int, int] = field(default_factory=dict)
    added_ids: Collection[int] = ()


def expected_outcome(rows: Iterable[ImportRow]) -> ImportOutcome:
    """How many records storing `rows` would add, change and leave as they are; for a dry run."""
    added = changed = unchanged = 0
    for row in rows:
        differs = row.record is None or bool(changed_values(row) or row.attachments)
        added += row.record is None
        changed += row.record is not None and differs
        unchanged += not differs
    return ImportOutcome(added, changed, unchanged)


class Storing:
    """Stores the rows of one file, in the caller's transaction."""

    def __init__(self, records: Records, author: Author, files: FileImport | None) -> None:
        """`records`: as the portal itself or the author sees them; links to what the author may not see stay."""
        self._records, self._system, self._author, self._files = records, records.as_system, author, files
        self._internal = {name for name, field in records.module.everything.items() if field.internal}
        self._ids: dict[int, int] = {}
        self._to_index: list[tuple[datetime.datetime, int]] = []  # when each was created, and its id
        self._internal_changes: list[int] = []  # records that differ only in internal fields
        self._renamed: list[int] = []
        self._rollups = RollupsOver(self._system)  # computed once, when all rows are stored
        self._added: list[int] = []
        self._changed = self._unchanged = 0

    def store_rows(
        self, rows: RowBuffer, linked: LinkedLines, on_written: Callable[[int], None] = lambda done: None
    ) -> ImportOutcome:
        """Stores `rows`, and their links to each other. `on_written` gets how many are done.

        Raises RetryError, and StoreError and OSError if there are files.
        """
        with search.filling(self._system.connection), unique_violations_retried():
            self._keep_numbers(rows)
            for batch in rows.batches():
                self._store_batch(batch)
                on_written(len(self._added) + self._changed)
            self._write_links_between_rows(rows, linked)
            self._rollups.roll_up()
            in_order = sorted(self._to_index, key=itemgetter(0))
            index_records(self._system, [record_id for _created, record_id in in_order])
            replace_texts(self._system, self._internal_changes)
            for record_id in self._renamed:
                update_linking_records(self._system, record_id)
        if len(self._added) + self._changed >= BATCH:
            search_table = self._system.policy.tables.search
            analyze(self._system.connection, [self._system.table.name, search_table.name])
        return ImportOutcome(len(self._added), self._changed, self._unchanged, self._ids, frozenset(self._added))

    def _store_batch(self, batch: Sequence[ImportRow]) -> None:
        if self._files:
            self._files.store_fields(self._system, batch, self._author)
        new = [row for row in batch if row.record is None]
        for row in new:
            self._take_number(row)
        changes = {row: changed_values(row) for row in batch if row.record is not None}
        changed = [row for row, values in changes.items() if values]
        self._rollups.note_before([row.id for row in changed])
        if new:
            _insert(self._system, new, self._author)
            _write_join_tables(self._records, {row: row.values for row in new})
        if changed:
            _update(self._system, changed, changes, self._author, self._internal)
            _write_join_tables(self._records, {row: changes[row] for row in changed})
            _remove_hidden_rows(self._records, {row: changes[row] for row in changed})
        inside = [row for row in changed if self._internal.issuperset(changes[row])]
        visibly = [row for row in changed if not self._internal.issuperset(changes[row])]
        self._rollups.note_after([row.id for row in (*new, *changed)])
        if self._files:
            self._files.store_attachments(self._system, batch, self._author)
        now, module, declaration = self._system.policy.reader.now, self._system.module, self._system.policy.declaration
        self._to_index += [(row.values.get("created") or now, row.id) for row in new]
        self._to_index += [(now, row.id) for row in visibly]
        self._internal_changes += [row.id for row in inside]
        self._renamed += [row.id for row in changed if is_in_other_texts(declaration, module, changes[row])]
        self._added += [row.id for row in new]
        touched = sum(bool(values or row.attachments) for row, values in changes.items())
        self._changed += touched
        self._unchanged += len(changes) - touched
        self._ids |= {row.line: row.id for row in batch}

    def _take_number(self, row: ImportRow) -> None:
        """Gives a reference without a number the one that the module's pattern finds in it."""
        made = parse_reference(self._system.module.reference, row.values.get("reference") or "")
        if made and "number" not in row.values:
            row.values["number"] = int(made["number"])

    def _keep_numbers(self, rows: Iterable[ImportRow]) -> None:
        """Keeps the numbers that the file contains; the portal's own continue after them."""
        largest = 0
        for row in rows:
            if row.record is None:
                self._take_number(row)
                largest = max(largest, row.values.get("number") or 0)
        if largest:
            keep_above(self._system.connection, self._system.policy.tables, self._system.name, largest)

    def _write_links_between_rows(self, rows: RowBuffer, linked: LinkedLines) -> None:
        """Writes the links between rows of the file once all of them are records."""
        for batch in rows.batches() if linked else ():
            by_field: dict[str, list[ImportRow]] = {}
            for row in batch:
                row.id = self._ids[row.line]
                for name, lines in linked.get(row.line, {}).items():
                    others = tuple(Linked(self._ids[line], self._system.name) for line in lines)
                    multiple = self._system.module.field(name).multiple
                    row.values[name] = (*row.values[name], *others) if multiple else others[0]
                    by_field.setdefault(name, []).append(row)
            for name, linking in by_field.items():
                field = self._system.module.field(name)
                if field.multiple:
                    write_links(self._records, name, {row.id: row.values[name] for row in linking})
                else:
                    ids = [row.id for row in linking]
                    self._rollups.note_before(ids)
                    _set_link(self._system, field, linking)
                    self._rollups.note_after(ids)


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
    # If each year begins with 1, records of several years share a number.
    names = table.c["number"], table.c["reference"]
    inserted = sa.select(*names, table.c["id"]).where(names[0].in_(numbers.values()))
    ids = {(number, reference): record_id for number, reference, record_id in system.connection.execute(inserted)}
    for row, column in zip(numbers, columns, strict=True):
        row.id = ids[column["number"], column["reference"]]
    _add_events(system, {row: state_details(system.module, row.values) for row in batch}, author)


def _update(
    system: Records,
    batch: Sequence[ImportRow],
    changed: Mapping[ImportRow, dict[str, Any]],
    author: Author,
    internal: Set[str],
) -> None:
    """Writes the columns of changed records of an import. One statement sets every field that the file has, even if
    only one of them differs; another does the same for records that do not count as modified because only `internal`
    fields have changed."""
    table, now = system.table, system.policy.reader.now
    names = dict.fromkeys(name for row in batch for name in row.values)
    fields = [field for name in names if (field := system.module.field(name)).columns()]
    formulas, currency = formulas_reading(system.module, names), system.policy.reader.currency
    written: dict[int, dict[str, Any]] = {}
    by_upload = [field.name for field in fields if field.by_upload]
    for row in batch:
        values = {**row.all_values(), **with_signatures(system, changed[row], author)}
        delete_replaced_files(system, {name: changed[row][name] for name in by_upload if name in changed[row]}, row.id)
        stored = {name: value for field in fields for name, value in field.store(values[field.name]).items()}
        written[row.id] = stored | computed_columns(formulas, values, currency)
    _move_deadlines(system, batch, changed, written)
    columns: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in next(iter(written.values()))}
    who = author_of(system, author, "modified_by")
    modified = {"modified": now, **who, "_version": table.c["_version"] + 1}
    statement = sa.update(table).where(table.c["id"] == sa.bindparam("_id"))
    for more in (modified, {}):
        alike = [row.id for row in batch if (changed[row].keys() <= internal) == (not more)]
        parameters = [{"_id": record_id, **_new(written[record_id])} for record_id in alike]
        if parameters:
            system.connection.execute(statement.values(columns | more), parameters)
    _add_events(system, {row: _update_details(system, row, changed[row]) for row in batch}, author)


def _move_deadlines(
    system: Records,
    batch: Sequence[ImportRow],
    changed: Mapping[ImportRow, dict[str, Any]],
    written: dict[int, dict[str, Any]],
) -> None:
    """Adds the deadlines that the rows move, and formulas that read these, to the `changed` values and to the `written`
    columns, by record; to the columns also stopwatches."""
    all_moved, currency = moved_deadlines(system, written), system.policy.reader.currency
    for row in batch if all_moved else ():
        moved = all_moved[row.id]
        formulas = formulas_reading(system.module, moved.values)
        written[row.id] |= moved.columns | computed_columns(formulas, {**row.all_values(), **moved.values}, currency)
        for name, value in moved.values.items():
            changed[row].pop(name, None)
            if value != moved.before[name]:
                changed[row][name] = value
    for record_id, columns in stopwatches_after(system, written).items():
        written[record_id] |= columns


def _update_details(system: Records, row: ImportRow, changed: Mapping[str, Any]) -> dict[str, Any]:
    """The details of an imported change's event; links to rows of the file have no ids yet: only fields are named."""
    details = change_details(system.module, row.record.values if row.record else {}, changed)
    for name in row.unresolved:
        details["changes"].pop(name, None)
    return details


def _new(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that an import stores as parameters, whose names must differ from those of the columns."""
    return {f"new_{name}": value for name, value in stored.items()}


def _write_join_tables(records: Records, values: Mapping[ImportRow, Mapping[str, Any]]) -> None:
    """Stores imported links that are in join tables; those of changed records replace the old ones."""
    for name in (linked.name for linked in records.module.fields.values() if linked.in_join_table):
        links = {row.id: row_values[name] or () for row, row_values in values.items() if name in row_values}
        if links:
            write_links(records, name, links)


def _remove_hidden_rows(records: Records, changes: Mapping[ImportRow, Mapping[str, Any]]) -> None:
    """Removes the rows of `lines` that an imported change hides; a file changes rows in no other way here."""
    names = {field.name for field in records.module.lines}
    for row, values in changes.items():
        write_own_tables(records, row.id, {name: () for name in names & values.keys()})


def _set_link(system: Records, field: Field, batch: Sequence[ImportRow]) -> None:
    table = system.table
    parameters = [{"_id": row.id, **_new(field.store(row.values[field.name]))} for row in batch]
    columns: dict[str, Any] = {column.name: sa.bindparam(f"new_{column.name}") for column in field.columns()}
    statement = sa.update(table).where(table.c["id"] == sa.bindparam("_id")).values(columns)
    system.connection.execute(statement, parameters)


def _add_events(system: Records, details: Mapping[ImportRow, dict[str, Any]], author: Author) -> None:
    events = [event_row(system, row.id, EVENT, author, detail) for row, detail in details.items()]
    system.connection.execute(sa.insert(system.policy.tables.event), events)
