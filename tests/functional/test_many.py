"""Actions on many records at once: chosen ones, or all that match; each is reported."""

import re

import pytest

from portal.fields.linked_value import Linked
from tests.functional.world import ANNA, BRUNO, CARLA, EDDA, NANCY
from tests.workbooks import cells_of

pytestmark = pytest.mark.sqlite_suffices


@pytest.fixture
def requests(world):
    """Three requests by Anna, new, resolved and new; and one by Carla."""
    ids = []
    for number, state in enumerate(("new", "resolved", "new", "new")):
        name, firm = ("Anna Rossi", "Acme") if number < 3 else ("Carla Neri", "Globex")
        company, person = world.the("companies", firm), world.the("people", name)
        service = world.link("services", name=f"Service {number}", customers=(company,))
        values = {"caller": person, "company": company, "service": service, "status": state}
        ids.append(world.add("requests", name=f"Request {number}", body="x", **values))
    return ids


def one_more(world, title, **values):
    caller, service = world.the("people", "Anna Rossi"), world.the("services", "Service 0")
    return world.add("requests", name=title, body="x", caller=caller, service=service, **values)


def states(world, requests):
    return [world.record("requests", each).values["status"] for each in requests]


def bulk(world, who, do, ids=(), query="", **more):
    pairs = [("do", do), *(("ids", str(each)) for each in ids), *more.items()]
    return world[who].send(f"/requests/bulk{query}", pairs)


def question_of(answer):
    return next(form for form in answer.forms.values() if form.action.startswith("/requests/bulk"))


def test_chosen_records_are_moved_and_each_is_reported(world, requests):
    answer = bulk(world, ANNA, "resolve", [*requests, 999999])
    assert answer.status_int == 200
    assert states(world, requests) == ["resolved", "resolved", "resolved", "new"]
    assert "Done: 2 records" in answer
    assert "3 records were left as they are." in answer
    assert "This is not possible in its current status." in answer
    foreign, missing = (
        re.search(rf"<span>{each}</span>(.*?)</li>", answer.text, re.DOTALL)[1] for each in (requests[3], 999999)
    )
    assert foreign == missing
    assert "Request 3" not in answer


def test_what_is_asked_is_asked_once(world, requests):
    question = bulk(world, NANCY, "ask_back", requests)
    assert question.status_int == 200
    assert "4 records" in question
    assert states(world, requests) == ["new", "resolved", "new", "new"]
    refused = question_of(question).submit(status=422)
    assert "Enter a comment." in refused
    form = question_of(refused)
    form["comment"] = "Which <floor>?"
    answer = form.submit()
    assert states(world, requests) == ["waiting", "resolved", "waiting", "waiting"]
    assert [row["text"] for row in world.rows()["portal_comment"]] == ["Which <floor>?"] * 3
    assert "Done: 3 records" in answer
    assert form.submit().status_int == 303, "sent twice, done once"
    assert len(world.rows()["portal_comment"]) == 3


def test_answers_in_the_first_request_skip_the_question(world, requests):
    bulk(world, NANCY, "ask_back", requests[:1], comment="Which?")
    assert states(world, requests)[0] == "waiting"
    world.set("requests", requests[0], status="resolved")
    assert bulk(world, ANNA, "close", requests[:2], satisfaction="9").status_int == 422
    assert bulk(world, ANNA, "close", requests[:2], satisfaction="4").status_int == 200
    assert states(world, requests)[:2] == ["closed", "closed"]


@pytest.mark.parametrize("by_address", [True, False])
def test_all_that_match_on_all_pages_are_exactly_those_that_were_asked_about(world, requests, by_address):
    if by_address:
        question = bulk(world, NANCY, "resolve", query="?tab=all&status=new&q=request", all="1")
    else:
        question = bulk(world, NANCY, "resolve", tab="all", status="new", q="request", all="1")
    assert "3 records" in question
    late = one_more(world, "Request 9", status="new")
    question_of(question).submit()
    assert states(world, [*requests, late]) == ["resolved", "resolved", "resolved", "resolved", "new"]


def test_all_is_what_this_reader_sees(world, requests):
    question_of(bulk(world, ANNA, "resolve", query="?tab=all&status=new", all="1")).submit()
    assert states(world, requests) == ["resolved", "resolved", "resolved", "new"]


def test_deleting_is_asked_for_and_what_is_needed_stays(world, requests):
    one_more(world, "Follows", previous=Linked(requests[0], "requests"))
    question = bulk(world, NANCY, "delete", requests)
    assert len(world.all("requests")) == 5
    answer = question_of(question).submit()
    assert "Done: 3 records" in answer
    assert "is still linked to this one" in answer
    assert [record.title for record in world.all("requests")] == ["Request 0", "Follows"]


def test_chosen_records_are_exported(world, requests):
    file = bulk(world, NANCY, "export", [requests[2], requests[0], 999999], query="?tab=all&sort=name")
    assert file.content_type == "text/csv"
    assert re.findall(r"Request \d", file.text) == ["Request 0", "Request 2"]
    assert re.findall(r"Request \d", bulk(world, NANCY, "export", query="?status=resolved&tab=all", all="1").text) == [
        "Request 1"
    ]
    exported = bulk(world, BRUNO, "export", requests, query="?tab=all&sort=name").text
    assert re.findall(r"Request \d", exported) == ["Request 0", "Request 1", "Request 2"]
    sheet = cells_of(bulk(world, NANCY, "export.xlsx", requests[:2], query="?tab=all&sort=name").body)
    assert [row[1] for row in sheet[1:]] == ["Request 0", "Request 1"]
    for kind in ("export", "export.xlsx"):
        assert bulk(world, ANNA, kind, requests).status_int == 404


def test_what_a_profile_may_not_do_to_one_it_may_not_do_to_many(world, requests):
    before = world.rows()
    refused = ((ANNA, "delete"), (ANNA, "ask_back"), (CARLA, "help"), (NANCY, "made_up"), (NANCY, ""))
    for who, do in (*refused, (NANCY, "cancel")):  # the last says bulk: false
        assert bulk(world, who, do, requests).status_int == 404, do
    assert world[ANNA].send("/ledgers/bulk", {"do": "delete", "ids": "1"}).status_int == 404
    assert world[ANNA].see("/requests/bulk").status_int in (404, 405)
    assert world.rows() == before


def test_odd_input_does_nothing(world, requests):
    before = states(world, requests)
    assert bulk(world, ANNA, "resolve").status_int == 303
    for ids in (["x"], ["0", "-1"], ["9" * 40], [",,,"], ["1.5"]):
        assert bulk(world, ANNA, "resolve", ids).status_int in (200, 303)
    assert bulk(world, ANNA, "resolve", [",".join(map(str, range(1, 1_200)))]).status_int == 422
    assert world[ANNA].post("/requests/bulk", {"do": "resolve", "ids": str(requests[0])}, status="*").status_int == 400
    for query in ("modified.min=soon", "q=modified:soon", "status=nothing_like_it"):
        answer = bulk(world, ANNA, "resolve", query=f"?tab=all&{query}", all="1", _sure="1")
        assert answer.status_int == 303, "all would be more than was asked for"
    assert states(world, requests) == before


def test_checkboxes_are_where_something_can_be_done(world, requests):
    world.add("articles", name="Public", published=True)
    assert 'name="ids"' not in world[ANNA].get("/articles/")
    assert 'name="ids"' not in world[EDDA].get("/requests/?tab=all")  # nothing there
    page = world[NANCY].get("/requests/?tab=all&q=request")
    assert page.text.count('name="ids"') == 4
    assert page.forms["chosen-form"].action == "/requests/bulk?tab=all&q=request"
    assert 'value="cancel"' not in page
    assert not page.html.select_one("label:has([name=all])").has_attr("hidden")
    page = world[NANCY].get("/requests/?tab=all&name=Request+1")
    assert page.html.select_one("label:has([name=all])").has_attr("hidden"), "one record is not all of them"
