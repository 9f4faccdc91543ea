"""The general search, in one module and in all: words, quotes, accents, the newest change first."""

import math
import re
from urllib.parse import quote

import pytest

from portal.database.search import postgresql as search_on_postgresql
from portal.database.search import sqlite as search_on_sqlite
from tests.functional.test_speed import statements_of
from tests.functional.world import ANNA, BRUNO, CARLA, NANCY


def fill(world):
    common = world.for_request()
    for values in (
        {"name": "Größe of the paper", "body": "The printer eats paper"},
        {"name": "Paper printer", "body": "ink_jet 100% full", "labels": ("urgent case",)},
        {"name": "Screen", "body": "ＦＵＬＬ wid\xadth 東京の支店 مُؤسَّسة عـلي", "code": "AB-12/7"},
        {"name": "Closed one", "body": "printer", "status": "closed"},
    ):
        world.add("requests", **common | values)


SEARCHES = [
    ("printer", ["Paper printer", "Größe of the paper"]), ("print", ["Screen", "Paper printer", "Größe of the paper"]),
    ("rinter", []), ("paper printer", ["Paper printer", "Größe of the paper"]), ('"paper printer"', ["Paper printer"]),
    ('"printer paper"', []), ('"the printer"', ["Größe of the paper"]), ('"printer eat"', []),
    ("grosse", ["Größe of the paper"]),
    ("GRÖSSE", ["Größe of the paper"]), ("full", ["Screen", "Paper printer"]), ("100", ["Paper printer"]),
    ("urgent", ["Paper printer"]), ("R0002", ["Paper printer"]), ("R2", ["Paper printer"]),
    ("width", ["Screen"]), ("widths", []),
    ("東京", ["Screen"]), ("京東", []), ("東京の支店", ["Screen"]), ("2", ["Paper printer"]), ("3", ["Screen"]),
    ("موسسه", ["Screen"]), ("على", ["Screen"]), ("مؤسّسة علي", ["Screen"]),
    ("rossi", ["Screen", "Paper printer", "Größe of the paper"]), ("AB 12", ["Screen"]),
    ("new", ["Screen", "Paper printer", "Größe of the paper"]),
    ("paper -printer", ["Paper printer", "Größe of the paper"]), ("paper OR screen", []),
    ("pap*", ["Paper printer", "Größe of the paper"]),
    ('"', ["Screen", "Paper printer", "Größe of the paper"]),
    ("!!!", ["Screen", "Paper printer", "Größe of the paper"]),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "found"), SEARCHES)
def test_every_typed_word_begins_a_word_of_the_record(filled, typed, found):
    page = filled[ANNA].get("/requests/", {"q": typed})
    assert [record for record in filled[ANNA].titles(page.request.path_qs)] == found
    count = f"1–{len(found)} of {len(found)}" if found else "No results"
    assert count in page


def test_the_newest_change_comes_first(world):
    fill(world)
    assert world[ANNA].titles("/requests/?q=paper") == ["Paper printer", "Größe of the paper"]
    older = next(record for record in world.all("requests") if record.title.startswith("Gr"))
    world.set("requests", older.id, body="paper again")
    assert world[ANNA].titles("/requests/?q=paper") == ["Größe of the paper", "Paper printer"]


def test_a_search_narrows_tabs_and_filters(filled):
    anna = filled[ANNA]
    assert anna.titles("/requests/?q=printer&tab=all") == ["Closed one", "Paper printer", "Größe of the paper"]
    assert anna.titles("/requests/?q=printer&tab=all&status=closed") == ["Closed one"]
    assert anna.titles("/requests/?q=printer&name=paper&sort=name") == ["Größe of the paper", "Paper printer"]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("/requests/?tab=all&q=R2", ["Paper printer"]), ("/requests/?tab=all&q=r2", ["Paper printer"]),
        ("/requests/?tab=all&q=R0002", ["Paper printer"]), ("/requests/?tab=all&q=R9", []),
        ("/requests/?tab=all&reference=r2", ["Paper printer"]), ("/search?q=R2", ["Paper printer"]),
    ],
)  # fmt: skip
def test_a_reference_is_found_without_the_zeros_of_its_number(filled, address, found):
    page = str(filled[ANNA].get(address).html.main)
    assert [record.title for record in filled.all("requests") if record.title in page] == found


def test_the_record_whose_reference_is_searched_for_is_named_whichever_comes_first(world):
    fill(world)

    def called(person, address):
        chips = [" ".join(chip.text.split()) for chip in world[person].get(address).html.select("main .chip")]
        return next((chip for chip in chips if chip.startswith("Go to")), None)

    same = {name: world.all("requests")[0].values[name] for name in ("caller", "company", "service", "body")}
    for number in range(5, 11):
        world.add("requests", name=f"Number {number}", **same)
    assert called(ANNA, "/requests/?q=r1") == "Go to R0001 · Größe of the paper"
    assert called(ANNA, "/search?q=R1") == "Go to R0001 · Größe of the paper"
    assert called(ANNA, "/requests/?q=R4") == "Go to R0004 · Closed one", "the first tab has none that is closed"
    assert called(ANNA, "/requests/?q=R3") is None, "it is the first"
    assert called(CARLA, "/requests/?q=R1") is None
    assert called(ANNA, "/requests/?q=R99") is None


def test_all_modules_are_searched_each_with_its_way_on(filled):
    page = filled[ANNA].get("/search?q=printing")
    service = filled.the("services", "Printing").id
    hit = page.html.find("a", href=f"/services/{service}/").find_parent("li")
    assert hit.get_text(" ", strip=True) == "Printing", "a bare number says nothing"
    onward = page.html.find("a", href="/requests/?q=printing&tab=all")
    assert onward
    assert len(filled[ANNA].titles(onward["href"])) == 4
    assert "No results for" in filled[ANNA].get("/search?q=nowhere")
    assert "No results for" not in filled[ANNA].get("/search?q=")


def test_one_statement_asks_all_modules_and_finds_what_each_list_finds(filled, monkeypatch):
    def found(email, text):
        page = filled[email].get(f"/search?q={quote(text)}").text
        return re.findall(r'href="(/\w+/\d+/)"', page.partition("<main")[2].partition("</main>")[0])

    monkeypatch.setattr(search_on_sqlite, "SIZE_LIFETIME", math.inf)  # no look at the number of rows in between
    texts = ("printing", '"paper printing"', "screen", "acme", "screen keyboard", "nowhere", "...")
    people = (ANNA, BRUNO, "carla@globex.example", NANCY)
    together = {(email, text): found(email, text) for email in people for text in texts}
    assert any(together.values())
    assert (
        statements_of(filled, filled[NANCY], "/search?q=nowhere") == statements_of(filled, filled[NANCY], "/search") + 1
    )
    for engine in (search_on_sqlite, search_on_postgresql):  # each module by itself
        monkeypatch.setattr(engine, "answered_by_newest", lambda connection, searches: [])
    assert {(email, text): found(email, text) for email in people for text in texts} == together


def test_everyone_searches_within_their_own(filled):
    assert filled[BRUNO].titles("/requests/?q=screen") == ["Screen"]
    assert filled[NANCY].titles("/requests/?q=screen") == ["Screen"]
    assert "Screen" not in filled["carla@globex.example"].get("/search?q=screen").html.main.text


def test_what_a_record_looks_up_is_found_as_it_is_now(world):
    acme, bruno = world.the("companies", "Acme"), world.the("people", "Bruno Verdi")
    project = world.link("projects", name="Move", contact=world.the("people", "Anna Rossi"))
    world.add("things", name="Lamp", owner=acme, project=project)
    world.set("companies", acme.id, city="Łódź")
    world.set("projects", project.id, contact=bruno)
    assert world[NANCY].titles("/things/?q=lodz+bruno") == ["Lamp"]
    world.set("people", bruno.id, name="Zoe Verdi")
    assert world[NANCY].titles("/things/?q=zoe") == ["Lamp"]
    assert world[NANCY].titles("/things/?q=bruno") == []


def test_what_is_deleted_is_found_no_more(world):
    fill(world)
    world.remove("requests", next(record.id for record in world.all("requests") if record.title == "Screen"))
    assert world[ANNA].titles("/requests/?q=screen") == []


def test_a_hit_in_the_conversation_shows_where_it_is_and_internal_comments_only_to_staff(world):
    fill(world)
    screen = next(record for record in world.all("requests") if record.title == "Screen")
    said = "We have looked at it twice, the hinge squeaks when it is opened, so that we send a new one."
    for text, fields in ((said, {}), ("The customer is on the blacklist.", {"internal": "true"})):
        world[NANCY].send(f"/requests/{screen.id}/comments", {"text": text, **fields}, status=303)
    shown = "found in the conversation: … at it twice, the hinge squeaks when it is opened, so that we send a new one."
    for person in (ANNA, NANCY):
        for address in ("/requests/?q=squeak", "/search?q=squeak"):
            assert shown in world[person].get(address).html.get_text()
    assert "found in the conversation: The customer is on the blacklist." in world[NANCY].get("/requests/?q=blacklist")
    assert "blacklist." not in world[ANNA].get("/requests/?q=blacklist")
    assert "found in" not in world[ANNA].get("/requests/?q=screen")
