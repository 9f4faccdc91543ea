"""Turns conditions into SQL: this file follows links and joins the parts; the fields compare single values."""

from collections.abc import Sequence
from operator import eq
from typing import Any

import sqlalchemy as sa

from portal.conditions import AnyOf, Comparison, Condition, FieldValue, ParsedValue, ValueAtExecution
from portal.database.existing_tables.search import OPERATOR, match_words
from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.column_types import SqlByDatabase
from portal.fields.link import is_among_ids
from portal.fields.protocols import VisibleIds
from portal.fields.reader import Reader
from portal.fields.record_titles import ids_named
from portal.fields.table_names import declared_name, join_name, table_of


class WithoutIndex(SqlByDatabase):
    """A condition that is tested row by row, while the rows are read in the order of the list.

    SQLite's planner would use any index for the condition, and sort a hundred thousand rows for a page of 25.
    """

    type = sa.Boolean()
    inherit_cache = True
    sqlite = "+({0})"
    postgresql = "({0})"


class ColumnWithoutIndex(SqlByDatabase):
    """A column by which SQLite's planner must not search rows."""

    inherit_cache = True
    sqlite = "+{0}"
    postgresql = "{0}"


class Redundant(WithoutIndex):
    """A condition implied by another one: the planner must not count its selectivity twice."""

    inherit_cache = True
    postgresql = "coalesce({0}, false)"


class Searched(SqlByDatabase):
    """A condition that an index may answer. SQLAlchemy would append `= 1` for SQLite, which then uses no index."""

    type = sa.Boolean()

    def self_group(self, against: Any = None) -> Any:
        return self


class Among(Searched):
    """`Among(column, query)`: rows whose column is one of the few ids of a subquery.

    PostgreSQL reads the ids once, and finds each with an index, even if joined with OR; a hashed IN (SELECT …) would be
    tested for every row of the table.
    """

    inherit_cache = True
    sqlite = "{0} IN {1}"
    postgresql = "{0} = ANY(ARRAY{1})"


class IdList(sa.types.TypeDecorator[list[int]]):
    """A list of ids as one parameter, so that one statement works for lists of any length: as the text of an array, for
    which PostgreSQL's driver takes a tenth of the time for a list."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[int] | None, dialect: sa.Dialect) -> str:
        listed = ",".join(map(str, value or ()))
        return f"{{{listed}}}" if dialect.name == "postgresql" else f"[{listed}]"


class AmongIds(Searched):
    """`AmongIds(column, parameter)`: rows whose column is one of an IdList."""

    inherit_cache = True
    sqlite = "{0} IN (SELECT value FROM json_each({1}))"
    postgresql = "{0} = ANY(CAST({1} AS BIGINT[]))"


def where(
    condition: Condition,
    table: sa.FromClause,
    module: Module,
    declaration: Declaration,
    reader: Reader,
    visible_ids: VisibleIds = lambda module: None,
) -> sa.ColumnElement[bool]:
    """SQL for `condition` on `table`, which has the records of `module`. Raises Refused for an unreadable value.

    What a reader typed is only compared with those records of `links` that `visible_ids` leaves.
    """
    if isinstance(condition, Comparison):
        if condition.operator == OPERATOR:
            return match_words(condition.value.value, table, module, declaration)
        if isinstance(condition.value, ValueAtExecution):
            sql = condition.value.sql
        elif isinstance(condition.value, ParsedValue):  # typed into a filter of this module
            sql = module.field(condition.path[0]).compare_among(
                table, condition.operator, condition.value.value, visible_ids
            )
        else:
            sql = _along(condition.path, condition, table, module, declaration, reader)
        # Empty counts as “not”: NOT (NULL = 'x') would be NULL and hide the record.
        return sa.not_(sa.func.coalesce(sql, sa.false())) if condition.negated else sql
    parts = [where(part, table, module, declaration, reader, visible_ids) for part in condition.parts]
    if isinstance(condition, AnyOf):
        return sa.or_(sa.false(), *parts)
    return sa.and_(sa.true(), *parts)


def _along(
    path: tuple[str, ...],
    comparison: Comparison,
    table: sa.FromClause,
    module: Module,
    declaration: Declaration,
    reader: Reader,
) -> sa.ColumnElement[bool]:
    field = module.field(path[0])
    if len(path) == 1 and comparison.operator == "below":
        below = declaration.modules[field.targets[0]] if field.targets else module
        ids = _below(comparison.value, table_of(table).metadata.tables[below.name], below, reader)
        return linked(field, table, ids)
    if len(path) == 1:
        return _compare(field, comparison, table, module, reader)
    if field.row_fields:
        name = join_name(declared_name(table), field.name)
        rows = table_of(table).metadata.tables[name].alias()
        inner = _along(path[1:], comparison, rows, declaration.row_modules[name], declaration, reader)
        return table.c["id"].in_(sa.select(rows.c["_record"]).where(inner))
    target_module = declaration.modules[field.targets[0]]
    target = table_of(table).metadata.tables[target_module.name].alias()
    inner = _along(path[1:], comparison, target, target_module, declaration, reader)
    return linked(field, table, sa.select(target.c["id"]).where(inner))


def _compare(
    field: Field, comparison: Comparison, table: sa.FromClause, module: Module, reader: Reader
) -> sa.ColumnElement[bool]:
    """SQL for one comparison on a field of `table` itself, without its negation."""
    if comparison.operator == "empty":
        return field.compare(table, "empty", comparison.value)
    if comparison.operator == "within":
        return _within(field, comparison.value, table, reader)
    if comparison.operator == "one_of":
        return _one_of([_with(field, "equal", item, table, module, reader) for item in comparison.value])
    return _with(field, comparison.operator, comparison.value, table, module, reader)


def _below(value: Any, table: sa.Table, module: Module, reader: Reader) -> sa.Select[Any]:
    """SQL for `below`: the ids of the records that `value` names, and of all that stand below them, at any depth."""
    parent, records = module.parent_links[0], table.alias()
    constant = _constant(parent, value, reader)
    if isinstance(constant, list):
        named = is_among_ids(records.c["id"], constant)
    else:
        named = records.c["id"].in_(ids_named(table, constant))
    # UNION leaves out what is there already: records in a circle end it.
    tree = sa.select(records.c["id"]).where(named).cte(recursive=True)
    child = table.alias()
    tree = tree.union(sa.select(child.c["id"]).where(child.c[parent.name] == tree.c["id"]))
    return sa.select(tree.c["id"])


def _one_of(comparisons: list[sa.ColumnElement[bool]]) -> sa.ColumnElement[bool]:
    """SQL for any of several comparisons; an IN list for a single column, for which PostgreSQL can use an index."""
    equalities = [item for item in comparisons if isinstance(item, sa.BinaryExpression) and item.operator is eq]
    if len(equalities) == len(comparisons) > 1 and len({item.left for item in equalities}) == 1:
        return equalities[0].left.in_([item.right for item in equalities])
    return sa.or_(sa.false(), *comparisons)


def linked(field: Field, table: sa.FromClause, ids: sa.Select[Any]) -> sa.ColumnElement[bool]:
    """SQL for the rows of `table` whose link (one of them, for `links`) leads to one of `ids`."""
    if not field.multiple:
        return table.c[field.name].in_(ids)
    base = table_of(table)
    join = base.metadata.tables[join_name(declared_name(base), field.name)]
    return table.c["id"].in_(sa.select(join.c["record"]).where(join.c["target"].in_(ids)))


def _with(
    field: Field, operator: str, raw: Any, table: sa.FromClause, module: Module, reader: Reader
) -> sa.ColumnElement[bool]:
    """SQL for a comparison with a value of the declaration, or with another field of the record."""
    if isinstance(raw, FieldValue):
        return field.as_stored.compare_fields(table, operator, module.field(raw.field).as_stored)
    if operator == "equal" and (raw is None or raw == ""):
        return field.compare(table, "empty", True)
    return field.compare(table, operator, _constant(field, raw, reader))


def _constant(field: Field, raw: Any, reader: Reader) -> Any:
    """The constant of a condition in the notation of declarations, whoever reads: 1234.5, ISO dates."""
    return raw.value if isinstance(raw, ParsedValue) else field.constant(raw, reader.machine)


def _within(field: Field, period: Any, table: sa.FromClause, reader: Reader) -> sa.ColumnElement[bool]:
    earliest, latest = field.period_bounds(period, reader)
    return sa.and_(field.compare(table, "min", earliest), field.compare(table, "max", latest))


def integer_literal(number: int) -> sa.ColumnElement[int]:
    """A number as part of a statement's text. For a parameter in LIMIT, PostgreSQL expects a tenth of all rows, and
    plans the statement again for each value."""
    return sa.literal_column(str(number), sa.BigInteger())


def quoted_identifier(connection: sa.Connection, name: str) -> str:
    """The name of a table or column, quoted for SQL."""
    return connection.dialect.identifier_preparer.quote(name)
