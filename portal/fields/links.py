"""`links`: several records of another module, kept in a join table (record, target, position)."""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa

from portal.fields.base import Field
from portal.fields.base_shape import Names, OneOrSeveral
from portal.fields.link import LinkLike, ids_of, is_among_ids
from portal.fields.linked_value import Linked
from portal.fields.own_table import OwnTable
from portal.fields.protocols import Form, VisibleIds
from portal.fields.reader import Reader
from portal.fields.record_titles import ids_by_title, ids_named, sort_title_column
from portal.fields.several_values import join_values, split_values
from portal.fields.table_names import declared_name, join_name, table_of


class Links(OwnTable, LinkLike):
    """Several records of another module."""

    type: Literal["links"]
    from_column: ClassVar[bool] = False
    widget: ClassVar[str] = "links"
    display: ClassVar[str] = "links"
    multiple: ClassVar[bool] = True
    in_join_table: ClassVar[bool] = True
    can_be_unique: ClassVar[bool] = False

    to: Annotated[tuple[Annotated[str, Names("module")]], OneOrSeveral()]

    def parse(self, text: str, reader: Reader) -> tuple[Linked, ...]:
        """Ids separated by commas, each record once."""
        return self._distinct(map(self.linked_by_id, split_values(text)))

    def parse_form(self, form: Form, reader: Reader) -> tuple[Linked, ...]:
        """The ids of all inputs of this name, each record once."""
        texts = [text for text in form.getall(self.name) if isinstance(text, str) and text.strip()]
        return self._distinct(map(self.linked_by_id, texts))

    def _distinct(self, links: Iterable[Linked]) -> tuple[Linked, ...]:
        return tuple({link.id: link for link in links}.values())

    def to_json(self, value: Any) -> list[dict[str, Any]]:
        return [self.link_to_json(link) for link in value or ()]

    def inputs(self, value: Any, reader: Reader) -> dict[str, str | list[str]]:
        """All ids under the same name."""
        return {self.name: [str(link.id) for link in value or ()]}

    def links_in(self, value: Any) -> tuple[Linked, ...]:
        return tuple(value or ())

    def show(self, value: Any, reader: Reader) -> str:
        return reader.listed(link.title for link in value or ())

    def write(self, value: Any) -> str:
        """A unique value of each linked record, else its reference, separated by commas."""
        return join_values(link.raw for link in value or ())

    def names(self, text: str) -> list[str]:
        """The names of records in a CSV cell: the inverse of `write`."""
        return split_values(text)

    def expression(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """The title of the first: there is no column to compare."""
        return self.order(table)

    def order(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """By the title of the first."""
        return self.order_among(table, lambda module: None)

    def order_among(self, table: sa.FromClause, visible_ids: VisibleIds) -> sa.ColumnElement[Any]:
        """By the title of the first that the reader may see."""
        joined, target = self._join(table).alias(), self.target(table, self.to[0])
        linked = target.alias()
        first = sa.select(linked.c[sort_title_column(target)]).join(joined, joined.c["target"] == linked.c["id"])
        first = first.where(joined.c["record"] == table.c["id"], *self._visible(linked.c["id"], visible_ids))
        return first.order_by(joined.c["position"]).limit(1).correlate(table).scalar_subquery()

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """Like `compare_among`, with all linked records."""
        return self.compare_among(table, operator, value, lambda module: None)

    def compare_among(
        self, table: sa.FromClause, operator: str, value: Any, visible_ids: VisibleIds
    ) -> sa.ColumnElement[bool]:
        """Whether there are links, or one to a record with an id or a title, among records that the reader may see."""
        joined, target = self._join(table), self.target(table, self.to[0])
        records = sa.select(joined.c["record"]).where(*self._visible(joined.c["target"], visible_ids))
        if operator == "empty":
            some = table.c["id"].in_(records)
            return sa.not_(some) if value else some
        if operator in ("equal", "contains"):
            find = ids_named if operator == "equal" else ids_by_title
            to = joined.c["target"]
            links_there = is_among_ids(to, ids_of(value)) if isinstance(value, list) else to.in_(find(target, value))
            return table.c["id"].in_(records.where(links_there))
        return Field.compare(self, table, operator, value)

    def _visible(self, target: sa.ColumnElement[int], visible_ids: VisibleIds) -> list[sa.ColumnElement[bool]]:
        ids = visible_ids(self.to[0])
        return [] if ids is None else [target.in_(ids)]

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        """Whether one of them is in the result of `constant`: a list of ids, or a title."""
        if operator == "equal":
            return any(self.is_among(link, constant) for link in value or ())
        return super().matches(value or (), operator, constant)

    def texts(self, value: Any) -> Iterable[str]:
        return [link.title for link in value or () if link.title]

    def _join(self, table: sa.FromClause) -> sa.Table:
        base = table_of(table)
        return base.metadata.tables[join_name(declared_name(base), self.name)]
