"""What the pages about many records at once are made of. Plain values, like those of parts.py."""

from dataclasses import dataclass

from portal.views.parts import TitledLink
from portal.web.frame import Words


@dataclass(frozen=True)
class ManyAction:
    """A button that does something to all chosen records; `name`: what the input `do` says."""

    name: str
    label: Words
    icon: str = ""
    tone: str = ""


@dataclass(frozen=True)
class ManyForm:
    """The bar of a list whose records can be chosen."""

    url: str
    once: str
    total: str  # how many records match on all pages: “312”, “1,000+”
    actions: tuple[ManyAction, ...]


@dataclass(frozen=True)
class RefusedRecord:
    """A record to which nothing was done, and why."""

    name: str
    reason: Words
    label: Words = ""  # of the field whose answer was refused
    url: str = ""  # where the reader may see it


@dataclass(frozen=True)
class ManyPage:
    """many.pt: what became of each record."""

    heading: Words
    back_url: str
    summary: Words
    refused_summary: Words = ""
    done: tuple[TitledLink, ...] = ()  # without url: deleted
    refused: tuple[RefusedRecord, ...] = ()
