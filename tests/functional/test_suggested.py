"""Records that may answer a question while its title is typed, and the form that ends because one of them did."""

import pytest

from portal.records.reading import any_words
from tests.functional.test_drafts import draft_name, save
from tests.functional.world import ANNA, BRUNO, NANCY, linked

ARTICLES = ("Printer prints blank pages", "Printer is offline", "Scanner jams", "Blank badges", "Wi-Fi at the gate")


@pytest.fixture
def articles(world):
    for name in ARTICLES:
        world.add("articles", name=name, published=True)
    world.add("articles", name="Printer draft, blank", published=False)
    return world


def suggested(world, title, person=ANNA):
    return [
        suggestion["title"] for suggestion in world[person].get("/requests/suggested", {"q": title}).json["suggestions"]
    ]


def test_what_has_most_of_the_typed_words_comes_first(articles):
    assert suggested(articles, "The printer gives blank paper")[:1] == ["Printer prints blank pages"]
    assert set(suggested(articles, "printer")) == {"Printer prints blank pages", "Printer is offline"}
    assert suggested(articles, "wifi") == suggested(articles, "WI-FI") == ["Wi-Fi at the gate"]
    assert suggested(articles, "blank pages of the print") == ["Printer prints blank pages"], (
        "the rest has few of these"
    )
    assert suggested(articles, "") == suggested(articles, "a is") == suggested(articles, "umbrella") == []
    assert "Printer draft, blank" not in suggested(articles, "printer draft blank")
    answer = articles[ANNA].get("/requests/suggested?q=printer").json
    assert answer["summary"] == "2 possible answers"
    assert articles[ANNA].get(answer["suggestions"][0]["url"]).status_int == 200


@pytest.mark.sqlite_suffices
def test_words_that_many_records_have_count_only_where_no_other_is_found(articles, monkeypatch):
    monkeypatch.setattr(any_words, "MOST_HITS", 2)
    assert suggested(articles, "printer jams") == ["Scanner jams"]
    assert len(suggested(articles, "printer")) == 2


@pytest.mark.sqlite_suffices
def test_the_form_says_where_answers_are_found_and_ends_without_a_record(articles):
    acme = articles.the("companies", "Acme")
    linked("services", articles.add("services", name="Printing", customers=(acme,)))
    anna = articles[ANNA]
    first = anna.get("/requests/create")
    assert not first.html.find(attrs={"data-suggest": True}), "the first step does not ask for the title"
    save(anna, "/requests/create", name="Printer broken")
    key = draft_name(anna.get("/requests/create")).rpartition("/")[2]
    page = anna.get(f"/requests/create?_draft={key}&_step=2")
    box = page.html.find(attrs={"data-suggest": True})
    assert box["data-suggest"] == "/requests/suggested"
    assert page.html.find(id=box["data-beside"])["value"] == "Printer broken"
    after = page.forms["solved-form"].submit().follow()
    assert "Glad this helped" in after
    assert key not in anna.get("/requests/create"), "the draft is gone"
    assert articles.all("requests") == []


@pytest.mark.sqlite_suffices
def test_where_nothing_is_declared_or_the_profile_lacks_it_nothing_is_offered(world):
    assert not world[ANNA].get("/things/create").html.find(attrs={"data-suggest": True})
    assert world[ANNA].see("/things/suggested?q=a").status_int == 404
    assert world[ANNA].send("/things/solved").status_int == 404
    assert world[BRUNO].see("/articles/suggested?q=a").status_int == 404
    assert world[NANCY].see("/nothing/suggested?q=a").status_int == 404
