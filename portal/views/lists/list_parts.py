"""The pages of a module's list, of many records at once and of the search, and their parts.

Plain values, as in views/parts.py.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from portal.texts import Words
from portal.views.displays import Value
from portal.views.forms.form_parts import Offer
from portal.views.parts import Moment, Pairs, TitledLink


class FilterState(NamedTuple):
    """The filter of one column; drawn by the macro `macro` of filters.pt (a field's `filter`)."""

    name: str
    label: Words
    macro: str  # text, options, range or link
    value: str = ""
    minimum: str = ""
    maximum: str = ""
    type: str = "text"  # of a range: date, time, text
    summary: Words = ""  # what it lets through: “New, Waiting”, “Nov 17, 2026 – Nov 23, 2026”; empty: everything
    offers: tuple[Offer, ...] = ()
    error: Words = ""

    @property
    def several(self) -> bool:
        return sum(offer.chosen for offer in self.offers) > 1

    @property
    def used(self) -> bool:
        """Whether it is in force."""
        return bool(self.summary)


@dataclass(frozen=True)
class HiddenRecords:
    """The line of a list that leaves out records which the reader has hidden, or shows these alone."""

    text: Words
    url: str
    label: Words


@dataclass(frozen=True)
class ManyAction:
    """A button that does something to all chosen records; `name`: what the input `do` says."""

    name: str
    label: Words
    icon: str = ""
    tone: str = ""


@dataclass(frozen=True)
class ManyForm:
    """The bar of a list whose records can be chosen."""

    url: str
    once: str
    total: str  # how many records match on all pages: “312”, “1,000+”
    actions: tuple[ManyAction, ...]


@dataclass(frozen=True)
class RefusedRecord:
    """A record to which nothing was done, and why."""

    name: str
    reason: Words
    label: Words = ""  # of the field whose answer was refused
    url: str = ""  # where the reader may see it


@dataclass(frozen=True)
class ManyPage:
    """many.pt: what became of each record."""

    heading: Words
    back_url: str
    summary: Words
    refused_summary: Words = ""
    done: tuple[TitledLink, ...] = ()  # without url: deleted
    refused: tuple[RefusedRecord, ...] = ()


@dataclass(frozen=True)
class Column:
    name: str
    label: Words
    place: str = "extra"  # lead, reference, status, when; on a phone, extra ones are left out
    icon: str = ""  # shown instead of the label: comments, attachments, channel
    sort_url: str = ""
    sorted: Literal["ascending", "descending", ""] = ""
    number: bool = False
    filter: FilterState | None = None

    @cached_property
    def classes(self) -> str:
        """The classes of its cells."""
        return f"{self.place} number" if self.number else self.place

    @cached_property
    def cell_label(self) -> Words:
        """What a narrow screen writes before its cells; empty where the cell says it by itself."""
        return self.label if self.place == "extra" else ""


class RecordTable:
    """What the macros that draw a table of records ask of its page."""

    columns: tuple[Column, ...]

    @property
    def lead(self) -> int:
        """The place of the column that bears the link to the record."""
        return next((place for place, column in enumerate(self.columns) if column.place == "lead"), 0)

    @property
    def bare(self) -> bool:
        """Whether no column shows a state or a time: then a phone shows all of them."""
        return not any(column.place in ("status", "when") for column in self.columns)


class Row(NamedTuple):
    id: int
    title: str
    url: str
    cells: tuple[Value, ...]  # as many as there are columns; the cell of the `lead` column bears the link
    unread: bool = False  # something in it is new to the reader


@dataclass(frozen=True)
class Chip:
    """Something that narrows the list, with the address of the list without it."""

    label: Words
    text: Words
    url: str


@dataclass(frozen=True)
class TabState:
    label: Words
    url: str
    current: bool = False
    count: str = ""
    new: str = ""  # “3 new” in the reader's language, as it is written twice; empty where nothing is


@dataclass(frozen=True)
class Pager:
    text: Words  # “1–25 of 1,000+”
    previous_url: str = ""
    next_url: str = ""


@dataclass(frozen=True)
class ListPage(RecordTable):
    """list.pt"""

    heading: Words
    url: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    pager: Pager
    query: str = ""  # what is searched for
    hidden: Pairs = ()  # tab, sort and button, kept while one searches and filters
    tabs: tuple[TabState, ...] = ()
    chips: tuple[Chip, ...] = ()  # search, button and filters in force
    notes: tuple[Words, ...] = ()  # “Sorted within the newest 2,000 hits.”, “Narrow your search.”
    clear_url: str = ""  # without search and filters; empty: none are in force
    create_url: str = ""
    create_label: Words = ""
    invite_url: str = ""  # of people, for readers who may give access
    exports: tuple[TitledLink, ...] = ()  # the records as a file, and the rows of each of their `lines`
    many: ManyForm | None = None  # where records can be chosen
    seen_url: str = ""  # where one says that nothing is new any more; empty: nothing is
    hidden_records: HiddenRecords | None = None

    @property
    def filters(self) -> bool:
        return any(column.filter for column in self.columns)

    @property
    def other_tabs(self) -> tuple[TabState, ...]:
        """The other tabs that have records."""
        return tuple(tab for tab in self.tabs if not tab.current and tab.count not in ("", "0"))


@dataclass(frozen=True)
class Hit:
    title: str
    url: str
    reference: str
    at: Moment
    note: str = ""  # where the words are, if not in title or reference


@dataclass(frozen=True)
class HitsOfModule:
    label: Words
    icon: str
    hits: tuple[Hit, ...]
    count: str  # "3", "1,000+"
    all_url: str  # the module's list with the same search


@dataclass(frozen=True)
class SearchPage:
    """search.pt"""

    query: str
    groups: tuple[HitsOfModule, ...] = ()
