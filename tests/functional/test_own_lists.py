"""Lists arranged by their readers: own columns, saved views, and what others may see of them."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from portal.accounts.saved_views import LONGEST_NAME, MOST_VIEWS
from tests.functional.test_lists import headings
from tests.functional.test_speed import statements_of
from tests.functional.world import ANNA, BRUNO, CARLA, NANCY, linked, titles

pytestmark = pytest.mark.sqlite_suffices

DECLARED = ["Reference", "Name", "Status", "Caller", "Service", "Last updated", "Comments"]
OWN = ["status", "name", "company"]


@pytest.fixture
def shop(world):
    for company, people in (("Acme", ("Anna Rossi", "Bruno Verdi")), ("Globex", ("Carla Neri",))):
        firm = world.the("companies", company)
        service = linked("services", world.add("services", name=f"{company} printing", customers=(firm,)))[0]
        for place, person in enumerate(people):
            for status in ("new", "waiting"):
                world.add(
                    "requests", name=f"{person[0]}{place} {status}", body="x", status=status, company=firm,
                    caller=world.the("people", person), service=service, hidden_note="secretly",
                )  # fmt: skip
    return world


def choose(browser, columns=(), address="/requests/columns", **more):
    """Chooses columns in the panel of a list."""
    form = [*(("columns", name) for name in columns), *more.items()]
    return browser.send(address, form, status=303)


def save(browser, name, query=""):
    """Saves the list of a query as a view; returns its key."""
    answer = browser.send(f"/requests/views?{query}", {"do": "save", "name": name}, status=303)
    return parse_qs(urlsplit(answer.location).query)["view"][0]


def panel(browser, query=""):
    """The panel of a list."""
    return browser.get(f"/requests/?{query}&_panel=1").html.find("details", class_="arrange")


def offered(browser, query=""):
    """The names of the columns that the panel offers, in their order, and of those that are shown."""
    boxes = panel(browser, query).select("li input[name=columns]")
    shown = [box["value"] for box in boxes if box.has_attr("checked") or box["type"] == "hidden"]
    return [box["value"] for box in boxes], shown


# -- own columns --------------------------------------------------------------------------------------------------


def test_columns_are_chosen_and_ordered_and_follow_to_another_device(shop):
    choose(shop[ANNA], OWN, compact="true")
    for browser in (shop[ANNA], shop.signed_in(ANNA)):
        page = browser.get("/requests/?tab=all")
        assert headings(page) == ["Status", "Name", "Company"]
        assert page.html.find("div", class_="compact")
        filters = page.html.select("tr.filters [name]")
        assert [each["name"] for each in filters] == ["status", "name", "company.id"]
    assert headings(shop[BRUNO].get("/requests/")) == DECLARED
    exported = shop[NANCY].get("/requests/export.csv").text.splitlines()[0]
    choose(shop[NANCY], ["budget", "name"])
    assert exported != shop[NANCY].get("/requests/export.csv").text.splitlines()[0] == "\ufeffBudget,Name"
    everything = {"all": "1", "do": "export"}
    assert shop[NANCY].send("/requests/bulk", everything).text.splitlines()[0] == "\ufeffBudget,Name"
    choose(shop[ANNA], OWN, _declared="1")
    assert headings(shop[ANNA].get("/requests/")) == DECLARED
    assert [row["name"] for row in shop.rows()["portal_saved_view"]] == [""], "Nancy's alone"


def test_a_button_moves_a_column_and_can_be_pressed_again(shop):
    anna = shop[ANNA]
    page = choose(anna, OWN, _move="up.company").follow()
    assert headings(page) == ["Status", "Company", "Name"]
    focused = page.html.find("button", autofocus=True)
    assert (focused["name"], focused["value"]) == ("_move", "up.company")
    page = choose(anna, ["status", "company", "name"], _move="up.company").follow()
    assert headings(page) == ["Company", "Status", "Name"]
    assert page.html.find("button", autofocus=True)["value"] == "down.company", "it cannot go farther up"
    assert offered(anna)[1] == ["company", "status", "name"]


def test_only_what_the_profile_shows_can_be_a_column_and_the_title_always_is(shop):
    choices, shown = offered(shop[ANNA])
    assert shown == ["reference", "name", "status", "caller", "service", "modified", "comments"]
    assert {"company", "cost", "created"} <= set(choices), "what only the page of a record shows"
    assert not {"hidden_note", "budget", "body", "code", "id"} & set(choices), "internal, long, or in a form alone"
    choose(shop[ANNA], ["status", "hidden_note", "body", "made_up", "status"])
    assert headings(shop[ANNA].get("/requests/")) == ["Name", "Status"]
    assert "secretly" not in shop[ANNA].get("/requests/?tab=all")


def test_columns_as_they_are_declared_follow_the_declaration(shop):
    choose(shop[ANNA], ["reference", "name", "status", "caller", "service", "modified", "comments"])
    assert shop.rows()["portal_saved_view"] == []


def test_a_column_that_may_no_longer_be_read_is_left_out(shop):
    choose(shop[NANCY], ["name", "hidden_note"])
    assert headings(shop[NANCY].get("/requests/")) == ["Name", "Hidden note"]
    shop.account(NANCY, profile="customer")
    assert headings(shop[NANCY].get("/requests/")) == ["Name"]
    shop.account(NANCY, profile="staff")


# -- saved views --------------------------------------------------------------------------------------------------


def test_a_view_keeps_filters_search_tab_order_and_columns(shop):
    bruno = shop[BRUNO]
    choose(bruno, OWN)
    key = save(bruno, "  Waiting for   us ", "tab=all&status=waiting&sort=name&made_up=1&after=1.x")
    choose(bruno, OWN, _declared="1")
    page = bruno.get(f"/requests/?view={key}")
    assert titles(page) == ["A0 waiting", "B1 waiting"]
    assert headings(page) == ["Status", "Name", "Company"]
    (own,) = page.html.select("nav.tabs a.own")
    assert (own["aria-current"], " ".join(own.text.split())) == ("page", "Waiting for us 2")
    assert not page.html.select("nav.tabs a[aria-current]:not(.own)")
    assert headings(bruno.get("/requests/")) == DECLARED
    for exported in (
        bruno.get(f"/requests/export.csv?view={key}"),
        bruno.send(f"/requests/bulk?view={key}", {"all": "1", "do": "export"}),
    ):
        assert [line.partition(",")[2] for line in exported.text.splitlines()] == [
            "Name,Company", "A0 waiting,Acme", "B1 waiting,Acme",
        ]  # fmt: skip


def test_parameters_override_those_of_a_view_and_empty_ones_remove_them(shop):
    anna = shop[ANNA]
    key = save(anna, "Waiting", "tab=all&status=waiting&sort=name")
    assert titles(anna.get(f"/requests/?view={key}&status=new")) == ["A0 new"]
    page = anna.get(f"/requests/?view={key}&sort=-name&status=")
    assert titles(page) == ["A0 waiting", "A0 new"]
    chips = {chip.span.text.strip(): chip["href"] for chip in anna.get(f"/requests/?view={key}").html.select("a.chip")}
    assert titles(anna.get(chips["Status: Waiting"])) == ["A0 new", "A0 waiting"]
    assert chips["View: Waiting"] == "/requests/"
    sent = [(each["name"], each.get("value", "")) for each in page.html.select("#list-form input[type=hidden]")]
    assert sent == [("view", key), ("sort", "-name")], "what the filters of the page are sent with"


@pytest.mark.parametrize("key", ["", "x", "a" * 16, "a" * 2000])
def test_an_unknown_view_counts_as_none(shop, key):
    page = shop[ANNA].get(f"/requests/?tab=all&view={key}")
    assert titles(page) == ["A0 waiting", "A0 new"]
    assert ("This view no longer exists." in page) is bool(key)


def test_a_tab_leaves_the_button_of_a_view_as_it_leaves_every_button(shop):
    key = save(shop[ANNA], "From home", "button=waiting&name=A0")
    assert titles(shop[ANNA].get(f"/requests/?view={key}")) == ["A0 waiting"]
    tabs = shop[ANNA].get(f"/requests/?view={key}").html.select("nav.tabs a:not(.own)")
    everything = next(tab for tab in tabs if "tab=all" in tab["href"])
    page = shop[ANNA].get(everything["href"])
    assert titles(page) == ["A0 waiting", "A0 new"]
    assert len(page.html.select("nav.tabs a[aria-current]")) == 2, "the view, and the tab that it was changed to"


def test_a_default_view_opens_the_list_until_another_list_is_asked_for(shop):
    anna = shop[ANNA]
    key = save(anna, "Waiting", "tab=all&status=waiting")
    anna.send(f"/requests/views?view={key}", {"do": "default"}, status=303)
    assert titles(anna.get("/requests/")) == ["A0 waiting"]
    assert anna.get("/requests/").html.find("h1").text == "Requests"
    assert titles(anna.get("/requests/?tab=all")) == ["A0 waiting", "A0 new"]
    back = next(chip["href"] for chip in anna.get("/requests/").html.select("a.chip") if "View" in chip.text)
    assert back == "/requests/?view="
    declared = anna.get(back)
    assert titles(declared) == ["A0 waiting", "A0 new"]
    assert 'name="view" value=""' in declared, "so that an emptied search does not open it again"
    anna.send(f"/requests/views?view={key}", {"do": "declared"}, status=303)
    assert titles(anna.get("/requests/")) == ["A0 waiting", "A0 new"]


def test_the_next_record_is_that_of_the_view(shop):
    bruno = shop[BRUNO]
    key = save(bruno, "Waiting", "tab=all&status=waiting&sort=name")
    first = bruno.get(f"/requests/?view={key}").html.find("a", class_="cover")["href"]
    page = bruno.get(first, headers={"Referer": f"http://localhost/requests/?view={key}&_panel=1"})
    assert page.html.find("a", attrs={"data-return-to-list": True})["href"] == f"/requests/?view={key}"
    assert bruno.get(f"{first}next").follow().html.h1.text.strip() == "B1 waiting"


def test_a_view_is_renamed_overwritten_and_deleted(shop):
    anna = shop[ANNA]
    key = save(anna, "Waiting", "tab=all&status=waiting")
    answer = anna.send(f"/requests/views?view={key}&status=new", {"do": "overwrite"}, status=303)
    assert titles(answer.follow()) == ["A0 new"]
    anna.send(f"/requests/views?view={key}", {"do": "rename", "name": "New ones"}, status=303)
    choose(anna, OWN, f"/requests/columns?view={key}")
    page = anna.get(f"/requests/?view={key}")
    assert "New ones" in page
    assert headings(page) == ["Status", "Name", "Company"]
    assert headings(anna.get("/requests/")) == DECLARED, "the columns are those of the view"
    question = anna.send(f"/requests/views?view={key}", {"do": "delete"}, status=200)
    assert question.html.h1.text == "Delete this view?"
    sure = {each["name"]: each["value"] for each in question.html.select("main form input[type=hidden]")}
    anna.send(question.html.select_one("main form")["action"], sure, status=303)
    page = anna.get(f"/requests/?view={key}")
    assert "This view no longer exists." in page
    assert len(titles(page)) == 2, "the list without it, as with any unknown parameter"
    assert "New ones" not in page
    for address in ("/requests/export.csv", "/requests/bulk", "/requests/views", "/requests/columns"):
        form = {"all": "1", "do": "resolve", "name": "x"}
        answer = (
            shop[BRUNO].see(f"{address}?view={key}") if "csv" in address else anna.send(f"{address}?view={key}", form)
        )
        assert answer.status_int == 404, "more records than meant would be exported or changed"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (" ", "Enter a name for the view."),
        ("waiting", "You already have a view with this name."),
        ("x" * (LONGEST_NAME + 1), f"Use at most {LONGEST_NAME} characters."),
    ],
)
def test_a_refused_name_stays_in_the_panel_with_the_reason(shop, name, sentence):
    save(shop[ANNA], "Waiting", "status=waiting")
    page = shop[ANNA].send("/requests/views?tab=all&status=new", {"do": "save", "name": name})
    assert page.status_int == 422
    assert sentence in page.html.find(id="view-error").text
    assert page.html.find("input", id="view-name")["value"] == name
    assert titles(page) == ["A0 new"], "the list stands behind it as it was"


def test_there_is_a_limit_to_views(shop):
    anna = shop[ANNA]
    for number in range(MOST_VIEWS):
        save(anna, f"View {number}")
    page = anna.send("/requests/views", {"do": "save", "name": "One more"})
    assert "You can save at most 50 views of a list. Delete one first." in page
    long = anna.send(f"/things/views?name={'x' * 990}&words={'x' * 990}&mail={'x' * 990}&site={'x' * 990}",
                     {"do": "save", "name": "Long"})  # fmt: skip
    assert "There are too many filters to save." in long
    assert len(shop.rows()["portal_saved_view"]) == MOST_VIEWS


def test_views_take_a_statement_to_be_read_and_one_to_be_counted_and_others_pay_nothing(shop):
    address = "/requests/?tab=all"
    shop[ANNA].get(address)
    before = statements_of(shop, shop[ANNA], address)
    shop[BRUNO].get(address)
    others = statements_of(shop, shop[BRUNO], address)
    save(shop[ANNA], "Waiting", "tab=all&status=waiting")
    save(shop[ANNA], "Searched", "tab=all&q=waiting")
    shop[ANNA].get(address)
    assert statements_of(shop, shop[ANNA], address) == before + 2
    assert statements_of(shop, shop[BRUNO], address) == others
    counts = [" ".join(view.text.split()) for view in shop[ANNA].get(address).html.select("a.own")]
    assert counts == ["Searched", "Waiting 1"], "a search would take a statement of its own"


def test_a_search_of_a_view_is_taken_away_part_by_part(shop):
    key = save(shop[ANNA], "Typed", "tab=all&q=A0+status:waiting")
    page = shop[ANNA].get(f"/requests/?view={key}")
    assert titles(page) == ["A0 waiting"]
    chips = {" ".join(chip.span.text.split()): chip["href"] for chip in page.html.select("a.chip")}
    assert chips["Search: A0"] == f"/requests/?view={key}&q=status%3Awaiting"
    words = shop[ANNA].get(chips["Status: Waiting"])
    assert titles(words) == ["A0 waiting", "A0 new"]
    rest = next(chip["href"] for chip in words.html.select("a.chip") if "Search" in chip.text)
    assert rest == f"/requests/?view={key}&q="
    assert [chip.span.text for chip in shop[ANNA].get(rest).html.select("a.chip")] == ["View: Typed"]


# -- shared by link -----------------------------------------------------------------------------------------------


def test_people_with_the_link_only_see_their_own_records_in_the_view(shop):
    service = shop.the("services", "Acme printing")
    query = f"tab=all&service.id={service.id}&service.empty=1&hidden_note=secretly&sort=-hidden_note"
    choose(shop[NANCY], ["name", "hidden_note", "company"])
    key = save(shop[NANCY], "Zqacme", query)
    assert len(titles(shop[NANCY].get(f"/requests/?view={key}"))) == 4
    page = shop[CARLA].get(f"/requests/?view={key}")
    assert titles(page) == [], "only Globex's, of which none has this service"
    assert "Acme printing" not in page
    assert "secretly" not in page
    assert headings(page) == ["Name", "Company"]
    assert titles(shop[CARLA].get(f"/requests/?view={key}&service=")) == ["C0 waiting", "C0 new"]
    assert "Zqacme" in page, "the name, as the link was given to them"
    assert "Zqacme" not in shop[CARLA].get("/requests/?tab=all&_panel=1"), "and nowhere else"
    assert shop[CARLA].see(f"/things/?view={key}").text.count("This view no longer exists.") == 1, "of another module"


def test_only_its_owner_changes_a_view_and_others_may_save_it_as_their_own(shop):
    key = save(shop[ANNA], "Waiting", "tab=all&status=waiting")
    before = shop.rows()["portal_saved_view"]
    bruno, address = shop[BRUNO], f"/requests/views?view={key}"
    for do in ("rename", "overwrite", "delete", "default", "declared", "made_up"):
        answer = bruno.send(address, {"do": do, "name": "Forged", "_sure": "1"})
        assert answer.status_int == 404, do
    assert bruno.send(f"/requests/columns?view={key}", [("columns", "name")]).status_int == 404
    assert shop.rows()["portal_saved_view"] == before
    mine = panel(bruno, f"view={key}")
    assert [button["value"] for button in mine.select("button[name=do]")] == ["save"]
    assert not mine.select("input[name=columns], #view-link")
    own = save(bruno, "Mine", f"view={key}")
    assert own != key
    assert titles(bruno.get(f"/requests/?view={own}")) == ["B1 waiting", "A0 waiting"]
    link = panel(shop[ANNA], f"view={key}").find(id="view-link")["value"]
    assert link == f"http://localhost/requests/?view={key}"
    assert re.fullmatch(r"[\w-]{16}", key), "nobody guesses it"


@pytest.mark.parametrize("address", ["/ledgers/columns", "/ledgers/views", "/nowhere/views"])
def test_a_module_that_the_profile_lacks_has_no_views(shop, address):
    assert shop[ANNA].send(address, {"do": "save", "name": "x"}).status_int == 404
    assert shop.rows()["portal_saved_view"] == []
