"""Lists in the browser: typing takes effect in place, and one can leave a list and return to it."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.walking import Make, Visit, rows, settled

WIDEST = ", ".join(f"[href^='/{module}/']" for module in ("tickets", "assets", "invoices", "orders"))


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_typing_finds_in_place_and_the_address_follows(visit: Visit, new_ticket: Make) -> None:
    new_ticket("Zanzibar projector hums")
    page = visit("customer", "/tickets/")
    page.evaluate("window.untouched = true")
    box = page.get_by_role("searchbox", name="Search all columns")
    box.press_sequentially("zanzibar proj")
    expect(page.locator("table.records tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=zanzibar\+proj"))
    assert rows(page) == ["Zanzibar projector hums"]
    expect(box).to_be_focused()
    expect(box).to_have_value("zanzibar proj")
    assert page.evaluate("window.untouched"), "the page was loaded anew"


def test_a_search_is_completed_while_typing_and_its_chips_remove_it(visit: Visit) -> None:
    page = visit("support", "/tickets/?tab=all")
    box, options = page.get_by_role("searchbox"), page.locator("#list-form [role=option]")
    box.press_sequentially("-sta")
    expect(options).to_have_text(["Status"])
    box.press("ArrowDown")
    box.press("Enter")
    expect(box).to_have_value("-status:")
    expect(options.first).to_have_text("New")
    options.filter(has_text="With customer").click()
    expect(box).to_have_value('-status:"With customer" ')
    expect(options).to_have_count(0)
    chip = page.locator(".chips a.chip")
    expect(chip).to_contain_text("Status: not With customer")
    expect(page.locator("table.records tbody")).not_to_contain_text("With customer")
    box.press("Enter")
    settled(page)
    chip.click()
    expect(page.locator(".chips a.chip")).to_have_count(0)
    expect(box).to_have_value("")


def test_of_many_tabs_the_current_one_shows(visit: Visit) -> None:
    page = visit("customer", "/tickets/?tab=all", viewport={"width": 320, "height": 640})
    tab = page.locator(".tabs [aria-current]")
    expect(tab).to_be_in_viewport(ratio=0.9)
    page.get_by_role("searchbox", name="Search all columns").fill("printer")
    expect(page).to_have_url(re.compile("q=printer"))
    expect(tab).to_be_in_viewport(ratio=0.9)


def test_typing_continues_while_the_list_refreshes(visit: Visit) -> None:
    page = visit("customer", "/tickets/?tab=all")
    box = page.get_by_role("textbox", name="Title")
    box.press_sequentially("stripes", delay=90)
    expect(page).to_have_url(re.compile(r"title=stripes"))
    settled(page)
    expect(page.get_by_role("textbox", name="Title")).to_have_value("stripes")
    expect(page.get_by_role("textbox", name="Title")).to_be_focused()
    assert rows(page)
    assert all("stripes" in row.lower() for row in rows(page))
    # Who goes on to a record before the answer arrives stays there.
    record = page.locator("a.cover").first
    page.get_by_role("textbox", name="Title").fill("stripe")
    record.focus()
    expect(page).to_have_url(re.compile(r"title=stripe(&|$)"))
    settled(page)
    expect(record).to_be_focused()
    # A link that sorts leads elsewhere after each search.
    page.get_by_role("textbox", name="Title").fill("stripes")
    sorting = page.locator("thead th[aria-sort] a, thead th a").first
    sorting.focus()
    expect(page).to_have_url(re.compile(r"title=stripes(&|$)"))
    settled(page)
    expect(sorting).to_be_focused()


def test_a_list_is_arranged_by_keyboard_and_a_filter_of_a_view_is_emptied_in_place(visit: Visit) -> None:
    page = visit("customer", "/tickets/?tab=all&title=stripes")
    page.get_by_role("link", name="Columns and views").press("Enter")
    expect(page.locator(".arrange > summary")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".arrange input[type=checkbox]").first).to_be_focused()
    up = page.get_by_role("button", name="Move up: Status")
    up.press("Enter")
    expect(up).to_be_focused()
    expect(page.locator("thead th:not(.choose)").nth(1)).to_contain_text("Status")
    page.keyboard.press("Escape")
    expect(page.locator(".arrange > .panel")).to_be_hidden()
    page.locator(".arrange > summary").press("Enter")
    page.get_by_label("Name of the view").fill("Stripes")
    page.keyboard.press("Enter")
    expect(page.locator(".tabs a.own[aria-current]")).to_contain_text("Stripes")
    found = rows(page)
    page.get_by_role("textbox", name="Title").fill("")
    expect(page).to_have_url(re.compile(r"[?&]title=(&|$)"))
    settled(page)
    assert len(rows(page)) > len(found) > 0
    assert asked(page)["view"], "the rest of the view stays"


def test_a_refresh_without_an_answer_is_tried_again_and_an_error_is_shown(visit: Visit) -> None:
    page = visit("customer", "/tickets/?tab=all")
    page.route("**q=lost*", lambda route: route.abort())
    page.route(
        "**q=busy*", lambda route: route.fulfill(status=503, body="<h1>We are busy</h1>", content_type="text/html")
    )
    box, list_ = page.get_by_role("searchbox", name="Search all columns"), page.locator("[data-records]")
    with page.expect_event("requestfailed"):
        box.fill("lost")
    expect(list_).not_to_have_attribute("aria-busy", "true")
    box.fill("stripes")
    expect(page).to_have_url(re.compile(r"q=stripes"))
    box.fill("busy")
    expect(page.get_by_role("heading", name="We are busy")).to_be_visible()


def test_filters_on_two_columns_are_joined_and_can_be_cleared(visit: Visit) -> None:
    page = visit("support", "/tickets/?tab=all")
    page.get_by_role("combobox", name="Priority").select_option(label="Medium")
    expect(page).to_have_url(re.compile("priority=medium"))
    page.get_by_role("combobox", name="Status").select_option(label="New")
    expect(page).to_have_url(re.compile("status=new"))
    settled(page)
    assert set(page.locator("tbody td.status").all_inner_texts()) == {"New"}
    expect(page.locator("tbody").get_by_text("High", exact=True)).to_have_count(0)
    page.get_by_role("link", name="Clear search and filters").click()
    expect(page.get_by_role("combobox", name="Status")).to_have_value("")
    expect(page).not_to_have_url(re.compile("status="))


def test_a_range_is_chosen_in_a_panel_and_taken_away_by_its_chip(visit: Visit) -> None:
    page = visit("support", "/tickets/?tab=all")
    switch = page.locator("[popovertarget=range-modified]")
    expect(switch).to_have_text("Last updated: Any")
    switch.click()
    page.locator("[name='modified.min']").fill("2020-01-31")
    expect(page).to_have_url(re.compile(r"modified\.min=2020-01-31"))
    page.locator("#range-modified button").press("c")  # here no shortcut
    page.locator("#range-modified").get_by_role("button", name="Apply").click()
    expect(switch).to_have_text(re.compile("Last updated: from .*2020"))
    expect(switch).to_be_focused()
    page.get_by_role("link", name=re.compile("Last updated: from .*2020")).click()
    expect(page).not_to_have_url(re.compile("modified"))


@pytest.mark.parametrize(
    ("language", "width", "links"),
    [("pl", 1280, ".side nav a:not([href*='/-/'])"), ("en", 1024, f".side nav a:is({WIDEST})")],  # Polish is longer
)
def test_no_column_is_cut_on_a_laptop_and_no_date_broken(visit: Visit, language: str, width: int, links: str) -> None:
    cut = "tables => tables.filter(table => table.scrollWidth > table.clientWidth).length"
    broken = "days => days.filter(day => day.getClientRects().length > 1).map(day => day.textContent)"
    page = visit("support", "/", locale=language)
    page.set_viewport_size({"width": width, "height": 800})
    addresses = page.locator(links).evaluate_all("links => links.map(link => link.href)")
    assert len(addresses) >= 4
    for address in addresses:
        page.goto(address)
        assert page.locator(".table-wrap").evaluate_all(cut) == 0, address
        assert page.locator(".records .day").evaluate_all(broken) == [], address


def test_a_tab_keeps_the_search(visit: Visit) -> None:
    page = visit("customer", "/tickets/")
    page.get_by_role("searchbox").press_sequentially("printer")
    expect(page).to_have_url(re.compile("q=printer"))
    settled(page)
    page.get_by_role("navigation", name="Views").get_by_role("link", name="All").click()
    expect(page).to_have_url(re.compile("tab=all"))
    assert asked(page)["q"] == ["printer"]
    expect(page.get_by_role("searchbox")).to_have_value("printer")


def test_a_heading_sorts_there_and_back(visit: Visit) -> None:
    page = visit("other", "/articles/")
    first = rows(page)
    assert first == sorted(first, key=str.lower)
    page.get_by_role("columnheader", name="Title").get_by_role("link").click()
    expect(page).to_have_url(re.compile("sort=-title"))
    assert rows(page) == first[::-1]
    expect(page.get_by_role("columnheader", name="Title")).to_have_attribute("aria-sort", "descending")


def test_pages_go_forward_and_back_by_keys(visit: Visit) -> None:
    page = visit("support", "/tickets/?tab=all")
    expect(page.locator(".pager")).to_contain_text("1–25 of ")
    first = rows(page)
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile("after="))
    expect(page.locator(".pager")).to_contain_text("25 of ")
    second = rows(page)
    assert not set(page.locator("td.reference").all_inner_texts()) & set(first)
    assert second != first
    page.get_by_role("link", name="Previous").click()
    expect(page).not_to_have_url(re.compile("after="))
    assert rows(page) == first


def test_return_to_list_brings_back_search_filter_sort_and_tab(visit: Visit) -> None:
    page = visit("support", "/tickets/?tab=all&sort=title&priority=medium")
    page.get_by_role("searchbox").press_sequentially("printer")
    expect(page).to_have_url(re.compile("q=printer"))
    settled(page)
    before = rows(page)
    assert before
    page.locator("table.records a.cover").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(before[0])
    page.get_by_role("link", name="Return to list").click()
    expect(page.get_by_role("searchbox")).to_have_value("printer")
    assert {name: asked(page)[name] for name in ("tab", "sort", "priority", "q")} == {
        "tab": ["all"], "sort": ["title"], "priority": ["medium"], "q": ["printer"],
    }  # fmt: skip
    assert rows(page) == before


def test_the_export_follows_what_is_asked(visit: Visit) -> None:
    page = visit("power", "/tickets/?tab=all")
    page.get_by_role("searchbox").press_sequentially("printer")
    expect(page).to_have_url(re.compile("q=printer"))
    settled(page)
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV file").click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    listed = rows(page)
    assert len(lines) - 1 >= len(listed) > 0, "the export has all pages"
    assert all(title.split(",")[0] in "\n".join(lines) for title in listed)


def test_a_search_without_hits_says_so_and_offers_the_way_back(visit: Visit) -> None:
    page = visit("customer", "/tickets/")
    page.get_by_role("searchbox").press_sequentially("qqqqq")
    expect(page.get_by_text("No records match your search.")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    expect(page.locator("table.records tbody tr").first).to_be_visible()


@pytest.mark.parametrize("path", ["/tickets/", "/articles/"])  # with checkboxes, and without
def test_a_click_anywhere_in_a_row_opens_the_record(visit: Visit, path: str) -> None:
    page = visit("power", path)
    title = rows(page)[0]
    # Anywhere except in the cell with the record's checkbox.
    cell = page.locator("table.records tbody tr").first.locator("td:not(:has(input))").first
    box = cell.bounding_box()
    for checkbox in page.locator("table.records tbody input[type=checkbox]").all()[1:3]:
        checkbox.check()
    page.mouse.click(box["x"] + 4, box["y"] + 4)
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.go_back()
    expect(page.locator("table.records tbody input:checked")).to_have_count(2 if path == "/tickets/" else 0)
    expect(page.locator("[data-chosen-count]")).to_have_text(["2"] if path == "/tickets/" else [])


@pytest.mark.parametrize("width", [1280, 390])
def test_while_records_are_chosen_their_actions_do_not_hide_the_focus(visit: Visit, width: int) -> None:
    page = visit("support", "/tickets/?tab=all", viewport={"width": width, "height": 800})
    boxes = page.locator("tbody .choose input")
    boxes.first.press("Space")
    expect(page.locator(".chosen")).to_be_visible()
    while not boxes.last.evaluate("box => box === document.activeElement"):
        page.keyboard.press("Tab")
        bottom, top = (
            page.evaluate("document.activeElement.getBoundingClientRect().bottom"),
            page.locator(".chosen").evaluate("actions => actions.getBoundingClientRect().top"),
        )
        assert bottom <= top or page.locator(".chosen :focus, .list-foot :focus").count()


def test_return_to_list_belongs_to_the_tab(visit: Visit) -> None:
    page = visit("support", "/tickets/?tab=all&sort=reference")
    other = page.context.new_page()
    other.goto(page.url.replace("sort=reference", "sort=-reference"))
    for tab, sort in ((page, "reference"), (other, "-reference")):
        tab.locator("table.records a.cover").first.click()
        tab.get_by_role("link", name="Edit").click()
        tab.get_by_role("link", name="Cancel").click()
        tab.get_by_role("link", name="Return to list").click()
        expect(tab).to_have_url(re.compile(f"/tickets/.tab=all&sort={sort}$"))
    other.close()


def test_several_links_of_one_value_follow_each_other_on_a_phone(visit: Visit) -> None:
    page = visit("support", "/contacts/1/", viewport={"width": 390, "height": 844})
    services = page.locator("td", has=page.get_by_role("link", name="Network and Wi-Fi")).first
    boxes = [link.bounding_box() for link in services.get_by_role("link").all()]
    assert boxes[0]
    line = page.locator("body").evaluate("body => parseFloat(getComputedStyle(body).lineHeight)")
    assert boxes[0]["height"] < 1.5 * line, "“Printing” is broken into several lines"
