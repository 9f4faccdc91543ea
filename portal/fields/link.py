"""`link`: one record of another module, or of one of several. Also the base of links."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import field_validator

from portal.fields.base import Field, Refused, Where, storable
from portal.fields.reader import Reader
from portal.texts import _, fold

IDENTITY = re.compile(r"[1-9][0-9]{0,17}")


@dataclass(frozen=True)
class Linked:
    """A linked record as its reader meets it: the title always, the way there only if `visible`."""

    id: int
    module: str
    title: str = field(default="", compare=False)
    visible: bool = field(default=False, compare=False)
    raw: str = field(default="", compare=False)  # what CSV writes: a unique field's value, else the reference

    def __str__(self) -> str:
        return self.title


def named(target: sa.Table, name: str) -> sa.Select[Any]:
    """The ids of the records of `target` that a unique field, the reference or the title calls `name`."""
    names = [*target.info["unique"], "reference", *([target.info["title"]] if target.info["title"] else ())]
    return sa.select(target.c["id"]).where(called([target.c[each] for each in names], name))


def called(columns: Iterable[sa.ColumnElement[Any]], name: str) -> sa.ColumnElement[bool]:
    """Whether one of `columns` holds `name`. PostgreSQL compares no number and no date with a text."""
    terms = [column == name for column in columns if isinstance(column.type, sa.Text)]
    if IDENTITY.fullmatch(name):
        terms += [column == int(name) for column in columns if isinstance(column.type, sa.BigInteger)]
    return sa.or_(sa.false(), *terms)


def titled(target: sa.Table, text: str) -> sa.Select[Any]:
    """The ids of the records of `target` whose title, or reference where they have none, contains `text`."""
    folded = target.info["title_folded"] or "_reference_folded"
    return sa.select(target.c["id"]).where(target.c[folded].contains(fold(text), autoescape=True))


def ids_of(values: Iterable[Linked | int]) -> list[int]:
    """The ids among what `constant` gives."""
    return [value.id if isinstance(value, Linked) else value for value in values]


class Targets(Field):
    """What one link and several links share: the modules they lead to, and what conditions call the records."""

    filter: ClassVar[str] = "link"
    textual: ClassVar[bool] = True
    specials: ClassVar[tuple[str, ...]] = ("me", "my organization")
    type: str

    to: tuple[str, ...]

    @field_validator("to", mode="before")
    @classmethod
    def _one_or_several(cls, to: Any) -> Any:
        if not to:
            raise ValueError("the name of a module is wanted")
        return (to,) if isinstance(to, str) else to

    @property
    def several(self) -> bool:
        """Whether it may lead to one of several modules: then the module's name is kept beside the id."""
        return len(self.to) > 1

    def identified(self, text: str) -> Linked:
        """The record that an input names by its id, `MODULE:ID` where there are several modules. Raises Refused."""
        module, _colon, identity = text.strip().rpartition(":") if self.several else (self.to[0], ":", text.strip())
        if module not in self.to or not IDENTITY.fullmatch(identity):
            raise Refused(_("Choose a record from the list."))
        return Linked(int(identity), module)

    def constant(self, raw: Any, reader: Reader) -> Any:
        """A list of ids (of Linked where there are several modules), or the name of a record.

        “me” and “my organization” mean something where this link can hold them.
        """
        if raw == "me" and reader.people in self.to:
            return self._meant([] if reader.person is None else [reader.person], reader.people)
        if raw == "my organization" and reader.organizations in self.to:
            return self._meant(reader.companies, reader.organizations)
        if isinstance(raw, Linked):
            return self._meant([raw.id], raw.module) if raw.module in self.to else []
        if isinstance(raw, list | tuple) and all(isinstance(each, Linked) for each in raw):
            return [found for each in raw for found in self.constant(each, reader)]
        return [raw] if isinstance(raw, int) and not isinstance(raw, bool) else storable(str(raw))

    def _meant(self, ids: Iterable[int], module: str | None) -> list[Any]:
        return [Linked(each, module or "") for each in ids] if self.several else list(ids)

    def sought(self, text: str, reader: Reader) -> tuple[str, Any]:
        """A filter says an id, or a part of the title."""
        text = text.strip()
        module, _colon, identity = text.rpartition(":") if self.several else (self.to[0], ":", text)
        if module in self.to and IDENTITY.fullmatch(identity):
            return "equal", self._meant([int(identity)], module)
        found = self.constant(text, reader)
        return ("contains" if isinstance(found, str) else "equal"), found

    def is_meant(self, link: Linked, constant: Any) -> bool:
        """Whether `link` is among what `constant` gave."""
        if isinstance(constant, str):
            return constant in (link.title, link.raw)
        pairs = [(each.id, each.module) if isinstance(each, Linked) else (each, link.module) for each in constant]
        return (link.id, link.module) in pairs

    def target(self, table: sa.FromClause, module: str) -> sa.Table:
        """The table of a module that this field of `table` leads to."""
        base = getattr(table, "element", table)  # an alias knows its table
        return base.metadata.tables[module]


class Link(Targets):
    type: Literal["link"]
    widget: ClassVar[str] = "link"
    display: ClassVar[str] = "link"
    sample: ClassVar[Mapping[str, Any]] = {"to": "people"}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = ((" 1", Linked(1, "people"), ""), ("", None, ""))
    rejects: ClassVar[tuple[str, ...]] = ("0", "-1", "1.5", "people:1", "Anna", "1\x00", "9" * 100_000)

    where: Where | None = None
    on_delete: Literal["refuse", "clear", "cascade"] = "refuse"

    @property
    def module_column(self) -> str:
        return f"_{self.name}_module"

    def columns(self) -> list[sa.Column[Any]]:
        if self.several:
            return [sa.Column(self.name, sa.BigInteger()), sa.Column(self.module_column, sa.Text())]
        return [sa.Column(self.name, sa.BigInteger(), sa.ForeignKey(f"{self.to[0]}.id"))]

    def store(self, value: Any) -> dict[str, Any]:
        if not self.several:
            return {self.name: None if value is None else value.id}
        return {self.name: value and value.id, self.module_column: value and value.module}

    def load(self, row: Mapping[str, Any]) -> Linked | None:
        if row[self.name] is None:
            return None
        return Linked(row[self.name], row[self.module_column] if self.several else self.to[0])

    def parse(self, text: str, reader: Reader) -> Linked | None:
        return self.identified(text) if text.strip() else None

    def inputs(self, value: Any, reader: Reader) -> dict[str, str | list[str]]:
        return {self.name: self.identity(value) if value else ""}

    def identity(self, value: Linked) -> str:
        """The value of the input: the id, with the module's name before it where there are several."""
        return f"{value.module}:{value.id}" if self.several else str(value.id)

    def show(self, value: Any, reader: Reader) -> str:
        return value.title if value else ""

    def write(self, value: Any) -> str:
        if not value:
            return ""
        return f"{value.module}:{value.raw}" if self.several else value.raw

    def default_value(self, raw: Any, reader: Reader) -> Linked | None:
        """What needs no look into the database; a record's name is found by whoever can."""
        found = None if raw is None or raw == "nothing" else self.constant(raw, reader)
        if not isinstance(found, list) or not found:
            return None
        return found[0] if isinstance(found[0], Linked) else Linked(found[0], self.to[0])

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        if operator == "equal" and isinstance(value, list | Linked):
            return self._among(table, value if isinstance(value, list) else [value])
        if operator in ("equal", "contains"):
            find = named if operator == "equal" else titled
            return sa.or_(*[self._to_one(table, module, find(self.target(table, module), value)) for module in self.to])
        return super().compare(table, operator, value)

    def order(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        titles = []
        for module in self.to:
            target = self.target(table, module).alias()
            title = target.c[target.element.info["title_folded"] or "_reference_folded"]
            query = sa.select(title).where(target.c["id"] == table.c[self.name])
            if self.several:
                query = query.where(table.c[self.module_column] == module)
            titles.append(query.correlate(table).scalar_subquery())
        return sa.func.coalesce(*titles) if self.several else titles[0]

    def titles(self, table: sa.FromClause) -> sa.ColumnElement[Any] | None:
        if self.several:
            return None
        target = self.target(table, self.to[0]).alias()
        return target.c[target.element.info["title_folded"] or "_reference_folded"]

    def index_column(self, table: sa.FromClause) -> sa.ColumnElement[Any] | None:
        return None if self.several else table.c[self.name]

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        if operator == "equal":
            return bool(value) and self.is_meant(value, constant)
        return super().matches(value, operator, constant)

    def texts(self, value: Any) -> Iterable[str]:
        return (value.title,) if value and value.title else ()

    def _among(self, table: sa.FromClause, values: list[Any]) -> sa.ColumnElement[bool]:
        """Leads to one of the records that `constant` gave."""
        if not self.several:
            return table.c[self.name].in_(ids_of(values)) if values else sa.false()
        column, module = table.c[self.name], table.c[self.module_column]
        links = [each for each in values if isinstance(each, Linked)]
        ways = [sa.and_(column == each.id, module == each.module) for each in links]
        return sa.or_(sa.false(), *ways)

    def _to_one(self, table: sa.FromClause, module: str, ids: sa.Select[Any]) -> sa.ColumnElement[bool]:
        within = table.c[self.name].in_(ids)
        return sa.and_(table.c[self.module_column] == module, within) if self.several else within
