"""Statements executed repeatedly on the driver's own cursor return the same as with SQLAlchemy."""

import datetime
import decimal
import itertools

import pytest
import sqlalchemy as sa

from portal.database.engine import make_engine, reading, writing
from portal.database.errors import Failure, classify
from portal.database.fetching import fetch
from portal.database.sql import IdList
from portal.fields.column_types import UTCDateTime

NOON = datetime.datetime(2024, 3, 5, 12, 30, 15, tzinfo=datetime.UTC)
things = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("name", sa.Text),
    sa.Column("at", UTCDateTime),
    sa.Column("open", sa.Boolean),
    sa.Column("details", sa.JSON),
    sa.Column("price", sa.Numeric(12, 2)),
)
ROW = {"id": 1, "name": "50 % off", "at": NOON, "open": True, "details": {"a": [1]}, "price": decimal.Decimal("12.50")}
EMPTY = dict.fromkeys(ROW) | {"id": 2}


@pytest.fixture
def connection(database_url):
    engine = make_engine(database_url)
    with writing(engine) as connection:
        things.metadata.create_all(connection)
        connection.execute(sa.insert(things), [ROW, EMPTY])
    with reading(engine) as connection:
        yield connection
    engine.dispose()


def fetch_often(connection, statement, values):
    """The result of the last of several executions, the first of which are SQLAlchemy's."""
    return [fetch(connection, statement, values) for _time in range(4)][-1]


def test_values_of_every_kind_come_as_sqlalchemy_gives_them(connection):
    statement = sa.select(things).order_by(things.c["id"])
    rows = fetch_often(connection, statement, {})
    assert rows == [dict(row) for row in connection.execute(statement).mappings()]
    assert rows == [ROW, EMPTY]


@pytest.mark.parametrize("unique", [False, True])  # whether SQLAlchemy gives the parameter a name of its own
def test_a_parameter_that_is_asked_at_execution_is_asked_at_each(connection, unique):
    asked = itertools.count(1)
    parameter = sa.bindparam("asked", callable_=lambda: next(asked), type_=sa.Integer(), unique=unique)
    statement = sa.select(parameter.label("time"))
    times = [fetch(connection, statement, {})[0]["time"] for _time in range(6)]
    assert times == sorted(set(times))
    by_sqlalchemy = []
    sa.event.listen(connection, "before_execute", lambda *call: by_sqlalchemy.append(call))
    fetch(connection, statement, {})
    assert not by_sqlalchemy


def test_each_execution_has_its_own_values_and_the_constants_of_the_statement(connection):
    since, name = sa.bindparam("since", type_=UTCDateTime()), sa.bindparam("wanted", type_=sa.Text())
    statement = sa.select(things.c["id"]).where(
        things.c["at"] >= since, things.c["name"] == name, things.c["name"].in_(["50 % off", "other"]), things.c["open"]
    )
    values = {"since": NOON, "wanted": "50 % off", "other": "not in the statement"}
    assert fetch_often(connection, statement, values) == [{"id": 1}]
    assert fetch(connection, statement, values | {"since": NOON + datetime.timedelta(seconds=1)}) == []
    assert fetch(connection, statement, values | {"wanted": "other"}) == []
    with pytest.raises(KeyError):
        fetch(connection, statement, {"since": NOON})


def test_a_value_comes_more_than_once_beside_a_percent_sign_and_a_dollar_in_the_text(connection):
    first, second = (sa.bindparam(name, type_=sa.Text()) for name in ("first", "second"))
    statement = sa.select(
        second.label("a"),
        first.label("b"),
        sa.literal_column("'100 % of $1'").label("text"),
        second.concat("!").label("c"),
    )
    rows = fetch_often(connection, statement, {"first": "one", "second": "two"})
    assert rows == [{"a": "two", "b": "one", "text": "100 % of $1", "c": "two!"}]


def test_statements_whose_text_depends_on_the_values_are_right_each_time(connection):
    statement = sa.select(things.c["id"]).where(things.c["id"].in_(sa.bindparam("ids", expanding=True)))
    assert fetch_often(connection, statement, {"ids": [1]}) == [{"id": 1}]
    assert len(fetch(connection, statement, {"ids": [1, 2, 3]})) == 2


def test_parts_of_a_union_and_lists_of_ids(connection):
    ids = sa.select(things.c["id"], sa.literal("ids").label("kind")).where(
        things.c["id"] == sa.func.coalesce(sa.bindparam("one", type_=sa.BigInteger()), 2)
    )
    statement = sa.union_all(ids, sa.select(things.c["id"], sa.literal("all")).where(things.c["open"].is_(True)))
    assert fetch_often(connection, statement, {"one": None}) == [{"id": 2, "kind": "ids"}, {"id": 1, "kind": "all"}]
    listed = sa.select(sa.bindparam("ids", type_=IdList()).label("ids"))
    assert fetch_often(connection, listed, {"ids": [1, 2]}) == [
        dict(connection.execute(listed, {"ids": [1, 2]}).mappings().one())
    ]


def test_events_and_errors_are_those_of_any_statement(connection):
    heard = []
    sa.event.listen(connection, "before_cursor_execute", lambda *call: heard.append(call[2]))
    statement = sa.select(sa.func.abs(sa.cast(sa.bindparam("number", type_=sa.BigInteger()), sa.BigInteger)).label("n"))
    assert fetch_often(connection, statement, {"number": -5}) == [{"n": 5}]
    assert len(heard) == 4
    with pytest.raises(sa.exc.DBAPIError) as refused:
        fetch(connection, statement, {"number": -(2**63)})
    assert classify(refused.value) == Failure.OTHER
