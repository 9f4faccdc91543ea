"""`timeliness`: whether a deadline is running, paused, overdue, met or missed; for several deadlines, the most pressing
one. Computed whenever it is read."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import BeforeValidator, PrivateAttr, field_validator
from pydantic import Field as Key

from portal.fields.base import Field
from portal.fields.base_shape import Names, OneOrSeveral, Option, as_list
from portal.fields.choice import HasOptions, read_options
from portal.fields.column_types import UTCDateTime, present_moment
from portal.fields.periods import Period
from portal.fields.protocols import Declared
from portal.fields.reader import Reader
from portal.texts import TranslatedText, _

# In the sort order of lists: the most pressing first. Each with its label and its tone.
OPTIONS = {
    "overdue": (_("Overdue"), "bad"),
    "soon": (_("Due soon"), "warn"),  # only with the key `soon`
    "running": (_("On track"), "info"),
    "paused": (_("Paused"), "warn"),
    "missed": (_("Missed"), "bad"),
    "met": (_("Met"), "good"),
}


Deadlines = Annotated[tuple[Annotated[str, Names("field")], ...], BeforeValidator(as_list), OneOrSeveral()]


def _with_defaults(written: Mapping[str, Any]) -> dict[str, Any]:
    usual = {name: {"label": TranslatedText(label), "tone": tone} for name, (label, tone) in OPTIONS.items()}
    return {name: {**keys, **written.get(name, {})} for name, keys in usual.items()}


# A deadline, and the name of the datetime at which its work was done.
Deadline = tuple[Field, str]
Results = Mapping[str, sa.ColumnElement[Any]]


class Timeliness(HasOptions):
    """Computed: whether a deadline, or the most pressing of several, is overdue, on track, paused, missed or met."""

    type: Literal["timeliness"]
    searchable: ClassVar[bool] = False  # it changes by itself
    computed: ClassVar[bool] = True
    virtual: ClassVar[bool] = True
    can_be_unique: ClassVar[bool] = False
    textual: ClassVar[bool] = False
    display: ClassVar[str] = "pill"
    sample: ClassVar[Mapping[str, Any]] = {"of": "opened", "to": "solved"}

    of: Annotated[Deadlines, Key(min_length=1)]
    to_: Annotated[str, Names("field")] | None = Key(None, alias="to")
    soon: Period | None = None  # how long before a running deadline it is due soon
    options: dict[str, Option] = Key(default_factory=lambda: _with_defaults({}), validate_default=True)

    _deadlines: tuple[Deadline, ...] = PrivateAttr(())
    _state: str | None = PrivateAttr(None)

    @field_validator("options", mode="before")
    @classmethod
    def _options(cls, entry: Any) -> Any:
        """The usual options, with the declared labels, tones and icons."""
        options = read_options(entry)
        if not isinstance(options, Mapping):
            return options
        for name in options:
            if name not in OPTIONS:
                raise ValueError(f'no option "{name}": those of a deadline are {", ".join(OPTIONS)}')
        return _with_defaults({name: {"label": keys["label"], **keys} for name, keys in options.items()})

    @property
    def offered(self) -> dict[str, Option]:
        return {name: option for name, option in self.options.items() if self.soon or name != "soon"}

    @property
    def declared_options(self) -> dict[str, Option]:
        return self.offered

    @property
    def never_given(self) -> tuple[str, ...]:
        is_usual = self.options["soon"].label == TranslatedText(OPTIONS["soon"][0])
        return () if self.soon or is_usual else ("soon",)

    @property
    def judged_deadlines(self) -> tuple[str, ...]:
        return self.of

    @property
    def sources(self) -> tuple[str, ...]:
        return (*self.of, self.to_) if self.to_ else self.of

    def sources_in(self, module: Any) -> tuple[str, ...]:
        """Also the ends that the deadlines name, and the state in which they pause and stop."""
        deadlines = [module.fields[name] for name in self.of if name in module.fields]
        ends = [self.to_ or due.done_field for due in deadlines]
        state = any(due.sets_deadline for due in deadlines) and module.state_field
        return tuple(filter(None, (*self.of, *ends, state)))

    def bind(self, declaration: Declared, module: Any) -> None:
        """Finds the deadlines and the moments of their ends. Raises ValueError."""
        self._state = module.state_field
        self._deadlines = tuple(self._deadline(module, name) for name in self.of)

    def _deadline(self, module: Any, name: str) -> Deadline:
        due = module.everything[name]
        done = self.to_ or due.done_field
        if done is None:
            raise ValueError(f'to: is missing, the datetime at which the work is done, here or at "{name}"')
        for moment in (name, done):
            field = module.everything.get(moment)
            if field is None or field.column_type is not UTCDateTime:
                raise ValueError(f'"{moment}" is not a datetime of this module')
        if done == name:
            raise ValueError("of and to are the same field, so every deadline would be met")
        return due, done

    # -- the database ---------------------------------------------------------------------------------------------

    def expression(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """SQL for the name of the option."""
        return self._case(table, {name: sa.literal_column(f"'{name}'") for name in OPTIONS})

    def order(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """SQL for the place of the option."""
        return self._case(table, {name: sa.literal_column(str(rank)) for rank, name in enumerate(OPTIONS)})

    def _case(self, table: sa.FromClause, results: Results) -> sa.ColumnElement[Any]:
        """The result for the most pressing deadline."""
        if len(self._deadlines) == 1:
            return self._status(table, *self._deadlines[0], results)
        names: dict[str, sa.ColumnElement[Any]] = {name: sa.literal_column(f"'{name}'") for name in OPTIONS}
        statuses = [self._status(table, due, done, names) for due, done in self._deadlines]
        ways = [(sa.or_(*(status == names[name] for status in statuses)), results[name]) for name in self.options]
        return sa.case(*ways, else_=sa.null())

    def _status(self, table: sa.FromClause, deadline: Field, end: str, results: Results) -> sa.ColumnElement[Any]:
        due, done, rule = deadline.due(table), table.c[end], deadline.deadline_rule
        state = table.c[self._state] if rule and self._state else sa.null()
        pauses, stops = (state.in_(sorted(states)) for states in ((rule.pause, rule.stop) if rule else ((), ())))
        left = table.c[rule.clock_column]["left"].as_integer() if rule else sa.null()
        has_deadline = sa.or_(due.is_not(None), left.is_not(None))  # people may have set one during the pause
        return sa.case(
            (sa.and_(done.is_(None), pauses, has_deadline), results["paused"]),
            (due.is_(None), sa.null()),
            (done <= due, results["met"]),
            (done > due, results["missed"]),
            (stops, sa.null()),  # the work ended without being done
            (due < present_moment(), results["overdue"]),
            *([(due <= present_moment(self.soon), results["soon"])] if self.soon else []),
            else_=results["running"],
        )

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """For `overdue`, adds a condition that the indexes of the deadlines can answer."""
        comparison = super().compare(table, operator, value)
        if operator == "equal" and value == "overdue":
            return sa.and_(comparison, sa.or_(*(table.c[name] < present_moment() for name in self.of)))
        return comparison

    # -- for people -----------------------------------------------------------------------------------------------

    def show(self, value: Any, reader: Reader) -> str:
        """The label of the option."""
        return self.label_of(value or "", reader)
