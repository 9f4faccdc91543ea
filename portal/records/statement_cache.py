"""Statements that are built once for everybody of a profile, and executed with each one's own values.

Building the statements of a page takes longer than their execution. What the declaration says is the same for
everybody of a profile but for whose records they are: so the person and the companies become parameters. What somebody
typed into a filter, what asks for the moment, and rights that begin on a day are built anew for each request.

No person and no company is part of what is kept: a statement without the value of a parameter is refused before it
reaches the database, it cannot run with another's. What a statement depends on besides stands in its key, word by word.
"""

import datetime
from collections.abc import Callable, Collection, Hashable, Iterable
from typing import Any

import sqlalchemy as sa

from portal.conditions import Condition, comparisons
from portal.fields.reader import Reader

# Parameters.
PERSON, COMPANY, IDS, SIZE = "reader_person", "reader_company_{}", "record_ids", "page_size"
MOST_COMPANIES = 10  # of one person; each is a parameter
LENGTHS = (1, 5, 10, 25, 50, 100, 200, 500)  # of lists of ids
MOST_KEPT = 1_000  # for readers of one kind
Statement = sa.Select[Any] | sa.CompoundSelect[Any]
PLAIN = str | int | float | datetime.date | datetime.timedelta | None


class AskedForTheMoment(Exception):
    """What is built for everybody wants to know what time it is."""


class SharedReader(Reader):
    """A reader of some profile on some day: the person and the companies are parameters."""

    @property
    def now(self) -> datetime.datetime:
        """Not known to anybody. Raises AskedForTheMoment."""
        raise AskedForTheMoment

    @now.setter
    def now(self, now: datetime.datetime) -> None:
        """Every reader is made with a moment; this one forgets it."""


def shared_reader(reader: Reader) -> SharedReader:
    """A reader who stands for all that have as many companies as `reader`, on the same day."""
    found = SharedReader(
        time_zone=reader.time_zone,
        currency=reader.currency,
        plain=True,  # what the declaration says is machine-written
        people=reader.people,
        organizations=reader.organizations,
        person=None if reader.person is None else parameter(PERSON),
        companies=tuple(parameter(COMPANY.format(place)) for place in range(len(reader.companies))),
    )
    vars(found)["today"] = reader.today
    return found


def values_of(reader: Reader) -> dict[str, Any]:
    """What the parameters of `anybody(reader)` are for this reader."""
    return {PERSON: reader.person, **{COMPANY.format(place): each for place, each in enumerate(reader.companies)}}


def parameter(name: str, several: bool = False) -> Any:
    """A number that is told when a statement is executed; or a list of them."""
    return sa.bindparam(name, type_=sa.BigInteger(), expanding=several)


def declared(conditions: Iterable[Condition]) -> str | None:
    """The conditions as a text that no other ones have; None where they hold what is not of the declaration, but was
    typed or is about one record."""
    conditions = tuple(conditions)
    plain = all(_is_plain(test.value) for each in conditions for test in comparisons(each))
    return repr(conditions) if plain else None


def _is_plain(value: Any) -> bool:
    return all(map(_is_plain, value)) if isinstance(value, tuple) else isinstance(value, PLAIN)


def few_lengths(ids: Collection[int]) -> list[int]:
    """The same ids, the last one repeated: so that a statement with a list of them comes in few lengths."""
    found = list(ids)
    length = next((length for length in LENGTHS if length >= len(found)), len(found))
    return found + found[-1:] * (length - len(found))


class StatementCache:
    """What has been built for readers of one kind, by what it depends on besides."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}

    def get(self, key: Hashable, build: Callable[[], Any]) -> Any:
        """What `build` gives, built once; None where it asks for the moment."""
        if key not in self._known:
            try:
                built = build()
            except AskedForTheMoment:
                built = None
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[key] = built
        return self._known.get(key)
