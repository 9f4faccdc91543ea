"""Finding linked records by what a file calls them: a unique field, then the reference, then the title.

Asked for a whole batch at once: a few queries per linked module, however many rows there are. What was found is kept.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa

from portal.conditions import ALWAYS, replace_form_values
from portal.declaration.shapes import Module
from portal.fields.base import Field, Refused
from portal.fields.linked import Linked
from portal.records.reading.records import Records
from portal.texts import _

CHUNK = 1000  # values of one query


def names_in(field: Field, cell: str) -> list[str]:
    """The names in a cell: one of a `link`; of `links` several, each on its own line or with `;` between them.

    Where neither stands in the cell, commas separate. A name that holds one of these stands in quotes. Raises Refused.
    """
    if not field.multiple:
        return [cell.strip()] if cell.strip() else []
    bare = re.sub(r'"[^"]*"', "", cell)
    delimiter = ";" if re.search(r"[;\n]", bare) else ","
    try:
        rows = list(csv.reader(io.StringIO(cell, newline=""), delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        raise Refused(_("This is not in the expected format.")) from None
    return list(dict.fromkeys(name.strip() for row in rows for name in row if name.strip()))


def written_names(names: Iterable[str]) -> str:
    """Names as `names_in` takes them back."""
    quoted = ['"{}"'.format(name.replace('"', '""')) if re.search('[",;\n]', name) else name for name in names]
    return "; ".join(quoted)


def ways(module: Module) -> list[Field]:
    """The fields by which a record of `module` may be named, the surest first; each has a column of its own name."""
    unique = [field for field in module.fields.values() if field.unique]
    found = {field.name: field for field in (*unique, module.builtin["reference"], module.title_field)}
    return [field for field in found.values() if not field.targets and _one_column(field)]


def stored(records: Records, field: Field, values: Iterable[Any]) -> Iterator[tuple[Any, int]]:
    """(value, id) of the records whose `field` has one of `values` in the column of its name."""
    column, remaining = records.table.c[field.name], iter(values)
    while chunk := list(islice(remaining, CHUNK)):
        rows = records.connection.execute(sa.select(column, records.table.c["id"]).where(column.in_(chunk)))
        yield from ((value, identity) for value, identity in rows)


def _one_column(field: Field) -> bool:
    return any(column.name == field.name for column in field.columns())


class Names:
    """The records of all modules by their names, as the portal itself sees them."""

    def __init__(self, system: Records) -> None:
        self.system = system
        self._known: dict[tuple[str, str], tuple[int, ...]] = {}
        self._offered: dict[tuple[Any, ...], dict[int, bool]] = {}

    def wanted(self, field: Field, name: str) -> Iterator[tuple[str, str]]:
        """The (module, name) pairs by which `field` may mean a record; `MODULE:NAME` where it leads to several."""
        module, colon, rest = name.partition(":")
        if field.several_targets and colon and module in field.targets:
            yield module, rest.strip()
        else:
            yield from ((target, name) for target in field.targets)

    def look_up(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Asks for all that is not known yet."""
        missing: dict[str, list[str]] = {}
        for module, name in dict.fromkeys(wanted):
            if (module, name) not in self._known:
                missing.setdefault(module, []).append(name)
        for module, names in missing.items():
            self._look_up(module, names)

    def found(self, field: Field, name: str) -> list[Linked]:
        """The records that `field` means by `name`; `look_up` must have asked for it."""
        pairs = list(self.wanted(field, name))
        return [Linked(identity, pair[0]) for pair in pairs for identity in self._known[pair]]

    def look_up_offered(self, field: Field, target: str, others: Mapping[str, Any], ids: Iterable[int]) -> None:
        """Asks which of `ids` the field's `where` allows beside `others`, the values that it names with `$`."""
        known = self._offered.setdefault(_key(field, target, others), {})
        missing = [identity for identity in dict.fromkeys(ids) if identity not in known]
        records = self.system.of(target, replace_form_values(field.target_condition or ALWAYS, others.get))
        for start in range(0, len(missing), CHUNK):
            chunk = missing[start : start + CHUNK]
            there = {record.id for record in records.by_ids(chunk, [])}
            known |= {identity: identity in there for identity in chunk}

    def offered(self, field: Field, link: Linked, others: Mapping[str, Any]) -> bool:
        """Whether the field's `where` allows `link`; `look_up_offered` must have asked for it."""
        return self._offered[_key(field, link.module, others)][link.id]

    def _look_up(self, module: str, missing: Sequence[str]) -> None:
        records = self.system.of(module)
        for field in ways(records.module):
            found = by_value(records, field, missing)
            self._known |= {(module, name): tuple(ids) for name, ids in found.items()}
            missing = [name for name in missing if name not in found]
            if not missing:
                return
        self._known |= {(module, name): () for name in missing}


def by_value(records: Records, field: Field, names: Iterable[str]) -> dict[str, list[int]]:
    """The ids of the records that `field` calls so, by name; without what it calls nothing."""
    spelled: dict[Any, list[str]] = {}
    for name in names:
        value = value_of(records, field, name)
        if value is not None:
            spelled.setdefault(value, []).append(name)
    found: dict[str, list[int]] = {}
    for value, identity in stored(records, field, spelled):
        for name in spelled[value]:
            found.setdefault(name, []).append(identity)
    return found


def value_of(records: Records, field: Field, name: str) -> Any:
    """What stands in the column of `field` for a record called `name`; None where none can be called so."""
    try:
        value = field.read(name, records.policy.reader)
    except Refused:
        return None
    return None if value is None else field.store(value)[field.name]


def _key(field: Field, target: str, others: Mapping[str, Any]) -> tuple[Any, ...]:
    return (field.name, target, *sorted(others.items()))
