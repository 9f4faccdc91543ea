"""What happened to a record, as each side may read it, on its page and among that of all records."""

import re
from html import unescape

import pytest
import sqlalchemy as sa

from portal.accounts.register import AccessRequest
from portal.database.engine import writing
from portal.fields.linked import Linked
from tests.functional.conftest import without_tokens
from tests.functional.world import ANNA, BRUNO, CARLA, NANCY, World

MODULES = """
portal: {name: History, languages: [en, it], administrators: [staff]}
people: people
organizations: companies
modules:
  companies: {fields: {name: text}}
  people:
    organization: company
    fields: {name: text, email: {type: email, unique: true}, company: {type: link, to: companies}}
  orders:
    reference: "O{number}"
    owner: caller
    organization: company
    fields:
      name: text
      caller: {type: link, to: people}
      company: {type: link, to: companies}
      priority: {type: choice, options: {low: {en: Low, it: Bassa}, high: {en: High, it: Alta}}}
      body: longtext
      helper: {type: link, to: people}
      margin: {type: text, internal: true}
      weight: integer
      status: {type: choice, options: [new, waiting, done]}
    comments: true
    lifecycle:
      field: status
      transitions: {finish: {from: [new, waiting], to: done, set: {weight: 7}}, reopen: {from: done, to: new}}
      on_comment: {staff: {from: new, to: waiting}}
  plain: {see: all, detail: {history: false}, fields: {name: text}}
"""
CUSTOMER = """
modules:
  orders:
    see: own
    can: [comment, finish]
    list: {columns: [reference, name, status]}
    detail: {sections: [{fields: [body, priority, helper]}], aside: [status]}
  plain: {}
  people: {see: own}
  companies: {see: organization}
"""
STAFF = """
staff: true
modules:
  orders: {see: all, can: [create, edit, delete, comment, finish, reopen]}
  plain: {can: [create, edit]}
  people: {see: all, can: [create, edit, delete]}
  companies: {see: all}
"""
PEOPLE = (
    AccessRequest(ANNA, "customer", "Anna Rossi", "Acme"),
    AccessRequest(CARLA, "customer", "Carla Neri", "Globex"),
    AccessRequest(NANCY, "staff", "Nancy Smith", "Supplier"),
    AccessRequest(BRUNO, "staff", "Bruno Verdi", "Supplier"),
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request, tmp_path_factory):
    """A portal with customers of two companies and two of the staff, the administrators."""
    folder = tmp_path_factory.mktemp("history")
    (folder / "profiles").mkdir()
    (folder / "modules.yaml").write_text(MODULES, encoding="utf-8")
    (folder / "profiles" / "customer.yaml").write_text(CUSTOMER, encoding="utf-8")
    (folder / "profiles" / "staff.yaml").write_text(STAFF, encoding="utf-8")
    if request.param == "sqlite":
        world = World.of(folder, f"sqlite:///{folder / 'portal.sqlite'}", PEOPLE)
        yield world
        world.portal.engine.dispose()
        return
    with request.getfixturevalue("postgresql").empty_database() as url:
        world = World.of(folder, url, PEOPLE)
        yield world
        world.portal.engine.dispose()


def order(world, email=ANNA, **values):
    """A new order of that person; its address."""
    name = {ANNA: "Anna Rossi", CARLA: "Carla Neri"}[email]
    values = {"name": "Chairs", "caller": world.the("people", name), "priority": "low", **values}
    return f"/orders/{world.add('orders', **values)}/"


def lines(page):
    """The lines of a history, as text."""
    text = re.search(r'<ol class="changes">.*?</ol>', page.text, re.DOTALL)
    items = re.findall(r"<li>(.*?)</li>", text[0] if text else "", re.DOTALL)
    return [" ".join(unescape(re.sub(r"<svg.*?</svg>|<time.*?</time>|<[^>]+>", " ", item)).split()) for item in items]


def edit(world, address, **values):
    """Nancy edits the record in its form."""
    form = world[NANCY].get(f"{address}edit").forms
    form = next(form for form in form.values() if form.action == f"{address}edit")
    for name, value in values.items():
        form[name] = value
    form.submit(status=303)


def test_each_reader_reads_the_changes_of_fields_that_they_may_read(world):
    address = order(world)
    edit(world, address, priority="high", weight="5", margin="12 percent", body="A long text")
    assert lines(world[NANCY].get(address))[0] == (
        "You Body Changed Margin Empty changed to 12 percent Priority Low changed to High Weight Empty changed to 5"
    )
    assert lines(world[ANNA].get(address)) == [
        "Nancy Smith Body Changed Priority Low changed to High",
        "Portal · Created",
    ]


def test_an_event_of_which_nothing_may_be_read_does_not_appear(world):
    address = order(world)
    before = world[ANNA].get(f"{address}history")
    edit(world, address, weight="9", margin="secret")
    world[NANCY].send(f"{address}comments", {"text": "An internal word", "internal": "true"})
    assert len(lines(world[NANCY].get(address))) == 3
    assert without_tokens(world[ANNA].get(f"{address}history")) == without_tokens(before)


def test_what_moved_a_record_and_who_said_something(world):
    address = order(world)
    world[NANCY].send(f"{address}comments", {"text": "Which colour?"})
    world[ANNA].send(f"{address}move/finish")
    assert lines(world[ANNA].get(address)) == [
        "You Status Waiting changed to Done",
        "Nancy Smith Status New changed to Waiting",
        "Nancy Smith · Comment written",
        "Portal · Created",
    ]
    assert "Weight Empty changed to 7" in lines(world[NANCY].get(address))[0]


def test_what_was_internal_at_the_time_stays_internal(world):
    address = order(world)
    edit(world, address, margin="12 percent", priority="high")
    record_id = int(address.split("/")[2])
    with_priority_private(world, record_id)
    assert lines(world[ANNA].get(address)) == ["Portal · Created"]
    assert "Priority Low changed to High" in lines(world[NANCY].get(address))[0]


def with_priority_private(world, record_id):
    """As if the priority had been internal when it was changed."""
    event = world.portal.tables.event
    of_record = event.c["module"] == "orders", event.c["record"] == record_id, event.c["kind"] == "edited"
    with writing(world.portal.engine) as connection:
        details = connection.scalar(sa.select(event.c["details"]).where(*of_record))
        private = {**details, "private": ["margin", "priority"]}
        connection.execute(sa.update(event).where(*of_record).values(details=private))


def test_a_linked_record_bears_its_present_title_and_the_last_one_when_it_is_gone(world):
    helper = world.add("people", name="Hugo Old", email="hugo@acme.example")
    address = order(world, helper=Linked(helper, "people", "Hugo Old"))
    record_id = int(address.split("/")[2])
    world.set("people", helper, name="Hugo New")
    world.set("orders", record_id, helper=None)
    assert lines(world[ANNA].get(address))[0] == "Portal Helper Hugo New changed to Empty"
    world.remove("people", helper)
    assert lines(world[ANNA].get(address))[0] == "Portal Helper Hugo New changed to Empty"


def test_labels_are_those_of_the_reader(world):
    address = order(world)
    edit(world, address, priority="high")
    page = world[ANNA].get(address, headers={"Cookie": f"{cookies(world[ANNA])}; portal_language=it"})
    assert lines(page)[0] == "Nancy Smith Priority Bassa cambiato in Alta"


def cookies(browser):
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookiejar)


def test_a_long_history_has_pages(world):
    address = order(world)
    record_id = int(address.split("/")[2])
    for number in range(60):
        world.set("orders", record_id, priority=("high", "low")[number % 2])
    assert len(lines(world[ANNA].get(address))) == 10
    first = world[ANNA].get(f"{address}history")
    second = first.click("Older")
    assert (len(lines(first)), len(lines(second))) == (50, 11)
    assert lines(second)[-1] == "Portal · Created"


def test_a_layout_may_do_without_and_foreign_histories_are_not_found(world):
    plain = f"/plain/{world.add('plain', name='Plain')}/"
    assert 'class="changes"' not in world[ANNA].get(plain)
    assert world[ANNA].see(f"{plain}history").status_int == 404
    foreign = order(world, CARLA)
    assert world[ANNA].see(f"{foreign}history").status_int == 404
    assert world[ANNA].see("/-/history").status_int == 404


def test_administrators_read_and_narrow_what_happened_to_all_records(world):
    address = order(world, name="Lamp shades")
    number = int(address.split("/")[2])
    edit(world, address, priority="high")
    page = world[NANCY].get("/-/history")
    assert lines(page)[0].endswith("Lamp shades You Priority Low changed to High")
    assert lines(page)[0].startswith("Orders · O")
    reference = re.search(r"O\d+", lines(page)[0])[0]
    assert len(lines(world[NANCY].get(f"/-/history?record={reference}"))) == 2
    assert len(lines(world[NANCY].get("/-/history?record=lamp+shades&who=nancy"))) == 1
    assert lines(world[NANCY].get("/-/history?module=plain&who=nancy")) == []
    assert lines(world[NANCY].get("/-/history?from=2026-03-06")) == []
    assert lines(world[NANCY].get("/-/history?to=2026-03-05&module=orders")) != []
    assert "Enter a date" in world[NANCY].get("/-/history?from=soon")
    assert world[NANCY].get("/-/history?before=x&module=nothing&record=%F0%9F%98%80").status_int == 200
    world[NANCY].send(f"/orders/{number}/delete")
    assert lines(world[NANCY].get("/-/history"))[0] == f"Orders (deleted) You · Deleted: {reference}"
    assert "High" not in lines(world[NANCY].get("/-/history"))[1]
