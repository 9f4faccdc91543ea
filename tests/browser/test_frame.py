"""The frame of every page: the theme, the language, full screen, the menu on phones, logging out."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.walking import Visit, sign_in

PHONE = {"width": 390, "height": 844}


def test_the_theme_is_kept(visit: Visit) -> None:
    page = visit("customer", "/", color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Switch between light and dark").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.goto("/tickets/")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate(ground) == dark
    page.get_by_role("button", name="Switch between light and dark").click()
    page.reload()
    assert page.evaluate(ground) == light


def test_full_screen_and_back(visit: Visit) -> None:
    page = visit("customer")
    button = page.get_by_role("button", name="Full screen")
    button.click()
    page.wait_for_function("() => document.fullscreenElement !== null")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    page.wait_for_function("() => document.fullscreenElement === null")
    expect(button).to_have_attribute("aria-pressed", "false")


def test_the_language_is_the_browsers_until_one_is_chosen(open_page: Callable[..., Page], address: str) -> None:
    page = open_page(base_url=address, locale="it-IT")
    page.goto("/login")
    expect(page.locator("html")).to_have_attribute("lang", "it")
    page.locator("select[name=language]").select_option("pl")
    expect(page.locator("html")).to_have_attribute("lang", "pl")


def test_a_language_chosen_at_the_top_holds_for_the_next_pages(
    open_page: Callable[..., Page], address: str, passwords: dict[str, tuple[str, str]]
) -> None:
    page = open_page(base_url=address, locale="en-GB")
    page.goto("/")
    sign_in(page, *passwords["other"])
    page.locator("summary[aria-label=Language]").click()
    page.locator(".top select[name=language]").focus()
    page.keyboard.press("p")
    page.locator(".top form.language button").click()
    expect(page.locator("html")).to_have_attribute("lang", "pl")
    page.goto("/tickets/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Zgłoszenia")
    page.locator(".top summary").click()
    page.locator(".top select[name=language]").select_option("en")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tickets")


def test_of_a_long_menu_the_current_place_shows(visit: Visit) -> None:
    page = visit("support", "/account/", viewport={"width": 1280, "height": 500})
    expect(page.locator(".side [aria-current]")).to_be_in_viewport(ratio=0.9)
    assert page.evaluate("scrollY") == 0


def test_the_menu_of_a_phone_leads_everywhere(visit: Visit) -> None:
    page = visit("customer", viewport=PHONE)
    expect(page.get_by_role("navigation", name="Modules")).to_be_hidden()
    dock = page.get_by_role("navigation", name="Quick menu")
    dock.get_by_text("More").click()
    expect(dock.get_by_role("link", name="My information")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dock.get_by_role("link", name="My information")).to_be_hidden()
    dock.get_by_text("More").click()
    dock.get_by_role("link", name="Invoices").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Invoices")


def test_the_line_above_a_page_of_a_phone_is_one_step_back_with_its_name(visit: Visit) -> None:
    page = visit("customer", "/tickets/", viewport=PHONE)
    page.locator("a.cover").first.click()
    shown = [item for item in page.locator(".crumbs li").all() if item.is_visible()]
    assert [item.inner_text().strip() for item in shown] == ["Tickets"]
    whole = "link => link.scrollWidth <= link.clientWidth"
    assert shown[0].get_by_role("link").evaluate(whole)
    shown[0].get_by_role("link").click()
    expect(page).to_have_url(re.compile("/tickets/$"))


def test_on_the_smallest_phone_panels_stay_within_it_and_times_in_one_line(visit: Visit) -> None:
    page = visit("support", "/orders/", viewport={"width": 320, "height": 640})
    page.locator(".page-head summary").click()
    expect(page.locator(".page-head .panel")).to_be_in_viewport(ratio=1)
    page.locator(".top summary").click()
    expect(page.locator(".top .panel")).to_be_in_viewport(ratio=1)
    assert page.get_by_role("button", name="Change").evaluate("button => button.scrollWidth <= button.clientWidth")
    page.goto("/tickets/?tab=all")
    lines = page.locator("tbody td.when time").evaluate_all("times => times.map(time => time.getClientRects().length)")
    assert set(lines) == {1}


def test_filters_on_a_phone_open_and_stay_open(visit: Visit) -> None:
    page = visit("customer", "/tickets/", viewport=PHONE)
    box = page.get_by_role("textbox", name="Title")
    expect(box).to_be_hidden()
    page.get_by_text("Filter and sort").click()
    expect(box).to_be_visible()
    box.fill("stripes")
    expect(page).to_have_url(re.compile("title=stripes"))
    expect(box).to_be_visible()


def test_after_log_out_the_back_button_shows_the_sign_in_page(
    open_page: Callable[..., Page], address: str, passwords: dict[str, tuple[str, str]]
) -> None:
    page = open_page(base_url=address, locale="en-GB")
    page.goto("/")
    sign_in(page, *passwords["other"])
    page.goto("/tickets/")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect(page.locator("table.records")).to_have_count(0)


def test_keys_lead_on_where_nobody_types_unless_they_are_turned_off(visit: Visit) -> None:
    page = visit("customer", "/tickets/")
    search, first = page.locator("main input[type=search]"), page.locator("a.cover").first
    page.keyboard.press("j")
    expect(first).to_be_focused()
    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.type("?j")
    expect(search).to_have_value("?j")
    search.blur()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard")
    keys.get_by_label("Use single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.keyboard.press("Control+k")
    places = page.get_by_role("dialog", name="Go to a page or record")
    expect(places.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("quo")
    page.keyboard.press("Escape")
    expect(places).to_be_hidden()
    page.keyboard.press("Control+k")
    page.keyboard.type("invoi")
    expect(places.get_by_role("link").first).to_have_text("Invoices")
    page.keyboard.press("Enter")
    page.wait_for_url("**/invoices/")


def test_the_page_stays_where_it_is_while_the_tab_key_goes_through_the_menu(visit: Visit) -> None:
    page = visit("support", "/-/map", viewport={"width": 1280, "height": 700})
    last = page.locator(".side a").last
    page.locator(".side a").first.focus()
    while not last.evaluate("link => link === document.activeElement"):
        page.keyboard.press("Tab")
    expect(last).to_be_in_viewport()
    assert page.evaluate("scrollY") == 0
