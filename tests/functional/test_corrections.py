"""Comments are changed and withdrawn by their authors for as long as declared; canned answers; the oldest first."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyramid.router import Router
from webtest import TestApp, Upload

from tests.functional.conftest import changeable, fill_in, form_of, served
from tests.functional.test_files import PDF, comment, documents, upload
from tests.functional.world import Rows
from tests.portal_files import change

COMMENTS = "    comments: {order: oldest, answers: articles, correct: 15 min}\n    attachments: true\n"


@pytest.fixture(scope="module")
def small_portal(request: pytest.FixtureRequest) -> Iterator[tuple[Router, Rows]]:
    def correcting(folder: Path) -> None:
        change(folder, "    comments: true\n", COMMENTS)
        for name in ("customer", "staff"):
            change(folder, "comment,", "comment, attach,", f"profiles/{name}.yaml")

    with served(request, correcting) as portal:
        yield portal


@pytest.fixture
def app(shared_app: TestApp) -> TestApp:
    return shared_app


@pytest.fixture
def portal_folder(app: TestApp) -> Iterator[Path]:
    with changeable(app.app.registry.live) as folder:
        yield folder


@pytest.fixture
def people(people: dict[str, TestApp]) -> dict[str, TestApp]:
    """Anna's ticket has a comment with a file by her."""
    fill_in(people["anna"], "/tickets/create", {"title": "Paper jam"})
    comment(people["anna"], "My password is Waterfall", ("secret.pdf", PDF))
    return people


def withdraw(browser: TestApp, status: int = 303):
    question = browser.get("/tickets/1/comments/1/withdraw")
    return form_of(question, "/tickets/1/comments/1/withdraw").submit(status=status)


def notes(browser: TestApp) -> list[str]:
    return [note.text.strip() for note in browser.get("/tickets/1/").html.select(".note .lines")]


def test_what_is_withdrawn_is_gone_everywhere_and_the_history_says_only_that(people, portal_folder):
    page = withdraw(people["anna"]).follow()
    assert not page.html.select(".note")
    for name in ("anna", "nancy"):
        assert documents(people[name]) == []
        assert "Waterfall" not in people[name].get("/search?q=Waterfall").html.select_one("main").text.replace(
            "“Waterfall”", ""
        )
        assert "Paper jam" not in people[name].get("/tickets/?q=Waterfall").html.select_one("main").text
        history = people[name].get("/tickets/1/history").text
        assert "Comment withdrawn" in history
        assert "Waterfall" not in history
        assert "secret" not in history
        people[name].get("/tickets/1/files/1", status=404)
    assert people["anna"].get("/tickets/").html.select_one("tbody .mark").text.strip() == "0"
    assert not [path for path in (portal_folder / "var" / "files").rglob("*") if path.is_file()]


def test_its_author_changes_a_comment(people):
    link = people["anna"].get("/tickets/1/").html.select_one(".note a[href$=edit]")
    form = form_of(people["anna"].get(link["href"]), "/tickets/1/comments/1/edit")
    form["text"] = "x" * 50_001
    assert "Use at most 50,000 characters." in form.submit(status=422).text
    form["text"] = "My printer is broken"
    page = form.submit(status=303).follow()
    assert notes(people["nancy"]) == ["My printer is broken"]
    assert "changed" in page.html.select_one(".note header").text
    assert "Paper jam" not in people["nancy"].get("/tickets/?q=Waterfall").html.select_one("main").text
    assert "Paper jam" in people["nancy"].get("/tickets/?q=printer").html.select_one("main").text
    assert "Comment corrected" in people["nancy"].get("/tickets/1/history").text


@pytest.mark.parametrize("name", ["carla", "nancy"])
def test_nobody_else_corrects_a_comment(people, name):
    browser = people[name]
    token = browser.get("/tickets/").html.select_one('input[name="_csrf"]')["value"]
    for address in ("/tickets/1/comments/1/edit", "/tickets/1/comments/1/withdraw"):
        browser.get(address, status=404)
        browser.post(address, {"_csrf": token, "text": "Hacked"}, status=404)
    assert notes(people["anna"]) == ["My password is Waterfall"]


def test_the_time_for_corrections_ends(people, clock):
    question = people["anna"].get("/tickets/1/comments/1/withdraw")
    clock.pass_by(minutes=16)
    form_of(question, "/tickets/1/comments/1/withdraw").submit(status=404)
    page = people["anna"].get("/tickets/1/")
    assert "Withdraw" not in page.html.select_one(".note").text
    assert not page.html.select("form[action$=remove]")
    token = page.html.select_one('input[name="_csrf"]')["value"]
    people["anna"].post("/tickets/1/files/1/remove", {"_csrf": token}, status=404)
    assert form_of(people["nancy"].get("/tickets/1/"), "/tickets/1/files/1/remove")


def test_a_comment_that_was_only_a_file_goes_with_it(people):
    comment(people["anna"], "", ("alone.pdf", PDF))
    form_of(people["anna"].get("/tickets/1/"), "/tickets/1/files/2/remove").submit(status=303)
    assert len(people["anna"].get("/tickets/1/").html.select(".note")) == 1


def test_files_that_were_sent_stay_with_a_comment_that_is_refused(people):
    refused = comment(people["anna"], "x" * 50_001, ("kept.pdf", PDF), status=422)
    form = form_of(refused, "/tickets/1/comments")
    assert form["files.kept"].checked
    form["text"] = "Shorter"
    form.submit(status=303)
    assert documents(people["nancy"]) == ["kept.pdf", "secret.pdf"]


def test_the_oldest_comment_comes_first(people):
    comment(people["nancy"], "We look into it")
    assert notes(people["anna"]) == ["My password is Waterfall", "We look into it"]


def test_staff_put_a_canned_answer_into_a_comment(people):
    fill_in(people["nancy"], "/articles/create", {"title": "Greeting", "body": "Thank you for writing."})
    form = form_of(people["nancy"].get("/tickets/1/"), "/tickets/1/comments")
    form["text"] = "Hello."
    form["_answer"].select(text="Greeting")
    page = form.submit("_insert")
    assert form_of(page, "/tickets/1/comments")["text"].value == "Hello.\n\nThank you for writing."
    assert len(notes(people["nancy"])) == 1
    assert people["nancy"].get("/tickets/1/comments/answer?id=1").json == {"text": "Thank you for writing."}
    assert "_answer" not in form_of(people["anna"].get("/tickets/1/"), "/tickets/1/comments").fields
    people["anna"].get("/tickets/1/comments/answer?id=1", status=404)


def test_a_transition_takes_files_with_its_comment(people):
    form = form_of(people["nancy"].get("/tickets/1/move/ask_back"), "/tickets/1/move/ask_back")
    form["comment"], form["files"] = "Which one?", [Upload("choice.pdf", PDF)]
    page = form.submit(status=303).follow()
    assert [link.text.strip() for link in page.html.select(".note")[-1].select(".attachments .name")] == ["choice.pdf"]
    upload(people["anna"], ("more.pdf", PDF))
    assert documents(people["anna"]) == ["more.pdf", "choice.pdf", "secret.pdf"]


def test_readers_who_may_not_comment_see_the_conversation(people, portal_folder):
    profile = portal_folder / "profiles" / "customer.yaml"
    profile.write_text(profile.read_text(encoding="utf-8").replace("comment, attach, ", "", 1), encoding="utf-8")
    assert any("Waterfall" in note for note in notes(people["anna"]))
    assert "/tickets/1/comments" not in {form.action for form in people["anna"].get("/tickets/1/").forms.values()}
