"""Which indexes a module's table gets: what its lists sort and filter by, together with whose the records are.

Derived from the declaration alone, so that `portal plan` makes and drops them as lists and profiles change. A name
tells the columns: an index of other columns is another index. No name of the YAML holds “$”, so the parts stay apart:
`order` with a field `line_number` and `order_line` with its number are two indexes.
"""

from collections.abc import Iterable, Iterator

import sqlalchemy as sa

from portal.conditions import AllOf, comparisons
from portal.declaration.shapes import Declaration, ListLayout, Module
from portal.fields.base import Field
from portal.fields.links import shortened

PREFIX = "ix_"
ID = "id"
MOST_TOGETHER = 3  # columns that an index holds besides
LONGEST_INDEXED = 640  # characters of up to four bytes


def add_indexes(declaration: Declaration, module: Module, table: sa.Table) -> None:
    """Puts the indexes of a module on its table."""
    for columns in index_columns(declaration, module, table):
        sa.Index(index_name(module.name, *columns), *[table.c[name] for name in columns])


def index_name(table: str, *columns: str) -> str:
    """The name of an index of a table, which is the only one of its name in the database."""
    return shortened(PREFIX + "$".join((table, *columns)))


def index_columns(declaration: Declaration, module: Module, table: sa.Table) -> Iterator[tuple[str, ...]]:
    """The columns of each index, without those of unique fields."""
    found: dict[tuple[str, ...], None] = {("modified", ID): None}
    owner, organization = scope_column(module, table, module.owner), scope_column(module, table, module.organization)
    if owner:
        # What is somebody's own is little: the newest come by the index, any other order is sorted.
        # The organization is told at the end, for who sees it as well looks there only for what is not its; and the
        # state, by which tabs count: without it every row of a busy person was read for each of them.
        state = [module.lifecycle.field] if module.lifecycle and module.lifecycle.field in table.c else []
        found[tuple(dict.fromkeys((owner, "modified", ID, organization or ID, *state)))] = None
    if organization:
        found[organization, "modified", ID] = None
    together = _asked_together(declaration, module, table)
    for column in {column: None for name in _listed(declaration, module) for column in _column(module, name, table)}:
        besides = together.get(column, ())
        found[column, ID, *besides] = None
        if organization and organization != column:
            found[organization, column, ID, *(name for name in besides if name != organization)] = None
    for name, field in module.fields.items():
        if field.targets and name in table.c and not any(columns[0] == name for columns in found):
            found[name,] = None
    yield from (columns for columns in found if columns != (ID, ID))


def _asked_together(declaration: Declaration, module: Module, table: sa.Table) -> dict[str, tuple[str, ...]]:
    """Columns with the others that a tab or a button asks for at once: the index of one holds the others, so that
    both are counted in it. To read thousands of rows for a number took as long as ten pages."""
    conditions = [tab.where for layout in _layouts(declaration, module) for tab in (layout.tabs or {}).values()]
    for button in declaration.buttons.values():
        if button.where and (button.opens or "").partition("/")[0] == module.name:
            tab = (module.list.tabs or {}).get(button.tab or "")
            conditions.append(AllOf((button.where, tab.where)) if tab else button.where)
    found: dict[str, dict[str, None]] = {}
    for condition in conditions:
        names = dict.fromkeys(test.path[0] for test in comparisons(condition) if len(test.path) == 1)
        columns = [column for name in names for column in _column(module, name, table) if column == name != ID]
        for column in columns:
            found.setdefault(column, {}).update({other: None for other in columns if other != column})
    return {column: tuple(others)[:MOST_TOGETHER] for column, others in found.items()}


def scope_column(module: Module, table: sa.Table, path: str | None) -> str | None:
    """The column that says whose a record is, where it stands in the record itself as one link to one module."""
    if path is None or path not in module.fields or path not in table.c:
        return None
    return path if len(module.fields[path].targets) == 1 else None


def is_indexed(table: sa.Table, branch: sa.ColumnElement[bool], column: str) -> bool:
    """Whether an index leads within a branch of somebody's scope (Policy.branches) to the values of a column. Where
    none does, the rows are few: what is somebody's own."""
    first = next(iter(branch.clauses)) if isinstance(branch, sa.BooleanClauseList) else branch
    index_columns = [*([first.left.name] if isinstance(first, sa.BinaryExpression) else []), column]
    return any(index.columns.keys()[: len(index_columns)] == index_columns for index in table.indexes)


def sort_column(field: Field, table: sa.Table) -> sa.Column | None:
    """The column whose index has the order of a field, or gives it piece by piece."""
    column = field.index_column(table)
    return column if isinstance(column, sa.Column) and column.table is table else None


def _column(module: Module, name: str, table: sa.Table) -> Iterator[str]:
    field = module.everything.get(name)
    if field is None or field.index is False or not field.stored or field.computed or not field.sortable:
        return
    column = sort_column(field, table)
    # A long text is looked after by the search; PostgreSQL cannot index one of more than 2,700 bytes.
    if column is not None and not field.long and (field.length_limit or 0) <= LONGEST_INDEXED:
        yield column.name


def _listed(declaration: Declaration, module: Module) -> Iterable[str]:
    """The names of fields that a list shows, or sorts by, and of those that ask for an index."""
    yield module.title_field.name
    for layout in _layouts(declaration, module):
        yield from layout.columns or ()
        yield from (entry.removeprefix("-") for entry in layout.sort or ())
    yield from (name for name, field in module.fields.items() if field.index)


def _layouts(declaration: Declaration, module: Module) -> list[ListLayout]:
    profiles = (profile for profile in declaration.profiles.values() if module.name in profile.modules)
    return [module.list, *(profile.modules[module.name].list for profile in profiles)]
