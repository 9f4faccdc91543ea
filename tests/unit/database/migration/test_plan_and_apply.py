"""Plans as a whole: nothing to do, all or nothing, the search index, other transactions."""

import threading

import pytest
import sqlalchemy as sa

from portal.database.engine import reading, writing
from portal.database.migration import effort
from portal.database.migration.alter import drop_columns
from portal.database.migration.plan_and_apply import CannotBeAppliedError, plan
from portal.fields.base import Field
from portal.fields.linked_value import Linked
from tests.unit.database.migration.database import COMPANIES, TICKETS, someone_waits


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
        if not type_.computed:
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


@pytest.mark.sqlite_suffices
def test_the_reference_of_records_and_the_sequence_stay_when_the_pattern_changes(portal):
    portal.started(COMPANIES, TICKETS)
    portal.add("tickets", {"title": "Printer"})
    with writing(portal.engine) as connection:
        connection.execute(sa.insert(portal.tables.sequence).values(module="tickets", last=41))
    portal.declare(COMPANIES, TICKETS.replace("TT", "REQ-"))
    portal.at_rest()
    assert portal.values("tickets", "reference") == ["TT1"]
    assert portal.rows(portal.tables.sequence) == [{"module": "tickets", "last": 41}]


def test_what_someone_else_keeps_in_the_database_is_left_alone(portal):
    portal.started(COMPANIES)
    with writing(portal.engine) as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("ALTER TABLE companies ADD COLUMN their_column INTEGER")
        connection.exec_driver_sql("CREATE INDEX their_index ON companies (modified_by)")
    portal.at_rest()
    portal.changed(COMPANIES, TICKETS)
    assert "theirs" in portal.tables_there()
    assert "their_column" in portal.columns("companies")


def test_addresses_of_an_older_version_get_their_key_and_duplicates_in_another_case_are_named(portal):
    people = "people: {fields: {name: text, email: {type: email, unique: true}}}"
    portal.started(people)
    portal.add("people", {"name": "Anna", "email": "Anna@acme.example"})
    with writing(portal.engine) as connection:
        connection.exec_driver_sql("DROP INDEX ix_people$_email_key")
        drop_columns(connection, "people", ["_email_key"])
    assert portal.plan() == [
        "fill the new columns of field people.email: _email_key",
        "bring the indexes of people up to date",
    ]
    portal.apply()
    portal.at_rest()
    assert portal.rows(portal.tables.module("people"))[0]["_email_key"] == "anna@acme.example"


def test_what_went_missing_in_the_database_is_noticed_and_made_again(portal):
    portal.started(COMPANIES, TICKETS)
    portal.add("companies", {"name": "Größe"})
    with writing(portal.engine) as connection:
        drop_columns(connection, "companies", ["_name_folded"])
        drop_columns(connection, "tickets", ["title", "_title_folded"])
        connection.exec_driver_sql("DROP INDEX ix_tickets$modified$id")
    assert portal.missing() == []
    assert portal.plan() == [
        "fill the new columns of field companies.name: _name_folded",
        "bring the indexes of companies up to date",
        "add field tickets.title (text)",
        "bring the indexes of tickets up to date",
    ]
    portal.apply()
    portal.at_rest()
    assert portal.rows(portal.tables.module("companies"))[0]["_name_folded"] == "grosse"


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


def test_a_step_that_cannot_be_done_leaves_everything_as_it_was(portal):
    portal.started(COMPANIES, TICKETS)
    portal.add("companies", {"name": "Acme"})
    before = portal.rows(portal.tables.schema)
    fields = ", ".join(f"f{number}: integer" for number in range(2001))
    portal.declare("firms: {formerly: companies, fields: {x: integer}}", f"wide: {{fields: {{{fields}}}}}")
    with pytest.raises(CannotBeAppliedError):
        portal.apply()
    assert portal.tables_there().isdisjoint({"firms", "wide"})
    portal.declare(COMPANIES, TICKETS)
    portal.at_rest()
    assert portal.rows(portal.tables.schema) == before
    assert portal.values("companies", "name") == ["Acme"]


@pytest.mark.sqlite_suffices
def test_a_plan_with_renames_changes_nothing(portal):
    portal.started(COMPANIES)
    portal.add("companies", {"name": "Acme"})
    portal.declare("firms: {formerly: companies, fields: {name: text}}")
    assert portal.plan()[0] == "rename module companies to firms, 1 record stays"
    assert portal.plan()[0] == "rename module companies to firms, 1 record stays"
    assert "firms" not in portal.tables_there()


def test_what_loses_nothing_is_done_and_the_rest_is_left(portal):
    portal.started(COMPANIES, TICKETS + "    amount: text\n    fax: phone\n")
    portal.add("tickets", {"amount": "5", "fax": "1"})
    portal.declare(TICKETS.replace("company: {type: link, to: companies}", "due: date") + "    amount: integer\n")
    assert portal.apply()[:4] == [
        "add field tickets.due (date)",
        "change field tickets.amount from text to integer: 1 value converted",
        "drop field tickets.company",
        "drop module companies",
    ]
    left = ["! drop field tickets.fax: 1 value would be lost (apply with --allow-loss)"]
    assert portal.left == portal.plan() == left
    assert len(portal.missing()) == 1
    assert portal.blocking() == []
    portal.apply(allow_loss=True)
    portal.at_rest()


@pytest.mark.sqlite_suffices
def test_the_search_index_is_filled_anew_when_what_is_searched_changed(portal):
    portal.started(COMPANIES, TICKETS)
    portal.add("companies", {"name": "Acme"})
    portal.add("tickets", {"title": "Printer", "company": Linked(1, "companies")})
    hidden = COMPANIES.replace("name: text", "name: {type: text, search: false}")
    said = "fill the search index of companies again: what is searched there has changed"
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
    """Applying waits for the other transaction, and then sees what it has committed."""
    portal.started("a: {fields: {x: text}}")
    table = portal.tables.module("a")
    portal.declare("a: {fields: {x: integer}}")
    applying = threading.Thread(target=portal.apply)
    with writing(portal.engine) as connection:
        connection.execute(sa.insert(table).values(id=1, x="7", _x_folded="7"))
        applying.start()
        while portal.engine.dialect.name == "postgresql" and not someone_waits(portal.engine):
            applying.join(0.02)
    applying.join()
    assert portal.values("a", "x") == [7]
    portal.at_rest()


def test_a_plan_says_how_long_a_large_table_takes_and_who_waits(portal, monkeypatch):
    monkeypatch.setattr(effort, "LARGE", 3)
    portal.started("a: {fields: {x: {type: integer, index: false}}}", "b: {fields: {x: {type: integer, index: false}}}")
    portal.add("a", *[{"x": number} for number in range(3)])
    portal.declare("a: {fields: {x: integer, y: {type: integer, search: false}}}", "b: {fields: {x: text}}")
    who = "nobody" if portal.engine.name == "postgresql" else "anyone who saves something"
    waiting = f"; 3 records, less than a second: {who} has to wait"
    assert str(plan(portal.engine, portal.tables)).splitlines()[:3] == [
        f"add field a.y (integer){waiting}",
        f"bring the indexes of a up to date{waiting}",
        "change field b.x from integer to text",
    ]
