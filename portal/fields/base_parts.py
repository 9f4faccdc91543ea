"""Parts of the base of every field: for comparing fields, forms, lines, formulas, links, roll-ups, deadlines, existing
tables, files, JSON, and checks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, cast

import sqlalchemy as sa
from pydantic import StrictBool

from portal.conditions import ALWAYS, NEVER, Condition, comparisons
from portal.fields.base_shape import FormWhere, Shape
from portal.fields.comparisons import ORDER
from portal.fields.deadline import DeadlineRule
from portal.fields.linked_value import Linked
from portal.fields.protocols import Form
from portal.fields.reader import Reader
from portal.fields.refused import operator_refused
from portal.fields.row_form import RowForm
from portal.fields.stopwatch import Stopwatch

MeasureKind = Literal["number", "percent", "money", "duration", "date", "datetime", "text"]
FieldPlace = tuple[str, str]  # a field of a module
WITHOUT_SUM: tuple[MeasureKind, ...] = ("date", "datetime", "text")


class Measure(NamedTuple):
    """What a value is in computations: a percentage is a fraction, a duration a length of time.

    `places`: how many a number or percentage has after the decimal point.
    """

    kind: MeasureKind
    places: int = 0


class Compared(Shape):
    """The part of Field for conditions that compare two fields of a record: `{spent: {over: $budget}}`.

    An empty field is neither less than, greater than nor equal to another.
    """

    comparable: ClassVar[bool] = False  # whether conditions may compare two fields of this type

    name: str

    def expression(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """The SQL expression that conditions compare; computed types build it."""
        return table.c[self.name]

    def compare_fields(self, table: sa.FromClause, operator: str, other: "Compared") -> sa.ColumnElement[bool]:
        """SQL for a comparison with another field of the same type."""
        return cast(sa.ColumnElement[bool], ORDER[operator](self.expression(table), other.expression(table)))

    def matches_field(self, value: Any, operator: str, other: Any) -> bool:
        """The counterpart of `compare_fields` in Python, for the values of a form."""
        return value is not None and other is not None and bool(ORDER[operator](value, other))


class InForms(Shape):
    """The part of Field about other fields of a form."""

    read_only_when: FormWhere | None = None

    @property
    def suggested(self) -> tuple[str, ...]:
        """Texts that the input suggests; anything else may be typed too."""
        return ()

    @property
    def option_conditions(self) -> Mapping[str, Condition]:
        """When a form offers an option of this field, by name; without options that it always offers."""
        return {}

    @property
    def withheld(self) -> frozenset[str]:
        """The options that no form offers, because a profile does not offer them to its people."""
        return frozenset(name for name, condition in self.option_conditions.items() if condition == NEVER)

    @property
    def lower_bound_field(self) -> str | None:
        """The field of the same form whose value this one must not be less than, or must come after."""
        return None

    def lower_bound_hint(self, field: str) -> str:
        """The sentence about that field, by its label, in a form."""
        return ""

    def check_lower_bound(self, value: Any, least: Any, reader: Reader) -> None:
        """Raises Refused if `value` is less than `least`, or equal to it if that is not allowed."""


class InLines(Shape):
    """The part of Field about lines: as one of their columns, or as the field that holds them."""

    can_be_column: ClassVar[bool] = True  # of the rows of a `lines` field
    measure: ClassVar[Measure | None] = None  # its measure in formulas and totals; None if it has none

    internal: StrictBool = False

    @property
    def has_sum(self) -> bool:
        """Whether several of its values can be added up."""
        return self.measure is not None and self.measure.kind not in WITHOUT_SUM

    @property
    def row_fields(self) -> Mapping[str, Any]:
        """The columns of a field that holds rows; they are in a table of their own, not in the record's row."""
        return {}

    def rows_in(self, form: Form) -> Mapping[int, RowForm]:
        """The rows of a form by their index, in the order of the indexes."""
        return {}

    def wrong_number(self, number: int) -> str:
        """Why a record cannot have so many rows; "" if it can."""
        return ""

    def repeated_values(self, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> Iterable[tuple[int, str]]:
        """The rows, by the given numbers, that repeat the value of a unique column, with the name of the column."""
        return ()

    def has_total(self, column: str) -> bool:
        """Whether the total of a column is shown below it."""
        return False

    def totals_of(self, value: Any, column: str) -> tuple[Any, ...]:
        """The exact totals of a column: one for each currency in it; none if it is empty."""
        return ()

    def summary_cell(self, value: Any) -> str:
        """The rows in one cell of an exported list."""
        return ""

    @property
    def columns_read(self) -> tuple[tuple[str, str], ...]:
        """The columns of rows that a computed field of the record reads: (field, column)."""
        return ()

    def is_internal_change(self, before: Any, after: Any) -> bool:
        """Whether only staff may see the difference between two values."""
        return self.internal

    def internal_texts(self, value: Any) -> Iterable[str]:
        """The texts that only staff may find, in a field that is not internal as a whole."""
        return ()


class InFormulas(Shape):
    """The part of Field about computing: which fields a computed field reads, and how formulas are computed."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The dotted paths of the fields from which a field is computed."""
        return ()

    def sources_in(self, module: Any) -> tuple[str, ...]:
        """The `sources`, and other fields of its module that a computed field reveals."""
        return self.sources

    def bind_formula(self, fields: Mapping[str, Any], waiting: tuple[str, ...]) -> None:
        """Binds a formula among the `fields` of its record, before others that read it. Raises ValueError."""

    def compute(self, values: Mapping[str, Any], currency: str) -> Any:
        """The value of a formula for a record with `values`; `currency` is the portal's."""
        return None

    @property
    def gives_title(self) -> bool:
        """Whether a formula may be the title of the records of its module: its result is a text, and not secret."""
        return False

    @property
    def recipe(self) -> dict[str, Any]:
        """Everything that determines the value of a formula or roll-up, except the types of what it reads, as JSON."""
        return {}


class Linking(Shape):
    """The part of Field about links to records of other modules."""

    beside_titles: ClassVar[tuple[str, ...]] = ()  # fields of linked records shown with their titles in choices

    @property
    def targets(self) -> tuple[str, ...]:
        """The modules that a link, or a lookup of a link, leads to."""
        return ()

    @property
    def several_targets(self) -> bool:
        """Whether a link may lead to one of several modules, whose name is then stored with the id."""
        return len(self.targets) > 1

    @property
    def target_condition(self) -> Condition | None:
        """Which records of its targets a link offers; None for all."""
        return None

    @property
    def needs_record(self) -> bool:
        """Whether a link offers only what links to the record itself, so that a new record has nothing to choose."""
        return any(
            "id" in comparison.other_fields and comparison.path != ("id",)
            for comparison in comparisons(self.target_condition or ALWAYS)
        )

    @property
    def on_target_deleted(self) -> Literal["refuse", "clear", "cascade"]:
        """When a linked record is deleted: whether that is refused, the link is emptied, or the record goes too."""
        return "refuse"

    @property
    def link_path(self) -> tuple[str, ...]:
        """The fields that a lookup follows, the first of them a link of the same record."""
        return ()

    @property
    def module_column(self) -> str | None:
        """The name of the companion column that says which of several modules a link leads to."""
        return None

    def titles(self, table: sa.FromClause) -> sa.ColumnElement[Any] | None:
        """For links, the column of the linked table by which `order` sorts."""
        return None

    def links_in(self, value: Any) -> tuple[Linked, ...]:
        """The linked records of a value."""
        return ()

    def link_value(self, link: Linked) -> str:
        """The value of an input that means `link`: the id, or `MODULE:ID` if the field leads to several modules."""
        return f"{link.module}:{link.id}" if self.several_targets else str(link.id)

    def parse_filter_id(self, text: str) -> Any:
        """A filter's `FIELD.id=text` → the constant for `compare`, for links. Raises Refused."""
        raise operator_refused("id")


class OverOthers(Shape):
    """The part of Field about roll-ups: numbers computed from the records that link to one."""

    @property
    def rollup(self) -> Any:
        """The field itself if it is a Rollup, which says what it is over; else None."""
        return None

    @property
    def rollups(self) -> tuple[Any, ...]:
        """The roll-ups that its values reveal: itself, or those that it reads."""
        return (self.rollup,) if self.rollup else ()


class WithDeadline(Shape):
    """The part of Field about moments, deadlines, and times counted like them."""

    is_moment: ClassVar[bool] = False  # its values are moments, shown in the reader's time zone

    @property
    def takes_days(self) -> bool:
        """Whether a moment may also be a day without a time (WholeDay)."""
        return False

    @property
    def sets_deadline(self) -> bool:
        """Whether the portal sets the field; `deadline_rule` says how."""
        return False

    @property
    def done_field(self) -> str | None:
        """The field with the moment at which the work due at this one was done; None if the field names none."""
        return None

    @property
    def deadline_rule(self) -> DeadlineRule | None:
        """How the portal sets the field, once bound; None if it does not."""
        return None

    def due(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """SQL for the moment after which work due at the value, a moment, is late."""
        return cast(sa.ColumnElement[Any], table.c[cast(Any, self).name])

    @property
    def judged_deadlines(self) -> tuple[str, ...]:
        """The deadlines of the record about which the field says whether they were met."""
        return ()

    @property
    def stopwatch(self) -> Stopwatch | None:
        """The stopwatch of an elapsed time that the database alone cannot compute, once bound; else None."""
        return None


class FromColumn(Shape):
    """The part of Field about existing tables: which column holds its values."""

    from_column: ClassVar[bool] = True  # whether one column of an existing table can hold its values

    column: str | None = None  # its name there, if it is not that of the field

    def constants(self, currency: str) -> Mapping[str, str]:
        """Values of companion columns that an existing table does not have; `currency`: the portal's."""
        return {}


class WithFiles(Shape):
    """The part of Field about files: for fields whose values are uploaded, and have rows in `portal_file`."""

    by_upload: ClassVar[bool] = False  # no text, default or other field provides a value

    def files_in(self, value: Any) -> tuple[Any, ...]:
        """The files of a value (FileValue)."""
        return ()

    @property
    def needs_preview(self) -> bool:
        """Whether only pictures that can be shown are accepted."""
        return False

    def of_files(self, files: Sequence[Any]) -> Any:
        """The value that consists of these files. Raises Refused if there are too many."""
        return None


class InJson(Shape):
    """The part of Field about the schema of its JSON, which programs read and write; Field converts the values."""

    json_type: ClassVar[str] = "string"

    def json_schema(self, *, written: bool) -> dict[str, Any]:
        """The JSON Schema of the value; `written`: of accepted values, which may differ from those returned."""
        return {"type": [self.json_type, "null"]}


class Checked(Shape):
    """The part of Field that checks of a declaration use: values that never occur."""

    @property
    def gaps(self) -> tuple[str, ...]:
        """The combinations of options for which a formula has no value."""
        return ()

    @property
    def never_given(self) -> tuple[str, ...]:
        """The options that do not occur in the table of a formula."""
        return ()

    def near(self, constant: Any) -> tuple[Any, ...]:
        """The value in a condition and its neighbors: if none of them fulfills it, none does. Empty if unknown."""
        return ()


class Parts(
    Compared, InLines, InForms, InFormulas, Linking, OverOthers, WithDeadline, FromColumn, WithFiles, InJson, Checked
):
    """All parts of the base of every field."""
