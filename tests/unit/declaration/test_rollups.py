"""Roll-ups in a declaration: which link connects the records, and which profiles get the number."""

import pytest

from portal.declaration.load import load

MODULES = """
modules:
  projects:
    fields:
      title: text
      tasks: {type: rollup, of: count(tasks), through: project}
      begun: {type: rollup, of: count(tasks), through: origin}
      hours: {type: rollup, of: sum(tasks.hours), through: project}
      twice: {type: formula, of: hours * 2}
      cost: {type: rollup, of: sum(tasks.rate), through: project}
      done: {type: rollup, of: count(tasks), through: project, where: {done: true}}
      open: {type: rollup, of: count(tasks), through: project, includes_unseen: true}
      all: {type: rollup, of: sum(phases.tasks)}
  phases:
    fields:
      project: {type: link, to: projects}
      tasks: {type: rollup, of: count(tasks)}
  tasks:
    records_from: true
    fields:
      title: text
      project: {type: link, to: projects}
      origin: {type: link, to: projects}
      phase: {type: link, to: phases}
      hours: decimal
      rate: {type: money, internal: true}
      done: boolean
      size: {type: lookup, of: project.hours}
"""
EVERYTHING = {"tasks", "begun", "hours", "twice", "cost", "done", "open", "all"}


def declared(folder, **profiles):
    (folder / "modules.yaml").write_text(MODULES)
    (folder / "profiles").mkdir()
    for name, text in profiles.items():
        (folder / "profiles" / f"{name}.yaml").write_text(text)
    loaded = load(folder)
    assert loaded.declaration, loaded.problems
    return loaded


def numbers(access):
    return access["projects"].readable & EVERYTHING


def test_the_link_is_named_where_there_are_several(tmp_path):
    projects = declared(tmp_path, staff="staff: true\nmodules: {}").declaration.modules["projects"].fields
    assert (projects["tasks"].counted_link, projects["begun"].counted_link) == ("project", "origin")
    assert (projects["hours"].value_type, projects["cost"].internal) == ("decimal", True)


@pytest.mark.parametrize(
    ("rights", "readable"),
    [
        ("phases: {see: all}\n  tasks: {see: all}", EVERYTHING - {"cost"}),
        ("phases: {see: all}\n  tasks: {see: {through: project}}", {"tasks", "hours", "twice", "done", "open"}),
        ("tasks: {see: all, where: {done: true}}", {"open"}),
        ("tasks: {see: all, list: {columns: [title]}, detail: {sections: []}}", {"tasks", "begun", "open"}),
        ("phases: {see: all}", {"open"}),
    ],
)
def test_a_profile_gets_the_numbers_of_records_that_it_sees_all(tmp_path, rights, readable):
    profile = declared(tmp_path, customer=f"modules:\n  projects: {{see: all}}\n  {rights}\n").declaration.profiles
    assert numbers(profile["customer"].modules) == readable
    assert numbers(profile["customer"].from_first_day.modules) == {"open"}
    tasks = profile["customer"].modules.get("tasks")
    assert tasks is None or ("size" in tasks.readable) == ("hours" in readable)


def test_what_is_left_out_of_a_written_layout_is_told(tmp_path):
    customer = "modules:\n  projects: {see: all, list: {columns: [title, twice, open]}}\n"
    told = map(str, declared(tmp_path, customer=customer).problems)
    [warning] = [sentence for sentence in told if "is left out" in sentence]
    assert warning.startswith('warning: profiles/customer.yaml:2:48: projects.list.columns: "twice" is left out')
    assert "see: {through: project}, without where, and with hours in its layouts" in warning
