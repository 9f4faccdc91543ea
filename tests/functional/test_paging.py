"""Pages forward and back by key: every row exactly once, in any order, with ties and empty values."""

import re
from decimal import Decimal

import pytest

from portal.fields.money import Money
from tests.functional.world import ANNA, NANCY, titles, way

ROWS = 23
PAGE = 5  # of the profile


def fill(world):
    """Many ties, many empty values, both at the borders of pages."""
    companies = [world.the("companies", name) for name in ("Acme", "Globex", "Supplier")]
    sizes = ("large", "small", "medium")
    for number in range(ROWS):
        few = number % 4
        world.add(
            "things", name=f"T{number:02}", prose="common words" if number % 2 else None,
            amount=(number % 3 or None), size=sizes[few] if few < 3 else None,
                owner=companies[few] if few < 3 else None,
            makers=(companies[number % 3],) if few else (), ready=(None, True, False)[number % 3],
            weight=Decimal(number % 5) if few else None,
            price=Money(Decimal(number % 4), "EUR") if number % 5 else None, words=("b", "a")[: number % 3],
        )  # fmt: skip


ORDERS = ["name", "-name", "amount", "-amount", "size", "-size", "owner", "-owner", "makers", "-makers", "ready",
    "-ready",
          "weight", "-weight", "price", "-price", "words", "-words", "day", "-day", "since", "-city",
          "amount&sort=-size",
          "-owner&sort=-ready&sort=name"]  # fmt: skip


@pytest.mark.parametrize("order", ORDERS)
def test_every_row_is_on_one_page_forward_and_back(filled, order):
    anna = filled[ANNA]
    forward, page = [], anna.get(f"/things/?sort={order}")
    assert way(page, "prev") == ""
    assert f"1–{PAGE} of {ROWS}" in page
    while True:
        forward.append(titles(page))
        if not (following := way(page, "next")):
            break
        page = anna.get(following)
        assert f"{len(titles(page))} of {ROWS}" in page
    assert sorted(sum(forward, [])) == [f"T{number:02}" for number in range(ROWS)]
    assert [len(rows) for rows in forward] == [5, 5, 5, 5, 3]
    backward = [titles(page)]
    while previous := way(page, "prev"):
        page = anna.get(previous)
        backward.append(titles(page))
    assert backward[::-1] == forward


def test_pages_of_a_search_hold_every_hit_once_newest_change_first(filled):
    anna = filled[ANNA]
    forward, page = [], anna.get("/things/?q=common")
    while True:
        forward += titles(page)
        if not (following := way(page, "next")):
            break
        page = anna.get(following)
    assert forward == [f"T{number:02}" for number in range(ROWS - 2, 0, -2)]
    backward = [titles(page)]
    while previous := way(page, "prev"):
        page = anna.get(previous)
        backward = [titles(page), *backward]
    assert sum(backward, []) == forward
    assert len(backward[0]) == PAGE


def test_a_searched_list_can_be_sorted_and_paged(filled):
    anna = filled[ANNA]
    page = anna.get("/things/?q=common&sort=name")
    found = titles(page)
    while following := way(page, "next"):
        page = anna.get(following)
        found += titles(page)
    assert found == [f"T{number:02}" for number in range(1, ROWS, 2)]


def test_the_next_page_keeps_search_filters_and_order(filled):
    page = filled[ANNA].get("/things/?ready=true&sort=-name")
    address = way(page, "next")
    assert "ready=true" in address
    assert "sort=-name" in address
    assert titles(filled[ANNA].get(address))[0] < titles(page)[-1]


@pytest.mark.sqlite_suffices
def test_another_order_begins_on_the_first_page(filled):
    page = filled[ANNA].get(way(filled[ANNA].get("/things/?sort=name"), "next"))
    for address in re.findall(r'href="(/things/\?[^"]*sort=[^"]*)"', page.text):
        if "sort=name" not in address:
            assert "after=" not in address
            assert "before=" not in address


@pytest.mark.parametrize(
    "key", ["x", "W10", "bnVsbA", "W251bGwsIG51bGxd", "eyJhIjogMX0", "%F0%9F%98%80", "WyJUMDQiLCAiNCJd", "A" * 5000,
            "WzllOTksIDFd", "W3sieCI6ICJ5In0sIDFd", "W3siZGVjaW1hbCI6ICJOYU4ifSwgMV0"]
)  # fmt: skip
@pytest.mark.sqlite_suffices
@pytest.mark.parametrize("sort", ["name", "amount", "owner", "-weight"])
def test_a_key_that_no_page_issued_opens_the_first_page(filled, key, sort):
    first = filled[ANNA].titles(f"/things/?sort={sort}")
    for parameter in ("after", "before"):
        page = filled[ANNA].get(f"/things/?sort={sort}&{parameter}={key}", status=200)
        if parameter == "after":
            assert titles(page) == first


def test_a_key_of_another_order_is_no_error(filled):
    address = way(filled[ANNA].get("/things/?sort=name"), "next")
    for sort in ("amount", "-price", "size", "owner", "ready"):
        assert filled[ANNA].get(address.replace("sort=name", f"sort={sort}"), status=200)


@pytest.mark.sqlite_suffices
def test_back_on_the_first_page_it_says_so(filled):
    second = filled[ANNA].get(way(filled[ANNA].get("/things/?sort=name"), "next"))
    first = filled[ANNA].get(way(second, "prev"))
    assert f"1–{PAGE} of {ROWS}" in first
    assert way(first, "prev") == ""


def test_rows_added_in_the_meantime_show_when_going_back(world):
    for number in range(6):
        world.add("things", name=f"T{number}")
    second = world[ANNA].get(way(world[ANNA].get("/things/?sort=name"), "next"))
    assert titles(second) == ["T5"]
    world.add("things", name="T44")
    assert titles(world[ANNA].get(way(second, "prev"))) == ["T1", "T2", "T3", "T4", "T44"]


def test_the_page_after_the_last_row_is_empty_but_whole(world):
    for number in range(6):
        world.add("things", name=f"T{number}")
    address = way(world[ANNA].get("/things/?sort=name"), "next")
    world.remove("things", world.the("things", "T5").id)
    page = world[ANNA].get(address)
    assert titles(page) == []


@pytest.mark.sqlite_suffices
def test_an_empty_list_says_so(world):
    page = world[NANCY].get("/ledgers/")
    assert titles(page) == []
    assert "Nothing here yet" in page
    assert "tabindex" not in page.html.select_one(".table-wrap").attrs  # a stop without a height on a phone
    assert "No results" not in page  # nothing was searched
    assert "No records match" in world[NANCY].get("/ledgers/?q=x")
