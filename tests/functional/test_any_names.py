"""Small portals with unlikely names, texts and shapes: one for each past bug."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from webtest import TestResponse

from portal.accounts.giving_access import AccessRefusedError, AccessRequest, Register
from portal.database.engine import writing
from tests.functional.world import NANCY, NOW, World
from tests.portal_files import write_portal

STAFF = (AccessRequest(NANCY, "staff", "Nancy Smith"),)
EVERYTHING = "see: all, can: [create, edit, delete, export]"


@pytest.fixture
def serve(database_url: str, tmp_path: Path) -> Iterator[Callable[..., World]]:
    """A function that serves the modules in a YAML text; Nancy has full access to the named ones."""
    with contextlib.ExitStack() as opened:

        def served(modules: str, *names: str, beside: str = "", **others: str) -> World:
            accesses = {**dict.fromkeys(names, EVERYTHING), **others}
            entries = "".join(f"  {name}: {{{access}}}\n" for name, access in accesses.items())
            write_portal(tmp_path, modules, staff=f"staff: true\nmodules:\n{entries}{beside}")
            world = World.of(tmp_path, database_url, STAFF)
            opened.callback(world.portal.engine.dispose)
            return world

        yield served


def test_a_field_may_bear_the_name_that_an_index_of_another_module_would_get(serve):
    world = serve(
        """
modules:
  order:
    fields: {name: text, line_number: {type: integer, index: true}, reference_: {type: text, unique: true}}
  order_line:
    fields: {name: text, line: {type: link, to: order}}
""",
        "order",
        "order_line",
    )
    assert world[NANCY].send("/order/create", {"name": "A", "line_number": "7"}).status_int == 303


# Keywords of SQLite and PostgreSQL, and inputs of the portal's own forms.
ODD_NAMES = (
    "order", "from", "class", "keys", "nothing", "returning", "collation", "concurrently", "lateral", "system_user",
    "tablesample", "files", "button", "do", "id_", "comment", "next",
)  # fmt: skip


def test_fields_and_modules_may_be_called_like_keywords_and_inputs(serve, tmp_path):
    fields = "".join(f"      {name}: text\n" for name in ODD_NAMES)
    modules = f"""
modules:
  nothing: {{fields: {{name: text}}}}
  lateral:
    attachments: true
    fields:
      state: {{type: choice, options: [new, done]}}
      {fields.strip()}
    lifecycle: {{field: state, transitions: {{end: {{from: new, to: done, ask: {{do: required, from: optional}}}}}}}}
    list: {{columns: [{", ".join(ODD_NAMES)}]}}
"""
    (tmp_path / "buttons.yaml").write_text("buttons: {first: {opens: lateral, where: {order: v-order}}}")
    access = "see: all, can: [create, edit, attach, end]"
    world = serve(modules, "nothing", lateral=access, beside="home: {buttons: [first]}")
    nancy = world[NANCY]
    nancy.send("/nothing/create", {"name": "A"}, status=303)
    nancy.send("/lateral/create", {name: f"v-{name}" for name in ODD_NAMES}, status=303)
    more = {"upload_files": [("attachments", "note.txt", b"Noted")]}
    nancy.send("/lateral/create", dict.fromkeys(ODD_NAMES, "other"), **more, status=303)
    assert "note.txt" in nancy.get("/lateral/2/")
    for name in ODD_NAMES:
        assert nancy.titles(f"/lateral/?{name}=V-{name}&q={name}:v-{name}&sort=-{name}") == ["v-order"], name
    assert nancy.titles("/lateral/?button=first") == ["v-order"]
    assert nancy.titles("/nothing/") == ["A"]
    assert nancy.send("/lateral/bulk", {"ids": "1", "do": "end"}).status_int == 404
    nancy.send("/lateral/1/move/end", {"do": "D", "from": "F"}, status=303)


@pytest.mark.sqlite_suffices
def test_a_digit_that_is_no_identity_is_refused_by_a_link(serve):
    world = serve("modules: {notes: {fields: {name: text, about: {type: link, to: notes}}}}", "notes")
    answer = world[NANCY].send("/notes/create", {"name": "A", "about": "²"})
    assert answer.status_int == 422
    assert "Choose a record from the list." in answer
    assert world[NANCY].see("/notes/?about=%C2%B2").status_int == 200


def test_records_without_a_title_are_offered_last(serve):
    world = serve("modules: {notes: {fields: {name: text, about: {type: link, to: notes}}}}", "notes")
    for name in ("", "Beta", "alpha"):
        world[NANCY].send("/notes/create", {"name": name}, status=303)
    found: TestResponse = world[NANCY].get("/notes/find?field=about&q=")
    assert [each["id"] for each in found.json] == [3, 2, 1]


@pytest.mark.sqlite_suffices
def test_people_whose_title_holds_no_name_get_access(serve):
    fields = "{boss: {type: link, to: people}, email: email}"
    world = serve(f"people: people\nmodules: {{people: {{title: boss, fields: {fields}}}}}", "people")
    assert [record.values["boss"] for record in world.all("people")] == [None]
    assert world[NANCY].see("/people/").status_int == 200


@pytest.mark.sqlite_suffices
def test_a_company_that_could_not_be_named_is_not_made(serve):
    modules = """
people: people
organizations: firms
modules:
  firms: {title: founded, fields: {founded: date}}
  people: {organization: firm, fields: {name: text, email: email, firm: {type: link, to: firms}}}
"""
    portal = serve(modules, "people", "firms").portal
    wish = AccessRequest("second@supplier.example", "staff", "Second", "Supplier")
    with pytest.raises(AccessRefusedError, match="no record called"), writing(portal.engine) as connection:
        Register(connection, portal.tables, NOW).add(wish, "", must_change=False)


def test_the_end_of_time_may_be_asked_for(serve):
    world = serve("modules: {notes: {fields: {name: text, due: datetime}}}", "notes")
    for address in ("?due=9999-12-31T23:59", "?due.min=9999-12-31T23:59", "?due.max=0001-01-01", "?due=9999-12-31"):
        assert world[NANCY].see(f"/notes/{address}").status_int == 200


def test_records_are_sorted_by_who_made_them_where_there_are_no_people(serve):
    world = serve("modules: {notes: {fields: {name: text}, list: {columns: [name, created_by]}}}", "notes")
    world[NANCY].send("/notes/create", {"name": "A"}, status=303)
    for address in ("?sort=created_by", "?created_by=nancy", "?sort=-modified_by&modified_by=x"):
        assert world[NANCY].see(f"/notes/{address}").status_int == 200
    assert world[NANCY].titles("/notes/?created_by=NANCY") == ["A"]
    world[NANCY].send("/notes/1/edit", {"name": "B"}, status=303)


@pytest.mark.sqlite_suffices
def test_a_field_that_is_computed_one_day_hinders_nobody(serve):
    fields = "{name: text, email: email, double: {type: formula, of: 1 + 2}}"
    world = serve(f"people: people\nmodules: {{people: {{fields: {fields}}}}}", "people")
    assert world[NANCY].titles("/people/") == ["Nancy Smith"]
    assert world.record("people", 1).title == "Nancy Smith"


SHOWN_WHEN = {
    "{kind: Printing}": {"kind": "1"},
    "{kind: [Printing, Paper]}": {"kind": "1"},
    "{kind: {contains: print}}": {"kind": "1"},
    "{kinds: Printing}": {"kinds": "1"},
    "{kinds: {contains: print}}": {"kinds": "1"},
    "{either: {contains: print}}": {"either": "kinds:1"},
    "{either: Printing}": {"either": "kinds:1"},
    "{caller: me}": {"caller": "1"},
    "{due: {within: 30 days}}": {"due": "2026-03-20"},
    "{due: {after: today}}": {"due": "2026-03-20"},
    "{size: {min: 1.5}}": {"size": "2"},
    "{state: ''}": {"state": ""},
    "{state: ['', new]}": {"state": ""},
}


def test_a_field_is_asked_under_a_condition_of_any_kind(serve):
    notes = "".join(
        f"""
  notes_{index}:
    fields:
      kind: {{type: link, to: kinds}}
      kinds: {{type: links, to: kinds}}
      either: {{type: link, to: [kinds, people]}}
      caller: {{type: link, to: people}}
      due: date
      size: decimal
      state: {{type: choice, options: [new, old]}}
      why: {{type: text, required: true, show_when: {condition}}}
"""
        for index, condition in enumerate(SHOWN_WHEN)
    )
    names = [f"notes_{index}" for index in range(len(SHOWN_WHEN))]
    head = "people: people\nmodules:\n  people: {fields: {name: text, email: email}}\n  kinds: {fields: {name: text}}\n"
    world = serve(head + notes, "people", "kinds", *names)
    nancy = world[NANCY]
    nancy.send("/kinds/create", {"name": "Printing"}, status=303)
    for name, (condition, holds) in zip(names, SHOWN_WHEN.items(), strict=True):
        assert nancy.send(f"/{name}/create", holds).status_int == 422, condition
        nancy.send(f"/{name}/create", {**holds, "why": "So"}, status=303)
        nancy.send(f"/{name}/create", {"state": "old"}, status=303)
        assert [record.values["why"] for record in world.all(name)] == ["So", None], condition
        assert nancy.see(f"/{name}/create").status_int == 200


def test_people_without_a_company_see_an_empty_list(serve):
    world = serve(
        """
people: people
organizations: firms
modules:
  firms: {fields: {name: text}}
  people: {organization: firm, fields: {name: text, email: email, firm: {type: link, to: firms}}}
  notes: {organization: firm, fields: {name: text, firm: {type: link, to: firms}}}
""",
        "people",
        notes="see: organization",
    )
    assert world[NANCY].titles("/notes/") == []
