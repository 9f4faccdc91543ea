"""A ticket from start to end, as a customer and the supplier's people experience it."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.walking import Make, Visit, rows, settled, sign_in


def test_a_customer_finds_comments_and_resolves_and_is_back_where_it_began(
    open_page: Callable[..., Page], address: str, passwords: dict[str, tuple[str, str]], new_ticket: Make
) -> None:
    new_ticket("Umbrella stand leaks")
    page = open_page(base_url=address, locale="en-GB")
    page.goto("/")
    sign_in(page, *passwords["customer"])
    page.get_by_role("link", name="My open requests").click()
    page.get_by_role("searchbox").press_sequentially("umbrella")
    expect(page).to_have_url(re.compile("q=umbrella"))
    settled(page)
    listed = page.url
    page.get_by_role("link", name="Umbrella stand leaks").click()

    page.get_by_role("textbox", name="Write a comment").fill("The carpet is wet.\nStill.")
    page.get_by_role("button", name="Send").click()
    note = page.locator("article.note").first
    expect(note).to_contain_text("The carpet is wet.")
    expect(note).to_contain_text("You")
    expect(page.locator("#comments .count")).to_have_text("1")

    page.get_by_role("button", name="OK, resolved").click()
    expect(page.locator(".progress [aria-current]")).to_have_text("Resolved")
    expect(page.get_by_role("button", name="OK, resolved")).to_have_count(0)

    page.get_by_role("link", name="Close").click()
    assert page.get_by_role("radio", checked=True).count() == 0, "satisfaction is preset"
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.locator("input[name=satisfaction][value='4']").check(force=True)
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".progress [aria-current]")).to_have_text("Closed")
    expect(page.get_by_role("textbox", name="Write a comment")).to_have_count(0)
    expect(page.get_by_role("link", name="Reopen")).to_have_count(0)

    page.get_by_role("link", name="Return to list").click()
    expect(page).to_have_url(listed)
    expect(page.get_by_role("searchbox")).to_have_value("umbrella")
    assert rows(page) == [], "a closed ticket is not an open one"


def test_reopening_wants_a_word(visit: Visit, new_ticket: Make) -> None:
    page = visit("customer", new_ticket("Reading lamp flickers"))
    page.get_by_role("button", name="OK, resolved").click()
    page.get_by_role("link", name="Reopen").click()
    page.get_by_role("button", name="Reopen").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("textbox").fill("It flickers again.")
    page.get_by_role("button", name="Reopen").click()
    expect(page.locator(".progress [aria-current]")).to_have_text("In progress")
    expect(page.locator("article.note").first).to_contain_text("It flickers again.")


def test_an_internal_comment_never_reaches_the_customer(visit: Visit, new_ticket: Make) -> None:
    path = new_ticket("Shelf is crooked")
    staff = visit("support", path)
    staff.get_by_role("textbox", name="Write a comment").fill("Between us: the wall is crooked.")
    staff.get_by_role("checkbox", name="Internal").check()
    staff.get_by_role("button", name="Save note").click()
    expect(staff.locator("article.note.internal")).to_contain_text("the wall is crooked")
    assert "the wall is crooked" not in visit("customer", path).content()


def test_a_confirmation_can_be_refused(visit: Visit, new_ticket: Make) -> None:
    path = new_ticket("Bell rings by itself")
    page = visit("customer", path)
    page.get_by_role("link", name="No longer needed").click()
    expect(page.get_by_text("This closes the ticket for good.")).to_be_visible()
    page.get_by_role("link", name="Back").click()
    expect(page.locator(".progress [aria-current]")).to_have_text("New")
    page.get_by_role("link", name="No longer needed").click()
    page.get_by_role("button", name="No longer needed").click()
    expect(page.locator(".progress [aria-current]")).to_have_text("Closed")


def test_a_double_click_sends_one_comment(visit: Visit, new_ticket: Make) -> None:
    page = visit("customer", new_ticket("Chair squeaks"))
    page.get_by_role("textbox", name="Write a comment").fill("Only once, please.")
    page.get_by_role("button", name="Send").dblclick()
    expect(page.locator("article.note")).to_have_count(1)
    page.reload()
    expect(page.locator("article.note")).to_have_count(1)


def test_moments_are_told_as_people_tell_them(visit: Visit, new_ticket: Make) -> None:
    page = visit("customer", new_ticket("Clock is late"))
    page.get_by_role("textbox", name="Write a comment").fill("Ten minutes.")
    page.get_by_role("button", name="Send").click()
    said = page.locator("article.note time")
    expect(said).to_have_text(re.compile(r"now|\d+ min"))
    expect(said).to_have_attribute("title", re.compile(r"\d{1,2}:\d{2}"))
    page.emulate_media(media="print")
    printed = said.evaluate("time => getComputedStyle(time, '::after').content")
    assert said.get_attribute("title") in printed, "on paper nobody knows when “now” was"
    expect(page.locator("aside .brand")).to_be_visible()
    expect(page.locator("aside nav").first).to_be_hidden()
