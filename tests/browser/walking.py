"""Common steps in the demo: sign in, create a ticket, wait for a list."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

FOLDER = Path(__file__).parents[2]
Visit = Callable[..., Page]  # visit("customer", "/tickets/")
Make = Callable[..., str]  # new_ticket("Title"), its path


def sign_in(page: Page, email: str, password: str) -> None:
    """Signs in with the form, from any page."""
    if urlsplit(page.url).path != "/login":
        page.goto("/login")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: urlsplit(url).path != "/login")


def ticket(page: Page, title: str, **fields: str) -> str:
    """Creates a ticket in the wizard's last step, opened with all choices in the address; returns its path."""
    token = page.locator("form[data-form] input[name=_csrf]").first.input_value()
    answer = page.request.post(
        "/tickets/create",
        form={"_csrf": token, "service": "1", "title": title, "description": "As agreed.", **fields},
        headers={"Origin": page.url.removesuffix(urlsplit(page.url).path)},
    )
    assert answer.status == 200, answer.text()
    return urlsplit(answer.url).path


def rows(page: Page) -> list[str]:
    """The titles in the list as it is, without the note on where a search matched."""
    return page.locator("table.records tbody a.cover").evaluate_all(
        "links => links.map(link => [...link.childNodes].filter(part => !part.classList?.contains('muted'))"
        ".map(part => part.textContent).join('').trim())"
    )


def settled(page: Page) -> None:
    """Waits until the list is the requested one."""
    expect(page.locator("[data-records]")).not_to_have_attribute("aria-busy", "true")


def scrolls_sideways(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
