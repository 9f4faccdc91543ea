"""The query of a list, a record, and a page of records: plain values passed between the records and their pages."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from portal.conditions import ALWAYS, Condition


@dataclass(frozen=True)
class Query:
    """The query of a list: what it shows. `text` is the general search; `after`/`before` are keys of a Page."""

    text: str = ""
    condition: Condition = ALWAYS
    sort: tuple[str, ...] = ()
    after: str = ""
    before: str = ""
    size: int = 25


class Record(NamedTuple):
    """One record as its reader may see it: `values` holds only the readable fields.

    `changed`: when something last happened to it, to tell what is new; never shown, since the reader may not be able to
    read it.
    """

    id: int
    module: str
    reference: str
    version: int
    values: Mapping[str, Any]
    title: str
    changed: datetime.datetime | None = None


@dataclass(frozen=True)
class Page:
    """Some records in order, and the keys of the neighboring pages, empty if there are none."""

    records: list[Record]
    next: str = ""
    previous: str = ""
    first: bool = True
