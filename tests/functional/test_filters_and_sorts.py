"""Filters and orders in a list's address: a table row for each, the same on both databases."""

import datetime
from decimal import Decimal
from urllib.parse import quote

import pytest

from portal.fields.address import Address
from portal.fields.linked_value import Linked
from portal.fields.money import Money
from tests.functional.world import ANNA, BRUNO, NANCY, linked, titles, way

DAY, UTC = datetime.date, datetime.UTC


def euro(amount):
    return Money(Decimal(amount), "EUR")


def fill(world):
    """Four things: A and B full of values, C with edge cases, E with only its name."""
    acme, globex = world.the("companies", "Acme"), world.the("companies", "Globex")
    world.set("companies", acme.id, city="Roma")
    project = world.add("projects", name="Move", contact=world.the("people", "Bruno Verdi"))
    world.set("companies", globex.id, city="Łódź")
    anna = world.the("people", "Anna Rossi")
    world.add(
        "things", name="A", prose="Red ink\nspilt", mark="**Bold** words", rich="<p>Über <b>rich</b></p>",
        mail="info@a.example", phone="+39 06 1234", site="https://a.example/x", amount=1, weight=Decimal("1.5"),
        price=euro("10"), share=Decimal("15"), ready=True, day=DAY(2026, 3, 1),
        moment=datetime.datetime(2026, 3, 1, 23, 30, tzinfo=UTC), clock=datetime.time(9), effort=3600,
        ended=datetime.datetime(2026, 3, 2, 0, 30, tzinfo=UTC), size="small", colours=("red", "green"),
        words=("Ärger", "10%"), owner=acme, makers=(globex, acme), either=anna,
        place=Address("Via Roma 1", "00100", "Roma", "", "Italia"), stars=5, tint="#ff0000",
        project=Linked(project, "projects"),
    )  # fmt: skip
    world.add(
        "things", name="b", prose="Blue i\xadnk", mark="Plain", rich="<p>poor</p>", mail="INFO@b.example",
        phone="+48 (0)22 99 x7",
        site="https://b.example/", amount=-5, weight=Decimal("10.25"), price=euro("9.99"), share=Decimal("2.5"),
        ready=False, day=DAY(2026, 2, 28), moment=datetime.datetime(2026, 3, 1, 22, 30, tzinfo=UTC),
        clock=datetime.time(17, 30), effort=90, ended=datetime.datetime(2026, 3, 3, tzinfo=UTC), size="large",
        colours=("blue",), words=("angst",), owner=globex, makers=(acme,), either=globex,
        place=Address("Żabia 5", "", "Łódź", "", "Polska"), stars=1, tint="#0000ff",
    )  # fmt: skip
    world.add(
        "things", name="Ć", prose="100% _under_", amount=2**62, weight=Decimal("-0.001"), price=Money(Decimal("5"),
        "USD"),
        share=Decimal("0"), day=DAY(1999, 12, 31), clock=datetime.time(0), effort=0, size="medium",
        colours=("red", "blue"), words=('a "b"',), stars=3,
    )  # fmt: skip
    world.add("things", name="E")


FILTERS = [
    # text-like: contains, accents and case ignored
    ("name=a", "A"), ("name=c", "Ć"), ("name=%C4%86", "Ć"), ("name=A&name=B", "Ab"), ("name=", "AbĆE"),
    ("name=%25", ""), ("name=_", ""), ("name=A%27+OR+1", ""), ("name.empty=1", ""), ("name.min=a", "AbĆE"),
    ("prose=INK", "Ab"), ("prose=%25", "Ć"), ("prose=_", "Ć"), ("prose=red+ink", "A"),
    ("prose=ink+spilt", "A"), ("prose.empty=1", "E"),
    ("mark=bold", "A"), ("rich=uber", "A"), ("mail=info@", "Ab"), ("mail=b.EXAMPLE", "b"), ("phone=1234", "A"),
    ("site=a.example", "A"), ("words=arger", "A"), ("words=10%25", "A"), ("words=%22b%22", "Ć"), ("words.empty=1", "E"),
    ("place=ŁODZ", "b"), ("place=via+roma", "A"), ("place.empty=1", "ĆE"), ("city=łodz", "b"), ("city=ROM", "A"),
    ("reference=2", "b"), ("phone=061234", "A"), ("phone=0039+06", "A"), ("phone=%2B48+(22)", "b"), ("phone=y", ""),
    ("phone=02299", "b"), ("phone=%2B48+22+99", "b"), ("phone=48022", "b"), ("phone=99+x7", "b"),
    ("tint=%23FF0000", "A"), ("tint=%2300f", "b"), ("tint.empty=1", "ĆE"),
    # what a lookup leads to
    ("manager=bru", "A"), ("manager.id={bruno}", "A"), ("manager.empty=1", "bĆE"),
    # numbers
    ("amount=1", "A"), ("amount=-5", "b"), ("amount=1&amount=-5", "Ab"), ("amount.min=1", "AĆ"), ("amount.max=1", "Ab"),
    ("amount.min=-5&amount.max=1", "Ab"), ("amount.empty=1", "E"), ("amount=1&amount.empty=1", "AE"),
    ("amount.min=2&amount.empty=1", ""), ("amount=4611686018427387904", "Ć"), ("amount=1,000", ""), ("amount=", "AbĆE"),
    ("weight=1.5", "A"), ("weight=1.50", "A"), ("weight.min=1.5", "Ab"), ("weight.max=0", "Ć"),
    ("price=10", "A"), ("price.min=9.99", "Ab"), ("price.max=9.99", "b"), ("price=5+USD", "Ć"),
    ("price.min=1+USD", "Ć"), ("price=€+10", "A"), ("price=10.00+€", "A"), ("price.max=€9.99", "b"),
    ("share=15+%25", "A"), ("share.min=15%25", "A"),
    ("share=15", "A"), ("share.max=2.5", "bĆ"), ("stars=5", "A"), ("stars=5&stars=1", "Ab"), ("stars.empty=1", "E"),
    ("effort=1+h", "A"), ("effort=60", "A"), ("effort.max=1:30", "AbĆ"), ("effort.min=2+min", "A"),
    ("since=1+h", "A"), ("since.min=2+h", "b"),
    # yes and no
    ("ready=true", "A"), ("ready=false", "bĆE"), ("ready.empty=1", "ĆE"), ("ready=true&ready=false", "AbĆE"),
    # days and times; a day is the reader's own, in Rome
    ("day=2026-03-01", "A"), ("day=3/1/26", "A"), ("day.min=2026-02-28", "Ab"), ("day.max=2026-02-28", "bĆ"),
    ("day.min=2026-03-01&day.max=2026-03-01", "A"), ("day.empty=1", "E"),
    ("moment=2026-03-02", "A"), ("moment=2026-03-01", "b"), ("moment.min=2026-03-02", "A"),
    ("moment.max=2026-03-01", "b"),
    ("moment.min=2026-03-01T23:30&moment.max=2026-03-02T00:30", "Ab"), ("moment=2026-03-02T00:30", "A"),
    ("moment=2026-03-01+23:30+UTC", "A"), ("moment=2026-03-02+00:30+%2B01", "A"), ("day=01.03.2026", "A"),
    ("day=1+March+2026", "A"), ("moment.max=2026-03-02", "Ab"),
    ("clock=9:00", "A"), ("clock.min=09:00", "Ab"), ("clock.max=00:00", "Ć"),
    # options: equal
    ("size=small", "A"), ("size=small&size=large", "Ab"), ("size=Small", "A"), ("size=tiny", "!"), ("size=", "AbĆE"),
    ("size.empty=1", "E"),
    ("size=small&size.empty=1", "AE"), ("colours=red", "AĆ"), ("colours=red&colours=green", "AĆ"),
    ("colours.empty=1", "E"),
    # links: a part of the title, digits too, or the id
    ("owner.id={acme}", "A"), ("owner=acm", "A"), ("owner={acme}", ""), ("owner.id={acme}&owner=globex", "Ab"),
    ("owner.id=999", ""), ("name.id=1", "AbĆE"), ("owner=ACME&owner=globex", "Ab"), ("owner.empty=1", "ĆE"),
    ("owner=999", ""),
    ("makers.id={acme}", "Ab"), ("makers=glob", ""), ("makers=acme", "Ab"), ("makers.empty=1", "ĆE"),
    ("either.id=companies:{globex}", "b"), ("either.id=people:{anna}", "A"), ("either=rossi", "A"), ("either=GLO", "b"),
    # several columns: all of them
    ("size=small&owner=acm&ready=true", "A"), ("size=small&owner=glob", ""), ("name=b&q=blue", "b"),
    # what is not known is ignored
    ("nothing=1", "AbĆE"), ("name.like=x", "AbĆE"), ("tab=nowhere", "AbĆE"), ("button=nowhere", "AbĆE"),
    ("secret=x", "AbĆE"), ("_version=9", "AbĆE"), ("owner.name=Acme", "AbĆE"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "expected"), FILTERS)
def test_a_filter_leaves_these_rows(filled, asked, expected):
    ids = {"acme": ("companies", "Acme"), "globex": ("companies", "Globex")}
    ids |= {"anna": ("people", "Anna Rossi"), "bruno": ("people", "Bruno Verdi")}
    for name, record in ids.items():
        asked = asked.replace(f"{{{name}}}", str(filled.the(*record).id))
    asked = quote(asked, safe="=&+%.:,")
    page = filled[ANNA].get(f"/things/?{asked}&sort=name")
    if expected == "!":
        assert "is not one of the options" in page
    else:
        assert "".join(titles(page)) == expected
        assert f" of {len(expected)}" in page or not expected
        assert 'class="error"' not in page


UNREADABLE = [
    ("amount=ten", "not a number"), ("amount.min=1.5", ""), ("amount.max=9e99", ""), ("amount=" + "9" * 400, ""),
    ("weight=1,5", "not a number"), ("price=ten", "not a number"), ("price=1+ZZZ", "not a currency"),
    ("day=soon", "Enter a date such as"),
    ("day.min=2026-02-30", "Enter a date such as"), ("moment=soon", ""), ("moment.max=soon", ""),
    ("clock=25:00", "Enter a time such as"),
    ("effort=long", ""), ("size=huge", "not one of the options"),
    ("colours=red&colours=pink", "not one of the options"),
    ("ready=perhaps", ""), ("stars=x", ""), ("since=x", ""),
]  # fmt: skip


@pytest.mark.sqlite_suffices
@pytest.mark.parametrize(("asked", "message"), UNREADABLE)
def test_a_value_that_cannot_be_read_is_answered_with_a_message_at_its_filter(filled, asked, message):
    page = filled[ANNA].get(f"/things/?{asked}&name=a", status=200)
    field = asked.partition("=")[0].partition(".")[0]
    error = page.html.find(id=f"filter-error-{field}") or page.html.find("p", class_="error")
    assert error, "the message stands on the page"
    assert message in error.text
    assert titles(page) == ["A"], "the other filters stay in force"
    assert message in page.html.find(class_="chips").text, "where the list has no such column, nothing else says it"


def test_what_was_typed_into_a_filter_stays_in_it(filled):
    page = filled[ANNA].get("/things/?name=%3Cb%3E&amount.min=ten&size=small&owner=acm&q=x")
    form = page.html
    assert form.find("input", {"name": "name"})["value"] == "<b>"
    assert form.find("input", {"name": "amount.min"})["value"] == "ten"
    assert form.find("input", {"name": "owner"})["value"] == "acm"
    assert form.find("input", {"name": "q"})["value"] == "x"
    assert form.find("select", {"name": "size"}).find("option", selected=True)["value"] == "small"


def test_a_filter_by_id_shows_the_title_of_the_record(filled):
    acme, globex = (filled.the("companies", name).id for name in ("Acme", "Globex"))
    chosen = filled[ANNA].get(f"/things/?owner.id={acme}").html.find("select", {"name": "owner.id"})
    assert [option.text for option in chosen.find_all("option")] == ["Any", "Acme"], "only what its reader may see"
    assert chosen.find("option", selected=True)["value"] == str(acme)
    page = filled[ANNA].get(f"/things/?owner.id={globex}")
    assert page.html.find("input", {"name": "owner"})["value"] == str(globex), "a foreign title is not shown"


def test_links_to_many_records_are_filtered_by_a_text_and_a_title_may_be_digits(world):
    nancy = world[NANCY]
    services = [world.add("services", name=f"{number} seats") for number in range(30)]
    assert len(nancy.get("/requests/").html.find("select", {"name": "service.id"}).find_all("option")) == 31
    world.add("services", name="31 seats")
    world.add("requests", name="More seats", service=Linked(services[23], "services"))
    assert nancy.get("/requests/").html.find("input", {"name": "service"})
    assert nancy.titles("/requests/?service=23") == ["More seats"]
    assert nancy.titles(f"/requests/?service.id={services[23]}") == ["More seats"]


def test_dates_and_numbers_are_written_and_read_as_in_the_browsers_region(filled):
    british, american = {"Accept-Language": "en-GB,en;q=0.8"}, {"Accept-Language": "en-US"}
    for _again in range(2):  # what is cached for one region is not shown in another
        assert "1 Mar 2026" in filled[ANNA].get("/things/", headers=british)
        assert "Mar 1, 2026" in filled[ANNA].get("/things/", headers=american)
    page = filled[ANNA].get("/things/?day=01/03/2026", headers=british)
    assert titles(page) == ["A"]
    assert "31/03/2024" in filled[ANNA].get("/things/?day=soon", headers=british)
    assert "3/31/2024" in filled[ANNA].get("/things/?day=soon", headers={"Accept-Language": "pl, fr-CA"})


# -- sorting -----------------------------------------------------------------------------------------------------------

# Ascending; what stands behind the bar is empty, and last in both directions.
SORTS = [
    ("name", "AbĆE|"), ("prose", "ĆbA|E"), ("mail", "Ab|ĆE"), ("amount", "bAĆ|E"), ("weight", "ĆAb|E"),
    ("price", "ĆbA|E"),
    ("share", "ĆbA|E"), ("ready", "bA|ĆE"), ("day", "ĆbA|E"), ("moment", "bA|ĆE"), ("clock", "ĆAb|E"),
    ("effort", "ĆbA|E"),
    ("since", "Ab|ĆE"), ("size", "AĆb|E"), ("words", "ĆbA|E"), ("owner", "Ab|ĆE"), ("makers", "Ab|ĆE"),
    ("either", "Ab|ĆE"),
    ("place", "Ab|ĆE"), ("manager", "A|bĆE"), ("stars", "bĆA|E"), ("city", "bA|ĆE"), ("reference", "AbĆE|"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "expected"), SORTS)
def test_empty_values_come_last_in_both_directions(filled, field, expected):
    anna = filled[ANNA]
    full, _bar, empty = expected.partition("|")
    if field == "words":  # 10%, angst and a "b" sort by the folded text of the first
        full = "".join(anna.titles("/things/?sort=words"))[:3]
        assert set(full) == {"A", "b", "Ć"}
    assert "".join(anna.titles(f"/things/?sort={field}")) == full + empty
    assert "".join(anna.titles(f"/things/?sort=-{field}")) == full[::-1] + empty[::-1]


@pytest.mark.parametrize(
    "sort",
    ["nothing", "-nothing", "secret", "unlisted", "name%20desc", "-", "--name", "name;", "_version", "owner.name"],
)
def test_a_sort_that_is_not_known_changes_nothing(filled, sort):
    assert filled[ANNA].titles(f"/things/?sort={sort}") == filled[ANNA].titles("/things/")


def test_several_sorts_come_one_after_the_other(filled):
    assert "".join(filled[ANNA].titles("/things/?sort=ready&sort=-name")) == "bAEĆ"


def test_the_heading_of_the_sorted_column_says_so_and_leads_to_the_other_direction(filled):
    page = filled[ANNA].get("/things/?sort=name&size=small")
    heading = page.html.find("th", {"aria-sort": "ascending"})
    assert "Name" in heading.text
    assert "sort=-name" in heading.a["href"]
    assert "size=small" in heading.a["href"]
    assert filled[ANNA].get(heading.a["href"]).html.find("th", {"aria-sort": "descending"})


# -- tabs and buttons --------------------------------------------------------------------------------------------------


def request(world, name, **values):
    acme = world.the("companies", "Acme")
    service = next((record for record in world.all("services")), None)
    identity = service.id if service else world.add("services", name="Printing", customers=(acme,))
    found = {
        "caller": world.the("people", "Anna Rossi"),
        "company": acme,
        "body": "x",
        "service": linked("services", identity)[0],
    }
    return world.add("requests", name=name, **{**found, **values})


def test_references_are_sorted_by_their_number_across_pages(world):
    for number in range(30):
        world.add("services", name=f"Service of reference {number + 1}")
    names = [record.title for record in world.all("services")]
    for sort, expected in (("reference", names), ("-reference", names[::-1])):
        page = world[NANCY].get(f"/services/?sort={sort}")
        assert titles(page) + titles(world[NANCY].get(way(page, "next"))) == expected


def test_without_a_tab_the_first_one_applies_to_search_and_export_too(world):
    request(world, "Fresh")
    request(world, "Done", status="resolved")
    bruno = world[BRUNO]
    for asked in ("", "?tab=", "?tab=open", "?tab=nowhere", "?q=x"):
        assert bruno.titles(f"/requests/{asked}") == ["Fresh"], asked
    assert sorted(bruno.titles("/requests/?tab=all&q=x")) == ["Done", "Fresh"]
    assert "Done" not in bruno.get("/requests/export.csv")
    assert "Done" in bruno.get("/requests/export.csv?tab=all")
    assert "Fresh" not in bruno.get("/requests/export.csv?tab=all&status=resolved")


def test_the_counts_of_tabs_are_those_of_the_search_and_the_filters(world):
    for number in range(3):
        request(world, f"J{number}")
    request(world, "Done J1", status="closed")
    for address, counts in (
        ("/requests/", ["3", "4"]),
        ("/requests/?q=J1", ["1", "2"]),
        ("/requests/?q=J", ["0", "0"]),
        ("/requests/?name=J1", ["1", "2"]),
        ("/requests/?status=closed&tab=all", ["0", "1"]),
        ("/requests/?q=J1&status=closed&tab=all&sort=-name", ["0", "1"]),
    ):
        tabs = world[ANNA].get(address).html.find("nav", class_="tabs").find_all("a")
        assert [tab.find(class_="count").text for tab in tabs] == counts, address
        query = address.partition("?")[2].replace("&tab=all", "")
        assert all(query in tab["href"] for tab in tabs), "a tab keeps search, filters and order"
        assert [tab.get("aria-current") for tab in tabs] == (["page", None] if "tab" not in address else [None, "page"])


def test_an_empty_page_leads_to_the_tabs_with_matches(world):
    request(world, "Fresh")
    request(world, "Done", status="closed")
    page = world[ANNA].get("/requests/?q=done")
    assert "No records match your search." in page
    assert "Results in other tabs:" in page
    (link,) = page.html.find("div", class_="nothing").find_all(
        "a", href=lambda href: "tab=all" in href and "q=" in href
    )
    assert link.text.split() == ["All", "1"]
    assert titles(world[ANNA].get(link["href"])) == ["Done"]
    assert "Results in other tabs:" not in world[ANNA].get("/requests/?q=nowhere")


def test_a_button_opens_the_list_with_its_own_condition(world):
    request(world, "Fresh")
    request(world, "Waits", status="waiting")
    request(world, "Done", status="resolved")
    anna, nancy = world[ANNA], world[NANCY]
    assert anna.titles("/requests/?button=waiting") == ["Waits"]
    assert nancy.titles("/requests/?button=resolved") == ["Done"], "whatever the first tab is"
    assert anna.titles("/requests/?button=resolved") == anna.titles("/requests/"), "not a button of this profile"
    home = anna.get("/").html
    link = home.find("a", href="/requests/?button=waiting")
    assert "1" in link.text


def test_an_export_has_the_same_rows_in_the_same_order(filled):
    lines = filled[ANNA].get("/things/export.csv?sort=-name&amount.max=1").text.splitlines()
    assert len(lines) == 4 or "A" in lines[-1]
    assert [line for line in lines if line.startswith(("1,", "2,"))][0].startswith("2,b")
    refused = filled[ANNA].get("/things/export.csv?amount.max=much", status=400)
    assert "One of the filters is not valid. Correct it in the list" in refused, "more would be exported"
