"""What a form asks under a condition, asks once, or fills in itself: decided by the server on every path."""

import datetime
from collections.abc import Iterator

import pytest

from portal.accounts.giving_access import AccessRequest
from portal.database.engine import writing
from portal.fields.lines import Row
from portal.records.transfer.csv_reading import open_source
from portal.records.transfer.importing import ImportOptions, import_file
from tests.functional.world import ANNA, NANCY, PEOPLE_MODULES, World, written_world

MODULES = """
people: contacts
organizations: firms
modules:
  firms: {fields: {name: text, site: {type: text, default: Hall 1}}}
  contacts:
    organization: firm
    fields: {name: text, email: {type: email, unique: true}, phone: phone, firm: {type: link, to: firms}}
  cases:
    organization: firm
    fields:
      title: {type: text, required: true}
      caller: {type: link, to: contacts, default: me}
      firm: {type: link, to: firms, default: $caller.firm}
      site: {type: text, default: $firm.site}
      phone: {type: phone, default: me.phone}
      size: {type: integer}
      double: {type: formula, of: size * 2}
      kind: {type: choice, options: [small, large], default: small}
      reason: {type: text, required_when: {any: [{kind: large}, {double: {min: 100}}]}}
      detail: {type: text, show_when: {kind: large}, required_when: {size: {min: 10}}}
      either: {type: text, show_when: {any: [{kind: large}, {area: desk}, {area: site}]}}
      several: {type: text, show_when: {kind: [large, nothing]}}
      serial: {type: text, read_only: once, suggestions: [A-1, B-2]}
      agreed: {type: text, read_only_when: {state: closed}}
      pledge: {type: text, required_when: {state: closed}, read_only_when: {state: closed}}
      price: {type: money, read_only_when: {kind: large}}
      basis: {type: text, read_only_when: {price: {empty: true}}}
      copied: {type: text, default: $firm.site, read_only_when: {firm: {empty: false}}}
      badge: {type: text, unique: organization}
      seat: {type: integer, unique: caller}
      above: {type: link, to: cases, where: {id: {not: $id}}}
      first_below: {type: link, to: cases, where: {above: $id}}
      opens: integer
      closes: {type: integer, at_least: opens}
      area:
        type: choice
        options: {desk: Desk, site: {label: Site, show_when: {kind: large}}}
      topics:
        type: choices
        options:
          mail: {label: Mail, show_when: {area: desk}}
          door: {label: Door, show_when: {area: site, double: {min: 10}}}
          other: Other
      starts: date
      ends: {type: date, at_least: starts}
      leaves: {type: datetime, after: arrives}
      arrives: datetime
      noted: {type: datetime, default: now}
      data: json
      consent: signature
      state: {type: choice, options: [open, signed, closed, paid]}
      paid_on: {type: date, show_when: {state: paid}}
      reminded: {type: text, show_when: {paid_on: {empty: false}}}
      unit: {type: text, show_when: {hall: Hall 1}}
      receipt: {type: text, required_when: {state: paid}}
      remark: {type: text, required_when: {state: closed}}
      score: rating
      verdict: {type: text, internal: true}
      hall: {type: lookup, of: firm.site}
      gate: {type: integer, required_when: {hall: Gate 7}}
      tools: {type: lines, show_when: {kind: large}, fields: {name: text, cost: integer}}
      spent: {type: formula, of: tools.cost}
      parts:
        type: lines
        fields:
          what: text
          number: {type: integer, required_when: {what: {empty: false}}}
          note: {type: text, read_only_when: {what: Sealed}}
          code: {type: text, read_only: once}
          place:
            type: choice
            default: table
            options: {shelf: {label: Shelf, show_when: {number: {min: 1}}}, table: {label: Table, show_when: {note: t}}}
    comments: true
    lifecycle:
      field: state
      on_comment: {staff: {from: paid, to: open}}
      transitions:
        settle: {from: open, to: closed, ask: {topics: required}}
        close: {from: open, to: closed, ask: {kind: required, reason: optional, agreed: optional, score: optional}}
        open_again: {from: closed, to: open}
        hand: {from: open, to: closed, ask: {caller: optional}}
        sign: {from: open, to: signed, ask: {consent: required}}
        reopen: {from: signed, to: open}
        stamp: {from: open, to: paid, set: {badge: Paid}}
        unpay: {from: paid, to: open, set: {kind: small}}
        pay: {from: open, to: paid, ask: {paid_on: required, receipt: optional}}
        judge: {from: open, to: paid, ask: {verdict: required}}
    list: {columns: [title, state, consent]}
    create:
      steps:
        - {title: What, fields: [title, reason, serial, detail, either, several, data, consent,
                               price, basis, copied, starts, ends, noted]}
        - {title: How much, fields: [kind, size, caller, firm, site, phone, gate, seat, above, parts, area, topics,
                                    arrives, leaves]}
    edit:
      fields: [title, kind, size, reason, detail, serial, data, consent, agreed, pledge, price, basis, parts,
               starts, ends, caller, above, first_below, area, topics, arrives, leaves]
    detail:
      sections:
        - {title: What, fields: [title, [kind, detail]]}
        - {title: Parts, fields: [parts]}
        - {fields: [serial, consent, data, score]}
        - {fields: [price, opens], show_when: {any: [{serial: A-1}, {firm.site: Hall 9}]}}
"""
STAFF = """staff: true
modules:
  cases: {see: all, can: [create, edit, export, comment, settle, close, hand, sign, pay, unpay, stamp, judge]}
  contacts: {see: all}
  firms: {see: all}
"""
CUSTOMER = """
modules:
  cases:
    see: all
    can: [close, edit, hand, judge]
    list: {columns: [title]}
    detail: {sections: [{fields: [title]}]}
    edit: {fields: [reason, detail, ends, badge, opens, area]}
  contacts: {see: all}
"""


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    people = (
        AccessRequest(NANCY, "staff", "Nancy Smith", "Acme"),
        AccessRequest(ANNA, "customer", "Anna Rossi", "Acme"),
    )
    with written_world(request, MODULES, people, staff=STAFF, customer=CUSTOMER) as world:
        yield world


def errors(page):
    return {tag["id"].split("-")[1] for tag in page.html.select(".error[id]")}


def test_looking_for_a_record_that_a_transition_asks_for_does_not_move_the_record(world):
    move = f"/cases/{world.add('cases', title='Handed')}/move/hand"
    assert world[NANCY].send(move, {"_find": "caller", "_find.caller": "rossi"}).status_int == 200
    assert world[NANCY].send(move, {}).status_int == 303


def test_a_field_is_required_while_its_condition_holds(world):
    nancy = world[NANCY]
    assert nancy.send("/cases/create", {"title": "A", "kind": "small", "size": "3"}).status_int == 303
    refused = nancy.send("/cases/create", {"title": "B", "kind": "large", "size": "3"})
    assert (refused.status_int, errors(refused)) == (422, {"reason"})  # in the step before that of its condition
    assert nancy.send("/cases/create", {"title": "B", "size": "50"}).status_int == 422  # a formula of the same form
    assert (
        nancy.send("/cases/create", {"title": "B", "size": "12", "reason": "x"}).status_int == 303
    )  # detail is hidden
    refused = nancy.send("/cases/create", {"title": "B", "kind": "large", "size": "12", "reason": "x"})
    assert errors(refused) == {"detail"}


def test_a_transition_asks_staff_alone_for_internal_fields(world):
    case = world.add("cases", title="Judged", kind="small")
    address = f"/cases/{case}/move/judge"
    assert errors(world[NANCY].send(address, {})) == {"verdict"}
    assert f'action="{address}"' in world[ANNA].see(f"/cases/{case}/")  # at once: nothing is asked
    assert world[ANNA].send(address, {"verdict": "mine"}).status_int == 303
    assert (world.record("cases", case).values["state"], world.record("cases", case).values["verdict"]) == (
        "paid",
        None,
    )


def test_a_condition_may_ask_a_lookup_and_stand_in_a_column_of_lines(world):
    nancy, firm = world[NANCY], world.add("firms", name="Seven", site="Gate 7")
    refused = nancy.send("/cases/create", {"title": "C", "firm": str(firm), "site": "x"})
    assert errors(refused) == {"gate"}
    # No script knows what is computed: the page asks the server while someone types.
    asked = nancy.send("/cases/computed", {"title": "C", "firm": str(firm), "size": "50"}).json["_rules"]
    rules = [True, True, False, []]
    assert asked == {"gate": rules, "reason": rules, "topics": [True, False, False, ["mail", "door"]]}
    form = refused.html.select_one("form[data-compute]")
    assert {field["data-asks"] for field in form.select("[data-asks]")} == {"gate", "topics"}
    rows = {"parts.0.what": "Bolt", "parts.0.number": "", "parts.1.what": "", "parts.1.number": ""}
    refused = nancy.send("/cases/create", {"title": "D", **rows})
    assert refused.status_int == 422
    assert "Required" in refused
    assert nancy.send("/cases/create", {"title": "D", **rows, "parts.0.number": "3"}).status_int == 303


def test_the_form_says_what_is_required_now(world):
    case = world.add("cases", title="Marked", kind="large")
    page = world[NANCY].get(f"/cases/{case}/edit")
    field = page.html.find(attrs={"name": "reason"})
    assert field.has_attr("required")
    assert field.find_parent(attrs={"data-required-when": True})
    assert world[NANCY].send(f"/cases/{case}/edit", {"title": "Marked", "kind": "large"}).status_int == 422
    assert world[NANCY].send(f"/cases/{case}/edit", {"title": "Marked", "kind": "small"}).status_int == 303


def test_rules_hold_by_what_the_reader_of_a_form_may_not_read(world):
    firm, day = world.the("firms", "Acme"), datetime.date(2026, 6, 1)
    case = world.add("cases", title="Unread", kind="large", reason="A", starts=day, firm=firm, badge="A1", closes=5)
    world.add("cases", title="Other", firm=firm, badge="A2")
    anna, form = world[ANNA], {"reason": "", "detail": "New", "ends": "2026-05-01", "badge": "a2", "opens": "6"}
    page = anna.get(f"/cases/{case}/edit")
    assert page.html.find(attrs={"name": "reason"}).has_attr("required")
    assert page.html.find(attrs={"name": "detail"}).find_parent(attrs={"data-hidden": True}) is None
    refused = anna.send(f"/cases/{case}/edit", form)
    assert errors(refused) == {"reason", "ends", "badge", "opens"}
    assert "Jun" not in refused
    world.set("cases", case, kind="small", size=60)
    refused = anna.send(f"/cases/{case}/edit", form)
    assert "reason" in errors(refused), "what a formula is computed from counts as well"
    world.set("cases", case, kind="large", size=None)
    form |= {"reason": "B", "ends": "2026-06-02", "badge": "a3", "opens": "5"}
    assert anna.send(f"/cases/{case}/edit", form).status_int == 303
    values = world.record("cases", case).values
    assert [values[name] for name in ("reason", "detail", "ends", "badge")] == [
        "B", "New", datetime.date(2026, 6, 2), "a3"
    ]  # fmt: skip


def test_a_value_is_unique_among_the_records_with_the_same_link(world):
    nancy, first, second = world[NANCY], world.the("contacts", "Anna Rossi").id, world.the("contacts", "Nancy Smith").id
    case = {"title": "Seated", "kind": "small", "seat": "1"}
    assert nancy.send("/cases/create", {**case, "caller": first}).status_int == 303
    assert nancy.send("/cases/create", {**case, "caller": second}).status_int == 303
    assert errors(nancy.send("/cases/create", {**case, "caller": first})) == {"seat"}
    alone = world.add("cases", title="Alone", kind="small", seat=1)
    moved = nancy.send(f"/cases/{alone}/edit", {"title": "Alone", "caller": first})  # without the seat
    assert errors(moved) == {"caller"}
    assert "Another record with this selection already has the same Seat." in moved
    handed = world[ANNA].send(f"/cases/{alone}/move/hand", {"caller": first})  # whose profile has no seat
    assert errors(handed) == {"caller"}
    assert "This conflicts with other values of this record." in handed
    assert "Seat" not in handed


def test_a_link_may_offer_every_record_but_the_record_itself(world):
    nancy, above = world[NANCY], world.add("cases", title="Above", kind="small")
    assert nancy.send("/cases/create", {"title": "Below", "kind": "small", "above": above}).status_int == 303
    below = world.add("cases", title="Below", kind="small", above=world.the("cases", "Above"))
    assert errors(nancy.send(f"/cases/{below}/edit", {"title": "Below", "above": below})) == {"above"}
    offered = nancy.get(f"/cases/{above}/edit").html.select("select[name=above] option")
    assert str(above) not in {option["value"] for option in offered}


def test_a_default_of_now_is_shown_to_the_minute_and_exact_where_nobody_sees_it(world):
    world.clock.pass_by(seconds=38)
    page = world[NANCY].get("/cases/create")
    assert page.html.find("input", attrs={"name": "noted"})["value"] == "2026-03-05T12:00"
    by_program = world.program(NANCY).call("POST", "cases", {"title": "Shown to nobody"}, 201).json["id"]
    assert world.record("cases", by_program).values["noted"] == world.clock.now


def test_a_section_is_there_while_its_condition_holds(world):
    for serial, shown in (("A-1", True), ("B-2", False)):
        case = world.add("cases", title="Shown", serial=serial, opens=4711)
        page = world[NANCY].get(f"/cases/{case}/").html
        headings = [heading.text for heading in page.select("main .card h2")]
        fields = " ".join(part.text for part in page.select("main .fields"))
        assert ("4,711" in fields, headings.count("Details")) == (shown, 1)


def test_a_link_may_offer_only_what_links_to_the_record_itself(world):
    nancy, above, other = world[NANCY], world.add("cases", title="Above"), world.add("cases", title="Other")
    below = world.add("cases", title="Below", above=world.the("cases", "Above"))
    address = f"/cases/{above}/edit"
    offered = nancy.get(address).html.find(attrs={"name": "first_below"})
    assert {option["value"] for option in offered.select("option")} == {"", str(below)}
    find = offered.parent["data-combobox"]
    assert [offer["title"] for offer in nancy.get(f"{find}&q=b").json] == ["Below"]
    assert nancy.get(find.replace(f"id={above}", "id=99999")).json == []
    assert errors(nancy.send(address, {"title": "Above", "first_below": other})) == {"first_below"}
    assert nancy.send(address, {"title": "Above", "first_below": below}).status_int == 303
    program = world.program(NANCY)
    assert program.call("PATCH", f"cases/{other}", {"first_below": below}, 422).json["fields"].keys() == {"first_below"}
    assert not nancy.get("/cases/create").html.select("[name=first_below]"), "nothing links to a new record yet"


def test_a_transition_that_sets_what_another_record_has_is_refused(world):
    firm, nancy = world.the("firms", "Acme"), world[NANCY]
    first, second = (world.add("cases", title=title, firm=firm) for title in ("First", "Second"))
    assert nancy.send(f"/cases/{first}/move/stamp").status_int == 303
    taken = "This value is already in use."
    page = nancy.send(f"/cases/{second}/move/stamp")
    assert (page.status_int, taken in page) == (422, True)
    assert taken in nancy.send("/cases/bulk", {"do": "stamp", "ids": str(second)})
    assert world.program(NANCY).call("POST", f"cases/{second}/move/stamp", {}, 422).json["error"].startswith(taken)
    assert world.record("cases", second).values["state"] == "open"


def test_an_empty_answer_leaves_what_its_question_did_not_show(world):
    cases = [world.add("cases", title="Asked", kind="small", reason="Old", agreed="Yes", score=4) for _each in range(5)]
    anna, nancy, program = world[ANNA], world[NANCY], world.program(ANNA)
    by_hand, by_program, first, second, cleared = cases
    assert anna.send(f"/cases/{by_hand}/move/close", {"kind": "small", "reason": "", "agreed": ""}).status_int == 303
    program.call("POST", f"cases/{by_program}/move/close", {"kind": "small"}, 200)
    many = {"do": "close", "ids": str(first), "kind": "large", "reason": "", "agreed": "No", "_sure": "1"}
    nancy.send("/cases/bulk", [*many.items(), ("ids", str(second))])
    nancy.send(f"/cases/{cleared}/move/close", {"kind": "small", "reason": "", "agreed": ""})
    left = [[world.record("cases", case).values[name] for name in ("kind", "reason", "agreed")] for case in cases]
    assert left == [
        ["small", None, "Yes"], ["small", "Old", "Yes"],  # they may not read what was agreed
        ["small", "Old", "Yes"], ["small", "Old", "Yes"],  # large ones need a reason, of those who are asked here
        ["small", None, None],
    ]  # fmt: skip
    nancy.send("/cases/bulk", [*(many | {"kind": "small"}).items(), ("ids", str(second))])
    left = [[world.record("cases", case).values[name] for name in ("reason", "agreed")] for case in (first, second)]
    assert left == [["Old", "No"], ["Old", "No"]]
    assert {world.record("cases", case).values["score"] for case in cases} == {4}, "a rating is asked anew each time"


def test_a_transition_asks_what_its_answers_make_required(world):
    case = world.add("cases", title="Moved")
    refused = world[NANCY].send(f"/cases/{case}/move/close", {"kind": "large", "reason": ""})
    assert errors(refused) == {"reason"}
    assert world[NANCY].send(f"/cases/{case}/move/close", {"kind": "large", "reason": "y"}).status_int == 303


@pytest.mark.parametrize("many", [False, True])
def test_what_a_transition_asks_goes_by_the_state_to_which_it_leads(world, many):
    nancy, case = world[NANCY], world.add("cases", title="Paid")
    chosen = {"ids": str(case), "do": "pay"} if many else {}
    address = "/cases/bulk" if many else f"/cases/{case}/move/pay"
    question = nancy.send(address, chosen) if many else nancy.get(address)
    assert question.html.find(attrs={"name": "paid_on"}).find_parent(hidden=True) is None
    assert errors(nancy.send(address, {**chosen, "paid_on": "", "receipt": ""})) == {"paid_on", "receipt"}
    nancy.send(address, {**chosen, "paid_on": "2026-03-04", "receipt": "R1"})
    values = world.record("cases", case).values
    assert (values["state"], values["paid_on"], values["receipt"]) == ("paid", datetime.date(2026, 3, 4), "R1")


def test_what_is_typed_once_stays(world):
    nancy = world[NANCY]
    nancy.send("/cases/create", {"title": "Once", "serial": "S1"})
    (record,) = [record for record in world.all("cases") if record.title == "Once"]
    assert record.values["serial"] == "S1"
    page = nancy.get(f"/cases/{record.id}/edit")
    assert page.html.find(attrs={"name": "serial"}) is None
    assert nancy.send(f"/cases/{record.id}/edit", {"title": "Once more", "serial": "S2"}).status_int == 303
    assert world.record("cases", record.id).values["serial"] == "S1"


def test_an_input_offers_suggestions_beside_which_anything_may_be_typed(world):
    page = world[NANCY].get("/cases/create")
    offered = page.html.find("input", {"name": "serial"})["list"]
    assert [option["value"] for option in page.html.find("datalist", id=offered).find_all("option")] == ["A-1", "B-2"]
    assert world[NANCY].send("/cases/create", {"title": "S", "size": "1", "serial": "C-3"}).status_int == 303


def locked_in(page):
    return {tag.find(attrs={"name": True})["name"] for tag in page.select("fieldset[data-lock][disabled]")}


def test_a_field_cannot_be_changed_while_its_condition_holds(world):
    nancy, case = (
        world[NANCY],
        world.add("cases", title="Locked", kind="large", agreed="Yes", basis="A", state="closed"),
    )
    page = nancy.get(f"/cases/{case}/edit").html
    assert locked_in(page) == {"agreed", "pledge", "price", "basis"}
    assert locked_in(nancy.get(f"/cases/{world.add('cases', title='Free', kind='small')}/edit").html) == {"basis"}
    assert locked_in(nancy.get("/cases/create").html) == {"basis", "copied"}
    assert page.find(attrs={"name": "agreed"})["value"] == "Yes"
    form = {"title": "Locked", "kind": "large", "reason": "x", "agreed": "No", "price": "5", "basis": "B"}
    assert nancy.send(f"/cases/{case}/edit", form).status_int == 303  # the price stays empty, which locks its basis
    values = world.record("cases", case).values
    assert (values["agreed"], values["price"], values["basis"]) == ("Yes", None, "A")
    assert nancy.send(f"/cases/{case}/edit", {**form, "kind": "small"}).status_int == 303
    values = world.record("cases", case).values
    assert (values["agreed"], values["price"].amount, values["basis"]) == ("Yes", 5, "B")


def test_a_program_is_told_that_a_field_is_locked(world):
    program, case = world.program(NANCY), world.add("cases", title="By program", kind="large")
    for price in ("5.00 EUR", {"amount": "5"}):
        refused = program.call("PATCH", f"cases/{case}", {"price": price, "reason": "x"}, status=422).json
        assert set(refused["fields"]) == {"price"}
    program.call("PATCH", f"cases/{case}", {"price": "5.00 EUR", "kind": "small"}, status=200)
    program.call(
        "PATCH", f"cases/{case}", {"price": "5.00 EUR", "kind": "large", "reason": "x", "detail": "y"}, status=200
    )
    program.call("PATCH", f"cases/{case}", {"price": None}, status=422)


@pytest.mark.sqlite_suffices
def test_what_a_reader_may_not_read_locks_a_field_too(request):
    offers = """
  offers:
    fields:
      name: text
      approved: {type: boolean, internal: true}
      amount: {type: integer, read_only_when: {approved: true}}
"""
    people = (AccessRequest(ANNA, "customer", "Anna Rossi", "Acme"),)
    with written_world(
        request, PEOPLE_MODULES + offers, people, customer="modules: {offers: {see: all, can: [edit]}}"
    ) as world:
        offer = world.add("offers", name="Lamps", approved=True, amount=5)
        anna, program = world[ANNA], world.program(ANNA)
        assert anna.get(f"/offers/{offer}/edit").html.find(attrs={"name": "amount"}).find_parent(disabled=True)
        anna.send(f"/offers/{offer}/edit", {"name": "Lamps", "amount": "6"})
        assert world.record("offers", offer).values["amount"] == 5
        assert "amount" in program.call("PATCH", f"offers/{offer}", {"amount": 6}, status=422).json["fields"]
        world.set("offers", offer, approved=False)
        program.call("PATCH", f"offers/{offer}", {"amount": 6}, status=200)


def test_a_form_that_comes_back_shows_what_a_locked_field_keeps(world):
    case = world.add("cases", title="Kept", kind="large", agreed="Yes", state="closed")
    page = world[NANCY].send(f"/cases/{case}/edit", {"title": "", "kind": "small"})
    assert errors(page) == {"title"}  # what nobody may type is not required
    assert page.html.find(attrs={"name": "agreed"})["value"] == "Yes"


def test_a_new_record_has_the_default_of_a_locked_field(world):
    nancy, other = world[NANCY], world.add("firms", name="Eight", site="Gate 8")
    form = {"title": "New and locked", "kind": "large", "reason": "x", "detail": "y", "price": "5"}
    assert nancy.send("/cases/create", {**form, "firm": str(other), "copied": "typed"}).status_int == 303
    (record,) = [record for record in world.all("cases") if record.title == "New and locked"]
    assert (record.values["price"], record.values["copied"]) == (None, "Gate 8")


def test_a_transition_asks_for_a_locked_field_and_a_row_keeps_its_own(world):
    nancy, case = world[NANCY], world.add("cases", title="Asked")
    nancy.send(f"/cases/{case}/move/close", {"kind": "small", "reason": "", "agreed": "Now"})
    assert world.record("cases", case).values["agreed"] == "Now"
    rows = {"parts.0.what": "Bolt", "parts.0.number": "1", "parts.0.note": "A"}
    world.set("cases", case, state="open")
    nancy.send(f"/cases/{case}/edit", {"title": "Asked", "kind": "small", "agreed": "Now", **rows})
    (row,) = world.record("cases", case).values["parts"]
    sealed = {**rows, "parts.0._row": str(row.id), "parts.0.what": "Sealed", "parts.0.note": "B"}
    nancy.send(f"/cases/{case}/edit", {"title": "Asked", "kind": "small", "agreed": "Now", **sealed})
    (row,) = world.record("cases", case).values["parts"]
    assert (row.values["what"], row.values["note"]) == ("Sealed", "A")


def test_a_value_is_not_less_than_that_of_another_field_or_is_after_it(world, tmp_path):
    nancy, form = world[NANCY], {"title": "Days", "starts": "2026-03-05"}
    assert "Not before “Starts”." in nancy.get("/cases/create")
    refused = nancy.send("/cases/create", {**form, "ends": "2026-03-04"})
    assert errors(refused) == {"ends"}
    assert "Choose Mar 5, 2026 or later." in refused
    assert nancy.send("/cases/create", {**form, "ends": "2026-03-05"}).status_int == 303
    (case,) = [record.id for record in world.all("cases") if record.title == "Days"]
    later = nancy.send(f"/cases/{case}/edit", {**form, "starts": "2026-03-06", "ends": "2026-03-05"})
    assert errors(later) == {"ends"}
    assert nancy.send(f"/cases/{case}/edit", {**form, "starts": "2026-03-06", "ends": ""}).status_int == 303
    stay = {"title": "Stay", "arrives": "2026-03-05T14:30", "leaves": "2026-03-05T14:30"}
    refused = nancy.send("/cases/create", stay)
    assert errors(refused) == {"leaves"}
    assert "This must be after Mar 5, 2026, 2:30\u202fPM." in refused
    assert "Must be after “Arrives”." in nancy.get(f"/cases/{world.add('cases', title='Stay')}/edit")
    assert nancy.send("/cases/create", {**stay, "leaves": "2026-03-05T14:31"}).status_int == 303
    file = tmp_path / "cases.csv"
    file.write_text("title,starts,ends\nEarly,2026-03-05,2026-03-04\nLate,2026-03-05,2026-03-05\n")
    with writing(world.portal.engine) as connection:
        report = import_file(world.records(connection, "cases"), open_source(file), ImportOptions())
    assert [bad.line for bad in report.bad] == [2]


def test_a_form_knows_who_fills_it_in_and_lets_them_say_otherwise(world):
    nancy, firm = world[NANCY], world.the("firms", "Acme")
    world.set("contacts", world.the("contacts", "Nancy Smith").id, phone="+390612345")
    world.set("firms", firm.id, site="Gate 8")
    page = nancy.get("/cases/create").html
    shown = {name: page.find(attrs={"name": name})["value"] for name in ("caller", "firm", "site", "phone")}
    assert (shown["firm"], shown["site"]) == (str(firm.id), "Gate 8")
    assert "06" in shown["phone"]
    nancy.send("/cases/create", {"title": "Here", "caller": shown["caller"], "phone": "123456", "site": "Gate 9"})
    (record,) = [record for record in world.all("cases") if record.title == "Here"]
    assert (record.values["site"], record.values["phone"], record.values["firm"].id) == ("Gate 9", "123456", firm.id)
    prefilled = nancy.get("/cases/create?detail=Deep").html  # its condition asks for another kind than the default
    assert prefilled.find(attrs={"name": "kind"})["value"] == "large"
    for address, kind in (("several=1", "large"), ("either=1", "large"), ("either=1&area=desk", "small")):
        prefilled = nancy.get(f"/cases/create?{address}").html
        assert prefilled.find(attrs={"name": "kind"})["value"] == kind


def test_structured_data_is_checked_to_the_column_and_shown_as_a_tree(world):
    nancy = world[NANCY]
    refused = nancy.send("/cases/create", {"title": "Data", "data": '{\n "a": [1,]\n}'})
    assert refused.status_int == 422
    assert "Line 2, column" in refused
    assert '"a": [1,]' in refused  # what was typed stays
    typed = '{"printer": {"name": "<b>Größe</b>", "pages": 1.10, "trays": [true, null]}, "empty": []}'
    nancy.send("/cases/create", {"title": "Data", "data": typed})
    (record,) = [record for record in world.all("cases") if record.title == "Data"]
    assert record.values["data"] == typed
    tree = nancy.get(f"/cases/{record.id}/").html.select_one("ul.tree")
    assert [" ".join(item.text.split()) for item in tree.select("summary")] == [
        "printer 3 entries", "trays 2 entries", "empty 0 entries",
    ]  # fmt: skip
    assert [" ".join(item.text.split()) for item in tree.select("li:not(:has(li)):not(:has(summary))")] == [
        "name <b>Größe</b>", "pages 1.10", "1 true", "2 null",
    ]  # fmt: skip
    assert nancy.titles("/cases/?q=grosse") == ["Data"]
    assert nancy.titles("/cases/?q=trays") == ["Data"]
    assert nancy.get(f"/cases/{record.id}/edit").html.find(attrs={"name": "data"}).text.strip() == typed


DRAWING = "M10 20L30 40L31 200M600 0L600 0"


def test_a_signature_has_a_moment_and_an_account_and_is_never_changed(world):
    nancy = world[NANCY]
    case = world.add("cases", title="Signed")
    page = nancy.get(f"/cases/{case}/move/sign")
    assert page.html.find(attrs={"name": "consent.drawing", "type": "hidden"})
    for typed in ({"consent": ""}, {"consent": "", "consent.drawing": DRAWING}, {"consent": "x" * 121}):
        assert errors(nancy.send(f"/cases/{case}/move/sign", typed)) == {"consent"}
    for drawing in ('M1 1"/><script>', "M1 1L601 1", "M1 1", "M" + "1 1L" * 20_000 + "1 1"):
        assert errors(nancy.send(f"/cases/{case}/move/sign", {"consent": "N", "consent.drawing": drawing})) == {
            "consent"
        }
    forged = {"consent": "Nancy <i>Smith</i>", "consent.drawing": DRAWING, "consent.signed": "2000-01-01"}
    assert nancy.send(f"/cases/{case}/move/sign", forged).status_int == 303
    signature = world.record("cases", case).values["consent"]
    assert (signature.name, signature.drawing, signature.at) == ("Nancy <i>Smith</i>", DRAWING, world.clock.now)
    assert (bool(signature.account), signature.author) == (True, "Nancy Smith")
    shown = nancy.get(f"/cases/{case}/").html.select_one(".signature")
    assert (shown.path["d"], shown.strong.text) == (DRAWING, "Nancy <i>Smith</i>")
    assert "Nancy Smith" in shown.time.text
    past = [" ".join(event.text.split()) for event in nancy.get(f"/cases/{case}/").html.select("[class*=history] li")]
    assert ["Nancy <i>Smith</i>" in event for event in past] == [
        "Signed" in event and "Consent" in event for event in past
    ]
    assert sum("Nancy <i>Smith</i>" in event for event in past) == 1

    world.set("cases", case, state="open")
    assert nancy.get(f"/cases/{case}/move/sign").html.find(attrs={"name": "consent"}) is None
    assert nancy.send(f"/cases/{case}/move/sign", {"consent": "Someone"}).status_int == 303
    assert nancy.get(f"/cases/{case}/edit").html.find(attrs={"name": "consent"}) is None
    nancy.send(f"/cases/{case}/edit", {"title": "Signed", "consent": "Someone"})
    world.set("cases", case, consent=None)
    assert world.record("cases", case).values["consent"].at == signature.at


def test_nobody_signs_many_records_at_once(world):
    nancy = world[NANCY]
    case = world.add("cases", title="One of many")
    offered = {button["value"] for button in nancy.get("/cases/").html.select("button[name=do]")}
    assert (offered & {"close", "sign"}) == {"close"}
    for answers in ({}, {"consent": "Nancy"}):
        assert nancy.send("/cases/bulk", {"do": "sign", "ids": str(case), **answers}).status_int == 404
    assert world.record("cases", case).values["state"] == "open"


def test_an_optional_choice_offers_its_default_before_no_answer(world):
    page = world[NANCY].get(f"/cases/{world.add('cases', title='Kinds', kind='small')}/edit")
    options = [(option["value"], option.has_attr("selected")) for option in page.html.select("[name=kind] option")]
    assert options == [("small", True), ("large", False), ("", False)]


def test_a_form_is_signed_while_it_is_made_and_lists_show_the_name(world):
    nancy = world[NANCY]
    form = {"title": "At once", "consent": "Anna Żuk", "consent.drawing": DRAWING}
    assert nancy.send("/cases/create", form).status_int == 303
    (record,) = [record for record in world.all("cases") if record.title == "At once"]
    assert (record.values["consent"].drawing, record.values["consent"].at) == (DRAWING, world.clock.now)
    assert nancy.titles("/cases/?consent=zuk") == ["At once"]
    assert ",Anna Żuk" in nancy.get("/cases/export.csv?consent=zuk").text
    assert not nancy.get("/cases/?consent=zuk").html.select("td path")


def test_a_page_leaves_out_what_forms_hide_under_a_condition_unless_it_has_a_value(world):
    labels = {}
    for kind, detail in (("small", None), ("large", "Very")):
        record = world.add("cases", title="Seen", kind=kind, detail=detail)
        labels[kind] = [term.text for term in world[NANCY].get(f"/cases/{record}/").html.select("dt")]
    assert ["Detail" in labels[kind] for kind in ("small", "large")] == [False, True]


@pytest.mark.parametrize("address", ["move/unpay", "comments"])
def test_a_change_empties_what_forms_hide_from_then_on(world, address):
    details = {"kind": "large", "detail": "Very", "unit": "kg", "reminded": "Twice"}
    case = world.add("cases", title="Due", state="paid", paid_on=datetime.date(2024, 3, 5), **details)
    assert world[NANCY].send(f"/cases/{case}/{address}", {"text": "Not paid"}).status_int == 303
    values = world.record("cases", case).values
    held = [values[name] for name in ("state", "paid_on", "reminded", "detail", "unit")]
    assert held == ["open", None, None, None if address == "move/unpay" else "Very", "kg"]  # unit was hidden before


def test_an_imported_change_empties_what_forms_hide_from_then_on(world, tmp_path):
    details = {"kind": "large", "detail": "Very", "size": 3, "reason": "Why"}
    large = world.add("cases", title="Stays large", **details)
    small = world.add("cases", title="Gets small", tools=[Row({"name": "Saw", "cost": 7})], **details)
    file = tmp_path / "cases.csv"
    file.write_text("title,kind\nStays large,large\nGets small,small\n")
    with writing(world.portal.engine) as connection:
        report = import_file(world.records(connection, "cases"), open_source(file), ImportOptions(key="title"))
    assert (report.outcome.changed, report.outcome.unchanged) == (1, 1)
    held = [world.record("cases", case).values for case in (large, small)]
    assert [values["detail"] for values in held] == ["Very", None]
    assert [held[1][name] for name in ("tools", "spent", "reason")] == [(), 0, "Why"]


def test_the_title_of_a_section_is_not_said_again_by_its_only_field(world):
    page = world[NANCY].get(f"/cases/{world.add('cases', title='Seen')}/").html
    shown = [term.text for term in page.select(".fields dt:not(.hidden)")]
    assert shown == ["Title", "Kind", "Serial", "Consent", "Data", "Score"]


def test_an_option_is_offered_while_its_condition_holds(world, tmp_path):
    nancy, anna = world[NANCY], world[ANNA]
    site = {"title": "A", "reason": "x", "kind": "large", "area": "site"}
    refused = nancy.send("/cases/create", {**site, "kind": "small", "topics": ["mail", "other"]})
    assert (refused.status_int, errors(refused)) == (422, {"area", "topics"})
    assert "“Site” is not available with the other values." in refused.text
    assert refused.html.select_one("option[value=site][selected][data-option-when][data-hidden]")  # as it was sent
    assert nancy.send("/cases/create", {**site, "size": "4", "topics": ["door"]}).status_int == 422  # by a formula
    case = nancy.send("/cases/create", {**site, "size": "5", "topics": ["door", "other"]}).location
    assert nancy.send(f"{case}edit", {**site, "size": "4", "topics": ["door"]}).status_int == 422
    assert errors(anna.send(f"{case}edit", {"reason": "x", "area": "desk"})) == {"area"}  # without that field
    assert (
        "“Mail”" in nancy.send(f"{case}move/settle", {"topics": ["mail"]}).html.select_one("#field-topics-error").text
    )

    was_offered = f"/cases/{world.add('cases', title='B', kind='small', area='site')}/edit"
    assert not nancy.get(was_offered).html.select("option[value=site][data-option-when]")
    assert nancy.send(was_offered, {"title": "C", "kind": "small", "area": "site"}).status_int == 303
    row = {"title": "D", "parts.0.what": "x", "parts.0.number": "0", "parts.0.place": "shelf"}
    assert "parts" in errors(nancy.send("/cases/create", row))
    assert not nancy.get("/cases/create").html.select("[name$='.place'] option[value=table][selected]")  # its default

    world.add("cases", title="E", kind="small", area="site", badge="e")
    world.add("cases", title="F", kind="large", area="site", badge="f")

    def refused_lines(rows: str, **options: str) -> list[int]:
        file = tmp_path / "cases.csv"
        file.write_text(rows)
        with writing(world.portal.engine) as connection:
            report = import_file(world.records(connection, "cases"), open_source(file), ImportOptions(**options))
        return [bad.line for bad in report.bad]

    assert refused_lines("title,kind,reason,area\nA,small,,site\nB,large,x,site\n") == [2]
    changes = "badge,kind,reason,title\ne,small,x,stays as it was\nf,small,x,another field does not go with it\n"
    assert refused_lines(changes, key="badge") == [3]
