"""Field, the base class of every field type, and what a type's file needs beside it.

A type defines its own YAML keys, its columns, how it is parsed, shown, compared, sorted, searched and exported.
Code outside a type's file never asks which type a field has: it uses the attributes and methods below.
"""

import datetime
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from markupsafe import escape
from pydantic import StrictBool, field_validator

from portal.conditions import is_nothing
from portal.fields.base_parts import Parts
from portal.fields.base_shape import FormWhere, Names, Option
from portal.fields.comparisons import COMPARISONS, ORDER
from portal.fields.protocols import Declared, Form, VisibleIds
from portal.fields.reader import PLAIN, Reader
from portal.fields.refused import FORBIDDEN, Refused, declared_text, filled, json_text, operator_refused, storable
from portal.fields.sheet_cell import SheetCell
from portal.packages import NotUsableError
from portal.texts import Text, _, label_from_name

__all__ = ["FORBIDDEN", "Field", "Refused", "filled", "operator_refused", "storable"]
LONGEST_IN_HISTORY = 200  # characters


class Field(Parts):
    """The base of every type. `name` is the key in the YAML, put in by the declaration."""

    types: ClassVar[dict[str, type["Field"]]] = {}

    # What is the same for all fields of a type.
    column_type: ClassVar[Any] = sa.Text
    widget: ClassVar[str] = "input"  # a macro of templates/widgets.pt
    input_type: ClassVar[str] = "text"
    inputmode: ClassVar[str] = ""  # which keyboard a telephone offers; "" for the usual one
    display: ClassVar[str] = "plain"  # a macro of templates/displays.pt
    filter: ClassVar[str] = ""  # a macro of templates/filters.pt, such as "text"; "": none
    searchable: ClassVar[bool] = True  # has words for the general search
    textual: ClassVar[bool] = False  # part of the general search unless `search: false`
    long: ClassVar[bool] = False  # too long for a column of a generated list
    holds_html: ClassVar[bool] = False  # a plain text must be escaped to become a value
    verbatim: ClassVar[bool] = False  # every text that another type holds is a value as it is
    computed: ClassVar[bool] = False  # worked out by the portal: not in forms
    signs: ClassVar[bool] = False  # a signature: the portal says when and by whom, and never changes it
    virtual: ClassVar[bool] = False  # computed whenever it is read: without a column
    follows_form: ClassVar[bool] = False  # computed from other fields of a form, which may show it
    sortable: ClassVar[bool] = True
    can_be_unique: ClassVar[bool] = True
    searched_in_lists: ClassVar[bool] = False  # part of the general search where a list shows it
    multiple: ClassVar[bool] = False  # several values, posted by repeating the name
    in_join_table: ClassVar[bool] = False  # its values stand in a table of pairs, none in the record's own row
    indexed_as: ClassVar[tuple[str, ...]] = ()  # changes with what `texts` gives, so that the search index follows
    taken: ClassVar[str] = _("This value is already in use.")  # where it must be unique
    suffix: ClassVar[str] = ""  # the unit behind an input
    specials: ClassVar[tuple[str, ...]] = ()  # words of conditions and defaults that mean something for this type
    # For the contract test and the reference: needed keys; (input, value, shown in English); refused inputs.
    sample: ClassVar[Mapping[str, Any]] = {}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = ()
    rejects: ClassVar[tuple[str, ...]] = ()

    name: str
    type: str
    label: Text | None = None
    help: Text | None = None
    placeholder: Text | None = None
    required: StrictBool = False
    required_when: FormWhere | None = None
    default: Annotated[Any, Names("value")] = None
    # A name: that of the link within whose record no two have the same value; `organization` is the module's own.
    unique: StrictBool | Annotated[str, Names("unique within")] = False
    read_only: StrictBool | Literal["once"] = False  # `once`: typed in the form of a new record alone
    search: StrictBool | None = None
    index: StrictBool | None = None
    show_when: FormWhere | None = None
    formerly: str | None = None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        for name in getattr(cls.model_fields["type"].annotation, "__args__", ()):  # a Literal; bases have none
            if name in Field.types:  # whoever came first keeps it
                raise NotUsableError(f'the type "{name}" is there already, in {Field.types[name].__module__}')
            Field.types[name] = cls

    @field_validator("unique")
    @classmethod
    def _unique_only_where_it_can_be(cls, unique: bool | str) -> bool | str:
        if unique and not cls.can_be_unique:
            raise ValueError("a field of this type cannot be unique")
        return unique

    @cached_property
    def title(self) -> Text:
        """The label, made from the name where none is declared."""
        return self.label or label_from_name(self.name)

    @property
    def offered(self) -> Mapping[str, Option]:
        """The options that can be chosen, by the value that a form sends."""
        return {}

    @property
    def declared_options(self) -> Mapping[str, Option]:
        """The options that the declaration lists by name, the label of the empty value among them."""
        return {}

    def with_labels(self, labels: Mapping[str, Text]) -> "Field":
        """A copy with other labels for some of the options; the field itself where it has none."""
        return self

    @property
    def empty_label(self) -> Text | str:
        """What the empty choice among the options is called; "" for the usual words."""
        return ""

    @property
    def length_limit(self) -> int | None:
        """How many characters a text may have; None for what is no text, or short by its kind."""
        return None

    @property
    def value_type(self) -> str:
        """The type of its values: its own; a lookup has that of the field to which it leads."""
        return self.type

    def takes(self, other: "Field") -> bool:
        """Whether the values of `other` may become values of this field."""
        return other.value_type == self.value_type and set(other.targets) <= set(self.targets)

    def bounds(self, reader: Reader) -> tuple[Any, Any]:
        """The least and the greatest value that a form takes; None if there is no bound."""
        return None, None

    def bounds_hint(self, reader: Reader) -> str:
        """The sentence that says the bounds to who fills in the form; "" if there are none."""
        return ""

    @property
    def ranged(self) -> bool:
        """Whether its values have an order: conditions may use `min`, `max`, `before` and `after`."""
        return self.filter == "range"

    @property
    def searched(self) -> bool:
        """Whether the general search covers this field."""
        return self.searchable and (self.textual if self.search is None else self.search)

    def bind(self, declaration: Declared, module: Any) -> None:
        """Called when all modules are read: types that depend on other fields look them up. Raises ValueError."""

    # -- the database ---------------------------------------------------------------------------------------------

    @property
    def as_stored(self) -> "Field":
        """The field whose columns and values these are: of a formula that of its result."""
        return self

    def columns(self) -> list[sa.Column[Any]]:
        """The columns that hold the value; names of companion columns begin with `_`."""
        return [sa.Column(self.name, self.column_type())] if not self.virtual else []

    def store(self, value: Any) -> dict[str, Any]:
        """The value as columns of the table."""
        return {self.name: value} if not self.virtual else {}

    @property
    def folded(self) -> str | None:
        """The name of the companion column that holds the text without accents and case."""
        return None

    @property
    def key_column(self) -> str:
        """The column by which two values are the same: for `unique`, and for finding a record by its value."""
        return self.name

    def key_of(self, value: Any) -> Any:
        """What `key_column` holds for `value`."""
        return self.store(value)[self.key_column]

    def selected(self, table: sa.FromClause) -> list[sa.ColumnElement[Any]]:
        """The columns of a query from whose rows `load` takes the value."""
        if self.virtual:
            return [self.expression(table).label(self.name)]
        return [table.c[name] for name in self._columns_read]

    @cached_property
    def _columns_read(self) -> tuple[str, ...]:
        """All but the companions that serve comparing and sorting alone."""
        compared = {self.folded, self.key_column} - {self.name}
        return tuple(column.name for column in self.columns() if column.name not in compared)

    def load(self, row: Mapping[str, Any]) -> Any:
        """The value from the columns of a row."""
        return row[self.name]

    def order(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """The SQL by which lists sort; NULL counts as empty."""
        return self.expression(table)

    def order_among(self, table: sa.FromClause, visible_ids: VisibleIds) -> sa.ColumnElement[Any]:
        """As `order`; `links` count only visible records."""
        return self.order(table)

    def compare_among(
        self, table: sa.FromClause, operator: str, value: Any, visible_ids: VisibleIds
    ) -> sa.ColumnElement[bool]:
        """As `compare`; `links` count only visible records."""
        return self.compare(table, operator, value)

    @property
    def ranked(self) -> tuple[Any, ...]:
        """The values in the order of `order` where it is not the column's: lists read them from its index."""
        return ()

    def index_column(self, table: sa.FromClause) -> sa.ColumnElement[Any] | None:
        """The column whose index lets lists sort by this field quickly."""
        return None if self.virtual or self.multiple else self.order(table)

    # -- input and output -----------------------------------------------------------------------------------------

    def parse(self, text: str, reader: Reader) -> Any:
        """An input's text → the value, None when empty. Raises Refused."""
        return filled(text) or None

    def parse_form(self, form: Form, reader: Reader) -> Any:
        """The value from the inputs of this field. Raises Refused."""
        return self.parse(self.input_text(form), reader)

    def parse_form_over(self, form: Form, reader: Reader, present: Any) -> Any:
        """The same in the form of a record that holds `present`, parts of which may be offered no more."""
        return self.parse_form(form, reader)

    def input_text(self, form: Form, part: str = "") -> str:
        """The text of the field's own input, NAME or NAME.part; "" if a file was posted under that name."""
        text = form.get(f"{self.name}.{part}" if part else self.name, "")
        return text if isinstance(text, str) else ""

    def has_input(self, form: Form) -> bool:
        """Whether the form has an input for this field."""
        return self.name in form

    def input_names(self, form: Iterable[str]) -> list[str]:
        """The names of the inputs of this field, out of all names of a form."""
        names = set(form)
        return [name for name in (*self.inputs(None, PLAIN), f"{self.name}.later") if name in names] if names else []

    def inputs(self, value: Any, reader: Reader) -> dict[str, str | list[str]]:
        """The value as a form's inputs hold it: the inverse of parse_form."""
        return {self.name: "" if value is None else self.write(value)}

    def show(self, value: Any, reader: Reader) -> str:
        """The value as plain text for people; an empty value is an empty text."""
        return "" if value is None else str(value)

    def html(self, value: Any) -> str:
        """The value as HTML that is safe to show, for types that hold markup."""
        return str(escape(self.show(value, PLAIN)))

    def write(self, value: Any) -> str:
        """The raw value for CSV and JSON; `read` is the inverse."""
        return "" if value is None else str(value)

    def read(self, text: str, reader: Reader = PLAIN) -> Any:
        """The value from CSV; `reader` gives the time zone and currency where the text has none. Raises Refused."""
        return self.parse(text, reader)

    def sheet_cell(self, value: Any, reader: Reader) -> SheetCell | None:
        """The value, which is not empty, as a spreadsheet computes with it; None if it is a text there."""
        return None

    def to_json(self, value: Any) -> Any:
        """The value in JSON; None if there is none."""
        return None if self.is_empty(value) else self.write(value)

    def json_inputs(self, given: Any, present: Any, reader: Reader) -> dict[str, str | list[str]]:
        """What JSON gives a record that holds `present`, as inputs of its form. Raises Refused."""
        return self.inputs(self.read(json_text(given), reader), reader)

    def to_history(self, value: Any) -> Any:
        """The value as JSON for the history of a record; None if it is too long to be kept there."""
        text = "" if self.is_empty(value) else self.write(value)
        return None if self.long or len(text) > LONGEST_IN_HISTORY else text

    def from_history(self, recorded: Any) -> Any:
        """The inverse of `to_history`. Raises Refused for what the field, as it is declared now, does not take."""
        return self.read(recorded) if recorded else None

    def text_forms(self, value: Any, reader: Reader) -> tuple[str, ...]:
        """All texts from which a field of another type may read the value without loss, that of `write` first."""
        return (self.write(value),)

    # -- comparing ------------------------------------------------------------------------------------------------

    def constant(self, raw: Any, reader: Reader) -> Any:
        """The value in a condition, a default or a filter → the constant for `compare`. Raises Refused."""
        value = self.parse(declared_text(raw), reader)
        if value is None:
            raise Refused(_("Enter a value."))
        return value

    def bound(self, raw: Any, reader: Reader) -> Any:
        """As `constant`, of `min`, `max`, `before` and `after`. Raises Refused."""
        return self.constant(raw, reader)

    def period_bounds(self, period: datetime.timedelta, reader: Reader) -> tuple[Any, Any]:
        """The constants between which `within: PERIOD` is: as far before now as after it. Raises Refused."""
        if "today" not in self.specials:
            raise operator_refused("within")
        bounds = [moment.astimezone(reader.time_zone) for moment in (reader.now - period, reader.now + period)]
        texts = [(bound if "now" in self.specials else bound.date()).isoformat() for bound in bounds]
        earliest, latest = (self.constant(text, reader.machine) for text in texts)
        return earliest, latest

    def default_value(self, raw: Any, reader: Reader) -> Any:
        """The value of a `default` or `set` in the YAML → a value to store. Raises Refused."""
        return None if is_nothing(raw) else self.constant(raw, reader)

    def parse_filter(self, text: str, reader: Reader) -> tuple[str, Any]:
        """A filter's `FIELD=text` → the operator and the constant for `compare`. Raises Refused."""
        return ("contains" if self.filter == "text" else "equal"), self.constant(text, reader)

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """SQL for one comparison; `value` comes from `constant`, for one_of a list of such."""
        column = self.expression(table)
        match operator:
            case "one_of":
                return sa.or_(sa.false(), *[self.compare(table, "equal", item) for item in value])
            case "empty":
                return column.is_(None) if value else column.is_not(None)
            case "equal" | "min" | "max" | "before" | "after":
                return ORDER[operator](column, value)
        raise operator_refused(operator)

    def option_of(self, value: Any) -> str:
        """The option that a value is, "" for the empty one."""
        return "" if value is None else self.write(value)

    def is_empty(self, value: Any) -> bool:
        """Whether there is no value."""
        return value is None or value == () or value == ""

    def is_missing(self, value: Any) -> bool:
        """Whether a required field still lacks its value."""
        return self.is_empty(value)

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        """The twin of `compare` in Python, for conditions on a form that is not stored yet."""
        if operator == "empty":
            return self.is_empty(value) is constant
        return not self.is_empty(value) and operator in COMPARISONS and COMPARISONS[operator](value, constant)

    def texts(self, value: Any) -> Iterable[str]:
        """The texts of the value that the general search indexes."""
        return () if value is None else (self.show(value, PLAIN),)
