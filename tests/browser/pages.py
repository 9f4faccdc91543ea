"""Every kind of page of the demo: who opens it, its address, and the steps until it shows."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect


@dataclass(frozen=True)
class Kind:
    """A distinct kind of page; `act` gets there from `path`."""

    name: str
    profile: str  # empty: not signed in
    path: str
    act: Callable[[Page], None] | None = None

    def __str__(self) -> str:
        return self.name


def refuse(page: Page) -> None:
    """Sends the form as it is; its errors are shown."""
    page.locator("main form[method=post] button[type=submit]:visible").last.click()
    expect(page.get_by_role("alert").first).to_be_visible()


def sign_in_wrongly(page: Page) -> None:
    page.locator("#email").fill("nobody@moretti.example")
    page.locator("#password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()


def leave_a_draft(page: Page) -> None:
    with page.expect_response("**/account/drafts"):
        page.get_by_role("textbox", name="Write a comment").fill("Half a sentence")
    page.reload()


def list_drafts(page: Page) -> None:
    leave_a_draft(page)
    page.goto("/account/")


def make_a_token(page: Page) -> None:
    page.locator("#field-name").fill("Nightly export")
    page.locator("#field-current").fill("demo-customer")
    page.locator("main form[method=post] button[type=submit]:visible").last.click()
    expect(page.locator("#tokens input[readonly]")).to_be_focused()


def last_step(page: Page) -> None:
    """Goes through the wizard to its last step, and sends it with everything missing."""
    page.locator("input[name=service]").first.check()
    for _step in range(2):
        page.locator("button.primary[name=_to]:visible").click()
    expect(page.locator(".choices-made")).to_be_visible()
    refuse(page)


def type_title(page: Page) -> None:
    page.locator("#field-title").press_sequentially("The printer prints blank pages")
    expect(page.locator(".suggested li").first).to_be_visible()


def open_combobox(page: Page) -> None:
    page.locator("[role=combobox]").first.click()
    expect(page.locator(".combobox [role=listbox]").first).to_be_visible()


def open_search_help(page: Page) -> None:
    page.locator("#list-form").get_by_title("How to search").click()
    expect(page.locator(".search-help")).to_be_visible()


def choose_two(page: Page) -> None:
    """Chooses two records of a list; the bar with their actions appears."""
    for row in (0, 1):
        page.locator("tbody .choose input").nth(row).check()
    expect(page.locator(".chosen button[name=do]").first).to_be_visible()


def send_import(page: Page) -> None:
    """Sends a file with a bad row and a column without a field, and leaves that column out."""
    content = b"Name,Company,Remark\nLobby printer,Officina Moretti,x\nNo company,Nobody,\n"
    page.locator("input[type=file]").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": content})
    page.locator("main form[method=post] button[type=submit]").click()
    expect(page.locator("table.records")).to_be_visible()


def check_import(page: Page) -> None:
    send_import(page)
    page.locator("main form[method=get] button[type=submit]").last.click()
    expect(page.locator(".pills .pill.bad")).to_be_visible()


def finish_import(page: Page) -> None:
    check_import(page)
    page.locator("main form[method=post] button[type=submit]").last.click()
    expect(page.locator(".hits a").first).to_be_visible()


def change_own_comment(page: Page) -> None:
    """Writes a comment, which its author may change for a while, and opens it."""
    page.locator("#comment-text").fill("The wrong ticket.")
    page.locator("form.composer footer button[type=submit]").click()
    page.locator(".note a[href$=edit]").first.click()
    expect(page.locator("textarea[name=text]")).to_have_value("The wrong ticket.")


def open_language(page: Page) -> None:
    page.locator(".top summary").first.click()
    expect(page.locator(".top select[name=language]")).to_be_visible()


def save_twice(page: Page) -> None:
    """Saves an edit, and then another one that was started before it."""
    other = page.context.new_page()
    other.goto(page.url)
    for each in (other, page):
        each.locator("textarea").first.fill(f"Changed in window {id(each)}.")
        each.locator("main form[method=post] button[type=submit]:visible").last.click()
        each.wait_for_load_state()
    other.close()
    expect(page.locator(".differences")).to_be_visible()


KINDS = (
    Kind("sign-in refused", "", "/login", sign_in_wrongly),
    Kind("forgotten password", "", "/password/forgotten"),
    Kind("home", "customer", "/"),
    Kind("home of support", "support", "/"),
    Kind("language open", "customer", "/", open_language),
    Kind("list", "customer", "/tickets/"),
    Kind("list with a typed search", "support", "/tickets/?q=printer+or+status:nonsense", open_search_help),
    Kind("wide list being arranged", "support", "/tickets/?tab=all&priority=medium&due.min=nonsense&_panel=1"),
    Kind("list with chosen records", "support", "/tickets/?tab=all", choose_two),
    Kind("adding a watcher", "customer", "/tickets/1/watchers"),
    Kind("import", "support", "/assets/import"),
    Kind("import with columns", "support", "/assets/import", send_import),
    Kind("import with problems", "support", "/assets/import", check_import),
    Kind("imported", "support", "/assets/import", finish_import),
    Kind("list without hits", "customer", "/tickets/?q=qqqqq"),
    Kind("search", "customer", "/search?q=printer"),
    Kind("ticket", "customer", "/tickets/1/"),
    Kind("ticket of support", "support", "/tickets/1/"),
    Kind("history of a ticket", "support", "/tickets/1/history"),
    Kind("article", "customer", "/articles/1/"),
    Kind("invoice", "support", "/invoices/1/"),
    Kind("project", "support", "/projects/1/"),
    Kind("wizard", "customer", "/tickets/create"),
    Kind("wizard refused", "customer", "/tickets/create", last_step),
    Kind("plain form refused", "customer", "/orders/create", refuse),
    Kind("form with possible answers", "support", "/tickets/create", type_title),
    Kind("long form", "support", "/tickets/create", open_combobox),
    Kind("edit", "support", "/quotes/1/edit"),
    Kind("edit with a picture", "support", "/assets/1/edit"),
    Kind("own comment changed", "support", "/tickets/3/", change_own_comment),
    Kind("edit conflict", "support", "/tickets/2/edit", save_twice),
    Kind("transition", "support", "/tickets/1/move/assign"),
    Kind("transition with rating", "customer", "/tickets/4/move/close"),
    Kind("confirmation", "customer", "/tickets/1/move/withdraw"),
    Kind("delete", "support", "/service_categories/1/delete"),
    Kind("ticket with a draft", "customer", "/tickets/1/", leave_a_draft),
    Kind("drafts", "customer", "/tickets/1/", list_drafts),
    Kind("new token", "customer", "/account/token", make_a_token),
    Kind("people of a company", "power", "/companies/2/people"),
    Kind("sign-up", "", "/signup"),
    Kind("password", "customer", "/password"),
    Kind("new passkey", "customer", "/account/passkey"),
    Kind("two-factor authentication", "customer", "/account/second-factor"),
    Kind("not found", "customer", "/nowhere/"),
    Kind("letters", "support", "/-/outbox"),
    Kind("problems", "support", "/-/problems"),
    Kind("effect of a change", "support", "/-/effect"),
    Kind("history of all records", "support", "/-/history"),
    Kind("as whom to see the portal", "support", "/-/view-as"),
    Kind("map of the modules", "support", "/-/map"),
    Kind("asking who sees a record", "support", "/-/explain"),
    Kind("who sees a record", "support", "/-/explain?module=tickets&id=1"),
    Kind("what someone sees", "support", "/-/explain?account=1"),
)
