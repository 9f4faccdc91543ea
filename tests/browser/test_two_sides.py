"""Customer and support, each in a browser: with the mouse, with the keyboard alone, and without a script."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.walking import Visit, ticket

without_a_mouse = pytest.mark.parametrize("hands", ["keyboard", "without a script"], indirect=True)


@dataclass
class Hands:
    """How someone uses pages: `how` is mouse, keyboard or without a script."""

    how: str

    @property
    def has_script(self) -> bool:
        return self.how != "without a script"

    def press(self, control: Locator) -> None:
        """Uses a button, a link, a summary or a checkbox."""
        if self.how != "keyboard":
            control.click()
            return
        control.focus()
        expect(control).to_be_focused()
        is_ticked = control.get_attribute("type") in ("checkbox", "radio")
        control.page.keyboard.press("Space" if is_ticked else "Enter")

    def choose(self, page: Page, label: str | re.Pattern[str], title: str) -> None:
        """Chooses a record in a link's input, which is a select without a script."""
        control = page.get_by_role("combobox", name=label)
        if control.evaluate("control => control.tagName") == "SELECT":
            control.select_option(label=title)
            return
        control.focus()
        control.press_sequentially(title)
        expect(page.get_by_role("option", name=title)).to_be_visible()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(control).to_have_value(title)

    def comment(self, page: Page, text: str, files: list[Path] | None = None, internal: bool = False) -> None:
        """Writes a comment and sees it on the page."""
        if files:
            self.press(page.locator("form.composer summary", has_text="Attach files"))
            page.locator("#comment-files").set_input_files(files)
        page.get_by_role("textbox", name="Write a comment").fill(text)
        if internal:
            self.press(page.get_by_role("checkbox", name="Internal"))
        self.press(page.locator("form.composer").get_by_role("button", name="Save note" if internal else "Send"))
        expect(page.locator("article.note").filter(has_text=text)).to_have_count(1)


@pytest.fixture(params=["mouse", "keyboard", "without a script"])
def hands(request: pytest.FixtureRequest) -> Hands:
    return Hands(request.param)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    for name, color in (("front.jpg", "orange"), ("back.jpg", "teal")):
        Image.new("RGB", (600, 400), color).save(tmp_path / name)
    (tmp_path / "manual.pdf").write_bytes(b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")
    (tmp_path / "salaries.txt").write_text("not for you")
    return {path.name: path for path in tmp_path.iterdir()}


def test_a_request_from_its_photos_to_its_follow_up(visit: Visit, hands: Hands, files: dict[str, Path]) -> None:
    customer = visit("customer", "/tickets/create?service=1", java_script_enabled=hands.has_script)
    hands.press(customer.get_by_role("button", name="Next"))
    customer.get_by_role("radio").first.check(force=True)
    hands.press(customer.get_by_role("button", name="Next"))
    customer.get_by_role("textbox", name="Title").fill(f"Copier is loud ({hands.how})")
    customer.get_by_role("textbox", name="Description").fill("It looks like this.")
    customer.locator("input[type=file]").set_input_files([files["front.jpg"], files["back.jpg"], files["manual.pdf"]])
    hands.press(customer.get_by_role("button", name="Create"))
    expect(customer.get_by_role("heading", level=1)).to_contain_text("Copier is loud")
    expect(customer.locator("#documents a.name")).to_have_count(3)

    support = visit("support", customer.url, java_script_enabled=hands.has_script)
    hands.comment(support, "Which paper do you use?")
    hands.comment(support, "Surely the wrong one.", internal=True)
    customer.reload()
    expect(customer.locator("article.note").first).to_contain_text("Which paper do you use?")
    expect(customer.get_by_text("Surely the wrong one.")).to_have_count(0)

    # A wrong file is withdrawn, and is also gone for the other side.
    hands.comment(customer, "The usual one.", [files["salaries.txt"]])
    support.reload()
    expect(support.locator("#documents a.name", has_text="salaries.txt")).to_have_count(1)
    hands.press(customer.locator("#documents").get_by_role("button", name="Remove salaries.txt"))
    expect(customer.locator("#documents a.name", has_text="salaries.txt")).to_have_count(0)
    support.reload()
    expect(support.get_by_text("salaries.txt")).to_have_count(0)

    # Solved, closed with satisfaction, and followed up.
    hands.press(customer.get_by_role("button", name="OK, resolved"))
    hands.press(customer.get_by_role("link", name="Close", exact=True))
    assert customer.get_by_role("radio", checked=True).count() == 0, "satisfaction is preset"
    customer.locator("input[name=satisfaction][value='5']").check(force=True)
    hands.press(customer.get_by_role("button", name="Close"))
    expect(customer.locator(".progress [aria-current]")).to_have_text("Closed")
    expect(customer.get_by_role("textbox", name="Write a comment")).to_have_count(0)
    hands.press(customer.get_by_role("link", name="Follow up"))
    expect(customer.get_by_role("heading", name="New ticket")).to_be_visible()
    expect(customer.locator("main").get_by_role("link", name=re.compile("Copier is loud"))).to_be_visible()


@without_a_mouse
def test_a_colleague_is_added_sees_the_request_and_is_taken_off_again(visit: Visit, hands: Hands) -> None:
    owner = visit("power", "/tickets/create", java_script_enabled=hands.has_script)
    caller = owner.locator("input[name=caller]").input_value()
    owner.goto(ticket(owner, f"Blinds are stuck ({hands.how})", caller=caller))
    colleague = visit("customer", owner.url)
    expect(colleague.get_by_role("heading", level=1)).not_to_contain_text("Blinds are stuck")
    hands.press(owner.get_by_role("link", name="Add a watcher"))
    owner.get_by_role("textbox", name="Email address of a colleague").fill("anna.moretti@moretti.example")
    hands.press(owner.get_by_role("button", name="Add"))
    watchers = owner.locator("#watchers")
    expect(watchers).to_contain_text("Anna Moretti")
    colleague.reload()
    expect(colleague.get_by_role("heading", level=1)).to_contain_text("Blinds are stuck")
    hands.press(watchers.get_by_role("button", name=re.compile("Remove Anna Moretti")))
    expect(watchers).not_to_contain_text("Anna Moretti")
    colleague.reload()
    expect(colleague.get_by_role("heading", level=1)).not_to_contain_text("Blinds are stuck")


@without_a_mouse
def test_an_order_has_lines_and_a_total(visit: Visit, hands: Hands) -> None:
    page = visit("customer", "/orders/create", java_script_enabled=hands.has_script)
    page.get_by_role("textbox", name="What do you need?").fill(f"Displays ({hands.how})")
    hands.choose(page, re.compile("Product.*line 1"), "Clearview 27 display")
    page.get_by_role("textbox", name=re.compile("Quantity.*line 1")).fill("3")
    hands.press(page.get_by_role("button", name="Add a line"))
    hands.choose(page, re.compile("Product.*line 2"), "Toner kit 320")
    hands.press(page.get_by_role("button", name="Create"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Displays")
    lines = page.locator("table", has_text="Clearview 27 display")
    expect(lines.locator("tbody tr")).to_have_count(2)
    expect(lines.locator("tfoot")).to_contain_text(re.compile(r"€\s?\d"))


@without_a_mouse
def test_a_quote_is_accepted_with_a_name(visit: Visit, hands: Hands) -> None:
    support = visit("support", "/quotes/create", java_script_enabled=hands.has_script)
    support.get_by_role("textbox", name="Title").fill(f"Two booths ({hands.how})")
    hands.choose(support, "For", "Anna Moretti · Officina Moretti")
    support.get_by_role("textbox", name="Amount").fill("1200")
    hands.press(support.get_by_role("button", name="Create"))
    hands.press(support.get_by_role("button", name="Send to customer"))
    expect(support.locator(".progress [aria-current]")).to_contain_text("customer's answer")

    customer = visit("customer", support.url, java_script_enabled=hands.has_script)
    hands.press(customer.get_by_role("link", name="Accept"))
    customer.get_by_role("textbox", name=re.compile("name", re.IGNORECASE)).fill("Anna Moretti")
    hands.press(customer.get_by_role("button", name="Accept"))
    expect(customer.locator(".progress [aria-current]")).to_have_text("Accepted")
    expect(customer.locator("main")).to_contain_text("Anna Moretti")
    expect(customer.get_by_role("link", name="Accept")).to_have_count(0)
