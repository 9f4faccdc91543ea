"""Records → CSV, page after page, so that memory does not grow with the table.

For machines: field names and raw values, which `portal import` takes back. For people: what a list shows, as they
read it, but with dates and numbers that a spreadsheet understands. Formulas are disarmed in both (formulas.py).
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from portal.fields import Field, Reader
from portal.records.query import Query, Record, Records
from portal.records.transfer.columns import settable
from portal.records.transfer.formulas import protected
from portal.records.transfer.names import written_names

BOM = "\ufeff"  # without it spreadsheets take the file for one in the machine's old encoding
BATCH = 500


def export_rows(records: Records, query: Query, columns: Sequence[str], reader: Reader) -> Iterator[bytes]:
    """All rows of `query` for people: the readable ones of `columns` under their labels, in the reader's language."""
    names = [name for name in columns if name in records.policy.readable(records.name)]
    fields = [records.module.field(name) for name in names]
    yield _lines([[reader.text(each.title) for each in fields]], BOM)
    rows = records.each(query, names, size=BATCH)
    yield from _chunks(rows, lambda record: [_shown(each, record.values.get(each.name), reader) for each in fields])


def export_module(system: Records, told: Callable[[int], None] = lambda done: None) -> Iterator[bytes]:
    """All records of the module, oldest first, with every field that an import may set."""
    fields = list(_exported(system))
    parts = {each.name: _inputs(each, None, system.policy.reader) for each in fields}
    yield _lines([[name for each in fields for name in parts[each.name]]])
    rows = _counted(system.each(Query(sort=("id",)), [each.name for each in fields], size=BATCH), told)
    yield from _chunks(rows, lambda record: [cell for each in fields for cell in _raw(each, record, system.policy.reader)])


def _exported(system: Records) -> Iterator[Field]:
    fields = settable(system.module)
    readable = system.policy.readable(system.name)
    own = [name for name in fields if name in system.module.builtin]
    declared = [name for name in fields if name not in system.module.builtin]
    yield from (fields[name] for name in [*own, *declared] if name in readable)


def _inputs(each: Field, value: Any, reader: Reader) -> dict[str, str]:
    """The cells of a value: those of its parts where it has nothing but parts (an address), else one."""
    parts = each.inputs(None, reader)
    if each.name in parts:
        return {each.name: written_names(link.raw for link in value or ()) if _linked(each) else each.write(value)}
    filled = each.inputs(value, reader)
    return {name: str(filled.get(name, "")) for name in parts}


def _linked(each: Field) -> bool:
    return each.multiple and bool(getattr(each, "to", ()))


def _raw(each: Field, record: Record, reader: Reader) -> Iterable[str]:
    return _inputs(each, record.values.get(each.name), reader).values()


def _shown(each: Field, value: Any, reader: Reader) -> str:
    """Numbers as a machine writes them, moments in the reader's zone but in ISO's order; the rest as on the page."""
    if each.filter != "range" or value is None:
        return each.show(value, reader)
    if each.input_type == "datetime-local":
        return str(each.inputs(value, reader)[each.name]).replace("T", " ")
    return each.write(value)


def _counted(records: Iterator[Record], told: Callable[[int], None]) -> Iterator[Record]:
    for done, record in enumerate(records, 1):
        yield record
        told(done)


def _chunks(records: Iterator[Record], cells: Callable[[Record], Iterable[str]]) -> Iterator[bytes]:
    while batch := list(islice(records, BATCH)):
        yield _lines(cells(record) for record in batch)


def _lines(rows: Iterable[Iterable[str]], start: str = "") -> bytes:
    text = io.StringIO(start, newline="")
    text.seek(0, io.SEEK_END)
    csv.writer(text).writerows([protected(cell) for cell in row] for row in rows)
    return text.getvalue().encode()
