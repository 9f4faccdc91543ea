"""The links of a file's rows: to records, or to other rows of the same file, which become records with them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from portal.fields.base import Field, Refused
from portal.fields.linked_value import Linked
from portal.records.reading.records import Records
from portal.records.transfer.import_row import ImportRow
from portal.records.transfer.names import Names, key_of_name, names_in, naming_fields
from portal.records.writing.form_conditions import EMPTY, condition_values, depends_on
from portal.texts import _, ngettext

# By row: the names in its cell, and the records that each may mean.
Meanings = dict[ImportRow, list[tuple[str, list[Linked]]]]
RowsByName = dict[tuple[str, Any], list[ImportRow]]


class RowLinks:
    """Reads the link `fields` of rows. `refuse`: called with line, field and reason for every bad cell."""

    def __init__(self, system: Records, fields: Sequence[Field], refuse: Callable[[int, str, str], None]) -> None:
        self.system, self.refuse, self.names = system, refuse, Names(system)
        # Those on which others depend come first.
        self.fields = sorted(fields, key=lambda field: bool(depends_on(system.module, field)))
        self._naming_fields = naming_fields(system.module)

    def read(self, rows: Sequence[ImportRow]) -> None:
        """Sets the link values of a batch of rows; names that no record has are left for `resolve`."""
        for field in self.fields:
            self._read_field(field, rows)

    def resolve(self, rows: Iterable[ImportRow], bad_lines: Mapping[int, Any]) -> None:
        """Finds names that no record has among the `rows` of the file. A row is bad when it links to a bad one."""
        rows = list(rows)
        waiting = [row for row in rows if row.unresolved]
        by_name = self._rows_by_name(rows) if waiting else {}
        for row in waiting:
            for field_name, names in row.unresolved.items():
                linked = (self._row_named(row, field_name, name, by_name) for name in names)
                row.linked_rows[field_name] = [other for other in linked if other]
        again = bool(waiting)
        while again:
            again = False
            for row in waiting:
                lines = [other.line for several in row.linked_rows.values() for other in several]
                bad = next((line for line in lines if line in bad_lines), None)
                if bad is not None and row.line not in bad_lines:
                    self.refuse(row.line, "", _("It links to line ${line}, which has an error.", mapping={"line": bad}))
                    again = True

    def _read_field(self, field: Field, rows: Iterable[ImportRow]) -> None:
        names: dict[ImportRow, list[str]] = {}
        for row in rows:
            try:
                names[row] = names_in(field, row.cells[field.name][field.name])
            except Refused as refused:
                self.refuse(row.line, field.name, refused.message)
        self.names.look_up(field, (name for several in names.values() for name in several))
        meanings = {
            row: [(name, self.names.records_named(field, name)) for name in several] for row, several in names.items()
        }
        if depends_on(self.system.module, field):
            meanings = self._only_offered(field, meanings)
        for row, named in meanings.items():
            links = [link for name, records in named if (link := self._the_one(row, field, name, records))]
            row.values[field.name] = tuple(dict.fromkeys(links)) if field.multiple else next(iter(links), None)

    def _the_one(self, row: ImportRow, field: Field, name: str, records: Sequence[Linked]) -> Linked | None:
        """The record that the cell means; else what is wrong is noted, or the name is left for `resolve`."""
        module, shown_name = ", ".join(field.targets), name[:80]
        if len(records) == 1:
            return records[0]
        if records:
            sentence = ngettext(
                "${number} record in ${module} is named “${name}”.",
                "${number} records in ${module} are named “${name}”.",
                len(records),
                module=module,
                name=shown_name,
            )
            self.refuse(row.line, field.name, sentence)
        elif self.system.name in field.targets:
            row.unresolved.setdefault(field.name, []).append(name)
        else:
            self._refuse_unknown(row, field.name, module, shown_name)
        return None

    def _refuse_unknown(self, row: ImportRow, field_name: str, module: str, name: str) -> None:
        sentence = _("No record in ${module} is named “${name}”.", mapping={"module": module, "name": name})
        self.refuse(row.line, field_name, sentence)

    def _only_offered(self, field: Field, meanings: Meanings) -> Meanings:
        """What the field's `where` leaves, which names other fields of the record with `$`.

        A condition without `$` is not checked: it says what is offered today, and files bring what was chosen before.
        """
        others = {row: condition_values(self.system, field, row.all_values()) for row in meanings}
        groups: dict[tuple[Any, ...], tuple[ImportRow, set[Linked]]] = {}
        for row, named in meanings.items():
            key = tuple(others[row].values())
            groups.setdefault(key, (row, set()))[1].update(link for _name, records in named for link in records)
        for row, links in groups.values():
            for module in field.targets:
                ids = [link.id for link in links if link.module == module]
                self.names.look_up_offered(field, module, others[row], ids)
        offered: Meanings = {}
        for row, named in meanings.items():
            offered[row] = []
            for name, records in named:
                left = [link for link in records if self.names.is_offered(field, link, others[row])]
                if records and not left:
                    facts = {"name": name[:80], "fields": ", ".join(others[row])}
                    text = _("“${name}” does not belong to this row's ${fields}.", mapping=facts)
                    self.refuse(row.line, field.name, text)
                else:
                    offered[row].append((name, left))
        return offered

    def _row_named(self, row: ImportRow, field_name: str, name: str, by_name: RowsByName) -> ImportRow | None:
        keys = ((field.name, key_of_name(self.system, field, name)) for field in self._naming_fields)
        rows = next((by_name[key] for key in keys if key in by_name), [])
        if len(rows) == 1:
            return rows[0]
        if rows:
            sentence = ngettext(
                "${number} row of the file is named “${name}”.",
                "${number} rows of the file are named “${name}”.",
                len(rows),
                name=name[:80],
            )
            self.refuse(row.line, field_name, sentence)
        else:
            self._refuse_unknown(row, field_name, self.system.name, name[:80])
        return None

    def _rows_by_name(self, rows: Iterable[ImportRow]) -> RowsByName:
        by_name: RowsByName = {}
        for row in rows:
            for field in self._naming_fields:
                value = row.values.get(field.name)
                if value not in EMPTY:
                    by_name.setdefault((field.name, field.key_of(value)), []).append(row)
        return by_name
