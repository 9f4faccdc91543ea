"""A profile may use different labels for a choice's options than modules.yaml, and offer its people fewer of them."""

import pytest

from tests.functional.world import ANNA, BRUNO, NANCY

OWN, COMMON = "Waiting for the customer", "Waiting"


@pytest.fixture
def shop(world):
    """A waiting request by Anna, seen by Nancy's profile with a label of its own."""
    world.add("requests", name="Paper jam", status="waiting", **world.for_request())
    return world


def addresses(world):
    return ["/requests/", f"/requests/{world.all('requests')[0].id}/"]


def test_every_page_of_the_profile_has_its_label(shop):
    for address in addresses(shop):
        for _time in range(2):  # what is cached for one profile is not shown to another
            assert OWN in shop[NANCY].get(address).text, address
    for address in addresses(shop):
        page = shop[BRUNO].get(address).text
        assert OWN not in page, address
        assert COMMON in page, address


def test_an_export_says_what_the_import_reads(shop):
    for person in (NANCY, BRUNO):
        assert f",{COMMON}," in shop[person].get("/requests/export.csv").text


def test_the_search_index_keeps_the_common_label(shop):
    assert shop[ANNA].titles("/requests/?q=waiting&tab=all") == ["Paper jam"]
    assert shop[NANCY].titles("/requests/?q=customer&tab=all") == []


def test_what_a_profile_does_not_offer_is_not_chosen_and_still_read(world):
    form = {"name": "Lamp", "size": "large"}
    assert "Large" not in world[ANNA].get("/things/create").html.main.text
    refused = world[ANNA].send("/things/create", form)
    assert (refused.status_int, "“Large” is not one of the options." in refused.text) == (422, True)
    assert world[NANCY].send("/things/create", form).status_int == 303
    assert world[ANNA].titles("/things/?size=large") == ["Lamp"]
    assert "Large" in world[ANNA].get("/things/").html.main.table.text
