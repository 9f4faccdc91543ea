"""Conditions that compare two fields of a record: in lists, forms and roll-ups, the same on both databases."""

import datetime
import json
from collections.abc import Iterator
from decimal import Decimal

import pytest

from portal.accounts.giving_access import AccessRequest
from portal.conditions import parse
from portal.database.engine import reading
from portal.fields.money import Money
from portal.records.writing.form_conditions import is_shown
from tests.functional.world import NANCY, NOW, PEOPLE_MODULES, World, written_world

# Each with the tasks that fulfill it: A lies above, B is equal, C below; of D the first is empty, of E both.
CONDITIONS = {
    "{spent: {over: $planned}}": "A",
    "{spent: {under: $planned}}": "C",
    "{spent: {min: $planned}}": "AB",
    "{spent: $planned}": "B",
    "{spent: {not: $planned}}": "ACDE",
    "{spent: [$planned, 10.5]}": "AB",
    "{any: [{spent: {under: $planned}}, {name: D}]}": "CD",
    "{rest: {over: $planned}}": "",
    "{cost: {over: $budget}}": "A",  # C is in another currency
    "{cost: {not: $budget}}": "ACDE",
    "{took: {over: $estimate}}": "A",
    "{done: {after: $due}}": "A",
    "{done: {max: $due}}": "BC",
    "{closed: {after: $opened}}": "A",
    "{real: $expected}": "B",
    "{lead: $helper}": "B",
    "{code: {not: $copy}}": "ACDE",
    "{spent: {over: $limit}}": "A",
}
FIELDS = """
  projects:
    fields:
      name: text
      limit: decimal
      over: {type: rollup, of: count(tasks), where: {spent: {over: $planned}}}
  tasks:
    fields:
      name: text
      project: {type: link, to: projects}
      limit: {type: lookup, of: project.limit}
      planned: decimal
      spent: decimal
      rest: {type: formula, of: planned - spent, places: 2}
      budget: money
      cost: money
      estimate: duration
      took: duration
      due: date
      done: date
      opened: datetime
      closed: datetime
      expected: {type: choice, options: [low, high]}
      real: {type: choice, options: [low, high]}
      helper: {type: link, to: people}
      lead: {type: link, to: people}
      copy: text
      code: text
      reason: {type: text, required_when: {spent: {over: $planned}}}
      excuse: {type: text, show_when: {done: {after: $due}}}
    list:
      columns: [name, spent]
      tabs:
"""
TABS = "".join(f"        tab_{index}: {{where: {condition}}}\n" for index, condition in enumerate(CONDITIONS))
STAFF = "staff: true\nmodules: {people: {see: all}, projects: {see: all}, tasks: {see: all, can: [create, edit]}}"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    people = (AccessRequest(NANCY, "staff", "Nancy Smith"),)
    with written_world(request, PEOPLE_MODULES + FIELDS + TABS, people, staff=STAFF) as world:
        fill(world)
        yield world


def fill(world: World) -> None:
    day, minute = datetime.timedelta(days=1), datetime.timedelta(minutes=1)
    leads = [world.link("people", name=name) for name in ("Ada", "Bea", "Cleo")]
    project = world.link("projects", name="Bridge", limit=Decimal("9.5"))
    for name, step in (("A", 1), ("B", 0), ("C", -1), ("D", None), ("E", None)):
        planned = {
            "planned": Decimal("9.5"), "budget": Money(Decimal(9), "USD" if name == "C" else "EUR"), "estimate": 60,
            "due": NOW.date(), "opened": NOW.replace(microsecond=0), "expected": "low", "helper": leads[1], "copy": "b",
        }  # fmt: skip
        spent = {} if step is None else {
            "spent": Decimal("9.5") + step, "cost": Money(Decimal(9 + step), "EUR"),
            "took": 60 + step, "done": NOW.date() + day * step, "closed": planned["opened"] + minute * step,
            "real": "high" if step else "low", "lead": leads[1 - step], "code": "b" if step == 0 else "bb",
        }  # fmt: skip
        world.add("tasks", name=name, project=project, **({} if name == "E" else planned), **spent)


@pytest.mark.parametrize(("place", "condition"), list(enumerate(CONDITIONS)))
def test_a_list_and_a_form_compare_two_fields_alike(world, place, condition):
    assert "".join(sorted(world[NANCY].titles(f"/tasks/?tab=tab_{place}"))) == CONDITIONS[condition]
    tab = world.portal.declaration.modules["tasks"].list.tabs[f"tab_{place}"]
    with reading(world.portal.engine) as connection:
        records = world.records(connection, "tasks")
        rule = records.module.field("excuse").model_copy(update={"show_when": parse(tab.where)})
        known = [record for record in world.all("tasks") if is_shown(records, rule, record.values)]
    assert "".join(record.values["name"] for record in known) == CONDITIONS[condition]


def test_a_form_shows_and_requires_by_two_of_its_fields(world):
    nancy = world[NANCY]
    page = nancy.get("/tasks/create")
    rule = page.html.find(attrs={"data-show-when": True})["data-show-when"]
    assert json.loads(rule) == {"all": [["done", "after", [{"field": "due"}], False]]}
    late = {"name": "Late", "spent": "3", "planned": "2", "done": "2026-03-02", "due": "2026-03-01", "excuse": "Snow"}
    assert nancy.send("/tasks/create", late).status_int == 422, "a reason is missing"
    assert nancy.send("/tasks/create", {**late, "reason": "More work"}).status_int == 303
    assert world.all("tasks")[-1].values["excuse"] == "Snow"
    assert nancy.send("/tasks/create", {**late, "spent": "2", "due": "2026-03-02"}).status_int == 303
    assert world.all("tasks")[-1].values["excuse"] is None, "it was hidden"


def test_a_roll_up_counts_by_two_fields_of_its_records(world):
    project = world.the("projects", "Bridge")
    assert world.record("projects", project.id).values["over"] == 1
    other = world.link("tasks", name="F", project=project, spent=Decimal(1), planned=Decimal(2))
    world.set("tasks", other.id, planned=Decimal(0))
    assert world.record("projects", project.id).values["over"] == 2
    world.remove("tasks", other.id)
    assert world.record("projects", project.id).values["over"] == 1
