"""The rows of a list, and those of the related lists of a record; in a search, with what matched and where."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from pyramid.request import Request

from portal.database.search.words import SearchWords, parse_words
from portal.fields.base import Field
from portal.fields.reader import Reader
from portal.records.reading import highlight
from portal.records.reading.comment_texts import readable_texts_together
from portal.records.reading.named_records import record_with_reference
from portal.records.reading.news import LastCommenter, News
from portal.records.reading.records import Page, Record, Records
from portal.records.reading.several_modules import Selection, by_ids_together
from portal.texts import _, first_visible
from portal.views.deadlines import with_lateness
from portal.views.displays import DISPLAYS, Value, display_of
from portal.views.lists.columns import Column
from portal.views.parts import TitledLink
from portal.views.wording import initials, record_in_words
from portal.web.addresses import record_address


class RecordTable:
    """What the macros that draw a table of records need from the page."""

    columns: tuple[Column, ...]

    @property
    def lead(self) -> int:
        """The position of the column with the link to the record."""
        return next((place for place, column in enumerate(self.columns) if column.place == "lead"), 0)

    @property
    def bare(self) -> bool:
        """Whether no column shows a state or a time: then a phone shows all columns."""
        return not any(column.place in ("status", "when") for column in self.columns)


class ListRow(NamedTuple):
    id: int
    title: str
    url: str
    cells: tuple[Value, ...]  # one per column; the cell of the `lead` column has the link
    unread: bool = False  # something in it is new to the reader


def list_rows(
    records: Records, page: Iterable[Record], names: Sequence[str], unread: Collection[int] = ()
) -> Iterator[ListRow]:
    """The rows of a list, those in `unread` marked; the policy has left out cells that may not be read."""
    reader = records.policy.reader
    columns = [(name, cell_maker(records.module.field(name), reader)) for name in names]
    deadlines = [(names.index(field.name), field) for field in records.module.deadlines if field.name in names]
    title = records.module.title_field.name
    lead = names.index(title) if title in names else 0
    for record in page:
        url, values, is_unread = record_address(records.name, record.id), record.values, record.id in unread
        cells = [make(values.get(name)) for name, make in columns]
        for place, field in deadlines:
            cells[place] = with_lateness(records, record, field, cells[place])
        if cells:
            cell = cells[lead]
            text = record.title or "—" if title in names else first_visible(cell.text, record.title, "—")
            cells[lead] = Value(
                cell.label, "cover", text, url=url, note=cell.note, tone="unread" if is_unread else cell.tone
            )
        yield ListRow(record.id, record.title, url, tuple(cells), is_unread)


def cell_maker(field: Field, reader: Reader) -> Callable[[Any], Value]:
    """The function that makes the cells of a column from its values; recurring values are made only once."""
    display = display_of(field)

    def make(value: Any) -> Value:
        return display.make(display.name, field, value, field.show(value, reader), reader)

    return cache(make) if display.few_values else make


def page_rows(records: Records, page: Page, names: Sequence[str], text: str, unread: Collection[int]) -> list[ListRow]:
    """The rows of a page; hits have the matches marked, or a note that says where they are."""
    rows = list(list_rows(records, page.records, names, unread))
    if not text:
        return rows
    words = parse_words(text)
    rows = [row._replace(cells=tuple(_highlighted(cell, words) for cell in row.cells)) for row in rows]
    hidden = [record.id for record, row in zip(page.records, rows, strict=True) if not _shows_match(row)]
    (notes,) = match_notes([(records, hidden)], words)
    return [_with_note(row, notes.get(record.id, "")) for record, row in zip(page.records, rows, strict=True)]


def _highlighted(cell: Value, words: SearchWords) -> Value:
    """A cell with its matches of the search marked."""
    matches = highlight.matches(cell.text, words) if DISPLAYS[cell.display].highlight else ()
    return cell._replace(matches=matches) if matches else cell


def _shows_match(row: ListRow) -> bool:
    """Whether a cell of the row shows the match."""
    return any(cell.matches for cell in row.cells)


def _with_note(row: ListRow, note: str) -> ListRow:
    """A row that says next to its title which field contains the words."""
    if not note:
        return row
    return row._replace(
        cells=tuple(cell._replace(note=note) if cell.display == "cover" else cell for cell in row.cells)
    )


def match_notes(hits: Sequence[tuple[Records, Sequence[int]]], words: SearchWords) -> list[dict[int, str]]:
    """“found in Description”, “found in the conversation: …”, for the records of each module if possible. The modules
    are read together."""
    selections = [Selection(records, ids, _searched_fields(records)) for records, ids in hits]
    notes = [
        _notes_of_fields(records, read, words)
        for (records, _ids), read in zip(hits, by_ids_together(selections), strict=True)
    ]
    others = [
        (records.module, [record_id for record_id in ids if record_id not in of_module])
        for (records, ids), of_module in zip(hits, notes, strict=True)
    ]
    if any(ids for _module, ids in others):
        records = hits[0][0]
        texts = readable_texts_together(records.connection, records.policy, others)
        for of_module, of_records in zip(notes, texts, strict=True):
            of_module.update(_notes_of_conversations(records, of_records, words))
    return notes


def called_record(records: Records, text: str, first: Sequence[Record]) -> TitledLink | None:
    """The link to the record with the reference searched for, unless it is the `first` hit: references of other records
    may begin the same way, and a tab or filter may exclude it."""
    record = record_with_reference(records, text) if text else None
    if record is None or record.id in [hit.id for hit in first]:
        return None
    return TitledLink(record_in_words(record), record_address(records.name, record.id))


def _notes_of_fields(records: Records, hits: Sequence[Record], words: SearchWords) -> dict[int, str]:
    reader = records.policy.reader
    fields = [records.module.field(name) for name in _searched_fields(records)]
    return {
        record.id: reader.text(_("found in ${field}", mapping={"field": reader.text(field.title)}))
        for record in hits
        if (field := highlight.field_that_matches(fields, record.values, words))
    }


def _notes_of_conversations(records: Records, texts: Mapping[int, Sequence[str]], words: SearchWords) -> dict[int, str]:
    notes = {}
    for record_id, of_record in texts.items():
        excerpt = next(filter(None, (highlight.excerpt(text, words) for text in of_record)), "")
        if excerpt:
            sentence = _("found in the conversation: ${excerpt}", mapping={"excerpt": excerpt})
            notes[record_id] = records.policy.reader.text(sentence)
    return notes


def _searched_fields(records: Records) -> list[str]:
    """The readable fields of a list's records that the general search covers."""
    readable_names = records.policy.readable(records.name)
    return [name for name, field in records.module.fields.items() if field.searched and name in readable_names]


def rows_with_last_commenters(
    request: Request, records: Records, news: News, rows: Sequence[ListRow], names: Sequence[str]
) -> tuple[ListRow, ...]:
    """The rows of a list, with who commented last next to the number of comments, if its columns `names` have that."""
    if not news.last_commenters or "comments" not in names:
        return tuple(rows)
    place, you, with_commenters = names.index("comments"), request.reader.text(_("You")), list[ListRow]()
    for row in rows:
        commenter, cells = news.last_commenters.get(row.id), list(row.cells)
        if commenter:
            mine = commenter.account is not None and commenter.account == request.news.account
            cells[place] = _with_commenter(cells[place], commenter, you if mine else "", records.policy.staff)
        # Constructed directly: dataclasses.replace takes ten times as long, for each row of each list.
        with_commenters.append(ListRow(row.id, row.title, row.url, tuple(cells), row.unread) if commenter else row)
    return tuple(with_commenters)


def _with_commenter(comments: Value, commenter: LastCommenter, you: str, staff: bool) -> Value:
    """The cell with the number of comments and the author of the last one; `you`: the word for the reader.

    The other side is marked, as it may be waiting.
    """
    tone = "other-side" if commenter.staff is not staff else ""
    return comments._replace(note=you or commenter.name, short=you or initials(commenter.name), tone=tone)
