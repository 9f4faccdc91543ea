"""The engine of a PostgreSQL database, its schema, and which plans it caches. Called by engine.py.

Transactions run at REPEATABLE READ: one that would overwrite another's change gets a serialization failure, and the
request is retried.
"""

import threading
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.util import LRUCache

from portal.database.errors import READ_ONLY_TRANSACTION, RECOVERY_IN_PROGRESS, sql_code
from portal.fields.table_names import LONGEST_NAME

CONNECT_TIMEOUT = 5  # seconds to wait for a server to answer
PREPARE_AFTER = 2  # executions after which a statement of `cache_plan` is prepared
# Keywords that SQLAlchemy would not quote as names.
UNKNOWN_KEYWORDS = {"collation", "concurrently", "lateral", "system_user", "tablesample"}
MOST_COMPILED = 500  # statements, as for any engine of SQLAlchemy
FEATURE_NOT_SUPPORTED = "0A000"  # the code of “cached plan must not change result type”
# The just-in-time compiler takes longer than a page's queries. The search needs memory for bitmaps. Requests limit
# their own statements; migrations and backups may take longer than the limits of a role.
SETTINGS = (
    "SET jit = off; SET work_mem = '32MB'; SET random_page_cost = 1.1;"
    " SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0"
)
ISOLATION = "REPEATABLE READ"

# Portals in schemas of one database have locks of their own. The schema may not exist yet: then it is NULL.
_OWN_LOCK = ":number + coalesce(hashtext(current_schema()), 0)"
_shared: dict[tuple[sa.URL, int], sa.Engine] = {}  # by the address without its schema, and seconds
_sharing = threading.Lock()


def create_engine(address: sa.URL, connect_timeout: int) -> sa.Engine:
    """The engine of a PostgreSQL database; connections are made when first needed.

    `?schema=NAME` in the address: the tables are in that schema. Portals whose addresses only differ in that share
    their connections. Raises ValueError for a name that PostgreSQL does not accept.
    """
    schema = _schema(address)
    if not schema:
        return _create_engine(address, connect_timeout)
    address = address.difference_update_query(["schema"])
    with _sharing:
        engine = _shared.get((address, connect_timeout))
        if engine is None:
            engine = _shared[address, connect_timeout] = _create_engine(address, connect_timeout)
    # What SQLAlchemy compiles refers to the tables of one portal, and must be freed with them.
    return engine.execution_options(schema=schema, compiled_cache=LRUCache(MOST_COMPILED))


def cache_plan(statement: Any, version: int) -> Any:
    """A statement whose plan PostgreSQL may cache, because one plan is right for all values.

    `version` changes with the tables, so that statements are planned again. All other statements are planned for their
    values: a plan for a rare word takes seconds for a common one.
    """
    return statement.execution_options(cache_plan=version)


def schema_of(connection: sa.Connection) -> str:
    """The schema of a PostgreSQL connection's address, quoted for SQL; empty if it names none."""
    return connection.get_execution_options().get("schema", "")


def wrong_encoding(connection: sa.Connection) -> str:
    """The encoding of the database, if it cannot hold every text; else empty."""
    encoding = str(connection.scalar(sa.text("SHOW server_encoding")))
    return "" if encoding == "UTF8" else encoding


def make_schema(connection: sa.Connection) -> None:
    """Creates the schema of a connection's address on PostgreSQL if it is missing."""
    if schema := schema_of(connection):
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")


def try_lock(connection: sa.Connection, number: int) -> bool:
    """Takes the advisory lock with this number for the portal of a connection, unless another process has it."""
    return bool(connection.scalar(sa.text(f"SELECT pg_try_advisory_lock({_OWN_LOCK})"), {"number": number}))


def unlock(connection: sa.Connection, number: int) -> None:
    """Releases what `try_lock` has taken."""
    connection.execute(sa.text(f"SELECT pg_advisory_unlock({_OWN_LOCK})"), {"number": number})


def _schema(address: sa.URL) -> str:
    name = address.query.get("schema", "")
    if not isinstance(name, str) or len(name.encode()) > LONGEST_NAME or '"' in name or "\0" in name:
        raise ValueError(f"a schema has one name of at most {LONGEST_NAME} bytes, without quotes")
    return f'"{name}"' if name else ""


class Pool(sa.pool.QueuePool):
    """The connections of an engine for PostgreSQL. A thread may return one after the engine was disposed of: it is
    closed along with the previous pool."""

    def __del__(self) -> None:
        self.dispose()


def _create_engine(address: sa.URL, connect_timeout: int) -> sa.Engine:
    engine = sa.create_engine(
        address,
        poolclass=Pool,
        isolation_level=ISOLATION,
        hide_parameters=True,  # no values in the log
        max_overflow=-1,  # a thread uses at most two; with a limit, threads with one could wait for each other's
        connect_args={
            "prepare_threshold": None,  # see cache_plan
            "connect_timeout": connect_timeout,
            "client_encoding": "utf8",  # whatever the role or the environment say
        },
    )
    names = engine.dialect.identifier_preparer
    names.reserved_words = names.reserved_words | UNKNOWN_KEYWORDS
    sa.event.listen(engine, "connect", _set_up)
    sa.event.listen(engine, "before_cursor_execute", _prepare_where_asked, retval=True)
    sa.event.listen(engine, "handle_error", _give_up_connection)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: Any, record: Any) -> None:
    connection.execute(SETTINGS)
    connection.commit()


def _prepare_where_asked(
    connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool
) -> tuple[str, Any]:
    version = context and context.execution_options.get("cache_plan")
    cursor.connection.prepare_threshold = PREPARE_AFTER if version else None
    return (f"{statement} -- {version}" if version else statement), values


def _give_up_connection(context: Any) -> None:
    # The type of a column has changed: connections with a cached plan of its table are unusable now. Or the server
    # became a standby: if the address names several servers, new connections find the primary.
    code, connection = sql_code(context.original_exception), context.connection
    is_writing = connection is not None and connection.get_execution_options().get("writes") is True
    is_standby = code == RECOVERY_IN_PROGRESS or (code == READ_ONLY_TRANSACTION and is_writing)
    if code == FEATURE_NOT_SUPPORTED or is_standby:
        context.is_disconnect = True


def _begin(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") == "AUTOCOMMIT":
        if schema := schema_of(connection):
            connection.connection.cursor().execute(f"SET search_path = {schema}")
        return
    statement = _begin_statement(options)
    if not _has_begun(connection, statement):
        # PostgreSQL was restarted, or a firewall dropped the connection, and probably the others of the pool.
        connection.invalidate()
        connection.engine.dispose()
        _has_begun(connection, statement, last_attempt=True)


def _begin_statement(options: Mapping[str, Any]) -> str:
    """The statement that begins a transaction with its options, in one round trip instead of one per option."""
    statement = f"BEGIN ISOLATION LEVEL {options.get('isolation_level', ISOLATION)}"
    if options.get("writes") is False:
        statement += " READ ONLY"
    if timeout := options.get("statement_timeout"):
        statement += f"; SET LOCAL statement_timeout = '{timeout}s'"
    if schema := options.get("schema"):
        statement += f"; SET LOCAL search_path = {schema}"
    return statement


def _has_begun(connection: sa.Connection, statement: str, last_attempt: bool = False) -> bool:
    """Whether the transaction has begun on PostgreSQL; False if the connection is dead, so that another can be tried.

    This replaces checking each pooled connection before use.
    """
    driver: Any = connection.connection.dbapi_connection
    errors = connection.dialect.loaded_dbapi.OperationalError
    try:
        driver.autocommit = True  # otherwise the driver would begin one itself
        driver.execute(statement)
    except errors as error:
        if driver.closed and not last_attempt:
            return False
        raise sa.exc.OperationalError("BEGIN", None, error, connection_invalidated=driver.closed) from error
    return True
