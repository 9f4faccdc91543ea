"""Renamed modules, fields and options keep their values."""

import pytest
import sqlalchemy as sa

from portal.database.engine import reading, writing
from portal.database.migration.plan_and_apply import plan
from portal.database.search import index as search
from portal.fields.linked_value import Linked
from tests.unit.database.migration.database import COMPANIES, TICKETS


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
        connection.execute(sa.insert(portal.tables.draft).values(form="companies/1/edit", data={"name": "Acme"}))
        search.put_many(connection, portal.tables.search, [search.Entry("companies", 1, ["Acme"], scopes=["_o1"])])
    renamed = "firms: {formerly: companies, fields: {name: text}}"
    rest = TICKETS.replace("to: companies", "to: firms")
    rest += "    watchers: {type: links, to: firms}\n    about: {type: link, to: [firms, tickets]}\n"
    said = portal.changed(renamed, rest)
    assert said[0] == "rename module companies to firms, 1 record stays"
    assert not [sentence for sentence in said if "search index" in sentence]
    assert portal.values("firms", "name") == ["Acme"]
    assert portal.values("tickets", "company") == [Linked(1, "firms")]
    assert portal.values("tickets", "about") == [Linked(1, "firms")]
    assert portal.linked("tickets", "watchers") == [(1, 1)]
    assert [row["module"] for row in portal.rows(portal.tables.comment)] == ["firms"]
    assert portal.rows(portal.tables.sequence) == [{"module": "firms", "last": 7}]
    assert [row["form"] for row in portal.rows(portal.tables.draft)] == ["firms/1/edit"]
    entry = portal.rows(portal.tables.search)[0]
    assert (entry["module"], entry["scope"].split()) == ("firms", ["_mfirms", "_o1"])


def test_links_are_dropped_with_their_field_while_its_module_is_renamed(portal):
    portal.started(COMPANIES, "a: {fields: {name: text, many: {type: links, to: companies}}}")
    portal.add("companies", {"name": "Acme"})
    portal.add("a", {"name": "A", "many": (Linked(1, "companies"),)})
    portal.declare(COMPANIES, "b: {formerly: a, fields: {name: text}}")
    loss = "! drop field b.many: 1 value would be lost (apply with --allow-loss)"
    assert [sentence for sentence in portal.plan() if "many" in sentence] == [loss]
    portal.apply(allow_loss=True)
    portal.at_rest()
    with reading(portal.engine) as connection:
        assert not [name for name in sa.inspect(connection).get_table_names() if "many" in name]


def test_saved_views_follow_the_names_of_modules_fields_and_options(portal):
    portal.started("tickets: {fields: {title: text, due: date, status: {type: choice, options: [new, late]}}}")
    parameters = [
        ["status", "late"],
        ["due.min", "2026-01-01"],
        ["sort", "-due"],
        ["sort", "title"],
        ["q", 'due -due:today "due:x"'],
        ["q", 'late (status:late or -Status:"Late") due:late status:new "status:late"'],
    ]
    columns = ["due", "title", "reference"]
    view = {"key": "k", "module": "tickets", "name": "Late", "parameters": parameters, "columns": columns}
    with writing(portal.engine) as connection:
        connection.execute(sa.insert(portal.tables.saved_view).values(view))
        connection.execute(sa.insert(portal.tables.saved_view).values(key="l", module="tickets", parameters=[]))
    portal.changed("""
        cases:
          formerly: tickets
          fields:
            title: text
            expected: {type: date, formerly: due}
            status: {type: choice, options: {new: New, overdue: {label: Overdue, formerly: late}}}
        """)
    renamed, as_declared = sorted(portal.rows(portal.tables.saved_view), key=lambda row: row["key"])
    assert renamed["module"] == as_declared["module"] == "cases"
    assert renamed["columns"] == ["expected", "title", "reference"]
    assert renamed["parameters"] == [
        ["status", "overdue"], ["expected.min", "2026-01-01"], ["sort", "-expected"], ["sort", "title"],
        ["q", 'due -expected:today "due:x"'],
        ["q", 'late (status:overdue or -Status:"overdue") expected:late status:new "status:late"'],
    ]  # fmt: skip
    assert as_declared["columns"] is None


def test_drafts_and_files_follow_the_names_of_fields_and_options(portal):
    rows = "rows: {type: lines, fields: {what: text, kind: {type: choice, options: [a, b]}}}"
    size = "size: {type: choice, options: [s, l]}"
    portal.started(f"tickets: {{fields: {{title: text, {size}, photo: file, {rows}}}}}")
    inputs = {"title": ["size"], "size": ["l"], "photo.kept": ["key"], "rows.0.what": ["?"], "rows.0.kind": ["b"]}
    draft = {"inputs": inputs, "basis": "size:0123456789 rows:9876543210"}
    with writing(portal.engine) as connection:
        connection.execute(sa.insert(portal.tables.draft).values(form="tickets/create/x", data=draft))
        connection.execute(sa.insert(portal.tables.draft).values(form="tickets/1/comments", data={"inputs": {}}))
        connection.execute(sa.insert(portal.tables.file).values(module="tickets", record=1, field="photo"))
        connection.execute(sa.insert(portal.tables.file).values(module="tickets", record=1))
        connection.execute(sa.insert(portal.tables.pending_file).values(key="key", module="tickets", field="photo"))
    kind = "sort: {type: choice, formerly: kind, options: {a: A, c: {formerly: b}}}"
    portal.changed(f"""
    cases:
      formerly: tickets
      fields:
        title: text
        bulk: {{type: choice, formerly: size, options: {{s: Small, xl: {{formerly: l}}}}}}
        picture: {{type: file, formerly: photo}}
        lines: {{type: lines, formerly: rows, fields: {{name: {{type: text, formerly: what}}, {kind}}}}}
    """)
    draft = next(row for row in portal.rows(portal.tables.draft) if row["form"] == "cases/create/x")
    assert draft["data"]["inputs"] == {
        "title": ["size"], "bulk": ["xl"], "picture.kept": ["key"], "lines.0.name": ["?"], "lines.0.sort": ["c"],
    }  # fmt: skip
    assert draft["data"]["basis"] == "bulk:0123456789 lines:9876543210"
    assert {row["field"] for row in portal.rows(portal.tables.file)} == {"picture", None}
    assert [row["field"] for row in portal.rows(portal.tables.pending_file)] == ["picture"]


@pytest.mark.sqlite_suffices
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


@pytest.mark.sqlite_suffices
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


@pytest.mark.sqlite_suffices
def test_a_rename_that_is_undone_is_a_rename(portal):
    before = "a: {fields: {x: integer, one: {type: choice, options: [new, open]}}}"
    portal.started(before)
    portal.add("a", {"x": 1, "one": "new"})
    portal.changed("""
    b:
      formerly: a
      fields:
        y: {type: integer, formerly: x}
        two: {type: choice, options: {fresh: {label: New, formerly: new}, open: Open}, formerly: one}
    """)
    assert portal.changed(before)[:3] == [
        "rename module b to a, 1 record stays",
        "rename field a.y to x, 1 value stays",
        "rename field a.two to one, 1 value stays",
    ]
    assert portal.values("a", "x") == [1]
    assert portal.values("a", "one") == ["new"]
    assert portal.tables_there().isdisjoint({"b"})
    assert portal.columns("a").isdisjoint({"y", "two"})


def test_renames_are_undone_after_formerly_was_taken_out_and_through_several_names(portal):
    portal.started("a: {fields: {one: integer, o: {type: choice, options: [x]}}}")
    portal.add("a", {"one": 1, "o": "x"})
    portal.changed("a: {fields: {two: {type: integer, formerly: one}, o: {type: choice, options: {y: {formerly: x}}}}}")
    portal.changed(
        "a: {fields: {three: {type: integer, formerly: two}, o: {type: choice, options: {z: {formerly: y}}}}}"
    )
    portal.declare("a: {fields: {three: integer, o: {type: choice, options: [z]}}}")
    portal.apply()
    portal.changed("a: {fields: {one: integer, o: {type: choice, options: [x]}}}")
    assert portal.values("a", "one") == [1]
    assert portal.values("a", "o") == ["x"]
    portal.changed("a: {fields: {three: {type: integer, formerly: one}, o: {type: choice, options: [x]}}}")
    portal.changed("a: {fields: {three: integer, one: integer, o: {type: choice, options: [x]}}}")
    assert portal.values("a", "three") == [1]
    assert portal.values("a", "one") == [None]


def test_formerly_may_be_written_after_the_new_name_was_applied_as_long_as_the_new_field_is_empty(portal):
    portal.started(COMPANIES, TICKETS + "    watchers: {type: links, to: companies}\n")
    portal.add("companies", {"name": "Acme"})
    acme = Linked(1, "companies")
    portal.add("tickets", {"title": "Printer", "company": acme, "watchers": (acme,)}, {"title": "Screen"})
    names = "{subject: {type: text%s}, firm: {type: link, to: companies%s}, readers: {type: links, to: companies%s}}"
    portal.declare(COMPANIES, f"tickets: {{fields: {names % ('', '', '')}}}")
    portal.apply()
    assert portal.values("tickets", "subject") == [None, None]
    named = names % (", formerly: title", ", formerly: company", ", formerly: watchers")
    assert portal.changed(COMPANIES, f"tickets: {{fields: {named}}}")[:2] == [
        "rename field tickets.title to subject, 2 values stay",
        "use field tickets.subject again, 2 values stay",
    ]
    assert portal.values("tickets", "subject") == ["Printer", "Screen"]
    assert portal.values("tickets", "firm") == [acme, None]
    assert portal.linked("tickets", "readers") == [(1, 1)]
    with pytest.raises(sa.exc.IntegrityError), writing(portal.engine) as connection:
        connection.execute(sa.insert(portal.tables.module("tickets")).values(firm=9))


RENAMED_LATE = """
companies:
  fields: {{name: text}}
{name}:
  reference: "TT{{number}}"
  {formerly}
  fields:
    title: text
    company: {{type: link, to: companies}}
    watchers: {{type: links, to: companies}}
    parent: {{type: link, to: {name}}}
    lines: {{type: lines, fields: {{amount: integer}}}}
notes:
  fields:
    ticket: {{type: link, to: {name}}}
    about: {{type: link, to: [companies, {name}]}}
"""


def renamed_without_formerly(portal):
    """A portal whose tickets are now called requests; their records were left in the database."""
    portal.started(RENAMED_LATE.format(name="tickets", formerly=""))
    portal.add("companies", {"name": "Acme"})
    acme = Linked(1, "companies")
    portal.add("tickets", {"title": "Printer", "company": acme, "watchers": (acme,)}, {"title": "Screen"})
    portal.add("notes", {"ticket": Linked(2, "tickets"), "about": Linked(1, "tickets")})
    with writing(portal.engine) as connection:
        connection.execute(sa.update(portal.tables.module("tickets")).where(sa.column("id") == 2).values(parent=1))
        connection.execute(sa.insert(portal.tables.module("tickets$lines")).values(id=1, _record=1, amount=5))
        connection.execute(sa.insert(portal.tables.comment).values(module="tickets", record=1, text="?"))
    portal.declare(RENAMED_LATE.format(name="requests", formerly=""))
    portal.apply()
    assert portal.values("requests", "title") == []


def test_formerly_may_be_written_after_a_renamed_module_was_applied_as_long_as_it_has_no_records(portal):
    renamed_without_formerly(portal)
    said = portal.changed(RENAMED_LATE.format(name="requests", formerly="formerly: tickets"))
    assert said[:2] == [
        "rename module tickets to requests, 2 records stay",
        "rename field tickets.lines to requests.lines, 1 line stays",
    ]
    assert "restore 1 value of notes.ticket that had been set aside" in said
    assert portal.values("requests", "title") == ["Printer", "Screen"]
    assert portal.values("requests", "company") == [Linked(1, "companies"), None]
    assert portal.values("requests", "parent") == [None, Linked(1, "requests")]
    assert portal.linked("requests", "watchers") == [(1, 1)]
    assert portal.rows(sa.table("requests$lines", sa.column("amount"))) == [{"amount": 5}]
    assert portal.values("notes", "ticket") == [Linked(2, "requests")]
    assert portal.values("notes", "about") == [Linked(1, "requests")]
    assert [row["module"] for row in portal.rows(portal.tables.comment)] == ["requests"]
    assert not {"tickets", "tickets$lines", "tickets$watchers"} & portal.tables_there()
    with pytest.raises(sa.exc.IntegrityError), writing(portal.engine) as connection:
        connection.execute(sa.insert(portal.tables.module("notes")).values(ticket=9))


@pytest.mark.sqlite_suffices
def test_a_late_formerly_says_what_to_do_when_both_modules_have_records(portal):
    renamed_without_formerly(portal)
    portal.add("requests", {"title": "Mouse"})
    portal.declare(RENAMED_LATE.format(name="requests", formerly="formerly: tickets"))
    planned = [step.planned for step in plan(portal.engine, portal.tables).steps]
    assert (
        "! drop module tickets: 2 records would be lost (apply with --allow-loss); requests (formerly: tickets) takes "
        "them over once it is empty: export and delete its 1 record first"
    ) in planned


def test_the_history_bears_new_names_and_forgets_what_is_dropped(portal):
    portal.started("""
    a:
      fields:
        x: integer
        gone: integer
        one: {type: choice, options: [new, open]}
        many: {type: choices, options: [x, y]}
      lifecycle: {field: one, transitions: {begin: {from: new, to: open}}}
    """)
    changes = {"x": ["1", "2"], "gone": ["3", "4"], "one": ["new", "open"], "many": ["x, y", "y"]}
    portal.add_event("a", {"fields": [*changes], "changes": changes, "private": ["x"], "state": "open"})
    portal.add_event("a", {"fields": ["x"], "changes": {"x": ["5", "6"]}})
    portal.changed(
        """
    b:
      formerly: a
      fields:
        y: {type: integer, formerly: x}
        two: {type: choice, options: {new: New, begun: {formerly: open}}, formerly: one}
        many: {type: choices, options: {x: X, "z, z": {formerly: y}}}
      lifecycle: {field: two, transitions: {begin: {from: new, to: begun}}}
    """,
        allow_loss=True,
    )
    changes = {"y": ["1", "2"], "two": ["new", "begun"], "many": ['x,"z, z"', '"z, z"']}
    assert portal.events("b") == [
        {"fields": [*changes], "changes": changes, "private": ["y"], "state": "begun"},
        {"fields": ["y"], "changes": {"y": ["5", "6"]}},
    ]
