"""Records → CSV, page after page, so that memory does not grow with the table.

For machines: field names and raw values, which `portal import` takes back. For people: what a list shows, as they
read it, but with dates and numbers that a spreadsheet understands. Formulas are disarmed in both (formulas.py).
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from portal.fields.base import Field
from portal.fields.reader import Reader
from portal.records.reading.records import Query, Record, Records
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
    rows = records.iterate(query, names, size=BATCH)
    yield from _chunks(rows, lambda record: [_shown(each, record.values[each.name], reader) for each in fields])


class Export:
    """All records of a module, oldest first, with every field that an import may set; `done` counts them."""

    def __init__(self, system: Records, told: Callable[[int], None] = lambda done: None) -> None:
        self.system, self.told, self.done = system, told, 0
        fields = settable(system.module)
        own = [name for name in fields if name in system.module.builtin]
        self.fields = [fields[name] for name in dict.fromkeys([*own, *fields])]
        self.reader = replace(system.policy.reader, language="en", plain=True)

    def chunks(self) -> Iterator[bytes]:
        """The file, piece by piece."""
        yield _lines([[name for each in self.fields for name in _cells(each, None, self.reader)]])
        names = [each.name for each in self.fields]
        for chunk in _chunks(self.system.iterate(Query(sort=("id",)), names, size=BATCH), self._raw):
            yield chunk
            self.told(self.done)

    def _raw(self, record: Record) -> list[str]:
        self.done += 1
        return [cell for each in self.fields for cell in _cells(each, record.values[each.name], self.reader).values()]


def _cells(each: Field, value: Any, reader: Reader) -> dict[str, str]:
    """A value's cells by header: those of its parts where it has nothing but parts (an address), else one."""
    parts = each.inputs(None, reader)
    if each.name in parts:
        linked = each.in_join_table
        return {each.name: written_names(link.raw for link in value or ()) if linked else each.write(value)}
    filled = each.inputs(value, reader)
    return {name: str(filled[name]) for name in parts}


def _shown(each: Field, value: Any, reader: Reader) -> str:
    """Numbers as a machine writes them, moments in the reader's zone but in ISO's order; the rest as on the page."""
    if each.filter != "range" or value is None:
        return each.show(value, reader)
    if each.input_type == "datetime-local":
        return str(each.inputs(value, reader)[each.name]).replace("T", " ")
    return each.write(value)


def _chunks(records: Iterator[Record], cells: Callable[[Record], Iterable[str]]) -> Iterator[bytes]:
    while batch := list(islice(records, BATCH)):
        yield _lines(cells(record) for record in batch)


def _lines(rows: Iterable[Iterable[str]], start: str = "") -> bytes:
    text = io.StringIO(start, newline="")
    text.seek(0, io.SEEK_END)
    csv.writer(text).writerows([protected(cell) for cell in row] for row in rows)
    return text.getvalue().encode()
