"""Values of a field whose type changes."""

import datetime
import re
from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.database.engine import writing
from portal.database.migration.plan_and_apply import CannotBeAppliedError, plan
from portal.fields.base import Field
from portal.fields.file import FileValue
from portal.fields.linked_value import Linked
from portal.fields.location import Location
from portal.fields.money import Money
from portal.fields.whole_day import WholeDay
from tests.unit.database.migration.database import COMPANIES

LINKS = "{type: links, to: companies}"
SCAN = FileValue(7, name="scan.pdf", size=12)
PHOTO = FileValue(8, name="photo.png", size=12)
LINES = "{type: lines, fields: {what: text}}"


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


def test_a_time_that_is_counted_is_neither_converted_nor_lost(portal):
    module = "a: {fields: {name: text, begun: datetime, over: datetime, x: %s}}"
    counted = "{type: elapsed, from: begun, to: over, hours: true}"
    portal.started(module % counted)
    portal.add("a", {"name": "A"})
    with writing(portal.engine) as connection:
        connection.execute(sa.update(portal.tables.module("a")).values(_x_total=60))
    assert portal.changed(module % "duration")[:2] == ["drop field a.x", "add field a.x (duration)"]
    assert portal.values("a", "x") == [None]
    assert portal.changed(module % counted)[:2] == ["drop field a.x", "add field a.x (elapsed)"]
    assert portal.changed(module % counted.replace(", hours: true", ""))[0] == "drop field a.x"


@pytest.mark.sqlite_suffices
def test_values_of_a_type_whose_package_is_gone_are_read_as_texts(portal, monkeypatch):
    portal.started("a: {fields: {name: text, x: phone, y: phone, z: phone}}")
    portal.add("a", {"name": "A", "x": "112", "y": "118", "z": "0800"})
    monkeypatch.setattr(Field, "types", {name: kind for name, kind in Field.types.items() if name != "phone"})
    assert portal.changed("a: {fields: {name: text, x: text, y: integer, w: {type: text, formerly: z}}}")[:3] == [
        "change field a.x from phone to text: 1 value converted",
        "change field a.y from phone to integer: 1 value converted",
        "rename field a.z to w",
    ]
    assert (portal.values("a", "x"), portal.values("a", "y"), portal.values("a", "w")) == (["112"], [118], ["0800"])


@pytest.mark.sqlite_suffices
def test_values_that_do_not_fit_the_new_type_are_named_and_lost_only_when_that_is_allowed(portal):
    portal.started('a: {reference: "A{number}", fields: {x: text}}')
    portal.add("a", {"x": "12"}, {"x": "twelve"}, {"x": "13"}, {})
    portal.declare('a: {reference: "A{number}", fields: {x: integer}}')
    loss = '1 of 3 values would be lost, not fitting: A2 "twelve" (apply with --allow-loss)'
    assert portal.plan()[0] == f"! change field a.x from text to integer: {loss}"
    portal.apply(allow_loss=True)
    portal.at_rest()
    assert portal.values("a", "x") == [12, None, 13, None]
    assert portal.columns("a").isdisjoint({"_aside_x"})


def test_values_that_do_not_fit_are_set_aside_and_come_back_when_they_fit_again(portal):
    text = 'a: {reference: "A{number}", fields: {x: text}}'
    portal.started(text)
    portal.add("a", {"x": "12"}, {"x": "twelve"}, {"x": "none"}, {})
    portal.declare('a: {reference: "A{number}", fields: {x: integer}}')
    assert portal.apply()[0] == (
        "change field a.x from text to integer: 1 value converted, "
        '2 that would be lost set aside: A2 "twelve", A3 "none"'
    )
    assert portal.values("a", "x") == [12, None, None, None]
    rest = "! drop the values of a.x that only fitted it as text: 2 values would be lost (apply with --allow-loss)"
    assert str(plan(portal.engine, portal.tables)) == rest
    assert portal.blocking() == []
    assert (portal.apply(), portal.left) == ([], [rest])
    with writing(portal.engine) as connection:
        table = portal.tables.module("a")
        connection.execute(sa.update(table).where(table.c["id"] == 3).values(x=3))
    portal.declare(text)
    portal.apply()
    assert portal.values("a", "x") == ["12", "twelve", "3", None]
    assert {row["_x_folded"] for row in portal.rows(portal.tables.module("a"))} == {"12", "twelve", "3", None}
    assert portal.plan() == [rest.replace("2 values", "1 value")]
    portal.apply(allow_loss=True)
    portal.at_rest()
    assert portal.columns("a").isdisjoint({"_aside_x"})


def test_texts_are_read_by_the_new_type_also_where_it_is_stored_alike(portal):
    portal.started("a: {fields: {x: text, y: text, z: url}}")
    portal.add("a", {"x": "[1", "y": "javascript:alert(1)", "z": "https://x.example"}, {"x": "[1]", "y": "x.example"})
    portal.declare("a: {fields: {x: json, y: url, z: text}}")
    portal.apply()
    assert portal.values("a", "x") == [None, "[1]"]
    assert portal.values("a", "y")[0] is None
    assert portal.values("a", "z") == ["https://x.example", None]
    assert len(portal.plan()) == 2
    portal.declare("a: {fields: {x: text, y: text, z: text}}")
    portal.apply()
    assert portal.values("a", "x") == ["[1", "[1]"]
    portal.at_rest()


@pytest.mark.sqlite_suffices
def test_what_people_gave_is_set_aside_where_a_formula_takes_its_place(portal):
    portal.started('a: {reference: "A{number}", fields: {n: integer, x: decimal}}')
    portal.add("a", {"n": 2, "x": Decimal("7.5")})
    portal.declare('a: {reference: "A{number}", fields: {n: integer, x: {type: formula, of: n * 2}}}')
    assert '1 of 1 value would be lost, not fitting: A1 "7.5"' in portal.plan()[0]
    portal.apply()
    assert portal.values("a", "x") == [4]
    portal.declare('a: {reference: "A{number}", fields: {n: integer, x: decimal}}')
    portal.apply()
    assert "drop the values of a.x" in portal.plan()[0]


@pytest.mark.sqlite_suffices
def test_what_was_set_aside_stays_there_where_the_field_becomes_links(portal):
    portal.started("a: {fields: {x: text}}")
    portal.add("a", {"x": "twelve"})
    portal.declare("a: {fields: {x: integer}}")
    portal.apply()
    portal.declare("a: {fields: {x: {type: links, to: a}}}")
    portal.apply()
    assert portal.blocking() == []
    portal.declare("a: {fields: {x: text}}")
    portal.apply()
    assert portal.values("a", "x") == ["twelve"]


def test_what_was_set_aside_follows_a_renamed_field_and_module(portal):
    portal.started("a: {fields: {x: text}}")
    portal.add("a", {"x": "twelve"})
    portal.declare("a: {fields: {x: integer}}")
    portal.apply()
    portal.declare("b: {formerly: a, fields: {y: {type: integer, formerly: x}}}")
    portal.apply()
    portal.declare("b: {formerly: a, fields: {y: text}}")
    portal.apply()
    portal.at_rest()
    assert portal.values("b", "y") == ["twelve"]


def test_types_that_are_kept_alike_need_no_change(portal):
    portal.started("a: {fields: {x: text, y: {type: decimal, places: 2}, z: {type: text, max_length: 10}}}")
    portal.add("a", {"x": "a@b.example", "y": Decimal("1.25"), "z": "0123456789"})
    portal.declare("a: {fields: {x: email, y: {type: decimal, places: 4}, z: longtext}}")
    portal.apply()
    assert portal.values("a", "x") == ["a@b.example"]
    portal.at_rest()


ROME = datetime.timezone(datetime.timedelta(hours=1))
MONEY = Money(Decimal("12.75"), "EUR")
UDINE = Location(Decimal("46.06"), Decimal("13.24"))


CONVERSIONS = [  # the type before, a value, the type after, the value then
    ("date", datetime.date(2024, 3, 5), "datetime", datetime.datetime(2024, 3, 5, tzinfo=ROME)),
    ("date", datetime.date(2024, 3, 5), "text", "2024-03-05"),
    ("datetime", datetime.datetime(2024, 3, 5, tzinfo=ROME), "date", datetime.date(2024, 3, 5)),
    ("datetime", datetime.datetime(2024, 3, 5, 13, 30, tzinfo=datetime.UTC), "text", "2024-03-05T13:30:00Z"),
    ("integer", 12, "decimal", Decimal(12)),
    ("integer", 12, "percent", Decimal(12)),
    ("integer", 12, "money", Money(Decimal(12), "EUR")),
    ("integer", 1234, "text", "1234"),
    ("integer", 1, "boolean", True),
    ("decimal", Decimal("12.5"), "money", Money(Decimal("12.5"), "EUR")),
    ("decimal", Decimal("12.00"), "integer", 12),
    ("decimal", Decimal("12.5"), "text", "12.5"),
    ("money", MONEY, "decimal", Decimal("12.75")),
    ("money", Money(Decimal("12.00"), "EUR"), "integer", 12),
    ("money", MONEY, "text", "12.75 EUR"),
    ("rating", 4, "integer", 4),
    ("boolean", True, "choice: [true, false]", "true"),
    ("boolean", False, "choice: [yes, no]", "no"),
    ("boolean", True, "choice: {paid: Yes, open: No}", "paid"),
    ("boolean", False, "choices: [yes, no]", ("no",)),
    ("boolean", True, "integer", 1),
    ("boolean", False, "text", "false"),
    ("choice: [yes, no]", "yes", "boolean", True),
    ("choice: {j: Yes, n: No}", "n", "boolean", False),
    ("choice: [x, y]", "y", "choices: [x, y]", ("y",)),
    ("choice: ['a, b', c]", "a, b", "choices: ['a, b', c]", ("a, b",)),
    ("choice: [x, y]", "y", "tags", ("y",)),
    ("choice: [x, y]", "y", "text", "y"),
    ("choices: [x, y]", ("x", "y"), "tags", ("x", "y")),
    ("choices: [x, y]", ("y",), "choice: [x, y]", "y"),
    ("tags", ("x", "y"), "choices: [x, y]", ("x", "y")),
    ("text", "x < y & z", "longtext", "x < y & z"),
    ("text", "x < y & z", "markdown", "x < y & z"),
    ("text", "x < y & z", "html", "x &lt; y &amp; z"),
    ("longtext", "<b>\ntwo", "html", "&lt;b&gt;<br>two"),
    ("text", "12.5", "decimal", Decimal("12.5")),
    ("text", "low", "choice: {low: Low, high: High}", "low"),
    ("text", "High", "choice: {low: Low, high: High}", "high"),
    ("time", datetime.time(14, 30), "text", "14:30"),
    ("duration", 5400, "text", "1 h 30 min"),
    ("phone", "+39 02 1", "text", "+39 02 1"),
    ("text", "geo:46.06,13.24", "location", UDINE),
    ("location", UDINE, "text", "46.06, 13.24"),
    ("file", SCAN, "files", (SCAN,)),
    ("files", (SCAN,), "file", SCAN),
    ("file", PHOTO, "image", PHOTO),
    ("files", (PHOTO,), "image", PHOTO),
]


def test_values_that_fit_are_converted_without_loss(portal):
    zone = "portal: {time_zone: Europe/Rome, currency: EUR}"
    before = {f"x{place}": declaration_of(each[0]) for place, each in enumerate(CONVERSIONS)}
    after = {f"x{place}": declaration_of(each[2]) for place, each in enumerate(CONVERSIONS)}
    portal.started(module_of(before), top=zone)
    portal.add("a", {f"x{place}": each[1] for place, each in enumerate(CONVERSIONS)}, {})
    add_photo(portal)
    sentences = portal.changed(module_of(after), top=zone)
    assert "lost" not in " ".join(sentences)
    converted = [portal.values("a", name)[0] for name in after]
    assert list(zip(CONVERSIONS, converted, strict=True)) == [(each, each[3]) for each in CONVERSIONS]


def test_a_date_that_becomes_a_datetime_may_stay_without_a_time(portal):
    day, moment = datetime.date(2024, 3, 5), datetime.datetime(2024, 3, 5, 13, 30, tzinfo=datetime.UTC)
    plain, zone = {"x": "{type: date}", "y": "{type: datetime}"}, "portal: {time_zone: Europe/Rome, currency: EUR}"
    optional = "{type: datetime, time: optional}"
    portal.started(module_of(plain), top=zone)
    portal.add("a", {"x": day, "y": moment}, {})
    portal.changed(module_of(dict.fromkeys(plain, optional)), top=zone)
    start = datetime.datetime(2024, 3, 4, 23, tzinfo=datetime.UTC)
    assert (portal.values("a", "x"), portal.values("a", "y")) == ([WholeDay.beginning(start), None], [moment, None])
    without = module_of({"x": "{type: datetime}", "y": optional})
    portal.declare(without, top=zone)
    part = "1 of 1 value would be lost as days without a time, which become the moments at which they begin"
    assert f'{part}: 1 "2024-03-05" (apply with --allow-loss)' in portal.plan()[0]
    portal.apply()
    assert portal.values("a", "x") == [start, None]
    portal.declare(module_of({"x": optional, "y": optional}), top=zone)
    portal.apply()
    portal.at_rest()
    assert portal.values("a", "x") == [WholeDay.beginning(start), None]
    portal.changed(without, top=zone, allow_loss=True)
    portal.changed(module_of({"x": optional, "y": optional}), top=zone)
    assert portal.values("a", "x") == [start, None]  # midnight, which someone may mean
    portal.changed(module_of(plain), top=zone)
    assert (portal.values("a", "x"), portal.values("a", "y")) == ([day, None], [moment, None])


def add_photo(portal):
    with writing(portal.engine) as connection:
        connection.execute(sa.insert(portal.tables.file).values(id=PHOTO.id, preview="thumbnail"))


def declaration_of(short):
    """`choice: [x]` is a choice with these options."""
    type_, _colon, options = short.partition(": ")
    return f"{{type: {type_}, options: {options}}}" if options else f"{{type: {type_}}}"


def module_of(fields):
    return f"a: {{fields: {{{', '.join(f'{name}: {declared}' for name, declared in fields.items())}}}}}"


LOSSES = [  # the type before, a value, the type after, what would be lost
    ("datetime", datetime.datetime(2024, 3, 5, 13, 30, tzinfo=datetime.UTC), "date", "2024-03-05T13:30:00Z"),
    ("money", Money(Decimal(5), "USD"), "decimal", "5 USD"),
    ("decimal", Decimal("12.5"), "integer", "12.5"),
    ("integer", 2, "boolean", "2"),
    ("choices: [x, y]", ("x", "y"), "choice: [x, y]", "x,y"),
    ("boolean", True, "choice: [x, y]", "true"),
    ("file", SCAN, "image", "scan.pdf"),
    ("files", (SCAN, PHOTO), "image", "scan.pdf,photo.png"),
]


@pytest.mark.sqlite_suffices
def test_values_of_which_a_part_would_be_lost_are_named(portal):
    portal.started(module_of({f"x{place}": declaration_of(each[0]) for place, each in enumerate(LOSSES)}))
    portal.add("a", {f"x{place}": each[1] for place, each in enumerate(LOSSES)})
    portal.declare(module_of({f"x{place}": declaration_of(each[2]) for place, each in enumerate(LOSSES)}))
    plan = "\n".join(portal.plan())
    for place, (_before, _value, _after, lost) in enumerate(LOSSES):
        assert re.search(f'change field a.x{place} .*1 of 1 value would be lost, not fitting: 1 "{lost}"', plan)


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


@pytest.mark.sqlite_suffices
def test_values_that_are_the_same_as_another_type_keep_the_field_from_being_unique(portal):
    portal.started("a: {fields: {name: text, x: text}}")
    portal.add("a", {"x": "1"}, {"x": "01"})
    portal.declare("a: {fields: {name: text, x: {type: integer, unique: true}}}")
    portal.apply()
    said = '! field a.x cannot be made unique, these values occur more than once: "1" (2 times)'
    assert (portal.values("a", "x"), portal.left, portal.plan()) == ([1, 1], [said], [said])


@pytest.mark.sqlite_suffices
@pytest.mark.parametrize(("before", "after"), [(LINKS, LINES), (LINES, LINKS)], ids=["to lines", "to links"])
def test_links_and_lines_do_not_become_each_other_before_the_field_was_removed(portal, before, after):
    things = "a: {{fields: {{name: text{}}}}}"
    portal.started(COMPANIES, things.format(f", f: {before}"))
    portal.declare(COMPANIES, things.format(f", f: {after}"))
    assert "remove the field and apply that first" in portal.plan()[0]
    with pytest.raises(CannotBeAppliedError):
        portal.apply()
    portal.changed(COMPANIES, things.format(""))
    portal.changed(COMPANIES, things.format(f", f: {after}"))
