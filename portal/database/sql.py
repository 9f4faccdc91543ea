"""Conditions → SQL. The fields say how one value is compared; this file walks links and joins the parts."""

from operator import eq
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from portal.conditions import AnyOf, Comparison, Condition, ParsedValue
from portal.declaration.shapes import Declaration, Module
from portal.fields.base import Field, Refused
from portal.fields.columns import table_of
from portal.fields.links import join_name
from portal.fields.reader import Reader
from portal.texts import _


class WithoutIndex(FunctionElement[bool]):
    """A condition that is tested row by row, so that the rows are read in the order in which they are wanted: the
    planner of SQLite would take any index that it sees, and sort a hundred thousand rows for the sake of 25."""

    type = sa.Boolean()
    name = "scanned"
    inherit_cache = True


@compiles(WithoutIndex, "sqlite")
def _scanned_in_sqlite(element: WithoutIndex, compiler: SQLCompiler, **options: Any) -> str:
    return f"+({compiler.process(element.clauses, **options)})"


@compiles(WithoutIndex, "postgresql")
def _scanned_in_postgresql(element: WithoutIndex, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)})"


class ColumnWithoutIndex(FunctionElement[Any]):
    """A column whose value is known before: SQLite's planner shall not look for its rows by it."""

    name = "given"
    inherit_cache = True


@compiles(ColumnWithoutIndex, "sqlite")
def _given_in_sqlite(element: ColumnWithoutIndex, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


@compiles(ColumnWithoutIndex, "postgresql")
def _given_in_postgresql(element: ColumnWithoutIndex, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


class Redundant(WithoutIndex):
    """A condition that another one has made sure of already: no planner shall count on it a second time."""

    inherit_cache = True


@compiles(Redundant, "postgresql")
def _repeated_in_postgresql(element: Redundant, compiler: SQLCompiler, **options: Any) -> str:
    return f"coalesce({compiler.process(element.clauses, **options)}, false)"


def where(
    condition: Condition, table: sa.FromClause, module: Module, declaration: Declaration, reader: Reader
) -> sa.ColumnElement[bool]:
    """SQL for `condition` on `table`, which holds the records of `module`. Raises Refused for an unreadable value."""
    if isinstance(condition, Comparison):
        sql = _along(condition.path, condition, table, module, declaration, reader)
        # Empty counts as “not”: NOT (NULL = 'x') would be NULL, and hide the record.
        return sa.not_(sa.func.coalesce(sql, sa.false())) if condition.negated else sql
    parts = [where(part, table, module, declaration, reader) for part in condition.parts]
    if isinstance(condition, AnyOf):
        return sa.or_(sa.false(), *parts)
    return sa.and_(sa.true(), *parts)


def _along(
    path: tuple[str, ...],
    test: Comparison,
    table: sa.FromClause,
    module: Module,
    declaration: Declaration,
    reader: Reader,
) -> sa.ColumnElement[bool]:
    field = module.field(path[0])
    if len(path) == 1:
        return comparison(field, test, table, reader)
    target_module = declaration.modules[field.targets[0]]
    target = table_of(table).metadata.tables[target_module.name].alias()
    inner = _along(path[1:], test, target, target_module, declaration, reader)
    return linked(field, table, sa.select(target.c["id"]).where(inner))


def comparison(field: Field, test: Comparison, table: sa.FromClause, reader: Reader) -> sa.ColumnElement[bool]:
    """One comparison on a field of `table` itself, without its negation."""
    if test.operator == "empty":
        return field.compare(table, "empty", test.value)
    if test.operator == "within":
        return _within(field, test.value, table, reader)
    if test.operator == "one_of":
        return one_of([_equal(field, item, table, reader) for item in test.value])
    if test.operator == "equal":
        return _equal(field, test.value, table, reader)
    return field.compare(table, test.operator, _constant(field, test.value, reader))


def one_of(ways: list[sa.ColumnElement[bool]]) -> sa.ColumnElement[bool]:
    """Any of several comparisons; as one list where they compare one column, which PostgreSQL looks up in its index."""
    columns = {way.left if isinstance(way, sa.BinaryExpression) and way.operator is eq else None for way in ways}
    if len(ways) > 1 and len(columns) == 1 and None not in columns:
        return columns.pop().in_([way.right for way in ways])
    return sa.or_(sa.false(), *ways)


def linked(field: Field, table: sa.FromClause, ids: sa.Select[Any]) -> sa.ColumnElement[bool]:
    """Rows of `table` whose link (one of them, for `links`) leads to one of `ids`."""
    if not field.multiple:
        return table.c[field.name].in_(ids)
    base = table_of(table)
    join = base.metadata.tables[join_name(base.name, field.name)]
    return table.c["id"].in_(sa.select(join.c["record"]).where(join.c["target"].in_(ids)))


def _equal(field: Field, raw: Any, table: sa.FromClause, reader: Reader) -> sa.ColumnElement[bool]:
    if raw is None or raw == "":
        return field.compare(table, "empty", True)
    return field.compare(table, "equal", _constant(field, raw, reader))


def _constant(field: Field, raw: Any, reader: Reader) -> Any:
    """What the declaration says is machine-written, whoever reads: 1234.5 and ISO dates."""
    return raw.value if isinstance(raw, ParsedValue) else field.constant(raw, reader.machine)


def _within(field: Field, period: Any, table: sa.FromClause, reader: Reader) -> sa.ColumnElement[bool]:
    earliest, latest = period_bounds(field, period, reader)
    return sa.and_(field.compare(table, "min", earliest), field.compare(table, "max", latest))


def period_bounds(field: Field, period: Any, reader: Reader) -> tuple[Any, Any]:
    """The last days for what is past, the next for what is to come: either side of now. Raises Refused."""
    if "today" not in field.specials:
        raise Refused(_("“${operator}” does not apply to this field.", mapping={"operator": "within"}))
    zone = reader.time_zone
    around = [moment.astimezone(zone) for moment in (reader.now - period, reader.now + period)]
    if "now" not in field.specials:
        around = [moment.date() for moment in around]
    earliest, latest = (_constant(field, end.isoformat(), reader) for end in around)
    return earliest, latest
