"""The contract between views and templates: what each page shows, as plain values worked out beforehand.

A view returns `{"page": ListPage(...)}`; the template of that page (named in each class) only loops and asks yes or no.
Besides `page` every template has `request`, `reader`, `shell` (web/frame.py), `icon(name)`, and `token` (the hidden
CSRF input). `Words` may be declared texts or sentences of the interface: the renderer translates them.
Nothing here reads the database: the views that fill a page take every value through the reader's policy. The pages of
forms, lists and records are in `forms/form_parts.py`, `lists/list_parts.py` and `records/record_parts.py`, with what
they are made of.

Inputs of the engine itself: `_csrf`, `_once` (one-time key), `_version`, `_step` (the step that was shown, from 0),
`_to` (submit button: the step to show next; smaller or equal to `_step`: nothing is checked and all that was typed
stays; absent: the form is finished), `_find.FIELD` (without JavaScript: what to look for in a link with many records).
"""

from dataclasses import dataclass

from portal.views.access.access_parts import Device
from portal.views.administration.reasons import Reason
from portal.views.parts import (
    DraftLine,
    Happening,
    HitsOfModule,
    HomeButton,
    LetterChoices,
    StepState,
    Widget,
)
from portal.views.records.history_parts import NewRecords
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
