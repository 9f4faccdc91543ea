"""From a record to the next one of the list from which it was opened."""

import pytest

from tests.functional.world import ANNA, NANCY, NOW

pytestmark = pytest.mark.sqlite_suffices

NAMES = ("Delta", "Alpha", "Echo", "Bravo", "Charlie")


@pytest.fixture
def requests(world):
    """Five requests of Anna's, a minute apart; Echo is resolved."""
    ids, values = {}, world.for_request() | {"body": "words"}
    for minute, name in enumerate(NAMES):
        world.clock.now = NOW.replace(minute=minute)
        ids[name] = world.add("requests", name=name, status="resolved" if name == "Echo" else "new", **values)
    return ids


def opened(world, who, record, query):
    """Opens a record from a list."""
    world[who].get(f"/requests/{query}")
    return world[who].get(f"/requests/{record}/", headers={"Referer": f"http://localhost/requests/{query}"})


def walk(world, who, record, query, way="next"):
    """The names along the way, until it leads back to the list."""
    opened(world, who, record, query)
    met = []
    for _step in range(10):
        answer = world[who].get(f"/requests/{record}/{way}", status=303)
        address = answer.headers["Location"]
        if not address.rstrip("/").rpartition("/")[2].isdigit():
            assert address.endswith(f"/requests/{query}")
            return met
        record = int(address.rstrip("/").rpartition("/")[2])
        met.append(world.record("requests", record).title)
    raise AssertionError(met)


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("?tab=all", ["Charlie", "Bravo", "Echo", "Alpha", "Delta"]),  # newest change first
        ("?tab=all&sort=name", ["Alpha", "Bravo", "Charlie", "Delta", "Echo"]),
        ("?tab=all&sort=-caller&sort=name", ["Alpha", "Bravo", "Charlie", "Delta", "Echo"]),
        ("?tab=open&sort=name", ["Alpha", "Bravo", "Charlie", "Delta"]),
        ("?tab=all&status=new&sort=-name", ["Delta", "Charlie", "Bravo", "Alpha"]),
        ("?tab=all&q=words", ["Charlie", "Bravo", "Echo", "Alpha", "Delta"]),
    ],
)
def test_the_way_goes_through_the_list_forward_and_back(world, requests, query, order):
    for who in (ANNA, NANCY):
        assert walk(world, who, requests[order[0]], query) == order[1:]
        assert walk(world, who, requests[order[-1]], query, "previous") == order[-2::-1]


def test_a_record_that_is_worked_on_does_not_turn_the_way_round(world, requests):
    opened(world, NANCY, requests["Bravo"], "?tab=all")
    world.clock.now = NOW.replace(minute=30)
    world[NANCY].send(f"/requests/{requests['Bravo']}/comments", {"text": "It is on top now"}, status=303)
    world[NANCY].get(f"/requests/{requests['Bravo']}/")
    answer = world[NANCY].get(f"/requests/{requests['Bravo']}/next", status=303)
    assert answer.headers["Location"].endswith(f"/requests/{requests['Echo']}/")
    world[NANCY].send(f"/requests/{requests['Echo']}/comments", {"text": "So is this one"}, status=303)
    answer = world[NANCY].get(f"/requests/{requests['Echo']}/next", status=303)
    assert answer.headers["Location"].endswith(f"/requests/{requests['Alpha']}/")


def test_the_way_is_shown_where_one_comes_from_a_list(world, requests):
    page = opened(world, ANNA, requests["Bravo"], "?tab=all&sort=name")
    assert f"/requests/{requests['Bravo']}/next" in page
    assert world[ANNA].see("/requests/999999/next").status_int == 404
    for place in ("-", "x", "WyJhIiwxXQ", "bnVsbA"):  # what no list made
        world[ANNA].set_cookie("portal_place", place)
        assert world[ANNA].see(f"/requests/{requests['Bravo']}/next").status_int == 303
