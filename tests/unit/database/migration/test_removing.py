"""Removed fields and modules: what would be lost, and what goes with them."""

import textwrap

import pytest
import sqlalchemy as sa

from portal.database.engine import reading, writing
from portal.declaration.source.places import Places
from portal.fields.linked_value import Linked
from portal.records.audit.removed_options import check_options
from tests.unit.database.migration.database import COMPANIES, TICKETS


def test_a_field_with_values_is_dropped_only_when_loss_is_allowed(portal):
    portal.started(COMPANIES, TICKETS + "    fax: phone\n    tag: tags\n")
    portal.add("companies", {"name": "Acme"})
    portal.add("tickets", {"fax": "1", "company": Linked(1, "companies")}, {"fax": "2"}, {})
    portal.declare(COMPANIES, TICKETS)
    said = "! drop field tickets.fax: 2 values would be lost (apply with --allow-loss)"
    assert portal.plan()[:2] == [said, "drop field tickets.tag"]
    assert portal.apply()[0] == "drop field tickets.tag"
    assert portal.left == portal.plan() == [said]
    assert portal.blocking() == []
    assert "fax" in portal.columns("tickets")
    portal.apply(allow_loss=True)
    portal.at_rest()
    assert portal.columns("tickets").isdisjoint({"fax", "_fax_folded", "tag"})
    assert portal.values("tickets", "company") == [Linked(1, "companies"), None, None]


def test_the_files_of_a_field_go_with_it_and_stay_while_its_values_do(portal):
    portal.started(COMPANIES, TICKETS + "    plan: file\n    photo: image\n")
    portal.add("tickets", {"title": "Desk"})
    file = portal.tables.file
    with writing(portal.engine) as connection:
        for field in ("plan", None):
            row = {"module": "tickets", "record": 1, "field": field, "name": "x.pdf", "stored": f"ab/{field}"}
            connection.execute(sa.insert(file).values(row))
        connection.execute(sa.update(portal.tables.module("tickets")).values(plan=1))

    def stored():
        with reading(portal.engine) as connection:
            return set(connection.scalars(sa.select(portal.tables.file.c["stored"])))

    portal.declare(COMPANIES, TICKETS)
    portal.apply()
    assert stored() == {"ab/plan", "ab/None"}
    portal.apply(allow_loss=True)
    assert stored() == {"ab/None"}


def test_links_are_dropped_with_their_index_and_their_join_table(portal):
    portal.started(COMPANIES, TICKETS + "    watchers: {type: links, to: companies}\n")
    portal.add("companies", {"name": "Acme"})
    portal.add("tickets", {"company": Linked(1, "companies"), "watchers": (Linked(1, "companies"),)})
    said = portal.changed(COMPANIES, "tickets: {fields: {title: text}}", allow_loss=True)
    assert said[:2] == [
        "! drop field tickets.company: 1 value would be lost (apply with --allow-loss)",
        "! drop field tickets.watchers: 1 value would be lost (apply with --allow-loss)",
    ]
    assert "tickets$watchers" not in portal.tables_there()
    assert portal.values("companies", "name") == ["Acme"]


def test_a_module_goes_with_its_comments_and_its_number_is_not_used_again(portal):
    portal.started(COMPANIES, TICKETS)
    portal.add("tickets", {"title": "Printer"})
    with writing(portal.engine) as connection:
        for module in ("tickets", "companies"):
            connection.execute(sa.insert(portal.tables.comment).values(module=module, record=1, text="?"))
            connection.execute(sa.insert(portal.tables.draft).values(form=f"{module}/create", data={"name": "?"}))
        connection.execute(sa.insert(portal.tables.sequence).values(module="tickets", last=7))
    said = portal.changed(COMPANIES, allow_loss=True)
    assert said == ["! drop module tickets: 1 record would be lost (apply with --allow-loss)"]
    assert [row["module"] for row in portal.rows(portal.tables.comment)] == ["companies"]
    assert [row["form"] for row in portal.rows(portal.tables.draft)] == ["companies/create"]
    assert portal.rows(portal.tables.sequence) == [{"module": "tickets", "last": 7}]


@pytest.mark.sqlite_suffices
def test_an_empty_module_is_dropped_without_asking(portal):
    portal.started(COMPANIES, TICKETS)
    assert portal.changed(COMPANIES) == ["drop module tickets"]


MORE = """
    fax: {type: phone, unique: true}
    cost: money
    watchers: {type: links, to: companies}
"""


@pytest.fixture
def removed(portal):
    """A portal after fields with values were removed; they were left in the database."""
    portal.started(COMPANIES, TICKETS + textwrap.indent(textwrap.dedent(MORE), "    "))
    portal.add("companies", {"name": "Acme"}, {"name": "Globex"})
    acme, globex = Linked(1, "companies"), Linked(2, "companies")
    cost = portal.declaration.modules["tickets"].field("cost").read("5 USD")
    portal.add("tickets", {"company": acme, "watchers": (globex, acme), "fax": "1", "cost": cost}, {"company": globex})
    portal.declare(COMPANIES, "tickets: {fields: {title: text}}")
    portal.apply()
    return portal


def test_a_removed_field_stays_in_the_database_and_comes_back_with_its_values(removed):
    assert len(removed.left) == 4
    assert removed.apply() == []
    said = removed.changed(COMPANIES, TICKETS + textwrap.indent(textwrap.dedent(MORE), "    "))
    assert said[:4] == [
        "use field tickets.company again, 2 values stay",
        "use field tickets.fax again, 1 value stays",
        "use field tickets.cost again, 1 value stays",
        "use field tickets.watchers again, 1 value stays",
    ]
    assert removed.values("tickets", "company") == [Linked(1, "companies"), Linked(2, "companies")]
    assert removed.values("tickets", "fax") == ["1", None]
    assert removed.values("tickets", "cost")[0].currency == "USD"
    assert removed.linked("tickets", "watchers") == [(1, 2), (1, 1)]
    for column in ("company", "fax"):
        with pytest.raises(sa.exc.IntegrityError), writing(removed.engine) as connection:
            value = {"fax": "1"}.get(column, Linked(9, "companies"))
            stored = removed.declaration.modules["tickets"].field(column).store(value)
            connection.execute(sa.insert(removed.tables.module("tickets")).values(stored))


def test_a_record_to_which_only_a_removed_field_links_can_be_deleted(removed):
    with writing(removed.engine) as connection:
        companies = removed.tables.module("companies")
        connection.execute(sa.delete(companies).where(companies.c["id"] == 2))
    removed.changed(COMPANIES, TICKETS + textwrap.indent(textwrap.dedent(MORE), "    "))
    assert removed.values("tickets", "company") == [Linked(1, "companies"), None]
    assert removed.linked("tickets", "watchers") == [(1, 1)]


@pytest.mark.sqlite_suffices
def test_what_was_left_is_dropped_when_loss_is_allowed(removed):
    removed.apply(allow_loss=True)
    removed.at_rest()
    assert removed.columns("tickets").isdisjoint({"company", "fax", "cost", "_cost_currency"})
    assert "tickets$watchers" not in removed.tables_there()


@pytest.mark.sqlite_suffices
def test_a_removed_field_comes_back_with_another_type(removed):
    removed.declare(COMPANIES, "tickets: {fields: {title: text, company: text}}")
    removed.apply()
    assert removed.values("tickets", "company") == ["Acme", "Globex"]


def test_a_removed_module_stays_in_the_database_and_comes_back_with_its_records(portal):
    portal.started(COMPANIES, TICKETS)
    portal.add("companies", {"name": "Acme"}, {"name": "Globex"})
    portal.add("tickets", {"title": "Printer", "company": Linked(1, "companies")}, {"company": Linked(2, "companies")})
    portal.declare(COMPANIES)
    portal.apply()
    said = "! drop module tickets: 2 records would be lost (apply with --allow-loss)"
    assert portal.left == portal.plan() == [said]
    assert portal.blocking() == []
    with writing(portal.engine) as connection:
        connection.execute(sa.delete(portal.tables.module("companies")).where(sa.column("id") == 2))
    portal.changed(COMPANIES, TICKETS)
    assert portal.values("tickets", "title") == ["Printer", None]
    assert portal.values("tickets", "company") == [Linked(1, "companies"), None]


def test_a_removed_module_that_was_left_is_dropped_when_loss_is_allowed(portal):
    portal.started(COMPANIES, TICKETS)
    portal.add("tickets", {"title": "Printer"})
    portal.declare(COMPANIES)
    portal.apply()
    assert portal.apply(allow_loss=True) == ["drop module tickets: 1 record lost"]
    portal.at_rest()
    assert "tickets" not in portal.tables_there()


@pytest.mark.sqlite_suffices
def test_records_keep_an_option_that_was_removed_and_are_counted(portal):
    portal.started("a: {fields: {one: {type: choice, options: [x, y, z]}, many: {type: choices, options: [x, y]}}}")
    portal.add("a", {"one": "y", "many": ("x", "y")}, {"one": "y"}, {"one": "x"})
    portal.declare("a: {fields: {one: {type: choice, options: [x]}, many: {type: choices, options: [x]}}}")
    assert portal.apply()[:2] == [
        'option "y" of a.one is no longer offered: 2 records keep it until someone chooses again',
        'option "y" of a.many is no longer offered: 1 record keeps it until someone chooses again',
    ]
    portal.at_rest()
    assert portal.values("a", "one") == ["y", "y", "x"]
    with reading(portal.engine) as connection:
        said = [problem.message for problem in check_options(connection, portal.tables, Places(portal.folder))]
    assert said == [
        'records keep options that are not listed here, until someone chooses again: "y" (2 records)',
        'records keep options that are not listed here, until someone chooses again: "y" (1 record)',
    ]
