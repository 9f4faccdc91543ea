"""Filters typed into the search of a list: what they find, messages about them, completions while typing."""

import csv
import io
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portal.database.engine import reading
from portal.records.reading.typed_search import TypedSearch, read_search
from tests.functional.test_filters_and_sorts import fill
from tests.functional.world import ANNA, CARLA, NANCY, linked, titles

# Their statements are asked of both databases by the tests of filters, of writing and of the queue.
pytestmark = pytest.mark.sqlite_suffices

__all__ = ["fill"]  # of the fixture `filled`: things A, b, Ć and E

TYPED = [
    ("size:small", "A"), ("size:SMALL", "A"), ("Size:small", "A"), ("-size:small", "bĆE"), ('"size":"small"', "A"),
    ("size:small or size:large", "Ab"), ("size:small OR size:large ready:no", "b"),
    ("(size:small or size:large) ink", "Ab"),
    ("ink (ready:yes or amount:<0) -price:>9.99", "b"), ("-(size:small or size:large)", "ĆE"),
    ("(size:small ready:yes) or amount:>=10", "AĆ"), ("-(size:small -ready:yes) stars:5", "A"),
    ("ready:yes", "A"), ("ready:true", "A"), ("colours:red", "AĆ"), ("stars:>=3", "AĆ"), ("stars:<3", "b"),
    ("amount:>=1", "AĆ"), ("amount:>1", "Ć"), ("amount:<1", "b"), ("amount:<=1", "Ab"), ("amount:-5..1", "Ab"),
    ("amount:1..", "AĆ"), ("amount:..1", "Ab"), ("weight:1.5", "A"), ('price:"€ 10"', "A"), ("price:>9.99", "A"),
    ("day:2026-02-28..2026-03-01", "Ab"), ("day:3/1/26", "A"), ('day:"1 March 2026".."2 March 2026"', "A"),
    ("moment:<=2026-03-01", "b"), ("moment:>2026-03-01", "A"), ("day:<today", "AbĆ"), ("day:today", ""),
    ("owner:acme", "A"), ("makers:globex", ""), ("-owner:acme", "bĆE"), ("manager:bru", "A"), ("city:rom", "A"),
    ("owner:nothing", "ĆE"), ("-owner:nothing", "Ab"), ("name:a", "A"), ("prose:\"red ink\"", "A"),
    ("reference:2", "b"),
    ("effort:>=2min", "A"), ("clock:>9:00", "b"), ("words:10%", "A"), ("place:łodz", "b"),
    # half-typed
    ("size:", "AbĆE"), ("ink size:", "Ab"), ("(size:small", "A"), ("size:small)", "A"), ("size:small or", "A"),
    ("size:small or size:", "A"), ("or size:small", "A"), ('prose:"red in', "A"), ("amount:>=", "AbĆE"),
    ("day:..", "AbĆE"),
    # words
    ("ink or size", ""), ("http://ink", "Ab"), ("10:30", ""), ("re:ink", "A"), ("red: ink", "A"), ("size: ink", ""),
    ("-ink", "Ab"), ('"size:small"', ""), ("secret:ink", ""), ("unknown:x", ""),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "expected"), TYPED)
def test_what_is_typed_finds_these_things(filled, typed, expected):
    page = filled[ANNA].get("/things/", {"q": typed, "sort": "name"})
    assert "".join(titles(page)) == expected
    assert 'class="error"' not in page
    assert page.html.find("input", {"name": "q"})["value"] == typed
    assert f" of {len(expected)}" in page or not expected


MESSAGES = [
    ("size:huge name:a", "“huge” is not one of the options", "A"),
    ("amount:ten", "is not a number", "AbĆE"), ("day:soon..2026-03-01", "Enter a date such as", "AbĆE"),
    ("size:huge or name:a", "“huge” is not one of the options", "AbĆE"),
    ("-(size:huge)", "“huge” is not one of the options", "AbĆE"),
    ("-(size:huge name:a)", "“huge” is not one of the options", "AbĆE"),
    ("-((size:huge name:a) or name:b)", "“huge” is not one of the options", "AbĆE"),
    ("size:small or ink", "“or” works only between filters", "A"),
    ("-(size:small ink)", "A minus works only before a filter", "A"),
    ("((((((size:small))))))", "nested too deeply", "A"), (f"{'(' * 900}size:small)", "nested too deeply", "A"),
    ("name:a " * 31, "too many filters", "A"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "message", "found"), MESSAGES)
def test_what_cannot_be_read_is_said_at_the_search_and_leaves_nothing_out(filled, typed, message, found):
    page = filled[ANNA].get("/things/", {"q": typed, "sort": "name"}, status=200)
    assert message in page.html.find(id="search-messages").text
    assert "".join(titles(page)) == found
    assert page.html.find("input", {"name": "q"})["value"] == typed.strip()


def test_every_part_has_a_chip_that_removes_it(filled):
    anna, typed = filled[ANNA], "-ready:no red (size:small or amount:<0) ink"
    chips = anna.get("/things/", {"q": typed}).html.find(class_="chips").find_all("a", class_="chip")
    shown = {" ".join(chip.span.text.split()): anna.get(chip["href"]) for chip in chips}
    left = {text: page.html.find("input", {"name": "q"})["value"] for text, page in shown.items()}
    assert left == {
        "Search: red ink": "-ready:no (size:small or amount:<0)",
        "Ready: not No": "red (size:small or amount:<0) ink",
        "Size: Small or Amount: < 0": "-ready:no red ink",
    }
    assert [len(titles(page)) for page in shown.values()] == [1, 1, 1]


def test_tabs_export_and_what_is_done_to_all_follow(world):
    anna, (service,) = world.the("people", "Anna Rossi"), linked("services", world.add("services", name="Printing"))
    for name, affected in (("One", 3), ("Two", 5), ("Three", 8)):
        world.add("requests", name=name, body="x", caller=anna, service=service, impact="company", affected=affected)
    nancy, typed = world[NANCY], quote("affected:>=5 service:print")
    page = nancy.get(f"/requests/?q={typed}")
    assert set(titles(page)) == {"Two", "Three"}
    assert [tab.find(class_="count").text.strip() for tab in page.html.find(class_="tabs").find_all("a")] == ["2", "2"]
    rows = list(csv.reader(io.StringIO(nancy.get(f"/requests/export.csv?q={typed}").text)))
    assert len(rows) == 3
    nancy.send(f"/requests/bulk?q={typed}", {"all": "1", "do": "resolve", "_sure": "1"})
    assert set(nancy.titles("/requests/?tab=all&q=status:resolved")) == {"Two", "Three"}


def test_labels_options_and_words_are_those_of_the_readers_language(filled):
    italian = {"Accept-Language": "it"}

    def found(typed):
        return "".join(titles(filled[ANNA].get("/things/", {"q": typed, "sort": "name"}, headers=italian)))

    assert found("ready:sì") == found("ready:si") == "A"
    chips = filled[ANNA].get("/requests/?q=creato:oggi", headers=italian).html.find(class_="chips")
    assert "Creato: oggi" in " ".join(chips.text.split())
    assert found("size:small o size:large") == "Ab"
    assert found("owner:niente") == "ĆE"


def test_what_a_reader_may_not_read_is_a_word_like_any_other(filled):
    filled.add("things", name="Known", secret="zqsecret")
    anna = filled[ANNA]
    assert anna.titles("/things/?q=secret:zqsecret") == anna.titles("/things/?q=sacred:zqsecret") == []
    assert filled[NANCY].titles("/things/?q=secret:zqsecret") == ["Known"]
    assert anna.get("/things/complete?q=secr").json == []
    assert [offer["title"] for offer in filled[NANCY].get("/things/complete?q=secr").json] == ["Secret"]
    assert "secret:" not in anna.get("/things/?_panel=search").html.find(class_="search-help").text


def test_names_options_and_titles_are_offered_as_one_types(filled):
    def offered(typed, person=ANNA, module="things"):
        return [(offer["id"], offer["title"]) for offer in filled[person].get(f"/{module}/complete", {"q": typed}).json]

    assert offered("ink -siz") == [("ink -size:", "Size")]
    assert offered("(size:") == [(f"(size:{label} ", label) for label in ("Small", "Medium", "Large")]
    assert offered("name:a -size:l") == [("name:a -size:Large ", "Large")]
    assert offered("day:t") == [("day:today ", "today")]
    assert offered("owner:") == [("owner:Acme ", "Acme")]
    assert offered("owner:glo") == []
    assert ("caller:me ", "me") in offered("caller:m", module="requests")
    assert offered('caller:"anna r', module="requests") == [('caller:"Anna Rossi" ', "Anna Rossi")]
    assert offered("caller:anna", CARLA, "requests") == []
    assert offered("") == offered("ink ") == offered("nofield:x") == offered("amount:>=1") == []
    assert filled[ANNA].see("/nothing/complete?q=a").status_int == 404


def test_the_help_has_examples_that_work(filled):
    for module in ("things", "requests"):
        page = filled[ANNA].get(f"/{module}/")
        assert not page.html.find(class_="search-help"), "drawn where it is asked for"
        page = filled[ANNA].get(page.html.find("a", title="How to search")["href"])
        assert not page.html.find(class_="arrange")
        examples = page.html.find(class_="search-help").find_all("a")
        assert len(examples) > 5
        for link in examples:
            page = filled[ANNA].get(link["href"])
            assert page.html.find("input", {"name": "q"})["value"] == link.text
            assert not page.html.find(id="search-messages").text, link.text


def test_the_search_in_all_modules_knows_words_alone_and_leads_to_the_same_hits(filled):
    filled.add("things", name="size:small talk")
    anna = filled[ANNA]
    page = anna.get("/search?q=size:small")
    assert "size:small talk" in page.text
    group = next(link for link in page.html.main.find_all("a") if link["href"].startswith("/things/?"))
    assert anna.titles(group["href"]) == ["size:small talk"]


PIECES = st.sampled_from(
    ["size", "name", "day", "amount", "owner", "nofield", ":", "::", ">=", "<", "..", "-", "(", ")", "or", '"', "“",
     "”", " ", "  ", "small", "2026-03-01", "5", "me", "nothing", "\\", "%", "\u202e", "ß", "東京"]
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(PIECES, max_size=25).map("".join),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60),
)


@settings(max_examples=40)
@given(text=TEXTS)
@example("(" * 900 + "size:small")
@example('size:"' + 'a"' * 400)
@example("-(" * 200 + "name:a or " * 20)
def test_whatever_is_typed_is_answered_with_a_list(filled, text):
    assert filled[ANNA].see(f"/things/?q={quote(text)}").status_int == 200
    assert filled[ANNA].see(f"/things/complete?q={quote(text)}").status_int == 200


@settings(max_examples=80)
@given(
    text=st.one_of(
        TEXTS.map(lambda text: text.replace(":", "")), st.from_regex(r"(http://|10:|RE:)[a-z():\"]*", fullmatch=True)
    )
)
def test_words_alone_mean_what_they_meant(filled, text):
    with reading(filled.portal.engine) as connection:
        assert read_search(filled.records(connection, "things"), text) == TypedSearch(text, text)
