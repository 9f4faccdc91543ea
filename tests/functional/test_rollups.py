"""Roll-ups through the page: correct after every write to the records they cover, and hidden from people who may not
see these; and text formulas, which name records."""

import datetime
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from decimal import Decimal
from threading import Barrier

import pytest
from click.testing import CliRunner

from portal.accounts.accounts import find_account
from portal.accounts.giving_access import AccessRequest
from portal.accounts.identity import identify
from portal.commands import main
from portal.database.engine import reading
from portal.database.migration.plan_and_apply import apply, plan
from portal.database.schema.tables import build
from portal.declaration.load import load
from portal.fields.linked_value import Linked
from portal.fields.money import Money
from portal.records.audit.explain import explain
from portal.records.indexing.backlog import catch_up
from portal.records.policy import system_policy
from portal.records.reading.records import Records
from tests.functional.world import CARLA, NANCY, World, reset_ids, written_world

MODULES = """
portal: {currency: EUR}
people: people
modules:
  people:
    title: full_name
    fields:
      first_name: text
      last_name: {type: text, required: true}
      email: {type: email, unique: true}
      full_name: {type: formula, of: first_name + ' ' + last_name}
  companies:
    fields:
      name: text
      parent: {type: link, to: companies, on_delete: clear}
      branches: {type: rollup, of: count(companies)}
      hours: {type: rollup, of: sum(projects.hours)}
  projects:
    fields:
      name: text
      company: {type: link, to: companies, on_delete: clear}
      budget: money
      tasks: {type: rollup, of: count(tasks)}
      open: {type: rollup, of: count(tasks), where: {status: new}}
      newest: {type: rollup, of: max(tasks.created)}
      hours: {type: rollup, of: sum(tasks.hours)}
      cost: {type: rollup, of: sum(tasks.cost)}
      left: {type: formula, of: budget - cost}
      last: {type: rollup, of: max(tasks.due)}
      first: {type: rollup, of: min(tasks.created)}
      voices: {type: rollup, of: count(votes), includes_unseen: true}
      doubt: {type: formula, of: hours * 2}
    list: {columns: [name, tasks, open, hours, cost, left, last, voices, doubt]}
  tasks:
    records_from: true
    fields:
      name: {type: text, unique: true}
      project: {type: link, to: projects, on_delete: cascade}
      leader: {type: link, to: people}
      hours: decimal
      rate: money
      cost: {type: formula, of: hours * rate}
      due: date
      status: {type: choice, options: [new, done]}
      number_at_site: {type: lookup, of: project.tasks}
    lifecycle:
      field: status
      transitions: {finish: {from: new, to: done}}
    comments: true
  votes:
    owner: person
    fields:
      person: {type: link, to: people, default: me}
      project: {type: link, to: projects}
"""
RIGHTS = "[create, edit, delete, finish, comment, export]"
STAFF = f"""staff: true
modules:
  people: {{see: all}}
  companies: {{see: all, can: [create, edit, delete]}}
  projects: {{see: all, can: [create, edit, delete, export]}}
  tasks: {{see: all, can: {RIGHTS}}}
  votes: {{see: all}}
"""
# Carla sees every project and the names of their tasks; not their hours, and of the votes only her own.
CUSTOMER = """
modules:
  projects: {see: all}
  tasks:
    see: {through: project}
    list: {columns: [name, number_at_site]}
    detail: {sections: [{fields: [name, due, status]}]}
  votes: {see: own, can: [create]}
"""


def opened_shop(request: pytest.FixtureRequest) -> AbstractContextManager[World]:
    """The portal of MODULES, in which Nancy may do everything."""
    people = AccessRequest(NANCY, "staff", "Nancy Mary Smith"), AccessRequest(CARLA, "customer", "Carla Neri")
    return written_world(request, MODULES, people, staff=STAFF, customer=CUSTOMER)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest) -> Iterator[World]:
    with opened_shop(request) as world:
        world.kept = world.rows()
        yield world


@pytest.fixture
def shop(opened: World) -> Iterator[World]:
    """The same for all tests; what one writes is rolled back."""
    yield opened
    opened.put_back(opened.kept)
    reset_ids(opened.portal)


@pytest.fixture(params=["sqlite", "postgresql"])
def changing_shop(request: pytest.FixtureRequest) -> Iterator[World]:
    """A shop whose tables may be changed."""
    with opened_shop(request) as world:
        yield world


def euros(amount: int) -> Money:
    return Money(Decimal(amount), "EUR")


def numbers(shop: World, project: int) -> tuple[object, ...]:
    values = shop.record("projects", project).values
    return tuple(values[name] for name in ("tasks", "open", "hours", "cost", "left", "last"))


def test_roll_ups_follow_every_write_of_what_they_are_over(shop):
    nancy = shop[NANCY]
    globex = shop.add("companies", name="Globex")
    roof, wall = (shop.add("projects", name=name, budget=euros(100)) for name in ("Roof", "Wall"))
    assert numbers(shop, roof) == (0, 0, 0, euros(0), euros(100), None)
    task = {"name": "Tiles", "project": str(roof), "hours": "1.5", "rate": "20", "due": "2026-04-01"}
    assert nancy.send("/tasks/create", task).status_int == 303
    due, later = datetime.date(2026, 4, 1), datetime.date(2026, 5, 1)
    shop.add("tasks", name="Beams", project=Linked(roof, "projects"), hours=Decimal(2), rate=euros(10), due=later)
    assert numbers(shop, roof) == (2, 2, Decimal("3.5"), euros(50), euros(50), later)
    assert shop.record("projects", roof).values["first"] == shop.record("tasks", 1).values["created"]

    nancy.send("/tasks/1/edit", {**task, "rate": "40"})
    assert numbers(shop, roof)[3:] == (euros(80), euros(20), later)
    nancy.send("/tasks/1/move/finish")
    assert numbers(shop, roof)[:2] == (2, 1)
    nancy.send("/tasks/2/edit", {"name": "Beams", "project": str(wall), "hours": "2", "rate": "", "due": "2026-05-01"})
    assert numbers(shop, roof) == (1, 0, Decimal("1.5"), euros(60), euros(40), due)
    assert numbers(shop, wall) == (1, 1, 2, euros(0), euros(100), later)
    shop.set("projects", roof, company=Linked(globex, "companies"))
    shop.add("companies", name="Branch", parent=Linked(globex, "companies"))
    company = shop.record("companies", globex).values
    assert (company["hours"], company["branches"]) == (Decimal("1.5"), 1)
    nancy.send("/tasks/1/delete")
    assert numbers(shop, roof) == (0, 0, 0, euros(0), euros(100), None)
    assert shop.record("companies", globex).values["hours"] == 0
    shop.remove("projects", wall)
    assert shop.all("tasks") == []


def test_lists_sort_and_filter_by_roll_ups_and_a_form_keeps_them(shop):
    nancy = shop[NANCY]
    for name, tasks in (("None", 0), ("Two", 2), ("One", 1)):
        project = shop.add("projects", name=name, budget=euros(100))
        for number in range(tasks):
            shop.add(
                "tasks", name=f"{name} {number}", project=Linked(project, "projects"), hours=Decimal(3), rate=euros(5)
            )
    assert nancy.titles("/projects/?sort=-tasks") == ["Two", "One", "None"]
    assert nancy.titles("/projects/?cost.min=15&sort=name") == ["One", "Two"]
    assert "30" in nancy.get("/projects/export.csv").text
    assert 'name="tasks"' not in nancy.get("/projects/2/edit").text
    nancy.send("/projects/2/edit", {"name": "Two", "budget": "90", "tasks": "7"})
    assert numbers(shop, 2)[:5] == (2, 2, 6, euros(30), euros(60))


def test_an_import_rolls_up(shop, tmp_path):
    url = str(shop.portal.engine.url.render_as_string(hide_password=False))
    for name in ("Roof", "Wall"):
        shop.add("projects", name=name)
    rows = "".join(f"T{number},{'Roof' if number % 3 else 'Wall'},2\n" for number in range(30))
    (tmp_path / "tasks.csv").write_text("name,project,hours\n" + rows)

    def run(*arguments):
        options = ["--folder", str(shop.app.registry.live.folder), "--database", url]
        result = CliRunner().invoke(main, [*options, *arguments])
        assert result.exit_code == 0, result.output

    run("import", "tasks", str(tmp_path / "tasks.csv"))
    assert [numbers(shop, project)[:3] for project in (1, 2)] == [(20, 20, 40), (10, 10, 20)]
    (tmp_path / "again.csv").write_text("name,project,hours\nT0,Roof,5\n")
    run("import", "tasks", str(tmp_path / "again.csv"), "--key", "name")
    assert [numbers(shop, project)[:3] for project in (1, 2)] == [(21, 21, 45), (9, 9, 18)]


def test_readers_who_do_not_see_all_the_records_do_not_get_the_number(shop):
    carla, nancy = shop[CARLA], shop[NANCY]
    project = shop.add("projects", name="Roof", budget=euros(100))
    shop.add("tasks", name="Tiles", project=Linked(project, "projects"), hours=Decimal("77.5"), rate=euros(1))
    shop.add("votes", project=Linked(project, "projects"))
    for page in (f"/projects/{project}/", "/projects/"):
        assert "77.5" in nancy.get(page).text
        seen = carla.get(page)
        assert ("77.5" in seen.text, ">Voices<" in seen.text, ">Open<" in seen.text) == (False, True, True)
        assert "155" not in seen.html.get_text(), "which keys and tokens may hold"
    assert carla.see("/projects/?sort=hours").text.count("77.5") == 0
    assert carla.titles("/projects/?hours.min=100") == ["Roof"]  # no filter of hers
    assert carla.titles("/projects/?tasks.min=2") == []
    with reading(shop.portal.engine) as connection:
        policy = identify(connection, shop.portal.tables, find_account(connection, shop.portal.tables, CARLA)).policy
        *_before, why = explain(connection, policy, "projects", project, "hours")
    assert str(why.sentence.interpolate()) == "hours is computed from all tasks, and this person cannot see all of them"
    # Who sees no older records learns no number of them.
    shop.account(CARLA, records_from=datetime.date(2026, 3, 1))
    since = shop.signed_in(CARLA)
    page = since.get(f"/projects/{project}/").text
    assert (">Voices<" in page, ">Open<" in page) == (True, False)
    assert since.titles("/projects/?tasks.min=2") == ["Roof"]
    assert "Number at site" not in since.get("/tasks/1/").text


def test_two_tasks_of_a_project_at_the_same_moment_both_count(shop):
    project = shop.add("projects", name="Roof")
    browsers = [shop.signed_in(NANCY) for _number in range(4)]
    together = Barrier(len(browsers))

    def create(browser):
        together.wait()
        form = {"name": str(id(browser)), "project": str(project), "hours": "1"}
        return browser.send("/tasks/create", form).status_int

    with ThreadPoolExecutor(len(browsers)) as threads:
        assert set(threads.map(create, browsers)) == {303}
    assert numbers(shop, project)[:3] == (4, 4, 4)


def test_apply_fills_the_roll_ups_of_records_that_exist(changing_shop):
    shop, folder = changing_shop, changing_shop.app.registry.live.folder
    project = shop.add("projects", name="Roof")
    for number in range(3):
        shop.add("tasks", name=f"T{number}", project=Linked(project, "projects"), hours=Decimal(number))
    changed = (
        MODULES.replace("of: max(tasks.due)", "of: max(tasks.hours)")
        .replace("      doubt:", "      done: {type: rollup, of: count(tasks), where: {hours: {min: 1}}}\n      doubt:")
        .replace("of: first_name + ' ' + last_name", "of: \"last_name + (', ' + first_name)\"")
    )
    (folder / "modules.yaml").write_text(changed)
    tables, engine = build(load(folder).declaration), shop.portal.engine
    sentences = str(plan(engine, tables))
    assert "add field projects.done (integer)" in sentences
    assert "projects.last are of type decimal instead of date" in sentences
    assert "compute people.full_name, projects.last, projects.done again" in sentences
    apply(engine, tables)
    catch_up(engine, tables)
    with reading(engine) as connection:
        roof = Records(connection, system_policy(tables), "projects").by_ids([project], ["last", "done"])[0]
        assert (roof.values["last"], roof.values["done"]) == (2, 2)
        people = Records(connection, system_policy(tables), "people")
        assert [person.title for person in people.by_ids([1, 2], [])] == ["Mary Smith, Nancy", "Neri, Carla"]


def test_a_formula_of_texts_names_a_record(shop):
    nancy = shop[NANCY]
    anna = shop.add("people", first_name="Anna", last_name="Łoś")
    task = shop.add("tasks", name="Tiles", leader=Linked(anna, "people"))
    assert "Anna Łoś" in nancy.get(f"/tasks/{task}/").text
    assert nancy.titles("/people/?q=anna+los") == ["Anna Łoś"]
    assert nancy.titles("/people/?sort=full_name") == ["Anna Łoś", "Carla Neri", "Nancy Mary Smith"]
    assert nancy.titles("/people/?full_name=mary") == ["Nancy Mary Smith"]
    assert nancy.get("/tasks/find?field=leader&q=anna+l").json[0]["title"] == "Anna Łoś"
    shop.set("people", anna, last_name="Kot")
    assert nancy.titles("/tasks/?q=anna+kot") == ["Tiles"]
    assert nancy.titles("/people/?sort=full_name") == ["Anna Kot", "Carla Neri", "Nancy Mary Smith"]


def test_when_the_newest_record_goes_the_one_before_is_the_newest(shop):
    """Records are created at fractions of a second, which roll-ups do not store."""
    roof = shop.add("projects", name="Roof")
    first, second = (datetime.datetime(2026, 3, day, 8, 0, 0, 500_000, datetime.UTC) for day in (1, 2))
    shop.add("tasks", name="A", project=Linked(roof, "projects"), created=first)
    newest = shop.add("tasks", name="B", project=Linked(roof, "projects"), created=second)
    assert shop.record("projects", roof).values["newest"] == second.replace(microsecond=0)
    shop.remove("tasks", newest)
    assert shop.record("projects", roof).values["newest"] == first.replace(microsecond=0)


def test_roll_ups_are_what_all_records_come_to_whatever_is_written(shop, tmp_path):
    """Moves, deletes, conditions that come true and false, other currencies, imports: compared with a plain sum."""
    chance = random.Random(9)
    globex = Linked(shop.add("companies", name="Globex"), "companies")
    for name in ("Roof", "Wall", "Yard"):
        yard = shop.add("projects", name=name, budget=euros(100), company=globex)
    dollars = {"hours": Decimal(1), "rate": Money(Decimal(5), "USD")}
    shop.remove("tasks", shop.add("tasks", name="In dollars", project=Linked(yard, "projects"), **dollars))
    assert numbers(shop, yard) == expected([])

    def values() -> dict[str, object]:
        currency = chance.choice(["EUR"] * 4 + ["USD"])
        return {
            "project": chance.choice([None, *(Linked(project.id, "projects") for project in shop.all("projects"))]),
            "hours": chance.choice([None, Decimal(chance.randint(-99, 99)) / 4]),
            "rate": chance.choice([None, Money(Decimal(chance.randint(0, 5)), currency)]),
            "due": chance.choice([None, datetime.date(2026, 3, chance.randint(1, 9))]),
        }

    for step in range(30):
        tasks = shop.all("tasks")
        task = chance.choice(tasks).id if tasks else 0
        match chance.randint(0, 9 if tasks else 3):
            case 0 | 1 | 2 | 3:
                shop.add("tasks", name=f"T{step}", **values())
            case 4 | 5 | 6:
                shop.set("tasks", task, **dict(chance.sample(list(values().items()), chance.randint(1, 4))))
            case 7:
                shop.set("tasks", task, status=chance.choice(["new", "done"]))
            case 8:
                shop.remove("tasks", task)
            case 9:
                rows = [f"{name},{chance.choice(['Roof', 'Wall', ''])},{chance.randint(0, 9)}" for name in ("I1", "I2")]
                (tmp_path / "tasks.csv").write_text("\n".join(["name,project,hours", *rows]))
                url = str(shop.portal.engine.url.render_as_string(hide_password=False))
                arguments = ["import", "tasks", str(tmp_path / "tasks.csv"), "--key", "name"]
                options = ["--folder", str(shop.app.registry.live.folder), "--database", url]
                result = CliRunner().invoke(main, [*options, *arguments])
                assert result.exit_code == 0, result.output
        all_tasks = shop.all("tasks")
        for project in shop.all("projects"):
            own = [one.values for one in all_tasks if one.values["project"] == Linked(project.id, "projects")]
            assert numbers(shop, project.id) == expected(own), step
        hours = [one.values["hours"] for one in shop.all("projects")]
        assert shop.record("companies", globex.id).values["hours"] == sum(hours), step


def expected(tasks: list) -> tuple[object, ...]:
    """The numbers of a project with these tasks and a budget of 100 euros."""
    costs = [task["cost"] for task in tasks if task["cost"] is not None]
    currencies = {cost.currency for cost in costs} or {"EUR"}
    cost = Money(sum((cost.amount for cost in costs), Decimal(0)), min(currencies)) if len(currencies) == 1 else None
    left = euros(100 - cost.amount) if cost and cost.currency == "EUR" else None
    hours = sum((task["hours"] for task in tasks if task["hours"] is not None), Decimal(0))
    due = max((task["due"] for task in tasks if task["due"] is not None), default=None)
    return len(tasks), sum(task["status"] == "new" for task in tasks), hours, cost, left, due
