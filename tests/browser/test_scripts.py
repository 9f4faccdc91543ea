"""A small portal whose declaration and browser make it hard for the scripts: names of fields, notation, no storage."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from portal.application import make_application
from portal.settings import Settings
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
    fields:
      name: {type: text, required: true}
      action: text
      dataset: text
      elements: text
      like: {type: link, to: jobs}
      kind: {type: choice, options: {small: {help: Little}, large: {help: Big}}, default: $like.kind}
      colors: {type: choices, options: [red, green], default: $like.colors}
      paint: {type: text, show_when: {kind: large, colors: red}}
      price: {type: decimal, places: 3}
      reason: {type: text, show_when: {price: 1234.5}}
      approval: {type: text, show_when: {price: {min: 1000}}}
"""
STAFF = "staff: true\nmodules: {jobs: {can: [create, attach]}, people: {see: all}}\n"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the portal is served; me@own.example may sign in."""
    folder: Path = write_portal(tmp_path_factory.mktemp("workshop"), MODULES, staff=STAFF)
    (folder / "password").write_text("workshop-password", encoding="utf-8")
    run("apply", "--folder", str(folder))
    password = ["--password-file", str(folder / "password")]
    run("account", "add", "me@own.example", "--profile", "staff", "--name", "Me", *password, "--folder", str(folder))
    application = make_application(Settings(folder=folder))
    with serving(application) as address:
        yield address
    application.registry.live.engine.dispose()


def test_a_form_works_whatever_its_fields_are_called_and_however_numbers_are_written(page: Page, workshop: str) -> None:
    page.goto(f"{workshop}/login")
    page.locator("#email").fill("me@own.example")
    page.locator("#password").fill("workshop-password")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)

    page.goto(f"{workshop}/jobs/create")
    expect(page.locator("[name=paint]")).to_be_hidden()
    page.locator("[name=price]").fill("1.234,5")
    expect(page.locator("[name=reason]")).to_be_visible()
    expect(page.locator("[name=approval]")).to_be_visible()
    page.locator("[name=price]").fill("999,9")
    expect(page.locator("[name=reason]")).to_be_hidden()
    expect(page.locator("[name=approval]")).to_be_hidden()
    page.locator("[name=name]").fill("First")
    page.locator("[name=kind][value=large]").check()
    page.locator("[name=colors][value=red]").check()
    picked = {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"A plan"}
    page.locator("input[type=file]").set_input_files(picked)
    page.locator("form[data-form] button[type=submit]:visible").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("First")
    expect(page.get_by_role("link", name="plan.txt").first).to_be_visible()

    # A default that follows a link fills in cards and checkboxes, and what depends on them shows.
    page.goto(f"{workshop}/jobs/create")
    page.locator("input[role=combobox]").press_sequentially("Fir")
    page.locator("[role=option]", has_text="First").click()
    expect(page.locator("[name=kind][value=large]")).to_be_checked()
    expect(page.locator("[name=colors][value=red]")).to_be_checked()
    expect(page.locator("[name=paint]")).to_be_visible()

    # Without room in the browser the server has the draft; one script that fails does not stop the others.
    page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }")
    page.reload()
    with page.expect_response("**/account/drafts") as saved:
        page.locator("[name=name]").fill("Second")
    assert saved.value.ok
