"""The contract between views and templates: what each page shows, as plain values worked out beforehand.

A view returns `{"page": ListPage(...)}`; the template of that page (named in each class) only loops and asks yes or no.
Besides `page` every template has `request`, `reader`, `shell` (web/frame.py), `icon(name)`, and `token` (the hidden
CSRF input). `Words` may be declared texts or sentences of the interface: the renderer translates them.
Nothing here reads the database: the views that fill a page take every value through the reader's policy. The pages of
lists and records are in `lists/list_parts.py` and `records/record_parts.py`, with what they are made of.

Inputs of the engine itself: `_csrf`, `_once` (one-time key), `_version`, `_step` (the step that was shown, from 0),
`_to` (submit button: the step to show next; smaller or equal to `_step`: nothing is checked and all that was typed
stays; absent: the form is finished), `_find.FIELD` (without JavaScript: what to look for in a link with many records).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from portal.views.access.access_parts import Device
from portal.views.administration.reasons import Reason
from portal.views.displays import Value
from portal.views.forms.form_parts import UploadInput
from portal.views.parts import (
    Action,
    Choice,
    Conflict,
    DraftForm,
    DraftLine,
    FormRow,
    Happening,
    HitsOfModule,
    HomeButton,
    LetterChoices,
    Pairs,
    StepState,
    TitledLink,
    Widget,
)
from portal.views.records.record_parts import NewRecords
from portal.web.frame import Words


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
    compute_url: str = ""  # where a script asks for what is computed while the reader types

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
    states: tuple[Value, ...] = ()  # from which to which a record is moved

    @property
    def wrong(self) -> tuple[Widget, ...]:
        return tuple(wrong for row in self.rows for widget in row.widgets for wrong in widget.wrong)

    @property
    def has_lines(self) -> bool:
        return any(widget.lines for row in self.rows for widget in row.widgets)

    @property
    def sends_files(self) -> bool:
        return bool(self.files) or any(widget.upload for row in self.rows for widget in row.widgets)
