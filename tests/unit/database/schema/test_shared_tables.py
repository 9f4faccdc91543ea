"""What portals in one process share in memory. functional/test_hosting.py tests that they stay separate."""

import gc

import pytest

from portal.database.schema.inspection import NOTHING
from portal.database.schema.shared_tables import shared_tables
from tests.unit.database.portals import declared

ORDERS = "orders: {fields: {code: text, mark: {type: text, default: 1}, size: {type: choice, options: [small, large]}}}"


def test_portals_that_differ_in_their_settings_share_the_rest(tmp_path):
    one, other = (
        shared_tables(declared(tmp_path / name, ORDERS, f"portal: {{name: {name}}}"), NOTHING) for name in ("A", "B")
    )
    assert one.by_name is other.by_name
    assert one.declaration.modules is other.declaration.modules
    assert [tables.declaration.settings.name.plain for tables in (one, other)] == ["A", "B"]
    assert one.declaration.folder != other.declaration.folder
    assert one.statements is not other.statements


@pytest.mark.parametrize(
    ("old", "new"), [("code: text", "code: email"), ("small, large", "large, small"), ("default: 1", "default: true")]
)
def test_portals_that_differ_in_anything_else_share_the_system_tables_alone(tmp_path, old, new):
    one = shared_tables(declared(tmp_path / "one", ORDERS), NOTHING)
    other = shared_tables(declared(tmp_path / "other", ORDERS.replace(old, new)), NOTHING)
    assert one.by_name is not other.by_name
    assert one.declaration.modules is not other.declaration.modules
    assert one.account is other.account


def test_portals_share_when_the_first_of_them_is_no_longer_in_memory(tmp_path):
    first = shared_tables(declared(tmp_path / "first", ORDERS), NOTHING)
    second = shared_tables(declared(tmp_path / "second", ORDERS), NOTHING)
    del first
    gc.collect()
    assert shared_tables(declared(tmp_path / "third", ORDERS), NOTHING).by_name is second.by_name
