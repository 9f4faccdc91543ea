"""Values that must match those of other fields: when a change hides some, when nobody reads them, as defaults."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.accounts.giving_access import AccessRequest
from portal.database.engine import writing
from portal.records.policy import Policy
from portal.records.reading.records import Records
from portal.records.transfer.csv_reading import open_source
from portal.records.transfer.import_rights import import_rights
from portal.records.transfer.importing import ImportOptions, import_file
from tests.functional.world import ANNA, NANCY, PEOPLE_MODULES, World, written_world

pytestmark = pytest.mark.sqlite_suffices
MODULES = (
    PEOPLE_MODULES
    + """
  jobs:
    fields:
      name: {type: text, unique: true}
      item:
        type: choice
        show_when: {category: [hard, soft]}
        options: {printer: {label: Printer, show_when: {category: hard}}, mail: {show_when: {category: soft}}}
      part: {type: choice, options: {screw: {show_when: {category: hard}}, other: Other}}
      category: {type: choice, options: [hard, soft, none], show_when: {kind: open}}
      kind: {type: choice, options: [open, closed]}
      floor: {type: integer, internal: true}
      amount: {type: integer, at_least: floor}
      secret: {type: choice, internal: true, options: {alpha: {label: Alpha, show_when: {category: hard}}}}
      state: {type: choice, options: [new, done]}
    lifecycle:
      field: state
      transitions:
        sort: {from: new, to: done, bulk: true, ask: {category: required}}
        close: {from: new, to: done, ask: {kind: required}}
        equip: {from: new, to: done, bulk: true, ask: {part: required}}
  orders:
    fields:
      name: text
      ink: {type: choice, default: black, options: {black: {show_when: {item: printer}}, any: Any}}
      item: {type: choice, default: printer, options: {printer: {show_when: {category: hard}}, other: Other}}
      category: {type: choice, options: [hard, soft], default: hard}
      maker: {type: link, to: jobs}
      least: {type: integer, internal: true, default: 5}
      count: {type: integer, at_least: least}
      part: {type: choice, default: $maker.part, options: {screw: {show_when: {category: hard}}, other: Other}}
  repairs:
    fields:
      name: {type: text, unique: true}
      level: {type: choice, options: [low, high], default: high}
      tools: {type: choices, options: [hammer, drill, saw]}
"""
)
STAFF = """staff: true
modules:
  jobs: {see: all, can: [create, edit, sort, close, equip]}
  orders: {see: all, can: [create]}
"""
CUSTOMER = """modules:
  jobs:
    see: all
    can: [edit, import]
    list: {columns: [name]}
    detail: {sections: [{fields: [name]}]}
    edit: {fields: [name, amount, category]}
  orders: {see: all, can: [create], create: {fields: [name, category, count]}}
  repairs: {see: all, can: [create, edit, import], options: {level: {high: false}, tools: {drill: false}}}
"""


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    people = (AccessRequest(NANCY, "staff", "Nancy Smith", "Acme"), AccessRequest(ANNA, "customer", "Anna", "Acme"))
    with written_world(request, MODULES, people, staff=STAFF, customer=CUSTOMER) as world:
        yield world


def values(world: World, module: str, identity: int, *names: str) -> list[object]:
    record = world.record(module, identity)
    return [record.values[name] for name in names]


def test_an_import_tells_nothing_of_what_its_reader_may_not_read(world, tmp_path):
    world.add("jobs", name="A", kind="open", category="hard", floor=5, secret="alpha")
    reason = "This conflicts with other values of this record."
    refused = refused_in_import(world, tmp_path, "jobs", "name,amount,category\nA,4,soft\n")
    assert refused == [("amount", reason), ("category", reason)]


def refused_in_import(world: World, folder: Path, module: str, text: str) -> list[tuple[str, str]]:
    """What a customer's import of a file refuses."""
    file = folder / "file.csv"
    file.write_text(text)
    with writing(world.portal.engine) as connection:
        system = world.records(connection, module)
        profile = world.portal.declaration.profiles["customer"]
        records = Records(connection, Policy(system.policy.tables, profile, system.policy.reader), module)
        options = ImportOptions(key="name", dry_run=True, rights=import_rights(records))
        bad = import_file(records, open_source(file), options).bad
        return [(row.column, system.policy.reader.text(row.reason)) for row in bad]


def test_what_a_profile_does_not_offer_is_chosen_on_no_path_and_stays_where_it_is(world, tmp_path):
    program = world.program(ANNA)
    new = program.call("POST", "repairs", {"name": "A"}, 201).json["id"]
    assert values(world, "repairs", new, "level") == [None], "nor is it a default"
    unknown = [
        (name, f"“{option}” is not one of the options.") for name, option in (("level", "High"), ("tools", "Drill"))
    ]
    assert refused_in_import(world, tmp_path, "repairs", "name,level,tools\nA,high,drill\nB,low,saw\n") == unknown
    old = world.add("repairs", name="C", level="high", tools=("hammer", "drill"))
    program.call("PATCH", f"repairs/{old}", {"tools": ["drill", "saw"]}, 200)
    assert values(world, "repairs", old, "level", "tools") == ["high", ("drill", "saw")]
    for level, status in (("low", 200), ("high", 422)):
        program.call("PATCH", f"repairs/{old}", {"level": level}, status)


def test_a_form_for_a_new_record_tells_no_default_that_its_reader_may_not_read(world):
    refused = world[ANNA].send("/orders/create", {"name": "A", "count": "4"})
    assert refused.html.select_one("#field-count-error").text == "This conflicts with other values of this record."


def test_what_a_change_hides_need_not_match_it_and_matches_nothing(world):
    nancy, job = world[NANCY], {"kind": "open", "category": "hard"}
    hidden = world.add("jobs", name="B", item="printer", **job)
    assert nancy.send(f"/jobs/{hidden}/move/sort", {"category": "none"}).status_int == 303
    assert values(world, "jobs", hidden, "item", "category") == [None, "none"]
    refused = world.add("jobs", name="C", part="screw", **job)
    assert nancy.send(f"/jobs/{refused}/move/sort", {"category": "none"}).status_int == 422
    assert nancy.send(f"/jobs/{refused}/move/close", {"kind": "closed"}).status_int == 422, "it hides the category"
    assert nancy.send("/jobs/create", {**job, "name": "D", "kind": "closed", "part": "screw"}).status_int == 422
    closed = nancy.send("/jobs/create", {**job, "name": "D", "kind": "closed", "item": "printer"})
    assert values(world, "jobs", int(closed.location.split("/")[-2]), "item", "category") == [None, None]


def test_an_option_is_offered_for_many_records_where_it_may_match_some(world):
    ids = [world.add("jobs", name=name, kind="open", category=name) for name in ("hard", "soft")]
    chosen = [("do", "equip"), *(("ids", str(each)) for each in ids)]
    question = world[NANCY].send("/jobs/bulk", chosen)
    assert question.html.select("option[value=screw]:not([data-hidden])")
    assert world[NANCY].send("/jobs/bulk", [*chosen, ("part", "screw")]).status_int == 200
    assert [values(world, "jobs", each, "part") for each in ids] == [["screw"], [None]]


def test_a_default_that_matches_nothing_is_left_out_with_those_that_depend_on_it(world):
    world[ANNA].send("/orders/create", {"name": "A", "category": "soft"}, status=303)
    program, maker = world.program(NANCY), world.add("jobs", name="Maker", kind="open", category="hard", part="screw")
    program.call("POST", "orders", {"name": "B", "category": "soft", "maker": maker}, status=201)
    program.call("POST", "orders", {"name": "C", "maker": maker}, status=201)
    world[NANCY].send("/orders/create", {"name": "D", "category": "soft", "maker": maker}, status=303)
    names = ("item", "ink", "part")
    assert [values(world, "orders", order.id, *names) for order in world.all("orders")] == [
        [None, None, None],
        [None, None, None],
        ["printer", "black", "screw"],
        [None, None, None],
    ]
