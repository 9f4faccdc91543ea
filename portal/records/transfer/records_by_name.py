"""Finds records by the names in a file: by a unique field, then the reference, then the title.

Looks up a whole batch at once with a few queries per linked module, and remembers the results.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from portal.batches import batched
from portal.conditions import ALWAYS, replace_form_values
from portal.declaration.shapes import display_name
from portal.fields.base import Field
from portal.fields.linked_value import Linked
from portal.fields.refused import Refused
from portal.records.reading.named_records import LONGEST_SHOWN, name_problem, naming_fields
from portal.records.reading.records import Records
from portal.records.transfer.import_row import ImportRow
from portal.records.writing.form_conditions import EMPTY, condition_values, depends_on
from portal.texts import _, ngettext

BATCH = 1000  # values of one query
MOST_KEPT = 100_000  # names whose records are remembered

# By row, the names in its cell, and the records that each may mean.
Meanings = dict[ImportRow, list[tuple[str, list[Linked]]]]
LinesByName = dict[tuple[str, Any], list[int]]
# By the line of a row and by link, the lines of the rows that it links to.
LinkedLines = dict[int, dict[str, list[int]]]


def names_in_cell(field: Field, cell: str) -> list[str]:
    """The names in a cell: one for a `link`; for `links` several, each on its own line or separated by `;`.

    A cell with neither is split at commas. A name that contains one of these must be quoted. Raises Refused.
    """
    if not field.multiple:
        return [cell.strip()] if cell.strip() else []
    return split_names(cell)


def split_names(cell: str) -> list[str]:
    """The names in a cell of a CSV file that may hold several, as in `names_in_cell`. Raises Refused."""
    unquoted = re.sub(r'"[^"]*"', "", cell)
    delimiter = ";" if re.search(r"[;\n]", unquoted) else ","
    try:
        rows = list(csv.reader(io.StringIO(cell, newline=""), delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        raise Refused(_("This is not in the expected format.")) from None
    return list(dict.fromkeys(name.strip() for row in rows for name in row if name.strip()))


def written_names(names: Iterable[str]) -> str:
    """The text of a cell with the names of several records, as `names_in_cell` reads it."""
    quoted = ['"{}"'.format(name.replace('"', '""')) if re.search('[",;\n]', name) else name for name in names]
    return "; ".join(quoted)


def _key_of_name(records: Records, field: Field, name: str) -> Any:
    """The value of the key column of `field` for a record called `name` in a cell; None if no record can be."""
    try:
        value = field.read(name, records.policy.reader)
    except Refused:
        return None
    return None if value is None else field.key_of(value)


def _stored_values(records: Records, field: Field, values: Iterable[Any]) -> Iterator[tuple[Any, int]]:
    """(value, id) of the records that the reader may see and that have one of `values` in the key column of `field`."""
    column = records.table.c[field.key_column]
    for batch in batched(values, BATCH):
        named = sa.select(column, records.table.c["id"]).where(column.in_(batch), records.policy.scope(records.name))
        yield from ((value, record_id) for value, record_id in records.connection.execute(named))


def records_by_key(
    records: Records, field: Field, keys: Iterable[tuple[Any, ...]]
) -> Iterator[tuple[tuple[Any, ...], int]]:
    """The (key, id) of the records that already have one of the `keys` in a file, regardless of who may see them.

    A key holds the values of the columns that make `field` unique.
    """
    names = (*records.module.unique_within(field), field.key_column)
    distinct = set(keys)
    columns = [records.table.c[name] for name in names]
    for batch in batched({key[-1] for key in distinct}, BATCH):
        rows = records.connection.execute(sa.select(*columns, records.table.c["id"]).where(columns[-1].in_(batch)))
        yield from ((tuple(row[:-1]), row[-1]) for row in rows if tuple(row[:-1]) in distinct)


def ids_by_name(records: Records, field: Field, names: Iterable[str]) -> dict[str, list[int]]:
    """The ids of the records that have the names in a file, in `field`, by name; without names that no record has."""
    names_by_value: dict[Any, list[str]] = {}
    for name in names:
        value = _key_of_name(records, field, name)
        if value is not None:
            names_by_value.setdefault(value, []).append(name)
    ids: dict[str, list[int]] = {}
    for value, record_id in _stored_values(records, field, names_by_value):
        for name in names_by_value[value]:
            ids.setdefault(name, []).append(record_id)
    return ids


class RecordNames:
    """The records of all modules by name, as the portal itself or a person sees them."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self._ids: dict[tuple[str, str], tuple[int, ...]] = {}
        self._offered: dict[tuple[Any, ...], dict[int, bool]] = {}

    def look_up(self, field: Field, names: Iterable[str]) -> None:
        """Finds the records that `names` may mean in `field`, unless already known."""
        if len(self._ids) > MOST_KEPT:
            self._ids.clear()
        missing: dict[str, list[str]] = {}
        for name in dict.fromkeys(names):
            for module, own_name in self._meanings(field, name):
                if (module, own_name) not in self._ids:
                    missing.setdefault(module, []).append(own_name)
        for module, unknown in missing.items():
            self._look_up_in(module, unknown)

    def records_named(self, field: Field, name: str) -> list[Linked]:
        """The records that `name` means in `field`; `look_up` must have found it."""
        return [
            Linked(record_id, module)
            for module, own_name in self._meanings(field, name)
            for record_id in self._ids[module, own_name]
        ]

    def look_up_offered(self, field: Field, target: str, others: Mapping[str, Any], ids: Iterable[int]) -> None:
        """Finds which of `ids` the field's `where` allows, given `others`, the values that it refers to with `$`."""
        known = self._offered.setdefault(_offer_key(field, target, others), {})
        missing = [record_id for record_id in dict.fromkeys(ids) if record_id not in known]
        records = self.records.of(target, replace_form_values(field.target_condition or ALWAYS, others.get))
        for batch in batched(missing, BATCH):
            offered = {record.id for record in records.by_ids(batch, [])}
            known |= {record_id: record_id in offered for record_id in batch}

    def is_offered(self, field: Field, link: Linked, others: Mapping[str, Any]) -> bool:
        """Whether the field's `where` allows `link`; `look_up_offered` must have checked it."""
        return self._offered[_offer_key(field, link.module, others)][link.id]

    def _meanings(self, field: Field, name: str) -> Iterator[tuple[str, str]]:
        """The (module, name) pairs that `name` may mean in `field`; `MODULE:NAME` if it links to several modules."""
        module, colon, rest = name.partition(":")
        enabled = [target for target in field.targets if self.records.policy.access(target) is not None]
        if field.several_targets and colon and module in enabled:
            yield module, rest.strip()
        else:
            yield from ((target, name) for target in enabled)

    def _look_up_in(self, module: str, names: Sequence[str]) -> None:
        records = self.records.of(module)
        readable = records.policy.readable(module)
        for field in (field for field in naming_fields(records.module) if field.name in readable):
            ids = ids_by_name(records, field, names)
            self._ids |= {(module, name): tuple(ids[name]) for name in ids}
            names = [name for name in names if name not in ids]
            if not names:
                return
        self._ids |= {(module, name): () for name in names}


def _offer_key(field: Field, target: str, others: Mapping[str, Any]) -> tuple[Any, ...]:
    return (field.name, target, *sorted(others.items()))


class RowLinks:
    """Reads the link `fields` of a file's rows. `refuse` is called with line, field and reason for every bad cell.

    `as_offered`: a link may only lead to what a form offers.
    """

    def __init__(
        self,
        records: Records,
        fields: Sequence[Field],
        refuse: Callable[[int, str, str], None],
        *,
        as_offered: bool = False,
    ) -> None:
        self.records, self.refuse, self.names, self.as_offered = records, refuse, RecordNames(records), as_offered
        # Those on which others depend come first.
        self.fields = sorted(fields, key=lambda field: bool(depends_on(records.module, field)))
        self._naming_fields = naming_fields(records.module)
        self._unresolved: dict[int, dict[str, list[str]]] = {}  # of rows that name others, by line

    def read(self, rows: Sequence[ImportRow]) -> None:
        """Sets the link values of a batch of rows; names that no record has are left for `resolve`."""
        for field in self.fields:
            self._read_field(field, rows)

    def resolve(self, rows: Iterable[ImportRow], bad_lines: Mapping[int, Any]) -> LinkedLines:
        """Finds names that no record has among the `rows` of the file. A row that links to a bad row is bad too."""
        by_name = self._lines_by_name(rows) if self._unresolved else {}
        linked: LinkedLines = {}
        for line, by_field in self._unresolved.items():
            for field_name, names in by_field.items():
                others = (self._line_named(line, field_name, name, by_name) for name in names)
                linked.setdefault(line, {})[field_name] = [other for other in others if other]
        again = bool(linked)
        while again:
            again = False
            for line, others_by_field in linked.items():
                bad = next(
                    (other for others in others_by_field.values() for other in others if other in bad_lines), None
                )
                if bad is not None and line not in bad_lines:
                    self.refuse(line, "", _("It links to line ${line}, which has an error.", mapping={"line": bad}))
                    again = True
        return linked

    def _read_field(self, field: Field, rows: Iterable[ImportRow]) -> None:
        names: dict[ImportRow, list[str]] = {}
        for row in rows:
            try:
                names[row] = names_in_cell(field, row.cells[field.name][field.name])
            except Refused as refused:
                self.refuse(row.line, field.name, refused.message)
        self.names.look_up(field, (name for several in names.values() for name in several))
        meanings = {
            row: [(name, self.names.records_named(field, name)) for name in several] for row, several in names.items()
        }
        if depends_on(self.records.module, field) or (self.as_offered and field.target_condition is not None):
            meanings = self._only_offered(field, meanings)
        for row, named in meanings.items():
            links = [link for name, records in named if (link := self._the_one(row, field, name, records))]
            row.values[field.name] = tuple(dict.fromkeys(links)) if field.multiple else next(iter(links), None)

    def _the_one(self, row: ImportRow, field: Field, name: str, records: Sequence[Linked]) -> Linked | None:
        """The record that the cell means; otherwise notes what is wrong, or leaves the name for `resolve`."""
        if len(records) == 1:
            return records[0]
        is_checked = self.as_offered and field.target_condition is not None
        if not records and self.records.name in field.targets and not is_checked:
            row.unresolved.setdefault(field.name, []).append(name)
            self._unresolved[row.line] = row.unresolved
        else:
            self.refuse(row.line, field.name, name_problem(len(records), self._called(field.targets), name))
        return None

    def _called(self, modules: Iterable[str]) -> str:
        """The names of modules; for a person on a page their labels, which a profile may change."""
        policy = self.records.policy
        enabled = {name: policy.access(name) if self.as_offered else None for name in modules}
        labels = {name: policy.reader.text(display_name(access)) for name, access in enabled.items() if access}
        return ", ".join(labels.get(name, name) for name in enabled)

    def _only_offered(self, field: Field, meanings: Meanings) -> Meanings:
        """What the field's `where` allows, which may refer to other fields of the record with `$`.

        A condition without `$` is only checked for a person: it says what is offered today, while the files of an
        administrator contain what was chosen in the past.
        """
        others = {row: condition_values(self.records, field, row.all_values()) for row in meanings}
        groups: dict[tuple[Any, ...], tuple[ImportRow, set[Linked]]] = {}
        for row, named in meanings.items():
            key = tuple(others[row].values())
            groups.setdefault(key, (row, set()))[1].update(link for _name, records in named for link in records)
        for row, links in groups.values():
            for module in field.targets:
                if ids := [link.id for link in links if link.module == module]:
                    self.names.look_up_offered(field, module, others[row], ids)
        remaining: Meanings = {}
        for row, named in meanings.items():
            remaining[row] = []
            for name, records in named:
                offered = [link for link in records if self.names.is_offered(field, link, others[row])]
                if self.as_offered and any(value in EMPTY for value in others[row].values()):
                    offered = []
                if records and not offered and not others[row]:
                    self.refuse(row.line, field.name, name_problem(0, self._called(field.targets), name))
                elif records and not offered:
                    facts = {"name": name[:LONGEST_SHOWN], "fields": ", ".join(others[row])}
                    text = _("“${name}” does not belong to this row’s ${fields}.", mapping=facts)
                    self.refuse(row.line, field.name, text)
                else:
                    remaining[row].append((name, offered))
        return remaining

    def _line_named(self, line: int, field_name: str, name: str, by_name: LinesByName) -> int | None:
        keys = ((field.name, _key_of_name(self.records, field, name)) for field in self._naming_fields)
        lines = next((by_name[key] for key in keys if key in by_name), [])
        if len(lines) == 1:
            return lines[0]
        if lines:
            sentence = ngettext(
                "${number} row of the file is named “${name}”.",
                "${number} rows of the file are named “${name}”.",
                len(lines),
                name=name[:LONGEST_SHOWN],
            )
            self.refuse(line, field_name, sentence)
        else:
            self.refuse(line, field_name, name_problem(0, self._called([self.records.name]), name))
        return None

    def _lines_by_name(self, rows: Iterable[ImportRow]) -> LinesByName:
        by_name: LinesByName = {}
        for row in rows:
            for field in self._naming_fields:
                value = row.values.get(field.name)
                if value not in EMPTY:
                    by_name.setdefault((field.name, field.key_of(value)), []).append(row.line)
        return by_name
