"""The contract between views and templates: what each page shows, as plain values worked out beforehand.

A view returns `{"page": ListPage(...)}`; the template of that page (named in each class) only loops and asks yes or no.
Besides `page` every template has `request`, `reader`, `shell` (web/shell.py), `icon(name)`, and `token` (the hidden
CSRF input). `Words` may be declared texts or sentences of the interface: the renderer translates them.
Nothing here reads the database: the views that fill a page take every value through the reader's policy.

Inputs of the engine itself: `_csrf`, `_once` (one-time key), `_version`, `_step` (the step that was shown, from 0),
`_to` (submit button: the step to show next; smaller or equal to `_step`: nothing is checked and all that was typed
stays; absent: the form is finished), `_find.FIELD` (without JavaScript: what to look for in a link with many records).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from portal.views.access.parts import AccessCard, Device
from portal.views.administration.reasons import Reason
from portal.views.displays import Value
from portal.views.forms.upload_parts import UploadInput
from portal.views.lists.many_parts import ManyForm
from portal.views.parts import (
    Action,
    Choice,
    Conflict,
    DraftForm,
    DraftLine,
    Files,
    FilterState,
    FormRow,
    Happening,
    HitsOfModule,
    HomeButton,
    LetterChoices,
    Pairs,
    StepState,
    TitledLink,
    Watchers,
    Widget,
)
from portal.views.records.conversation_parts import Conversation
from portal.views.records.history_parts import HiddenRecords, History, HistoryLine, NewRecords, RecordNews
from portal.web.shell import Words

# -- forms -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FormPage:
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
    choices: tuple[Choice, ...] = ()
    conflict: Conflict | None = None
    draft: DraftForm | None = None
    files: UploadInput | None = None  # asked for in the last step
    compute_url: str = ""  # where a script asks for what is computed while one types

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

    @property
    def computes(self) -> bool:
        return any(widget.lines or widget.macro == "computed" for widget in self.widgets)

    @property
    def last(self) -> bool:
        return self.step + 1 >= len(self.steps)

    @property
    def sends_files(self) -> bool:
        return bool(self.last and self.files) or any(widget.upload for widget in self.widgets)


@dataclass(frozen=True)
class QuestionPage:
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

    @property
    def wrong(self) -> tuple[Widget, ...]:
        return tuple(wrong for row in self.rows for widget in row.widgets for wrong in widget.wrong)

    @property
    def has_lines(self) -> bool:
        return any(widget.lines for row in self.rows for widget in row.widgets)

    @property
    def sends_files(self) -> bool:
        return bool(self.files) or any(widget.upload for row in self.rows for widget in row.widgets)


# -- lists ------------------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True)
class Row:
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
    new: Words = ""  # “3 new”; empty where nothing is


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
    invite_url: str = ""  # of people, for who may give access
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


# -- one record -------------------------------------------------------------------------------------------------------


StageState = Literal["done", "current", "aside", "unreached", ""]


@dataclass(frozen=True)
class Stage:
    """A stage of the lifecycle; `aside`: the present state where it is beside the stages, which end `unreached`."""

    label: Words
    state: StageState = ""


@dataclass(frozen=True)
class StageBar:
    stages: tuple[Stage, ...]
    note: str = ""  # when and why the record left the stages


@dataclass(frozen=True)
class SectionShown:
    title: Words
    rows: tuple[tuple[Value, ...], ...]  # the values of a row are side by side


@dataclass(frozen=True)
class RelatedList(RecordTable):
    label: Words
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    count: str = ""
    all_url: str = ""
    create_url: str = ""
    create_label: Words = ""


@dataclass(frozen=True)
class DetailPage:
    """detail.pt"""

    heading: str
    about: Words  # “TT1042 · opened by Maria Anders on 19 November, 09:12”
    back_url: str
    previous_url: str = ""  # in the list from which the record was opened
    next_url: str = ""
    actions: tuple[Action, ...] = ()  # edit, delete, transitions
    stage_bar: StageBar | None = None
    sections: tuple[SectionShown, ...] = ()
    aside: tuple[Value, ...] = ()
    conversation: Conversation | None = None
    files: Files | None = None
    watchers: Watchers | None = None
    follow_ups: tuple[TitledLink, ...] = ()  # of a final record
    related: tuple[RelatedList, ...] = ()
    history: History | None = None
    access: AccessCard | None = None
    news: RecordNews | None = None
    workshop: tuple[Action, ...] = ()  # for administrators: who sees the record, and what its person sees


@dataclass(frozen=True)
class HistoryPage:
    """history.pt"""

    about: str  # “TT1042 · Printer on floor 2”
    back_url: str
    lines: tuple[HistoryLine, ...] = ()
    older_url: str = ""


# -- the other pages --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HomePage:
    """home.pt; `activity` None: there is no such panel."""

    greeting: Words
    about: Words = ""
    buttons: tuple[HomeButton, ...] = ()
    activity: tuple[Happening, ...] | None = None
    news: tuple[NewRecords, ...] = ()


@dataclass(frozen=True)
class SearchPage:
    """search.pt"""

    query: str
    groups: tuple[HitsOfModule, ...] = ()


@dataclass(frozen=True)
class AccountPage:
    """account.pt"""

    letters: LetterChoices
    drafts: tuple[DraftLine, ...] = ()
    devices: tuple[Device, ...] = ()


@dataclass(frozen=True)
class NoticePage:
    """notice.pt, for who need not be signed in: a sentence, a button that does something, or a way on."""

    heading: Words
    text: Words
    action: str = ""
    submit: Words = ""
    back_url: str = ""
    back_label: Words = ""


@dataclass(frozen=True)
class LoginPage:
    """login.pt"""

    email: str = ""
    remember: bool = False
    next: str = ""
    error: Words = ""
    notice: Words = ""  # “Your session has ended.”
    support: str = ""  # an address to write to
    sign_up: bool = False  # whether strangers may sign up
    password: bool = True  # whether one signs in with a password
    link: bool = False  # whether one signs in with a link by email


@dataclass(frozen=True)
class PasswordPage:
    """password.pt: changing and setting passwords, signing up; `widgets` empty: only `text` is said (“sent”)."""

    heading: Words
    action: str = ""
    text: Words = ""
    email: str = ""  # shown, and read by the browser's password store
    widgets: tuple[Widget, ...] = ()
    submit: Words = ""
    back_url: str = ""
    back_label: Words = ""
    again_url: str = ""  # after an email was sent: the form for another address
    steps: tuple[StepState, ...] = ()  # of signing up


@dataclass(frozen=True)
class ErrorPage:
    """error.pt, for every status; also without a signed-in person and without a portal in force."""

    status: int
    heading: Words
    text: Words
    reference: str = ""  # what the log calls it
    retry_url: str = ""  # where another attempt may succeed
    record_url: str = ""  # the record that has changed meanwhile
    drafts_url: str = ""  # where what was sent is kept
    reasons: tuple[Reason, ...] = ()  # for an administrator who sees the portal as somebody else
