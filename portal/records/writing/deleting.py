"""Deleting records, with what depends on them, and what becomes of the records that link to them (`on_delete`)."""

from dataclasses import dataclass, field

import sqlalchemy as sa

from portal.conditions import AllOf, Comparison
from portal.database.search import index as search
from portal.fields.base import Field, Refused
from portal.fields.linked_value import Linked
from portal.fields.table_names import join_name
from portal.records.indexing.search_entries import replace_texts
from portal.records.reading.records import Query, Record, Records
from portal.records.writing.changing import change_record
from portal.records.writing.dependents import delete_what_depends, links_to, still_needed
from portal.records.writing.history import Author, add_event
from portal.records.writing.rows import rows_without, write_own_tables
from portal.records.writing.stored_rows import delete_row


@dataclass(frozen=True)
class Deletion:
    """One deletion, of one record or of those that go with it.

    `asker`: the records as whoever deletes sees them, who is not told of others in the way. `going`: what goes already,
    since records may link to each other in a circle.
    """

    author: Author
    asker: Records
    going: set[Linked] = field(default_factory=set)

    def delete(self, system: Records, record_id: int) -> None:
        """Removes a record of `system`, the records as the portal itself sees them. Rights are the caller's to check.

        Raises Refused where other records still need it.
        """
        target = Linked(record_id, system.name)
        self.going.add(target)
        for module in system.policy.declaration.modules.values():
            for linking_field in module.fields.values():
                for path in links_to(system.name, linking_field):
                    self._release(system.of(module.name), path, target)
        write_own_tables(system, record_id, dict.fromkeys(system.module.fields))
        self._clear_history(system, record_id)
        delete_what_depends(system, record_id)
        search.remove(system.connection, system.policy.tables.search, system.name, record_id)
        delete_row(system, record_id)

    def _clear_history(self, system: Records, record_id: int) -> None:
        """What the history kept of the record's values goes with it; the event of its end has the reference alone."""
        event = system.policy.tables.event
        on_record = event.c["module"] == system.name, event.c["record"] == record_id
        system.connection.execute(sa.update(event).where(*on_record).values(details={}))
        deleted = system.by_ids([record_id], [])
        add_event(system, record_id, "deleted", self.author, {"reference": deleted[0].reference} if deleted else {})

    def _release(self, linking: Records, path: tuple[str, ...], target: Linked) -> None:
        """Lets go of `target` in the records that link to it by `path`, a field or a column of one, as its `on_delete`
        says."""
        declared = linking.module.field(path[0])
        link = declared.row_fields[path[1]] if declared.row_fields else declared
        query = Query(condition=AllOf((Comparison(path, "equal", target),)), sort=("id",))
        records = list(linking.iterate(query, [] if link.multiple else [declared.name]))
        if link.multiple:
            table = linking.policy.tables.metadata.tables[join_name(linking.name, *path)]
            linking.connection.execute(sa.delete(table).where(table.c["target"] == target.id))
            replace_texts(linking, [record.id for record in records])
            return
        staying = [record for record in records if Linked(record.id, linking.name) not in self.going]
        if staying and link.on_target_deleted == "refuse":
            raise Refused(still_needed(linking, staying, self.asker))
        for record in records:
            self._release_one(linking, record, declared, link, target)

    def _release_one(self, linking: Records, record: Record, declared: Field, link: Field, target: Linked) -> None:
        if declared.row_fields:
            rows = rows_without(record.values[declared.name], link, target)
            change_record(linking, self.author, record, {declared.name: rows}, record.version)
        elif link.on_target_deleted == "cascade" and Linked(record.id, linking.name) not in self.going:
            self.delete(linking, record.id)
        else:  # unless it went with another one
            for present in linking.by_ids([record.id], [declared.name]):
                change_record(linking, self.author, present, {declared.name: None}, present.version)
