"""What is new to an account: marks in lists, numbers in the menu and at home, “seen”, and hidden records."""

import datetime
import re

import pytest
import sqlalchemy as sa

from portal.database.engine import writing
from portal.records.writing.history import SYSTEM
from portal.records.writing.module_rows import new_row
from portal.records.writing.seen_and_hidden import mark_seen
from tests.functional.conftest import without_tokens
from tests.functional.orders_portal import edit, new_order
from tests.functional.world import ANNA, BRUNO, CARLA, DARIO, NANCY, titles

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def fresh(orders):
    """The portal, an hour later, when nothing is new to anyone."""
    orders.clock.now += HOUR
    for email in (ANNA, BRUNO, CARLA, NANCY):
        orders[email].send("/orders/seen")
    orders.clock.now += HOUR
    return orders


def later(world):
    world.clock.now += HOUR


def number(browser, address="/"):
    """How many orders are new according to the menu; 0 if it shows no number."""
    menu = re.search(r'<nav class="menu".*?</nav>', browser.get(address).text, re.DOTALL)[0]
    item = re.search(r'href="/orders/".*?</a>', menu, re.DOTALL)[0]
    count = re.search(r'class="count new">(\d+\+?)', item)
    return count[1] if count else "0"


def unread(browser):
    """The titles of the orders that the list marks as new."""
    rows = re.findall(r'<tr class="unread">(.*?)</tr>', browser.get("/orders/").text, re.DOTALL)
    assert all("New:" in row for row in rows)
    return [re.search(r'class="cover"[^>]*>([^<]*)', row)[1] for row in rows]


def shown(browser, address):
    """A page without its greeting, which changes with the hour."""
    return re.sub("<h1>Good [^<]*|<h1>Hello[^<]*", "", without_tokens(browser.get(address)))


def look(browser, address):
    """Opens a record, and marks it as seen as shown."""
    form = next(form for form in browser.get(address).forms.values() if form.action == f"{address}seen")
    form.submit(status=303)


def test_what_others_do_is_new_until_it_is_looked_at(fresh):
    fresh[ANNA].get("/orders/?tab=done&sort=name")  # a page without records
    address = new_order(fresh, name="Desk")
    assert unread(fresh[ANNA]) == ["Desk"]
    assert (number(fresh[ANNA]), number(fresh[NANCY], "/plain/"), number(fresh[CARLA])) == ("1", "1", "0")
    assert "New for you" in fresh[ANNA].get("/")
    fresh[ANNA].get(address)  # reading alone writes nothing
    assert number(fresh[ANNA]) == "1"
    look(fresh[ANNA], address)
    assert (unread(fresh[ANNA]), number(fresh[ANNA])) == ([], "0")
    assert "New for you" not in fresh[ANNA].get("/")
    assert f"{address}seen" not in fresh[ANNA].get(address)
    later(fresh)
    fresh[NANCY].send(f"{address}comments", {"text": "Which colour?"})
    assert unread(fresh[ANNA]) == ["Desk"]
    assert number(fresh[NANCY]) == "0"  # whoever writes has seen it
    assert number(fresh[BRUNO]) == "1"


def test_tabs_say_how_many_of_their_records_are_new(fresh):
    def of_tabs(address):
        tabs = re.search(r'<nav class="tabs".*?</nav>', fresh[NANCY].get(address).text, re.DOTALL)[0]
        return re.findall(r"tab=(\w+)[^>]*>(?:(?!</a>).)*?class=\"count\" title=\"(\d+) new", tabs, re.DOTALL)

    assert of_tabs("/orders/") == []
    new_order(fresh, CARLA, name="Desk")
    new_order(fresh, name="Lamp", status="done", helper=fresh.the("people", "Nancy Smith"))
    assert of_tabs("/orders/") == [("all", "2"), ("new", "1"), ("mine", "1")]
    assert of_tabs("/orders/?tab=late") == [("all", "2"), ("new", "1"), ("mine", "1")]  # though it is empty itself
    assert of_tabs("/orders/?q=desk") == []  # a search has tabs of its own hits
    fresh[NANCY].send("/orders/seen")
    assert of_tabs("/orders/") == []


def test_what_happened_before_an_account_began_is_not_new_to_it(fresh):
    with writing(fresh.portal.engine) as connection:
        connection.execute(sa.delete(fresh.portal.tables.seen))
    fresh.account(ANNA, news_from=fresh.clock.now)
    later(fresh)
    new_order(fresh)
    assert number(fresh[ANNA]) == "1"
    fresh.account(ANNA, news_from=None)  # an account of an older portal, until it signs in again
    assert number(fresh[ANNA]) == "0"
    fresh.signed_in(ANNA)
    later(fresh)
    new_order(fresh)
    assert number(fresh[ANNA]) == "1"


def test_what_happened_after_the_page_was_shown_is_not_seen(fresh):
    address = new_order(fresh)
    form = next(form for form in fresh[ANNA].get(address).forms.values() if form.action == f"{address}seen")
    later(fresh)
    edit(fresh, address, priority="high")
    form.submit(status=303)
    assert number(fresh[ANNA]) == "1"
    fresh[ANNA].send(f"{address}seen")
    assert number(fresh[ANNA]) == "0"


def test_nothing_internal_is_new_to_customers_and_it_is_to_the_staff_who_had_seen_the_record(fresh):
    address = new_order(fresh)
    for email in (ANNA, BRUNO, NANCY):
        look(fresh[email], address)
    before = [shown(fresh[ANNA], page) for page in ("/", "/orders/", address)]
    later(fresh)
    fresh[NANCY].send(f"{address}comments", {"text": "He is difficult", "internal": "true"})
    assert [shown(fresh[ANNA], page) for page in ("/", "/orders/", address)] == before
    assert (number(fresh[BRUNO]), number(fresh[NANCY])) == ("1", "0")
    look(fresh[BRUNO], address)
    edit(fresh, address, margin="9 percent")
    assert (number(fresh[BRUNO]), number(fresh[ANNA])) == ("1", "0")


def test_the_list_says_who_spoke_last_beside_the_comments(fresh):
    address = new_order(fresh, name="Sofa")
    fresh[ANNA].send(f"{address}comments", {"text": "Hello"})
    later(fresh)
    fresh[NANCY].send(f"{address}comments", {"text": "Hm", "internal": "true"})
    assert "Anna Rossi" in row_of(fresh[NANCY], "Sofa")
    later(fresh)
    fresh[NANCY].send(f"{address}comments", {"text": "Yes?"})
    assert "You" in row_of(fresh[NANCY], "Sofa")


def row_of(browser, title):
    rows = re.findall(r"<tr.*?</tr>", browser.get("/orders/").text, re.DOTALL)
    return next(row for row in rows if title in row)


def test_a_hidden_record_is_left_out_until_something_happens(fresh):
    address, other = new_order(fresh, name="Hidden lamp"), new_order(fresh, name="Other lamp")
    fresh[NANCY].send(f"{address}hide", status=303)
    assert "Hidden lamp" not in titles(fresh[NANCY].get("/orders/"))
    assert "Other lamp" in titles(fresh[NANCY].get("/orders/"))
    assert "Hidden lamp" in titles(fresh[BRUNO].get("/orders/"))
    assert "Hidden lamp" in titles(fresh[NANCY].get("/orders/?q=hidden"))
    assert titles(fresh[NANCY].get("/orders/").click("Show", href="_hidden")) == ["Hidden lamp"]
    assert "Hidden from your lists" in fresh[NANCY].get(address)
    later(fresh)
    fresh[ANNA].send(f"{address}comments", {"text": "Hello?"})
    assert "Hidden lamp" in titles(fresh[NANCY].get("/orders/"))
    fresh[NANCY].send(f"{other}hide", status=303)
    fresh[NANCY].send(f"{other}hide", {"_hide": "false"}, status=303)
    assert "Other lamp" in titles(fresh[NANCY].get("/orders/"))


def test_the_export_leaves_out_what_is_hidden_as_the_list_does(fresh):
    address = new_order(fresh, name="Secret shelf")
    fresh[ANNA].send(f"{address}hide", status=303)
    assert "Secret shelf" not in fresh[ANNA].get("/orders/export.csv").text
    assert "Secret shelf" in fresh[ANNA].get("/orders/export.csv?q=shelf").text


def test_foreign_records_are_neither_counted_nor_seen_nor_hidden(fresh):
    before = [shown(fresh[CARLA], page) for page in ("/", "/orders/")]
    address = new_order(fresh)
    later(fresh)
    edit(fresh, address, priority="high")
    assert [shown(fresh[CARLA], page) for page in ("/", "/orders/")] == before
    rows = fresh.rows()["portal_seen"]
    for more in ("seen", "hide"):
        assert fresh[CARLA].send(f"{address}{more}").status_int == 404
        assert fresh[CARLA].see(f"{address}{more}").status_int == 404
        assert fresh[CARLA].post(f"{address}{more}", status="*").status_int in (400, 404)  # without the token
    assert fresh.rows()["portal_seen"] == rows


def test_modules_in_which_nothing_is_discussed_have_no_news(fresh):
    plain = f"/plain/{fresh.add('plain', name='Plain')}/"
    assert "seen" not in fresh[ANNA].get(plain).forms
    assert fresh[ANNA].send(f"{plain}seen").status_int == 404
    assert fresh[ANNA].send(f"{plain}hide").status_int == 404
    assert fresh[ANNA].send("/plain/seen").status_int == 404


def test_more_than_ninety_nine_are_not_counted_and_foreign_ones_count_for_nothing(fresh):
    new_order(fresh, ANNA)
    later(fresh)
    with writing(fresh.portal.engine) as connection:
        records = fresh.records(connection, "orders")
        caller = fresh.the("people", "Carla Neri")
        rows = [new_row(records, {"caller": caller}, 1000 + place, SYSTEM) for place in range(150)]
        connection.execute(sa.insert(records.table), rows)
    assert (number(fresh[CARLA]), number(fresh[ANNA])) == ("99+", "1")
    fresh[CARLA].send("/orders/seen")
    assert number(fresh[CARLA]) == "0"


def test_what_is_new_in_several_parts_of_a_scope_is_counted_exactly(fresh):
    reader = fresh.signed_in(DARIO)
    reader.send("/orders/seen")
    later(fresh)
    dario, carla = fresh.the("people", "Dario Blu"), fresh.the("people", "Carla Neri")
    with writing(fresh.portal.engine) as connection:
        records, account = fresh.records(connection, "orders"), fresh.portal.tables.account
        whose = [{"caller": dario}] * 60 + [{"caller": carla, "company": fresh.the("companies", "Globex")}] * 60
        rows = [new_row(records, of, 2000 + place, SYSTEM) for place, of in enumerate(whose)]
        connection.execute(sa.insert(records.table), rows)
        me = connection.scalar(sa.select(account.c["id"]).where(account.c["email"] == DARIO))
        for record_id in connection.scalars(sa.select(records.table.c["id"]).where(records.table.c["number"] >= 2012)):
            mark_seen(records, record_id, me, fresh.clock.now)
    assert number(reader) == "12"
