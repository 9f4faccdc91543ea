"""The panels of the home page: charts whose parts link to the records they count, lists, notices and texts."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from portal.accounts.giving_access import AccessRequest
from portal.fields.money import Money
from portal.views import charts
from tests.functional.test_speed import statements_of
from tests.functional.world import ANNA, BRUNO, CARLA, NANCY, PEOPLE_MODULES, titles, written_world

pytestmark = pytest.mark.sqlite_suffices

MODULES = (
    """
portal: {name: Panels, languages: [en, it], currency: EUR, time_zone: Europe/Rome}
"""
    + PEOPLE_MODULES
    + """
  news:
    see: all
    fields: {title: text, body: markdown, until: date}
    comments: true
    detail: {sections: [{fields: [body, until]}]}
  jobs:
    owner: caller
    organization: company
    fields:
      name: text
      caller: {type: link, to: people}
      company: {type: link, to: companies}
      state: {type: choice, options: {new: New, checked: {label: Checked, tone: warn}, done: Done}}
      urgent: boolean
      place: {type: link, to: [companies, people]}
      price: money
      hours: duration
      points: integer
      day: date
      moment: datetime
    comments: true
    list: {columns: [reference, name, state, price, day], page_size: 500, tabs: {done: {where: {state: done}}}}
    detail: {sections: [{fields: [company, urgent, place, hours, points, moment]}]}
"""
)
CUSTOMER = """
modules:
  jobs: {see: own, options: {state: {new: In work, checked: In work}}}
  news: {}
  people: {see: own}
  companies: {see: organization}
home:
  buttons: []
  panels:
    - {chart: jobs, by: state}
    - {chart: jobs, by: urgent, as: donut, label: How urgent}
    - {chart: jobs, by: place, where: {state: {not: done}}}
    - {chart: jobs, by: day, per: month, as: bar}
    - {chart: jobs, by: moment, per: day}
    - {chart: jobs, by: state, of: price}
    - {chart: jobs, by: day, per: quarter, of: hours}
    - {list: jobs, where: {state: done}, label: Finished}
    - {chart: jobs, by: urgent, of: points}
    - {notices: news, where: {until: {min: today}}}
    - {text: {en: "Open **Monday** to Friday <script>x()</script>", it: Aperti}}
"""
STAFF = """
staff: true
modules:
  jobs: {see: all, can: [create, edit]}
  news: {see: all, can: [create, edit]}
  people: {see: all}
  companies: {see: all}
home: {panels: [{chart: jobs, by: company}]}
"""
PEOPLE = (
    AccessRequest(ANNA, "customer", "Anna Rossi", "Acme"),
    AccessRequest(CARLA, "customer", "Carla Neri", "Globex"),
    AccessRequest(NANCY, "staff", "Nancy Smith", "Supplier"),
    AccessRequest(BRUNO, "bare", "Bruno Verdi", "Acme"),
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request):
    """A customer's jobs of every kind, some of another customer, and some only for staff; read by all tests."""
    bare = "modules: {jobs: {see: own}, news: {}}\n"
    with written_world(request, MODULES, PEOPLE, customer=CUSTOMER, staff=STAFF, bare=bare) as world:
        fill(world)
        yield world


def fill(world):
    anna, carla = world.the("people", "Anna Rossi"), world.the("people", "Carla Neri")
    acme = world.the("companies", "Acme")
    days = [date(2026, 3, 31), date(2026, 2, 28), date(2026, 3, 1), date(2025, 1, 31), None]
    # The last hour of February in Rome, and the first of March.
    moments = [datetime(2026, 2, 28, 22, 59, tzinfo=UTC), datetime(2026, 2, 28, 23, tzinfo=UTC), None]
    for number in range(12):
        mine = number % 4 != 3
        world.add(
            "jobs",
            name=f"Job {number}",
            caller=anna if mine else carla,
            company=acme,
            state=["new", "checked", "done", None][number % 4 if mine else 0] if number != 8 else None,
            urgent=[True, False, None][number % 3],
            place=[anna, acme, None][number % 3],
            price=[Money(Decimal("10.10"), "EUR"), Money(Decimal("-2.05"), "EUR"), Money(Decimal(7), "USD"), None][
                number // 3
            ],
            hours=3600 * number,
            points=2**63 - 1 if number in (0, 6) else -1,
            day=days[number % 5],
            moment=moments[number % 3],
        )


def charts_of(browser, address="/"):
    """The parts of each chart by heading: what each represents, its text, and its address."""
    found = {}
    for section in browser.get(address).html.select("section.card"):
        if section.select_one("[data-chart]"):
            links = section.select("ul a, td a")
            found[section.select_one("h2").text.strip()] = [
                (
                    (link.find("span") or link.find_parent("tr").find("td")).text,
                    (link.find("strong") or link).text,
                    link["href"],
                )
                for link in links
            ]
    return found


def test_each_panel_takes_one_statement(world):
    """Lists and notices count before they read, as list pages do; links also need their titles."""
    plain = statements_of(world, world[BRUNO], "/")
    charts_drawn, list_and_notices, titles_of_links, company = 8, 4, 2, 1
    assert statements_of(world, world[ANNA], "/") == plain + charts_drawn + list_and_notices + titles_of_links + company


COUNTED = ["Jobs by state", "How urgent", "Jobs by place", "Jobs by month", "Jobs by day"]


@pytest.mark.parametrize("chart", COUNTED)
def test_each_part_of_a_chart_leads_to_as_many_records_as_it_says(world, chart):
    parts = charts_of(world[ANNA])[chart]
    assert len(parts) > 1
    assert sum(int(text) for _label, text, _address in parts) > 2
    for label, text, address in parts:
        listed = world[ANNA].get(address)
        assert len(titles(listed)) == int(text), (label, address)


def test_records_are_counted_by_what_they_hold_and_by_nobody_elses(world):
    found = {name: {label: text for label, text, _address in parts} for name, parts in charts_of(world[ANNA]).items()}
    assert found["How urgent"] == {"Yes": "3", "No": "6"}, "a boolean that was never set is No"
    assert found["Jobs by month"]["Mar 2026"] == "4"
    assert found["Jobs by month"]["Jan 2026"] == "0"
    assert (found["Jobs by day"]["Feb 28"], found["Jobs by day"]["Mar 1"]) == ("3", "3"), "days begin in Rome"
    assert charts_of(world[NANCY]) == {
        "Jobs by company": [("Acme", "12", next(iter(charts_of(world[NANCY]).values()))[0][2])]
    }


def test_options_with_one_label_are_one_part(world):
    """The customer must not learn about a state that their profile hides behind another one's label."""
    parts = charts_of(world[ANNA])["Jobs by state"]
    assert [label for label, _text, _address in parts] == ["In work", "Done", "Empty"]
    assert sorted(parse_qs(urlsplit(parts[0][2]).query)["state"]) == ["checked", "new"]


def test_sums_are_exact_and_of_one_currency_each(world):
    html = world[ANNA].get("/").html
    section = next(one for one in html.select("section.card") if "Price by state" in one.text)
    assert [name.text for name in section.select("h3")] == ["EUR", "USD"]
    jobs = [job for job in world.all("jobs") if job.values["caller"].title == "Anna Rossi"]
    expected = {}
    for job in jobs:
        if price := job.values["price"]:
            label = {"new": "In work", "checked": "In work", "done": "Done", None: "Empty"}[job.values["state"]]
            key = price.currency, label
            expected[key] = expected.get(key, Decimal(0)) + price.amount
    shown = {}
    for name, bars in zip(("EUR", "USD"), section.select("ul.bars"), strict=True):
        for link in bars.select("a"):
            key = name, link.find("span").text
            shown[key] = Decimal(re.sub(r"[^\d.-]", "", link.find("strong").text))
            prices = [job.values["price"] for job in jobs if job.title in titles(world[ANNA].get(link["href"]))]
            assert {price.currency for price in prices} == {name}, "each leads to the list of its currency"
            assert sum(price.amount for price in prices) == shown[key]
    assert shown == expected
    hours = {label: text for label, text, _address in charts_of(world[ANNA])["Hours by quarter"]}
    assert hours["Q1 2026"] == "24\u00a0hr"


def test_a_sum_may_be_larger_than_any_number_that_can_be_typed(world):
    """One person's two enormous numbers must not break the home page of everyone who sees them."""
    points = {label: text for label, text, _address in charts_of(world[ANNA])["Points by urgent"]}
    assert points == {"Yes": "18,446,744,073,709,551,613", "No": "-6"}


def test_what_one_has_hidden_is_counted_no_more_than_listed(world):
    label, before, address = charts_of(world[ANNA])["Jobs by state"][1]
    record = world[ANNA].get(address).html.select_one("a.cover")["href"]
    world[ANNA].send(f"{record}hide", status=303)
    try:
        hidden = next(part for part in charts_of(world[ANNA])["Jobs by state"] if part[0] == label)
        assert int(hidden[1]) == int(before) - 1 == len(titles(world[ANNA].get(address)))
    finally:
        world[ANNA].send(f"{record}hide", {"_hide": "false"}, status=303)


def test_a_chart_over_many_records_is_drawn_after_the_page(world, monkeypatch):
    here = charts_of(world[NANCY])["Jobs by company"]
    monkeypatch.setattr(charts, "MOST_COUNTED", 11)
    link = world[NANCY].get("/").html.select_one("a[data-chart-later]")
    assert "data-chart=" not in world[NANCY].get("/").text
    page = world[NANCY].get(link["href"])
    assert [tag["href"] for tag in page.html.select("[data-chart] a")] == [address for _label, _text, address in here]
    assert len(titles(world[NANCY].get(here[0][2]))) == int(here[0][1])


@pytest.mark.parametrize("address", [
    "/jobs/chart", "/jobs/chart?panel=0", "/jobs/chart?panel=99", "/jobs/chart?panel=8", "/news/chart?panel=1",
    "/jobs/chart?panel=x", "/people/chart?panel=1", "/nothing/chart?panel=1",
])  # fmt: skip
def test_there_is_no_other_chart(world, address):
    assert world[ANNA].see(address).status_int == 404
    assert world[BRUNO].see(address.replace("panel=0", "panel=1")).status_int == 404


def test_a_key_of_a_panel_that_the_profile_does_not_have_narrows_nothing(world):
    address = urlsplit(charts_of(world[ANNA])["Jobs by place"][0][2])
    key = parse_qs(address.query)["button"][0]
    narrowed = world[ANNA].get(f"/jobs/?button={key}")
    assert "From the home page" in narrowed
    assert "Job 2" not in titles(narrowed)
    assert "From the home page" not in world[BRUNO].get(f"/jobs/?button={key}")
    assert "From the home page" not in world[ANNA].get(f"/news/?button={key}")


def test_a_list_has_its_first_records_and_a_way_to_all(world):
    section = next(one for one in world[ANNA].get("/").html.select("section.card") if "Finished" in one.find("h2"))
    rows = [link.text for link in section.select("a.cover")]
    assert rows
    assert rows == titles(world[ANNA].get(section.select_one("header a")["href"]))[: len(rows)]
    empty = next(one for one in world[CARLA].get("/").html.select("section.card") if "Finished" in one.find("h2"))
    assert "Nothing here yet" in empty.text


def test_a_notice_stands_on_top_until_each_puts_it_away(world):
    notice = world.add("news", title="We move", body="On *Friday*", until=date(2026, 3, 9))
    world.add("news", title="Long over", body="x", until=date(2026, 3, 1))
    page = world[ANNA].get("/")
    assert [tag.text for tag in page.html.select(".notices h2")] == ["We move"]
    assert page.html.select_one(".notices em").text == "Friday"
    form = next(form for form in page.forms.values() if form.action == f"/news/{notice}/dismiss")
    form.submit(status=303)
    assert "We move" not in world[ANNA].get("/")
    assert "We move" in titles(world[ANNA].get("/news/")), "only home leaves it out"
    assert "We move" in world[CARLA].get("/")
    world.clock.pass_by(minutes=1)
    world.set("news", notice, body="On Saturday")
    assert "On Saturday" in world[ANNA].get("/"), "what is changed comes back"
    world[ANNA].send(f"/news/{notice}/hide", status=303)
    assert "We move" not in titles(world[ANNA].get("/news/"))
    assert "On Saturday" in world[ANNA].get("/"), "what is hidden from lists is still a notice"
    world.clock.pass_by(minutes=1)
    world.set("news", notice, body="On Sunday")
    world[ANNA].send(f"/news/{notice}/dismiss", status=303)
    assert "On Sunday" not in world[ANNA].get("/")
    assert "We move" in titles(world[ANNA].get("/news/")), "it was shown again before it was put away"


def test_only_notices_are_dismissed(world):
    job = next(job for job in world.all("jobs") if job.values["caller"].title == "Anna Rossi")
    assert world[ANNA].send(f"/jobs/{job.id}/dismiss").status_int == 404
    assert world[ANNA].send("/news/99999/dismiss").status_int == 404
    notice = world.add("news", title="For others", body="x")
    assert world[BRUNO].send(f"/news/{notice}/dismiss").status_int == 404


def test_a_text_is_markdown_without_scripts(world):
    page = world[ANNA].get("/")
    assert "<strong>Monday</strong> to Friday" in page
    assert "<script>x()" not in page.text
