"""The contract between views and templates: what each page shows, as plain values worked out beforehand.

A view returns `{"page": HomePage(...)}`; the template of that page (named in each class) only loops and asks yes or no.
Besides `page` every template has `request`, `reader`, `frame` (web/frame.py), `icon(name)`, and `token` (the hidden
CSRF input). `Words` may be declared texts or sentences of the interface: the renderer translates them. Nothing here
reads the database: the views that fill a page take every value through the reader's policy.

Here are the home page, the page of errors, and what pages of several folders are made of. The pages of a folder, with
their own parts, are in its `…_parts.py`.
"""

from dataclasses import dataclass

from portal.texts import Words
from portal.views.administration.reasons import Reason

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
class LineHead:
    """The head of a column of lines."""

    label: Words
    help: Words = ""
    number: bool = False
    required: bool = False


# -- the home page, and errors -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HomeButton:
    label: Words
    icon: str
    url: str
    text: Words = ""
    tone: str = ""
    count: str = ""


@dataclass(frozen=True)
class NewRecords:
    """A module with something new, on the home page."""

    label: Words
    icon: str
    count: str
    url: str


@dataclass(frozen=True)
class Happening:
    """One line of the latest activity."""

    title: Words
    text: Words
    at: Moment
    url: str = ""
    initials: str = ""  # or an icon
    icon: str = ""


@dataclass(frozen=True)
class HomePage:
    """home.pt; `activity` None: there is no such panel."""

    greeting: Words
    about: Words = ""
    buttons: tuple[HomeButton, ...] = ()
    activity: tuple[Happening, ...] | None = None
    news: tuple[NewRecords, ...] = ()


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
