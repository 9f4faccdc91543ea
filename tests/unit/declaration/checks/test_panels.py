"""Mistakes in panels of the home page, each with its place; rows of a table: the panel, and the message."""

import pytest

from portal.declaration.load import load
from tests.portal_files import write_portal

MODULES = """
people: people
organizations: companies
modules:
  people: {organization: company, fields: {name: text, email: email, company: {type: link, to: companies}}}
  companies: {fields: {name: text, city: text}}
  tickets:
    owner: caller
    organization: company
    fields:
      title: text
      caller: {type: link, to: people}
      company: {type: link, to: companies}
      status: {type: choice, options: [new, open]}
      kinds: {type: choices, options: [a, b]}
      effort: integer
      secret: {type: integer, internal: true}
      due: date
      city: {type: lookup, of: company.city}
      closed: datetime
      age: {type: elapsed, from: created, to: closed}
"""
WRONG = [
    ("{}", 'panels: a panel is one of chart:, list:, notices: and text:, which is missing here'),
    ("{chart: tickets, list: tickets, by: status}",
     "panels: a panel is one of chart:, list:, notices: and text:, not chart and list at once"),
    ("{list: tickets, by: status}", "panels.0.by: by belongs to chart: MODULE"),
    ("{text: Hello, where: {status: new}}", "panels.0.where: where belongs to chart:, list: or notices:"),
    ("{list: tickts}", 'panels.0.list: no module "tickts" (did you mean "tickets"?)'),
    ("{list: tickets, where: {status: gone}}", "panels.0.where.status: “gone” is not one of the options"),
    ("{chart: tickets}",
     "panels: by is missing: a chart counts the tickets by the values of a field, such as {by: status}"),
    ("{chart: tickets, by: stauts}", 'panels.0.by: no field "stauts" (did you mean "status"?)'),
    ("{chart: tickets, by: title}",
     'panels.0.by: "title" is of type text: a chart needs a choice, boolean, rating, link or date'),
    ("{chart: tickets, by: kinds}",
     'panels.0.by: "kinds" is of type choices: a chart needs a choice, boolean, rating, link or date'),
    ("{chart: tickets, by: city}",
     'panels.0.by: "city" is computed whenever it is read: records are counted by what is stored'),
    ("{chart: tickets, by: due}", 'panels.0.by: "due" is a date: say per: day, week, month, quarter or year'),
    ("{chart: tickets, by: status, per: month}", 'panels.0.per: per: needs a date, and "status" is of type choice'),
    ("{chart: tickets, by: status, of: efort}", 'panels.0.of: no field "efort" (did you mean "effort"?)'),
    ("{chart: tickets, by: status, of: title}", 'panels.0.of: "title" is of type text, which has no sum'),
    ("{chart: tickets, by: status, of: age}",
     'panels.0.of: "age" is computed whenever it is read: only what is stored is summed'),
    ("{chart: tickets, by: status, as: line}", "panels.0.as: a line joins periods: it needs per:, or use bar"),
    ("{chart: tickets, by: due, per: month, as: donut}",
     "panels.0.as: a donut shows the shares of a whole: periods need bar or line"),
    ("{chart: tickets, by: status, of: secret}",
     'panels.0.of: this profile cannot read "secret" in tickets: show it in its list or detail page'),
    ("{list: companies}", 'panels.0.list: this profile has no module "companies"'),
]  # fmt: skip


def problems(folder, panels, **profiles):
    customer = f"modules: {{tickets: {{}}}}\nhome: {{panels: [{panels}]}}\n"
    loaded = load(write_portal(folder, MODULES, customer=customer, **profiles))
    return [str(problem).partition(": ")[2] for problem in loaded.problems if "panel" in str(problem)]


@pytest.mark.parametrize(("panel", "sentence"), WRONG)
def test_a_panel_that_cannot_be_drawn_is_told_at_its_place(tmp_path, panel, sentence):
    assert problems(tmp_path, panel) == [sentence]


def test_a_profile_that_inherits_panels_must_be_able_to_read_them(tmp_path):
    power = (
        "extends: customer\nmodules: {tickets: {list: {columns: [title]}, detail: {sections: [{fields: [title]}]}}}\n"
    )
    assert problems(tmp_path, "{chart: tickets, by: status}", power=power) == [
        'extends: panel 1 of the home page of "customer" needs more: this profile cannot read "status" in tickets: show'
        " it in its list or detail page"
    ]


def test_a_panel_that_is_none_leaves_the_problems_of_the_others(tmp_path):
    assert problems(tmp_path, "activty, {chart: tickets, by: stauts}, {list: tickts}") == [
        'panels: must be activity, or a mapping with chart:, list:, notices: or text: (did you mean "activity"?)',
        'panels.1.by: no field "stauts" (did you mean "status"?)',
        'panels.2.list: no module "tickts" (did you mean "tickets"?)',
    ]


def test_good_panels_are_no_problem(tmp_path):
    panels = (
        "activity, {chart: tickets, by: status, of: effort, as: donut}, {chart: tickets, by: due, per: week},"
        " {list: tickets, where: {status: open}, label: 2026}, {notices: tickets, label: News}, {text: {en: Hello}}"
    )
    assert problems(tmp_path, panels) == []
