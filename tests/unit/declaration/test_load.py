"""Loading a folder: which problems it reports, and that no content makes it fail."""

import copy
import os
import random
import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.declaration.load import load
from tests.portal_files import change, write_portal

SMALL = Path(__file__).parents[2] / "portals" / "small"
FILES = ["modules.yaml", "buttons.yaml", "profiles/customer.yaml", "profiles/power.yaml", "profiles/staff.yaml"]


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(SMALL, tmp_path / "small"))


def lines_of(folder: Path, **overrides: str) -> list[str]:
    return [str(problem) for problem in load(folder, overrides).problems]


def test_a_correct_portal_has_no_problems():
    loaded = load(SMALL)
    assert loaded.problems == []
    assert loaded.declaration is not None


def test_an_address_of_the_portal_that_cannot_be_read_is_a_problem(folder):
    (problem,) = lines_of(folder, base_url="http://[")
    assert "must be an address such as" in problem


@pytest.mark.parametrize(
    ("options", "begin", "where"),
    [
        ("[any, open]", "{from: any, to: open}", "{}"),
        ("[all, open]", "{from: [all], to: open}", "{}"),
        ("[new, open]", "{to: open}", "{role: User}"),
        ("[new, open]", "{to: open}", "{role: [Self, Guest]}"),
    ],
)
def test_names_that_other_systems_give_a_meaning_are_names_here(tmp_path, options, begin, where):
    modules = f"""
people: people
modules:
  people: {{fields: {{name: text, email: email}}}}
  roles: {{fields: {{name: text}}}}
  tickets:
    fields: {{title: text, role: {{type: link, to: roles}}, status: {{type: choice, options: {options}}}}}
    lifecycle: {{field: status, transitions: {{begin: {begin}}}}}
"""
    tickets = f"{{see: all, can: [begin], where: {where}}}"
    customer = f"modules: {{people: {{see: all}}, roles: {{see: all}}, tickets: {tickets}}}"
    assert lines_of(write_portal(tmp_path, modules, customer=customer)) == []


def test_the_shipped_portal_and_the_example_are_correct():
    root = Path(__file__).parents[3]
    assert [load(folder).errors for folder in (root, root / "examples/northwind")] == [[], []]


def test_modules_and_one_profile_are_enough(tmp_path):
    modules = "modules:\n  notes:\n    see: all\n    fields:\n      title: text\n"
    declaration = load(write_portal(tmp_path, modules, customer="modules:\n  notes:\n")).declaration
    assert [button.opens for button in declaration.buttons.values()] == ["notes"]


def test_an_empty_folder_says_what_is_missing(tmp_path):
    assert lines_of(tmp_path) == [
        "modules.yaml:1:1: modules: there is no such file: it declares the modules of the portal",
        "profiles:1:1: profiles: there is no folder profiles/: a portal needs at least one profile, such as"
        " profiles/customer.yaml",
    ]


def test_without_any_profile_there_is_no_portal(folder):
    shutil.rmtree(folder / "profiles")
    (folder / "profiles").mkdir()
    assert lines_of(folder)[0].startswith("profiles:1:1: profiles: there is no profile: a portal needs at least one")


def test_buttons_may_be_absent(folder):
    (folder / "buttons.yaml").unlink()
    profile = folder / "profiles/customer.yaml"
    profile.write_text(profile.read_text().partition("home:")[0])
    declaration = load(folder).declaration
    home = declaration.profiles["customer"].home
    opened = [declaration.buttons[name].opens for name in home.buttons]
    assert opened == ["tickets", "articles", "people", "organizations"]


def test_a_file_with_the_other_ending_is_not_overlooked(folder):
    (folder / "modules.yaml").rename(folder / "modules.yml")
    (folder / "profiles/power.yaml").rename(folder / "profiles/power.yml")
    assert lines_of(folder) == [
        "modules.yml:1:1: modules: rename this file to modules.yaml",
        "profiles/power.yml:1:1: power: rename this file to power.yaml",
    ]


def test_a_profile_is_called_as_its_file(folder):
    (folder / "profiles/power.yaml").rename(folder / "profiles/Power User.yaml")
    [line] = lines_of(folder)
    assert line.startswith('profiles/Power User.yaml:1:1: Power User: "Power User" is not a valid name')


def test_a_folder_in_a_files_place_is_reported(folder):
    (folder / "buttons.yaml").unlink()
    (folder / "buttons.yaml").mkdir()
    (folder / "modules.yaml").unlink()
    (folder / "modules.yaml").mkdir()
    assert [line for line in lines_of(folder) if "cannot be read" in line] == [
        "buttons.yaml:1:1: buttons: this file cannot be read: it is a folder",
        "modules.yaml:1:1: modules: this file cannot be read: it is a folder",
    ]


def test_a_file_that_cannot_be_read_is_reported(folder):
    (folder / "modules.yaml").unlink()
    (folder / "modules.yaml").symlink_to("modules.yaml")
    assert lines_of(folder)[0].startswith("modules.yaml:1:1: modules: this file cannot be read: ")


def test_of_very_many_problems_the_first_are_listed_and_no_file_hides_another(folder):
    columns = ", ".join(f"nothing_{number}" for number in range(2000))
    text = (folder / "modules.yaml").read_text(encoding="utf-8")
    (folder / "modules.yaml").write_text(text.replace("[reference, title,", f"[{columns}, reference, title,", 1))
    (folder / "buttons.yaml").write_text("buttons: [")
    lines = lines_of(folder)
    assert len(lines) == 502
    assert lines[500:] == [
        "modules.yaml:1:1: modules: not listed: 1,500 more problems in this file",
        'buttons.yaml:1:10: buttons: the "[" that opens here is never closed',
    ]


@pytest.mark.parametrize("file", ["profiles/guest.yaml", "buttons.yaml", "modules.yaml"])
def test_a_named_pipe_is_reported_and_not_waited_for(folder, file):
    (folder / file).unlink(missing_ok=True)
    os.mkfifo(folder / file)
    assert f"{file}:1:1: {Path(file).stem}: this file cannot be read: it is not a regular file" in lines_of(folder)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("modules.yaml", "Modules.yaml", "Modules.yaml:1:1: Modules: rename this file to modules.yaml"),
        ("modules.yaml", "module.yaml", "module.yaml:1:1: module: rename this file to modules.yaml"),
        ("modules.yaml", "modules.yaml.txt", "modules.yaml.txt:1:1: modules.yaml: rename this file to modules.yaml"),
        ("buttons.yaml", "button.yaml", "button.yaml:1:1: button: this file is not read: rename it to buttons.yaml"),
        ("buttons.yaml", "Buttons.YML", "Buttons.YML:1:1: Buttons: this file is not read: rename it to buttons.yaml"),
        ("profiles", "profile", "profiles:1:1: profiles: there is no folder profiles/: rename profile/"),
        ("profiles/power.yaml", "profiles/power.yml", "profiles/power.yml:1:1: power: rename this file to power.yaml"),
        (
            "profiles/power.yaml",
            "profiles/power.yaml.txt",
            "warning: profiles/power.yaml.txt:1:1: power.yaml: this file is not read: rename it to power.yaml",
        ),
        (
            "profiles/power.yaml",
            "profiles/more/power.yaml",
            "warning: profiles/more/power.yaml:1:1: power: this file is not read: move it to profiles/",
        ),
        ("profiles/power.yaml", "profiles/power.yaml.bak", None),
        ("profiles/power.yaml", "profiles/README.md", None),
        ("profiles/power.yaml", "mkdocs.yml", None),
    ],
)
def test_a_file_that_is_not_read_is_reported(folder, old, new, line):
    (folder / new).parent.mkdir(exist_ok=True)
    (folder / old).rename(folder / new)
    assert lines_of(folder) == ([line] if line else [])


@pytest.mark.parametrize(
    "raw", [b"", b"\x00", b"\xff\xfe", b"{", b"- 1", b"text", b"5", b"? [a]\n: b", b"&a [*a]", b"modules: 5"]
)
@pytest.mark.parametrize("file", FILES)
def test_strange_files_are_reported_and_never_raise(folder, file, raw):
    (folder / file).write_bytes(raw)
    assert load(folder).problems


def test_settings_from_outside_win(folder):
    loaded = load(folder, {"name": "Other", "languages": "it, en", "currency": "PLN", "remember_days": "7"})
    own = loaded.declaration.settings
    assert (str(own.name), own.languages, own.currency, own.remember_days) == ("Other", ("it", "en"), "PLN", 7)


def test_a_wrong_setting_from_outside_names_the_variable(folder):
    assert lines_of(folder, time_zone="Europe/Rom", remember_days="many", accent="red") == [
        'PORTAL_ACCENT:1:1: accent: must be a color such as "#2457d6", in quotes',
        "PORTAL_REMEMBER_DAYS:1:1: remember_days: must be a whole number",
        'PORTAL_TIME_ZONE:1:1: time_zone: no time zone "Europe/Rom" (did you mean "Europe/Rome"?)',
    ]


def test_numbers_are_texts_as_they_were_written_where_text_is_wanted(tmp_path):
    modules = """
modules:
  notes:
    see: all
    label: 2024
    fields:
      title: {type: text, default: 1.10, label: {en: true}}
      version: {type: choice, options: [1.10, 007, no, true], default: 007}
    list: {tabs: {latest: {where: {version: 1.10, title: [1.50, 0x1F]}}}}
"""
    loaded = load(write_portal(tmp_path, modules, customer="label: 1\nmodules: {notes: {label: 1.0}}\n"))
    assert loaded.errors == []
    notes = loaded.declaration.modules["notes"]
    title = notes.fields["title"]
    assert (str(notes.label), title.default, str(title.label)) == ("2024", "1.10", "true")
    version = notes.fields["version"]
    assert (list(version.options), version.default) == (["1.10", "007", "no", "true"], "007")
    version, title = notes.list.tabs["latest"].where.parts
    assert (version.value, title.value) == ("1.10", ("1.50", "0x1F"))
    assert str(loaded.declaration.profiles["customer"].modules["notes"].label) == "1.0"


def test_an_error_inside_a_condition_never_widens_it(folder):
    change(folder, "where: {published: true}", "where: {published: {nott: false}}", "profiles/customer.yaml")
    loaded = load(folder)
    assert loaded.declaration is None
    assert len(loaded.errors) == 1


# -- whatever the files hold --------------------------------------------------------------------------------------

WORDS = ["own", "title", "caller", "tickets", "id", "me", "now", "$title", "-title", "a.b", "caller.company"]
KEYS = ["type", "to", "where", "label", "fields", "through", "not", "any", "caller"]
PARTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60)
@given(file=st.sampled_from(FILES), seed=st.integers(0, 10**9), part=PARTS, times=st.integers(1, 3))
def test_whatever_replaces_a_part_of_a_correct_portal_never_raises(tmp_path_factory, file, seed, part, times):
    folder = tmp_path_factory.mktemp("mutated") / "portal"
    shutil.copytree(SMALL, folder)
    chance = random.Random(seed)
    written = yaml.safe_load((SMALL / file).read_text(encoding="utf-8"))
    for _time in range(times):
        replace_somewhere(written, chance, copy.deepcopy(part))
    (folder / file).write_text(yaml.safe_dump(written, sort_keys=False, allow_unicode=True), encoding="utf-8")
    try:
        loaded = load(folder)
        assert (loaded.declaration is None) is bool(loaded.errors)
        assert all(str(problem).count("\n") == 0 for problem in loaded.problems)
    finally:
        shutil.rmtree(folder.parent)


def replace_somewhere(value, chance: random.Random, part) -> None:
    """Walks down to a random place and puts `part` there, under the same name, another existing name, or none."""
    while True:
        names = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not names:
            return
        name = chance.choice(names)
        if isinstance(value[name], dict | list) and chance.random() < 0.8:
            value = value[name]
            continue
        if chance.random() < 0.3:
            del value[name]
        else:
            value[name] = part
        return


@settings(max_examples=40)
@given(file=st.sampled_from(FILES), seed=st.integers(0, 10**9), junk=st.binary(max_size=6))
def test_whatever_bytes_slip_into_a_file_never_raise(tmp_path_factory, file, seed, junk):
    folder = tmp_path_factory.mktemp("bytes") / "portal"
    shutil.copytree(SMALL, folder)
    raw = (SMALL / file).read_bytes()
    place = random.Random(seed).randrange(len(raw))
    (folder / file).write_bytes(raw[:place] + junk + raw[place + len(junk) // 2 :])
    load(folder)
    shutil.rmtree(folder.parent)


def test_a_file_that_cannot_be_read_is_the_only_problem(folder):
    for file in FILES:
        written = (folder / file).read_text(encoding="utf-8")
        (folder / file).write_text("{", encoding="utf-8")
        [problem] = load(folder).problems
        assert problem.file == file
        (folder / file).write_text(written, encoding="utf-8")


def test_a_dead_button_is_reported_where_it_was_named_and_not_again_below(folder):
    profile = folder / "profiles/customer.yaml"
    profile.write_text(profile.read_text(encoding="utf-8").replace("can: [create, ", "can: ["), encoding="utf-8")
    power = folder / "profiles/power.yaml"
    power.write_text(power.read_text(encoding="utf-8").replace("can: [create, ", "can: ["), encoding="utf-8")
    [line] = lines_of(folder)
    assert line.startswith('profiles/customer.yaml:10:13: buttons: the button "new_ticket" leads nowhere')


ODD = {
    "a lookup of something internal, asked by a tab": """
  services: {see: all, fields: {name: text, price: {type: integer, internal: true}}}
  notes:
    see: all
    fields: {name: text, service: {type: link, to: services}, price: {type: lookup, of: service.price}}
    list: {tabs: {dear: {where: {price: {min: 10}}}}}
""",
    "a field that is called any": """
  notes:
    see: all
    fields: {any: text, kind: {type: text, show_when: {any: {not: abc}}}}
    list: {tabs: {one: {where: {any: [a, b]}}, two: {where: {any: [{any: a}, {any: {empty: true}}]}}}}
""",
    "an optional answer that some readers cannot give": """
  teams: {see: all, fields: {name: text}}
  notes:
    see: all
    fields: {name: text, team: {type: link, to: teams}, state: {type: choice, options: [new, done]}}
    lifecycle: {field: state, transitions: {finish: {from: new, to: done, ask: {team: optional}}}}
""",
    "ratings between two others": """
  notes: {see: all, fields: {name: text, stars: rating}, list: {tabs: {bad: {where: {stars: {max: 2}}}}}}
""",
}


@pytest.mark.parametrize("modules", ODD.values(), ids=ODD.keys())
def test_what_is_odd_but_right_is_accepted(tmp_path, modules):
    can = "[finish]" if "finish:" in modules else "[]"
    write_portal(tmp_path, f"modules:{modules}", customer=f"modules: {{notes: {{can: {can}}}}}")
    assert load(tmp_path).errors == []


def test_a_day_that_is_chosen_from_today_on_passes(tmp_path):
    modules = """
modules:
  notes:
    see: all
    fields: {name: text, due: {type: date, min: today, max: today + 1 year}, at: {type: datetime, min: now}}
    list: {tabs: {late: {where: {due: {before: today}}}, on_time: {where: {at: {after: 2001-02-03}}}, all: {}}}
"""
    assert load(write_portal(tmp_path, modules, customer="modules: {notes: {}}")).problems == []


def test_comments_of_customers_may_come_by_mail_alone(tmp_path):
    modules = """
people: people
inbox: {address: help@acme.example, creates: tickets, unknown: create}
modules:
  people: {fields: {name: text, email: email}}
  tickets:
    comments: true
    owner: caller
    fields:
      title: text
      text: longtext
      caller: {type: link, to: people}
      status: {type: choice, options: [new, waiting, solved]}
    lifecycle:
      field: status
      transitions: {wait: {from: new, to: waiting}, solve: {to: solved}}
      on_comment: {customer: {from: waiting, to: new}}
"""
    staff = "staff: true\nmodules: {people: {see: all}, tickets: {see: all, can: [comment, wait, solve]}}"
    assert load(write_portal(tmp_path, modules, staff=staff)).problems == []


def test_what_gives_nothing_away_and_what_has_an_effect_passes(tmp_path):
    (tmp_path / "profiles").mkdir()
    (tmp_path / "modules.yaml").write_text("""
people: people
organizations: firms
modules:
  firms: {fields: {name: text}}
  people: {organization: firm, fields: {name: text, email: email, firm: {type: link, to: firms}}}
  notes:
    owner: person
    organization: firm
    fields:
      title: text
      person: {type: link, to: people, default: me}
      firm: {type: link, to: firms, default: my organization}
      code: {type: text, unique: organization, default: new}
    list:
      columns: [title]
      tabs: {today: {where: {modified: {after: today}}}, new: {where: {created: {after: today}}}, all: {}}
    detail: {sections: [{fields: [title, code]}]}
""")
    tabs = "list: {tabs: {mine: {where: {created_by: me}}}}"
    (tmp_path / "profiles" / "staff.yaml").write_text(f"staff: true\nmodules: {{notes: {{see: all, {tabs}}}}}")
    (tmp_path / "profiles" / "customer.yaml").write_text("modules: {firms: {}, people: {}, notes: {can: [create]}}")
    assert lines_of(tmp_path) == []


def test_what_only_imports_bring_may_be_required_under_a_condition(tmp_path):
    modules = """
modules:
  invoices:
    see: all
    fields: {title: text, paid: boolean, day: {type: date, required_when: {paid: true}}}
"""
    assert load(write_portal(tmp_path, modules, customer="modules: {invoices: {}}")).problems == []
