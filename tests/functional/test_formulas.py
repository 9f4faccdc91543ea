"""Formulas through the page: stored, sorted, filtered, searched and exported, and recomputed when they must be."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from portal.accounts.giving_access import AccessRequest
from portal.database.engine import reading
from portal.database.migration.plan_and_apply import apply, plan
from portal.database.schema.tables import build
from portal.declaration.load import load
from portal.fields.money import Money
from portal.records.indexing.backlog import catch_up
from portal.records.policy import system_policy
from portal.records.reading.records import Records
from tests.functional.world import NANCY, World
from tests.portal_files import write_portal

MODULES = """
portal: {currency: EUR}
modules:
  deals:
    fields:
      name: text
      quantity: integer
      price: money
      vat: {type: percent, default: 20}
      net: {type: formula, of: quantity * price}
      gross: {type: formula, of: net * (1 + vat)}
      begins: date
      ends: date
      days: {type: formula, of: ends - begins}
      impact: {type: choice, options: [person, company], default: person}
      urgent: boolean
      status: {type: choice, options: [new, done]}
      priority:
        type: formula
        of: {impact: {person: low, company: {urgent: {true: critical, false: normal}}}}
        options: {critical: {label: Act now, tone: bad}, normal: Normal, low: Low}
      secret: {type: integer, internal: true}
      hint: {type: formula, of: secret * 2}
      weight: {type: formula, of: {status: {new: 1, done: 0.5}}}
    comments: true
    lifecycle:
      field: status
      transitions: {finish: {from: new, to: done, ask: {quantity: required}}}
    list: {columns: [name, net, gross, days, priority, weight]}
"""
STAFF = "staff: true\nmodules: {deals: {see: all, can: [create, edit, delete, comment, export, finish]}}\n"
CUSTOMER = (
    "modules: {deals: {see: all, detail: {sections: [{fields: [name, gross, hint]}]}, list: {columns: [name, gross]}}}"
)


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Iterator[World]:
    """The portal of MODULES, in which Nancy may do everything."""
    people = (AccessRequest(NANCY, "staff", "Nancy Smith"),)
    world = World.of(write_portal(tmp_path, MODULES, staff=STAFF), database_url, people)
    yield world
    world.portal.engine.dispose()


def test_formulas_follow_every_change(shop, tmp_path):
    nancy = shop[NANCY]
    form = {"name": "A", "quantity": "3", "price": "19.99", "vat": "22", "begins": "2026-01-01", "ends": "2026-03-01"}
    assert nancy.send("/deals/create", {**form, "impact": "company", "net": "1"}).status_int == 303
    record = shop.all("deals")[0]
    assert record.values["net"] == Money(Decimal("59.97"), "EUR")
    assert record.values["gross"] == Money(Decimal("73.16"), "EUR")
    assert (record.values["days"], record.values["priority"], record.values["weight"]) == (59, "normal", 1)
    nancy.send(f"/deals/{record.id}/edit", {**form, "urgent": "true", "impact": "company", "price": ""})
    record = shop.all("deals")[0]
    assert (record.values["net"], record.values["gross"], record.values["priority"]) == (None, None, "critical")
    assert "Act now" in nancy.see(f"/deals/{record.id}/")
    shop.set("deals", record.id, price=Money(Decimal(1), "JPY"))
    nancy.send(f"/deals/{record.id}/move/finish", {"quantity": "7"})
    record = shop.all("deals")[0]
    assert (record.values["gross"], record.values["weight"]) == (Money(Decimal(9), "JPY"), Decimal("0.5"))


def test_lists_sort_filter_search_and_export_by_a_formula(shop):
    nancy = shop[NANCY]
    for name, price, impact in (("A", 30, "person"), ("B", 200, "company"), ("C", 4, "person"), ("D", None, "company")):
        amount = None if price is None else Money(Decimal(price), "EUR")
        shop.add("deals", name=name, quantity=10, price=amount, impact=impact, urgent=price == 200)
    assert nancy.titles("/deals/?sort=net") == ["C", "A", "B", "D"]
    assert nancy.titles("/deals/?sort=-priority") == ["C", "A", "D", "B"]
    assert nancy.titles("/deals/?net.min=300&sort=name") == ["A", "B"]
    assert nancy.titles("/deals/?priority=critical") == ["B"]
    assert nancy.titles("/deals/?net.empty=1") == ["D"]
    assert nancy.titles("/deals/?q=act+now") == ["B"]
    assert nancy.titles("/deals/?q=300&sort=name") == ["A"]
    assert "2000,EUR" in nancy.get("/deals/export.csv").text.replace("2000.00", "2000")


def test_a_changed_formula_is_computed_for_the_records_that_exist(shop, tmp_path):
    for quantity in range(1, 131):
        shop.add("deals", name=f"N{quantity}", quantity=quantity, price=Money(Decimal(2), "EUR"))
    changed = MODULES.replace("of: quantity * price", "of: quantity * price + 1").replace(
        "of: ends - begins", "of: ends + 1"
    )
    (tmp_path / "modules.yaml").write_text(changed)
    tables, engine = build(load(tmp_path).declaration), shop.portal.engine
    sentences = str(plan(engine, tables))
    assert "compute deals.net, deals.days again" in sentences
    assert "deals.days are of type date instead of integer" in sentences
    apply(engine, tables)
    assert catch_up(engine, tables) == 130
    with reading(engine) as connection:
        records = Records(connection, system_policy(tables), "deals").by_ids([1, 130], ["net", "gross"])
        assert [record.values["net"].amount for record in records] == [3, 261]
        assert records[0].values["gross"].amount == Decimal("3.60")
    assert not plan(engine, tables).steps
