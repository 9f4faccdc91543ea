"""`elapsed`: the time between two datetimes of the same record; it runs while the second is empty. Never stored."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field as Key

from portal.fields.base import Field
from portal.fields.base_shape import Names
from portal.fields.column_types import SecondsBetween, UTCDateTime
from portal.fields.duration import duration_in_words, in_units, parse_duration
from portal.fields.protocols import Declared
from portal.fields.reader import PLAIN, Reader
from portal.texts import is_blank

UNITS = ("day", "hour", "minute", "second")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class Elapsed(Field):
    type: Literal["elapsed"]
    computed: ClassVar[bool] = True
    virtual: ClassVar[bool] = True
    can_be_unique: ClassVar[bool] = False
    filter: ClassVar[str] = "range"
    sample: ClassVar[Mapping[str, Any]] = {"from": "opened", "to": "solved"}

    from_: Annotated[str, Names("field")] = Key(alias="from")
    to_: Annotated[str, Names("field")] = Key(alias="to")

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.from_, self.to_)

    def bind(self, declaration: Declared, module: Any) -> None:
        for name in self.sources:
            field = module.everything.get(name)
            if field is None or field.column_type is not UTCDateTime:
                raise ValueError(f'"{name}" is not a datetime of this module')

    def expression(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        # The clock that wrote the datetimes is the one that is read: the database may live elsewhere.
        now = sa.bindparam("now", callable_=_now, type_=UTCDateTime(), unique=True)
        return SecondsBetween(table.c[self.from_], sa.func.coalesce(table.c[self.to_], now))

    def parse(self, text: str, reader: Reader) -> int | None:
        return parse_duration(text, reader) if not is_blank(text) else None

    def show(self, value: Any, reader: Reader) -> str:
        """The two largest units: “3 days 4 hr”."""
        if value is None:
            return ""
        return duration_in_words(value, reader, UNITS if abs(value) < 60 else UNITS[:-1], most=2)

    def write(self, value: Any) -> str:
        return in_units(value)

    def constant(self, raw: Any, reader: Reader) -> int:
        return parse_duration(str(raw), PLAIN if isinstance(raw, int | float) else reader)

    def texts(self, value: Any) -> Iterable[str]:
        return ()
