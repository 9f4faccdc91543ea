"""The demo in Arabic, its own texts in English: pages run from right to left, and English texts stay whole."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from portal.application import make_application
from portal.settings import ProcessSettings
from tests.browser.conftest import run
from tests.browser.walking import scrolls_sideways
from tests.portal_files import change, copied
from tests.real_parts import serving

PHONE = {"width": 390, "height": 844}
PAGES = (
    ("", "/login"), ("customer", "/"), ("customer", "/tickets/"), ("customer", "/tickets/1/"),
    ("customer", "/orders/create"), ("customer", "/account/"), ("support", "/quotes/1/edit"), ("support", "/-/history"),
)  # fmt: skip


@pytest.fixture(scope="module")
def people(signed_in: Callable[[str], Any]) -> dict[str, Any]:
    """The cookies of people who have signed in; none for ""."""
    return {"": None, "customer": signed_in("customer"), "support": signed_in("support")}


@pytest.fixture(scope="module")
def arabic(people: dict[str, Any], demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a copy of the demo, with those who have signed in to it, is served in Arabic."""
    folder = copied(demo_folder, tmp_path_factory.mktemp("arabic"))
    change(folder, "languages: [en, it, pl]", "languages: [ar]")
    (folder / "var").mkdir()
    with (
        contextlib.closing(sqlite3.connect(demo_folder / "var" / "portal.sqlite")) as demo,
        contextlib.closing(sqlite3.connect(folder / "var" / "portal.sqlite")) as copy,
    ):
        demo.backup(copy)
    run("apply", "--folder", str(folder))
    application = make_application(ProcessSettings(folder=folder))
    with serving(application) as address:
        yield address
    application.registry.live.engine.dispose()


@pytest.fixture
def read(open_page: Callable[..., Page], arabic: str, people: dict[str, Any]) -> Callable[..., Page]:
    """A function that opens a page of the Arabic demo as someone, on a phone."""
    return lambda profile: open_page(base_url=arabic, viewport=PHONE, storage_state=people[profile])


@pytest.mark.parametrize("profile", ["", "customer", "support"])
def test_pages_in_arabic_run_from_right_to_left_and_fit_a_phone(read: Callable[..., Page], profile: str) -> None:
    page = read(profile)
    for path in (path for who, path in PAGES if who == profile):
        page.goto(path)
        assert page.locator("html").get_attribute("dir") == "rtl", path
        assert page.locator("html").get_attribute("lang") == "ar", path
        assert not scrolls_sideways(page), path


def test_what_is_written_from_left_to_right_keeps_its_signs_at_their_places(read: Callable[..., Page]) -> None:
    page = read("customer")
    page.goto("/orders/create")
    label = page.locator("label", has_text="What do you need?").first
    assert label.evaluate(DISTANCE, "?") > 0, "the question mark stands right of the question"
    assert label.evaluate("label => label.getBoundingClientRect().right - document.body.clientWidth") > -80
    assert page.locator("svg.turns").first.evaluate("icon => getComputedStyle(icon).scale") == "-1 1"


# How far right of the start of an element's text a character in it is drawn.
DISTANCE = """
(element, sign) => {
  const text = [...element.childNodes].find((node) => node.nodeType === Node.TEXT_NODE && node.data.includes(sign));
  const left = (index) => {
    const range = document.createRange();
    range.setStart(text, index);
    range.setEnd(text, index + 1);
    return range.getBoundingClientRect().left;
  };
  return left(text.data.indexOf(sign)) - left(text.data.search(/\\S/));
}
"""
