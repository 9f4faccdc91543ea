"""Omitted keys are filled in, and a profile's keys are merged over the module's."""

from pathlib import Path

import pytest

from portal.conditions import ALWAYS, AllOf, Comparison
from portal.declaration.inheritance import merge, merge_layout
from portal.declaration.load import load
from portal.declaration.shapes import Through
from tests.portal_files import write_portal

SMALL = Path(__file__).parents[2] / "portals" / "small"

WORLD = """
people: people
organizations: companies
modules:
  people: {organization: company, fields: {name: text, email: email, company: {type: link, to: companies}}}
  companies: {fields: {name: text}}
"""
NOTES = """
  notes:
    owner: author
    comments: true
    fields:
      code: text
      author: {type: link, to: people}
      body: longtext
      kind: {type: choice, options: [new, old]}
      about: {type: link, to: companies}
      secret: {type: integer, internal: true}
      day: date
      hour: time
      seen_at: {type: datetime, read_only: true}
      took: {type: elapsed, from: created, to: seen_at}
      secret_copy: {type: lookup, of: parent.secret}
      parent: {type: link, to: notes}
      sum: {type: formula, of: "secret * 2"}
"""


@pytest.fixture
def portal(tmp_path):
    """A function that writes modules and profiles and returns the declaration."""

    def write(notes=NOTES, buttons="", **profiles):
        loaded = load(write_portal(tmp_path, WORLD + notes, buttons, **profiles))
        assert [str(error) for error in loaded.errors] == []
        return loaded.declaration

    return write


EVERYTHING = "modules: {notes: {can: [create, edit]}, people: {}, companies: {see: all}}\n"


def test_one_record_is_called_by_the_label_rather_than_by_the_name(portal):
    singulars = []
    for label in ("Remarks", "{en: Remarks, it: Note}", "Support"):
        notes = portal(NOTES.replace("notes:\n", f"notes:\n    label: {label}\n", 1), all=EVERYTHING).modules["notes"]
        singulars.append(str(notes.singular))
    assert singulars == ["Remark", "Remark", "Note"]


def test_a_module_says_nothing_and_gets_it_all(portal):
    notes = portal(all=EVERYTHING).modules["notes"]
    assert (str(notes.label), str(notes.singular), notes.title, notes.icon) == ("Notes", "Note", "code", "square")
    assert (notes.owner, notes.organization, notes.see) == ("author", "author.company", "own")
    assert (notes.mail.created, notes.mail.commented, notes.mail.moved) == (True, True, True)


def test_people_own_themselves_and_companies_are_their_own_organization(portal):
    declaration = portal(all=EVERYTHING)
    people, companies = declaration.modules["people"], declaration.modules["companies"]
    assert (people.owner, people.organization, people.see) == ("id", "company", "own")
    assert (companies.owner, companies.organization, companies.see) == (None, "id", "organization")
    assert companies.mail.created is False


def test_a_record_is_not_named_by_an_internal_text(portal):
    notes = NOTES.replace("code: text", "code: {type: text, internal: true}\n      name: text")
    assert portal(notes, all=EVERYTHING).modules["notes"].title == "name"


def test_without_a_text_field_the_reference_names_a_record(portal):
    module = portal("  days: {see: all, fields: {day: date}}\n", all="modules: {days: {}}\n").modules["days"]
    assert module.title == "reference"
    assert module.title_field.name == "reference"


def test_generated_layouts(portal):
    declaration = portal(all=EVERYTHING)
    access = declaration.profiles["all"].modules["notes"]
    assert access.list.columns == ("code", "author", "kind", "about", "day", "hour")
    assert (access.list.sort, access.list.tabs) == (("-modified",), {})
    assert (access.list.page_size, access.list.export) == (25, True)
    fields = ("author", "body", "kind", "about", "day", "hour", "seen_at", "took", "parent")
    assert [section.fields for section in access.detail.sections] == [fields]
    assert (access.detail.aside, access.detail.comments) == ((), "bottom")
    assert access.create.fields == ("code", "author", "body", "kind", "about", "day", "hour", "parent")
    assert access.create.steps is None
    assert access.edit == access.create


def test_generated_layouts_of_staff_hold_internal_fields(portal):
    access = portal(staff="staff: true\n" + EVERYTHING).profiles["staff"].modules["notes"]
    assert access.list.columns == ("code", "author", "kind", "about", "secret", "day")
    assert {"secret", "secret_copy"} <= set(access.detail.sections[0].fields)
    assert "secret" in access.create.fields


def test_what_is_computed_from_an_internal_field_is_internal(portal):
    declaration = portal(all=EVERYTHING)
    assert declaration.modules["notes"].fields["secret_copy"].internal
    assert not {"secret", "secret_copy"} & declaration.profiles["all"].modules["notes"].readable


def test_a_timeliness_is_internal_if_the_end_of_its_deadline_is(portal):
    fields = "fields: {name: text, done: {type: datetime, internal: true}, due: {type: datetime, within: 4 h, to: done}"
    jobs = f"  jobs: {{see: all, {fields}, kept: {{type: timeliness, of: due}}}}}}\n"
    module = portal(jobs, all="modules: {jobs: {}}\n").modules["jobs"]
    assert [name for name, field in module.fields.items() if field.internal] == ["done", "kept"]


def test_aside_is_not_repeated_in_the_sections(portal):
    layout = "    detail: {aside: [kind, day]}\n"
    access = portal(NOTES + layout, all=EVERYTHING).profiles["all"].modules["notes"]
    assert not {"kind", "day"} & set(access.detail.sections[0].fields)


def test_links_to_modules_that_a_profile_lacks_are_left_out_of_generated_forms(portal):
    access = portal(few="modules: {notes: {can: [create]}}\n").profiles["few"].modules["notes"]
    assert access.create.fields == ("code", "body", "kind", "day", "hour", "parent")


def test_written_layouts_lose_what_their_reader_may_not_see(portal):
    layouts = (
        "    list: {columns: [code, secret, sum]}\n"
        "    detail:\n      sections: [{title: Numbers, fields: [[secret, kind], [sum, secret]]}, {fields: [secret]}]\n"
        "      aside: [secret]\n"
        "    create: {steps: [{title: One, fields: [secret]}, {title: Two, fields: [[code, sum]]}]}\n"
    )
    declaration = portal(NOTES + layouts, all=EVERYTHING, staff="staff: true\n" + EVERYTHING)
    customer, staff = (declaration.profiles[name].modules["notes"] for name in ("all", "staff"))
    assert customer.list.columns == ("code",)
    assert [section.fields for section in customer.detail.sections] == [("kind",)]
    assert customer.detail.aside == ()
    assert [(str(step.title), step.fields) for step in customer.create.steps] == [("Two", ("code",))]
    assert staff.list.columns == ("code", "secret", "sum")
    assert [section.fields for section in staff.detail.sections] == [
        (("secret", "kind"), ("sum", "secret")),
        ("secret",),
    ]
    assert [step.fields for step in staff.create.steps] == [("secret",), (("code", "sum"),)], "a form shows formulas"


def test_related_lists_are_of_every_enabled_module_that_links_here(portal):
    declaration = portal(all=EVERYTHING, few="modules: {notes: {}, companies: {}}\n")
    related = declaration.profiles["all"].modules["companies"].detail.related
    assert [item.module for item in related] == ["people", "notes"]
    assert related[1].columns == ("code", "author", "kind", "day", "hour"), "what leads back is left out"
    assert [item.module for item in declaration.profiles["few"].modules["companies"].detail.related] == ["notes"]


def test_a_link_that_cannot_be_read_makes_no_related_list(portal):
    profile = "modules: {notes: {list: {columns: [code]}, detail: {sections: [{fields: [body]}]}}, companies: {}}\n"
    assert portal(all=profile).profiles["all"].modules["companies"].detail.related == ()


# -- what may be read ---------------------------------------------------------------------------------------------

LAYOUTS = (
    "modules:\n  notes:\n    CAN\n    list: {columns: [kind]}\n"
    "    detail: {sections: [{fields: [day]}], aside: [hour]}\n"
    "    create: {fields: [body]}\n    edit: {fields: [about]}\n  companies: {}\n"
)


@pytest.mark.parametrize(
    ("can", "more"),
    [
        ("can: []", set()),
        ("can: [create]", {"body"}),
        ("can: [edit]", {"about"}),
        ("can: [create, edit]", {"body", "about"}),
    ],
)
def test_what_stands_in_a_layout_that_is_used_can_be_read(portal, can, more):
    access = portal(all=LAYOUTS.replace("CAN", can)).profiles["all"].modules["notes"]
    assert access.readable == {"id", "reference", "code", "kind", "day", "hour"} | more


def test_what_a_transition_asks_is_not_thereby_readable():
    declaration = load(SMALL).declaration
    customer = declaration.profiles["customer"].modules["tickets"]
    assert "satisfaction" in customer.readable  # it stands among the sections
    assert "cost" not in customer.readable
    assert "notes" not in customer.readable
    assert "notes" in declaration.profiles["staff"].modules["tickets"].readable


# -- merging ------------------------------------------------------------------------------------------------------


def test_mappings_merge_and_lists_and_scalars_replace():
    below = {"a": {"x": 1, "y": [1, 2]}, "b": 1, "c": [1]}
    assert merge(below, {"a": {"y": [3], "z": 2}, "c": [], "d": {}}) == {
        "a": {"x": 1, "y": [3], "z": 2}, "b": 1, "c": [], "d": {},
    }  # fmt: skip


def test_fields_and_steps_of_a_form_replace_each_other():
    assert merge_layout({"steps": [1]}, {"fields": [2]}) == {"fields": [2]}
    assert merge_layout({"fields": [1]}, {"steps": [2]}) == {"steps": [2]}
    assert merge_layout({"fields": [1]}, {}) == {"fields": [1]}


def test_a_profile_says_only_what_differs(portal):
    layout = "    list: {columns: [code, kind], sort: day, tabs: {new: {label: News, where: {kind: new}}, all: {}}}\n"
    tabs = "{new: {label: Fresh}, old: {where: {kind: old}}}"
    profile = f"modules:\n  notes:\n    list:\n      columns: [code]\n      tabs: {tabs}\n"
    access = portal(NOTES + layout, all=profile).profiles["all"].modules["notes"]
    assert (access.list.columns, access.list.sort) == (("code",), ("day",))
    assert [(name, str(tab.label)) for name, tab in access.list.tabs.items()] == [
        ("new", "Fresh"), ("all", "All"), ("old", "Old"),
    ]  # fmt: skip
    assert access.list.tabs["new"].where == AllOf((Comparison(("kind",), "equal", "new"),))
    assert access.list.tabs["all"].where == ALWAYS


PARENT = """
label: Parent
staff: true
modules:
  notes:
    {see: all, can: [create], where: {kind: new}, set: {kind: new}, list: {columns: [code], sort: day}, label: Papers}
  companies: {see: all, menu: false}
  people: {}
home: {buttons: [notes], panels: [activity]}
"""
BUTTONS = "buttons: {notes: {opens: notes}, people: {opens: people}}\n"


def test_a_child_has_what_its_parent_has_and_adds_to_it(portal):
    child = "extends: parent\nmodules:\n  notes: {see: own, set: {code: X}, list: {sort: -day}}\n"
    declaration = portal(buttons=BUTTONS, parent=PARENT, child=child)
    profile = declaration.profiles["child"]
    access = profile.modules["notes"]
    assert list(profile.modules) == ["notes", "companies", "people"]
    assert (access.see, access.can, str(access.label)) == ("own", ("create",), "Papers")
    assert access.set == {"kind": "new", "code": "X"}
    assert (access.list.columns, access.list.sort) == (("code",), ("-day",))
    assert profile.modules["companies"].menu is False
    assert (profile.staff, profile.home.buttons, profile.home.panels) == (True, ("notes",), ("activity",))
    assert str(profile.label) == "Child"


def test_a_child_takes_a_module_away(portal):
    child = "extends: parent\nmodules: {notes: {can: []}, companies: false}\nhome: {buttons: [people]}\n"
    grandchild = "extends: child\nmodules: {companies: {menu: true}}\n"
    declaration = portal(buttons=BUTTONS, parent=PARENT, child=child, grandchild=grandchild)
    assert list(declaration.profiles["child"].modules) == ["notes", "people"]
    again = declaration.profiles["grandchild"].modules
    assert list(again) == ["notes", "people", "companies"]
    assert (again["companies"].see, again["companies"].menu) == ("organization", True)
    assert declaration.profiles["grandchild"].home.buttons == ("people",)


def test_where_of_parent_and_child_are_joined_by_and(portal):
    child = "extends: parent\nmodules: {notes: {where: {day: {before: today}}}}\n"
    declaration = portal(buttons=BUTTONS, parent=PARENT, child=child)
    parent, joined = (declaration.profiles[name].modules["notes"].where for name in ("parent", "child"))
    assert parent == AllOf((Comparison(("kind",), "equal", "new"),))
    assert joined == AllOf((parent, AllOf((Comparison(("day",), "before", "today"),))))


def test_fields_that_the_profile_sets_are_not_asked_while_creating(portal):
    access = portal(buttons=BUTTONS, parent=PARENT).profiles["parent"].modules["notes"]
    assert "kind" not in access.create.fields
    assert "kind" in access.edit.fields


def test_scopes_come_from_the_profile_then_the_module_then_the_rule(portal):
    notes = NOTES + "    see: {through: about}\n"
    declaration = portal(notes, a="modules: {notes: {}, companies: {}}\n", b="modules: {notes: {see: all}}\n")
    assert declaration.profiles["a"].modules["notes"].see == Through(through="about")
    assert declaration.profiles["a"].modules["companies"].see == "organization"
    assert declaration.profiles["b"].modules["notes"].see == "all"


# -- the rest -----------------------------------------------------------------------------------------------------


def test_a_lifecycle_starts_at_the_first_option_and_names_its_transitions():
    lifecycle = load(SMALL).declaration.modules["tickets"].lifecycle
    assert lifecycle.start == "new"
    assert {name: transition.name for name, transition in lifecycle.transitions.items()} == {
        name: name for name in lifecycle.transitions
    }
    assert str(lifecycle.transitions["ask_back"].label) == "Ask back"


def test_only_transitions_change_the_lifecycles_field():
    declaration = load(SMALL).declaration
    staff = declaration.profiles["staff"].modules["tickets"]
    assert "status" not in (*staff.create.fields, *staff.edit.fields)


def test_home_offers_every_enabled_module_in_the_profiles_own_words():
    declaration = load(SMALL).declaration
    buttons = [declaration.buttons[name] for name in declaration.profiles["staff"].home.buttons]
    assert [(button.opens, str(button.label), button.icon) for button in buttons] == [
        ("tickets", "Tickets", "life-buoy"), ("articles", "Knowledge base", "book-open"), ("people", "People", "users"),
        ("organizations", "Organizations", "building-2"),
    ]  # fmt: skip


def test_built_in_fields_are_fields_like_others():
    tickets = load(SMALL).declaration.modules["tickets"]
    assert list(tickets.builtin) == [
        "id", "number", "reference", "created", "created_by", "modified", "modified_by", "channel",
        "comments", "attachments",
    ]  # fmt: skip
    assert all(field.read_only for field in tickets.builtin.values())
    assert tickets.builtin["created_by"].to == ("people",)
    assert tickets.builtin["created"].title("en") == "Created"


def test_lookups_know_what_they_look_up():
    declaration = load(SMALL).declaration
    looked_up = declaration.modules["organizations"].fields["city"]
    assert declaration.modules["tickets"].fields["city"].filter == looked_up.filter == "text"


@pytest.mark.parametrize(
    ("transitions", "way"),
    [
        # A state off the path is not a stage.
        ("{take: {from: a, to: b}, end: {from: b, to: c}, cancel: {from: [a, b], to: d}}", ("a", "b", "c")),
        # Going back does not make the path longer.
        ("{take: {from: a, to: b}, end: {from: [a, b], to: c}, reopen: {from: c, to: b}}", ("a", "b", "c")),
        # The order of the options does not matter if there is only one path.
        ("{take: {from: a, to: d}, end: {from: d, to: b}}", ("a", "d", "b")),
        # Without from, a transition starts in every other state.
        ("{take: {from: a, to: b}, end: {to: d}}", ("a", "b", "d")),
        ("{}", ("a",)),
    ],
)
def test_the_stages_are_the_longest_way_from_the_start(portal, transitions, way):
    fields = "{title: text, state: {type: choice, options: [a, b, c, d]}}"
    lifecycle = f"{{field: state, transitions: {transitions}}}"
    notes = f"  notes: {{see: all, fields: {fields}, lifecycle: {lifecycle}}}\n"
    declaration = portal(notes, a="modules: {notes: {}}\n")
    assert declaration.modules["notes"].lifecycle.stages == way


def test_labels_of_options_and_the_menu_are_inherited(portal):
    parent = (
        "modules: {notes: {see: all, options: {kind: {new: Fresh}}}, companies: {menu: false}}\nmenu: [go, notes]\n"
    )
    child = "extends: a\nmodules: {notes: {options: {kind: {old: Stale}}}}\n"
    declaration = portal(
        NOTES, buttons="buttons: {go: {opens: notes}}\n", a=parent, b=child, c="modules: {notes: {}}\n"
    )
    labels = declaration.profiles["b"].modules["notes"].options["kind"]
    assert {name: str(label) for name, label in labels.items()} == {"new": "Fresh", "old": "Stale"}
    assert [declaration.profiles[name].menu for name in "abc"] == [("go", "notes"), ("go", "notes"), ("notes",)]


def test_an_accounts_first_day_hides_older_records_where_there_are_comments(portal):
    declaration = portal(NOTES, a="modules: {notes: {}}\n")
    assert declaration.modules["notes"].records_from is True
    assert declaration.modules["companies"].records_from is False
