"""How a record moves: states, rights, questions; the conversation, and the comments that no customer gets."""

import gc
import re

import pytest
import sqlalchemy as sa

from portal.database.engine import reading
from tests.functional.conftest import form_of
from tests.functional.world import ANNA, BRUNO, CARLA, NANCY

pytestmark = pytest.mark.sqlite_suffices

STATES = ("new", "waiting", "answered", "resolved", "closed")
# Who may use which transition (written by hand), and where it leads.
COMMON = {"resolve", "reopen", "close"}
MAY = {ANNA: COMMON, BRUNO: COMMON, NANCY: {"ask_back", *COMMON}}
LEADS = {
    ("ask_back", "new"): "waiting", ("ask_back", "answered"): "waiting",
    ("resolve", "new"): "resolved", ("resolve", "waiting"): "resolved", ("resolve", "answered"): "resolved",
    ("reopen", "resolved"): "answered", ("close", "resolved"): "closed",
}  # fmt: skip
ANSWERS = {"comment": "Because", "satisfaction": "4"}


@pytest.fixture
def shop(world):
    """A request by Anna."""
    world.add("requests", name="Paper jam", **world.for_request())
    return world


def request(world):
    return world.all("requests")[0]


def page_of(world, person, more=""):
    return world[person].see(f"/requests/{request(world).id}/{more}")


def send(world, person, more, form=()):
    return world[person].send(f"/requests/{request(world).id}/{more}", form)


def status(world):
    return request(world).values["status"]


@pytest.mark.parametrize("person", [ANNA, BRUNO, NANCY])
@pytest.mark.parametrize("state", STATES)
def test_only_what_leaves_this_state_and_is_granted_is_offered_and_done(shop, person, state):
    for transition in ("ask_back", "resolve", "reopen", "close"):
        shop.set("requests", request(shop).id, status=state)
        offered = f"/move/{transition}" in page_of(shop, person)
        goal = LEADS.get((transition, state)) if transition in MAY[person] else None
        assert offered is (goal is not None), transition
        answer = send(shop, person, f"move/{transition}", ANSWERS)
        if transition not in MAY[person]:
            assert answer.status_int == 404
        elif goal is None:
            assert answer.status_int == 409
        else:
            assert answer.status_int == 303
        assert status(shop) == (goal or state)


def test_a_transition_sets_what_is_declared(shop):
    send(shop, ANNA, "move/resolve")
    assert request(shop).values["resolved_at"] == shop.clock.now
    send(shop, ANNA, "move/reopen", ANSWERS)
    assert request(shop).values["resolved_at"] is None


def test_what_is_asked_is_required_and_kept_while_something_is_missing(shop):
    shop.set("requests", request(shop).id, status="resolved", satisfaction=3)  # of an earlier time
    question = page_of(shop, ANNA, "move/close")
    assert question.html.find(attrs={"name": "satisfaction"})
    assert question.html.find(attrs={"name": "comment"})
    assert not question.html.find(attrs={"name": "satisfaction", "checked": True}), "satisfaction is never preset"
    assert [state.get_text(strip=True) for state in question.html.select(".from-to .pill")] == ["Resolved", "Closed"]
    refused = send(shop, ANNA, "move/close", {"comment": "Very <b>good"})
    assert refused.status_int == 422
    assert "Very &lt;b&gt;good" in refused.text
    assert status(shop) == "resolved"
    assert send(shop, ANNA, "move/close", {"satisfaction": "9", "comment": "x"}).status_int == 422
    assert send(shop, ANNA, "move/close", {"satisfaction": "5"}).status_int == 303
    assert request(shop).values["satisfaction"] == 5


@pytest.mark.parametrize("comment", ["", "  \n"])
def test_reopening_wants_a_comment(shop, comment):
    send(shop, ANNA, "move/resolve")
    assert send(shop, ANNA, "move/reopen", {"comment": comment}).status_int == 422
    assert status(shop) == "resolved"
    assert send(shop, ANNA, "move/reopen", {"comment": "Still broken"}).status_int == 303
    assert "Still broken" in page_of(shop, NANCY)
    assert status(shop) == "answered", "an asked comment does not move the record by itself"


def test_a_transition_takes_only_what_it_asks(shop):
    send(shop, ANNA, "move/resolve", {"satisfaction": "5", "name": "Forged", "resolved_at": "2020-01-01",
        "comment": "Forged",
                                      "status": "closed", "budget": "1"})  # fmt: skip
    values = request(shop).values
    assert (values["status"], values["satisfaction"]) == ("resolved", None)
    assert (values["name"], values["budget"]) == ("Paper jam", None)
    assert values["resolved_at"] == shop.clock.now
    assert "Forged" not in page_of(shop, NANCY)


@pytest.mark.parametrize("more", ["move/", "move/nothing", "move/create", "move/resolve/", "move/resolve/x", "move",
    "move/Resolve",
                                  "move/resolve%00", "move/..", "move/status"])  # fmt: skip
def test_made_up_transitions_do_not_exist(shop, more):
    answer = send(shop, NANCY, more, ANSWERS)
    assert answer.status_int in (400, 404, 405) or more == "move/resolve/"
    if more != "move/resolve/":
        assert status(shop) == "new"


def test_a_get_moves_nothing(shop):
    assert page_of(shop, ANNA, "move/resolve").status_int == 200
    assert status(shop) == "new"


def test_a_move_that_is_sent_twice_is_done_once(shop):
    first, second = (send(shop, ANNA, "move/resolve", {"_once": "k"}) for _time in range(2))
    assert first.status_int == second.status_int == 303
    assert first.location == second.location
    assert send(shop, ANNA, "move/resolve", {"_once": "other"}).status_int == 409


def test_the_question_of_a_move_that_was_made_leads_back_to_the_record(shop):
    send(shop, ANNA, "move/resolve")
    answer = page_of(shop, ANNA, "move/resolve")
    assert answer.status_int == 303
    assert "The status of this record has changed" in answer.follow()


def test_the_state_is_changed_by_transitions_alone(shop):
    service = str(shop.the("services", "Printing").id)
    form = {"name": "x", "body": "y", "service": service, "status": "closed", "_version": "1"}
    assert send(shop, NANCY, "edit", form).status_int == 303
    assert status(shop) == "new"
    assert not page_of(shop, NANCY, "edit").html.find(attrs={"name": "status"})


# -- conversation --


@pytest.mark.parametrize(
    ("person", "before", "after"),
    [(ANNA, "waiting", "answered"), (ANNA, "new", "new"), (ANNA, "resolved", "resolved"),
    (BRUNO, "waiting", "answered"),
     (NANCY, "new", "waiting"), (NANCY, "answered", "waiting"), (NANCY, "waiting", "waiting"),
     (NANCY, "resolved", "resolved")],
)  # fmt: skip
def test_a_comment_moves_the_record_as_declared_for_its_side(shop, person, before, after):
    shop.set("requests", request(shop).id, status=before)
    answer = send(shop, person, "comments", {"text": "Any news?"})
    assert answer.status_int == 303
    assert answer.location.endswith(f"/requests/{request(shop).id}/"), "one stays on the page"
    assert status(shop) == after
    assert request(shop).values["comments"] == 1
    for reader in (ANNA, NANCY):
        assert "Any news?" in page_of(shop, reader)


def test_the_two_sides_are_told_apart_and_ones_own_are_named(shop):
    send(shop, ANNA, "comments", {"text": "From Anna"})
    send(shop, NANCY, "comments", {"text": "From Nancy"})
    page = page_of(shop, ANNA)
    assert "You" in page
    assert "Nancy Smith" in page
    assert "Anna Rossi" in page_of(shop, NANCY)


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_an_empty_comment_is_refused(shop, text):
    answer = send(shop, ANNA, "comments", {"text": text})
    assert answer.status_int == 422
    assert request(shop).values["comments"] == 0


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # WebOb does not close a long body's file
def test_a_comment_that_is_too_long_is_refused_and_kept(shop):
    answer = send(shop, ANNA, "comments", {"text": "word " * 10_001})
    assert answer.status_int == 422
    assert "at most" in answer
    assert "word word word" in answer
    del answer
    gc.collect()


def test_a_final_record_accepts_no_comment_and_offers_none(shop):
    shop.set("requests", request(shop).id, status="closed")
    for person in (ANNA, NANCY):
        page = page_of(shop, person)
        form = page.html.find("form", action=f"/requests/{request(shop).id}/comments")
        assert (form is not None) == (person == NANCY)
        assert form is None or form.find("input", attrs={"name": "internal", "type": "hidden"})["value"] == "true"
        assert form is None or form.textarea["placeholder"] == "Write an internal note…"
        assert "This conversation is closed." in page
        assert send(shop, person, "comments", {"text": "Late"}).status_int == 409
    assert "Late" not in page_of(shop, NANCY)
    assert request(shop).values["comments"] == 0
    assert send(shop, NANCY, "comments", {"text": "Among us", "internal": "true"}).status_int == 303
    assert send(shop, ANNA, "comments", {"text": "Late", "internal": "true"}).status_int == 409


def test_a_comment_that_is_sent_twice_stands_there_once(shop):
    for _time in range(2):
        assert send(shop, ANNA, "comments", {"text": "Once", "_once": "k"}).status_int == 303
    assert page_of(shop, ANNA).text.count("Once") == 1


def test_nobody_comments_on_what_is_not_theirs(shop):
    assert send(shop, CARLA, "comments", {"text": "x"}).status_int == 404
    assert (
        shop[NANCY].send(f"/services/{shop.the('services', 'Printing').id}/comments", {"text": "x"}).status_int == 404
    )


def test_a_comment_is_shown_as_it_was_written(shop):
    send(shop, ANNA, "comments", {"text": "  <script>alert(1)</script>\nsecond & line "})
    page = page_of(shop, NANCY)
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\nsecond &amp; line" in page.text


# -- internal comments --


def test_internal_comments_reach_staff_alone_and_leave_no_trace(shop):
    send(shop, ANNA, "comments", {"text": "Hello"})
    assert "Comment added" in page_of(shop, ANNA)
    before, row = page_of(shop, ANNA).text, shop.rows()["requests"][0]
    assert send(shop, NANCY, "comments", {"text": "hushword", "internal": "true"}).status_int == 303
    assert "hushword" in page_of(shop, NANCY)
    assert "hushword" not in page_of(shop, ANNA)
    assert "hushword" not in page_of(shop, BRUNO)
    assert shop.rows()["requests"][0] == row, "neither count nor time nor state"
    once = r'name="_(once|csrf)" value="[^"]*"'
    assert strip(page_of(shop, ANNA).text, once) == strip(before, once)


def strip(text, pattern):
    return re.sub(pattern, "", text)


def test_a_customer_cannot_write_internally(shop):
    assert send(shop, ANNA, "comments", {"text": "Open to all", "internal": "true"}).status_int == 303
    assert "Open to all" in page_of(shop, BRUNO)
    portal = shop.portal
    with reading(portal.engine) as connection:
        (comment,) = connection.execute(sa.select(portal.tables.comment)).mappings()
    assert (comment["internal"], comment["staff"]) == (False, False)


def test_an_internal_comment_is_found_by_no_search_of_a_customer(shop):
    send(shop, NANCY, "comments", {"text": "hushword", "internal": "true"})
    assert shop[ANNA].titles("/requests/?q=hushword") == []
    assert "No results for" in shop[ANNA].get("/search?q=hushword")


def test_former_staff_no_longer_see_internal_comments(shop):
    send(shop, NANCY, "comments", {"text": "hushword", "internal": "true"})
    shop.set("people", shop.the("people", "Nancy Smith").id, company=shop.the("companies", "Acme"))
    shop.account(NANCY, profile="power")
    assert "hushword" not in page_of(shop, NANCY)


# -- the demo-like question --


def test_a_transition_without_questions_is_one_press(shop):
    form = form_of(page_of(shop, ANNA), f"/requests/{request(shop).id}/move/resolve")
    assert form.method == "post"
    address, answer = form.action, form.submit(status=303)
    assert answer.follow().html.select_one("main .alert.good").text.strip() == "Done."
    assert status(shop) == "resolved"
    late = shop[ANNA].get(address).follow().html
    assert "has changed since you opened it" in late.select_one("main .alert").text
    assert not late.select("main .alert.good"), "nothing succeeded"


def test_a_record_that_leaves_the_scope_leads_back_to_the_list(shop):
    shop[ANNA].send(f"/requests/{request(shop).id}/move/resolve")
    assert shop[ANNA].titles("/requests/") == [], "the first tab shows open ones"
    assert shop[ANNA].titles("/requests/?tab=all") == ["Paper jam"]


def test_addresses_in_comments_can_be_clicked(shop):
    send(shop, NANCY, "comments", {"text": "Look at https://a.example/help."})
    (link,) = page_of(shop, ANNA).html.find(id="comments").find_all("a", href="https://a.example/help")
    assert link["rel"] == ["noopener", "noreferrer", "nofollow"]


# -- the way of a record ----------------------------------------------------------------------------------------------


def stages(page):
    """The stages on the page: (class, label without text for screen readers)."""
    items = page.html.find(class_="progress").find_all("li")
    return [(" ".join(item["class"]), item.span.find(string=True, recursive=False).strip()) for item in items]


def test_a_stage_is_done_if_the_record_was_in_it(shop):
    place = f"/requests/{request(shop).id}/"
    assert stages(shop[NANCY].get(place)) == [("current", "New"), ("", "Answered"), ("", "Resolved"), ("", "Closed")]
    shop[NANCY].send(f"{place}move/resolve")
    on_the_way = [("done", "New"), ("", "Answered"), ("current", "Resolved"), ("", "Closed")]
    assert stages(shop[NANCY].get(place)) == on_the_way
    shop[NANCY].send(f"{place}move/reopen", {"comment": "Still broken"})
    on_the_way = [("done", "New"), ("current", "Answered"), ("", "Resolved"), ("", "Closed")]
    assert stages(shop[NANCY].get(place)) == on_the_way


def test_a_state_that_a_comment_led_to_was_passed(shop):
    place = f"/requests/{request(shop).id}/"
    shop[NANCY].send(f"{place}comments", {"text": "Which one?"})
    shop[ANNA].send(f"{place}comments", {"text": "The large one"})
    shop[NANCY].send(f"{place}move/resolve")
    assert [state for state, _label in stages(shop[ANNA].get(place))] == ["done", "done", "current", ""]


def test_the_way_back_from_a_question_is_not_called_like_what_is_asked(shop):
    form = shop[NANCY].get(f"/requests/{request(shop).id}/move/cancel").html.find("form", class_="form")
    assert [button.get_text().strip() for button in form.select(".row > .button")] == ["Back", "Cancel"]


def test_a_state_beside_the_stages_is_drawn_where_the_record_left_them(shop):
    place = f"/requests/{request(shop).id}/"
    shop[NANCY].send(f"{place}move/cancel", {"comment": "No longer needed"})
    assert stages(shop[ANNA].get(place)) == [
        ("done", "New"), ("aside", "Cancelled"), ("unreached", "Answered"), ("unreached", "Resolved"),
        ("unreached", "Closed"),
    ]  # fmt: skip
    assert shop[ANNA].get(place).html.find(attrs={"aria-current": "step"}).text.strip() == "Cancelled"
    note = "Stopped after “New” on Mar 5, 2026, 1:00\u202fPM · Nancy Smith: “No longer needed”"
    assert note in shop[ANNA].get(place).html.get_text()


def test_a_state_beside_the_stages_that_leads_on_is_drawn_like_a_stage(shop):
    place = f"/requests/{request(shop).id}/"
    shop[NANCY].send(f"{place}comments", {"text": "Which one?"})
    assert status(shop) == "waiting"
    on_the_way = [("done", "New"), ("current", "Waiting"), ("", "Answered"), ("", "Resolved"), ("", "Closed")]
    assert stages(shop[ANNA].get(place)) == on_the_way
    assert "Stopped" not in shop[ANNA].get(place).html.get_text()


def test_such_a_state_in_which_a_record_began_stands_before_the_stage_that_it_leads_to(shop):
    facts = {name: request(shop).values[name] for name in ("caller", "company", "service")}
    began = shop.add("requests", name="Imported", body="x", status="waiting", **facts)
    on_the_way = [("", "New"), ("current", "Waiting"), ("", "Answered"), ("", "Resolved"), ("", "Closed")]
    assert stages(shop[ANNA].get(f"/requests/{began}/")) == on_the_way


def test_only_states_that_the_history_knows_are_done(shop):
    """For example, for a record that was imported in the middle of its lifecycle."""
    shop.set("requests", request(shop).id, status="closed")
    assert [state for state, _label in stages(page_of(shop, ANNA))] == ["done", "", "", "current"]
