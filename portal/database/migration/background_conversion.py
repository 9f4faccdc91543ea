"""Converts large PostgreSQL tables before the migration's transaction, while others read and save.

New columns are added next to the old ones and filled in short transactions, by id. A trigger records which records are
saved in the meantime; they are converted again, the last ones at the moment when the new columns replace the old ones.
Until then the old ones are used, so that a process may be killed at any time: the next `portal apply`, or the next
start of the portal, removes what it leaves behind, and the conversion begins again.
"""

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa

from portal.database.engine import analyze, read_committed, reading, writing
from portal.database.errors import LOCK_NOT_AVAILABLE, UNIQUE_VIOLATION, DatabaseError, is_retryable, sql_code
from portal.database.migration import alter, values_set_aside
from portal.database.migration.conversion import BATCH, SHOWN, Conversion, Misfits
from portal.database.migration.locks import set_lock_timeout, when_free
from portal.database.schema.tables import columns_of
from portal.database.sql import quoted_identifier
from portal.fields.refused import Refused
from portal.fields.table_names import shortened

PREFIX = "_converting"  # no declared name begins with “_”
PAUSE = 0.05  # seconds before retrying a batch whose records someone is saving
FEW = 50  # records that are converted while everyone waits
ROUNDS = 100  # after which few records saved in the meantime are left
Report = Callable[[int], None]
Result = TypeVar("Result")


def can_be_prepared(conversion: Conversion) -> bool:
    """Whether every record can be converted on its own, from columns to columns, on PostgreSQL."""
    has_columns = bool(conversion.old_columns and columns_of(conversion.new))
    return conversion.connection.dialect.name == "postgresql" and has_columns and not conversion.is_about_links


@dataclass
class PreparedField:
    """The converted values of one field of a large table, in columns next to the old ones."""

    conversion: Conversion
    _fitting: int = 0
    _misfits: dict[int, str] = field(default_factory=dict)  # by record id, as shown in a plan

    @property
    def names(self) -> dict[str, str]:
        """The columns → the temporary columns that will replace them."""
        return {column.name: _temporary(column.name) for column in columns_of(self.conversion.new)}

    @property
    def _aside(self) -> str:
        return _temporary(values_set_aside.column_name(self.conversion.new.name))

    @property
    def named_misfits(self) -> tuple[int, list[str]]:
        """How many values do not fit, and the first ones as shown in a plan."""
        return len(self._misfits), [self._misfits[record_id] for record_id in sorted(self._misfits)[:SHOWN]]

    def misfits(self) -> Misfits:
        """What does not fit, without reading the records."""
        count, shown = self.named_misfits
        return Misfits(self._fitting + (0 if self.conversion.loses_days else count), count, shown)

    def add_columns(self, connection: sa.Connection) -> None:
        """Adds the new columns, and one for values that do not fit."""
        table = self.conversion.table
        for name, temporary in self.names.items():
            alter.add_column(connection, table.c[name], temporary)
        alter.add_bare_column(connection, table.name, sa.Column(self._aside, sa.Text()))

    def fill_after(self, record_id: int, connection: sa.Connection) -> list[int]:
        """Converts the next batch of records after this one; returns their ids, [] at the end."""
        conversion = replace(self.conversion, connection=connection)
        rows = conversion.rows_after(record_id, conversion.old_columns)
        self._fill(conversion, rows)
        return [row["id"] for row in rows]

    def fill_again(self, connection: sa.Connection, record_ids: Sequence[int]) -> None:
        """Converts records again that were saved or deleted since."""
        conversion = replace(self.conversion, connection=connection)
        before = self._count(connection, record_ids)
        table = self._table()
        nothing = dict.fromkeys([*self.names.values(), self._aside])
        connection.execute(sa.update(table).where(table.c["id"].in_(record_ids)).values(nothing))
        for record_id in record_ids:
            self._misfits.pop(record_id, None)
        rows = conversion.rows_of(record_ids)
        try:
            with connection.begin_nested():
                self._fill(conversion, rows)
        except sa.exc.IntegrityError as error:
            if sql_code(error) != UNIQUE_VIOLATION:
                raise
            self._drop_unique_indexes(connection)
            self._fill(conversion, rows)
        self._fitting += self._count(connection, record_ids) - before

    def checkpoint(self) -> Callable[[], None]:
        """A function that resets the counts to the present ones, for when the database rolls back."""
        fitting, misfits = self._fitting, dict(self._misfits)

        def take_back() -> None:
            self._fitting, self._misfits = fitting, dict(misfits)

        return take_back

    def count(self, connection: sa.Connection) -> None:
        """Counts the converted values."""
        self._fitting = self._count(connection)

    def put_in_place(self, connection: sa.Connection, keep_misfits: bool = False) -> None:
        """Replaces the old columns and their indexes with the new ones, while nobody else uses the table."""
        table = self.conversion.table
        are_kept = keep_misfits and bool(self._misfits)
        obsolete = [column.name for column in self.conversion.old_columns] + ([] if are_kept else [self._aside])
        _drop_log(connection, table.name)  # its trigger would keep the old columns
        alter.drop_columns_at_once(connection, table.name, obsolete)
        for name, temporary in self.names.items():
            alter.rename_column(connection, table.name, temporary, name)
        for index in table.indexes:
            if not self.names.keys().isdisjoint(index.columns.keys()):
                alter.rename_index(connection, _temporary(str(index.name)), str(index.name))
        if are_kept:
            values_set_aside.set_column_aside(connection, table.name, self.conversion.new.name, self._aside)

    def _fill(self, conversion: Conversion, rows: Sequence[Mapping[str, Any]]) -> None:
        fitting: list[tuple[int, Mapping[str, Any]]] = []
        texts: dict[int, str] = {}
        for value in conversion.convert(rows):
            if conversion.is_misfit(value):
                self._misfits[value.record_id] = conversion.describe(value)
                texts[value.record_id] = conversion.as_text(value.before)
            if not isinstance(value.after, Refused):
                fitting.append((value.record_id, conversion.new.store(value.after)))
        conversion.update(self.names, fitting)
        values_set_aside.write_texts(conversion.connection, conversion.module.name, self._aside, texts)

    def _drop_unique_indexes(self, connection: sa.Connection) -> None:
        """Drops those of the new columns, because someone saved a value that only the new type considers a duplicate.
        The migration creates them at the very end, and reports duplicate values."""
        for index in self.conversion.table.indexes:
            if index.unique and not self.names.keys().isdisjoint(index.columns.keys()):
                alter.drop_indexes(connection, self.conversion.table.name, [_temporary(str(index.name))])

    def _table(self) -> sa.TableClause:
        names = ("id", *self.names.values(), self._aside)
        return sa.table(self.conversion.module.name, *map(sa.column, names))

    def _count(self, connection: sa.Connection, record_ids: Sequence[int] | None = None) -> int:
        table = self._table()
        value = table.c[next(iter(self.names.values()))]
        converted = sa.select(sa.func.count()).select_from(table).where(value.is_not(None))
        if record_ids is not None:
            converted = converted.where(table.c["id"].in_(record_ids))
        return connection.execute(converted).scalar_one()


@dataclass(frozen=True)
class PreparedTable:
    """The fields of one large table that are converted together before the migration."""

    engine: sa.Engine
    table: sa.Table
    fields: list[PreparedField]

    def fill(self, report: Report) -> None:
        """Converts all records, creates the indexes of the new columns, and converts again what was saved since."""
        with writing(read_committed(self.engine)) as connection:
            when_free(connection, partial(self._begin, connection))
        for prepared in self.fields:
            ids = self._patiently(partial(prepared.fill_after, 0))
            while ids:
                report(len(ids))
                ids = self._patiently(partial(prepared.fill_after, ids[-1]))
        self._catch_up(report)
        with self.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            self._create_indexes(connection, report)
            analyze(connection, [self.table.name])
        self._catch_up(report)
        with reading(self.engine) as connection:
            for prepared in self.fields:
                prepared.count(connection)

    def finish(self, connection: sa.Connection) -> bool:
        """Converts the last records, while nobody else uses the table. Returns whether different values do not fit."""
        before = [prepared.named_misfits for prepared in self.fields]
        while self._fill_again(connection):
            pass
        return before != [prepared.named_misfits for prepared in self.fields]

    def _begin(self, connection: sa.Connection) -> None:
        for prepared in self.fields:
            prepared.add_columns(connection)
        quoted = partial(quoted_identifier, connection)
        log, table = quoted(_log(self.table.name)), quoted(self.table.name)
        schema = quoted(connection.exec_driver_sql("SELECT current_schema()").scalar_one())
        read = {column.name for prepared in self.fields for column in prepared.conversion.old_columns}
        # Not UNLOGGED, although faster: the ids of saved records must survive a crash of the database, after which this
        # process continues.
        connection.exec_driver_sql(f"CREATE TABLE {log} (record bigint)")
        note = f"INSERT INTO {schema}.{log} VALUES (coalesce(NEW.id, OLD.id)); RETURN NULL;"  # noqa: S608
        connection.exec_driver_sql(
            f"CREATE FUNCTION {log}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {note} END $$"
        )
        connection.exec_driver_sql(
            f"CREATE TRIGGER {PREFIX} AFTER INSERT OR DELETE OR UPDATE OF {', '.join(map(quoted, sorted(read)))} "
            f"ON {table} FOR EACH ROW EXECUTE FUNCTION {log}()"
        )

    def _catch_up(self, report: Report) -> None:
        for _round in range(ROUNDS):
            again = self._patiently(self._fill_again)
            report(again)
            if again <= FEW:
                return

    def _fill_again(self, connection: sa.Connection) -> int:
        """Converts up to one batch of the records that the trigger recorded; returns how many."""
        log = quoted_identifier(connection, _log(self.table.name))
        noted = f"ARRAY(SELECT ctid FROM {log} LIMIT {BATCH})"  # noqa: S608 - a declared name
        delete = f"DELETE FROM {log} WHERE ctid = ANY({noted}) RETURNING record"  # noqa: S608
        # The ids are read first: the records read afterwards are at least as new.
        record_ids = sorted(set(connection.exec_driver_sql(delete).scalars()))
        if record_ids:
            for prepared in self.fields:
                prepared.fill_again(connection, record_ids)
        return len(record_ids)

    def _patiently(self, work: Callable[[sa.Connection], Result]) -> Result:
        """Does `work` in a short transaction; retries it while someone saves one of its records."""
        while True:
            try:
                with writing(read_committed(self.engine)) as connection:
                    set_lock_timeout(connection)
                    return work(connection)
            except sa.exc.DBAPIError as error:
                if not is_retryable(error) and sql_code(error) != LOCK_NOT_AVAILABLE:
                    raise
                time.sleep(PAUSE)

    def _create_indexes(self, connection: sa.Connection, report: Report) -> None:
        """Creates indexes like the declared ones for the new columns. Any left out are created after the migration."""
        existing = {column["name"] for column in sa.inspect(connection).get_columns(self.table.name)}
        temporary = {name: new for prepared in self.fields for name, new in prepared.names.items()}
        for index in self.table.indexes:
            names = index.columns.keys()
            if temporary.keys().isdisjoint(names) or not existing.issuperset(set(names) - temporary.keys()):
                continue
            new_names = [temporary.get(name, name) for name in names]
            name = _temporary(str(index.name))
            try:
                alter.create_index_concurrently(connection, self.table.name, name, new_names, bool(index.unique))
            except sa.exc.IntegrityError as error:
                if sql_code(error) != UNIQUE_VIOLATION:
                    raise
                alter.drop_indexes(connection, self.table.name, [name], concurrently=True)
            report(0)


class PreparedConversions:
    """Everything prepared for one migration."""

    def __init__(self, engine: sa.Engine, conversions: Iterable[Conversion] = ()) -> None:
        self.fields: dict[tuple[str, str], PreparedField] = {}
        by_table: dict[str, list[PreparedField]] = defaultdict(list)
        for conversion in conversions:
            prepared = PreparedField(conversion)
            self.fields[conversion.module.name, conversion.new.name] = prepared
            by_table[conversion.module.name].append(prepared)
        self.tables = [PreparedTable(engine, fields[0].conversion.table, fields) for fields in by_table.values()]

    def finish(self, connection: sa.Connection) -> bool:
        """Converts the last records of all prepared tables: see PreparedTable.finish."""
        return any([table.finish(connection) for table in self.tables])  # a list: all of them must finish


@contextlib.contextmanager
def prepare_conversions(
    engine: sa.Engine, conversions: Iterable[Conversion], keep_turn: Callable[[], None], report: Report
) -> Iterator[PreparedConversions]:
    """Prepares conversions for the block, which puts them in place; after an exception, nothing is left of them.

    Called after each transaction: `keep_turn`, which raises if another process may be at work, and `report`, with the
    number of values read so far.
    """
    done = 0

    def add(number: int) -> None:
        nonlocal done
        done += number
        keep_turn()
        report(done)

    try:
        work = PreparedConversions(engine, conversions)
        for table in work.tables:
            table.fill(add)
        yield work
    except BaseException:
        with contextlib.suppress(*DatabaseError):
            keep_turn()  # otherwise, what exists may belong to another process
            clear_conversions(engine)
        raise


def clear_conversions(engine: sa.Engine) -> None:
    """Removes what a killed process left of its conversions."""
    with reading(engine) as connection:
        tables = tables_in_conversion(connection)
    for table in tables:
        with writing(read_committed(engine)) as connection:
            when_free(connection, partial(_clear, connection, table))


def tables_in_conversion(connection: sa.Connection) -> Sequence[str]:
    """The tables with the trigger: a process is at work, or was killed."""
    if connection.dialect.name != "postgresql":
        return ()
    tables = sa.text(
        "SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
        "JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        "WHERE tgname = :name AND nspname = current_schema() ORDER BY relname"
    )
    return connection.scalars(tables, {"name": PREFIX}).all()


def _clear(connection: sa.Connection, table: str) -> None:
    names = [column["name"] for column in sa.inspect(connection).get_columns(table)]
    _drop_log(connection, table)
    alter.drop_columns(connection, table, [name for name in names if name.startswith(PREFIX)])


def _drop_log(connection: sa.Connection, table: str) -> None:
    """Drops the log of the trigger, and the trigger with its function."""
    log = quoted_identifier(connection, _log(table))
    connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {log}() CASCADE")
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {log}")


def _temporary(name: str) -> str:
    return shortened(f"{PREFIX}_{name}")


def _log(table: str) -> str:
    return shortened(f"{PREFIX}${table}")
