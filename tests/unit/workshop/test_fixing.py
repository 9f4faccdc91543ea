"""`portal check --fix`: a typo is fixed back to the same bytes; anything ambiguous stays as it is."""

import os
import stat

import pytest

from portal.declaration.load import load
from portal.workshop.fixing.fix import fix_problems, save
from portal.workshop.fixing.misspelled_names import near, slips

MODULES = """\
# Whoever calls, and why.
portal: {name: Care, accent: "#2457d6", languages: [en, it]}
people: people
modules:
  people:
    see: all
    fields: {name: {type: text, required: true}, email: email}   # no phone
  tickets:
    label: {en: Tickets, it: Ticket}
    icon: life-buoy
    reference: "{number}"
    owner: caller
    comments: true
    fields:
      title: {type: text, required: true, max_length: 120}
      caller: {type: link, to: people, default: me}
      urgency: {type: choice, options: [low, normal, high], default: normal}
      state:
        type: choice
        options:
          new: New
          waiting: {label: "Waiting for you", tone: warn}
          closed: {label: Closed, tone: calm}
      # Why: the hour counts.
      due: {type: datetime, help: "By when: the day and the hour"}
    lifecycle:
      field: state
      transitions:
        wait: {from: new, to: waiting}
        close: {from: [new, waiting], to: closed, ask: {comment: required}}
    list:
      columns: [reference, title, state, urgency, due]
      sort: -due
      tabs:
        open: {where: {state: {not: closed}}}
        urgent: {where: {urgency: high}}
    detail:
      sections:
        - {fields: [title, caller, urgency]}
      aside:
        - state
        - due
"""
CUSTOMER = """\
label: {en: Customer, it: Cliente}
modules:
  tickets: {see: own, can: [create, comment, close, wait]}
  people: {menu: false}
home:
  buttons: [late]
"""
BUTTONS = """\
buttons:
  late: {label: {en: Late, it: In ritardo}, icon: clock, tone: bad, opens: tickets, tab: open, count: true}
"""
FILES = {"modules.yaml": MODULES, "profiles/customer.yaml": CUSTOMER, "buttons.yaml": BUTTONS}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "profiles").mkdir()
    for file, text in FILES.items():
        (tmp_path / file).write_text(text, encoding="utf-8", newline="")
    return tmp_path


def test_the_portal_that_is_broken_here_is_good(folder):
    assert load(folder).problems == []


SLIPS = [
    # names of keys, types, values, fields, actions, buttons, icons
    ("modules.yaml", "max_length: 120", "max_lenght: 120"),
    ("modules.yaml", "columns: [reference", "colums: [reference"),
    ("modules.yaml", "lifecycle:", "lifecyle:"),
    ("modules.yaml", "    list:\n", "    List:\n"),
    ("modules.yaml", "email: email}", "email: emial}"),
    ("modules.yaml", "due: {type: datetime", "due: {type: date-time"),
    ("modules.yaml", "due: {type: datetime", "due: {type: timestamp"),
    ("modules.yaml", "title: {type: text", "title: {type: string"),
    ("modules.yaml", "tone: calm", "tone: clam"),
    ("modules.yaml", "icon: life-buoy", "icon: life-bouy"),
    ("modules.yaml", "sort: -due", "sort: -deu"),
    ("modules.yaml", "title, state, urgency, due]", "title, state, urgnecy, due]"),
    ("modules.yaml", "{urgency: high}", "{urgencies: high}"),
    ("modules.yaml", "{urgency: high}", "{urgency: hihg}"),
    ("modules.yaml", "to: people, default", "to: peolpe, default"),
    ("modules.yaml", "from: new, to: waiting", "from: new, to: Waiting"),
    ("modules.yaml", "{comment: required}", "{comment: requird}"),
    ("profiles/customer.yaml", "see: own", "see: ovn"),
    ("profiles/customer.yaml", "create, comment, close, wait", "create, coment, close, wait"),
    ("profiles/customer.yaml", "home:", "hom:"),
    ("buttons.yaml", "opens: tickets", "opens: ticket"),
    # values of the wrong kind
    ("modules.yaml", "comments: true", "comments: yes"),
    ("modules.yaml", "comments: true", 'comments: "true"'),
    (
        "modules.yaml",
        "columns: [reference, title, state, urgency, due]",
        "columns: reference, title, state, urgency, due",
    ),
    ("modules.yaml", "[title, caller, urgency]", "[title caller urgency]"),
    ("modules.yaml", '"{number}"', "{number}"),
    ("modules.yaml", '"#2457d6"', "#2457d6"),
    # spaces, quotes, brackets, colons
    ("modules.yaml", "icon: life-buoy", "icon:life-buoy"),
    ("modules.yaml", "it: Ticket}", "it:Ticket}"),
    ("modules.yaml", "        - state\n        - due", "        -state\n        -due"),
    ("modules.yaml", '"Waiting for you"', "“Waiting for you”"),
    ("modules.yaml", "{not: closed}", "{nto: closed}"),
    ("modules.yaml", "it: Ticket}", "it = Ticket}"),
    ("modules.yaml", "title, state, urgency, due]", "title, state urgency, due]"),
    ("modules.yaml", '"Waiting for you"', '"Waiting for you'),
    ("modules.yaml", '"Waiting for you"', 'Waiting for you"'),
    ("modules.yaml", '"By when: the day and the hour"', "By when: the day and the hour"),
    ("modules.yaml", "tone: calm}", "tone: calm"),
    ("modules.yaml", "[low, normal, high]", "[low, normal, high"),
    ("modules.yaml", "[low, normal, high]", "[low, normal, high]]"),
    ("modules.yaml", "aside:\n", "aside\n"),
    ("modules.yaml", "# Whoever", "// Whoever"),
    ("modules.yaml", 'reference: "{number}"', 'reference: "{number}'),
    ("modules.yaml", "# Why: the hour counts.", "// Why: the hour counts."),
    ("buttons.yaml", "icon: clock, tone", "icon: clock tone"),
    # indentation
    ("modules.yaml", "    comments: true", "     comments: true"),
    ("modules.yaml", "      caller: {", "     caller: {"),
    ("modules.yaml", "      due: {type", "    due: {type"),
    ("modules.yaml", "  tickets:\n", "tickets:\n"),
    ("modules.yaml", "    icon: life", "\ticon: life"),
    ("modules.yaml", "    icon: life", "\u00a0\u00a0\u00a0\u00a0icon: life"),
    ("profiles/customer.yaml", "home:\n", "  home:\n"),
    # traces
    ("modules.yaml", "people: people\n", "people: people\npeople: people\n"),
    ("buttons.yaml", BUTTONS, f"```yaml\n{BUTTONS}```\n"),
    ("buttons.yaml", BUTTONS, f"<<<<<<< ours\n{BUTTONS}=======\n{BUTTONS}>>>>>>> theirs\n"),
]


@pytest.mark.parametrize(("file", "good", "slip"), SLIPS, ids=[slip[:30] for _file, _good, slip in SLIPS])
def test_a_slip_is_mended_to_the_same_bytes(folder, file, good, slip):
    assert FILES[file].count(good) == 1
    broken = FILES[file].replace(good, slip)
    (folder / file).write_text(broken, encoding="utf-8", newline="")
    result = fix_problems(folder, {})
    assert result.files.keys() == {file}
    assert result.files[file][1].decode().splitlines() == FILES[file].splitlines()
    assert result.loaded.problems == []


UNCERTAIN = [
    # two names are equally close; a name that is close to none; rights are not widened
    ("modules.yaml", "urgency: {type: choice", "urgences: {type: choice"),
    ("modules.yaml", "title, state, urgency, due]", "title, state, hurry, due]"),
    ("profiles/customer.yaml", "[create, comment, close, wait]", "all"),
    ("profiles/customer.yaml", "[create, comment, close, wait]", "[everything]"),
    # a text of one's own, and two versions of which one must be chosen
    ("modules.yaml", "max_length: 120", "max_length: many"),
    ("modules.yaml", "icon: life-buoy", "icon: life-buoy\n    icon: ticket"),
    ("buttons.yaml", BUTTONS, f"<<<<<<< ours\n{BUTTONS}=======\nbuttons: {{}}\n>>>>>>> theirs\n"),
    # a range and a file that says nothing: what they should be, nothing tells
    ("modules.yaml", "{urgency: high}", "{due: {min: 2026-01-01, max: 2025-01-01}}"),
    ("profiles/customer.yaml", CUSTOMER, "null\n"),
]


@pytest.mark.parametrize(("file", "good", "slip"), UNCERTAIN, ids=[slip[:30] for _file, _good, slip in UNCERTAIN])
def test_what_needs_a_guess_stays_as_it_is(folder, file, good, slip):
    (folder / file).write_text(FILES[file].replace(good, slip), encoding="utf-8", newline="")
    before = load(folder).problems
    result = fix_problems(folder, {})
    assert (result.files, result.done, result.loaded.problems) == ({}, (), before)
    assert before


def test_a_name_that_is_as_near_to_two_stays(folder):
    text = MODULES.replace("due: {type", "data: date\n      date: date\n      due: {type").replace("-due", "-dats")
    (folder / "modules.yaml").write_text(text, encoding="utf-8")
    assert fix_problems(folder, {}).files == {}


def test_a_former_name_that_is_still_in_use_stays(folder):
    """Any unused name would do, such as that of a similar field."""
    written = MODULES.replace("see: all\n    fields: {", "see: all\n    formerly: tickets\n    fields: {ticket: text, ")
    (folder / "modules.yaml").write_text(written, encoding="utf-8", newline="")
    assert fix_problems(folder, {}).files == {}


def test_a_renamed_field_is_no_slip_where_nothing_tells_which_name_is_meant(folder):
    text = MODULES.replace("        - {fields: [title, caller, urgency]}", "        - {fields: [title, zzyzx]}")
    text = text.replace("      due: {type", "      zzyzq: text\n      due: {type")
    (folder / "modules.yaml").write_text(text, encoding="utf-8")
    assert fix_problems(folder, {}).files == {}


def test_several_slips_are_mended_also_below_one_that_hides_them(folder):
    text = MODULES.replace("aside:\n", "aside\n").replace("tone: calm", "tone: clam").replace("sort:", "sortt:")
    (folder / "modules.yaml").write_text(text, encoding="utf-8")
    result = fix_problems(folder, {})
    assert (len(result.done), result.files["modules.yaml"][1].decode()) == (3, MODULES)


def test_line_ends_and_the_mark_at_the_beginning_stay(folder):
    windows = b"\xef\xbb\xbf" + MODULES.replace("\n", "\r\n").encode()
    (folder / "modules.yaml").write_bytes(windows.replace(b"tone: calm", b"tone: clam"))
    assert fix_problems(folder, {}).files["modules.yaml"][1] == windows


def test_a_file_is_written_with_its_rights_and_not_over_a_newer_one(tmp_path):
    path = tmp_path / "modules.yaml"
    path.write_bytes(b"old")
    path.chmod(0o640)
    assert save(path, b"old", b"new")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", 0o640)
    assert not save(path, b"old", b"mine")
    assert (path.read_bytes(), os.listdir(tmp_path)) == (b"new", ["modules.yaml"])


@pytest.mark.parametrize(
    ("one", "other", "number"),
    [("title", "titel", 1), ("title", "tile", 1), ("title", "tittle", 1), ("title", "tutle", 1), ("a", "bcd", 3)],
)
def test_slips_between_two_names(one, other, number):
    assert slips(one, other) == slips(other, one) == number


def test_the_nearest_names_come_first():
    assert list(near("due-dates", ["due_date", "due_dates", "dew_dates", "title"])) == [
        ["due_dates"], ["due_date"], ["dew_dates"],
    ]  # fmt: skip
