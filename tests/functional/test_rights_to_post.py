"""Whatever is sent to a record and below it: by someone who may only read, to a record in a final state, and with the
ids of what they may not see."""

import pytest
import sqlalchemy as sa

from portal.accounts.accounts import find_account
from portal.database.engine import writing
from tests.declared_views import BY_PROGRAMS, INPUTS, POSTED, POSTED_TO_MODULE
from tests.functional.conftest import without_tokens
from tests.functional.world import ANNA, BRUNO, CARLA, NANCY, NOW, PEOPLE_MODULES, written_world

pytestmark = pytest.mark.sqlite_suffices

MODULES = f"""{PEOPLE_MODULES}
  requests:
    organization: company
    watchers: true
    attachments: true
    comments: {{correct: 1 hour}}
    fields:
      name: text
      company: {{type: link, to: companies}}
      status: {{type: choice, options: [new, resolved, closed]}}
    lifecycle:
      field: status
      transitions:
        resolve: {{from: new, to: resolved}}
        reopen: {{from: resolved, to: new}}
        ask_back: {{from: resolved, to: new}}
        close: {{from: resolved, to: closed}}
"""
READS = "modules: {requests: {see: all}, people: {see: all}, companies: {see: all}}\n"
MAY_ALL = "[create, edit, delete, comment, attach, watch, resolve, reopen, ask_back, close]"
DOES = f"modules: {{requests: {{see: organization, can: {MAY_ALL}}}, people: {{see: all, can: [grant]}}}}\n"
STAFF = "staff: true\n" + DOES.replace("see: organization", "see: all")
# What changes nothing but the reader's own marks; and what else may be done to a record in a final state.
OWN_MARKS, OWN_LISTS = {"seen", "hide"}, {"seen", "columns", "views"}
EVEN_FINAL = {"delete", "watchers", "comments/COMMENT/edit", "comments/COMMENT/withdraw"}
EVEN_FINAL_BY_PROGRAMS = {
    *(("DELETE", ""), ("POST", "watchers"), ("DELETE", "watchers/PERSON")),
    *(("PATCH", "comments/COMMENT"), ("DELETE", "comments/COMMENT"), ("POST", "files")),  # without a file here
}
REFUSED = (404, 405, 409)
SECRET = "zqsecret"


# Comments and files, each with the same id: their author, their record, and whether Bruno may read them. The last is
# about the record of another module that has the same id.
WRITTEN = (
    (ANNA, "requests", 1, True), (BRUNO, "requests", 2, True), (CARLA, "requests", 3, False),
    (NANCY, "requests", 1, False), (NANCY, "companies", 1, False),
)  # fmt: skip


@pytest.fixture(scope="module")
def world(request):
    """Records 1 of Acme, which is new, 2, which is closed, and 3 of Globex; Carla watches all, and WRITTEN."""
    with written_world(request, MODULES, customer=READS, power=DOES, staff=STAFF) as world:
        watcher, tables = world.the("people", "Carla Neri").id, world.portal.tables
        for company, status in (("Acme", "new"), ("Acme", "closed"), ("Globex", "new")):
            world.add("requests", name=status, status=status, company=world.the("companies", company))
        with writing(world.portal.engine) as connection:
            for email, module, record, is_readable in WRITTEN:
                about = {"module": module, "record": record}
                author = {"account": find_account(connection, tables, email).id, "author": email, "staff": False}
                written = {**about, **author, "internal": not is_readable, "created": NOW}
                text = "Hello" if is_readable else SECRET
                connection.execute(sa.insert(tables.comment).values(**written, text=text))
                connection.execute(
                    sa.insert(tables.file).values(**written, name=text, size=1, media_type="text/plain", stored="x")
                )
            for record in (1, 2, 3):
                connection.execute(sa.insert(tables.watcher).values(module="requests", record=record, person=watcher))
        yield world


@pytest.mark.parametrize("module", ["requests", "people", "companies"])
def test_who_may_only_read_changes_nothing_but_their_own_marks(world, module):
    targets = [f"/{module}/{name}" for name in {*POSTED_TO_MODULE} - OWN_LISTS]
    targets += [address(1, more, module) for more in {*POSTED} - OWN_MARKS]
    assert taken(world, ANNA, targets) == [], "the view lacks a permission, or changes only OWN_MARKS"


def test_a_record_in_a_final_state_stays_as_it_is(world):
    targets = [address(2, more) for more in {*POSTED} - OWN_MARKS - EVEN_FINAL]
    assert taken(world, BRUNO, targets) == [], "refuse it as records/writing/writer.py does, or name it in EVEN_FINAL"


def test_what_others_wrote_on_a_record_stays_as_it_is(world):
    of_others = [address(1, more) for more in POSTED if "COMMENT" in more or "FILE" in more]
    assert of_others
    assert taken(world, BRUNO, of_others) == [], "only its author may do this to a comment or a file"


@pytest.mark.parametrize("secret_id", [3, 4, 5])
def test_ids_in_a_form_lead_to_nothing_that_its_author_may_not_see(world, secret_id):
    before = world.rows()
    for more in {*POSTED} - {"delete"}:  # which takes along what is internal
        answer = world[BRUNO].send(address(1, more), dict.fromkeys(INPUTS, str(secret_id)))
        after = world.rows()
        old, new = secrets(before), secrets(after)
        assert [row for row in (*old, *new) if (row in old) != (row in new)] == [], f"changed by {more}"
        assert SECRET not in answer, f"shown by {more}"
        if after != before:
            world.put_back(before)


def secrets(rows):
    """What Bruno may not see."""
    foreign = [row for row in rows["requests"] if row["id"] == 3]
    return foreign + [
        row for name in ("portal_comment", "portal_file", "portal_event", "portal_watcher") for row in rows[name]
        if (row["module"], row["record"]) not in {("requests", 1), ("requests", 2)} or row.get("internal")
    ]  # fmt: skip


def test_what_happens_to_something_internal_changes_nothing_for_customers(world):
    before, page = world.rows(), without_tokens(world[ANNA].get("/requests/1/"))
    hidden = 0
    for more in {*POSTED} - {"delete"}:
        target = f"/requests/1/{more}".replace("COMMENT", "4").replace("FILE", "4")
        world[NANCY].send(target, dict.fromkeys(INPUTS, "4"))
        after = world.rows()
        if public(after) == public(before):
            is_seen = without_tokens(world[ANNA].get("/requests/1/")) != page
            assert not is_seen, f"customers see a difference after {more}: is its event internal?"
            hidden += secrets(after) != secrets(before)
        if after != before:
            world.put_back(before)
    assert hidden >= 3


def public(rows):
    tables = ("requests", "portal_comment", "portal_file", "portal_watcher")
    return [row for name in tables for row in rows[name] if not row.get("internal")]


def taken(world, email, targets):
    """Those of the addresses that do not refuse what someone posts."""
    before = world.rows()
    form = {"text": "forged", "comment": "forged", "name": "forged", "_version": "1"}
    answers = {target: world[email].send(target, form).status_int for target in targets}
    found = sorted(target for target, status in answers.items() if status not in REFUSED)
    assert found or world.rows() == before
    return found


@pytest.mark.parametrize(
    ("email", "record", "allowed"), [(ANNA, 1, set()), (BRUNO, 2, EVEN_FINAL_BY_PROGRAMS)], ids=["reader", "final"]
)
def test_the_same_for_programs(world, email, record, allowed):
    program = world.program(email)
    before = world.rows()
    answers = {}
    for method, more in {*BY_PROGRAMS} - allowed:
        body = {"text": "forged"} if more.startswith("comments") else {}
        if method != "GET":
            answers[method, more] = program.call(method, address(record, more).strip("/"), body).status_int
    assert sorted(each for each, status in answers.items() if status not in REFUSED) == []
    assert world.rows() == before


def address(record, more, module="requests"):
    return f"/{module}/{record}/{more}".replace("COMMENT", str(record)).replace("FILE", str(record))
