"""Removed fields and modules: what would be lost, and what goes with them."""

import pytest
import sqlalchemy as sa

from portal.database.engine import writing
from portal.database.migration.plan import WouldLoseDataError
from portal.fields.linked import Linked
from tests.unit.database.migration.database import COMPANIES, TICKETS


def test_a_field_with_values_is_dropped_only_when_loss_is_allowed(portal):
    portal.started(COMPANIES, TICKETS + "    fax: phone\n    tag: tags\n")
    portal.add("companies", {"name": "Acme"})
    portal.add("tickets", {"fax": "1", "company": Linked(1, "companies")}, {"fax": "2"}, {})
    portal.declare(COMPANIES, TICKETS)
    said = "! drop field tickets.fax: 2 values would be lost (apply with --allow-loss)"
    assert portal.plan()[:2] == [said, "drop field tickets.tag"]
    with pytest.raises(WouldLoseDataError) as refused:
        portal.apply()
    assert said in str(refused.value)
    assert {"fax", "tag"} <= portal.columns("tickets")
    portal.apply(allow_loss=True)
    portal.at_rest()
    assert portal.columns("tickets").isdisjoint({"fax", "_fax_folded", "tag"})
    assert portal.values("tickets", "company") == [Linked(1, "companies"), None, None]


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


def test_an_empty_module_is_dropped_without_asking(portal):
    portal.started(COMPANIES, TICKETS)
    assert portal.changed(COMPANIES) == ["drop module tickets"]
