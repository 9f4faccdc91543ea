"""Whether everything about a record goes with it."""

from portal.database.schema.tables import build
from portal.records.writing.deleting import GO_WITH_THEIR_RECORD
from tests.unit.database.portals import load_shipped

# What happened, what was sent and received, and what is still to be done about a record; its search entry goes anyway.
STAY = {"event", "announcement", "outbox", "mail", "delivery", "backlog", "search"}


def test_rows_about_a_record_go_with_it_or_are_meant_to_stay():
    tables = build(load_shipped("tests/portals/small"))
    about = {
        table.name.removeprefix("portal_")
        for table in tables.by_name.values()
        if table.name.startswith("portal_") and {"module", "record"} <= set(table.c.keys())
    }
    assert sorted((about - STAY) ^ {*GO_WITH_THEIR_RECORD}) == [], "deleting.py: GO_WITH_THEIR_RECORD, or STAY here"
