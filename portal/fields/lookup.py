"""`lookup`: a field of a linked record, read-only: `service.owner.name`. Not stored; behaves like its target field."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import PrivateAttr, field_validator

from portal.fields.base_shape import Names
from portal.fields.link import is_linked
from portal.fields.protocols import Declared
from portal.fields.proxy_field import ProxyField
from portal.fields.rollup import Rollup
from portal.fields.table_names import table_of

# The links along the path, each with the module that it leads to.
Steps = tuple[tuple[str, str], ...]
Pick = Callable[[sa.FromClause], sa.ColumnElement[Any]]


class Lookup(ProxyField):
    """A field of a linked record, such as service.owner.name.

    Its target is the last field of the path; its values are read along the links before it.
    """

    type: Literal["lookup"]
    computed: ClassVar[bool] = True
    virtual: ClassVar[bool] = True
    can_be_unique: ClassVar[bool] = False
    sample: ClassVar[Mapping[str, Any]] = {"of": "service.owner.name"}

    of: Annotated[str, Names("path")]

    _steps: Steps = PrivateAttr(())

    @field_validator("of")
    @classmethod
    def _dotted(cls, of: str) -> str:
        if not all(of.split(".")) or "." not in of:
            raise ValueError("must be a link and a field of its record, such as service.name")
        return of

    def bind(self, declaration: Declared, module: Any) -> None:
        """Finds its target field. Raises ValueError if there is none that can be looked up."""
        try:
            path = list(declaration.along(module.name, self.of))
        except KeyError:
            raise ValueError(f'"{self.of}" leads to no field') from None
        for _module, link in path[:-1]:
            if link.multiple or link.computed:
                raise ValueError(f'"{link.name}" does not lead to one record')
        target = path[-1][1]
        if target.multiple and not target.columns() or target.by_upload:
            raise ValueError(f'"{target.name}" cannot be looked up')
        self._refuse_circle(declaration, module)
        links = [link.name for _module, link in path[:-1]]
        self._steps = tuple(zip(links, [step.name for step, _field in path[1:]], strict=True))
        self._answer_like(target)

    def _refuse_circle(self, declaration: Declared, module: Any) -> None:
        """Raises ValueError, with a sentence for the first field of a circle and without one for the others."""
        line = [(module.name, self.name)]
        of, start = self.of, module.name
        while isinstance((end := list(declaration.along(start, of))[-1])[1], Lookup):
            start, of = end[0].name, end[1].of
            if (start, end[1].name) in line:
                first = line[0] == (start, end[1].name) == min(line)
                raise ValueError(f'"{self.of}" leads back to itself' if first else "")
            line.append((start, end[1].name))

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.of,)

    @property
    def rollups(self) -> tuple[Rollup, ...]:
        return self._target.rollups

    @property
    def link_path(self) -> tuple[str, ...]:
        return tuple(self.of.split("."))

    # -- the database ---------------------------------------------------------------------------------------------

    def selected(self, table: sa.FromClause) -> list[sa.ColumnElement[Any]]:
        """The columns of the target, each as a subquery along the links."""
        columns = self._target.selected(self._table(table, self._steps[-1][1]))
        return [
            self._along(table, self._pick(index)).label(self._label(str(column.key)))
            for index, column in enumerate(columns)
        ]

    def _pick(self, index: int) -> Pick:
        """One of the columns from which the target makes its value, without its label."""

        def column(table: sa.FromClause) -> sa.ColumnElement[Any]:
            selected = self._target.selected(table)[index]
            return selected.element if isinstance(selected, sa.Label) else selected

        return column

    def _label(self, column: str) -> str:
        """The label of a column of the target in a row of this module."""
        return self.name if column == self._target.name else f"_{self.name}_of_{column}"

    def load(self, row: Mapping[str, Any]) -> Any:
        """The target's value, from the columns that `selected` has labeled."""
        beginning = self._label("")
        own = {label.removeprefix(beginning): value for label, value in row.items() if label.startswith(beginning)}
        return self._target.load({**own, self._target.name: row[self.name]} if self.name in row else own)

    def expression(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """The target's expression, as a subquery along the links."""
        return self._along(table, self._target.expression)

    def order(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        return self._along(table, self._target.order)

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """The target's comparison on linked records; a record without a link is empty too."""
        if operator == "empty" and value:
            # The value is also missing if no record is linked.
            return sa.not_(sa.func.coalesce(self.compare(table, "empty", False), sa.false()))
        return self._linked(table, self._steps, lambda last: self._target.compare(last, operator, value))

    def _linked(self, table: sa.FromClause, steps: Steps, condition: Pick) -> sa.ColumnElement[bool]:
        """The chain of links as IN (SELECT id …), which can use their indexes."""
        if not steps:
            return condition(table)
        target = self._table(table, steps[0][1])
        ids = sa.select(target.c["id"]).where(self._linked(target, steps[1:], condition))
        return table.c[steps[0][0]].in_(ids)

    def _along(self, table: sa.FromClause, pick: Pick) -> sa.ColumnElement[Any]:
        """What `pick` selects in the table at the end of the links, as a subquery of a row of `table`."""
        return self._step(table, self._steps, pick)

    def _step(self, table: sa.FromClause, steps: Steps, pick: Pick) -> sa.ColumnElement[Any]:
        if not steps:
            return pick(table)
        target = self._table(table, steps[0][1])
        linked = sa.select(self._step(target, steps[1:], pick)).where(is_linked(target, table, steps[0][0]))
        return linked.correlate(table).scalar_subquery()

    def _table(self, table: sa.FromClause, module: str) -> sa.FromClause:
        return table_of(table).metadata.tables[module].alias()
