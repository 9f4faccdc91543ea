"""The rows of a list, and those of the related lists of a record; of a search, with what it found marked."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from portal.records.reading import highlight
from portal.records.reading.highlight import Words
from portal.records.reading.records import Page, Record, Records
from portal.texts import first_visible
from portal.views.displays import DISPLAYS, Value, display_of
from portal.views.lists.list_parts import Row
from portal.views.lists.match_notes import match_notes
from portal.web.addresses import record_address


def list_rows(
    records: Records, page: Iterable[Record], names: Sequence[str], unread: Collection[int] = ()
) -> Iterator[Row]:
    """The rows of a list, those of `unread` marked; their cells may be read, for the policy has left out the others."""
    reader = records.policy.reader
    fields = [records.module.field(name) for name in names]
    columns = [(field.name, field, field.show, display_of(field)) for field in fields]
    title = records.module.title_field.name
    lead = names.index(title) if title in names else 0
    for record in page:
        url, values, is_unread = record_address(records.name, record.id), record.values, record.id in unread
        cells = [
            display.make(display.name, field, value := values.get(name), show(value, reader), reader)
            for name, field, show, display in columns
        ]
        if cells:
            cells[lead] = cells[lead]._replace(
                display="cover",
                text=first_visible(cells[lead].text, record.title, "—"),
                url=url,
                tone="unread" if is_unread else cells[lead].tone,
            )
        yield Row(record.id, record.title, url, tuple(cells), is_unread)


def page_rows(records: Records, page: Page, names: Sequence[str], text: str, unread: Collection[int]) -> list[Row]:
    """The rows of a page; those of hits with what was searched for marked, or what match_notes.py says."""
    rows = list(list_rows(records, page.records, names, unread))
    if not text:
        return rows
    words = highlight.read(text)
    rows = [replace(row, cells=tuple(highlighted(cell, words) for cell in row.cells)) for row in rows]
    hidden = [record.id for record, row in zip(page.records, rows, strict=True) if not shows_match(row)]
    (notes,) = match_notes([(records, hidden)], words)
    return [with_note(row, notes.get(record.id, "")) for record, row in zip(page.records, rows, strict=True)]


def highlighted(cell: Value, words: Words) -> Value:
    """A cell with what was searched for marked in it."""
    matches = highlight.matches(cell.text, words) if DISPLAYS[cell.display].highlight else ()
    return cell._replace(matches=matches) if matches else cell


def shows_match(row: Row) -> bool:
    """Whether a cell of the row shows why it was found."""
    return any(cell.matches for cell in row.cells)


def with_note(row: Row, note: str) -> Row:
    """A row that says beside its title in which field the words are."""
    if not note:
        return row
    return replace(
        row, cells=tuple(cell._replace(note=note) if cell.display == "cover" else cell for cell in row.cells)
    )
