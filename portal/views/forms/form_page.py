"""Forms and questions as pages: their widgets, files, lines, steps and drafts. Plain values, as in views/parts.py.

Inputs of the engine itself: `_csrf`, `_once` (one-time key), `_version`, `_step` (the step that was shown, from 0),
`_to` (submit button: the step to show next; smaller or equal to `_step`: nothing is checked and all that was typed
stays; absent: the form is finished), `_find.FIELD` (without JavaScript: what to look for in a link with many records).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from portal.fields.file import held_input
from portal.texts import Words, _
from portal.views.displays import Value
from portal.views.parts import Action, LineHead, Moment, Pairs, TitledLink

# Whether the markup of a widget is reused: for other texts, or where the same is chosen.
Reuse = Literal["never", "filled", "chosen"]


MOST_OFFERS = 20  # of a widget whose markup is reused


class Offer(NamedTuple):
    """One thing that can be chosen: an option, or a record that a link offers."""

    value: str
    label: Words
    chosen: bool = False
    help: Words = ""
    icon: str = ""
    show_when: str = ""  # as that of a widget
    hidden: bool = False


class Input(NamedTuple):
    """One of the inputs of a widget that has several: an amount and its currency, an address."""

    name: str
    label: Words
    value: str = ""
    autocomplete: str = ""


@dataclass(frozen=True)
class HeldFile:
    """A file that a form has already: one of the record, or one that was sent before."""

    token: str  # what the input holds
    name: str
    size: str
    url: str = ""  # of a file of the record
    preview_url: str = ""


@dataclass(frozen=True)
class UploadInput:
    """Where files are chosen, dropped or pasted."""

    name: str
    limits: Words  # “Up to 25 MB each”
    max_size: int  # bytes
    shown_size: str  # “25 MB”
    max_count: int
    accept: str  # as the attribute of an input
    types: str = ""  # “pictures, PDF”; empty for all
    held: tuple[HeldFile, ...] = ()  # what the form has already; each can be taken off
    refused: tuple[str, ...] = ()  # one sentence for each file that was not taken

    @property
    def held_name(self) -> str:
        """The input with the tokens of what the form has already."""
        return held_input(self.name)

    @property
    def too_large(self) -> Words:
        """What the script says of a file that is larger."""
        return _("Not sent: the limit is ${size}", mapping={"size": self.shown_size})


@dataclass(frozen=True)
class LineCell:
    """One value of a row in a form: its widget, or the text of what nobody types."""

    label: Words  # of the column
    widget: "Widget | None"
    text: str = ""
    number: bool = False
    name: str = ""  # by which a script knows the text: “lines.0.amount”


@dataclass(frozen=True)
class LineTotal:
    """What stands below a column: its total, or nothing."""

    label: Words  # of the column
    name: str  # “lines.amount”
    text: str


@dataclass(frozen=True)
class RowInputs:
    """The inputs of one row; `name` is what their names begin with: “lines.0”."""

    name: str
    number: int  # counted from 1
    cells: tuple[LineCell, ...]
    row_id: str = ""  # of a row that is stored


@dataclass(frozen=True)
class LineInputs:
    """The rows of a `lines` field in a form."""

    heads: tuple[LineHead, ...]
    rows: tuple[RowInputs, ...]
    template: RowInputs  # for the script: a new row
    full: bool = False  # there can be no more rows
    most: int | None = None
    totals: tuple[LineTotal, ...] = ()  # of all columns, or none

    @property
    def wrong(self) -> "tuple[Widget, ...]":
        """The inputs in which something is wrong."""
        cells = (cell for row in self.rows for cell in row.cells)
        return tuple(cell.widget for cell in cells if cell.widget and cell.widget.error)


class Widget(NamedTuple):
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
    read_only_when: str = ""  # likewise
    asks_server: bool = False  # no script can decide one of these: the server says, with what is computed
    locked: bool = False  # read_only_when holds now: nothing of it is sent
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
    def kind(self) -> "Widget":
        """The widget without the texts that are filled in: whatever else its markup depends on."""
        # Of what can be chosen the offers say what is, and of a tick the value: nothing that somebody typed is kept.
        value = "true" if self.reuse == "chosen" and self.value == "true" else ""
        return self._replace(value=value, inputs=tuple(part._replace(value="") for part in self.inputs))

    @property
    def texts(self) -> dict[str, str]:
        """What is filled in, by the name of its place."""
        texts = {} if self.reuse == "chosen" else {"value": self.value}
        return texts | {str(number): part.value for number, part in enumerate(self.inputs)}

    def filled_in(self, texts: Mapping[str, str]) -> "Widget":
        """The same widget with other texts in the places of `texts`."""
        inputs = (part._replace(value=texts[str(number)]) for number, part in enumerate(self.inputs))
        value = self.value if self.reuse == "chosen" else texts["value"]
        return self._replace(value=value, inputs=tuple(inputs))

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


@dataclass(frozen=True)
class FormRow:
    """Widgets side by side."""

    widgets: tuple[Widget, ...]


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
class StepState:
    """A step in the bar of steps."""

    label: Words
    state: Literal["done", "current", ""] = ""

    @staticmethod
    def at(number: int, present: int, label: Words) -> "StepState":
        """The state of the step `number` while the step `present` is filled in."""
        if number == present:
            return StepState(label, "current")
        return StepState(label, "done" if number < present else "")


@dataclass(frozen=True)
class EarlierChoice:
    """What an earlier step decided, and the step in which it can be changed."""

    label: Words
    text: str
    step: int


@dataclass(frozen=True)
class ConflictingField:
    """One of the fields that both have changed, as each of them has it now."""

    label: Words
    yours: str
    theirs: str


@dataclass(frozen=True)
class Conflict:
    """Someone else saved first (409): what differs, field by field. The form below it holds what this person typed."""

    who: str  # "" where the profile may not read it
    at: Moment
    differences: tuple[ConflictingField, ...]


@dataclass(frozen=True)
class SuggestionInputs:
    """What a form says to the script that offers answers to the title while it is typed."""

    url: str  # that finds them
    beside: str  # the id of the title's input
    solved_url: str  # where the form ends, as one of them helped
    draft: str  # the key of its draft


class PageOfWidgets:
    """What pages with `rows` of widgets share."""

    rows: tuple[FormRow, ...]

    @property
    def widgets(self) -> Iterator[Widget]:
        for row in self.rows:
            yield from row.widgets

    @property
    def wrong(self) -> tuple[Widget, ...]:
        return tuple(wrong for widget in self.widgets for wrong in widget.wrong)

    @property
    def has_lines(self) -> bool:
        return any(widget.lines for widget in self.widgets)


@dataclass(frozen=True)
class FormPage(PageOfWidgets):
    """form.pt: create and edit, in one page or step by step."""

    heading: Words
    action: str
    rows: tuple[FormRow, ...]
    submit: Words
    submit_icon: str = "send"
    back_url: str = ""  # to the list or the record
    back_label: Words = ""
    once: str = ""
    version: str = ""  # edit: the version that was read
    hidden: Pairs = ()  # what the other steps hold
    follows: TitledLink | None = None  # the record that a new one follows up, where the form does not ask for it
    step: int = 0
    steps: tuple[StepState, ...] = ()
    choices: tuple[EarlierChoice, ...] = ()
    conflict: Conflict | None = None
    draft: DraftForm | None = None
    files: UploadInput | None = None  # asked for in the last step
    compute_url: str = ""  # where a script asks for what is computed while the reader types
    suggestions: SuggestionInputs | None = None

    @property
    def computes(self) -> bool:
        return any(widget.lines or widget.macro == "computed" or widget.asks_server for widget in self.widgets)

    @property
    def last(self) -> bool:
        return self.step + 1 >= len(self.steps)

    @property
    def sends_files(self) -> bool:
        return bool(self.last and self.files) or any(widget.upload for widget in self.widgets)


@dataclass(frozen=True)
class QuestionPage(PageOfWidgets):
    """question.pt: moving a record (with what is asked), deleting one, anything that is confirmed first."""

    heading: Words  # the transition's label, “Delete?”
    subject: Words  # the record's reference and title
    action: str
    submit: Words
    back_url: str
    text: Words = ""
    rows: tuple[FormRow, ...] = ()
    tone: str = "primary"
    icon: str = ""
    once: str = ""
    hidden: Pairs = ()  # what else the form sends
    draft: DraftForm | None = None  # where something is asked
    files: UploadInput | None = None  # with a comment that is asked
    error: Words = ""
    others: tuple[Action, ...] = ()  # other ways to do it
    states: tuple[Value, ...] = ()  # from which to which a record is moved

    @property
    def sends_files(self) -> bool:
        return bool(self.files) or any(widget.upload for widget in self.widgets)
