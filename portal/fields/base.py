"""Field, the base class of every field type.

A type defines its YAML keys, its columns, and how it is parsed, shown, compared, sorted, searched and exported.
Code outside a type's file never asks which type a field has: it uses the attributes and methods below.
"""

import datetime
from collections.abc import Collection, Iterable, Mapping
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
from portal.fields.refused import Refused, declared_text, filled, json_text, operator_refused
from portal.fields.sheet_cell import SheetCell
from portal.packages import NotUsableError
from portal.texts import Text, _, label_from_name

LONGEST_IN_HISTORY = 200  # characters


class Field(Parts):
    """The base of every type. `name` is the key in the YAML, set by the declaration."""

    types: ClassVar[dict[str, type["Field"]]] = {}

    # What is the same for all fields of a type.
    column_type: ClassVar[Any] = sa.Text
    widget: ClassVar[str] = "input"  # a macro of templates/widgets.pt
    input_type: ClassVar[str] = "text"
    inputmode: ClassVar[str] = ""  # the keyboard on a phone; "" for the usual one
    display: ClassVar[str] = "plain"  # a macro of templates/displays.pt
    filter: ClassVar[str] = ""  # a macro of templates/filters.pt, such as "text"; "": none
    searchable: ClassVar[bool] = True  # has words for the general search
    textual: ClassVar[bool] = False  # part of the general search unless `search: false`
    long: ClassVar[bool] = False  # too long for a column of a generated list
    holds_html: ClassVar[bool] = False  # a plain text must be escaped to become a value
    holds_email: ClassVar[bool] = False  # its values are email addresses
    has_currency: ClassVar[bool] = False  # each value has a currency of its own
    takes_mapping: ClassVar[bool] = False  # a mapping in the YAML can be a value, of which it gives the parts
    takes_list: ClassVar[bool] = False  # a list in the YAML can be one value
    verbatim: ClassVar[bool] = False  # every text that another type holds is a value as it is
    computed: ClassVar[bool] = False  # computed by the portal: not in forms
    signs: ClassVar[bool] = False  # a signature: the portal records when and by whom, and never changes it
    virtual: ClassVar[bool] = False  # computed whenever it is read: without a column
    follows_form: ClassVar[bool] = False  # computed from other fields of a form, which may show it
    sortable: ClassVar[bool] = True
    can_be_unique: ClassVar[bool] = True
    searched_in_lists: ClassVar[bool] = False  # part of the general search if a list shows it
    multiple: ClassVar[bool] = False  # several values, posted by repeating the name
    several_in_input: ClassVar[bool] = False  # several values in the text of one input
    in_join_table: ClassVar[bool] = False  # its values are in a table of pairs, not in the record's own row
    indexed_as: ClassVar[tuple[str, ...]] = ()  # changes whenever `texts` does, so that the search index is updated
    taken: ClassVar[str] = _("This value is already in use.")  # if it must be unique
    suffix: ClassVar[str] = ""  # the unit after an input
    specials: ClassVar[tuple[str, ...]] = ()  # words with a special meaning in its conditions and defaults
    # For the contract test and the reference: required keys; (input, value, shown in English); refused inputs.
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
    # If a name: the link within whose record values are unique; `organization` is the module's own.
    unique: StrictBool | Annotated[str, Names("unique within")] = False
    read_only: StrictBool | Literal["once"] = False  # `once`: only typed in the form of a new record
    search: StrictBool | None = None
    index: StrictBool | None = None
    show_when: FormWhere | None = None
    formerly: str | None = None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        for name in getattr(cls.model_fields["type"].annotation, "__args__", ()):  # a Literal; bases have none
            if name in Field.types:  # the first one keeps it
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
        """The label, made from the name if none is declared."""
        return self.label or label_from_name(self.name)

    @property
    def offered(self) -> Mapping[str, Option]:
        """The options that can be chosen, by the value that a form posts."""
        return {}

    @property
    def branches(self) -> Collection[str]:
        """What the table of a formula may ask of the field: its options, of an amount the currencies."""
        return () if self.multiple else self.offered.keys()

    @property
    def declared_options(self) -> Mapping[str, Option]:
        """The options in the declaration by name, including the label of the empty value."""
        return {}

    def with_labels(self, labels: Mapping[str, Text | bool]) -> "Field":
        """A copy with other labels for some of the options, and without offering those with False; the field itself if
        it has no options."""
        return self

    @property
    def empty_label(self) -> Text | str:
        """The label of the empty choice among the options; "" for the usual words."""
        return ""

    @property
    def length_limit(self) -> int | None:
        """How many characters a text may have; None if it is not a text, or always short."""
        return None

    @property
    def value_type(self) -> str:
        """The type of its values: its own, or for a lookup that of its target."""
        return self.type

    @property
    def differs_by_default(self) -> bool:
        """Whether its default is another one for each record."""
        return False

    def takes(self, other: "Field") -> bool:
        """Whether the values of `other` may become values of this field."""
        return other.value_type == self.value_type and set(other.targets) <= set(self.targets)

    def bounds(self, reader: Reader) -> tuple[Any, Any]:
        """The least and the greatest value that a form accepts; None if there is no bound."""
        return None, None

    def bounds_hint(self, reader: Reader) -> str:
        """The sentence about the bounds in a form; "" if there are none."""
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
        """Called when all modules are read, for types that depend on other fields. Raises ValueError."""

    # -- the database ---------------------------------------------------------------------------------------------

    @property
    def as_stored(self) -> "Field":
        """The field that defines its columns and values: for a formula, that of its result."""
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
        """The column that decides whether two values are the same: for `unique`, and to find a record by its value."""
        return self.name

    def key_of(self, value: Any) -> Any:
        """The content of `key_column` for `value`."""
        return self.store(value)[self.key_column]

    def selected(self, table: sa.FromClause) -> list[sa.ColumnElement[Any]]:
        """The columns that a query must select for `load`."""
        if self.virtual:
            return [self.expression(table).label(self.name)]
        return [table.c[name] for name in self._columns_read]

    @cached_property
    def _columns_read(self) -> tuple[str, ...]:
        """All columns except companions used only for comparing and sorting."""
        compared = {self.folded, self.key_column} - {self.name}
        return tuple(column.name for column in self.columns() if column.name not in compared)

    def load(self, row: Mapping[str, Any]) -> Any:
        """The value from the columns of a row."""
        return row[self.name]

    def order(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """The SQL by which lists sort; NULL counts as empty."""
        return self.expression(table)

    def order_among(self, table: sa.FromClause, visible_ids: VisibleIds) -> sa.ColumnElement[Any]:
        """Like `order`; for `links`, only visible records count."""
        return self.order(table)

    def compare_among(
        self, table: sa.FromClause, operator: str, value: Any, visible_ids: VisibleIds
    ) -> sa.ColumnElement[bool]:
        """Like `compare`; for `links`, only visible records count."""
        return self.compare(table, operator, value)

    @property
    def ranked(self) -> tuple[Any, ...]:
        """The values in the order of `order`, if that is not the column's: lists read each of them from its index."""
        return ()

    def index_column(self, table: sa.FromClause) -> sa.ColumnElement[Any] | None:
        """The column whose index makes sorting lists by this field fast."""
        return None if self.virtual or self.multiple else self.order(table)

    # -- input and output -----------------------------------------------------------------------------------------

    def parse(self, text: str, reader: Reader) -> Any:
        """An input's text → the value, None if empty. Raises Refused."""
        return filled(text) or None

    def parse_form(self, form: Form, reader: Reader) -> Any:
        """The value from the inputs of this field. Raises Refused."""
        return self.parse(self.input_text(form), reader)

    def parse_form_over(self, form: Form, reader: Reader, present: Any) -> Any:
        """The same in the form of a record that holds `present`, parts of which may no longer be offered."""
        return self.parse_form(form, reader)

    def input_text(self, form: Form, part: str = "") -> str:
        """The text of the field's own input, NAME or NAME.part; "" if a file was posted under that name."""
        text = form.get(f"{self.name}.{part}" if part else self.name, "")
        return text if isinstance(text, str) else ""

    def has_input(self, form: Form) -> bool:
        """Whether the form has an input for this field."""
        return self.name in form

    def input_names(self, form: Iterable[str]) -> list[str]:
        """The names of this field's inputs among all names of a form."""
        names = set(form)
        parts = (f"{self.name}.{part}" for part in ("later", "time"))
        return [name for name in (*self.inputs(None, PLAIN), *parts) if name in names] if names else []

    def inputs(self, value: Any, reader: Reader) -> dict[str, str | list[str]]:
        """The values of a form's inputs: the inverse of parse_form."""
        return {self.name: "" if value is None else self.write(value)}

    def show(self, value: Any, reader: Reader) -> str:
        """The value as plain text for people; an empty value is an empty text."""
        return "" if value is None else str(value)

    def show_among(self, value: Any, reader: Reader) -> str:
        """Like `show`, next to the values of other fields and without the field's name."""
        return self.show(value, reader)

    def html(self, value: Any) -> str:
        """The value as safe HTML, for types that hold markup."""
        return str(escape(self.show(value, PLAIN)))

    def write(self, value: Any) -> str:
        """The raw value for CSV and JSON; `read` is the inverse."""
        return "" if value is None else str(value)

    def read(self, text: str, reader: Reader = PLAIN) -> Any:
        """The value from CSV; `reader` provides the time zone and currency if the text has none. Raises Refused."""
        return self.parse(text, reader)

    def sheet_cell(self, value: Any, reader: Reader) -> SheetCell | None:
        """A non-empty value in the form with which a spreadsheet computes; None if it is text there."""
        return None

    def to_json(self, value: Any) -> Any:
        """The value in JSON; None if there is none."""
        return None if self.is_empty(value) else self.write(value)

    def json_inputs(self, given: Any, present: Any, reader: Reader) -> dict[str, str | list[str]]:
        """A value from JSON for a record that holds `present`, as inputs of its form. Raises Refused."""
        return self.inputs(self.read(json_text(given), reader), reader)

    def to_history(self, value: Any) -> Any:
        """The value as JSON for the history of a record; None if it is too long to keep there."""
        text = "" if self.is_empty(value) else self.write(value)
        return None if self.long or len(text) > LONGEST_IN_HISTORY else text

    def from_history(self, recorded: Any) -> Any:
        """The inverse of `to_history`. Raises Refused for what the field, as declared now, does not accept."""
        return self.read(recorded) if recorded else None

    def text_forms(self, value: Any, reader: Reader) -> tuple[str, ...]:
        """All texts from which a field of another type could read the value without loss, starting with `write`."""
        return (self.write(value),)

    # -- comparing ------------------------------------------------------------------------------------------------

    def constant(self, raw: Any, reader: Reader) -> Any:
        """The value in a condition, a default or a filter → the constant for `compare`. Raises Refused."""
        value = self.parse(declared_text(raw), reader)
        if value is None:
            raise Refused(_("Enter a value."))
        return value

    def bound(self, raw: Any, reader: Reader) -> Any:
        """Like `constant`, for `min`, `max`, `before` and `after`. Raises Refused."""
        return self.constant(raw, reader)

    def period_bounds(self, period: datetime.timedelta, reader: Reader) -> tuple[Any, Any]:
        """The constants that limit `within: PERIOD`: as far before now as after it. Raises Refused."""
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
        """SQL for one comparison; `value` comes from `constant`, for one_of a list of them."""
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
        """The option of a value, of an amount its currency; "" if it is empty."""
        return "" if value is None else self.write(value)

    def is_empty(self, value: Any) -> bool:
        """Whether there is no value."""
        return value is None or value == () or value == ""

    def is_missing(self, value: Any) -> bool:
        """Whether a required field still lacks its value."""
        return self.is_empty(value)

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        """The counterpart of `compare` in Python, for conditions on a form that is not stored yet."""
        if operator == "empty":
            return self.is_empty(value) is constant
        return not self.is_empty(value) and operator in COMPARISONS and COMPARISONS[operator](value, constant)

    def texts(self, value: Any) -> Iterable[str]:
        """The texts of the value that the general search indexes."""
        return () if value is None else (self.show(value, PLAIN),)
