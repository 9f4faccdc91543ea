"""Statements that are built once for all readers of a kind and executed with each reader's own values.

Building the statements of a page takes longer than executing them. For the readers of a profile, they differ only in
which records belong to the reader, so the person and the companies are parameters; so are what a reader typed into a
filter and the moment in a condition of a list (reading/typed_values.py). Statements for scopes that depend on the
moment, and for rights that begin on a day, are built for each request.

No person or company is part of a shared statement: without the value of a parameter the driver refuses to run it, so
it cannot run with the values of another reader. Everything else that it depends on is in its StatementKey.
"""

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeVar

import sqlalchemy as sa

from portal.conditions import ALWAYS, Condition
from portal.database.sql import IdList
from portal.fields.reader import Reader

# Names of parameters.
PERSON, COMPANY, IDS = "reader_person", "reader_company_{}", "record_ids"
MOST_COMPANIES = 10  # of one reader; each is a parameter
MOST_STATEMENTS = 1_000  # for one kind of readers
NOT_BUILT: Any = object()
Built = TypeVar("Built")
Statement = sa.Select[Any] | sa.CompoundSelect[Any]


@dataclass(frozen=True)
class ReaderKind:
    """Readers who share statements on one day."""

    profile: str
    has_person: bool
    companies: int  # how many

    @classmethod
    def of(cls, profile: str, reader: Reader) -> "ReaderKind | None":
        """The kind of a reader; None for one with more than MOST_COMPANIES."""
        count = len(reader.companies)
        return None if count > MOST_COMPANIES else cls(profile, reader.person is not None, count)


class StatementKey(NamedTuple):
    """What a shared statement depends on, in addition to the kind of its readers. Conditions are equal only if the
    types of their values are (see Comparison)."""

    purpose: str
    module: str
    dialect: str = ""
    narrowed: Condition = ALWAYS
    conditions: tuple[tuple[Condition, ...], ...] = ()
    fields: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    start: Literal["first", "after", "before"] = "first"
    among_ids: bool = False
    size: int = 0
    ends: tuple[Any, ...] = ()  # of periods


class StatementCache:
    """The statements built for readers of one kind."""

    def __init__(self) -> None:
        self._built: dict[StatementKey, Any] = {}

    def __len__(self) -> int:
        return len(self._built)

    def get(self, key: StatementKey, build: Callable[[], Built]) -> Built:
        """What `build` returns, built once for each key."""
        # A single lookup: another thread may empty the cache between two.
        built: Built = self._built.get(key, NOT_BUILT)
        if built is NOT_BUILT:
            built = build()
            if len(self._built) >= MOST_STATEMENTS:
                self._built.clear()
            self._built[key] = built
        return built


def may_be_shared(conditions: Iterable[Condition]) -> bool:
    """Whether the SQL of `conditions` is the same for all readers of a kind, all day."""
    return not any(condition.needs_clock or condition.needs_reader for condition in conditions)


def shared_reader(reader: Reader) -> Reader:
    """The reader with which shared statements are built: the person and the companies are parameters.

    Its moment is the beginning of the day, since no shared statement needs more than the day.
    """
    midnight = datetime.datetime.combine(reader.today, datetime.time(), reader.time_zone)
    return replace(
        reader.machine,
        language=reader.default_language,
        now=midnight.astimezone(datetime.UTC),
        person=None if reader.person is None else _number_parameter(PERSON),
        companies=tuple(_number_parameter(COMPANY.format(place)) for place in range(len(reader.companies))),
    )


def values_of(reader: Reader) -> dict[str, Any]:
    """This reader's values for the parameters of `shared_reader`."""
    companies = {COMPANY.format(place): company for place, company in enumerate(reader.companies)}
    return {PERSON: reader.person, **companies}


def _number_parameter(name: str) -> Any:
    """A number in a shared statement whose value is bound at execution."""
    return sa.bindparam(name, type_=sa.BigInteger())


def id_list_parameter(name: str = IDS) -> Any:
    """The ids in a shared statement that are bound at execution as `name`."""
    return sa.bindparam(name, type_=IdList())
