"""A list as people see it, and the ways from a list to a record and back."""

import pytest
from sqlalchemy import event

from tests.functional.world import ANNA, BRUNO, NANCY, titles

pytestmark = pytest.mark.sqlite_suffices


@pytest.fixture
def shop(world):
    values = world.for_request()
    for number in range(3):
        world.add("requests", name=f"R{number}", **values)
    return world


def headings(page):
    """The headings of the columns, without the one with checkboxes."""
    cells = page.html.find("thead").find("tr").find_all("th")
    return [cell.text.strip() for cell in cells if not cell.find("input", type="checkbox")]


def test_a_list_shows_the_declared_columns_and_leads_to_the_record(shop):
    page = shop[ANNA].get("/requests/")
    assert headings(page) == ["Reference", "Name", "Status", "Caller", "Service", "Last updated", "Comments"]
    assert titles(page) == ["R2", "R1", "R0"], "the newest change first"
    link = page.html.find("a", class_="cover")
    record = shop[ANNA].get(link["href"])
    assert record.html.h1.text.strip() == "R2"
    assert "R0003" in page


def test_a_generated_list_has_title_and_up_to_five_fields_and_no_bare_number(shop):
    assert headings(shop[NANCY].get("/projects/")) == ["Name", "Contact", "Company"]
    assert len(headings(shop[NANCY].get("/things/"))) == 6


def test_what_narrows_a_list_is_shown_and_can_be_removed_one_by_one(shop):
    anna = shop[ANNA]
    page = anna.get(
        "/requests/?tab=all&q=R&status=new&status=waiting&modified.min=2026-01-31&service.empty=1&sort=name"
    )
    chips = {chip.span.text.strip(): chip["href"] for chip in page.html.find_all("a", class_="chip")}
    assert chips == {
        "Search: R": "/requests/?tab=all&status=new&status=waiting&modified.min=2026-01-31&service.empty=1&sort=name",
        "Status: New, Waiting": "/requests/?tab=all&q=R&modified.min=2026-01-31&service.empty=1&sort=name",
        "Last updated: from Jan 31, 2026": "/requests/?tab=all&q=R&status=new&status=waiting&service.empty=1&sort=name",
        "Service: empty": "/requests/?tab=all&q=R&status=new&status=waiting&modified.min=2026-01-31&sort=name",
    }
    assert not anna.get("/requests/?tab=all").html.find("a", class_="chip")
    filtered_by = anna.get("/requests/?caller=rossi&budget=7").html.find_all("a", class_="chip")
    assert [chip.span.text.strip() for chip in filtered_by] == ["Caller: rossi"], (
        "a field that may not be read is no filter"
    )


def test_the_way_back_leads_to_the_list_as_it_was_left(shop):
    anna = shop[ANNA]
    anna.get("/requests/?tab=all&q=x&sort=name&status=new&status=waiting")
    identity = shop.all("requests")[0].id
    page = anna.get(f"/requests/{identity}/")
    back = page.html.find("a", href=lambda href: href and href.startswith("/requests/?"))
    assert back["href"] == "/requests/?tab=all&q=x&sort=name&status=new&status=waiting"
    assert titles(anna.get(back["href"])) == ["R0", "R1", "R2"]


def way_back(page):
    return page.html.find("a", attrs={"data-return-to-list": True})["href"]


def test_the_way_back_leads_to_the_list_that_the_record_was_opened_from(shop):
    anna, (one, other) = shop[ANNA], [f"/requests/{record.id}/" for record in shop.all("requests")[:2]]
    left, right = "/requests/?tab=all&sort=name", "/requests/?tab=all&q=R1"
    anna.get(left)
    anna.get(right)  # in another tab
    assert way_back(anna.get(one, headers={"Referer": f"http://localhost{left}"})) == left
    assert way_back(anna.get(other, headers={"Referer": f"http://localhost{right}"})) == right
    # After a form of the record, or another page below it.
    for page in (one, f"{one}edit"):
        assert way_back(anna.get(one, headers={"Referer": f"http://localhost{page}"})) == left
    assert way_back(anna.get(one, headers={"Referer": "http://localhost/"})) == left
    assert way_back(anna.get(one, headers={"Referer": "http://localhost/requests/"})) == "/requests/"
    assert way_back(anna.get(one, headers={"Referer": "http://localhost/"})) == "/requests/"


@pytest.mark.parametrize(
    "referer", ["http://evil.example/requests/?tab=closed", "http://localhost/things/?q=a", "\xff", "//"]
)
def test_the_way_back_is_never_that_of_another_page(shop, referer):
    page = shop[ANNA].get(f"/requests/{shop.all('requests')[0].id}/", headers={"Referer": referer})
    assert way_back(page) == "/requests/"


def test_the_way_back_keeps_odd_characters(shop):
    anna = shop[ANNA]
    asked = "/requests/?tab=all&name=a%3Bb%2C%22c%22+%26%C3%A9"
    anna.get(asked)
    page = anna.get(f"/requests/{shop.all('requests')[0].id}/")
    assert page.html.find("a", href=asked)


def test_an_address_without_its_trailing_slash_redirects_to_the_one_with_it(shop):
    identity = shop.all("requests")[0].id
    for path in ("/requests", f"/requests/{identity}"):
        answer = shop[ANNA].get(f"{path}?q=x", status=301)
        assert answer.location == f"http://localhost{path}/?q=x"
    assert shop[ANNA].see("/ledgers").status_int == 404
    assert shop[ANNA].see("/requests/999999").status_int == 404


def test_the_menu_has_the_modules_of_the_profile_in_its_order(shop):
    menu = shop[ANNA].get("/").html.find("nav", class_="menu")
    names = [link.text.strip() for link in menu.find_all("a")]
    assert names[:7] == ["Home", "Requests", "Things", "Projects", "Tasks", "Milestones", "Remarks"]
    assert "Categories" not in names
    assert "Ledgers" not in names


def test_buttons_of_the_list_are_those_that_the_profile_may_press(shop):
    for person, creates, exports in ((ANNA, True, False), (BRUNO, True, True), (NANCY, True, True)):
        page = shop[person].get("/requests/")
        assert bool(page.html.find("a", href="/requests/create")) is creates
        assert ("/requests/export.csv" in page) is exports
    assert "/services/create" not in shop[ANNA].get("/services/")


def test_an_export_leads_from_the_list_with_what_it_asks(shop):
    page = shop[BRUNO].get("/requests/?tab=all&name=r1&sort=name")
    link = page.html.find("a", href=lambda href: href and "export.csv" in href)
    answer = shop[BRUNO].get(link["href"])
    assert answer.content_type == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert [line.split(",")[1] for line in answer.text.splitlines()[1:]] == ["R1"]


def test_an_export_disarms_formulas(world):
    world.add("things", name="=1+1", prose="@cmd", words=("-x",))
    text = world[ANNA].get("/things/export.csv").text
    assert ",=1+1" not in text
    assert ",@cmd" not in text
    assert "1+1" in text


@pytest.mark.parametrize("rows", [3, 40])
def test_a_list_asks_the_database_the_same_number_of_questions_whatever_its_length(world, rows):
    acme = world.the("companies", "Acme")
    for number in range(rows):
        world.add("things", name=f"T{number:02}", owner=acme, makers=(acme,))
    assert count_questions(world, "/things/") <= 30
    assert len(titles(world[NANCY].get("/things/"))) == min(rows, 25)


def count_questions(world, address):
    engine, asked = world.portal.engine, []

    def hear(*arguments):
        asked.append(arguments[2])

    event.listen(engine, "before_cursor_execute", hear)
    try:
        world[NANCY].get(address)
    finally:
        event.remove(engine, "before_cursor_execute", hear)
    return len(asked)
