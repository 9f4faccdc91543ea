"""Reading and saving go on while PostgreSQL's tables are changed; and what a killed migration leaves."""

import threading
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from portal.database.engine import reading, writing
from portal.database.migration import locks
from portal.database.migration.row_counts import RowCounts
from portal.database.schema.inspection import existing_indexes
from portal.records.indexing.backlog import catch_up
from tests.unit.database.migration.database import someone_waits

NOT_INDEXED = "a: {fields: {name: text, x: {type: integer, index: false}}}"
INDEXED = "a: {fields: {name: text, x: {type: integer, index: true}}}"
INDEX = "ix_a$x$id"


@pytest.fixture
def database_url(postgresql_url):
    return postgresql_url


@contextmanager
def applying(portal):
    """Applies in another thread, up to the point where it waits for someone else's transaction."""
    thread = threading.Thread(target=portal.apply)
    thread.start()
    while thread.is_alive() and not someone_waits(portal.engine):
        thread.join(0.02)
    yield
    thread.join()


def use(portal):
    """Reads and saves, and fails rather than waiting for a lock."""
    for transaction, statement in ((reading, "SELECT x FROM a"), (writing, "UPDATE a SET name = 'new' WHERE id = 2")):
        with transaction(portal.engine) as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '1ms'")
            connection.exec_driver_sql(statement)


def spoil(portal, index):
    """Leaves the index as a killed build would."""
    with writing(portal.engine) as connection:
        spoilt = sa.text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = CAST(:name AS regclass)")
        connection.execute(spoilt, {"name": f'"{index}"'})


def test_nobody_waits_while_an_index_is_made_and_another_dropped(portal):
    portal.started(NOT_INDEXED + "\nb: {fields: {name: text}}")
    portal.add("a", {"x": 1}, {"x": 2})
    portal.declare(INDEXED)
    with writing(portal.engine) as connection:
        connection.exec_driver_sql("UPDATE a SET x = 3 WHERE id = 1")
        with applying(portal):
            use(portal)
            connection.commit()
    portal.at_rest()
    portal.declare(NOT_INDEXED)
    with reading(portal.engine) as connection:
        connection.exec_driver_sql("SELECT x FROM a")
        with applying(portal):
            use(portal)
            connection.commit()
    portal.at_rest()


def test_an_index_whose_build_was_killed_is_made_again_by_apply_or_when_the_portal_starts(portal):
    portal.started(INDEXED)
    spoil(portal, INDEX)
    assert portal.missing() == []
    assert portal.plan() == portal.apply() == ["bring the indexes of a up to date"]
    spoil(portal, INDEX)
    with writing(portal.engine) as connection:
        connection.exec_driver_sql("DROP INDEX ix_a$number")
    catch_up(portal.engine, portal.tables)
    portal.at_rest()
    portal.declare(INDEXED.replace("name: text", "name: text, y: {type: integer, index: true}"))
    catch_up(portal.engine, portal.tables)  # what is not applied yet is not made
    assert portal.plan()[0].startswith("add field a.y")


def test_an_index_whose_build_was_killed_is_dropped_where_it_is_no_longer_declared(portal):
    portal.started(INDEXED)
    spoil(portal, INDEX)
    portal.declare(NOT_INDEXED)
    assert portal.apply() == ["bring the indexes of a up to date"]
    with reading(portal.engine) as connection:
        assert INDEX not in existing_indexes(connection)
    portal.at_rest()


def test_nobody_waits_while_renames_are_planned_and_indexes_are_renamed_too(portal, monkeypatch):
    portal.started(INDEXED + "\nb: {fields: {many: {type: links, to: a}}}")
    portal.add("a", {"x": 1}, {"x": 2})
    renamed = "{formerly: a, fields: {name: text, z: integer, y: {formerly: x, type: integer, index: true}}}"
    portal.declare(f"c: {renamed}\nb: {{fields: {{several: {{formerly: many, type: links, to: c}}}}}}")
    count = RowCounts.rows
    with monkeypatch.context() as while_counting:
        while_counting.setattr(RowCounts, "rows", lambda counts, table: (use(portal), count(counts, table))[1])
        planned = portal.plan()
        assert planned[:4] == [
            "rename module a to c, 2 records stay",
            "add field c.z (integer)",
            "rename field c.x to y, 2 values stay",
            "rename field b.many to several",
        ]
        assert not [sentence for sentence in planned if "indexes" in sentence]
        assert portal.apply() == planned
    assert portal.values("c", "y") == [1, 2]
    portal.at_rest()


def test_a_value_that_is_saved_twice_while_its_field_becomes_unique_is_named(portal):
    portal.started("a: {fields: {name: text}}")
    portal.add("a", {"name": "Acme"})
    portal.declare("a: {fields: {name: {type: text, unique: true}}}")
    with writing(portal.engine) as connection:
        table = portal.tables.module("a")
        connection.execute(sa.insert(table).values(id=2, name="Acme", _name_folded="acme"))
        with applying(portal):
            connection.commit()
    said = ['! field a.name cannot be made unique, these values occur more than once: "Acme" (2 times)']
    assert portal.left == portal.plan() == said
    assert portal.blocking() == []
    with writing(portal.engine) as connection:
        connection.execute(sa.delete(table).where(table.c["id"] == 2))
    portal.apply()
    portal.at_rest()


def test_what_is_saved_while_a_module_is_renamed_follows_it_and_nobody_waits_for_the_migration(portal):
    portal.started("a: {fields: {name: text}}")
    portal.add_event("a", {})
    event, draft = portal.tables.event, portal.tables.draft
    portal.declare("b: {formerly: a, fields: {name: text}}")
    with writing(portal.engine) as saving, reading(portal.engine) as looking:
        saving.execute(sa.insert(event).values(module="a", record=2, details={}))
        saving.execute(sa.insert(draft).values(form="a/create", data={}))
        looking.exec_driver_sql("SELECT name FROM a")
        with applying(portal):
            saving.commit()
            with writing(portal.engine) as another:
                another.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
                another.exec_driver_sql("UPDATE portal_event SET author = 'Ann' WHERE module = 'a'")
            looking.commit()
    assert portal.events("a") == []
    assert portal.events("b") == [{}, {}]
    assert [row["form"] for row in portal.rows(draft)] == ["b/create"]
    portal.at_rest()


def test_who_reads_one_table_does_not_keep_others_from_another_that_is_altered_too(portal):
    portal.started("a: {fields: {x: text}}\nb: {fields: {name: text}}")
    portal.add("a", {"x": "1"})
    portal.declare("a: {fields: {x: integer}}\nb: {fields: {name: text, more: text}}")
    with reading(portal.engine) as looking:
        looking.exec_driver_sql("SELECT name FROM b")
        with applying(portal):
            with reading(portal.engine) as another:
                another.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
                another.exec_driver_sql("SELECT x FROM a")
            looking.commit()
    assert portal.values("a", "x") == [1]
    portal.at_rest()


def test_an_autovacuum_is_waited_for_so_long_that_postgresql_ends_it(portal, monkeypatch):
    monkeypatch.setattr(locks, "VACUUM_EVERY", 2)
    portal.started("a: {fields: {name: text}}")
    timeouts = []

    def work():
        timeouts.append(connection.exec_driver_sql("SHOW lock_timeout").scalar_one())
        if len(timeouts) < 4:
            locks.lock_tables(connection, {"a"}, locks.FROM_EVERYONE)

    with writing(portal.engine) as connection, writing(portal.engine) as vacuum:
        vacuum.exec_driver_sql("LOCK TABLE a IN SHARE UPDATE EXCLUSIVE MODE")
        monkeypatch.setattr(locks, "LOCK_TIMEOUT_WITH_VACUUM", 60)
        locks.when_free(connection, work)
    assert timeouts == ["50ms", "60ms", "50ms", "60ms"]
