"""The history of a record, as each side may read it, on its page and in the history of all records."""

import re
from html import unescape

import pytest
import sqlalchemy as sa

from portal.database.engine import writing
from portal.fields.linked_value import Linked
from portal.records.reading.stored_events import MOST_STORED
from tests.functional.conftest import without_tokens
from tests.functional.orders_portal import edit, new_order
from tests.functional.world import ANNA, CARLA, NANCY, NOW

pytestmark = pytest.mark.sqlite_suffices


def lines(page):
    """The lines of a history, as text."""
    text = re.search(r'<ol class="changes">.*?</ol>', page.text, re.DOTALL)
    items = re.findall(r"<li>(.*?)</li>", text[0] if text else "", re.DOTALL)
    return [" ".join(unescape(re.sub(r"<svg.*?</svg>|<time.*?</time>|<[^>]+>", " ", item)).split()) for item in items]


def test_each_reader_reads_the_changes_of_fields_that_they_may_read(orders):
    address = new_order(orders)
    edit(orders, address, priority="high", weight="5", margin="12 percent", body="A long text")
    assert lines(orders[NANCY].get(address))[0] == (
        "You Body Changed Margin Empty changed to 12 percent Priority Low changed to High Weight Empty changed to 5"
    )
    assert lines(orders[ANNA].get(address)) == [
        "Nancy Smith Body Changed Priority Low changed to High",
        "History · Created",
    ]


def test_an_event_of_which_nothing_may_be_read_does_not_appear(orders):
    address = new_order(orders)
    before = orders[ANNA].get(f"{address}history")
    edit(orders, address, weight="9", margin="secret")
    orders[NANCY].send(f"{address}comments", {"text": "An internal word", "internal": "true"})
    assert len(lines(orders[NANCY].get(address))) == 3
    assert without_tokens(orders[ANNA].get(f"{address}history")) == without_tokens(before)


def test_what_moved_a_record_and_who_said_something(orders):
    address = new_order(orders)
    orders[NANCY].send(f"{address}comments", {"text": "Which colour?"})
    orders[ANNA].send(f"{address}move/finish")
    assert lines(orders[ANNA].get(address)) == [
        "You Status Waiting changed to Done",
        "Nancy Smith Status New changed to Waiting",
        "Nancy Smith · Comment added",
        "History · Created",
    ]
    assert "Weight Empty changed to 7" in lines(orders[NANCY].get(address))[0]


def test_a_long_history_is_read_in_parts_and_shows_the_same(orders):
    address = new_order(orders)
    orders[NANCY].send(f"{address}comments", {"text": "Which colour?"})
    orders[ANNA].send(f"{address}move/finish")

    def shown(page):
        return lines(page), str(page.html.find(class_="progress"))

    before = [shown(orders[person].get(address)) for person in (ANNA, NANCY)]
    unreadable = {"module": "orders", "record": int(address.split("/")[2]), "kind": "edited", "at": NOW}
    unreadable |= {"internal": False, "details": {"fields": ["taken_out"]}}
    with writing(orders.portal.engine) as connection:
        connection.execute(sa.insert(orders.portal.tables.event), [unreadable] * (2 * MOST_STORED))
    assert [shown(orders[person].get(address)) for person in (ANNA, NANCY)] == before
    assert before[0][1].count("done") == 2


def test_what_was_internal_at_the_time_stays_internal(orders):
    address = new_order(orders)
    edit(orders, address, margin="12 percent", priority="high")
    record_id = int(address.split("/")[2])
    with_priority_private(orders, record_id)
    assert lines(orders[ANNA].get(address)) == ["History · Created"]
    assert "Priority Low changed to High" in lines(orders[NANCY].get(address))[0]


def with_priority_private(orders, record_id):
    """Makes the priority internal at the time of its change."""
    event = orders.portal.tables.event
    of_record = event.c["module"] == "orders", event.c["record"] == record_id, event.c["kind"] == "edited"
    with writing(orders.portal.engine) as connection:
        details = connection.scalar(sa.select(event.c["details"]).where(*of_record))
        private = {**details, "private": ["margin", "priority"]}
        connection.execute(sa.update(event).where(*of_record).values(details=private))


def test_a_linked_record_has_its_current_title_and_the_last_one_when_it_is_gone(orders):
    helper = orders.add("people", name="Hugo Old", email="hugo@acme.example")
    address = new_order(orders, helper=Linked(helper, "people", "Hugo Old"))
    record_id = int(address.split("/")[2])
    orders.set("people", helper, name="Hugo New")
    orders.set("orders", record_id, helper=None)
    assert lines(orders[ANNA].get(address))[0] == "History Helper Hugo New changed to Empty"
    orders.remove("people", helper)
    assert lines(orders[ANNA].get(address))[0] == "History Helper Hugo New changed to Empty"


def test_labels_are_those_of_the_reader(orders):
    address = new_order(orders)
    edit(orders, address, priority="high")
    page = orders[ANNA].get(address, headers={"Cookie": f"{cookies(orders[ANNA])}; portal_language=it"})
    assert lines(page)[0] == "Nancy Smith Priority Bassa cambiato in Alta"


def cookies(browser):
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookiejar)


def test_a_long_history_has_pages(orders):
    address = new_order(orders)
    record_id = int(address.split("/")[2])
    for number in range(60):
        orders.set("orders", record_id, priority=("high", "low")[number % 2])
    assert len(lines(orders[ANNA].get(address))) == 10
    first = orders[ANNA].get(f"{address}history")
    second = first.click("Older")
    assert (len(lines(first)), len(lines(second))) == (50, 11)
    assert lines(second)[-1] == "History · Created"


def test_a_layout_may_do_without_and_foreign_histories_are_not_found(orders):
    plain = f"/plain/{orders.add('plain', name='Plain')}/"
    assert 'class="changes"' not in orders[ANNA].get(plain)
    assert orders[ANNA].see(f"{plain}history").status_int == 404
    foreign = new_order(orders, CARLA)
    assert orders[ANNA].see(f"{foreign}history").status_int == 404
    assert orders[ANNA].see("/-/history").status_int == 404


def test_administrators_read_and_narrow_what_happened_to_all_records(orders):
    address = new_order(orders, name="Lamp shades")
    number = int(address.split("/")[2])
    edit(orders, address, priority="high")
    page = orders[NANCY].get("/-/history")
    assert lines(page)[0].endswith("Lamp shades You Priority Low changed to High")
    assert lines(page)[0].startswith("Order · O")
    reference = re.search(r"O\d+", lines(page)[0])[0]
    assert len(lines(orders[NANCY].get(f"/-/history?record={reference}"))) == 2
    assert len(lines(orders[NANCY].get("/-/history?record=lamp+shades&who=nancy"))) == 1
    assert lines(orders[NANCY].get("/-/history?module=plain&who=nancy")) == []
    assert lines(orders[NANCY].get("/-/history?from=2030-01-01")) == []
    assert lines(orders[NANCY].get("/-/history?to=2030-01-01&module=orders")) != []
    assert "Enter a date" in orders[NANCY].get("/-/history?from=soon")
    assert orders[NANCY].get("/-/history?before=x&module=nothing&record=%F0%9F%98%80").status_int == 200
    orders[NANCY].send(f"/orders/{number}/delete")
    assert lines(orders[NANCY].get("/-/history"))[0] == f"Order (deleted) You · Deleted: {reference}"
    assert "High" not in lines(orders[NANCY].get("/-/history"))[1]
