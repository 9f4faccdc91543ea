"""A small portal whose declaration and browser make it hard for the scripts: names of fields, notation, no storage."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from portal.application import make_application
from portal.settings import ProcessSettings
from tests.browser.conftest import run
from tests.portal_files import write_portal
from tests.real_parts import serving

MODULES = """
portal: {name: Workshop, languages: [de]}
people: people
modules:
  people:
    fields: {name: {type: text, required: true}, email: {type: email, required: true, unique: true}}
  jobs:
    see: all
    title: name
    attachments: true
    edit: {fields: [name, mate]}
    fields:
      name: {type: text, required: true}
      action: text
      dataset: text
      elements: text
      like: {type: link, to: jobs}
      mate: {type: link, to: jobs, where: {kind: $kind}}
      kind: {type: choice, options: {small: {help: Little}, large: {help: Big}}, default: $like.kind}
      colors: {type: choices, options: [red, green], default: $like.colors}
      paint: {type: text, show_when: {kind: large, colors: red}}
      about: {type: tags, default: $like.about}
      outdoors: {type: text, show_when: {about: garden}}
      price: {type: decimal, places: 3}
      reason: {type: text, show_when: {price: 1234.5}}
      approval: {type: text, show_when: {price: {min: 1000}}}
"""
STAFF = "staff: true\nmodules: {jobs: {can: [create, edit, attach]}, people: {see: all}}\n"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the portal is served; me@own.example may sign in."""
    folder: Path = write_portal(tmp_path_factory.mktemp("workshop"), MODULES, staff=STAFF)
    (folder / "password").write_text("workshop-password", encoding="utf-8")
    run("apply", "--folder", str(folder))
    password = ["--password-file", str(folder / "password")]
    run("account", "add", "me@own.example", "--profile", "staff", "--name", "Me", *password, "--folder", str(folder))
    application = make_application(ProcessSettings(folder=folder))
    with serving(application) as address:
        yield address
    application.registry.live.engine.dispose()


@pytest.fixture
def page(page: Page, workshop: str) -> Page:
    """The form of a new job, of someone who has signed in."""
    page.goto(f"{workshop}/login?next=/jobs/create")
    page.locator("#email").fill("me@own.example")
    page.locator("#password").fill("workshop-password")
    page.keyboard.press("Enter")
    expect(page.locator("[name=price]")).to_be_visible()
    return page


def add_first(page: Page) -> None:
    page.locator("[name=name]").fill("First")
    page.locator("[name=kind][value=large]").check()
    page.locator("[name=colors][value=red]").check()
    page.locator("[name=about]").fill("roof, garden")
    page.locator("form[data-form] button[type=submit]:visible").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("First")


def choose_first(page: Page, field: str) -> Locator:
    link = page.locator(f"[data-combobox*='field={field}'] input")
    link.press_sequentially("Fir")
    page.locator("[role=option]", has_text="First").first.click()
    return link


def test_a_form_works_whatever_its_fields_are_called_and_however_numbers_are_written(page: Page) -> None:
    expect(page.locator("[name=paint]")).to_be_hidden()
    page.locator("[name=price]").fill("1.234,5")
    expect(page.locator("[name=reason]")).to_be_visible()
    expect(page.locator("[name=approval]")).to_be_visible()
    page.locator("[name=price]").fill("999,9")
    expect(page.locator("[name=reason]")).to_be_hidden()
    expect(page.locator("[name=approval]")).to_be_hidden()
    page.locator("[name=about]").fill("roof, garden")
    expect(page.locator("[name=outdoors]")).to_be_visible()
    picked = {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"A plan"}
    page.locator("input[type=file]").set_input_files(picked)
    add_first(page)
    expect(page.get_by_role("link", name="plan.txt").first).to_be_visible()


def test_a_default_that_follows_a_link_fills_in_all_inputs_but_those_that_were_typed(page: Page, workshop: str) -> None:
    add_first(page)
    page.goto(f"{workshop}/jobs/create")
    link, about = choose_first(page, "like"), page.locator("[name=about]")
    expect(page.locator("[name=kind][value=large]")).to_be_checked()
    expect(page.locator("[name=colors][value=red]")).to_be_checked()
    expect(page.locator("[name=paint]")).to_be_visible()
    expect(about).to_have_value("roof, garden")
    link.fill("")
    expect(about).to_have_value("")
    with page.expect_response("**/account/drafts"):
        about.fill("cellar")
    page.reload()  # what was typed is now a draft
    with page.expect_response(re.compile(r"field=about&like=\d")):
        choose_first(page, "like")
    expect(page.locator("[name=kind][value=large]")).to_be_checked()
    expect(about).to_have_value("cellar")


def test_a_link_offers_what_the_record_allows_by_fields_that_its_form_lacks(page: Page, workshop: str) -> None:
    add_first(page)
    page.goto(f"{page.url}edit")
    expect(choose_first(page, "mate")).to_have_value("First")


def test_drafts_are_kept_without_room_in_the_browser_and_whatever_other_scripts_do(page: Page) -> None:
    page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }")
    page.reload()
    with page.expect_response("**/account/drafts") as saved:
        page.locator("[name=name]").fill("Second")
    assert saved.value.ok
