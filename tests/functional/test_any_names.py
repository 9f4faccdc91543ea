"""Portals whose names, texts and shapes nobody here would choose: small ones, one per thing that went wrong with one."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from webtest import TestResponse

from portal.accounts.register import Wish
from tests.functional.world import NANCY, World

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
