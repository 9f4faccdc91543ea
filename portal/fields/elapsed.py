"""`elapsed`: the time between two datetimes of the same record, which runs while the second is empty; or how long the
record has been in some states. The value itself is not stored: working time, and time in states, is read from the
columns of its stopwatch."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field as Key
from pydantic import PrivateAttr, StrictBool

from portal.fields.base_shape import Names
from portal.fields.column_types import SecondsBetween, UTCDateTime, present_moment, present_number
from portal.fields.datetime import States
from portal.fields.duration import LengthOfTime, duration_in_words
from portal.fields.protocols import Declared
from portal.fields.reader import Reader
from portal.fields.stopwatch import Stopwatch
from portal.fields.working_hours import WorkingHours

UNITS = ("day", "hour", "minute", "second")
OF_WORK = ("hour", "minute")  # a working day is shorter than a day


class IncompleteError(ValueError):
    """The declaration does not say what is counted."""


class Elapsed(LengthOfTime):
    """Computed: the time between two datetimes, or in some states; runs while the second is empty."""

    type: Literal["elapsed"]
    searchable: ClassVar[bool] = False  # it changes by itself
    computed: ClassVar[bool] = True
    virtual: ClassVar[bool] = True
    can_be_unique: ClassVar[bool] = False
    sample: ClassVar[Mapping[str, Any]] = {"from": "opened", "to": "solved"}

    from_: Annotated[str, Names("field")] | None = Key(None, alias="from")
    to_: Annotated[str, Names("field")] | None = Key(None, alias="to")
    in_: States = Key((), alias="in")
    hours: StrictBool = False

    _stopwatch: Stopwatch | None = PrivateAttr(None)

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(name for name in (self.from_, self.to_) if name)

    def sources_in(self, module: Any) -> tuple[str, ...]:
        """Also the state field, if time in states is counted."""
        return (*self.sources, module.state_field) if self.in_ and module.state_field else self.sources

    def bind(self, declaration: Declared, module: Any) -> None:
        """Raises ValueError if it is unclear what is counted, or if `from` or `to` is not a datetime of the module."""
        if bool(self.in_) == bool(self.from_ and self.to_) or (self.in_ and self.sources):
            raise IncompleteError("must have from: and to:, two datetimes, or in:, the states that count")
        for name in self.sources:
            field = module.everything.get(name)
            if field is None or field.column_type is not UTCDateTime:
                raise ValueError(f'"{name}" is not a datetime of this module')
            if self.hours and (field.rollup or name == "modified"):
                raise ValueError(f'"{name}" changes by itself, so no working time is counted from it')
        if self.from_ and self.from_ == self.to_:
            raise ValueError("from and to are the same field, so no time passes between them")
        hours = WorkingHours.of(declaration.settings) if self.hours else WorkingHours()
        if self._is_kept:
            states = frozenset(self.in_)
            self._stopwatch = Stopwatch(self.from_ or "", self.to_ or "", states, hours, self._stopwatch_columns)

    # -- the database ---------------------------------------------------------------------------------------------

    @property
    def _is_kept(self) -> bool:
        """Whether there is a stopwatch: the database alone cannot compute working time or past states."""
        return self.hours or bool(self.in_)

    @property
    def stopwatch(self) -> Stopwatch | None:
        return self._stopwatch

    @property
    def _stopwatch_columns(self) -> tuple[str, str]:
        return f"_{self.name}_total", f"_{self.name}_since"

    def columns(self) -> list[sa.Column[Any]]:
        """Those of its stopwatch, if it has one."""
        return [sa.Column(name, sa.BigInteger()) for name in self._stopwatch_columns] if self._is_kept else []

    def expression(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """SQL for the seconds, up to now while it runs."""
        if not self._is_kept:
            start, end = (table.c[name] for name in self.sources)
            return SecondsBetween(start, sa.func.coalesce(end, present_moment()))
        hours = self._stopwatch.hours if self._stopwatch else WorkingHours()
        total, since = (table.c[name] for name in self._stopwatch_columns)
        return sa.func.coalesce(total, present_number(hours.reading) - since)

    def constant(self, raw: Any, reader: Reader) -> int:
        """As for a duration; `-2 h` is in the future."""
        text = str(raw).strip().replace("\u2212", "-")
        if not text.startswith("-"):
            return super().constant(raw, reader)
        return -super().constant(int(text[1:]) if text[1:].isdigit() else text[1:], reader)

    # -- for people -----------------------------------------------------------------------------------------------

    def show(self, value: Any, reader: Reader) -> str:
        """The two largest units: “3 days 4 hr”; for working time, hours and minutes."""
        if value is None:
            return ""
        if self.hours:
            return duration_in_words(value, reader, OF_WORK)
        return duration_in_words(value, reader, UNITS if abs(value) < 60 else UNITS[:-1], most=2)
