"""Large PostgreSQL tables are converted in batches while others read and save; and what a killed process leaves."""

import datetime

import pytest
import sqlalchemy as sa

from portal.database.engine import reading, writing
from portal.database.errors import DatabaseError
from portal.database.migration import background_conversion, conversion, effort
from portal.database.migration.locks import one_at_a_time
from portal.database.migration.plan_and_apply import Expected, apply, plan
from portal.database.migration.saved_plan import NotThePlanError, saved_plan
from portal.fields.whole_day import WholeDay, moment_of
from portal.records.indexing.backlog import catch_up
from tests.unit.database.migration.test_converting import CONVERSIONS, declaration_of, module_of

TEXT = 'a: {reference: "A{number}", fields: {name: text, x: {type: text, index: true}}}'
INTEGER = 'a: {reference: "A{number}", fields: {name: text, x: {type: integer, index: true}}}'


@pytest.fixture
def database_url(postgresql_url, monkeypatch):
    monkeypatch.setattr(effort, "LARGE", 1)
    monkeypatch.setattr(conversion, "BATCH", 2)
    return postgresql_url


def at_batch(number, act):
    """Acts once, after the batch with this number."""
    calls = []

    def report(_records):
        calls.append(True)
        if len(calls) == number:
            act()

    return report


def texts(portal, *values):
    portal.started(TEXT)
    portal.add("a", *[{"name": "A", "x": value} for value in values])
    portal.declare(INTEGER)


def execute(portal, *statements):
    """Saves while others work: fails instead of waiting."""
    with writing(portal.engine) as connection:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '1ms'")
        for statement in statements:
            connection.exec_driver_sql(statement)


def names_left(portal):
    """What conversions keep in the database while they run."""
    names = sa.text(
        "SELECT column_name FROM information_schema.columns WHERE column_name LIKE '\\_converting%' UNION ALL "
        "SELECT relname FROM pg_class WHERE relname LIKE '\\_converting%' UNION ALL "
        "SELECT proname FROM pg_proc WHERE proname LIKE '\\_converting%'"
    )
    with reading(portal.engine) as connection:
        return connection.scalars(names).all()


def test_several_fields_are_converted_in_batches_together(portal):
    some = CONVERSIONS[2::6]
    zone = "portal: {time_zone: Europe/Rome, currency: EUR}"
    before = {f"x{place}": declaration_of(each[0]) for place, each in enumerate(some)}
    after = {f"x{place}": declaration_of(each[2]) for place, each in enumerate(some)}
    portal.started(module_of({**before, "day": "{type: datetime, time: optional}"}), top=zone)
    day = WholeDay(2024, 3, 4, 23, tzinfo=datetime.UTC)
    portal.add("a", {f"x{place}": each[1] for place, each in enumerate(some)} | {"day": day}, {})
    sentences = portal.changed(module_of({**after, "day": "{type: datetime}"}), top=zone, allow_loss=True)
    assert "1 of 1 value would be lost as days without a time" in " ".join(sentences)
    assert portal.values("a", "day")[0] == moment_of(day)
    assert sum(": 1 value converted" in sentence for sentence in sentences) == len(some) - 1  # Markdown is text
    converted = [portal.values("a", name)[0] for name in after]
    assert list(zip(some, converted, strict=True)) == [(each, each[3]) for each in some]
    assert names_left(portal) == []


def test_what_is_saved_between_two_batches_is_converted_too(portal):
    texts(portal, "1", "2", "3", "4", None)
    planned = plan(portal.engine, portal.tables)
    saved = Expected(saved_plan(portal.engine, portal.tables, "", planned.steps), "")
    waiting = "5 records, less than a second: nobody has to wait"
    assert planned.steps[0].planned.endswith(f"from text to integer: 4 values converted; {waiting}")

    def save():
        execute(
            portal,
            "UPDATE a SET x = '10' WHERE id = 1",
            "DELETE FROM a WHERE id = 2",
            "UPDATE a SET x = NULL WHERE id = 3",
            "INSERT INTO a (id, x) VALUES (6, '60')",
        )

    done = portal.apply(expected=saved, report=at_batch(1, save))
    assert done[0] == "change field a.x from text to integer: 3 values converted"
    assert portal.values("a", "x") == [10, None, 4, None, 60]
    portal.at_rest()
    assert names_left(portal) == []


def test_values_that_stop_fitting_meanwhile_are_named_and_kept_aside(portal):
    texts(portal, "1", "two", "3")
    saved = saved_plan(portal.engine, portal.tables, "", plan(portal.engine, portal.tables).steps)
    spoil = at_batch(1, lambda: execute(portal, "UPDATE a SET x = 'three' WHERE id = 3"))
    with pytest.raises(NotThePlanError):
        apply(portal.engine, portal.tables, expected=Expected(saved, ""), report=spoil)
    assert names_left(portal) == []
    mend = at_batch(1, lambda: execute(portal, "UPDATE a SET x = '2' WHERE id = 2"))
    assert portal.apply(report=mend)[0] == (
        'change field a.x from text to integer: 2 values converted, 1 that would be lost set aside: A3 "three"'
    )
    assert portal.values("a", "x") == [1, 2, None]
    portal.declare(TEXT)
    portal.apply()
    assert portal.values("a", "x") == ["1", "2", "three"]
    portal.at_rest()


def test_nothing_is_lost_when_the_process_is_killed_between_two_batches(portal, monkeypatch):
    texts(portal, "1", "2", "3")
    planned = portal.plan()

    def interrupt():
        raise KeyboardInterrupt

    def kill():
        with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
            killed.setattr(background_conversion, "clear_conversions", lambda engine: None)
            portal.apply(report=at_batch(2, interrupt))
        assert names_left(portal) != []

    with pytest.raises(KeyboardInterrupt):
        portal.apply(report=at_batch(2, interrupt))
    assert names_left(portal) == []
    kill()
    assert portal.plan() == planned
    catch_up(portal.engine, portal.tables)  # as a portal that starts
    assert names_left(portal) == []
    kill()
    execute(portal, "UPDATE a SET x = '30' WHERE id = 3")
    portal.declare(TEXT)
    assert portal.apply() == []
    portal.at_rest()
    assert names_left(portal) == []
    portal.declare(INTEGER)
    kill()
    assert portal.apply() == planned
    assert portal.values("a", "x") == [1, 2, 30]
    assert names_left(portal) == []
    portal.at_rest()


@pytest.mark.parametrize("batch", [5, 6])  # before the last short transaction, and before the long one
def test_values_that_only_the_new_type_takes_for_the_same_are_named_if_they_are_saved_late(portal, batch):
    unique = 'a: {reference: "A{number}", fields: {name: text, x: {type: text, unique: true}}}'
    portal.started(unique)
    portal.add("a", {"x": "1"}, {"x": "2"}, {"x": "3"})
    portal.declare(unique.replace("type: text", "type: integer"))
    portal.apply(report=at_batch(batch, lambda: execute(portal, "INSERT INTO a (id, x) VALUES (4, '01')")))
    said = ['! field a.x cannot be made unique, these values occur more than once: "1" (2 times)']
    assert portal.left == portal.plan() == said
    assert portal.values("a", "x") == [1, 2, 3, 1]


def end_turn(portal):
    """Closes the connection, like a proxy after a long idle time."""
    holders = "SELECT pid FROM pg_locks JOIN pg_database ON oid = database WHERE locktype = 'advisory'"
    execute(portal, f"SELECT pg_terminate_backend(pid) FROM ({holders} AND datname = current_database()) AS holder")


def test_a_process_that_has_lost_its_turn_stops_and_leaves_to_others_what_may_be_theirs(portal):
    texts(portal, "1", "2", "3")
    with pytest.raises(DatabaseError):
        portal.apply(report=at_batch(1, lambda: end_turn(portal)))
    assert names_left(portal) != []
    with one_at_a_time(portal.engine):
        end_turn(portal)  # everything is done
    portal.apply()
    assert portal.values("a", "x") == [1, 2, 3]
    portal.at_rest()
    assert names_left(portal) == []
