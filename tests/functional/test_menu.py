"""The menu of a profile: modules and buttons in its order."""

import pytest

from tests.functional.test_signing_in import ANNA

pytestmark = pytest.mark.sqlite_suffices


@pytest.fixture
def menu(portal_folder, make_app, sign_in):
    """A function that opens an address as Anna, whose profile has this menu, and reads the side menu."""
    profile = portal_folder / "profiles" / "customer.yaml"
    profile.write_text(profile.read_text() + "menu: [new_ticket, tickets, open_tickets]\n")
    browser = sign_in(ANNA, browser=make_app())

    def read(address):
        items = browser.get(address).html.select("nav.menu")[0].find_all("a")
        return [(item["href"], item.get("aria-current")) for item in items]

    return read


def test_buttons_stand_among_the_modules(menu):
    assert [address for address, _current in menu("/")] == ["/", "/tickets/create", "/tickets/", "/tickets/?tab=open"]


def test_the_entry_of_the_page_that_is_shown_is_marked(menu):
    for address in ("/tickets/create", "/tickets/", "/tickets/?tab=open"):
        assert [item for item, current in menu(address) if current] == [address]
    assert [item for item, current in menu("/tickets/?tab=closed") if current] == ["/tickets/"]


def test_a_phone_s_dock_has_the_first_four(make_app, portal_folder, sign_in):
    profile = portal_folder / "profiles" / "customer.yaml"
    profile.write_text(profile.read_text() + "menu: [new_ticket, tickets, open_tickets]\n")
    page = sign_in(ANNA, browser=make_app()).get("/")
    dock = page.html.select("nav.dock > a")
    assert [item["href"] for item in dock] == ["/", "/tickets/create", "/tickets/", "/tickets/?tab=open"]


def test_a_button_that_is_only_in_the_menu_also_narrows_its_list(make_app, portal_folder, sign_in):
    buttons = portal_folder / "buttons.yaml"
    buttons.write_text(buttons.read_text() + "  waiting: {opens: tickets, where: {status: waiting}}\n")
    profile = portal_folder / "profiles" / "customer.yaml"
    profile.write_text(profile.read_text() + "menu: [tickets, waiting]\n")
    browser = sign_in(ANNA, browser=make_app())
    assert browser.get("/").html.select_one("nav.menu a[href*=waiting]")["href"] == "/tickets/?button=waiting"
    chips = browser.get("/tickets/?button=waiting").html.select(".chip")
    assert [chip.get_text(" ", strip=True) for chip in chips] == ["Waiting (remove)"]
