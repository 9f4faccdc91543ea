"""Every kind of change of a declaration, applied to databases with rows in them."""

import datetime
import textwrap
import threading
from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.database.engine import make_engine, reading, writing
from portal.database.migration.alter import drop_columns
from portal.database.migration.plan import CannotBeAppliedError, WouldLoseDataError, apply, missing_steps, plan
from portal.database.schema.tables import build
from portal.fields.base import Field
from portal.fields.linked import Linked
from portal.records.indexing.backlog import catch_up
from tests.unit.database.portals import declared

COMPANIES = """
companies:
  fields: {name: text}
"""
TICKETS = """
tickets:
  reference: "TT{number}"
  fields:
    title: text
    company: {type: link, to: companies}
"""


class Portal:
    """One database, and the declaration that it should fit."""

    def __init__(self, engine, folder):
        self.engine, self.folder = engine, folder
        self.declaration = self.tables = None

    def declare(self, *modules, top=""):
        self.declaration = declared(self.folder, "\n".join(map(textwrap.dedent, modules)), top)
        self.tables = build(self.declaration)

    def plan(self):
        return [step.sentence for step in plan(self.engine, self.tables).steps]

    def missing(self):
        with reading(self.engine) as connection:
            return [step.sentence for step in missing_steps(connection, self.tables)]

    def apply(self, **options):
        done = apply(self.engine, self.tables, **options)
        catch_up(self.engine, self.tables)
        return done

    def started(self, *modules, **options):
        self.declare(*modules, **options)
        self.apply()

    def changed(self, *modules, top="", **options):
        """Declares, applies what was planned, and sees that nothing is left to be done."""
        self.declare(*modules, top=top)
        steps = plan(self.engine, self.tables).steps
        assert self.missing()
        assert self.apply(**options) == [step.done for step in steps]
        self.at_rest()
        return [step.sentence for step in steps]

    def at_rest(self):
        assert self.plan() == []
        assert self.missing() == []
        assert self.apply() == []

    def add(self, module, *records):
        """Records with the values of their fields, numbered from 1."""
        with writing(self.engine) as connection:
            for number, values in enumerate(records, 1):
                self._add(connection, self.declaration.modules[module], number, values)

    def _add(self, connection, module, number, values):
        row = {"id": number, "number": number, "reference": module.reference.format(number=number, year=2024)}
        for name, value in values.items():
            row |= module.field(name).store(value)
        connection.execute(sa.insert(self.tables.module(module.name)).values(row))
        for name, value in values.items():
            for place, link in enumerate(value if module.field(name).multiple and not row.get(name) else ()):
                join = self.tables.join(module.name, name)
                connection.execute(sa.insert(join).values(record=number, target=link.id, position=place))

    def values(self, module, name):
        """The values of a field, by id."""
        field, table = self.declaration.modules[module].field(name), self.tables.module(module)
        with reading(self.engine) as connection:
            rows = connection.execute(sa.select(table).order_by(table.c["id"])).mappings().all()
            return [field.load(row) for row in rows]

    def linked(self, module, name):
        join = self.tables.join(module, name)
        with reading(self.engine) as connection:
            found = sa.select(join.c["record"], join.c["target"]).order_by(join.c["record"], join.c["position"])
            return [tuple(row) for row in connection.execute(found)]

    def rows(self, table):
        with reading(self.engine) as connection:
            return [dict(row) for row in connection.execute(sa.select(table)).mappings()]

    def columns(self, table):
        with reading(self.engine) as connection:
            return {column["name"] for column in sa.inspect(connection).get_columns(table)}

    def tables_there(self):
        with reading(self.engine) as connection:
            return set(sa.inspect(connection).get_table_names())


@pytest.fixture
def portal(database_url, tmp_path):
    engine = make_engine(database_url)
    yield Portal(engine, tmp_path / "portal")
    engine.dispose()


# -- nothing ----------------------------------------------------------------------------------------------------------


def test_an_empty_database_gets_all_tables_and_then_rests(portal):
    portal.declare(COMPANIES, TICKETS)
    assert portal.plan()[1:] == ["add module companies", "add module tickets"]
    assert portal.missing()[1:] == ["add module companies", "add module tickets"]
    portal.apply()
    assert {"companies", "tickets", "portal_account", "portal_schema"} <= portal.tables_there()
    portal.at_rest()


def example_of_every_type():
    """One field of each type that needs no other field, as its own examples declare it."""
    more = {"link": {"to": "other"}, "links": {"to": "other"}}
    lines = ["other: {fields: {name: text}}", "all:", "  fields:"]
    for name, type_ in sorted(Field.types.items()):
        if not type_.computed and type_.stored:
            keys = {**({} if name in more else type_.sample), **more.get(name, {}), "type": name}
            lines.append(f"    a_{name}: {keys!r}")
    return "\n".join(lines).replace("True", "true").replace("False", "false").replace("None", "null")


def test_no_type_of_field_is_planned_again(portal):
    portal.started(example_of_every_type())
    portal.at_rest()


def test_modules_that_link_to_each_other_and_themselves_are_made_and_dropped(portal):
    circle = """
    a: {fields: {name: text, b: {type: link, to: b}, up: {type: link, to: a}, many: {type: links, to: a}}}
    b: {fields: {name: text, a: {type: link, to: a}}}
    """
    portal.started(circle, COMPANIES)
    portal.add("a", {"name": "one"})
    portal.add("b", {"a": Linked(1, "a")})
    with writing(portal.engine) as connection:
        connection.execute(sa.update(portal.tables.module("a")).values(b=1, up=1))
    portal.changed(COMPANIES, allow_loss=True)
    assert portal.tables_there().isdisjoint({"a", "b", "a$many"})


def test_the_reference_of_records_and_the_sequence_stay_when_the_pattern_changes(portal):
    portal.started(COMPANIES, TICKETS)
    portal.add("tickets", {"title": "Printer"})
    with writing(portal.engine) as connection:
        connection.execute(sa.insert(portal.tables.sequence).values(module="tickets", last=41))
    portal.declare(COMPANIES, TICKETS.replace("TT", "REQ-"))
    portal.at_rest()
    assert portal.values("tickets", "reference") == ["TT1"]
    assert portal.rows(portal.tables.sequence) == [{"module": "tickets", "last": 41}]


def test_what_somebody_else_keeps_in_the_database_is_left_alone(portal):
    portal.started(COMPANIES)
    with writing(portal.engine) as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("ALTER TABLE companies ADD COLUMN their_column INTEGER")
        connection.exec_driver_sql("CREATE INDEX their_index ON companies (modified_by)")
    portal.at_rest()
    portal.changed(COMPANIES, TICKETS)
    assert "theirs" in portal.tables_there()
    assert "their_column" in portal.columns("companies")


def test_what_went_missing_in_the_database_is_noticed_and_made_again(portal):
    portal.started(COMPANIES, TICKETS)
    portal.add("companies", {"name": "Größe"})
    with writing(portal.engine) as connection:
        drop_columns(connection, "companies", ["_name_folded"])
        drop_columns(connection, "tickets", ["title", "_title_folded"])
        connection.exec_driver_sql("DROP INDEX ix_tickets$modified$id")
    assert portal.missing() == []
    assert portal.plan() == [
        "complete field companies.name: _name_folded",
        "bring the indexes of companies up to date",
        "add field tickets.title (text)",
        "bring the indexes of tickets up to date",
    ]
    portal.apply()
    portal.at_rest()
    assert portal.rows(portal.tables.module("companies"))[0]["_name_folded"] == "grosse"


# -- adding -----------------------------------------------------------------------------------------------------------


def test_new_fields_keep_records_and_stay_empty_even_with_a_default(portal):
    portal.started(COMPANIES, TICKETS)
    portal.add("companies", {"name": "Acme"})
    portal.add("tickets", {"title": "Printer", "company": Linked(1, "companies")})
    more = """
        urgency: {type: choice, options: [low, high], default: low}
        watchers: {type: links, to: companies}
        parent: {type: link, to: tickets}
        cost: money
    """
    assert portal.changed(COMPANIES, TICKETS + textwrap.indent(textwrap.dedent(more), "    "))[:4] == [
        "add field tickets.urgency (choice); the 1 record that exists keeps it empty",
        "add field tickets.watchers (links)",
        "add field tickets.parent (link)",
        "add field tickets.cost (money)",
    ]
    assert portal.values("tickets", "urgency") == [None]
    assert portal.values("tickets", "company") == [Linked(1, "companies")]
    with pytest.raises(sa.exc.IntegrityError), writing(portal.engine) as connection:
        connection.execute(sa.update(portal.tables.module("tickets")).values(parent=99))


def test_a_field_made_required_says_how_many_records_have_it_empty(portal):
    portal.started(COMPANIES)
    portal.add("companies", {"name": "Acme"}, {}, {})
    portal.declare("companies: {fields: {name: {type: text, required: true}}}")
    said = ["field companies.name is required from now on: 2 records without it stay as they are until edited"]
    assert portal.plan() == said
    assert portal.apply() == said
    portal.at_rest()


def test_a_field_becomes_unique_only_when_no_value_stands_twice(portal):
    portal.started(COMPANIES)
    portal.add("companies", {"name": "Acme"}, {"name": "Acme"}, {}, {})
    portal.declare("companies: {fields: {name: {type: text, unique: true}}}")
    said = '! field companies.name cannot be made unique, these values stand more than once: "Acme" (2 times)'
    assert portal.plan() == [said]
    with pytest.raises(CannotBeAppliedError, match="cannot be made unique"):
        portal.apply(allow_loss=True)
    with writing(portal.engine) as connection:
        table = portal.tables.module("companies")
        connection.execute(sa.update(table).where(table.c["id"] == 2).values(name="Other"))
    assert portal.plan() == ["bring the indexes of companies up to date"]
    portal.apply()
    portal.at_rest()
    with pytest.raises(sa.exc.IntegrityError):
        portal.add("companies", {"name": "Acme"})


def test_a_module_with_too_many_columns_is_reported(portal):
    fields = "\n".join(f"    f{number}: integer" for number in range(2001))
    portal.declare(f"wide:\n  fields:\n{fields}")
    said = r"module wide needs 2,01\d columns, and this database has at most [12],\d00 in a table"
    with pytest.raises(CannotBeAppliedError, match=said):
        portal.apply(allow_loss=True)
    assert "wide" not in portal.tables_there()


# -- removing ---------------------------------------------------------------------------------------------------------


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
        connection.execute(sa.insert(portal.tables.sequence).values(module="tickets", last=7))
    said = portal.changed(COMPANIES, allow_loss=True)
    assert said == ["! drop module tickets: 1 record would be lost (apply with --allow-loss)"]
    assert [row["module"] for row in portal.rows(portal.tables.comment)] == ["companies"]
    assert portal.rows(portal.tables.sequence) == [{"module": "tickets", "last": 7}]


def test_an_empty_module_is_dropped_without_asking(portal):
    portal.started(COMPANIES, TICKETS)
    assert portal.changed(COMPANIES) == ["drop module tickets"]


# -- renaming ---------------------------------------------------------------------------------------------------------


def test_a_renamed_module_keeps_its_records_and_all_that_speaks_of_them(portal):
    portal.started(
        COMPANIES,
        TICKETS + "    watchers: {type: links, to: companies}\n    about: {type: link, to: [companies, tickets]}\n",
    )
    portal.add("companies", {"name": "Acme"})
    portal.add(
        "tickets", {"title": "Printer", "company": Linked(1, "companies"), "watchers": (Linked(1, "companies"),)}
    )
    with writing(portal.engine) as connection:
        connection.execute(sa.update(portal.tables.module("tickets")).values(about=1, _about_module="companies"))
        connection.execute(sa.insert(portal.tables.comment).values(module="companies", record=1, text="?"))
        connection.execute(sa.insert(portal.tables.sequence).values(module="companies", last=7))
    renamed = "firms: {formerly: companies, fields: {name: text}}"
    rest = TICKETS.replace("to: companies", "to: firms")
    rest += "    watchers: {type: links, to: firms}\n    about: {type: link, to: [firms, tickets]}\n"
    said = portal.changed(renamed, rest)
    assert said[0] == "rename module companies to firms, 1 record stays"
    assert portal.values("firms", "name") == ["Acme"]
    assert portal.values("tickets", "company") == [Linked(1, "firms")]
    assert portal.values("tickets", "about") == [Linked(1, "firms")]
    assert portal.linked("tickets", "watchers") == [(1, 1)]
    assert [row["module"] for row in portal.rows(portal.tables.comment)] == ["firms"]
    assert portal.rows(portal.tables.sequence) == [{"module": "firms", "last": 7}]
    assert [row["module"] for row in portal.rows(portal.tables.search)] == ["firms"]


def test_what_a_removed_module_left_behind_is_not_taken_for_a_renamed_ones(portal):
    portal.started(COMPANIES, TICKETS)
    with writing(portal.engine) as connection:
        connection.execute(
            sa.insert(portal.tables.sequence), [{"module": "companies", "last": 7}, {"module": "tickets", "last": 9}]
        )
    portal.changed(COMPANIES)
    portal.changed("tickets: {formerly: companies, fields: {name: text}}")
    assert portal.rows(portal.tables.sequence) == [{"module": "tickets", "last": 7}]


def test_a_renamed_field_keeps_its_values_companions_and_links(portal):
    portal.started(COMPANIES, TICKETS + "    cost: money\n    watchers: {type: links, to: companies}\n")
    portal.add("companies", {"name": "Acme"})
    money = portal.declaration.modules["tickets"].field("cost").read("12.50 USD")
    portal.add(
        "tickets",
        {"title": "Größe", "cost": money, "company": Linked(1, "companies"), "watchers": (Linked(1, "companies"),)},
    )
    said = portal.changed(
        COMPANIES,
        """
        tickets:
          reference: "TT{number}"
          fields:
            subject: {type: text, formerly: title}
            firm: {type: link, to: companies, formerly: company}
            price: {type: money, formerly: cost}
            readers: {type: links, to: companies, formerly: watchers}
        """,
    )
    assert said[:4] == [
        "rename field tickets.title to subject, 1 value stays",
        "rename field tickets.company to firm, 1 value stays",
        "rename field tickets.cost to price, 1 value stays",
        "rename field tickets.watchers to readers, 1 value stays",
    ]
    assert portal.values("tickets", "subject") == ["Größe"]
    assert portal.rows(portal.tables.module("tickets"))[0]["_subject_folded"] == "grosse"
    assert portal.values("tickets", "price") == [money]
    assert portal.values("tickets", "firm") == [Linked(1, "companies")]
    assert portal.linked("tickets", "readers") == [(1, 1)]


def test_a_rename_that_was_done_may_stay_in_the_file_through_the_next_ones(portal):
    portal.started("a: {fields: {one: integer}}")
    portal.add("a", {"one": 1})
    portal.changed("b: {formerly: a, fields: {two: {type: integer, formerly: one}}}")
    portal.changed("c: {formerly: b, fields: {three: {type: integer, formerly: two}}}")
    portal.declare("c: {formerly: b, fields: {three: {type: integer, formerly: one}}}")
    portal.apply()
    portal.at_rest()
    assert portal.values("c", "three") == [1]


def test_options_that_bear_new_names_change_the_values(portal):
    before = "a: {fields: {one: {type: choice, options: [new, open]}, many: {type: choices, options: [x, y, z]}}}"
    portal.started(before)
    portal.add("a", {"one": "new", "many": ("x", "z")}, {"one": "open", "many": ("y",)}, {})
    said = portal.changed("""
    a:
      fields:
        one: {type: choice, options: {fresh: {formerly: new}, open: Open}}
        many: {type: choices, options: {a: {formerly: x}, y: Y, z: Z}}
    """)
    assert said[0] == 'rename options of a.one, with the values that are stored: "new" to "fresh"'
    assert portal.values("a", "one") == ["fresh", "open", None]
    assert [set(value) for value in portal.values("a", "many")] == [{"a", "z"}, {"y"}, set()]


# -- another type -----------------------------------------------------------------------------------------------------


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


# -- together ---------------------------------------------------------------------------------------------------------


def test_children_survive_whatever_is_done_to_their_parent(portal):
    portal.started(COMPANIES, TICKETS)
    portal.add("companies", {"name": "1"}, {"name": "2"})
    portal.add("tickets", {"company": Linked(2, "companies")}, {"company": Linked(1, "companies")})
    tickets = TICKETS.replace("to: companies", "to: firms")
    portal.changed("firms: {formerly: companies, fields: {code: {type: integer, formerly: name}, more: text}}", tickets)
    portal.changed("firms: {fields: {more: text}}", tickets, allow_loss=True)
    assert portal.values("tickets", "company") == [Linked(2, "firms"), Linked(1, "firms")]
    if portal.engine.dialect.name == "sqlite":
        with reading(portal.engine) as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []


def test_one_refused_step_leaves_everything_as_it_was(portal):
    portal.started(COMPANIES, TICKETS)
    portal.add("companies", {"name": "Acme"})
    before = portal.rows(portal.tables.schema)
    portal.declare("firms: {formerly: companies, fields: {x: integer, y: integer}}", "extra: {fields: {name: text}}")
    with pytest.raises(WouldLoseDataError):
        portal.apply()
    assert "firms" not in portal.tables_there()
    assert "extra" not in portal.tables_there()
    portal.declare(COMPANIES, TICKETS)
    portal.at_rest()
    assert portal.rows(portal.tables.schema) == before
    assert portal.values("companies", "name") == ["Acme"]


def test_a_plan_with_renames_changes_nothing(portal):
    portal.started(COMPANIES)
    portal.add("companies", {"name": "Acme"})
    portal.declare("firms: {formerly: companies, fields: {name: text}}")
    assert portal.plan()[0] == "rename module companies to firms, 1 record stays"
    assert portal.plan()[0] == "rename module companies to firms, 1 record stays"
    assert "firms" not in portal.tables_there()


def test_only_what_takes_nothing_away_is_applied_when_nobody_is_asked(portal):
    portal.started(COMPANIES, TICKETS + "    amount: text\n    fax: phone\n")
    portal.add("tickets", {"amount": "5", "fax": "1"})
    portal.declare(TICKETS.replace("company: {type: link, to: companies}", "due: date") + "    amount: integer\n")
    assert portal.apply(additive_only=True)[0] == "add field tickets.due (date)"
    assert {"due", "company", "fax", "amount"} <= portal.columns("tickets")
    waiting = [
        "change field tickets.amount from text to integer: 1 value converted",
        "drop field tickets.company",
        "! drop field tickets.fax: 1 value would be lost (apply with --allow-loss)",
        "drop module companies",
    ]
    assert portal.plan() == waiting
    assert len(portal.missing()) == len(waiting)
    portal.apply(allow_loss=True)
    portal.at_rest()
    assert portal.columns("tickets").isdisjoint({"company", "fax"})
    assert "companies" not in portal.tables_there()


def test_the_search_index_is_filled_anew_when_what_is_searched_changed(portal):
    portal.started(COMPANIES, TICKETS)
    portal.add("companies", {"name": "Acme"})
    portal.add("tickets", {"title": "Printer", "company": Linked(1, "companies")})
    hidden = COMPANIES.replace("name: text", "name: {type: text, search: false}")
    said = "fill the search index of companies anew: what is searched there has changed"
    portal.declare(hidden, TICKETS)
    assert portal.plan() == [said]
    portal.apply()
    portal.at_rest()
    assert all("acme" not in row["text"] for row in portal.rows(portal.tables.search))


def test_the_database_looks_at_a_table_with_a_new_index(portal):
    portal.started("a: {fields: {x: {type: integer, index: false}}}")
    portal.add("a", *[{"x": number} for number in range(100)])
    portal.declare("a: {fields: {x: {type: integer, index: true}}}")
    assert portal.apply() == ["bring the indexes of a up to date"]
    known = {"sqlite": "SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'a'"}
    with reading(portal.engine) as connection:
        looked = known.get(connection.dialect.name, "SELECT count(*) FROM pg_stats WHERE tablename = 'a'")
        assert connection.exec_driver_sql(looked).scalar() > 0


def test_what_others_write_while_it_is_applied_is_converted_too(portal):
    """Who applies waits for the other's transaction, and then sees what it has committed."""
    portal.started("a: {fields: {x: text}}")
    table = portal.tables.module("a")
    portal.declare("a: {fields: {x: integer}}")
    applying = threading.Thread(target=portal.apply)
    with writing(portal.engine) as connection:
        connection.execute(sa.insert(table).values(id=1, x="7", _x_folded="7"))
        applying.start()
        while portal.engine.dialect.name == "postgresql" and not waits(portal.engine):
            applying.join(0.02)
    applying.join()
    assert portal.values("a", "x") == [7]
    portal.at_rest()


def waits(engine):
    """Whether somebody waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with reading(engine) as connection:
        return connection.exec_driver_sql(waiting).scalar_one() > 0
