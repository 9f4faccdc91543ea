"""Pages for everyone: WCAG checks on every kind of page, light, dark and right-to-left; narrow screens; large text."""

from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.pages import KINDS, Kind
from tests.browser.walking import Visit, scrolls_sideways, settled

ONLY_WHAT_IS_WRONG = {"resultTypes": ["violations"]}  # the rest is large and would also be transferred
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], **ONLY_WHAT_IS_WRONG}
COLORS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}, **ONLY_WHAT_IS_WRONG}
FURTHER_ROWS = [["tbody tr:nth-child(n + 9)"]]  # of a long table: they resemble the first ones
FRAME = [[".side"], [".top"], [".dock"]]  # the same around every page: checked once, on the home page


def opened(visit: Visit, kind: Kind, **options: object) -> Page:
    page = visit(kind.profile, kind.path, **options)
    if kind.act:
        kind.act(page)
    return page


def violations(page: Page, options: dict[str, object]) -> list[str]:
    """axe's findings, one line per place."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    excluded = FURTHER_ROWS + (FRAME if urlsplit(page.url).path != "/" else [])
    run = "([exclude, options]) => axe.run({exclude}, options).then((results) => results.violations)"
    found = page.evaluate(run, [excluded, options])
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_axe_finds_nothing_in_light_or_dark_and_nothing_scrolls_sideways(visit: Visit, kind: Kind) -> None:
    page = opened(visit, kind, color_scheme="light", reduced_motion="reduce")
    assert violations(page, RULES) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, COLORS) == []
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert not scrolls_sideways(page), "from right to left"
    page.evaluate("document.documentElement.dir = 'ltr'")
    page.set_viewport_size({"width": 320, "height": 640})
    assert not scrolls_sideways(page), "on a narrow screen"
    assert too_small(page) == []
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert not scrolls_sideways(page), "at twice the text size"


SMALL_CONTROLS = """
() => [...document.querySelectorAll(
    ".dock a, .dock summary, .top :is(button, summary), main :is(a.button, button, select, textarea, input)")]
  .filter((each) => !["hidden", "checkbox", "radio", "color"].includes(each.type) && each.checkVisibility())
  .filter((each) => !each.closest(".hidden, .rich") && !each.matches(".text-button"))
  .filter((each) => ((box) => box.width > 1 && (box.height < 39.5 || box.width < 39.5))(each.getBoundingClientRect()))
  .map((each) => `${Math.round(each.getBoundingClientRect().height)} high: ${each.outerHTML.slice(0, 120)}`)
"""


def too_small(page: Page) -> list[str]:
    """Buttons and inputs too small for a finger: less than 40 pixels high or wide, and not inline in text."""
    return page.evaluate(SMALL_CONTROLS)


def test_from_sign_in_to_a_comment_without_a_mouse(visit: Visit, passwords: dict[str, tuple[str, str]]) -> None:
    page = visit("", "/tickets/?tab=waiting")
    email, password = passwords["customer"]
    until_focused(page, "#email")
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: urlsplit(url).path == "/tickets/")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    until_focused(page, "[name=q]")
    page.keyboard.type("grey stripes")
    page.wait_for_url(lambda url: "q=grey+stripes" in url)
    settled(page)
    until_focused(page, "a.cover")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("grey stripes")
    until_focused(page, "#comment-text")
    page.keyboard.type("Written without a mouse.")
    until_focused(page, "#comments button[type=submit]")
    page.keyboard.press("Enter")
    expect(page.locator("article.note").first).to_contain_text("Written without a mouse.")
    page.goto("/")
    until_focused(page, ".activity a")  # past the buttons


def until_focused(page: Page, selector: str) -> None:
    """Presses Tab as often as needed; every stop on the way must be visible."""
    for _stop in range(60):
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
        assert page.evaluate(
            "() => { const stop = document.activeElement;"
            " const outlined = [null, '::after'].some((part) => getComputedStyle(stop, part).outlineStyle !== 'none');"
            " return stop === document.body || outlined"
            " || Boolean(stop.closest('.choice, .rating')); }"
        ), f"the focus does not show: {page.evaluate('document.activeElement.outerHTML')}"
    pytest.fail(f"{selector} is not reached with the Tab key")


def test_a_name_in_right_to_left_letters_and_an_endless_word_fit_in(visit: Visit) -> None:
    page = visit("support", "/companies/create", viewport={"width": 390, "height": 844})
    page.get_by_label("Name").fill("שלום " + "W" * 200)
    page.get_by_label("Notes for colleagues").fill("x" * 5000)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("שלום")
    assert not scrolls_sideways(page)
    page.goto("/companies/")
    assert not scrolls_sideways(page)
    page.set_viewport_size({"width": 1280, "height": 860})
    assert not scrolls_sideways(page)
    page.goto("/articles/create")
    page.get_by_label("Title").fill("Tagged")
    page.get_by_label("Tags").fill("W" * 80)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tagged")
    page.set_viewport_size({"width": 390, "height": 844})
    assert not scrolls_sideways(page)
    page.goto(f"/search?q={'z' * 4000}")
    expect(page.get_by_text("No results for")).to_be_visible()
    assert not scrolls_sideways(page)


def test_with_the_colors_of_the_system_what_is_chosen_and_current_is_told_from_the_rest(visit: Visit) -> None:
    page = visit("support", "/tickets/create", forced_colors="active")
    outline = "choice => getComputedStyle(choice).outlineStyle"
    page.get_by_label("High").check()
    page.get_by_label("Title", exact=False).first.focus()
    assert page.locator(".choice:has(:checked)").evaluate(outline) == "solid"
    assert page.locator(".choice:not(:has(:checked))").first.evaluate(outline) == "none"
    page.goto("/tickets/")
    line = "tab => getComputedStyle(tab).borderBlockEndColor"
    assert page.locator(".tabs [aria-current]").evaluate(line) != page.locator(".tabs a").last.evaluate(line)
