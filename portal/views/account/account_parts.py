"""The pages of signing in and of the reader's own account, and their parts. Plain values, as in views/parts.py."""

from dataclasses import dataclass

from portal.texts import Words
from portal.views.forms.form_parts import StepState, Widget
from portal.views.parts import Moment


@dataclass(frozen=True)
class DeviceShown:
    """A browser in which the reader is signed in."""

    key: str
    browser: Words
    system: str
    icon: str
    since: Moment
    seen: Moment
    current: bool = False


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


@dataclass(frozen=True)
class AccountPage:
    """account.pt"""

    letters: LetterChoices
    drafts: tuple[DraftLine, ...] = ()
    devices: tuple[DeviceShown, ...] = ()


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
