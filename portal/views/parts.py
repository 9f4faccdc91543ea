"""The parts that several pages are made of: values, buttons, widgets of forms. Plain values; see pages.py."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from markupsafe import Markup

from portal.web.shell import Words

Pairs = tuple[tuple[str, str], ...]  # hidden inputs: (name, value), names may repeat


@dataclass(frozen=True)
class Moment:
    """A point in time: exact for machines, written out for people; a script adds “8 minutes ago”."""

    iso: str  # 2026-11-22T03:14:00+00:00
    text: str  # in the reader's language and zone
    zone: str = ""  # named where it matters


@dataclass(frozen=True)
class Action:
    """A button: a link, or a form of its own that posts to `url`."""

    label: Words
    url: str
    icon: str = ""
    tone: str = ""  # primary | good | warn | bad | ""
    post: bool = False
    once: str = ""  # one-time key of a posting action


# -- values -----------------------------------------------------------------------------------------------------------


class Value(NamedTuple):
    """One field of one record as it is shown; drawn by the macro `display` of displays.pt (a field's `display`)."""

    label: Words = ""
    display: str = "plain"  # plain pill pills link links email phone url markdown html longtext rating color boolean
    #                         datetime address tags lines file image json icon
    text: str = ""  # what `field.show` says; empty together with `parts` and `html`: the value is empty
    matches: tuple[tuple[str, bool], ...] = ()  # the text in pieces, and whether each is what was searched for
    url: str = ""  # where it leads: a link's record if the reader may see it, mailto:, tel:, a checked web address
    tone: str = ""  # of a pill
    icon: str = ""  # of a pill, a count, a channel
    iso: str = ""  # of a datetime
    html: Markup = Markup()  # sanitised, for `markdown` and `html` alone
    parts: tuple[Any, ...] = ()  # of pills, links, tags, address (one per line)
    number: int = 0  # of a rating
    most: int = 5  # of a rating
    headings: tuple[Words, ...] = ()  # of lines
    rows: tuple[tuple[str, ...], ...] = ()  # of lines
    totals: tuple[str, ...] = ()  # of lines

    @property
    def empty(self) -> bool:
        return not (self.text or self.html or self.parts or self.rows)

    @property
    def macro(self) -> str:
        """The macro of displays.pt."""
        return self.display if self.text or not self.empty else "empty"


# -- forms ------------------------------------------------------------------------------------------------------------


GROUPED = frozenset({"cards", "checkboxes", "links", "money", "address", "rating", "lines"})


@dataclass(frozen=True)
class Offer:
    """One thing that can be chosen: an option, or a record that a link offers."""

    value: str
    label: Words
    chosen: bool = False
    help: Words = ""
    icon: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Input:
    """One of the inputs of a widget that has several: an amount and its currency, an address."""

    name: str
    label: Words
    value: str = ""
    autocomplete: str = ""
    type: str = "text"


@dataclass(frozen=True)
class Widget:
    """One field of a form; drawn by the macro `macro` of widgets.pt (a field's `widget`)."""

    name: str
    label: Words
    macro: str = "input"  # input textarea select cards checkbox checkboxes tags link links money address rating color
    #                       markdown html lines file files
    type: str = "text"  # of an input: text email tel url number date datetime-local time password
    value: str = ""
    help: Words = ""
    placeholder: Words = ""
    required: bool = False
    error: Words = ""
    autocomplete: str = ""
    inputmode: str = ""
    min: str = ""
    max: str = ""
    step: str = ""
    max_length: int | None = None
    suffix: Words = ""  # behind the input: %, EUR, h
    offers: tuple[Offer, ...] = ()  # select, cards, checkboxes, link, links
    empty: Words = ""  # the label of the empty choice; empty: a dash
    inputs: tuple[Input, ...] = ()  # money, address
    rows: tuple[tuple[Input, ...], ...] = ()  # lines; the last one is empty and may be repeated
    most: int = 5  # rating
    find: str = ""  # link, links: the address that finds records as one types (/MODULE/find?field=NAME)
    many: bool = False  # link, links: not all that could be chosen is among `offers`
    looked_for: str = ""  # link, links: what stands in _find.NAME
    depends: tuple[str, ...] = ()  # fields of this form on which the offers depend
    show_when: str = ""  # JSON for a script: {"all": […]}, {"any": […]} or [field, operator, [values], negated]
    hidden: bool = False  # show_when does not hold now: a script hides it; without one it can be filled in
    accept: str = ""  # files: "image/*,application/pdf"
    max_size: int = 0  # files: bytes each
    max_count: int = 0
    limits: Words = ""  # files: the limits in words

    @property
    def id(self) -> str:
        return "field-" + self.name.replace(".", "-")

    @property
    def grouped(self) -> bool:
        """Whether it has several inputs, named together by a legend."""
        return self.macro in GROUPED

    @property
    def described(self) -> str | None:
        """The ids of what describes the input, for aria-describedby."""
        found = [f"{self.id}-{part}" for part in ("help", "error") if getattr(self, part)]
        return " ".join(found) or None


@dataclass(frozen=True)
class FormRow:
    """Widgets that stand side by side."""

    widgets: tuple[Widget, ...]


@dataclass(frozen=True)
class StepState:
    label: Words
    number: int  # from 0, as in _step and _to
    state: Literal["done", "current", ""] = ""


@dataclass(frozen=True)
class Choice:
    """What an earlier step decided, and the step in which it can be changed."""

    label: Words
    text: str
    step: int


@dataclass(frozen=True)
class Difference:
    label: Words
    yours: str
    theirs: str


@dataclass(frozen=True)
class Conflict:
    """Somebody saved first (409): what is different, field by field. The form below it holds what this person typed."""

    who: str
    at: Moment
    differences: tuple[Difference, ...]


# -- lists -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FilterState:
    """The filter of one column; drawn by the macro `macro` of filters.pt (a field's `filter`)."""

    name: str
    label: Words
    macro: Literal["text", "options", "range", "link"]
    value: str = ""
    minimum: str = ""
    maximum: str = ""
    type: str = "text"  # of a range: date, number, text
    offers: tuple[Offer, ...] = ()
    find: str = ""
    error: Words = ""

    @property
    def several(self) -> bool:
        return sum(offer.chosen for offer in self.offers) > 1

    @property
    def used(self) -> bool:
        """Whether it is in force."""
        return bool(self.value or self.minimum or self.maximum or any(offer.chosen for offer in self.offers))


# -- conversation and files -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Upload:
    url: str
    limits: Words
    accept: str = ""
    max_size: int = 0
    max_count: int = 0
    once: str = ""


@dataclass(frozen=True)
class File:
    name: str
    url: str
    size: str
    about: str = ""  # who and when
    icon: str = "file-text"


@dataclass(frozen=True)
class Files:
    files: tuple[File, ...] = ()
    upload: Upload | None = None
    refused: tuple[Words, ...] = ()  # one sentence per file that was refused


@dataclass(frozen=True)
class Note:
    author: Words  # “You” where it is the reader
    initials: str
    at: Moment
    text: str
    mine: bool = False
    internal: bool = False
    side: Words = ""  # “Support”, “Customer”
    channel: Words = ""  # “by email”
    channel_icon: str = ""
    files: tuple[File, ...] = ()


@dataclass(frozen=True)
class Composer:
    url: str
    once: str
    text: str = ""
    error: Words = ""
    may_be_internal: bool = False
    internal: bool = False
    upload: Upload | None = None
    submit: Words = ""
    draft: str = ""


@dataclass(frozen=True)
class Conversation:
    notes: tuple[Note, ...]
    composer: Composer | None = None
    closed: Words = ""  # why nothing can be written any more
    top: bool = True
    older_url: str = ""
