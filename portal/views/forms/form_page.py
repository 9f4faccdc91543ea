"""Forms and questions as pages: their widgets, files, lines, steps and drafts. Plain values, as in views/parts.py.

Inputs of the engine itself: `_csrf`, `_once` (one-time key), `_version`, `_step` (the step that was shown, from 0),
`_to` (submit button: the step to show next; if not greater than `_step`, nothing is checked and all input stays;
absent: the form is finished), `_find.FIELD` (without JavaScript: what to look for in a link with many records).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from portal.fields.file import token_input
from portal.texts import Words, _
from portal.views.displays import Value
from portal.views.parts import Action, LineHead, Moment, Pairs, TitledLink

# Whether the markup of a widget is reused: with other texts, or for the same choice.
Reuse = Literal["never", "filled", "chosen"]


MOST_OFFERS = 20  # in a widget whose markup is reused


class Offer(NamedTuple):
    """A choice: an option, or a record that a link offers."""

    value: str
    label: Words
    chosen: bool = False
    help: Words = ""
    icon: str = ""
    show_when: str = ""  # as in a widget
    hidden: bool = False


class Input(NamedTuple):
    """One of several inputs of a widget: an amount and its currency, an address."""

    name: str
    label: Words
    value: str = ""
    autocomplete: str = ""


@dataclass(frozen=True)
class FormFile:
    """A file that a form already has: one of the record, or one sent before."""

    token: str  # the value of the input
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
    files: tuple[FormFile, ...] = ()  # what the form already has; each can be removed
    refused: tuple[str, ...] = ()  # one sentence per refused file

    @property
    def token_name(self) -> str:
        """The name of the input with the tokens of the files that the form already has."""
        return token_input(self.name)

    @property
    def too_large(self) -> Words:
        """The script's message about a file that is too large."""
        return _("Not sent: the limit is ${size}", mapping={"size": self.shown_size})


@dataclass(frozen=True)
class LineCell:
    """One value of a row in a form: its widget, or the text of a computed value."""

    label: Words  # of the column
    widget: "Widget | None"
    text: str = ""
    number: bool = False
    name: str = ""  # identifies the text for a script: “lines.0.amount”


@dataclass(frozen=True)
class LineTotal:
    """The total below a column, or nothing."""

    label: Words  # of the column
    name: str  # “lines.amount”
    text: str


@dataclass(frozen=True)
class RowInputs:
    """The inputs of one row; `name` is the prefix of their names: “lines.0”."""

    name: str
    number: int  # counted from 1
    cells: tuple[LineCell, ...]
    row_id: str = ""  # of a stored row


@dataclass(frozen=True)
class LineInputs:
    """The rows of a `lines` field in a form."""

    heads: tuple[LineHead, ...]
    rows: tuple[RowInputs, ...]
    template: RowInputs  # for the script: a new row
    full: bool = False  # no more rows can be added
    most: int | None = None
    totals: tuple[LineTotal, ...] = ()  # of all columns, or none

    @property
    def wrong(self) -> "tuple[Widget, ...]":
        """The inputs with errors."""
        cells = (cell for row in self.rows for cell in row.cells)
        return tuple(cell.widget for cell in cells if cell.widget and cell.widget.error)


class Widget(NamedTuple):
    """One field of a form; drawn by the macro `macro` of widgets.pt."""

    name: str
    label: Words
    macro: str = "input"  # a key of widgets.WIDGETS
    grouped: bool = False  # has several inputs with a common legend
    type: str = "text"  # of an input: text email tel url number date datetime-local time password
    value: str = ""
    help: Words = ""
    placeholder: Words = ""
    required: bool = False
    error: Words = ""
    autocomplete: str = ""
    inputmode: str = ""  # the keyboard that a phone shows
    suffix: Words = ""  # the unit after an input: %
    minimum: str = ""  # for inputs of dates and times
    maximum: str = ""
    bounds: Words = ""  # a sentence with both
    max_length: int | None = None
    offers: tuple[Offer, ...] = ()  # select, cards, checkboxes, link, links
    empty: Words = ""  # the label of the empty choice; empty: a dash
    empty_last: bool = False  # it comes after the others, as one of them is the default
    inputs: tuple[Input, ...] = ()  # money, address
    upload: UploadInput | None = None  # file
    lines: LineInputs | None = None  # lines
    most_stars: int = 0  # rating
    find: str = ""  # link, links: the address for finding records as the reader types (/MODULE/find?field=NAME)
    many: bool = False  # link, links: `offers` has only some of the choices
    find_text: str = ""  # link, links: the text of _find.NAME
    follows: str = ""  # the link in this form whose record provides a default, and the fields that its offers depend on
    followed: str = ""  # the address for finding the default of the chosen record
    depends: tuple[str, ...] = ()  # fields of this form that the offers depend on
    show_when: str = ""  # JSON for a script: {"all": […]}, {"any": […]} or [field, operator, [values], negated]
    required_when: str = ""  # likewise
    read_only_when: str = ""  # likewise
    asks_server: bool = False  # no script can decide one of these: the server does, along with computed values
    locked: bool = False  # read_only_when is true now: it is not sent
    hidden: bool = False  # show_when is false now: a script hides it; without a script, it can be filled in
    reuse: Reuse = "never"

    @property
    def id(self) -> str:
        return "field-" + self.name.replace(".", "-")

    @property
    def reusable(self) -> bool:
        """Whether its markup may be cached and filled in with other values; long lists of options take much memory."""
        return self.reuse != "never" and not self.error and len(self.offers) <= MOST_OFFERS

    @property
    def kind(self) -> "Widget":
        """The widget without its filled-in texts: everything else that its markup depends on."""
        # The offers say what is chosen, and the value whether a box is ticked: nothing that someone typed is cached.
        value = "true" if self.reuse == "chosen" and self.value == "true" else ""
        return self._replace(value=value, inputs=tuple(part._replace(value="") for part in self.inputs))

    @property
    def texts(self) -> dict[str, str]:
        """The texts to fill in, by placeholder."""
        texts = {} if self.reuse == "chosen" else {"value": self.value}
        return texts | {str(number): part.value for number, part in enumerate(self.inputs)}

    def filled_in(self, texts: Mapping[str, str]) -> "Widget":
        """The same widget with other `texts`."""
        inputs = (part._replace(value=texts[str(number)]) for number, part in enumerate(self.inputs))
        value = self.value if self.reuse == "chosen" else texts["value"]
        return self._replace(value=value, inputs=tuple(inputs))

    @property
    def wrong(self) -> "tuple[Widget, ...]":
        """The widget itself if it has an error; for lines, the inputs with errors."""
        return (self.lines.wrong if self.lines else ()) or ((self,) if self.error else ())

    @property
    def described(self) -> str | None:
        """The ids of the elements that describe the input, for aria-describedby."""
        parts = (("help", self.help), ("bounds", self.bounds), ("error", self.error))
        ids = [f"{self.id}-{part}" for part, text in parts if text]
        return " ".join(ids) or None


@dataclass(frozen=True)
class FormRow:
    """Widgets next to each other."""

    widgets: tuple[Widget, ...]


@dataclass(frozen=True)
class DraftShown:
    """The line “Draft from 14:02 · Discard”."""

    form: str
    when: str
    page_url: str  # the page after discarding
    continue_url: str = ""  # to the page that shows the draft; empty: this one does
    files_lost: bool = False  # it had files, which must be chosen again


@dataclass(frozen=True)
class DraftForm:
    """What a form contains so that it can be saved as a draft: hidden inputs and attributes for the script."""

    name: str  # views/forms/drafts.py
    account: str  # a digest of the form's owner
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
        """The state of the step `number` while the step `present` is being filled in."""
        if number == present:
            return StepState(label, "current")
        return StepState(label, "done" if number < present else "")


@dataclass(frozen=True)
class EarlierChoice:
    """A choice made in an earlier step, and the step in which to change it."""

    label: Words
    text: str
    step: int


@dataclass(frozen=True)
class ConflictingField:
    """A field that both sides have changed, with both values."""

    label: Words
    yours: str
    theirs: str


@dataclass(frozen=True)
class Conflict:
    """Someone else saved first, or the reader in another window (409): the differences, field by field. The form below
    contains this person's input."""

    who: str  # "" if the profile may not read it, and for the reader
    at: Moment
    differences: tuple[ConflictingField, ...]
    is_own: bool  # whether the reader saved first, in another window


@dataclass(frozen=True)
class SuggestionInputs:
    """What a form tells the script that suggests answers while the title is typed."""

    url: str  # for finding them
    beside: str  # the id of the title's input
    solved_url: str  # ends the form because one of them helped
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
    version: str = ""  # edit: the version of the record
    hidden: Pairs = ()  # the content of the other steps
    follows: TitledLink | None = None  # the record that a new one follows up, if the form does not ask for it
    step: int = 0
    steps: tuple[StepState, ...] = ()
    choices: tuple[EarlierChoice, ...] = ()
    conflict: Conflict | None = None
    draft: DraftForm | None = None
    files: UploadInput | None = None  # asked for in the last step
    compute_url: str = ""  # the address of computed values, for a script, while the reader types
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
    """question.pt: moving a record (with its questions), deleting one, anything that needs confirmation."""

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
    hidden: Pairs = ()  # further inputs of the form
    draft: DraftForm | None = None  # if there are inputs
    files: UploadInput | None = None  # along with a requested comment
    error: Words = ""
    others: tuple[Action, ...] = ()  # other ways to do it
    states: tuple[Value, ...] = ()  # the record's old and new state

    @property
    def sends_files(self) -> bool:
        return bool(self.files) or any(widget.upload for widget in self.widgets)
