"""Parts of the base of every field: compared with others, as a column of lines, in forms, links, in tables of others,
in formulas, of files, in JSON, for checks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, cast

import sqlalchemy as sa
from pydantic import StrictBool

from portal.conditions import Condition
from portal.fields.base_shape import FormWhere, Shape
from portal.fields.comparisons import ORDER
from portal.fields.deadline import DeadlineRule
from portal.fields.linked_value import Linked
from portal.fields.protocols import Form
from portal.fields.reader import Reader
from portal.fields.refused import operator_refused
from portal.fields.row_form import RowForm
from portal.fields.stopwatch import Stopwatch

Kind = Literal["number", "percent", "money", "duration", "date", "datetime", "text"]
Place = tuple[str, str]  # a field of a module
WITHOUT_SUM: tuple[Kind, ...] = ("date", "datetime", "text")


class Measure(NamedTuple):
    """A percentage is computed with as a fraction, a duration as a length of time.

    `places`: how many a number or percentage has behind the decimal point.
    """

    kind: Kind
    places: int = 0


class Compared(Shape):
    """The part of Field that has to do with conditions that compare two fields of a record: `{spent: {over: $budget}}`.

    An empty field is neither less nor more than another one, nor equal to it.
    """

    comparable: ClassVar[bool] = False  # whether conditions may compare two fields of this type

    name: str

    def expression(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """The SQL that conditions compare; computed types build it."""
        return table.c[self.name]

    def compare_fields(self, table: sa.FromClause, operator: str, other: "Compared") -> sa.ColumnElement[bool]:
        """SQL for a comparison with another field of the same type."""
        return cast(sa.ColumnElement[bool], ORDER[operator](self.expression(table), other.expression(table)))

    def matches_field(self, value: Any, operator: str, other: Any) -> bool:
        """The twin of `compare_fields` in Python, for the values of a form."""
        return value is not None and other is not None and bool(ORDER[operator](value, other))


class InForms(Shape):
    """The part of Field that has to do with the other fields of a form."""

    read_only_when: FormWhere | None = None

    @property
    def suggested(self) -> tuple[str, ...]:
        """Texts that the input offers, beside which anything may be typed."""
        return ()

    @property
    def option_conditions(self) -> Mapping[str, Condition]:
        """When a form offers an option of this field, by its name; those that it always offers are left out."""
        return {}

    @property
    def lower_bound_field(self) -> str | None:
        """The field of the same form whose value is the least that this one may have, or lies before it."""
        return None

    def lower_bound_hint(self, field: str) -> str:
        """The sentence that names that field, by its label, to who fills in the form."""
        return ""

    def check_lower_bound(self, value: Any, least: Any, reader: Reader) -> None:
        """Raises Refused where `value` is less than `least`, or equal to it where that is not allowed."""


class InLines(Shape):
    """The part of Field that has to do with lines: as one of their columns, or holding them itself."""

    can_be_column: ClassVar[bool] = True  # of the rows of a `lines` field
    measure: ClassVar[Measure | None] = None  # what formulas and totals compute with; None if they cannot

    internal: StrictBool = False

    @property
    def has_sum(self) -> bool:
        """Whether several of its values can be added up."""
        return self.measure is not None and self.measure.kind not in WITHOUT_SUM

    @property
    def row_fields(self) -> Mapping[str, Any]:
        """The columns of a field that holds rows; they stand in a table of their own, none in the record's own row."""
        return {}

    def rows_in(self, form: Form) -> Mapping[int, RowForm]:
        """The rows of a form by their index, in the order of the indexes."""
        return {}

    def wrong_number(self, number: int) -> str:
        """Why a record cannot have so many rows; "" if it can."""
        return ""

    def repeated_values(self, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> Iterable[tuple[int, str]]:
        """The rows, by the numbers that come with them, that repeat the value of a unique column, which is named."""
        return ()

    def has_total(self, column: str) -> bool:
        """Whether what a column comes to stands below it."""
        return False

    def totals_of(self, value: Any, column: str) -> tuple[Any, ...]:
        """The totals of a column, exact: one for each currency that occurs in it; none if it is empty."""
        return ()

    def summary_cell(self, value: Any) -> str:
        """The rows in one cell of a list that is exported."""
        return ""

    @property
    def columns_read(self) -> tuple[tuple[str, str], ...]:
        """The columns of rows that a computed field of their record reads: (field, column)."""
        return ()

    def is_internal_change(self, before: Any, after: Any) -> bool:
        """Whether only staff may see the difference between two values."""
        return self.internal

    def internal_texts(self, value: Any) -> Iterable[str]:
        """The texts that only staff may find, of a field that is not internal as a whole."""
        return ()


class InFormulas(Shape):
    """The part of Field that has to do with what is computed: from which fields, and how formulas are."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The dotted paths of the fields from which a computed field is made."""
        return ()

    def sources_in(self, module: Any) -> tuple[str, ...]:
        """The `sources`, and what else of its module a computed field tells of."""
        return self.sources

    def bind_formula(self, fields: Mapping[str, Any], waiting: tuple[str, ...]) -> None:
        """Binds a formula among the `fields` of its record before others are, which read it. Raises ValueError."""

    def compute(self, values: Mapping[str, Any], currency: str) -> Any:
        """What a formula gives for a record with `values`; `currency` is the portal's."""
        return None

    @property
    def gives_title(self) -> bool:
        """Whether a formula may name the records of its module: its result is a text, and no secret."""
        return False

    @property
    def recipe(self) -> dict[str, Any]:
        """All that decides about the value of a formula or a roll-up but the types of what it reads, as plain JSON."""
        return {}


class Linking(Shape):
    """The part of Field that has to do with links to records of other modules."""

    beside_titles: ClassVar[tuple[str, ...]] = ()  # what of linked records stands beside their titles, to choose by

    @property
    def targets(self) -> tuple[str, ...]:
        """The modules that a link, or a lookup of a link, leads to."""
        return ()

    @property
    def several_targets(self) -> bool:
        """Whether a link may lead to one of several modules, whose name then stands beside the id."""
        return len(self.targets) > 1

    @property
    def target_condition(self) -> Condition | None:
        """Which records of its targets a link offers; None for all."""
        return None

    @property
    def on_target_deleted(self) -> Literal["refuse", "clear", "cascade"]:
        """What happens when a linked record is to be deleted: it is not, the link is emptied, the record goes too."""
        return "refuse"

    @property
    def link_path(self) -> tuple[str, ...]:
        """The fields that a lookup follows, the first of them a link of the same record."""
        return ()

    @property
    def module_column(self) -> str | None:
        """The name of the companion column that says to which of several modules a link leads."""
        return None

    def titles(self, table: sa.FromClause) -> sa.ColumnElement[Any] | None:
        """For links, the column of the linked table by which `order` sorts."""
        return None

    def links_in(self, value: Any) -> tuple[Linked, ...]:
        """The linked records of a value."""
        return ()

    def link_value(self, link: Linked) -> str:
        """What an input holds that means `link`: the id, `MODULE:ID` where the field leads to several modules."""
        return f"{link.module}:{link.id}" if self.several_targets else str(link.id)

    def parse_filter_id(self, text: str) -> Any:
        """A filter's `FIELD.id=text` → the constant for `compare`, for links. Raises Refused."""
        raise operator_refused("id")


class OverOthers(Shape):
    """The part of Field that has to do with roll-ups: numbers that are computed from the records that link to one."""

    @property
    def rollup(self) -> Any:
        """The field itself if it is a Rollup, which says what it is over; else None."""
        return None

    @property
    def rollups(self) -> tuple[Any, ...]:
        """The roll-ups whose numbers its values tell: itself, or those that it reads."""
        return (self.rollup,) if self.rollup else ()


class WithDeadline(Shape):
    """The part of Field that has to do with deadlines, and with times that are counted as these are."""

    @property
    def deadline_rule(self) -> DeadlineRule | None:
        """How the portal sets the field, once it is bound; None if it does not."""
        return None

    @property
    def stopwatch(self) -> Stopwatch | None:
        """What an elapsed time is read from that the database alone cannot tell, once it is bound; else None."""
        return None


class FromColumn(Shape):
    """The part of Field that has to do with tables of others: which column holds its values."""

    from_column: ClassVar[bool] = True  # whether one column of a table of others can hold its values

    column: str | None = None  # its name there, where it is not that of the field

    def constants(self, currency: str) -> Mapping[str, str]:
        """What the companion columns hold that no column of others says; `currency`: the portal's."""
        return {}


class WithFiles(Shape):
    """The part of Field that has to do with files: one whose values are sent as such, and are rows of `portal_file`."""

    by_upload: ClassVar[bool] = False  # no text, default or other field gives a value

    def files_in(self, value: Any) -> tuple[Any, ...]:
        """The files of a value (FileValue)."""
        return ()

    def of_files(self, files: Sequence[Any]) -> Any:
        """The value that consists of these files. Raises Refused where they are too many."""
        return None


class InJson(Shape):
    """The part of Field that has to do with JSON, as programs read and write it; Field says how values become it."""

    json_type: ClassVar[str] = "string"

    def json_schema(self, *, written: bool) -> dict[str, Any]:
        """The JSON Schema of the value; `written`: of what is taken, which may be more or less than what is given."""
        return {"type": [self.json_type, "null"]}


class Checked(Shape):
    """The part of Field that the checks of a declaration ask: values that there never are."""

    @property
    def gaps(self) -> tuple[str, ...]:
        """The combinations of options for which a formula has no value."""
        return ()

    @property
    def never_given(self) -> tuple[str, ...]:
        """The options that are no value of the table of a formula."""
        return ()

    def near(self, constant: Any) -> tuple[Any, ...]:
        """Values at and beside what a condition names: if none of them fulfills it, none does. Empty: not known."""
        return ()


class Parts(
    Compared, InLines, InForms, InFormulas, Linking, OverOthers, WithDeadline, FromColumn, WithFiles, InJson, Checked
):
    """All of them."""
