"""Keys of pages: a row's key survives a round trip, and anything that no page issued is not a key."""

import base64
import datetime
import json
from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.database.schema.tables import build
from portal.declaration.load import load
from portal.records.reading.keyset import Order
from tests.functional.world import PORTALS

DECLARATION = load(PORTALS / "wide").declaration
TABLES = build(DECLARATION)
MODULE = DECLARATION.modules["things"]
EVERYTHING = frozenset(MODULE.everything)


def order(*sort):
    return Order.of(MODULE, TABLES.module("things"), sort, EVERYTHING)


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("name", "Łódź \U0001f600"), ("amount", -(2**62)), ("weight", Decimal("-0.001")), ("ready", False),
        ("amount", None),
        ("day", datetime.date(1999, 12, 31)), ("clock", datetime.time(9, 30)),
        ("moment", datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)),
    ],
)  # fmt: skip
def test_a_key_gives_back_what_the_row_held(sort, value):
    asked = order(sort)
    key = asked.key({"_sort_0": value, "_sort_1": 7})
    assert asked.position(key) == [value, 7]
    assert key.replace("-", "").replace("_", "").isalnum(), "it fits into an address as it is"


def made(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "key",
    [
        "", "x", "%%%", made([]), made([1]), made(["a", 1, 2]), made({"a": 1}), made([1, 1]), made(["a", "b"]),
        made(["a", None]),
        made([{"decimal": "NaN"}, 1]), made([{"date": "soon"}, 1]), made([{"unknown": "x"}, 1]), made([["a"], 1]),
            made(["a", 2**63]),
        made([{}, 1]), made([{"date": "2026-01-01", "time": "09:00"}, 1]), made("[" * 5000),
    ],
)  # fmt: skip
def test_what_no_page_gave_is_no_key(key):
    assert order("name").position(key) is None


def test_what_may_not_be_read_or_sorted_is_left_out():
    readable = frozenset({"name", "amount"})
    asked = Order.of(MODULE, TABLES.module("things"), ("secret", "-amount", "nothing", "name"), readable)
    assert len(asked.keys) == 3
    assert [key.descending for key in asked.keys] == [True, False, True]


def test_the_id_ends_every_order_in_the_direction_of_its_beginning():
    assert "things.id DESC" in str(sa.select(1).order_by(*order("-name").clauses(backwards=False)))
    assert "things.id ASC" in str(sa.select(1).order_by(*order("-name").clauses(backwards=True)))
