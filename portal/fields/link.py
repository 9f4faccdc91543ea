"""`link`: one record of another module, or of one of several."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import field_validator

from portal.fields import Field, Reader, Refused, Where
from portal.texts import _, fold

IDENTITY = re.compile(r"[1-9][0-9]{0,17}")


@dataclass(frozen=True)
class Linked:
    """A linked record as its reader meets it: the title always, the way there only if `visible`."""

    id: int
    module: str
    title: str = ""
    visible: bool = False
    raw: str = ""  # what CSV writes: a unique field's value, else the reference

    def __str__(self) -> str:
        return self.title


def named(target: sa.Table, name: str) -> sa.Select[Any]:
    """The ids of the records of `target` that a unique field, the reference or the title calls `name`."""
    terms = [target.c[column] == name for column in target.info["unique"]]
    terms.append(target.c["reference"] == name)
    if target.info["title"]:
        terms.append(target.c[target.info["title"]] == name)
    return sa.select(target.c["id"]).where(sa.or_(*terms))


def titled(target: sa.Table, text: str) -> sa.Select[Any]:
    """The ids of the records of `target` whose title, or reference where they have none, contains `text`."""
    folded = target.info["title_folded"] or "_reference_folded"
    return sa.select(target.c["id"]).where(target.c[folded].contains(fold(text), autoescape=True))


class Link(Field):
    type: Literal["link"]
    widget: ClassVar[str] = "link"
    display: ClassVar[str] = "link"
    filter: ClassVar[str] = "link"
    textual: ClassVar[bool] = True
    specials: ClassVar[tuple[str, ...]] = ("me", "my organization")

    to: tuple[str, ...]
    where: Where | None = None
    on_delete: Literal["refuse", "clear", "cascade"] = "refuse"

    @field_validator("to", mode="before")
    @classmethod
    def _one_or_several(cls, to: Any) -> Any:
        return (to,) if isinstance(to, str) else to

    @property
    def several(self) -> bool:
        """Whether it may lead to one of several modules: then the module's name is kept beside the id."""
        return len(self.to) > 1

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
        text = text.strip()
        if not text:
            return None
        module, _colon, identity = text.rpartition(":") if self.several else (self.to[0], ":", text)
        if module not in self.to or not IDENTITY.fullmatch(identity):
            raise Refused(_("Choose one of the records that are offered."))
        return Linked(int(identity), module)

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

    def constant(self, raw: Any, reader: Reader) -> Any:
        """“me” and “my organization” where this link can hold them; a list of ids, or the name of a record."""
        if raw == "me" and reader.people in self.to:
            return [reader.person] if reader.person else []
        if raw == "my organization" and reader.organizations in self.to:
            return list(reader.companies)
        if isinstance(raw, Linked):
            return [raw.id]
        return [raw] if isinstance(raw, int) and not isinstance(raw, bool) else str(raw)

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        column = table.c[self.name]
        if operator == "equal" and isinstance(value, list):
            return column.in_(value) if value else sa.false()
        if operator in ("equal", "contains"):
            find = named if operator == "equal" else titled
            return sa.or_(*[self._to_one(table, module, find(self._target(table, module), value)) for module in self.to])
        return super().compare(table, operator, value)

    def order(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        titles = []
        for module in self.to:
            target = self._target(table, module).alias()
            title = target.c[target.element.info["title_folded"] or "_reference_folded"]
            query = sa.select(title).where(target.c["id"] == table.c[self.name])
            if self.several:
                query = query.where(table.c[self.module_column] == module)
            titles.append(query.correlate(table).scalar_subquery())
        return sa.func.coalesce(*titles) if self.several else titles[0]

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        if operator == "equal" and value:
            return value.id in constant if isinstance(constant, list) else value.title == constant
        return super().matches(value, operator, constant)

    def texts(self, value: Any) -> Iterable[str]:
        return (value.title,) if value else ()

    def _to_one(self, table: sa.FromClause, module: str, ids: sa.Select[Any]) -> sa.ColumnElement[bool]:
        within = table.c[self.name].in_(ids)
        return sa.and_(table.c[self.module_column] == module, within) if self.several else within

    def _target(self, table: sa.FromClause, module: str) -> sa.Table:
        base = getattr(table, "element", table)  # an alias knows its table
        return base.metadata.tables[module]
