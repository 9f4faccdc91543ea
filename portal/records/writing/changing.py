"""What changing a record writes: its values, version and time, its history and its entry in the search index.

Called by writer.py, which checks rights and states, and by deleting.py.
"""

from collections.abc import Mapping
from typing import Any

from portal.declaration.shapes import Transition
from portal.records.indexing.backlog import update_linking_records
from portal.records.indexing.formulas import formulas_reading, is_in_other_texts, recomputed
from portal.records.indexing.search_entries import index_records, replace_texts
from portal.records.indexing.stopwatches import stopwatches_after
from portal.records.reading.records import Record, Records
from portal.records.writing.deadlines import moved_deadlines
from portal.records.writing.errors import ConflictError
from portal.records.writing.files import delete_replaced_files, insert_field_files
from portal.records.writing.form_conditions import hidden_by_change, unread_values
from portal.records.writing.history import Author, add_event, author_of, change_details
from portal.records.writing.links_and_lines import with_whole_rows, write_own_tables
from portal.records.writing.module_rows import row_writer
from portal.records.writing.seen_and_hidden import mark_new_to_staff, mark_own_change_seen
from portal.records.writing.signatures import add_change_events, with_signatures, without_signed


def change_record(
    records: Records, author: Author, record: Record, values: Mapping[str, Any], version: int, kind: str = "edited"
) -> bool:
    """Writes the values that differ, and an event of `kind`; False if none do. Fields that it hides are emptied.

    If only internal fields differ, customers see no trace: no new version, time or place in lists.
    Raises ConflictError if the record has another version by now.
    """
    before = {**record.values, **unread_values(records, values, {**record.values, "id": record.id})}
    changed = without_signed(records, before, changed_values(before, values))
    if not changed:
        return False
    hidden = hidden_by_change(records, record.id, changed)
    before, changed = before | hidden, changed | dict.fromkeys(hidden)
    delete_replaced_files(records, changed, record.id)
    changed = insert_field_files(records, changed, author, record.id)
    changed = with_signatures(records, with_whole_rows(records, changed, record.id), author)
    before, changed, columns = with_what_follows(records, record.id, before, changed)
    if not changed:
        return False
    visible = not all(
        records.module.field(name).is_internal_change(before.get(name), value) for name, value in changed.items()
    )
    row = columns | (_modified(records, author, version + 1) if visible else {"_version": version})
    if not row_writer(records).update(record.id, version, row):
        raise ConflictError(record.id)
    write_own_tables(records, record.id, changed)
    add_change_events(records, record.id, kind, author, before, changed)
    (index_records if visible else replace_texts)(records.as_system, [record.id])
    (mark_own_change_seen if visible else mark_new_to_staff)(records, record.id, author)
    if is_in_other_texts(records.policy.declaration, records.module, changed):
        update_linking_records(records.as_system, record.id)
    return True


def with_what_follows(
    records: Records, record_id: int, before: Mapping[str, Any], changed: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The values `before` and `changed` of a record including the deadlines that the change moves; and all columns to
    write, including those of formulas and stopwatches."""
    module, columns, system = records.module, dict[str, Any](), records.as_system
    for name, value in changed.items():
        columns |= module.field(name).store(value)
    columns |= recomputed(records, record_id, changed)
    before, changed = dict(before), dict(changed)
    if moved := moved_deadlines(system, {record_id: columns}).get(record_id):
        before |= moved.before
        changed |= moved.values
        if formulas_reading(module, moved.values):
            columns |= recomputed(records, record_id, changed)
        columns |= moved.columns
        changed = changed_values(before, changed)
    columns |= stopwatches_after(system, {record_id: columns}).get(record_id, {})
    return before, changed, columns


def changed_values(before: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The `values` of a record that differ from those `before`."""
    return {name: value for name, value in values.items() if name not in before or before[name] != value}


def move_in_place(records: Records, author: Author, record: Record, transition: Transition) -> None:
    """Moves a record by a transition back to its own state: its period begins again.

    Raises ConflictError if the record has another version by now.
    """
    if not row_writer(records).update(record.id, record.version, _modified(records, author, record.version + 1)):
        raise ConflictError(record.id)
    state = {records.module.state_field: transition.to} if records.module.state_field else {}
    add_event(records, record.id, f"moved:{transition.name}", author, change_details(records.module, state, state))
    _is_newest(records, author, record)


def touch_record(records: Records, author: Author, record: Record, row: Mapping[str, Any]) -> None:
    """Changes columns of a record that are not values of fields, such as its number of files; counts as a change."""
    row_writer(records).touch(record.id, {**row, **_modified(records, author)})
    _is_newest(records, author, record)


def _is_newest(records: Records, author: Author, record: Record) -> None:
    index_records(records.as_system, [record.id])
    mark_own_change_seen(records, record.id, author)


def _modified(records: Records, author: Author, version: int | None = None) -> dict[str, Any]:
    """The columns that say when and by whom a record was changed; `version`: the new one, if any."""
    row = {"modified": records.policy.reader.now, **author_of(records, author, "modified_by")}
    return row if version is None else {**row, "_version": version}
