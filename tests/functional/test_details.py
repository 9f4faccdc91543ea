"""A record's own page: its fields, what belongs to it, the actions available now."""

import datetime
from decimal import Decimal

import pytest

from portal.fields.address import Address
from portal.fields.money import Money
from tests.functional.world import ANNA, BRUNO, NANCY

pytestmark = pytest.mark.sqlite_suffices


@pytest.fixture
def thing(world):
    acme = world.the("companies", "Acme")
    return world.add(
        "things", name="<b>Thing</b>", prose="two\nlines", mark="**bold** <script>x</script>",
        rich="<p onclick='x'>rich</p>",
        mail="a@b.example", phone="+39 06 12", site="https://a.example/", amount=1234567, weight=Decimal("1.5"),
        price=Money(Decimal("12.5"), "EUR"), share=Decimal("15"), ready=True, day=datetime.date(2026, 3, 1),
        moment=datetime.datetime(2026, 3, 1, 23, 30, tzinfo=datetime.UTC), clock=datetime.time(9), effort=5400,
            size="small",
        colours=("red", "green"), words=("a",), owner=acme, makers=(acme,), place=Address("Via Roma 1", "00100",
            "Roma", "", ""),
        stars=4, tint="#ff0000", secret="hushword",
    )  # fmt: skip


SHOWN = ["two\nlines", "<strong>bold</strong>", "rich", 'href="mailto:a@b.example"', 'href="tel:+390612"',
    'href="https://a.example/"',
         "1,234,567", "1.5", "€12.50", "15%", "Mar 1, 2026", "2026-03-02T00:30:00+01:00", "1\u00a0hr", "Small", "Red",
         "Green", "Via Roma 1",
         "00100 Roma", "#ff0000"]  # fmt: skip


def test_every_kind_of_field_is_shown_in_its_own_way(world, thing):
    page = world[ANNA].get(f"/things/{thing}/")
    for text in SHOWN:
        assert text in page.text, text
    assert "&lt;b&gt;Thing&lt;/b&gt;" in page.text
    assert "<script>x" not in page.text
    assert "onclick='x'" not in page.text
    assert "hushword" not in page
    assert "hushword" in world[NANCY].get(f"/things/{thing}/")


def test_a_generated_page_says_the_title_once(world):
    acme = world.the("companies", "Acme").id
    assert world[NANCY].get(f"/companies/{acme}/").html.main.text.count("Acme") == 1


@pytest.mark.parametrize(
    ("name", "heading"), [("10248", "Thing 10248"), ("R2 D2", "R2 D2"), ("1/2 – 3", "Thing 1/2 – 3")]
)
def test_a_bare_number_is_no_heading(world, name, heading):
    page = world[NANCY].get(f"/things/{world.add('things', name=name)}/")
    assert page.html.h1.text == heading
    assert page.html.title.text.startswith(heading)


def test_addresses_in_long_texts_can_be_clicked(world):
    text = "See https://a.example/b?c=1&d=<2> or javascript:alert(1)"
    page = world[ANNA].get(f"/things/{world.add('things', name='Linked', prose=text)}/")
    link = page.html.find("a", href="https://a.example/b?c=1&d=")
    assert link.text == "https://a.example/b?c=1&d="
    assert link["rel"] == ["noopener", "noreferrer", "nofollow"]
    assert text in page.html.text
    assert not page.html.find("a", href=lambda href: href and href.startswith("javascript"))


def test_an_empty_value_is_an_empty_value(world):
    page = world[ANNA].get(f"/things/{world.add('things', name='Bare')}/")
    for word in ("None", "undefined", "null", "()"):
        assert word not in page.html.main.text


def test_what_links_here_is_listed_with_a_way_to_all_and_to_a_new_one(world):
    values = world.for_request()
    for number in range(12):
        world.add("requests", name=f"R{number}", **values)
    service = values["service"]
    page = world[ANNA].get(f"/services/{service.id}/")
    more = page.html.find("a", href=f"/requests/?tab=all&service.id={service.id}")
    assert "12" in page
    assert more
    assert len(world[ANNA].titles(more["href"])) == 12
    new = page.html.find("a", href=f"/requests/create?service={service.id}")
    form = world[ANNA].get(new["href"])
    assert form.html.find("option", {"value": str(service.id)}, selected=True) or f'value="{service.id}"' in form


def test_actions_are_those_of_the_profile_and_the_state(world):
    request = world.add("requests", name="R", **world.for_request())
    for person, edits, deletes in ((ANNA, False, False), (BRUNO, True, False), (NANCY, True, True)):
        page = world[person].get(f"/requests/{request}/")
        assert (f"/requests/{request}/edit" in page) is edits
        assert (f"/requests/{request}/delete" in page) is deletes
    assert "This record is closed" not in world[NANCY].get(f"/requests/{request}/delete")
    world.set("requests", request, status="closed")
    assert "This record is closed" in world[NANCY].get(f"/requests/{request}/delete")


def test_the_heading_says_the_reference_and_when_it_was_made(world):
    request = world.add("requests", name="R", **world.for_request())
    page = world[ANNA].get(f"/requests/{request}/")
    assert "R0001" in page
    assert "Mar 5, 2026" in page


def test_a_reader_of_another_language_reads_values_in_it(world, thing):
    world.account(ANNA, language="it")
    page = world[ANNA].get(f"/things/{thing}/")
    assert "1.234.567" in page
    assert "12,50" in page
    assert "1 mar 2026" in page


def test_what_the_line_above_the_heading_says_is_not_said_again(world):
    request = world.add("requests", name="Screen", **world.for_request())
    page = world[ANNA].get(f"/requests/{request}/").html
    facts = {term.text for term in page.find_all("dt")}
    assert "opened" in page.find(class_="page-head").text
    assert ("Status" in facts, "Created" in facts) == (True, False)
