"""The parts that pages are made of: buttons, widgets of forms, filters, files, lines of lists. Plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from portal.views.forms.form_parts import LineInputs, UploadInput
from portal.web.frame import Words

# Whether the markup of a widget is reused: for other texts, or where the same is chosen.
Reuse = Literal["never", "filled", "chosen"]
MOST_OFFERS = 20  # of a widget whose markup is reused
Pairs = tuple[tuple[str, str], ...]  # hidden inputs: (name, value), names may repeat


@dataclass(frozen=True)
class Moment:
    """A point in time: exact for machines, written out for people; a script adds “8 minutes ago”."""

    iso: str  # 2026-11-22T03:14:00+00:00
    text: str  # in the reader's language and zone
    zone: str = ""  # named where it matters


@dataclass(frozen=True)
class TitledLink:
    """Another record, and its page."""

    title: str
    url: str


@dataclass(frozen=True)
class Action:
    """A button: a link, or a form of its own that posts to `url`."""

    label: Words
    url: str
    icon: str = ""
    tone: str = ""  # primary | good | warn | bad | ""
    post: bool = False
    once: str = ""  # one-time key of a posting action


@dataclass(frozen=True)
class Happening:
    """One line of the latest activity."""

    title: Words
    text: Words
    at: Moment
    url: str = ""
    initials: str = ""  # or an icon
    icon: str = ""


# -- forms ------------------------------------------------------------------------------------------------------------


class Offer(NamedTuple):
    """One thing that can be chosen: an option, or a record that a link offers."""

    value: str
    label: Words
    chosen: bool = False
    help: Words = ""
    icon: str = ""


@dataclass(frozen=True)
class Input:
    """One of the inputs of a widget that has several: an amount and its currency, an address."""

    name: str
    label: Words
    value: str = ""
    autocomplete: str = ""


@dataclass(frozen=True)
class Widget:
    """One field of a form; drawn by the macro `macro` of widgets.pt."""

    name: str
    label: Words
    macro: str = "input"  # a key of widgets.WIDGETS
    grouped: bool = False  # it has several inputs, named together by a legend
    type: str = "text"  # of an input: text email tel url number date datetime-local time password
    value: str = ""
    help: Words = ""
    placeholder: Words = ""
    required: bool = False
    error: Words = ""
    autocomplete: str = ""
    inputmode: str = ""  # the keyboard that a telephone offers
    suffix: Words = ""  # the unit behind an input: %
    minimum: str = ""  # of an input for dates and times
    maximum: str = ""
    bounds: Words = ""  # the sentence that says both
    max_length: int | None = None
    offers: tuple[Offer, ...] = ()  # select, cards, checkboxes, link, links
    empty: Words = ""  # the label of the empty choice; empty: a dash
    empty_last: bool = False  # it stands behind the others, as one of them is the default
    inputs: tuple[Input, ...] = ()  # money, address
    upload: UploadInput | None = None  # file
    lines: LineInputs | None = None  # lines
    most_stars: int = 0  # rating
    find: str = ""  # link, links: the address that finds records while the reader types (/MODULE/find?field=NAME)
    many: bool = False  # link, links: `offers` holds only a part of what can be chosen
    find_text: str = ""  # link, links: the text of _find.NAME
    follows: str = ""  # the link of this form from whose record a default comes
    followed: str = ""  # the address that finds the default for the record that was chosen
    depends: tuple[str, ...] = ()  # fields of this form on which the offers depend
    show_when: str = ""  # JSON for a script: {"all": […]}, {"any": […]} or [field, operator, [values], negated]
    required_when: str = ""  # likewise
    hidden: bool = False  # show_when does not hold now: a script hides it; without one it can be filled in
    reuse: Reuse = "never"

    @property
    def id(self) -> str:
        return "field-" + self.name.replace(".", "-")

    @property
    def reusable(self) -> bool:
        """Whether its markup may be kept and filled in for others; that of long lists of options takes much memory."""
        return self.reuse != "never" and not self.error and len(self.offers) <= MOST_OFFERS

    @property
    def kind(self) -> tuple[Any, ...]:
        """Whatever its markup depends on, but for the texts that are filled in."""
        inputs = tuple((part.name, part.label, part.autocomplete) for part in self.inputs)
        # Of what can be chosen the offers say what is, and of a tick the value: nothing that somebody typed is kept.
        return (*_of_kind(self), inputs, self.reuse == "chosen" and self.value == "true")

    @property
    def texts(self) -> dict[str, str]:
        """What is filled in, by the name of its place."""
        texts = {} if self.reuse == "chosen" else {"value": self.value}
        return texts | {str(number): part.value for number, part in enumerate(self.inputs)}

    def filled_in(self, texts: Mapping[str, str]) -> "Widget":
        """The same widget with other texts in the places of `texts`."""
        inputs = (replace(part, value=texts[str(number)]) for number, part in enumerate(self.inputs))
        value = self.value if self.reuse == "chosen" else texts["value"]
        return replace(self, value=value, inputs=tuple(inputs))

    @property
    def wrong(self) -> "tuple[Widget, ...]":
        """The widget itself where something is wrong in it; of lines the inputs in which there is."""
        return (self.lines.wrong if self.lines else ()) or ((self,) if self.error else ())

    @property
    def described(self) -> str | None:
        """The ids of what describes the input, for aria-describedby."""
        parts = (("help", self.help), ("bounds", self.bounds), ("error", self.error))
        ids = [f"{self.id}-{part}" for part, text in parts if text]
        return " ".join(ids) or None


_of_kind = attrgetter(*(field.name for field in fields(Widget) if field.name not in ("value", "inputs", "error")))


@dataclass(frozen=True)
class DraftShown:
    """The line “Draft from 14:02 · Discard”."""

    form: str
    when: str
    page_url: str  # where discarding leads
    continue_url: str = ""  # to the page that shows the draft; empty: this one does
    files_lost: bool = False  # it came with files, which have to be chosen again


@dataclass(frozen=True)
class DraftForm:
    """What a form says so that what is typed into it can be kept; its hidden inputs and the script's attributes."""

    name: str  # views/forms/drafts.py
    account: str  # a digest of whose form it is
    key: str = ""  # of the form for a new record
    basis: str = ""  # what an edit form was made from
    shown: DraftShown | None = None


@dataclass(frozen=True)
class FormRow:
    """Widgets side by side."""

    widgets: tuple[Widget, ...]


@dataclass(frozen=True)
class StepState:
    label: Words
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
    """Someone else saved first (409): what differs, field by field. The form below it holds what this person typed."""

    who: str  # "" where the profile may not read it
    at: Moment
    differences: tuple[Difference, ...]


# -- lists -------------------------------------------------------------------------------------------------------------


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


# -- files ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FileShown:
    """One file of a record."""

    name: str
    url: str
    size: str
    kind: str  # “PDF”
    author: Words  # “You” where it is the reader
    at: Moment
    icon: str = "file"
    preview_url: str = ""  # of a picture
    remove_url: str = ""
    remove_once: str = ""
    comment_url: str = ""  # the comment that it came with
    internal: bool = False


@dataclass(frozen=True)
class Files:
    """The card of a record's files."""

    files: tuple[FileShown, ...]
    url: str
    once: str = ""
    input: UploadInput | None = None  # None: nothing can be added
    refused: tuple[Words, ...] = ()  # one sentence per file


# -- watchers ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Watcher:
    """One person who watches a record."""

    id: int
    name: str
    initials: str
    url: str = ""  # of the person, where the reader may see them
    mine: bool = False
    removable: bool = False


@dataclass(frozen=True)
class Watchers:
    """The card of a record's watchers."""

    people: tuple[Watcher, ...]
    url: str
    may_add: bool = False
    mine: str = ""  # the reader's own id, where they may add themselves

    @property
    def follows(self) -> bool:
        return any(person.mine for person in self.people)


# -- home, search, drafts, letters, problems ---------------------------------------------------------------------------


@dataclass(frozen=True)
class HomeButton:
    label: Words
    icon: str
    url: str
    text: Words = ""
    tone: str = ""
    count: str = ""


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
class LetterChoice:
    """A box that chooses letters: its value, what the records are to the person, and whether it is ticked."""

    value: str
    relation: Words
    wanted: bool


@dataclass(frozen=True)
class LetterRow:
    """A kind of letters, with a box for each relation; None where it does not apply."""

    label: Words
    choices: tuple[LetterChoice | None, ...]


@dataclass(frozen=True)
class LetterChoices:
    """Which letters about records the reader gets: the relations in the head of the table, and its rows."""

    relations: tuple[Words, ...]
    rows: tuple[LetterRow, ...]


@dataclass(frozen=True)
class DraftLine:
    """One draft in the list of one's own."""

    form: str
    title: Words
    at: Moment
    url: str = ""  # where it can be continued; empty where its page is gone
    text: str = ""
