"""The tables of `lines`: created, renamed and dropped with their field, and their columns like those of a module."""

import sqlalchemy as sa

from portal.database.engine import writing
from portal.database.migration.plan_and_apply import plan
from portal.database.search.marks import mark_modules
from portal.records.indexing.backlog import catch_up

ORDERS = """
products: {fields: {name: text}}
orders:
  fields:
    title: text
    lines: {type: lines, fields: COLUMNS}
""".replace("COLUMNS", "{product: {type: link, to: products}, amount: text, state: {type: choice, options: [a, b]}}")


def with_rows(portal, *rows):
    """The portal with an order with these rows, and a product."""
    portal.started(ORDERS)
    portal.add("products", {"name": "Laptop"})
    portal.add("orders", {"title": "one"})
    with writing(portal.engine) as connection:
        for row in rows:
            connection.execute(sa.insert(portal.tables.join("orders", "lines")).values(_record=1, **row))


def texts(portal, table="orders$lines", *names):
    found = portal.rows(portal.tables.by_name[table])
    return [tuple(row[name] for name in names) for row in sorted(found, key=lambda row: row["id"])]


def test_columns_are_added_renamed_converted_and_dropped_with_rows_present(portal):
    with_rows(portal, {"amount": "2", "state": "a", "product": 1}, {"amount": "many", "state": "b"})
    columns = "product: {type: link, to: products}, number: {type: integer, formerly: amount}, note: text, state: "
    columns = f"twice: {{type: formula, of: number * 2}}, {columns}"
    changed = ORDERS.replace("product: {type: link, to: products}, amount: text, state: ", columns)
    changed = changed.replace("[a, b]", "{c: {label: C, formerly: a}, b: B}")
    portal.declare(changed)
    steps = portal.plan()
    assert "rename field orders.lines.amount to number, 2 values stay" in steps
    assert "add field orders.lines.note (text)" in steps
    assert any(
        step.startswith("! change field orders.lines.number from text to integer: 1 of 2 values") for step in steps
    )
    assert "$" not in " ".join(steps)
    portal.apply()
    assert texts(portal, "orders$lines", "number", "twice", "state", "product") == [
        (2, 4, "c", 1),
        (None, None, "b", None),
    ]


def test_the_table_follows_its_field_and_its_module(portal):
    with_rows(portal, {"amount": "2", "product": 1})
    renamed = ORDERS.replace("    lines: {type: lines,", "    items: {type: lines, formerly: lines,")
    assert "rename field orders.lines to orders.items, 1 line stays" in portal.changed(renamed)
    assert texts(portal, "orders$items", "amount") == [("2",)]
    both = renamed.replace("orders:\n", "sales:\n  formerly: orders\n")
    assert "rename field orders.items to sales.items, 1 line stays" in portal.changed(both)
    assert texts(portal, "sales$items", "_record", "product") == [(1, 1)]


def test_the_history_of_rows_bears_new_names_and_forgets_dropped_columns(portal):
    with_rows(portal, {"amount": "2"})
    rows = '[{"product": "1", "amount": "2", "state": "a"}]'
    portal.add_event("orders", {"fields": ["lines"], "changes": {"lines": ["", rows]}})
    portal.add_event("orders", {"fields": ["lines"], "changes": {"lines": ["a text, as it was then", "[1]"]}})
    columns = "{number: {type: text, formerly: amount}, state: {type: choice, options: {c: {formerly: a}, b: B}}}"
    portal.changed(
        f"""
    products: {{fields: {{name: text}}}}
    orders:
      fields:
        title: text
        items: {{type: lines, formerly: lines, fields: {columns}}}
    """,
        allow_loss=True,
    )
    first, second = [event["changes"]["items"] for event in portal.events("orders")]
    assert first == ["", '[{"number": "2", "state": "c"}]']
    assert second == ["a text, as it was then", "[1]"]
    portal.changed("orders: {fields: {title: text}}", allow_loss=True)
    assert [event["fields"] for event in portal.events("orders")] == [[], []]


def test_a_removed_field_keeps_its_rows_until_their_loss_is_allowed(portal):
    with_rows(portal, {"amount": "2", "product": 1})
    without = ORDERS.partition("    lines:")[0]
    portal.declare(without)
    lost = "! drop field orders.lines: 1 line would be lost (apply with --allow-loss)"
    renamed = "; if it only has another name now, write formerly: lines there"
    assert lost + renamed in str(plan(portal.engine, portal.tables)).splitlines()
    portal.apply()
    assert portal.left == [lost]
    with writing(portal.engine) as connection:
        connection.execute(sa.delete(portal.tables.module("products")))
        connection.execute(sa.delete(portal.tables.module("orders")))
    portal.declare(ORDERS)
    portal.apply()
    portal.at_rest()
    assert texts(portal, "orders$lines", "amount") == []
    portal.changed(without, allow_loss=True)
    assert "orders$lines" not in portal.tables_there()


def test_texts_of_rows_that_are_folded_in_an_old_way_are_folded_again(portal):
    with_rows(portal, {"amount": "Łódź"}, {"amount": None})
    rows = portal.tables.join("orders", "lines")
    with writing(portal.engine) as connection:
        connection.execute(sa.update(rows).where(rows.c["amount"].is_not(None)).values(_amount_folded="łodz"))
        mark_modules(connection, portal.tables, ["orders"])
    catch_up(portal.engine, portal.tables)
    assert texts(portal, "orders$lines", "_amount_folded") == [("lodz",), (None,)]
