"""Portals whose names, texts and shapes nobody here would choose: small ones, one per thing that went wrong with one."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from webtest import TestResponse

from portal.accounts.register import RefusedAccess, Register, Wish
from portal.database.engine import writing
from tests.functional.world import NANCY, NOW, World

STAFF = (Wish(NANCY, "staff", "Nancy Smith"),)
EVERYTHING = "see: all, can: [create, edit, delete, export]"


@pytest.fixture(params=["sqlite", "postgresql"])
def serve(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., World]]:
    """A function that serves the modules of a YAML text, all of them open to Nancy."""
    with contextlib.ExitStack() as opened:
        url = f"sqlite:///{tmp_path / 'portal.sqlite'}"
        if request.param == "postgresql":
            url = opened.enter_context(request.getfixturevalue("postgresql").empty_database())

        def served(modules: str, *names: str) -> World:
            (tmp_path / "profiles").mkdir()
            (tmp_path / "modules.yaml").write_text(modules)
            entries = "".join(f"  {name}: {{{EVERYTHING}}}\n" for name in names)
            (tmp_path / "profiles" / "staff.yaml").write_text(f"staff: true\nmodules:\n{entries}")
            world = World.of(str(tmp_path), url, STAFF)
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


def test_a_digit_that_is_no_identity_is_refused_by_a_link(serve):
    world = serve("modules: {notes: {fields: {name: text, about: {type: link, to: notes}}}}", "notes")
    answer = world[NANCY].send("/notes/create", {"name": "A", "about": "²"})
    assert answer.status_int == 422
    assert "Choose one of the records that are offered." in answer
    assert world[NANCY].see("/notes/?about=%C2%B2").status_int == 200


def test_records_without_a_title_are_offered_last(serve):
    world = serve("modules: {notes: {fields: {name: text, about: {type: link, to: notes}}}}", "notes")
    for name in ("", "Beta", "alpha"):
        world[NANCY].send("/notes/create", {"name": name}, status=303)
    found: TestResponse = world[NANCY].get("/notes/find?field=about&q=")
    assert [each["id"] for each in found.json] == [3, 2, 1]


@pytest.mark.parametrize("kind", ["date", "{type: link, to: people}", "boolean", "duration", "integer"])
def test_people_whose_title_holds_no_name_get_access(serve, kind):
    world = serve(
        f"people: people\nmodules: {{people: {{title: of, fields: {{of: {kind}, email: email}}}}}}", "people"
    )
    assert [record.values["of"] for record in world.all("people")] == [None]
    assert world[NANCY].see("/people/").status_int == 200


def test_a_company_that_could_not_be_named_is_not_made(serve):
    modules = """
people: people
organizations: firms
modules:
  firms: {title: founded, fields: {founded: date}}
  people: {organization: firm, fields: {name: text, email: email, firm: {type: link, to: firms}}}
"""
    portal = serve(modules, "people", "firms").portal
    wish = Wish("second@supplier.example", "staff", "Second", "Supplier")
    with pytest.raises(RefusedAccess, match="no record called"), writing(portal.engine) as connection:
        Register(connection, portal.declaration, portal.tables, NOW).add(wish, "", must_change=False)


def test_the_end_of_time_may_be_asked_for(serve):
    world = serve("modules: {notes: {fields: {name: text, due: datetime}}}", "notes")
    for address in ("?due=9999-12-31T23:59", "?due.min=9999-12-31T23:59", "?due.max=0001-01-01", "?due=9999-12-31"):
        assert world[NANCY].see(f"/notes/{address}").status_int == 200
