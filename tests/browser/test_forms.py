"""Forms in the browser: steps, links that are found by typing, fields under a condition, and nothing lost."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

from portal.fields.markup import TAGS, sanitized
from tests.browser.walking import Make, Visit, sign_in


def choose(page: Page, label: str, text: str) -> Locator:
    """Chooses a linked record with the keyboard alone: type, arrow down, Enter."""
    box = page.get_by_role("combobox", name=label)
    box.fill("")  # an earlier page may have saved a draft while it was left
    box.press_sequentially(text)
    option = offered(page).filter(has_text=text)
    expect(option).to_be_visible()
    box.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "true")
    assert box.get_attribute("aria-activedescendant") == option.get_attribute("id")
    box.press("Enter")
    expect(box).to_have_value(text)
    expect(offered(page)).to_have_count(0)
    return box


def offered(page: Page) -> Locator:
    """What a link currently offers."""
    return page.locator(".combobox [role=option]:visible")


def pick(page: Page, name: str) -> None:
    """Chooses a card; the radio button is under it."""
    page.get_by_role("radio", name=re.compile(name)).check()


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Next").click()


def test_the_wizard_makes_a_ticket_and_back_loses_nothing(visit: Visit) -> None:
    page = visit("customer", "/tickets/create")
    pick(page, "Printing")
    go_on(page)
    pick(page, "Scanning")
    go_on(page)
    made = page.locator(".choices-made")
    expect(made).to_contain_text("Printing")
    expect(made).to_contain_text("Scanning")
    page.get_by_role("textbox", name="Title").fill("Scans are upside down")
    page.get_by_role("textbox", name="Description").fill("All of them.\nSince Monday.")
    pick(page, "High")
    choose(page, "Machine", "Reception printer")

    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("radio", name=re.compile("Scanning"))).to_be_checked()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("radio", name=re.compile("Printing"))).to_be_checked()
    go_on(page)
    go_on(page)
    expect(page.get_by_role("textbox", name="Title")).to_have_value("Scans are upside down")
    expect(page.get_by_role("textbox", name="Description")).to_have_value("All of them.\nSince Monday.")
    expect(page.get_by_role("radio", name=re.compile("High"))).to_be_checked()
    expect(page.get_by_role("combobox", name="Machine")).to_have_value("Reception printer")

    page.locator("form[data-form] button[type=submit]:visible").last.dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("Scans are upside down")
    listed = visit("customer", "/tickets/?title=upside+down")
    expect(listed.locator("table.records tbody tr")).to_have_count(1)


def test_services_are_offered_with_what_they_are_about(visit: Visit) -> None:
    page = visit("customer", "/tickets/create")
    card = page.locator("label.choice").filter(has_text="Printing")
    expect(card).to_contain_text("Printers, scanners, toner and paper")
    assert page.get_by_role("radio", checked=True).count() == 0


def test_a_step_with_a_mistake_is_not_passed(visit: Visit) -> None:
    page = visit("customer", "/tickets/create")
    go_on(page)
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator(".steps [aria-current]")).to_have_text("Service")


def test_a_dependent_choice_offers_only_what_fits(visit: Visit) -> None:
    page = visit("support", "/tickets/create")
    box = page.get_by_role("combobox", name="Category")
    box.click()
    expect(page.get_by_text("No results")).to_be_visible()
    box.press("Escape")
    expect(page.get_by_text("No results")).to_be_hidden()
    choose(page, "Service", "Printing")
    box.click()
    expect(offered(page)).to_have_text(["Paper jam or stripes", "Scanning", "Toner and supplies"])


def test_what_was_typed_without_choosing_is_nothing(visit: Visit) -> None:
    page = visit("support", "/tickets/create")
    choose(page, "Service", "Printing")
    box = page.get_by_role("combobox", name="Service")
    box.fill("Somewhere else")
    enter = "new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true })"
    assert not box.evaluate(f"input => input.dispatchEvent({enter})"), "Enter would send the form"
    box.press("Tab")
    expect(box).to_have_value("Printing")
    assert box.evaluate(f"input => input.dispatchEvent({enter})")
    box.fill("")
    expect(offered(page).nth(1)).to_be_visible()
    box.press("ArrowDown")
    box.fill("Prin")
    box.press("Enter")  # before the answer: it must not choose what the earlier text has brought
    expect(box).to_have_value("Prin")
    expect(offered(page)).to_have_text(["Printing"])


def test_fields_and_options_under_a_condition_come_and_go(visit: Visit) -> None:
    page = visit("support", "/tickets/create")
    people = page.get_by_label("How many people?")
    expect(people).to_be_hidden()
    page.get_by_role("combobox", name="Impact").select_option(label="A department")
    expect(people).to_be_visible()
    page.get_by_role("combobox", name="Impact").select_option(label="One person")
    expect(people).to_be_hidden()

    page = visit("support", "/products/create")
    installed = page.get_by_label("Set up on site")
    installed.check()
    page.get_by_role("combobox", name="Kind").select_option(label="Supplies")
    expect(installed).to_be_hidden()
    page.get_by_role("combobox", name="Kind").select_option(label="Printer")
    expect(installed).not_to_be_checked()
    page.get_by_label("Name").fill("Label printer")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Label printer")
    page.go_back()
    expect(installed).to_be_visible()


def test_a_refused_form_names_its_mistakes_and_keeps_the_rest(visit: Visit) -> None:
    page = visit("support", "/orders/create")
    page.get_by_label("Quantity").fill("a dozen")
    page.get_by_label("Remarks").fill("In blue.")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("alert")).to_be_visible()
    quantity = page.get_by_label("Quantity")
    expect(quantity).to_have_value("a dozen")
    expect(quantity).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Remarks")).to_have_value("In blue.")
    page.get_by_role("alert").get_by_role("link", name="Quantity").click()
    expect(quantity).to_be_focused()


def test_two_who_edit_at_once_both_see_what_happened(visit: Visit, new_ticket: Make) -> None:
    path = new_ticket("Two cooks")
    first, second = visit("support", f"{path}edit"), visit("support", f"{path}edit")
    first.get_by_role("textbox", name="Title").fill("Two cooks, salted")
    first.get_by_role("button", name="Save").click()
    expect(first.get_by_role("heading", level=1)).to_have_text("Two cooks, salted")
    second.get_by_role("textbox", name="Title").fill("Two cooks, sugared")
    second.get_by_role("button", name="Save").click()
    shown = second.locator(".differences")
    expect(shown).to_contain_text("Two cooks, sugared")
    expect(shown).to_contain_text("Two cooks, salted")
    second.get_by_role("button", name="Save").click()
    expect(second.get_by_role("heading", level=1)).to_have_text("Two cooks, sugared")


def saved(page: Page, typing: Callable[[], None]) -> None:
    """Types, and waits until the server has what was typed."""
    with page.expect_response("**/account/drafts"):
        typing()


def test_a_draft_outlives_the_page_and_goes_when_it_is_sent(visit: Visit, new_ticket: Make) -> None:
    path = new_ticket("Draught in the hall")
    page = visit("customer", path)
    box = page.get_by_role("textbox", name="Write a comment")
    saved(page, lambda: box.fill("Half a sentence"))
    page.reload()
    expect(box).to_have_value("Half a sentence")
    expect(page.locator(".draft")).to_contain_text("Draft from")
    other_device = visit("customer", path)
    expect(other_device.get_by_role("textbox", name="Write a comment")).to_have_value("Half a sentence")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("article.note")).to_have_count(1)
    page.reload()
    expect(box).to_have_value("")


def test_a_discarded_draft_stays_away(visit: Visit, new_ticket: Make) -> None:
    page = visit("customer", new_ticket("Second thoughts"))
    box = page.get_by_role("textbox", name="Write a comment")
    saved(page, lambda: box.fill("Better not"))
    page.reload()
    box.fill("Better not, really")  # not saved yet
    page.get_by_role("button", name="Discard").click()
    expect(box).to_have_value("")
    page.reload()
    expect(box).to_have_value("")


def test_what_is_typed_without_a_connection_reaches_the_server_later(visit: Visit, new_ticket: Make) -> None:
    path = new_ticket("In a tunnel")
    page = visit("customer", path)
    box = page.get_by_role("textbox", name="Write a comment")
    page.context.set_offline(True)
    with page.expect_event("requestfailed"):
        box.fill("Written in a tunnel")
    page.context.set_offline(False)
    saved(page, page.reload)
    expect(visit("customer", path).get_by_role("textbox", name="Write a comment")).to_have_value("Written in a tunnel")
    page.context.set_offline(True)
    page.get_by_role("button", name="Send").click()
    page.context.set_offline(False)
    page.goto(path)
    expect(box).to_have_value("Written in a tunnel")


def test_the_wizard_follows_back_forward_and_reload_and_comes_back_on_another_device(
    open_page: Callable[..., Page], address: str, passwords: dict[str, tuple[str, str]], visit: Visit
) -> None:
    page = open_page(base_url=address, locale="en-GB")
    page.goto("/tickets/create")
    sign_in(page, *passwords["customer"])
    here = page.locator(".steps [aria-current]")
    pick(page, "Printing")
    go_on(page)
    expect(here).to_have_text("Category")
    pick(page, "Scanning")
    go_on(page)
    title = page.get_by_role("textbox", name="Title")
    saved(page, lambda: title.fill("The lid will not close"))
    page.go_back()
    expect(here).to_have_text("Category")
    page.reload()
    expect(page.get_by_role("radio", name=re.compile("Scanning"))).to_be_checked()
    page.go_forward()
    expect(title).to_have_value("The lid will not close")
    page.context.clear_cookies(name="portal_session")
    page.locator("form[data-form] button[type=submit]:visible").last.click()
    other_device = visit("customer", "/account/")
    other_device.locator(".draft-list a").filter(has_text="New ticket").first.click()
    expect(other_device.get_by_role("textbox", name="Title")).to_have_value("The lid will not close")
    sign_in(page, *passwords["customer"])
    expect(title).to_have_value("The lid will not close")
    page.get_by_role("button", name="Discard").click()


def test_back_leads_to_a_form_that_is_known_again(visit: Visit, new_ticket: Make) -> None:
    page = visit("customer", new_ticket("Back and forth"))
    box, send = page.get_by_role("textbox", name="Write a comment"), page.locator("form.composer footer button")
    comments = page.locator(".note").filter(has_text="Once is")
    box.fill("Once is enough")
    send.last.click()
    expect(comments).to_have_count(1)
    page.go_back()
    expect(box).to_have_value("Once is enough")
    send.last.click()
    expect(box).to_have_value("")
    expect(comments).to_have_count(1)
    page.go_back()
    box.fill("Once is not enough")
    send.last.click()
    expect(comments).to_have_count(2)


def test_what_is_changed_in_a_page_that_the_browser_kept_is_sent_anew(visit: Visit, new_ticket: Make) -> None:
    page = visit("customer", new_ticket("Kept page"))
    box, key = page.get_by_role("textbox", name="Write a comment"), page.locator("form.composer input[name=_once]")
    used = key.input_value()
    for text in ("First", "Second"):
        # as the Back button does where the browser keeps the whole page, which it may or may not
        key.evaluate("(input, used) => (input.value = used)", used)
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
        box.fill(text)
        page.locator("form.composer footer button").last.click()
        expect(page.locator(".note").filter(has_text=text)).to_have_count(1)


def test_a_lost_session_keeps_what_was_typed(
    open_page: Callable[..., Page], address: str, passwords: dict[str, tuple[str, str]], new_ticket: Make
) -> None:
    path = new_ticket("Session is lost")
    page = open_page(base_url=address, locale="en-GB")
    page.goto(path)
    sign_in(page, *passwords["customer"])
    page.get_by_role("textbox", name="Write a comment").fill("Do not lose me")
    page.context.clear_cookies()  # before the server has the draft, and knows whose it is
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    sign_in(page, *passwords["customer"])
    assert urlsplit(page.url).path == path
    expect(page.get_by_role("textbox", name="Write a comment")).to_have_value("Do not lose me")


def test_lines_are_added_moved_and_removed_in_the_page_and_with_the_keyboard(visit: Visit) -> None:
    page = visit("customer", "/orders/create")
    page.get_by_label("What do you need?").fill("Toner and a chair")
    page.get_by_role("button", name="Add a line").click()
    for number, product in ((1, "Toner kit 320"), (2, "Posture office chair")):
        page.get_by_label(f"Product, line {number}").fill(product)
        page.get_by_role("option", name=product).click()
    page.get_by_label("Quantity, line 2").fill("4")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.get_by_label("Quantity, line 1")).to_have_value("4")
    for move, back in (("Move line 1 down", "Move line 2 up"), ("Move line 2 up", "Move line 1 down")):
        page.get_by_role("button", name=move).press("Enter")
        expect(page.get_by_role("button", name=back)).to_be_focused()
    page.get_by_role("button", name="Add a line").click()
    page.get_by_role("button", name="Remove line 3").click()
    page.get_by_role("button", name="Create").click()
    lines = page.get_by_role("region", name="Products").get_by_role("row")
    expect(lines.nth(1)).to_contain_text("Posture office chair")
    expect(lines.nth(2)).to_contain_text("Toner kit 320")
    expect(lines.last).to_contain_text("€1,790.00")
    page.go_back()
    expect(page.locator("[data-computed='lines.0.price']")).to_have_text("€429.00")
    expect(page.get_by_label("Product, line 2")).to_have_value("Toner kit 320")
    expect(page.get_by_label("Quantity, line 1")).to_have_value("4")
    expect(page.get_by_label("Quantity, line 3")).to_have_count(0)
    expect(page.locator("tfoot [data-computed='lines.amount']")).to_contain_text("1,790.00")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("region", name="Products").get_by_role("row").last).to_contain_text("€1,790.00")


def test_rich_text_keeps_all_that_the_server_accepts_when_someone_types(visit: Visit) -> None:
    outer = (
        '<table><caption>1</caption><thead><tr><th scope="col">2</th></tr></thead><tbody><tr><td colspan="2">3</td>'
        "</tr></tbody><tfoot><tr><td>4</td></tr></tfoot></table><hr><dl><dt>5</dt><dd>6</dd></dl><ol><li>7</li></ol>"
        '<ul></ul><p><font>9</font><br><a href="/tickets/1/">a</a> <a href="javascript:x">b</a>'
        '<img src="/a.png" alt="c"> <img src="//x.example"></p>'
    )
    rich = outer + "".join(f"<{tag}>{tag}</{tag}>" for tag in sorted(TAGS) if f"<{tag}>" not in outer)
    page = visit("support", "/contracts/1/edit")
    terms = page.locator("textarea[name=terms]")
    terms.evaluate("(input, text) => { input.value = text; input.dispatchEvent(new Event('followed')); }", rich)
    editable = page.get_by_role("textbox", name="Terms")
    accepted = sanitized(rich).replace(' rel="noopener"', "")
    assert editable.inner_html() == accepted
    editable.press("End")
    editable.press_sequentially("!")
    assert terms.input_value().replace("!", "", 1) == accepted


def test_what_is_pasted_or_incomplete_is_neither_cut_off_nor_left_out(visit: Visit) -> None:
    page = visit("support", "/contracts/create")
    title, starts = page.locator("[name=title]"), page.locator("[name=starts]")
    title.focus()
    title.evaluate(
        "at => at.dispatchEvent(new ClipboardEvent('paste', { clipboardData: new DataTransfer(), bubbles: true }))"
    )
    page.keyboard.insert_text("Terms " * 60)
    starts.press_sequentially("31")  # no month, no year
    page.get_by_role("button", name="Create").click()
    expect(starts).to_be_focused()  # the browser says why
    starts.fill("2026-01-31")
    page.get_by_role("button", name="Create").click()
    expect(page.locator("main")).to_contain_text("at most 255 characters")
    expect(title).to_have_value("Terms " * 60)
    # After Back, what the browser keeps in hidden inputs is shown.
    title.fill("Printing, once more")
    choose(page, "Company", "Officina Moretti")
    page.get_by_role("textbox", name="Terms").press_sequentially("As agreed")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Printing, once more")
    page.go_back()
    expect(page.get_by_role("textbox", name="Terms")).to_have_text("As agreed")
    expect(page.get_by_role("combobox", name="Company")).to_have_value("Officina Moretti")


def test_a_link_that_was_removed_can_be_chosen_again(visit: Visit) -> None:
    page = visit("support")
    page.route(
        "**/contracts/create",
        lambda route: route.fulfill(
            body=route.fetch().text().replace('data-combobox=""', 'data-combobox="/contracts/find?field=services"')
        ),
    )  # as if there were many services
    page.goto("/contracts/create")
    box, printing = (
        page.locator("[data-several=services] input[type=text]"),
        page.get_by_role("checkbox", name="Printing"),
    )
    for _again in range(2):
        box.fill("Prin")
        page.get_by_role("option", name="Printing").click()
        expect(printing).to_be_checked()
        printing.uncheck()


def test_an_article_that_answers_the_question_ends_the_form(visit: Visit) -> None:
    page = visit("support", "/tickets/create")
    title, box = page.locator("#field-title"), page.locator(".suggested")
    expect(box.get_by_role("button")).to_be_hidden()
    with page.expect_response("**/account/drafts"):
        title.press_sequentially("Paper jam in the printer")
    expect(box.get_by_role("link").first).to_have_text("Clear a paper jam without tearing the sheet")
    expect(box.get_by_role("status")).to_have_text(re.compile(r"\d possible answers"))
    title.fill("")
    expect(box.get_by_role("link")).to_have_count(0)
    title.press_sequentially("Paper jam")
    box.get_by_role("button", name="That solved it").click()
    expect(page.get_by_text("Glad this helped. Nothing was sent.")).to_be_visible()
    page.goto("/tickets/create")
    expect(page.locator("#field-title")).to_have_value("")
