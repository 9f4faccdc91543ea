"""Parts of pages that several folders use, and the contract between views and templates.

A page holds what its template shows, as plain values computed beforehand. A view returns its page, such as
HomePage(...); the template of that page (named in each class) only loops and asks yes or no. Besides `page` every
template has `request`, `reader`, `frame` (web/frame.py), `icon(name)`, and `token` (the hidden CSRF input). `Words` may
be declared texts or sentences of the interface: the renderer translates them. No template reads the database: the
views that fill a page take every value through the reader's policy.

A page and its own parts are in the file of its view.
"""

from dataclasses import dataclass

from portal.texts import Words

Pairs = tuple[tuple[str, str], ...]  # hidden inputs: (name, value), names may repeat


@dataclass(frozen=True)
class Moment:
    """A point in time: exact for machines, written out for people; a script adds “8 minutes ago”."""

    iso: str  # 2026-11-22T03:14:00+00:00
    text: str  # in the reader's language and zone
    zone: str = ""  # named if it matters


@dataclass(frozen=True)
class TitledLink:
    """The title of a record, and its page."""

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
    """The header of a column of lines."""

    label: Words
    help: Words = ""
    number: bool = False
    required: bool = False
