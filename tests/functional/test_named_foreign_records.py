"""A form that names a record its author may not see tells them nothing about it."""

import re

import pytest

from portal.accounts.giving_access import AccessRequest
from tests.functional.world import ANNA, CARLA, PEOPLE_MODULES, written_world

pytestmark = pytest.mark.sqlite_suffices
FIELDS = """
  projects:
    organization: company
    fields:
      name: text
      company: {type: link, to: companies}
      level: {type: choice, options: [silver, gold]}
      limit: integer
  tasks:
    organization: company
    fields:
      name: {type: text, unique: project}
      company: {type: link, to: companies, default: my organization}
      project: {type: link, to: projects}
      level: {type: lookup, of: project.level}
      limit: {type: integer, default: $project.limit, read_only: true}
      hours: integer
      extra: {type: text, show_when: {level: gold}}
      reason: {type: text, required_when: {level: gold}}
      note: {type: text, read_only_when: {level: gold}, default: fixed}
      left: {type: formula, of: limit - hours}
      urgency: {type: choice, options: {low: Low, high: {label: High, show_when: {level: gold}}}}
    create: {fields: [name, project, hours, extra, reason, note, urgency]}
    edit: {fields: [name, project, hours, extra, reason, note, urgency]}
"""
CUSTOMER = """
modules:
  companies: {see: organization}
  people: {see: organization}
  projects: {see: organization}
  tasks: {see: organization, can: [create, edit]}
"""
PEOPLE = (
    AccessRequest(ANNA, "customer", "Anna Rossi", "Acme"),
    AccessRequest(CARLA, "customer", "Carla Neri", "Globex"),
)


@pytest.fixture(scope="module")
def world(request):
    with written_world(request, PEOPLE_MODULES + FIELDS, PEOPLE, customer=CUSTOMER) as world:
        globex = world.the("companies", "Globex")
        for level, limit in (("silver", 1), ("gold", 99)):
            project = world.link("projects", name=f"Secret {level}", company=globex, level=level, limit=limit)
            if level == "gold":
                world.add("tasks", name="Merger", company=globex, project=project)
        own = world.link("projects", name="Own", company=world.the("companies", "Acme"), level="silver")
        world.own = world.add("tasks", name="Mine", company=world.the("companies", "Acme"), project=own, note="fixed")
        yield world


@pytest.mark.parametrize("address", ["/tasks/create", "/tasks/computed", "/tasks/{own}/edit", "/tasks/{own}/computed"])
def test_a_form_with_a_foreign_record_is_answered_alike_whatever_it_holds(world, address):
    answers = [_answer(world, address.format(own=world.own), f"Secret {level}") for level in ("silver", "gold")]
    assert answers[0] == answers[1]


def test_a_program_that_names_a_foreign_record_is_answered_alike_whatever_it_holds(world):
    program = world.program(ANNA)
    for method, address in (("POST", "tasks"), ("PATCH", f"tasks/{world.own}")):
        ids = [world.the("projects", f"Secret {level}").id for level in ("silver", "gold")]
        answers = [program.call(method, address, {**FORM, "project": one}, 422).json for one in ids]
        assert answers[0] == answers[1]


FORM = {"name": "Merger", "hours": 3, "extra": "x", "note": "y", "urgency": "high"}


def _answer(world, address, project):
    one = str(world.the("projects", project).id)
    sent = {**FORM, "project": one, "_once": "k", "_draft": "abcdefghijkl"}
    answer = world[ANNA].send(address, sent, status=200 if address.endswith("computed") else 422)
    return re.sub(r'name="_(csrf|version)"[^>]*', "", answer.text).replace(f'"{one}"', "")
