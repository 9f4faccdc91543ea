"""One cause, one problem: the consequences of a mistake are not also listed."""

import shutil
from pathlib import Path

import pytest

from portal.declaration.load import load
from tests.portal_files import change, write_portal

SMALL = Path(__file__).parents[2] / "portals" / "small"


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("buttons.yaml", "urgent: {", "urgent: {<<: *a, ", 'urgent.<<: there is no "&a" above'),
        ("buttons.yaml", "  open_tickets: {", "  open_tickets: !x {", "open_tickets: tags are not used here"),
        ("modules.yaml", "    comments: true", "    comments: 12", "tickets.comments: must be true, false or"),
        ("modules.yaml", "    list:\n", "    list:\n    list:\n", 'tickets.list: "list" appears twice'),
        ("modules.yaml", "organizations: organizations", "organizations: 9", "organizations: must be the name"),
        ("modules.yaml", "  articles:", "  ARTICLES:", 'ARTICLES: "ARTICLES" is not a valid name'),
        ("modules.yaml", "    fields:\n", '    fields:\n      "": 1\n', 'fields."": "" is not a valid name'),
        ("profiles/customer.yaml", "modules:\n", "modules:\nmodules:\n", 'modules: "modules" appears twice'),
        ("profiles/customer.yaml", "  articles:", "  aticles:", 'aticles: no module "aticles"'),
        ("modules.yaml", "    comments: true\n", "", "ask_back.ask.comment: tickets has no comments: add"),
        ("modules.yaml", "\nmodules:\n", "\n---\nmodules:\n", "a file holds only one document"),
        ("modules.yaml", "organizations: organizations\n", "", "does not say which module holds the organizations"),
        (
            "modules.yaml",
            "  people:\n",
            "",
            'the keys of "articles" appear twice: is the name of another module missing',
        ),
        ("modules.yaml", "    lifecycle:\n", "    [lifecycle, b]:\n", "tickets: a list or a mapping cannot be a key"),
        ("modules.yaml", "      company: {", "      {company: b}: {", "a list or a mapping cannot be a key"),
        ("profiles/customer.yaml", "    can: [", "    can: *a # [", 'tickets.can: there is no "&a" above'),
        ("modules.yaml", "    comments: true", "      comments: true", '"comments" belongs beside fields:'),
        ("modules.yaml", "  articles:\n", "    articles:\n", "a module belongs under modules:"),
        ("modules.yaml", "  tickets:", "  tcikets:", 'no module "tickets" (did you mean "tcikets"?)'),
        ("modules.yaml", "      published: boolean", "", 'no field "published"'),
        ("modules.yaml", "          closed: {label: Closed, tone: calm}\n", "", 'close.to: no state "closed"'),
        ("modules.yaml", "    see: all\n", "", "articles: see is missing"),
        (
            "modules.yaml",
            "    organization: company\n    fields:\n      name",
            "    organization: [company]\n    fields:\n      name",
            "must be one text",
        ),
        ("modules.yaml", "        open: {label", "        open: 3 sheep # {label", "must be a mapping of label, where"),
        ("buttons.yaml", "buttons:\n", "  buttons:\n", "buttons belong under buttons: indent"),
        ("profiles/staff.yaml", "staff: true", "staff: truee", "staff: must be true or false"),
        (
            "modules.yaml",
            "    fields:\n",
            "    fields:\n      rows: {type: lines, default: 3, fields: {a: text}}\n",
            "no default",
        ),
        (
            "modules.yaml",
            "      urgency: {",
            "      due: {type: datetime, required: true, within: {urgency: {high: 4 h}}}\n      urgency: {",
            "required has no meaning",
        ),
        ("profiles/staff.yaml", "staff: true", "home: {panels: [activty, activity]}\nstaff: true", "must be activity"),
        ("profiles/staff.yaml", "staff: true", "home: {panels: [{chrt: tickets, by: status}]}\nstaff: true", '"chrt"'),
        (
            "modules.yaml",
            "      urgency: {",
            "      sort_of: {type: choice, options: a, b}\n      urgency: {",
            "must be a list: [a, b]",
        ),
        (
            "buttons.yaml",
            "buttons:\n",
            "buttons: [new_ticket, open_tickets, find_answer]\nx-old:\n",
            "must be a mapping",
        ),
        (
            "modules.yaml",
            "\nmodules:\n",
            "\nsign_up: {profile: customer, domains: {acme.example: }, approve: false}\nmodules:\n",
            "there is no value here",
        ),
        ("profiles/staff.yaml", "  tickets:", "  ticketss:", 'no module "ticketss"'),
    ],
)
def test_what_follows_from_a_mistake_is_not_a_problem(tmp_path, file, old, new, problem):
    folder = shutil.copytree(SMALL, tmp_path / "folder")
    change(folder, old, new, file)
    (found,) = load(folder).problems
    assert problem in str(found)


FOLLOWED = """
organizations: firms
modules:
  firms: &firms {see: all, fields: {name: text, body: longtext}}
  tickets:
    see: all
    comments: {answers: firms}
    fields:
      name: {type: text, required: true}
      kind: {type: choice, options: [small, big]}
      state: {type: choice, options: [new, done]}
      spent: {type: elapsed, from: created, to: modified}
      due: {type: datetime, within: {kind: {small: 3 h}}}
      why: {type: text, show_when: {kind: small}}
    lifecycle:
      field: state
      transitions: {end: {from: new, to: done}, again: {from: done, to: new}}
      on_comment: {staff: {from: new, to: done}}
    list: {tabs: {all: {}, small: {where: {kind: small}}}}
    create: {fields: [name, kind]}
  more: {see: all, fields: {name: text}}
webhooks: {erp: {url: "https://erp.example/", on: tickets.moved, as: staff}}
"""
STAFF = """
modules:
  firms: {}
  tickets:
    can: [create, comment, end, again]
    options: {kind: {small: Tiny}}
  more: {}
menu: [tickets, more, open]
home: {buttons: [open], panels: [{chart: tickets, by: kind}]}
staff: true
"""


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("modules.yaml", "fields: [name, kind]", "fields: [nmae, kind]", 'tickets.create.fields: no field "nmae"'),
        ("modules.yaml", "fields: [name, kind]", "fields: [12, kind]", 'tickets.create.fields: no field "12"'),
        ("modules.yaml", "options: [small,", "options: [smal,", "tickets.fields.due.within.kind.small: no option"),
        ("modules.yaml", "from: created", "from: [created]", "tickets.fields.spent.from: must be one text"),
        ("modules.yaml", "new, to: done}}\n    l", "new, to: [done]}}\n    l", "tickets.lifecycle.on_comment.staff"),
        ("modules.yaml", "field: state", "field: [state]", "tickets.lifecycle.field: must be one text"),
        ("modules.yaml", "options: [new,", "optoins: [new,", 'tickets.fields.state.optoins: no key "optoins"'),
        ("modules.yaml", "longtext", "longtxt", 'firms.fields.body: no field type "longtxt"'),
        ("profiles/staff.yaml", "by: kind", "bi: kind", 'panels.0.bi: no key "bi" here'),
        ("profiles/staff.yaml", "home:", "hom:", 'hom: no key "hom" here (did you mean "home"?)'),
        ("profiles/staff.yaml", "  tickets:", "  ticktes:", 'ticktes: no module "ticktes"'),
        ("modules.yaml", "  tickets:", "  ticktes:", 'erp.on: no module "tickets" (did you mean "ticktes"?)'),
        ("modules.yaml", "longtext}}", "longtext}, x: 1}\n  others: *firms", 'firms.x: no key "x" here'),
        ("modules.yaml", "options: [small,", "options: [[small],", "kind.options: options in brackets are single"),
        ("modules.yaml", "options: [new, done]", "options: {new: [x], done: x}", "options.new: must be one text"),
        ("modules.yaml", "fields: {name: text, body: longtext}", "fields: [name, body]", "must be a mapping of names"),
        ("modules.yaml", "  more: {", "    more: {", 'a module belongs under modules: write "more" in the'),
        ("modules.yaml", "\norganizations:", "\nportal:\n  organizations:", '"organizations" belongs beside portal:'),
        ("profiles/staff.yaml", "  more: {}", "    more: {}", 'tickets.more: no key "more" here'),
        ("buttons.yaml", "  open:", "  opne:", 'menu: no module or button "open" (did you mean "opne"?)'),
    ],
)
def test_one_mistake_in_a_name_or_a_value_is_one_problem(tmp_path, file, old, new, problem):
    folder = write_portal(tmp_path, FOLLOWED, "buttons:\n  open: {opens: tickets}\n", staff=STAFF)
    change(folder, old, new, file)
    (wrong,) = load(folder).errors
    assert problem in str(wrong)


def test_two_tabs_that_are_not_there_are_two_problems(tmp_path):
    folder = shutil.copytree(SMALL, tmp_path / "folder")
    buttons = "buttons:\n  one: {opens: tickets, tab: nowhere}\n  two: {opens: tickets, tab: elsewhere}\n"
    (folder / "buttons.yaml").write_text(buttons)
    assert len([problem for problem in load(folder).errors if "tab" in problem.message]) == 2


def test_a_mistake_elsewhere_in_the_same_part_is_still_a_problem(tmp_path):
    folder = shutil.copytree(SMALL, tmp_path / "folder")
    change(folder, "    list:\n", "    list:\n      sort: nothing\n")
    change(folder, "tab: open", "tab: opened", "buttons.yaml")
    assert len(load(folder).errors) == 2
