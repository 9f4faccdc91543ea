"""What a database has: the tables declared with `table:`, with the kinds of their values and their keys; our indexes.

Inspected when a portal is opened and when its declarations change. Names that differ only in case or underscores
(`first_name` and FirstName) are found if only one column can be meant.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from portal.database.schema.indexes import PREFIX
from portal.declaration.declaration import Declaration

# The portal's indexes: which are usable, and which are unique.
_INDEXES = sa.text(
    "SELECT index.relname, indisvalid, indisunique FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid "
    "JOIN pg_namespace ON pg_namespace.oid = index.relnamespace "
    "WHERE nspname = current_schema() AND starts_with(index.relname, :prefix)"
)

# The kinds, by SQLAlchemy's types; the first match counts. Everything else is text.
KINDS: tuple[tuple[type[Any], str], ...] = (
    (sa.Boolean, "boolean"),
    (sa.Integer, "integer"),
    (sa.Numeric, "decimal"),
    (sa.DateTime, "datetime"),
    (sa.Date, "date"),
    (sa.Time, "time"),
    (sa.LargeBinary, "binary"),
    (sa.Uuid, "uuid"),
    (sa.Interval, "interval"),
    (sa.ARRAY, "list"),
)
UNKNOWN = "unknown"  # a computed column of a view on SQLite


@dataclass(frozen=True)
class InspectedTable:
    """A table or a view: its columns with the kinds of their values, in order, and its primary key."""

    name: str
    schema: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()

    def column(self, name: str) -> str | None:
        """The column of this table that `name` means, in any case; None if there is none, or more than one."""
        if name in self.columns:
            return name
        for simplified in (str.casefold, _bare):
            matches = [column for column in self.columns if simplified(column) == simplified(name)]
            if len(matches) == 1:
                return matches[0]
        return None


@dataclass(frozen=True)
class ExistingTables:
    """The tables that a declaration reads, as they are in one database, by their names in the declaration."""

    dialect: str = "sqlite"
    tables: Mapping[str, InspectedTable] = field(default_factory=dict)


NOTHING = ExistingTables()


def inspect_existing(engine: sa.Engine, declaration: Declaration) -> ExistingTables:
    """The tables and views that modules of a declaration read, as they are in the database, without missing ones."""
    names = {module.table for module in declaration.modules.values() if module.table is not None}
    if not names:
        return NOTHING
    with engine.connect() as connection:
        inspector = sa.inspect(connection)
        tables = {name: table for name in sorted(names) if (table := _find(inspector, name)) is not None}
    return ExistingTables(engine.dialect.name, tables)


def inspect_table(inspector: sa.Inspector, name: str, schema: str | None = None) -> InspectedTable:
    """The columns and the key of an existing table."""
    columns = {column["name"]: _kind_of_column(column["type"]) for column in inspector.get_columns(name, schema)}
    key = inspector.get_pk_constraint(name, schema).get("constrained_columns") or []
    return InspectedTable(name, schema, columns, tuple(key))


def _kind_of_column(type_: sa.types.TypeEngine[Any]) -> str:
    """The kind of values of a column, according to the database."""
    if isinstance(type_, sa.types.NullType):
        return UNKNOWN
    if isinstance(type_, sa.DateTime) and type_.timezone:
        return "moment"
    return next((kind for cls, kind in KINDS if isinstance(type_, cls)), "text")


def _find(inspector: sa.Inspector, declared: str) -> InspectedTable | None:
    """The table with a name, which on PostgreSQL may begin with its schema."""
    for schema, name in _readings(inspector, declared):
        known = {*inspector.get_table_names(schema), *inspector.get_view_names(schema)}
        if inspector.dialect.name == "postgresql":
            known |= set(inspector.get_materialized_view_names(schema))
        match = name if name in known else _only(known, name)
        if match is not None:
            return inspect_table(inspector, match, schema)
    return None


def _readings(inspector: sa.Inspector, declared: str) -> Iterable[tuple[str | None, str]]:
    yield None, declared
    schema, dot, name = declared.partition(".")
    if dot and schema in inspector.get_schema_names():
        yield schema, name


def _only(known: Iterable[str], name: str) -> str | None:
    matches = [other for other in known if other.casefold() == name.casefold()]
    return matches[0] if len(matches) == 1 else None


def _bare(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def unusable_indexes(connection: sa.Connection) -> set[str]:
    """The names of the portal's indexes in the database whose build did not finish."""
    if connection.dialect.name != "postgresql":
        return set()
    return {name for name, (is_valid, _is_unique) in existing_indexes(connection).items() if not is_valid}


def existing_indexes(connection: sa.Connection) -> dict[str, tuple[bool, bool]]:
    """The portal's indexes on PostgreSQL: whether each is usable, and whether it is unique."""
    rows = connection.execute(_INDEXES, {"prefix": PREFIX})
    return {name: (is_valid, is_unique) for name, is_valid, is_unique in rows}
