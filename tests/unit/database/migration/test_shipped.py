"""The declarations that come with the portal, and tables with any names and types, on both databases."""

import pytest

from portal.database.migration.plan_and_apply import apply, plan
from portal.database.schema.tables import build
from tests.unit.database.portals import SHIPPED, load_shipped


@pytest.mark.parametrize("folder", SHIPPED)
def test_nothing_is_left_to_do_after_apply(portal, folder):
    declaration = load_shipped(folder)
    apply(portal.engine, build(declaration))
    assert plan(portal.engine, build(declaration)).steps == []


def test_a_unique_link_that_no_list_shows_is_planned_once(portal):
    portal.started(
        "people: {fields: {name: text}}",
        "desks: {fields: {code: text, holder: {type: link, to: people, unique: true}}, list: {columns: [code]}}",
    )
    for _attempt in range(5):
        portal.at_rest()
