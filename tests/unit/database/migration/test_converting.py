"""Values of a field that gets another type."""

import datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.database.engine import reading, writing
from portal.database.migration.plan import WouldLoseDataError
from portal.fields.linked import Linked
from tests.unit.database.migration.database import COMPANIES


def test_values_of_another_type_are_read_by_the_new_one(portal):
    portal.started("a: {fields: {name: text, x: text, y: integer, z: {type: choice, options: [low, high]}}}")
    portal.add("a", {"name": "A", "x": "12.5", "y": 3, "z": "low"}, {"x": "7", "y": None}, {})
    assert portal.changed("a: {fields: {name: text, x: decimal, y: text, z: text}}")[:3] == [
        "change field a.x from text to decimal: 2 values converted",
        "change field a.y from integer to text: 1 value converted",
        "change field a.z from choice to text: 1 value converted",
    ]
    assert portal.values("a", "x") == [Decimal("12.5"), Decimal("7"), None]
    assert portal.values("a", "y") == ["3", None, None]
    assert {row["_z_folded"] for row in portal.rows(portal.tables.module("a"))} == {"low", None}


def test_values_that_do_not_fit_the_new_type_are_named_and_kept_until_loss_is_allowed(portal):
    portal.started('a: {reference: "A{number}", fields: {x: text}}')
    portal.add("a", {"x": "12"}, {"x": "twelve"}, {"x": "13"}, {})
    portal.declare('a: {reference: "A{number}", fields: {x: integer}}')
    loss = '1 of 3 values would be lost, not fitting: A2 "twelve" (apply with --allow-loss)'
    assert portal.plan()[0] == f"! change field a.x from text to integer: {loss}"
    with pytest.raises(WouldLoseDataError):
        portal.apply()
    with reading(portal.engine) as connection:
        kept = connection.exec_driver_sql("SELECT x FROM a ORDER BY id").scalars().all()
    assert kept == ["12", "twelve", "13", None]
    portal.apply(allow_loss=True)
    portal.at_rest()
    assert portal.values("a", "x") == [12, None, 13, None]


def test_types_that_are_kept_alike_need_no_change(portal):
    portal.started("a: {fields: {x: text, y: {type: decimal, places: 2}, z: {type: text, max_length: 10}}}")
    portal.add("a", {"x": "a@b.example", "y": Decimal("1.25"), "z": "0123456789"})
    portal.declare("a: {fields: {x: email, y: {type: decimal, places: 4}, z: longtext}}")
    portal.apply()
    assert portal.values("a", "x") == ["a@b.example"]
    portal.at_rest()


def test_a_date_becomes_a_moment_and_one_choice_several(portal):
    portal.started("a: {fields: {day: date, one: {type: choice, options: [x, y]}, tag: tags}}")
    portal.add("a", {"day": datetime.date(2024, 3, 5), "one": "y", "tag": ("x", "y")})
    options = "{type: choices, options: [x, y]}"
    portal.changed(f"a: {{fields: {{day: text, one: {options}, tag: {options}}}}}")
    assert portal.values("a", "day") == ["2024-03-05"]
    assert portal.values("a", "one") == [("y",)]
    assert portal.values("a", "tag") == [("x", "y")]


def test_links_keep_their_records_or_go_by_their_titles(portal):
    people = "people: {fields: {name: text}}"
    portal.started(
        COMPANIES,
        people,
        """
    a:
      fields:
        same: {type: link, to: companies}
        other: {type: link, to: companies}
        text: {type: link, to: companies}
        named: text
        many: {type: links, to: companies}
        list: text
    """,
    )
    portal.add("companies", {"name": "Acme"}, {"name": "Brown, Inc"})
    portal.add("people", {"name": "Brown, Inc"}, {"name": "Acme"})
    acme, brown = Linked(1, "companies"), Linked(2, "companies")
    portal.add("a", {"same": acme, "other": acme, "text": brown, "named": "acme?", "many": (brown, acme),
                     "list": 'Acme, "Brown, Inc"'},
               {"named": "Acme", "many": (acme,)})  # fmt: skip
    portal.changed(COMPANIES, people, """
    a:
      fields:
        same: {type: links, to: companies}
        other: {type: link, to: people}
        text: text
        named: {type: link, to: companies}
        many: {type: links, to: people}
        list: {type: links, to: companies}
    """, allow_loss=True)  # fmt: skip
    assert portal.linked("a", "same") == [(1, 1)]
    assert portal.values("a", "other") == [Linked(2, "people"), None]
    assert portal.values("a", "text") == ["Brown, Inc", None]
    assert portal.values("a", "named") == [None, Linked(1, "companies")]
    assert portal.linked("a", "many") == [(1, 1), (1, 2), (2, 2)]
    assert portal.linked("a", "list") == [(1, 1), (1, 2)]


def test_who_made_a_record_becomes_a_link_when_people_are_declared(portal):
    people = "people: {fields: {name: text}}"
    portal.started(people, COMPANIES)
    portal.add("people", {"name": "Anna"})
    portal.add("companies", {"name": "Acme"})
    with writing(portal.engine) as connection:
        connection.execute(sa.update(portal.tables.module("companies")).values(created_by="Anna"))
    portal.changed(people, COMPANIES, top="people: people")
    assert portal.values("companies", "created_by") == [Linked(1, "people")]


def test_a_field_is_renamed_and_changes_its_type_at_once(portal):
    portal.started("a: {fields: {x: text}}")
    portal.add("a", {"x": "5"})
    assert portal.changed("a: {fields: {y: {type: integer, formerly: x}}}")[:2] == [
        "rename field a.x to y, 1 value stays",
        "change field a.y from text to integer: 1 value converted",
    ]
    assert portal.values("a", "y") == [5]
