"""`timeliness`: whether a deadline runs, stands still, has passed, was met or missed. Computed whenever it is read."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field as Key
from pydantic import PrivateAttr, field_validator

from portal.fields.base import Field
from portal.fields.base_shape import Names, Option
from portal.fields.choice import HasOptions, read_options
from portal.fields.column_types import UTCDateTime, present_moment
from portal.fields.protocols import Declared
from portal.fields.reader import Reader
from portal.texts import TranslatedText, _

# In the order in which lists sort: first what needs somebody. Each with its label and its tone.
OPTIONS = {
    "overdue": (_("Overdue"), "bad"),
    "running": (_("On track"), "info"),
    "paused": (_("Paused"), "warn"),
    "missed": (_("Missed"), "bad"),
    "met": (_("Met"), "good"),
}


def _with_defaults(written: Mapping[str, Any]) -> dict[str, Any]:
    usual = {name: {"label": TranslatedText(label), "tone": tone} for name, (label, tone) in OPTIONS.items()}
    return {name: {**keys, **written.get(name, {})} for name, keys in usual.items()}


class Timeliness(HasOptions):
    """Computed: whether a deadline is overdue, on track or paused, and in the end met or missed."""

    type: Literal["timeliness"]
    searchable: ClassVar[bool] = False  # it changes by itself
    computed: ClassVar[bool] = True
    virtual: ClassVar[bool] = True
    can_be_unique: ClassVar[bool] = False
    textual: ClassVar[bool] = False
    display: ClassVar[str] = "pill"
    sample: ClassVar[Mapping[str, Any]] = {"of": "opened", "to": "solved"}

    of: Annotated[str, Names("field")]
    to_: Annotated[str, Names("field")] | None = Key(None, alias="to")
    options: dict[str, Option] = Key(default_factory=lambda: _with_defaults({}), validate_default=True)

    _due: Field = PrivateAttr()
    _done: str = PrivateAttr("")
    _state: str | None = PrivateAttr(None)

    @field_validator("options", mode="before")
    @classmethod
    def _options(cls, entry: Any) -> Any:
        """The usual options, with the labels, tones and icons that are written."""
        written = read_options(entry)
        if not isinstance(written, Mapping):
            return written
        for name in written:
            if name not in OPTIONS:
                raise ValueError(f'no option "{name}": those of a deadline are {", ".join(OPTIONS)}')
        return _with_defaults({name: {"label": keys["label"], **keys} for name, keys in written.items()})

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.of, self.to_) if self.to_ else (self.of,)

    def sources_in(self, module: Any) -> tuple[str, ...]:
        """Besides the end that the deadline names, and the state by which that pauses and stops."""
        due = module.fields.get(self.of)
        done, state = self.to_ or getattr(due, "to_", None), getattr(due, "within", None) and module.state_field
        return tuple(filter(None, (self.of, done, state)))

    def bind(self, declaration: Declared, module: Any) -> None:
        """Finds the deadline and the moment of its end. Raises ValueError."""
        self._due, self._state = module.everything[self.of], module.state_field
        done = self.to_ or getattr(self._due, "to_", None)
        if done is None:
            raise ValueError(f'to: is missing, the datetime at which the work is done, here or at "{self.of}"')
        for name in (self.of, done):
            field = module.everything.get(name)
            if field is None or field.column_type is not UTCDateTime:
                raise ValueError(f'"{name}" is not a datetime of this module')
        if done == self.of:
            raise ValueError("of and to are the same field, so every deadline would be met")
        self._done = done

    # -- the database ---------------------------------------------------------------------------------------------

    def expression(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """SQL for the name of the option."""
        return self._case(table, {name: sa.literal_column(f"'{name}'") for name in OPTIONS})

    def order(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """SQL for the place of the option."""
        return self._case(table, {name: sa.literal_column(str(rank)) for rank, name in enumerate(OPTIONS)})

    def _case(self, table: sa.FromClause, results: Mapping[str, sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
        due, done, rule = table.c[self.of], table.c[self._done], self._due.deadline_rule
        state = table.c[self._state] if rule and self._state else sa.null()
        pauses, stops = (state.in_(sorted(states)) for states in ((rule.pause, rule.stop) if rule else ((), ())))
        left = table.c[rule.clock_column]["left"].as_integer() if rule else sa.null()
        has_deadline = sa.or_(due.is_not(None), left.is_not(None))  # people may have set one during the pause
        return sa.case(
            (sa.and_(done.is_(None), pauses, has_deadline), results["paused"]),
            (due.is_(None), sa.null()),
            (done <= due, results["met"]),
            (done > due, results["missed"]),
            (stops, sa.null()),  # the work ended and was not done
            (due < present_moment(), results["overdue"]),
            else_=results["running"],
        )

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """Overdue also says what the index of the deadline finds."""
        comparison = super().compare(table, operator, value)
        if operator == "equal" and value == "overdue":
            return sa.and_(comparison, table.c[self.of] < present_moment())
        return comparison

    # -- for people -----------------------------------------------------------------------------------------------

    def show(self, value: Any, reader: Reader) -> str:
        """The label of the option."""
        return self.label_of(value or "", reader)
