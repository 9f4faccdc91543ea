"""Deletes records with what depends on them, and updates the records that link to them (`on_delete`).

Links of other records to a record depend on it, and rows of the portal's own tables about it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from portal.conditions import AllOf, Comparison
from portal.database.search import index as search
from portal.fields.base import Field
from portal.fields.lines import Row
from portal.fields.link import links_to
from portal.fields.linked_value import Linked
from portal.fields.refused import Refused
from portal.fields.table_names import join_name
from portal.records.indexing.search_entries import replace_texts
from portal.records.reading.records import Query, Record, Records
from portal.records.writing.changing import change_record
from portal.records.writing.history import Author, add_event
from portal.records.writing.links_and_lines import write_own_tables
from portal.records.writing.module_rows import row_writer
from portal.texts import _, ngettext

GO_WITH_THEIR_RECORD = ("comment", "file", "watcher", "seen")  # rows of the portal's own tables
MOST_NAMED = 1_000  # records that may be named as the reason for a refusal; if there are more, none is


@dataclass(frozen=True)
class Deletion:
    """One deletion, of a record and those deleted with it.

    `asker`: the records as the person who deletes sees them; others that prevent the deletion are not revealed.
    `going`: records already being deleted, since records may link to each other in a circle.
    """

    author: Author
    asker: Records
    going: set[Linked] = field(default_factory=set)

    def delete(self, system: Records, record_id: int) -> None:
        """Removes a record of `system`, the records as the portal itself sees them. The caller checks rights.

        Raises Refused if other records still need it.
        """
        target = Linked(record_id, system.name)
        self.going.add(target)
        for module in system.policy.declaration.modules.values():
            for linking_field in module.fields.values():
                for path in links_to(system.name, linking_field):
                    self._release(system.of(module.name), path, target)
        self.remove(system, [record_id])

    def remove(self, system: Records, ids: Sequence[int]) -> None:
        """The same for records to which only records that are also deleted link."""
        for record_id in ids:
            write_own_tables(system, record_id, dict.fromkeys(system.module.fields))
        self._clear_history(system, ids)
        _delete_what_depends(system, ids)
        search.remove(system.connection, system.policy.tables.search, system.name, ids)
        for record_id in ids:
            row_writer(system).delete(record_id)

    def _clear_history(self, system: Records, ids: Sequence[int]) -> None:
        """Removes the values from the history of records; the event of their deletion has only the reference."""
        event = system.policy.tables.event
        on_records = event.c["module"] == system.name, event.c["record"].in_(ids)
        system.connection.execute(sa.update(event).where(*on_records).values(details={}))
        references = {record.id: record.reference for record in system.by_ids(ids, [])}
        for record_id in ids:
            reference = references.get(record_id)
            add_event(system, record_id, "deleted", self.author, {"reference": reference} if reference else {})

    def _release(self, linking: Records, path: tuple[str, ...], target: Linked) -> None:
        """Applies `on_delete` to the records that link to `target` by `path`, a field or a column of one."""
        declared = linking.module.field(path[0])
        link = declared.row_fields[path[1]] if declared.row_fields else declared
        query = Query(condition=AllOf((Comparison(path, "equal", target),)), sort=("id",))
        records = list(linking.iterate(query, [] if link.multiple else [declared.name]))
        if link.multiple:
            table = linking.policy.tables.by_name[join_name(linking.name, *path)]
            linking.connection.execute(sa.delete(table).where(table.c["target"] == target.id))
            replace_texts(linking, [record.id for record in records])
            return
        staying = [record for record in records if Linked(record.id, linking.name) not in self.going]
        if staying and link.on_target_deleted == "refuse":
            raise Refused(_still_needed(linking, staying, self.asker))
        for record in records:
            self._release_one(linking, record, declared, link, target)

    def _release_one(self, linking: Records, record: Record, declared: Field, link: Field, target: Linked) -> None:
        if declared.row_fields:
            rows = _rows_without(record.values[declared.name], link, target)
            change_record(linking, self.author, record, {declared.name: rows}, record.version)
        elif link.on_target_deleted == "cascade" and Linked(record.id, linking.name) not in self.going:
            self.delete(linking, record.id)
        else:  # unless it was deleted with another one
            for present in linking.by_ids([record.id], [declared.name]):
                change_record(linking, self.author, present, {declared.name: None}, present.version)


def _rows_without(rows: Iterable[Row], column: Field, target: Linked) -> tuple[Row, ...]:
    """The rows without links of `column` to the deleted `target`: the rows are removed, or only their links."""
    remaining: list[Row] = []
    for row in rows:
        if target not in column.links_in(row.get(column.name)):
            remaining.append(row)
        elif column.on_target_deleted == "clear":
            remaining.append(replace(row, values={**row.values, column.name: None}))
    return tuple(remaining)


def _still_needed(linking: Records, linking_records: Sequence[Record], asker: Records) -> str:
    """Why a record cannot be deleted, without revealing what its reader may not see."""
    ids = [record.id for record in linking_records[:MOST_NAMED]]
    visible = asker.of(linking.name).by_ids(ids, []) if asker.policy.access(linking.name) else []
    if len(visible) < len(ids):
        return _("Other records are still linked to this one.")
    titles = asker.policy.reader.listed(record.title for record in visible[:3]) + (
        "…" if len(linking_records) > 3 else ""
    )
    label = asker.policy.reader.text(linking.module.label)
    return ngettext(
        "${number} record in ${module} is still linked to this one: ${titles}",
        "${number} records in ${module} are still linked to this one: ${titles}",
        len(linking_records),
        module=label,
        titles=titles,
    )


def _delete_what_depends(records: Records, ids: Sequence[int]) -> None:
    """Removes the records' conversations, files, watchers and news; for people, also that they watch other records."""
    tables, connection, declaration = records.policy.tables, records.connection, records.policy.declaration
    for table in (getattr(tables, name) for name in GO_WITH_THEIR_RECORD):
        on_records = table.c["module"] == records.name, table.c["record"].in_(ids)
        connection.execute(sa.delete(table).where(*on_records))
    if records.name == declaration.people:
        connection.execute(sa.delete(tables.watcher).where(tables.watcher.c["person"].in_(ids)))
    if records.name == declaration.organizations:
        _close_way_in(records, ids)


def _close_way_in(records: Records, companies: Sequence[int]) -> None:
    """Makes sure that nobody can join a deleted company: voids its link, and the links of those who used it to ask for
    access. People who have confirmed their address wait for staff to decide."""
    tables, connection = records.policy.tables, records.connection
    connection.execute(sa.delete(tables.company).where(tables.company.c["organization"].in_(companies)))
    of_company, proved = tables.sign_up.c["organization"].in_(companies), tables.sign_up.c["proved"]
    connection.execute(sa.delete(tables.sign_up).where(of_company, proved.is_(None)))
    connection.execute(sa.update(tables.sign_up).where(of_company).values(organization=None))
