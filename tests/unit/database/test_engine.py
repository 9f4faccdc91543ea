"""Transactions: no update is lost, no writer is told “locked”, and a reading transaction cannot write."""

import contextlib
import gc
import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
import transaction

from portal.database.engine import (
    DatabaseUnreachableError,
    analyze,
    make_engine,
    reach,
    read_connection,
    reading,
    write_connection,
    writing,
)
from portal.database.errors import DatabaseError, refusal

THREADS = 8
CHANGES = 30
metadata = sa.MetaData()
counter = sa.Table("counter", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("value", sa.Integer))
child = sa.Table(
    "child",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("counter", sa.ForeignKey("counter.id", ondelete="CASCADE")),
)


@pytest.fixture
def engine(database_url):
    yield from prepared(database_url)


@pytest.fixture
def sqlite(sqlite_url):
    yield from prepared(sqlite_url)


def prepared(url):
    engine = make_engine(url)
    with writing(engine) as connection:
        metadata.create_all(connection)
        connection.execute(counter.insert().values(id=1, value=0))
    yield engine
    engine.dispose()


def value_of(engine):
    with reading(engine) as connection:
        return connection.scalar(sa.select(counter.c.value))


def add_one(engine):
    with writing(engine) as connection:
        value = connection.scalar(sa.select(counter.c.value))
        connection.execute(counter.update().values(value=value + 1))


def test_sqlite_writes_of_many_threads_lose_nothing_and_never_say_locked(sqlite):
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda number: add_one(sqlite), range(THREADS * CHANGES)))
    assert value_of(sqlite) == THREADS * CHANGES


def test_sqlite_writers_of_two_processes_wait_for_each_other(sqlite, sqlite_url):
    program = f"""
import sqlalchemy as sa
from portal.database.engine import analyze, make_engine, writing
engine = make_engine({sqlite_url!r})
for number in range({CHANGES}):
    with writing(engine) as connection:
        value = connection.scalar(sa.text("SELECT value FROM counter"))
        connection.execute(sa.text("UPDATE counter SET value = :value"), {{"value": value + 1}})
"""
    processes = [subprocess.Popen([sys.executable, "-c", program]) for number in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert value_of(sqlite) == 2 * CHANGES


def test_postgresql_refuses_an_update_that_would_overwrite_another(postgresql_url):
    for engine in prepared(postgresql_url):
        with pytest.raises(sa.exc.OperationalError) as refused, writing(engine) as connection:
            value = connection.scalar(sa.select(counter.c.value))
            add_one(engine)
            connection.execute(counter.update().values(value=value + 1))
        assert refused.value.orig.sqlstate == "40001"
        assert value_of(engine) == 1


def test_sqlite_survives_a_power_cut_and_keeps_its_foreign_keys(sqlite):
    settings = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    with writing(sqlite) as first, reading(sqlite) as second:
        for connection in (first, second):
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in settings}
            assert found == settings


def test_a_broken_link_is_refused(engine):
    with pytest.raises(sa.exc.IntegrityError), writing(engine) as connection:
        connection.execute(child.insert().values(id=1, counter=99))


def test_a_reading_transaction_cannot_write(engine):
    with pytest.raises(sa.exc.DBAPIError), reading(engine) as connection:
        connection.execute(counter.update().values(value=5))
    assert value_of(engine) == 0
    add_one(engine)
    assert value_of(engine) == 1


def test_a_transaction_like_the_one_before_sets_no_pragma_which_would_void_the_plans_of_all_statements(sqlite):
    executed = []
    value_of(sqlite)
    with reading(sqlite) as connection:
        connection.connection.driver_connection.set_trace_callback(executed.append)
    value_of(sqlite)
    add_one(sqlite)
    assert not [statement for statement in executed if "PRAGMA" in statement][1:]  # that of the writing one


def test_a_reading_transaction_sees_one_moment(engine):
    with reading(engine) as connection:
        assert connection.scalar(sa.select(counter.c.value)) == 0
        add_one(engine)
        assert connection.scalar(sa.select(counter.c.value)) == 0


def test_an_exception_rolls_back_and_the_next_one_can_write(engine):
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        connection.execute(counter.update().values(value=5))
        raise ZeroDivisionError
    add_one(engine)
    assert value_of(engine) == 1


def test_a_savepoint_takes_back_what_came_after_it(engine):
    with writing(engine) as connection:
        connection.execute(counter.update().values(value=5))
        with pytest.raises(ZeroDivisionError), connection.begin_nested():
            connection.execute(counter.update().values(value=6))
            raise ZeroDivisionError
    assert value_of(engine) == 5


def test_tables_are_made_in_the_transaction_too(engine):
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE late (id integer)")
        raise ZeroDivisionError
    with reading(engine) as connection:
        assert not sa.inspect(connection).has_table("late")


@pytest.mark.parametrize("ending", ["commit", "rollback", "close", "invalidate"])
def test_the_turn_is_given_back_however_a_transaction_ends(sqlite, ending):
    connection = sqlite.execution_options(writes=True).connect()
    connection.execute(counter.update().values(value=7))
    getattr(connection, ending)()
    in_another_thread(lambda: add_one(sqlite))
    connection.close()
    assert value_of(sqlite) == (8 if ending == "commit" else 1)


def test_the_turn_is_given_back_when_the_transaction_cannot_begin(sqlite, sqlite_url):
    impatient = make_engine(sqlite_url)
    with impatient.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")
    with sqlite.connect() as other:
        # as another process would: without a turn
        other.connection.dbapi_connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(sa.exc.OperationalError, match="locked"):
            add_one(impatient)
        other.connection.dbapi_connection.execute("ROLLBACK")
    in_another_thread(lambda: add_one(impatient))
    assert value_of(sqlite) == 1
    impatient.dispose()


def test_a_commit_that_fails_gives_the_turn_back(sqlite):
    with pytest.raises(sa.exc.IntegrityError), writing(sqlite) as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.execute(child.insert().values(id=1, counter=99))
    in_another_thread(lambda: add_one(sqlite))
    assert value_of(sqlite) == 1


def test_a_thread_that_would_wait_for_itself_hears_so_at_once(sqlite):
    with writing(sqlite), pytest.raises(RuntimeError, match="already writing"), writing(sqlite):
        pass
    add_one(sqlite)


def test_engines_of_one_file_share_the_turn(sqlite, sqlite_url):
    second = make_engine(sqlite_url)
    with writing(sqlite), pytest.raises(RuntimeError), writing(second):
        pass
    second.dispose()


def test_what_a_request_writes_is_committed_with_its_transaction(engine):
    manager = transaction.TransactionManager(explicit=True)
    with manager:
        write_connection(engine, manager).execute(counter.update().values(value=5))
    assert value_of(engine) == 5


def test_what_a_request_writes_is_rolled_back_with_its_transaction(engine):
    manager = transaction.TransactionManager(explicit=True)
    with pytest.raises(ZeroDivisionError), manager:
        write_connection(engine, manager).execute(counter.update().values(value=5))
        raise ZeroDivisionError
    add_one(engine)
    assert value_of(engine) == 1


def test_a_request_that_only_reads_cannot_write(engine):
    with pytest.raises(sa.exc.DBAPIError), read_connection(engine) as connection:
        assert connection.scalar(sa.select(counter.c.value)) == 0
        connection.execute(counter.update().values(value=5))
    add_one(engine)
    assert value_of(engine) == 1


def test_a_serialization_failure_is_worth_another_try(postgresql_url):
    for engine in prepared(postgresql_url):
        manager = transaction.TransactionManager(explicit=True)
        transaction_of_request = manager.begin()
        connection = write_connection(engine, manager)
        connection.scalar(sa.select(counter.c.value))
        add_one(engine)
        with pytest.raises(sa.exc.OperationalError) as failure:
            connection.execute(counter.update().values(value=5))
        assert transaction_of_request.isRetryableError(failure.value)
        manager.abort()


def test_a_statement_of_a_request_has_its_time(postgresql_url):
    for engine in prepared(postgresql_url):
        manager = transaction.TransactionManager(explicit=True)
        with manager:
            connection = write_connection(engine, manager)
            assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == "20s"
        with reading(engine) as connection:
            assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == "0"


def test_threads_that_hold_a_connection_never_wait_for_that_of_another_one(postgresql_url):
    engine = make_engine(postgresql_url)
    with contextlib.ExitStack() as held:
        connections = [held.enter_context(reading(engine)) for _thread in range(16)]
        assert connections[-1].scalar(sa.select(sa.literal(1))) == 1
    engine.dispose()


def test_a_connection_that_comes_back_after_its_engine_was_disposed_of_is_closed(postgresql_url):
    engine = make_engine(postgresql_url)
    late = engine.connect()
    driver = late.connection.driver_connection
    engine.dispose()
    late.close()
    del late, engine
    gc.collect()
    assert driver.closed


def test_another_kind_of_database_is_refused():
    with pytest.raises(ValueError, match="sqlite or postgresql"):
        make_engine("mysql+mysqldb://localhost/portal")


def test_limits_and_encoding_of_the_role_do_not_count(postgresql_url):
    for engine in prepared(postgresql_url):
        with writing(engine) as connection:
            for setting in ("statement_timeout = '200ms'", "client_encoding = 'LATIN1'"):
                connection.exec_driver_sql(f"ALTER ROLE portal IN DATABASE {engine.url.database} SET {setting}")
    engine = reach(postgresql_url)
    with reading(engine) as connection:
        connection.exec_driver_sql("SELECT pg_sleep(0.3)")
        assert connection.scalar(sa.select(sa.literal("Łódź 東京"))) == "Łódź 東京"
    engine.dispose()


def test_a_database_whose_encoding_lacks_letters_is_refused(postgresql_url):
    engine = make_engine(postgresql_url)
    alone = engine.execution_options(isolation_level="AUTOCOMMIT")
    with alone.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        address = postgresql_url.replace(engine.url.database, "latin")
        with pytest.raises(DatabaseUnreachableError, match="its encoding LATIN1 lacks letters"):
            reach(address)
    finally:
        with alone.connect() as connection:
            connection.exec_driver_sql("DROP DATABASE latin WITH (FORCE)")
        engine.dispose()


def test_missing_rights_are_told_in_one_line_with_the_cure(postgresql_url):
    engine = make_engine(postgresql_url)
    with writing(engine) as connection:
        connection.exec_driver_sql("CREATE ROLE guest")
        connection.exec_driver_sql("SET LOCAL ROLE guest")
        with pytest.raises(DatabaseError) as error:
            connection.exec_driver_sql("CREATE TABLE notes (id integer)")
        connection.rollback()
    assert refusal(error.value) == (
        "permission denied for schema public: the user in PORTAL_DATABASE should own the database, and the tables of"
        " the portal"
    )
    engine.dispose()


def test_the_primary_is_found_among_several_servers(postgresql_url):
    first, _query, folder = postgresql_url.partition("?host=")
    for engine in prepared(f"{first}?host=/nowhere&host={folder}&target_session_attrs=read-write"):
        assert value_of(engine) == 0


def test_several_servers_may_be_named_as_postgresql_names_them():
    engine = make_engine("postgresql://portal:secret@one:5432,two:5433/care?target_session_attrs=read-write")
    _arguments, options = engine.dialect.create_connect_args(engine.url)
    assert (options["host"], options["port"], options["dbname"]) == ("one,two", "5432,5433", "care")
    assert (options["password"], options["target_session_attrs"]) == ("secret", "read-write")
    assert make_engine("postgresql://one:5432/care").url.host == "one"


def in_another_thread(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(timeout=60)
    assert not thread.is_alive()


@pytest.mark.parametrize("begin", [reading, writing])
def test_nobody_notices_that_postgresql_ended_all_connections(postgresql_url, begin):
    for engine in prepared(postgresql_url):
        beside = make_engine(postgresql_url)
        with reading(engine), reading(engine), reading(engine):
            pass  # three connections rest now
        with writing(beside) as connection:
            mine = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            connection.execute(sa.text(f"{mine} AND datname = current_database()"))
        for _turn in range(4):
            with begin(engine) as connection:
                assert connection.scalar(sa.select(counter.c.value)) == 0
        with read_connection(engine) as connection:
            assert connection.scalar(sa.select(counter.c.value)) == 0
        beside.dispose()


def test_who_reads_on_postgresql_is_told_so_and_sees_one_moment_in_one_message(postgresql_url):
    for engine in prepared(postgresql_url):
        with reading(engine) as connection:
            assert connection.scalar(sa.text("SHOW transaction_read_only")) == "on"
            assert connection.scalar(sa.text("SHOW transaction_isolation")) == "repeatable read"
        with writing(engine) as connection:
            assert connection.scalar(sa.text("SHOW transaction_read_only")) == "off"
            assert connection.scalar(sa.text("SHOW transaction_isolation")) == "repeatable read"
        with writing(engine.execution_options(isolation_level="READ COMMITTED")) as connection:
            assert connection.scalar(sa.text("SHOW transaction_isolation")) == "read committed"
        with read_connection(engine) as connection:
            assert connection.scalar(sa.text("SHOW statement_timeout")) == "20s"
        with reading(engine) as connection:
            assert connection.scalar(sa.text("SHOW statement_timeout")) == "0"


def modes(folder):
    return {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in folder.iterdir()}


def test_sqlite_knows_that_an_index_with_many_empty_values_has_no_more_rows_than_others(sqlite):
    """Otherwise it would read the whole table to find those that are not empty."""
    indexes = sa.Index("by_due", "due", "id"), sa.Index("by_number", "number")
    numbers = (sa.Column("id", sa.Integer, primary_key=True), sa.Column("number", sa.Integer))
    table = sa.Table("half_empty", sa.MetaData(), *numbers, sa.Column("due", sa.Text), *indexes)
    rows = [{"number": number, "due": f"in {number:012} days" if number % 2 else None} for number in range(5_000)]
    with writing(sqlite) as connection:
        table.create(connection)
        connection.execute(table.insert(), rows)
        analyze(connection, ["half_empty"])
        known = connection.exec_driver_sql("SELECT idx, stat FROM sqlite_stat1 WHERE tbl = 'half_empty'").all()
    assert {name for name, _stat in known} == {"by_due", "by_number"}
    assert len({stat.split()[0] for _name, stat in known}) == 1


def test_no_other_user_can_read_the_files_of_sqlite(tmp_path):
    before = os.umask(0o022)
    try:
        for engine in prepared(f"sqlite:///{tmp_path / 'portal.sqlite'}"):
            assert value_of(engine) == 0
            assert set(modes(tmp_path)) == {"portal.sqlite", "portal.sqlite-wal", "portal.sqlite-shm"}
            assert set(modes(tmp_path).values()) == {"0o600"}
    finally:
        os.umask(before)


def test_files_that_others_could_read_become_private_at_the_next_start(tmp_path):
    for _engine in prepared(f"sqlite:///{tmp_path / 'portal.sqlite'}"):
        for path in tmp_path.iterdir():
            path.chmod(0o664)
        again = make_engine(f"sqlite:///{tmp_path / 'portal.sqlite'}")
        assert value_of(again) == 0
        assert set(modes(tmp_path).values()) == {"0o600"}
        again.dispose()


def test_a_new_connection_leaves_the_file_locked_against_other_processes(tmp_path):
    """A process that closes any descriptor of a file loses its locks: another process would then remove the journal."""
    path = tmp_path / "portal.sqlite"
    engines = [make_engine(f"sqlite:///{path}") for _number in range(2)]
    with writing(engines[0]) as connection:
        metadata.create_all(connection)
    with reading(engines[0]), reading(engines[1]):
        pass  # both pools hold a connection now
    look = f"import sqlite3; sqlite3.connect({str(path)!r}).execute('SELECT count(*) FROM counter').fetchall()"
    subprocess.run([sys.executable, "-c", look], check=True)
    assert path.with_name("portal.sqlite-wal").exists()
    with writing(engines[0]) as connection:
        connection.execute(sa.insert(counter).values(id=1, value=7))
    count = f"import sqlite3; print(sqlite3.connect({str(path)!r}).execute('SELECT value FROM counter').fetchall())"
    seen = subprocess.run([sys.executable, "-c", count], check=True, capture_output=True, text=True)
    assert seen.stdout.strip() == "[(7,)]"
    for engine in engines:
        engine.dispose()
