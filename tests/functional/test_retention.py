"""`keep`: the worker deletes what has not changed for long, a day after announcing it."""

import datetime

import pytest
from click.testing import CliRunner

from portal.commands import main
from portal.database.engine import make_engine, reading, writing
from portal.database.migration.plan_and_apply import apply
from portal.database.schema.inspection import inspect_existing
from portal.database.schema.tables import build
from portal.declaration.load import load
from portal.fields.linked_value import Linked
from portal.jobs.retention import Retention
from portal.records.policy import system_policy
from portal.records.reading.records import Query, Records
from portal.records.writing.history import SYSTEM
from portal.records.writing.writer import Writer
from tests.functional.world import NOW, Clock
from tests.portal_files import change, write_portal
from tests.real_parts import empty_database

MODULES = """
modules:
  orders:
    keep: 2 years
    fields:
      title: text
      state: {type: choice, options: [new, done]}
    comments: true
    lifecycle: {field: state, transitions: {finish: {from: new, to: done}}}
  bills:
    fields: {title: text, order: {type: link, to: orders, on_delete: refuse}}
"""
LONG_AGO = NOW - datetime.timedelta(days=800)


class Shop:
    """A portal in a folder and its database, as the worker sees it."""

    def __init__(self, folder, url):
        self.folder, self.url, self.engine, self.clock = folder, url, make_engine(url), Clock()
        self.open()
        apply(self.engine, self.tables)

    def open(self):
        declaration = load(self.folder).declaration
        self.tables = build(declaration, inspect_existing(self.engine, declaration))

    def records(self, connection, module, now=NOW):
        return Records(connection, system_policy(self.tables, self.tables.declaration.reader(now=now)), module)

    def add(self, module, at=NOW, **values):
        with writing(self.engine) as connection:
            return Writer(self.records(connection, module, at), SYSTEM).create(values)

    def titles(self):
        with reading(self.engine) as connection:
            return [record.title for record in self.records(connection, "orders").iterate(Query(sort=("id",)), [])]

    def delete_old(self):
        return Retention(self.engine, self.clock).delete_all(self.tables)


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request, tmp_path):
    write_portal(tmp_path, MODULES, staff="modules: {orders: {see: all}, bills: {see: all}}\n")
    with empty_database(request) as url:
        shop = Shop(tmp_path, url)
        for title, at, state in (("Old", LONG_AGO, "done"), ("Open", LONG_AGO, "new"), ("New", NOW, "done")):
            shop.add("orders", at, title=title, state=state)
        billed = shop.add("orders", LONG_AGO, title="Billed", state="done")
        shop.add("bills", title="Bill", order=Linked(billed, "orders"))
        yield shop
        shop.engine.dispose()


def test_final_records_go_after_their_time_and_a_day_of_notice(shop, caplog):
    caplog.set_level("INFO")
    words = ["--folder", str(shop.folder), "--database", shop.url]
    assert (
        "2 records of orders in a final state have not changed for 2 years"
        in CliRunner().invoke(main, ["apply", *words]).output
    )
    assert "2 records of orders" in CliRunner().invoke(main, ["check", "--data", *words]).output

    assert shop.delete_old() == 0
    assert "2 records unchanged for 2 years will be deleted, from 2026-03-06 12:00" in caplog.text
    shop.clock.pass_by(hours=23)
    assert shop.delete_old() == 0
    assert shop.titles() == ["Old", "Open", "New", "Billed"]

    shop.clock.pass_by(hours=2)
    assert shop.delete_old() == 1
    assert shop.titles() == ["Open", "New", "Billed"]
    assert "1 record deleted that had not changed for 2 years; 1 left, which others need" in caplog.text


@pytest.mark.sqlite_suffices
def test_what_is_internal_or_imported_counts_from_the_day_on_which_it_happened(shop):
    shop.add("orders", title="Imported", created=LONG_AGO, state="done")
    noted = shop.add("orders", LONG_AGO, title="Noted", state="done")
    with writing(shop.engine) as connection:
        orders = shop.records(connection, "orders")
        Writer(orders, SYSTEM).comment(orders.get(noted), "Call them back", internal=True)
    shop.delete_old()
    shop.clock.pass_by(days=2)
    assert shop.delete_old() == 1
    assert shop.titles() == ["Open", "New", "Billed", "Imported", "Noted"]


@pytest.mark.sqlite_suffices
def test_one_that_cannot_be_deleted_keeps_no_other_back(shop, monkeypatch, caplog):
    shop.add("orders", LONG_AGO, title="Another", state="done")
    shop.delete_old()
    shop.clock.pass_by(days=2)
    delete = Writer.delete

    def fails_for_one(writer, record):
        if record.title == "Old":
            raise RuntimeError("of a package")
        delete(writer, record)

    monkeypatch.setattr(Writer, "delete", fails_for_one)
    assert shop.delete_old() == 1
    assert shop.titles() == ["Old", "Open", "New", "Billed"]
    assert "of a package" in caplog.text


def test_another_period_is_announced_anew(shop):
    shop.delete_old()
    change(shop.folder, "keep: 2 years", "keep: 2 days")
    shop.open()
    shop.clock.pass_by(days=5)
    assert shop.delete_old() == 0
    shop.clock.pass_by(days=1)
    assert shop.delete_old() == 2
    assert shop.titles() == ["Open", "Billed"]
