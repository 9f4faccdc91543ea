"""The indexes of a module's table: what its lists sort and filter by, combined with whom the records belong to.

They only depend on the declaration, so `portal plan` creates and drops them as lists and profiles change. The name of
an index consists of its columns: an index on other columns is a different index. Declared names do not contain “$”, so
the parts of a name are unambiguous: `order` with a field `line_number` and `order_line` with its number have two
indexes.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.functions import FunctionElement

from portal.conditions import AllOf, comparisons
from portal.declaration.declaration import Declaration
from portal.declaration.layout_shapes import ListLayout
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.table_names import shortened

PREFIX = "ix_"
ID = "id"
MAX_INCLUDED = 3  # additional columns of an index
LONGEST_INDEXED = 640  # characters of up to four bytes each; PostgreSQL cannot index more than 2,700 bytes


def add_indexes(declaration: Declaration, module: Module, table: sa.Table) -> None:
    """Adds the indexes of a module to its table."""
    for columns in _index_columns(declaration, module, table):
        sa.Index(index_name(module.name, *columns), *[table.c[name] for name in columns])


def index_name(table: str, *columns: str) -> str:
    """The name of an index of a table, unique in the database."""
    return shortened(PREFIX + "$".join((table, *columns)))


def _index_columns(declaration: Declaration, module: Module, table: sa.Table) -> Iterator[tuple[str, ...]]:
    """The columns of each index, except those of unique fields."""
    indexes: dict[tuple[str, ...], None] = {("modified", ID): None}
    owner, organization = scope_column(module, table, module.owner), scope_column(module, table, module.organization)
    if owner:
        # A person has few records of their own: the index has the newest, any other order is sorted. The organization
        # is included because readers who also see the company's records only read the others there; the state because
        # tabs count by it, which would otherwise read every record of a busy person.
        state = [module.state_field] if module.state_field and module.state_field in table.c else []
        indexes[tuple(dict.fromkeys((owner, "modified", ID, organization or ID, *state)))] = None
    if organization:
        indexes[organization, "modified", ID] = None
    compared_together = _compared_together(declaration, module, table)
    listed = {
        column: None for name in _listed_fields(declaration, module) for column in _index_column(module, name, table)
    }
    for column in listed:
        included = compared_together.get(column, ())
        indexes[column, ID, *included] = None
        if organization and organization != column:
            indexes[organization, column, ID, *(other for other in included if other != organization)] = None
    # Every link has an index, to find the records that link to a deleted one.
    leading = {columns[0] for columns in indexes} | {index.columns.keys()[0] for index in table.indexes}
    for name, field in module.fields.items():
        if field.targets and name in table.c and name not in leading:
            indexes[name,] = None
    yield from (columns for columns in indexes if columns != (ID, ID))


def _compared_together(declaration: Declaration, module: Module, table: sa.Table) -> dict[str, tuple[str, ...]]:
    """Each column → the others that a tab or a button compares with it.

    The index of one includes the others, so that the tab can be counted in the index alone: reading thousands of rows
    for one number took as long as ten pages.
    """
    conditions = [tab.where for layout in _list_layouts(declaration, module) for tab in (layout.tabs or {}).values()]
    for button in declaration.buttons.values():
        if button.where and (button.opens or "").partition("/")[0] == module.name:
            tab = (module.list.tabs or {}).get(button.tab or "")
            conditions.append(AllOf((button.where, tab.where)) if tab else button.where)
    together: dict[str, dict[str, None]] = {}
    for condition in conditions:
        names = dict.fromkeys(item.path[0] for item in comparisons(condition) if len(item.path) == 1)
        columns = [column for name in names for column in _index_column(module, name, table) if column == name != ID]
        for column in columns:
            together.setdefault(column, {}).update({other: None for other in columns if other != column})
    return {column: tuple(others)[:MAX_INCLUDED] for column, others in together.items()}


def scope_column(module: Module, table: sa.Table, path: str | None) -> str | None:
    """The column that says whom a record belongs to, if that is one link in the record itself to one module."""
    if path is None or path not in module.fields or path not in table.c:
        return None
    return path if len(module.fields[path].targets) == 1 else None


def is_indexed(table: sa.Table, branch: sa.ColumnElement[bool], column: str, including: Collection[str] = ()) -> bool:
    """Whether an index has the values of a column within one branch of a scope (Policy.branches), and also the columns
    `including`.

    Without such an index the branch has few rows: a person's own, or those that they watch.
    """
    first = next(iter(branch.clauses)) if isinstance(branch, sa.BooleanClauseList) else branch
    if isinstance(first, FunctionElement):  # the ids of watched records
        return False
    leading = [*([first.left.name] if isinstance(first, sa.BinaryExpression) else []), column]
    indexes = (index.columns.keys() for index in table.indexes)
    return any(columns[: len(leading)] == leading and {*including} <= {*columns} for columns in indexes)


def sort_column(field: Field, table: sa.Table) -> sa.Column[Any] | None:
    """The column whose index has the order of a field, completely or in segments."""
    column = field.index_column(table)
    return column if isinstance(column, sa.Column) and column.table is table else None


def index_column(field: Field, table: sa.Table) -> sa.Column[Any]:
    """The sort column of a field that has one. Raises LookupError."""
    column = sort_column(field, table)
    if column is None:
        raise LookupError(field.name)
    return column


def _index_column(module: Module, name: str, table: sa.Table) -> Iterator[str]:
    field = module.everything.get(name)
    if field is None or field.index is False or field.virtual or not field.sortable:
        return
    column = sort_column(field, table)
    if column is not None and not field.long and (field.length_limit or 0) <= LONGEST_INDEXED:
        yield column.name


def _listed_fields(declaration: Declaration, module: Module) -> Iterable[str]:
    """The names of fields that a list shows or sorts by, or a chart counts by, and of those with `index: true`."""
    yield module.title_field.name
    for layout in _list_layouts(declaration, module):
        yield from layout.columns or ()
        yield from (entry.removeprefix("-") for entry in layout.sort or ())
    for profile in declaration.profiles.values():
        yield from (panel.by for panel in profile.home.declared_panels if panel.chart == module.name and panel.by)
    yield from (name for name, field in module.fields.items() if field.index)


def _list_layouts(declaration: Declaration, module: Module) -> list[ListLayout]:
    return [module.list, *(access.list for _profile, access in declaration.accesses(module.name))]
