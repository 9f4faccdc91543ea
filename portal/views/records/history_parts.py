"""The parts of pages that tell what happened to records, and what of it is new. Plain values, as those of parts.py."""

from dataclasses import dataclass

from portal.views.parts import Moment
from portal.web.frame import Words


@dataclass(frozen=True)
class ChangeShown:
    """A field that changed; without `has_values` nothing more is known than that."""

    label: Words
    before: str = ""
    after: str = ""
    has_values: bool = False


@dataclass(frozen=True)
class HistoryLine:
    """One event."""

    at: Moment
    author: Words  # “You” where it is the reader
    sentence: Words = ""
    detail: str = ""  # what it is about: the name of a file, of a person
    url: str = ""  # where that leads
    changes: tuple[ChangeShown, ...] = ()
    channel: Words = ""  # where it is not the portal itself
    channel_icon: str = ""
    internal: bool = False
    record: Words = ""  # among the events of all records
    record_url: str = ""


@dataclass(frozen=True)
class History:
    """The card on the page of a record."""

    lines: tuple[HistoryLine, ...]
    all_url: str = ""  # where there are more


@dataclass(frozen=True)
class RecordNews:
    """What the page of a record says of its news."""

    seen_url: str = ""  # where “seen” is sent; empty: nothing is new
    key: str = ""  # of the state that the page shows
    hide_url: str = ""
    hidden: bool = False


@dataclass(frozen=True)
class HiddenRecords:
    """The line of a list that leaves out records which the reader has hidden, or shows these alone."""

    text: Words
    url: str
    label: Words


@dataclass(frozen=True)
class NewRecords:
    """A module with something new, on the home page."""

    label: Words
    icon: str
    count: str
    url: str
