"""`elapsed`: the time between two datetimes of the same record; it runs while the second is empty. Never stored."""

import datetime
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field as Key

from portal.fields.base_shape import Names
from portal.fields.column_types import SecondsBetween, UTCDateTime
from portal.fields.duration import LengthOfTime, duration_in_words
from portal.fields.protocols import Declared
from portal.fields.reader import Reader

UNITS = ("day", "hour", "minute", "second")


class Elapsed(LengthOfTime):
    """Computed: the time between two datetimes; runs while the second is empty."""

    type: Literal["elapsed"]
    computed: ClassVar[bool] = True
    virtual: ClassVar[bool] = True
    can_be_unique: ClassVar[bool] = False
    sample: ClassVar[Mapping[str, Any]] = {"from": "opened", "to": "solved"}

    from_: Annotated[str, Names("field")] = Key(alias="from")
    to_: Annotated[str, Names("field")] = Key(alias="to")

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.from_, self.to_)

    def bind(self, declaration: Declared, module: Any) -> None:
        """Raises ValueError where `from` or `to` is no datetime of the module."""
        for name in self.sources:
            field = module.everything.get(name)
            if field is None or field.column_type is not UTCDateTime:
                raise ValueError(f'"{name}" is not a datetime of this module')
        if self.from_ == self.to_:
            raise ValueError("from and to are the same field, so no time passes between them")

    def expression(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """SQL for the seconds between the two; up to now while the second is empty."""
        # The clock that wrote the datetimes is the one that is read: the database may live elsewhere.
        clock = partial(datetime.datetime.now, datetime.UTC)
        now = sa.bindparam("now", callable_=clock, type_=UTCDateTime(), unique=True)
        return SecondsBetween(table.c[self.from_], sa.func.coalesce(table.c[self.to_], now))

    def show(self, value: Any, reader: Reader) -> str:
        """The two largest units: “3 days 4 hr”."""
        if value is None:
            return ""
        return duration_in_words(value, reader, UNITS if abs(value) < 60 else UNITS[:-1], most=2)

    def texts(self, value: Any) -> Iterable[str]:
        """None: it changes by itself."""
        return ()
