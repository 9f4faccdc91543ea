"""In `links`, readers only get the records that they may see: shown, matched, sorted, counted, exported, found."""

import base64
import datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from portal.accounts.giving_access import AccessRequest
from portal.fields.money import Money
from tests.functional.world import ANNA, NANCY, titles, way, written_world

MODULES = """
portal: {name: Shared, base_url: http://localhost}
people: people
organizations: companies
modules:
  companies: {title: name, fields: {name: {type: text, required: true}}}
  people:
    title: name
    organization: company
    fields: {name: text, email: {type: email, unique: true}, company: {type: link, to: companies}}
  services:
    title: name
    organization: customers
    fields:
      name: text
      customers: {type: links, to: companies}
      partners: {type: links, to: companies}
  tickets:
    owner: caller
    title: name
    fields:
      name: text
      caller: {type: link, to: people, default: me}
      cost: money
      done: date
    comments: true
    list: {columns: [name, cost, done]}
    detail: {sections: [{fields: [name]}]}
    create: {fields: [name]}
"""
CUSTOMER = """
modules:
  services: {can: [edit, export], edit: {fields: [name, partners]}}
  companies: {see: organization}
  people: {see: own}
  tickets: {can: [create, comment]}
"""
STAFF = """
staff: true
modules:
  services: {see: all, can: [edit, export]}
  companies: {see: all}
  people: {see: all}
  tickets: {see: all, can: [create, comment], create: {fields: [name, caller]}}
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def opened(request):
    """Two services of Acme and Globex; Anna belongs to Acme."""
    people = [AccessRequest(ANNA, "customer", "Anna"), AccessRequest(NANCY, "staff", "Nancy")]
    with written_world(request, MODULES, people, customer=CUSTOMER, staff=STAFF) as world:
        fill(world)
        yield world, world.rows()


@pytest.fixture
def shared(opened):
    """The same; each test is rolled back."""
    world, rows = opened
    yield world
    world.put_back(rows)


def fill(world):
    acme, globex, zeta = (world.link("companies", name=name) for name in ("Acme", "Globex secret", "Zeta secret"))
    world.set("people", world.the("people", "Anna").id, company=acme)
    world.add("services", name="First", customers=(globex, acme), partners=(globex, acme))
    world.add("services", name="Second", customers=(acme, zeta), partners=(zeta,))


def test_the_links_that_say_whose_a_record_is_are_in_no_generated_layout_of_customers(shared):
    page = shared[ANNA].get("/services/")
    assert titles(page) == ["Second", "First"]
    assert "Customers" not in page
    assert "Customers" in shared[NANCY].get("/services/")
    assert "Customers" not in shared[ANNA].get(f"/services/{shared.the('services', 'First').id}/")


def test_only_the_records_that_one_may_see_are_shown_exported_and_searched(shared):
    first = shared.the("services", "First").id
    for address in ("/services/", f"/services/{first}/", f"/services/{first}/edit", "/services/export.csv"):
        page = shared[ANNA].get(address)
        assert "Acme" in page
        assert "secret" not in page
        assert "Globex secret" in shared[NANCY].get(address)
    assert titles(shared[ANNA].get("/services/?q=acme")) == ["First"]
    assert titles(shared[ANNA].get("/services/?q=secret")) == []
    assert "No " in shared[ANNA].get("/services/?q=globex")
    assert titles(shared[NANCY].get("/services/?q=globex")) == ["First"]


@pytest.mark.parametrize(("query", "of_anna", "of_nancy"), [
    ("partners=acme", ["First"], ["First"]),
    ("partners=secret", [], ["Second", "First"]),
    ("partners.id=2", [], ["First"]),
    ("partners.empty=1", ["Second"], []),
    ("sort=partners", ["First", "Second"], ["First", "Second"]),
    ("sort=-partners", ["First", "Second"], ["Second", "First"]),
])  # fmt: skip
def test_filters_and_sorts_know_only_the_records_that_one_may_see(shared, query, of_anna, of_nancy):
    assert titles(shared[ANNA].get(f"/services/?{query}")) == of_anna
    assert titles(shared[NANCY].get(f"/services/?{query}")) == of_nancy


def test_an_edited_record_keeps_the_links_that_its_editor_does_not_see(shared):
    first = shared.the("services", "First").id
    form = shared[ANNA].get(f"/services/{first}/edit").forms
    page = next(form for form in form.values() if "name" in form.fields)
    page["name"] = "Renamed"
    page.submit(status=303)
    kept = {link.title for link in shared.record("services", first).values["partners"]}
    assert kept == {"Acme", "Globex secret"}


def test_a_related_list_leads_by_the_owner_even_if_no_layout_shows_it(shared):
    anna = shared.the("people", "Anna")
    for number in range(3):
        shared.add("tickets", name=f"Ticket {number}", caller=anna)
    page = shared[ANNA].get(f"/people/{anna.id}/")
    assert [page.text.count(f"Ticket {number}") for number in range(3)] == [1, 1, 1]
    related = page.html.find("h2", string=lambda text: text and "Tickets" in text).find_parent("section")
    assert related.find(class_="count").text.strip() == "3"
    assert "New ticket" not in related.text, "the form of this profile has no caller"
    assert "New ticket" in shared[NANCY].get(f"/people/{anna.id}/")


def comment(world, browser, record, text, internal=False):
    page = browser.get(f"/tickets/{record}/")
    form = next(form for form in page.forms.values() if "text" in form.fields)
    form["text"] = text
    if internal:
        form["internal"] = True
    form.submit(status=303)


def test_the_search_covers_the_conversation_internal_comments_for_staff_alone(shared):
    ticket = shared.add("tickets", name="Router", caller=shared.the("people", "Anna"))
    other = shared.add("tickets", name="Later", caller=shared.the("people", "Anna"))
    comment(shared, shared[NANCY], ticket, "Have you tried the zebra?")
    comment(shared, shared[NANCY], ticket, "The giraffe must not know", internal=True)
    assert titles(shared[ANNA].get("/tickets/?q=zebra")) == ["Router"]
    assert titles(shared[ANNA].get("/tickets/?q=giraffe")) == []
    assert titles(shared[NANCY].get("/tickets/?q=giraffe")) == ["Router"]
    comment(shared, shared[NANCY], other, "okapi", internal=True)
    assert titles(shared[NANCY].get("/tickets/?q=okapi")) == ["Later"]
    assert titles(shared[ANNA].get("/tickets/?q=r")) == titles(shared[ANNA].get("/tickets/?q=o")) == []


AS_PEOPLE_WRITE = (
    "1234", "1,234.50", "€ 1.234,50", "2024-03-05", "5/3/2024", "5 March", "wifi", "Wi-Fi", "wi-fi lodz", "ŁÓDŹ",
    "Łódz", "o'neil", "O’Neil", "aero", "ærø", "strasse", "isik", "thor",
)  # fmt: skip


def test_the_search_finds_what_lists_show_as_people_write_it(shared):
    name = "Wi-Fi in Łódź, O’Neil, Ærø, Straße, Işık, Þór"
    cost, done = Money(Decimal("1234.50"), "EUR"), datetime.date(2024, 3, 5)
    shared.add("tickets", name=name, caller=shared.the("people", "Anna"), cost=cost, done=done)
    missed = [text for text in AS_PEOPLE_WRITE if not titles(shared[ANNA].get("/tickets/", params={"q": text}))]
    assert missed == []
    assert titles(shared[ANNA].get("/tickets/?q=1235")) == []


def test_the_key_of_a_page_tells_nothing_that_may_not_be_read(shared):
    anna = shared.the("people", "Anna")
    ids = [shared.add("tickets", name=f"Ticket {number}", caller=anna) for number in range(30)]
    for query, browser in (("", shared[ANNA]), ("?q=ticket", shared[ANNA]), ("", shared[NANCY])):
        page = browser.get(f"/tickets/{query}")
        following = way(page, "next")
        key = parse_qs(urlsplit(following).query)["after"][0]
        if not query:
            key = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)).decode()
        assert key.strip("[]") == str(ids[5]), "neither when a record was changed nor how much changes elsewhere"
        assert titles(browser.get(following)) == [f"Ticket {number}" for number in range(4, -1, -1)]
        back = browser.get(way(browser.get(following), "prev"))
        assert titles(back) == titles(page)
