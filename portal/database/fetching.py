"""Fetches the rows of statements that pages execute repeatedly, bypassing most of SQLAlchemy.

For each execution, SQLAlchemy looks up what it compiled and makes a context and a result: several times the time that
SQLite needs for a statement of a page. Here a repeated statement (kept by records/statement_cache.py) is compiled once,
with the converters of its parameters and columns, and runs on the driver's own cursor. Its events and errors are those
of any other statement. Statements built for one request are left to SQLAlchemy.

PostgreSQL's driver gets numbered parameters, like the server. It would parse the text for names at every execution, and
caches the result only for texts of up to 4,096 characters.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from weakref import WeakKeyDictionary

import sqlalchemy as sa

Statement = sa.Select[Any] | sa.CompoundSelect[Any]
Row = dict[str, Any]  # by the names of the columns
Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class PreparedStatement:
    """A statement in the form that the driver needs. The events of the engine get it as their context."""

    dialect: str
    text: str
    execution_options: Mapping[str, Any]
    make_cursor: Callable[[Any], Any]  # on the connection of the driver
    names: tuple[str, ...]  # of the parameters in order
    constants: dict[str, Any]
    variables: tuple[tuple[str, str, Convert | None], ...]  # name, key of the value, converter for the driver
    computed: tuple[tuple[str, Callable[[], Any], Convert | None], ...]  # name, function for the value, converter
    columns: tuple[str, ...]
    converted: tuple[tuple[str, Convert], ...]  # columns, and their converters from the driver's values

    def parameters(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """The parameters for the driver. Raises KeyError if a value is missing."""
        named = self.constants.copy()
        for name, key, convert in self.variables:
            named[name] = values[key] if convert is None else convert(values[key])
        for name, compute, convert in self.computed:
            named[name] = compute() if convert is None else convert(compute())
        return tuple([named[name] for name in self.names])

    def execute(self, connection: sa.Connection, values: Mapping[str, Any]) -> list[Row]:
        """The rows; `connection` is in a transaction."""
        parameters, text = self.parameters(values), self.text
        cursor = self.make_cursor(connection.connection.driver_connection)
        for before in connection.dispatch.before_cursor_execute:
            text, parameters = before(connection, cursor, text, parameters, self, False)
        try:
            cursor.execute(text, parameters)
            for after in connection.dispatch.after_cursor_execute:
                after(connection, cursor, text, parameters, self, False)
            fetched = cursor.fetchall()
        except Exception as error:  # noqa: BLE001 SQLAlchemy raises it as its own, and gives up a dead connection
            connection._handle_dbapi_exception(error, text, parameters, cursor, None)
        cursor.close()
        rows = [dict(zip(self.columns, row, strict=True)) for row in fetched]
        for name, convert in self.converted:
            for row in rows:
                row[name] = convert(row[name])
        return rows


# None: executed once so far. False: it cannot be prepared.
_prepared: WeakKeyDictionary[Statement, PreparedStatement | Literal[False] | None] = WeakKeyDictionary()


def fetch(connection: sa.Connection, statement: Statement, values: Mapping[str, Any]) -> list[Row]:
    """All rows of a statement with the values of its parameters; no two columns may have the same name."""
    prepared = _prepared.get(statement)
    if (
        isinstance(prepared, PreparedStatement)
        and prepared.dialect == connection.dialect.name
        and connection.in_transaction()
    ):
        return prepared.execute(connection, values)
    result = connection.execute(statement, values)
    if prepared is None:
        again = statement in _prepared
        _prepared[statement] = _prepare(statement, values, connection.dialect, result) if again else None
    return [dict(row) for row in result.mappings()]


def _prepare(
    statement: Statement, values: Mapping[str, Any], dialect: sa.Dialect, result: sa.CursorResult[Any]
) -> PreparedStatement | Literal[False]:
    """The statement for the driver; `result`: of this execution. False if its text depends on the values, or the names
    of columns or parameters are not those that SQLAlchemy gave them."""
    compiled: Any = statement.compile(dialect=dialect)
    expanded = compiled.construct_expanded_state(values, escape_names=False)
    binds = {name: bind for bind, name in compiled.bind_names.items()}  # `compiled.binds` has other keys too
    variables = {name: bind for name, bind in binds.items() if bind.key in values}
    computed = {name: bind for name, bind in binds.items() if bind.callable and name not in variables}
    description, selected = result.cursor.description, list(statement.selected_columns)
    columns = tuple(column[0] for column in description)
    changing = variables | computed
    if compiled.escaped_bind_names or not changing.keys() <= expanded.parameters.keys():
        return False
    if len(set(columns)) < len(columns) or len(columns) != len(selected):
        return False
    if dialect.name == "postgresql":
        text, names = _number_parameters(expanded.statement)
        make_cursor = dialect.loaded_dbapi.RawCursor
    else:
        text, names = expanded.statement, tuple(expanded.positiontup)
        make_cursor = operator.methodcaller("cursor")
    of_variables = ((name, bind.key, _to_driver(bind, dialect)) for name, bind in variables.items())
    of_columns = (
        (column[0], part.type.dialect_impl(dialect).result_processor(dialect, column[1]))
        for column, part in zip(description, selected, strict=True)
    )
    return PreparedStatement(
        dialect.name,
        text,
        statement.get_execution_options(),
        make_cursor,
        names,
        dict(_constants(compiled, expanded, changing, dialect)),
        tuple(of_variables),
        tuple((name, bind.callable, _to_driver(bind, dialect)) for name, bind in computed.items()),
        columns,
        tuple((name, convert) for name, convert in of_columns if convert is not None),
    )


class _Numbers(dict[str, str]):
    """Assigns each requested name a number in PostgreSQL's notation."""

    def __missing__(self, name: str) -> str:
        self[name] = f"${len(self) + 1}"
        return self[name]


def _number_parameters(text: str) -> tuple[str, tuple[str, ...]]:
    """The text of a statement with numbers instead of `%(name)s`, and the names in order."""
    numbers = _Numbers()
    return text % numbers, tuple(numbers)


def _constants(
    compiled: Any, expanded: Any, changing: Mapping[str, Any], dialect: sa.Dialect
) -> Iterator[tuple[str, Any]]:
    """The parameters of a prepared statement that never change, for the driver; each value of a list is one."""
    for name, value in expanded.parameters.items():
        if name in changing:
            continue
        convert = _to_driver(compiled.binds[name], dialect) if name in compiled.binds else expanded.processors.get(name)
        yield name, value if convert is None else convert(value)


def _to_driver(bind: sa.BindParameter[Any], dialect: sa.Dialect) -> Convert | None:
    return bind.type.dialect_impl(dialect).bind_processor(dialect)
