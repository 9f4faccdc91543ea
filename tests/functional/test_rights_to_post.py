"""Whatever is sent to a record and below it: by someone who may only read, and to a record in a final state."""

import pytest
import sqlalchemy as sa

from portal.accounts.accounts import find_account
from portal.database.engine import writing
from tests.declared_views import BY_PROGRAMS, POSTED, POSTED_TO_MODULE
from tests.functional.world import ANNA, BRUNO, NOW, PEOPLE_MODULES, written_world

pytestmark = pytest.mark.sqlite_suffices

MODULES = f"""{PEOPLE_MODULES}
  requests:
    watchers: true
    attachments: true
    comments: true
    fields: {{name: text, status: {{type: choice, options: [new, resolved, closed]}}}}
    lifecycle:
      field: status
      transitions:
        resolve: {{from: new, to: resolved}}
        reopen: {{from: resolved, to: new}}
        ask_back: {{from: resolved, to: new}}
        close: {{from: resolved, to: closed}}
"""
READS = "modules: {requests: {see: all}, people: {see: all}, companies: {see: all}}\n"
MAY_ALL = "[create, edit, delete, comment, watch, resolve, reopen, ask_back, close]"
DOES = f"modules: {{requests: {{see: all, can: {MAY_ALL}}}, people: {{see: all, can: [grant]}}}}\n"
# What changes nothing but the reader's own marks; and what else may be done to a record in a final state.
OWN_MARKS, OWN_LISTS = {"seen", "hide"}, {"seen", "columns", "views"}
EVEN_FINAL = {"delete", "watchers"}
EVEN_FINAL_BY_PROGRAMS = {("DELETE", ""), ("POST", "watchers"), ("DELETE", "watchers/PERSON")}
REFUSED = (404, 405, 409)


@pytest.fixture(scope="module")
def world(request):
    """Records 1, which is new and Anna has written on, and 2, which is closed and Bruno has; Carla watches both."""
    with written_world(request, MODULES, customer=READS, power=DOES, staff="staff: true") as world:
        watcher = world.the("people", "Carla Neri").id
        tables = world.portal.tables
        for email, status in ((ANNA, "new"), (BRUNO, "closed")):
            about = {"module": "requests", "record": world.add("requests", name=status, status=status)}
            with writing(world.portal.engine) as connection:
                author = {"account": find_account(connection, tables, email).id, "author": email, "staff": False}
                written = {**about, **author, "internal": False, "created": NOW}
                connection.execute(sa.insert(tables.comment).values(**written, text="Mine"))
                connection.execute(sa.insert(tables.file).values(**written, name="mine.txt", size=1, stored="mine"))
                connection.execute(sa.insert(tables.watcher).values(**about, person=watcher))
        yield world


@pytest.mark.parametrize("module", ["requests", "people", "companies"])
def test_who_may_only_read_changes_nothing_but_their_own_marks(world, module):
    targets = [f"/{module}/{name}" for name in {*POSTED_TO_MODULE} - OWN_LISTS]
    targets += [address(1, more, module) for more in {*POSTED} - OWN_MARKS]
    assert taken(world, ANNA, targets) == [], "the view lacks a permission, or changes only OWN_MARKS"


def test_a_record_in_a_final_state_stays_as_it_is(world):
    targets = [address(2, more) for more in {*POSTED} - OWN_MARKS - EVEN_FINAL]
    assert taken(world, BRUNO, targets) == [], "refuse it as records/writing/writer.py does, or name it in EVEN_FINAL"


def taken(world, email, targets):
    """Those of the addresses that do not refuse what someone posts."""
    before = world.rows()
    form = {"text": "forged", "comment": "forged", "name": "forged", "_version": "1"}
    answers = {target: world[email].send(target, form).status_int for target in targets}
    assert world.rows() == before
    return sorted(target for target, status in answers.items() if status not in REFUSED)


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
