"""Finding records by what a file calls them: a unique field, then the reference, then the title.

Asked for a whole batch at once, in a few queries per linked module, however many rows there are; answers are kept.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from portal.batches import batched
from portal.conditions import ALWAYS, replace_form_values
from portal.declaration.shapes import Module
from portal.fields.base import Field, Refused
from portal.fields.linked_value import Linked
from portal.records.reading.records import Records
from portal.texts import _

CHUNK = 1000  # values of one query


def names_in(field: Field, cell: str) -> list[str]:
    """The names in a cell: one of a `link`; of `links` several, each on its own line or with `;` between them.

    A cell with neither is separated by commas. A name that contains one of these stands in quotes. Raises Refused.
    """
    if not field.multiple:
        return [cell.strip()] if cell.strip() else []
    return split_names(cell)


def split_names(cell: str) -> list[str]:
    """Several names in one cell, as in `names_in`. Raises Refused."""
    unquoted = re.sub(r'"[^"]*"', "", cell)
    delimiter = ";" if re.search(r"[;\n]", unquoted) else ","
    try:
        rows = list(csv.reader(io.StringIO(cell, newline=""), delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        raise Refused(_("This is not in the expected format.")) from None
    return list(dict.fromkeys(name.strip() for row in rows for name in row if name.strip()))


def written_names(names: Iterable[str]) -> str:
    """Names as `names_in` takes them back."""
    quoted = ['"{}"'.format(name.replace('"', '""')) if re.search('[",;\n]', name) else name for name in names]
    return "; ".join(quoted)


def naming_fields(module: Module) -> list[Field]:
    """The fields by which a record of `module` may be named, the surest first; each has one key column."""
    if not module.builtin:  # the rows of a `lines` field
        return []
    unique = [field for field in module.fields.values() if field.unique is True]
    fields = {field.name: field for field in (*unique, module.builtin["reference"], module.title_field)}
    return [
        field
        for field in fields.values()
        if not field.targets and any(column.name == field.key_column for column in field.columns())
    ]


def key_of_name(records: Records, field: Field, name: str) -> Any:
    """What the field's key column holds for a record that it calls `name`; None where none can be called so."""
    try:
        value = field.read(name, records.policy.reader)
    except Refused:
        return None
    return None if value is None else field.key_of(value)


def stored_values(records: Records, field: Field, values: Iterable[Any]) -> Iterator[tuple[Any, int]]:
    """(value, id) of the records whose `field` has one of `values` in its key column."""
    column = records.table.c[field.key_column]
    for chunk in batched(values, CHUNK):
        rows = records.connection.execute(sa.select(column, records.table.c["id"]).where(column.in_(chunk)))
        yield from ((value, record_id) for value, record_id in rows)


def stored_keys(
    records: Records, field: Field, keys: Iterable[tuple[Any, ...]]
) -> Iterator[tuple[tuple[Any, ...], int]]:
    """(key, id) of the records that have one of `keys`: the values of the columns that make `field` unique."""
    names = (*records.module.unique_within(field), field.key_column)
    distinct = set(keys)
    columns = [records.table.c[name] for name in names]
    for chunk in batched({key[-1] for key in distinct}, CHUNK):
        rows = records.connection.execute(sa.select(*columns, records.table.c["id"]).where(columns[-1].in_(chunk)))
        yield from ((tuple(row[:-1]), row[-1]) for row in rows if tuple(row[:-1]) in distinct)


def ids_by_name(records: Records, field: Field, names: Iterable[str]) -> dict[str, list[int]]:
    """The ids of the records that `field` calls so, by name; without the names that mean no record."""
    names_by_value: dict[Any, list[str]] = {}
    for name in names:
        value = key_of_name(records, field, name)
        if value is not None:
            names_by_value.setdefault(value, []).append(name)
    ids: dict[str, list[int]] = {}
    for value, record_id in stored_values(records, field, names_by_value):
        for name in names_by_value[value]:
            ids.setdefault(name, []).append(record_id)
    return ids


class Names:
    """The records of all modules by their names, as the portal itself sees them."""

    def __init__(self, system: Records) -> None:
        self.system = system
        self._ids: dict[tuple[str, str], tuple[int, ...]] = {}
        self._offered: dict[tuple[Any, ...], dict[int, bool]] = {}

    def look_up(self, field: Field, names: Iterable[str]) -> None:
        """Finds the records that `field` may mean by `names`, those that are not known yet."""
        missing: dict[str, list[str]] = {}
        for name in dict.fromkeys(names):
            for module, own_name in self._meanings(field, name):
                if (module, own_name) not in self._ids:
                    missing.setdefault(module, []).append(own_name)
        for module, unknown in missing.items():
            self._look_up_in(module, unknown)

    def records_named(self, field: Field, name: str) -> list[Linked]:
        """The records that `field` means by `name`, which `look_up` has been given."""
        return [
            Linked(record_id, module)
            for module, own_name in self._meanings(field, name)
            for record_id in self._ids[module, own_name]
        ]

    def look_up_offered(self, field: Field, target: str, others: Mapping[str, Any], ids: Iterable[int]) -> None:
        """Finds which of `ids` the field's `where` allows beside `others`, the values that it names with `$`."""
        known = self._offered.setdefault(_offer_key(field, target, others), {})
        missing = [record_id for record_id in dict.fromkeys(ids) if record_id not in known]
        records = self.system.of(target, replace_form_values(field.target_condition or ALWAYS, others.get))
        for chunk in batched(missing, CHUNK):
            offered = {record.id for record in records.by_ids(chunk, [])}
            known |= {record_id: record_id in offered for record_id in chunk}

    def is_offered(self, field: Field, link: Linked, others: Mapping[str, Any]) -> bool:
        """Whether the field's `where` allows `link`, which `look_up_offered` has been given."""
        return self._offered[_offer_key(field, link.module, others)][link.id]

    def _meanings(self, field: Field, name: str) -> Iterator[tuple[str, str]]:
        """The (module, name) pairs by which `field` may mean a record; `MODULE:NAME` where it leads to several."""
        module, colon, rest = name.partition(":")
        if field.several_targets and colon and module in field.targets:
            yield module, rest.strip()
        else:
            yield from ((target, name) for target in field.targets)

    def _look_up_in(self, module: str, names: Sequence[str]) -> None:
        records = self.system.of(module)
        for field in naming_fields(records.module):
            ids = ids_by_name(records, field, names)
            self._ids |= {(module, name): tuple(ids[name]) for name in ids}
            names = [name for name in names if name not in ids]
            if not names:
                return
        self._ids |= {(module, name): () for name in names}


def _offer_key(field: Field, target: str, others: Mapping[str, Any]) -> tuple[Any, ...]:
    return (field.name, target, *sorted(others.items()))
