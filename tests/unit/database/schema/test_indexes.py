"""Which indexes a declaration gets."""

from collections import Counter

import pytest

from portal.database.schema.tables import build
from tests.unit.database.portals import SHIPPED, declared, load_shipped


def index_names(declaration):
    return [index.name for table in build(declaration).by_name.values() for index in table.indexes]


@pytest.mark.parametrize("folder", SHIPPED)
def test_no_two_indexes_have_one_name(folder):
    tables = build(load_shipped(folder)).by_name.values()
    names = [name for table in tables for name in (table.name, *(index.name for index in table.indexes))]
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_a_unique_link_has_one_index_whether_a_list_shows_it_or_not(tmp_path):
    people = "people: {fields: {name: text}}"
    desks = "desks: {fields: {code: text, holder: {type: link, to: people, unique: true}}"
    hidden = declared(tmp_path / "hidden", f"{people}\n{desks}, list: {{columns: [code]}}}}")
    assert Counter(index_names(hidden))["ix_desks$holder"] == 1
    shown = declared(tmp_path / "shown", f"{people}\n{desks}, list: {{columns: [code, holder]}}}}")
    assert Counter(index_names(shown)) & Counter(["ix_desks$holder", "ix_desks$holder$id"]) == Counter(
        ["ix_desks$holder", "ix_desks$holder$id"]
    )
