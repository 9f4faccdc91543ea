"""`link`: one record of another module, or of one of several. Also the base of links."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import field_validator

from portal.conditions import Condition, is_nothing
from portal.fields.base import LONGEST_IN_HISTORY, Field
from portal.fields.base_shape import Names, OneOrSeveral, Where
from portal.fields.linked_value import Linked
from portal.fields.reader import Reader
from portal.fields.record_titles import RECORD_ID, ids_by_title, ids_named, sort_title_column, title_column
from portal.fields.refused import Refused, storable
from portal.fields.table_names import table_of
from portal.texts import _, is_blank

MOST_IN_HISTORY = 50  # links of one value
# Columns of existing tables with the key of a row, and the key of the row that a link leads to.
KEY, LINKED_KEY = "_key", "_{}_linked"


def ids_of(values: Iterable[Linked | int]) -> list[int]:
    """The record ids of a link's constant in a condition."""
    return [value.id if isinstance(value, Linked) else value for value in values]


def is_among_ids(column: sa.ColumnElement[int], ids: list[int]) -> sa.ColumnElement[bool]:
    """SQL for a link to one of `ids`. A single id is not a list, so that it can be bound at execution."""
    return column == ids[0] if len(ids) == 1 else column.in_(ids)


def is_linked(target: sa.FromClause, table: sa.FromClause, link: str) -> sa.ColumnElement[bool]:
    """Whether a row of `target` is the record that the field `link` of a row of `table` leads to.

    If the keys of an existing table are not integers, its ids are computed: then the keys themselves, which have an
    index, are compared.
    """
    if KEY in target.c and LINKED_KEY.format(link) in table.c:
        return target.c[KEY] == table.c[LINKED_KEY.format(link)]
    return target.c["id"] == table.c[link]


class LinkLike(Field):
    """What `link` and `links` share: the modules they lead to, and how conditions name the records."""

    filter: ClassVar[str] = "link"
    textual: ClassVar[bool] = True
    specials: ClassVar[tuple[str, ...]] = ("me", "my organization")
    type: str

    to: Annotated[tuple[Annotated[str, Names("module")], ...], OneOrSeveral()]
    where: Where | None = None
    details: tuple[Annotated[str, Names("name")], ...] = ()  # fields of linked records, shown with their titles

    @field_validator("to", mode="before")
    @classmethod
    def _one_or_several(cls, to: Any) -> Any:
        if not to:
            raise ValueError("must be the name of a module")
        return (to,) if isinstance(to, str) else to

    @property
    def targets(self) -> tuple[str, ...]:
        return self.to

    @property
    def target_condition(self) -> Condition | None:
        return self.where

    @property
    def beside_titles(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.details

    def takes(self, other: Field) -> bool:
        """A link to a subset of the modules; one link can become several, but not the reverse."""
        return bool(other.targets) and set(other.targets) <= set(self.to) and (self.multiple or not other.multiple)

    def linked_by_id(self, text: str) -> Linked:
        """The record that an input names by its id, or `MODULE:ID` if there are several modules. Raises Refused."""
        module, record_id = self._module_and_id(text)
        if module not in self.to or not RECORD_ID.fullmatch(record_id):
            raise Refused(_("Choose a record from the list."))
        return Linked(int(record_id), module)

    def _module_and_id(self, text: str) -> tuple[str, str]:
        module, _colon, record_id = text.strip().rpartition(":")
        return (module, record_id) if self.several_targets else (self.to[0], text.strip())

    def constant(self, raw: Any, reader: Reader) -> Any:
        """A list of ids (of Linked if there are several modules), or the name of a record.

        “me” and “my organization” are special if this link can hold them.
        """
        if raw == "me" and reader.people in self.to:
            return self._constant_for([] if reader.person is None else [reader.person], reader.people)
        if raw == "my organization" and reader.organizations in self.to:
            return self._constant_for(reader.companies, reader.organizations)
        if isinstance(raw, Linked):
            return self._constant_for([raw.id], raw.module) if raw.module in self.to else []
        if isinstance(raw, list | tuple) and all(isinstance(link, Linked) for link in raw):
            return [value for link in raw for value in self.constant(link, reader)]
        return [raw] if isinstance(raw, int) and not isinstance(raw, bool) else storable(str(raw))

    def _constant_for(self, ids: Iterable[int], module: str | None) -> list[Any]:
        return [Linked(record_id, module or "") for record_id in ids] if self.several_targets else list(ids)

    def parse_filter(self, text: str, reader: Reader) -> tuple[str, Any]:
        """A part of the title, which may be digits, or `me`."""
        constant = self.constant(text.strip(), reader)
        return ("contains" if isinstance(constant, str) else "equal"), constant

    def parse_filter_id(self, text: str) -> Any:
        """The record with an id, or `MODULE:ID` if there are several modules."""
        link = self.linked_by_id(text)
        return self._constant_for([link.id], link.module)

    def to_history(self, value: Any) -> Any:
        """The ids of the linked records, each with its title at the time in case it is deleted."""
        links = self.links_in(value)
        return [[link.module, link.id, link.title[:LONGEST_IN_HISTORY]] for link in links[:MOST_IN_HISTORY]]

    def from_history(self, recorded: Any) -> Any:
        """The links that `to_history` wrote, with the titles of that time."""
        if not isinstance(recorded, list):
            raise Refused(_("Choose a record from the list."))
        links = tuple(Linked(record_id, module, title) for module, record_id, title in recorded)
        return links if self.multiple else next(iter(links), None)

    def link_to_json(self, link: Linked) -> dict[str, Any]:
        """A linked record, with its address only if the reader may open it, as on pages."""
        known = {"id": link.id, "reference": link.reference} if link.visible else {"id": None, "reference": None}
        module = {"module": link.module} if self.several_targets else {}
        return {**known, "title": link.title, **module}

    def json_schema(self, *, written: bool) -> dict[str, Any]:
        """What is written names the record by id, or as in an import; what was read may be written back."""
        parts: dict[str, Any] = {"id": {"type": ["integer", "null"]}, "reference": {"type": ["string", "null"]}}
        parts |= {name: {"type": "string"} for name in ("title", "module")}
        link: dict[str, Any] = {"type": ["object", "null"], "properties": parts, "required": ["id"]}
        if written:
            link["type"] = ["object", "integer", "string", "null"]
        return {"type": "array", "items": link} if self.multiple else link

    def is_among(self, link: Linked, constant: Any) -> bool:
        """Whether `link` is among the result of `constant`."""
        if isinstance(constant, str):
            return constant in (link.title, link.raw)
        pairs = [(value.id, value.module) if isinstance(value, Linked) else (value, link.module) for value in constant]
        return (link.id, link.module) in pairs

    def target(self, table: sa.FromClause, module: str) -> sa.Table:
        """The table of a module to which this field of `table` leads."""
        return table_of(table).metadata.tables[module]


class Link(LinkLike):
    """One record of another module."""

    type: Literal["link"]
    comparable: ClassVar[bool] = True
    widget: ClassVar[str] = "link"
    display: ClassVar[str] = "link"
    sample: ClassVar[Mapping[str, Any]] = {"to": "people"}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = ((" 1", Linked(1, "people"), ""), ("", None, ""))
    rejects: ClassVar[tuple[str, ...]] = ("0", "-1", "1.5", "people:1", "Anna", "1\x00", "9" * 100_000)

    on_delete: Literal["refuse", "clear", "cascade"] = "refuse"

    @property
    def on_target_deleted(self) -> Literal["refuse", "clear", "cascade"]:
        return self.on_delete

    @property
    def module_column(self) -> str | None:
        return f"_{self.name}_module" if self.several_targets else None

    def columns(self) -> list[sa.Column[Any]]:
        """The id, with a foreign key if one module is linked; otherwise also the name of the module."""
        if self.module_column:
            return [sa.Column(self.name, sa.BigInteger()), sa.Column(self.module_column, sa.Text())]
        return [sa.Column(self.name, sa.BigInteger(), sa.ForeignKey(f"{self.to[0]}.id"))]

    def store(self, value: Any) -> dict[str, Any]:
        """The id of the linked record, and its module if there are several."""
        record_id = {self.name: None if value is None else value.id}
        return {**record_id, self.module_column: value and value.module} if self.module_column else record_id

    def load(self, row: Mapping[str, Any]) -> Linked | None:
        """The linked record without its title, which is read for a whole page at once."""
        if row[self.name] is None:
            return None
        return Linked(row[self.name], row[f"_{self.name}_module"] if self.several_targets else self.to[0])

    def parse(self, text: str, reader: Reader) -> Linked | None:
        return None if is_blank(text) else self.linked_by_id(text)

    def to_json(self, value: Any) -> dict[str, Any] | None:
        return self.link_to_json(value) if value else None

    def inputs(self, value: Any, reader: Reader) -> dict[str, str | list[str]]:
        """The id, or `MODULE:ID` if there are several modules."""
        return {self.name: self.link_value(value) if value else ""}

    def links_in(self, value: Any) -> tuple[Linked, ...]:
        return (value,) if value else ()

    def show(self, value: Any, reader: Reader) -> str:
        return value.title if value else ""

    def write(self, value: Any) -> str:
        """A unique value of the linked record, else its reference; `MODULE:VALUE` if there are several modules."""
        if not value:
            return ""
        return f"{value.module}:{value.raw}" if self.several_targets else value.raw

    def default_value(self, raw: Any, reader: Reader) -> Linked | None:
        """The value if it needs no database lookup; callers that can look up names of records do so."""
        constant = None if is_nothing(raw) else self.constant(raw, reader)
        if not isinstance(constant, list) or not constant:
            return None
        return constant[0] if isinstance(constant[0], Linked) else Linked(constant[0], self.to[0])

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """By a list of ids, or a text: equal to its title or reference, or contained in its title."""
        if operator == "equal" and isinstance(value, list | Linked):
            return self._among(table, value if isinstance(value, list) else [value])
        if operator in ("equal", "contains"):
            find = ids_named if operator == "equal" else ids_by_title
            return sa.or_(*[self._to_one(table, module, find(self.target(table, module), value)) for module in self.to])
        return super().compare(table, operator, value)

    def order(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        titles = []
        for module in self.to:
            target = self.target(table, module)
            linked = target.alias()
            name = title_column(target) if self.several_targets else sort_title_column(target)
            query = sa.select(linked.c[name]).where(is_linked(linked, table, self.name))
            if self.module_column:
                query = query.where(table.c[self.module_column] == module)
            titles.append(query.correlate(table).scalar_subquery())
        return sa.func.coalesce(*titles) if self.several_targets else titles[0]

    def titles(self, table: sa.FromClause) -> sa.ColumnElement[Any] | None:
        """None if there are several modules, since no single index orders their titles."""
        if self.several_targets:
            return None
        target = self.target(table, self.to[0])
        return target.alias().c[sort_title_column(target)]

    def index_column(self, table: sa.FromClause) -> sa.ColumnElement[Any] | None:
        """The ids: a list sorted by titles walks the linked records, and looks up the records that link to each."""
        return None if self.several_targets else table.c[self.name]

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        """By the result of `constant`: a list of ids, or a title."""
        if operator == "equal":
            return bool(value) and self.is_among(value, constant)
        return super().matches(value, operator, constant)

    def texts(self, value: Any) -> Iterable[str]:
        return (value.title,) if value and value.title else ()

    def _among(self, table: sa.FromClause, values: list[Any]) -> sa.ColumnElement[bool]:
        """Whether it leads to one of the records in the result of `constant`."""
        if not self.module_column:
            return is_among_ids(table.c[self.name], ids_of(values)) if values else sa.false()
        column, module = table.c[self.name], table.c[self.module_column]
        links = [value for value in values if isinstance(value, Linked)]
        ways = [sa.and_(column == link.id, module == link.module) for link in links]
        return sa.or_(sa.false(), *ways)

    def _to_one(self, table: sa.FromClause, module: str, ids: sa.Select[Any]) -> sa.ColumnElement[bool]:
        within = table.c[self.name].in_(ids)
        return sa.and_(table.c[self.module_column] == module, within) if self.module_column else within


def links_to(module: str, field: Field) -> Iterator[tuple[str, ...]]:
    """The paths by which `field` may link to records of `module`: (its name,), or with a column of its rows."""
    if module in field.targets and not field.computed:
        yield (field.name,)
    for name, column in field.row_fields.items():
        if module in column.targets and not column.computed:
            yield (field.name, name)


def link_targets(field: Field | None) -> tuple[str, ...]:
    """The modules that a link leads to; empty for other fields."""
    return () if field is None or field.computed else field.targets
