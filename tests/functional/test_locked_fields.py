"""Fields that are typed once, or locked while a condition holds: by the server, on every path."""

import pytest

from portal.accounts.giving_access import AccessRequest
from tests.functional.cases_portal import errors, world
from tests.functional.world import ANNA, NANCY, PEOPLE_MODULES, written_world

__all__ = ["world"]  # a fixture


def test_what_is_typed_once_stays(world):
    nancy = world[NANCY]
    nancy.send("/cases/create", {"title": "Once", "serial": "S1"})
    (record,) = [record for record in world.all("cases") if record.title == "Once"]
    assert record.values["serial"] == "S1"
    page = nancy.get(f"/cases/{record.id}/edit")
    assert page.html.find(attrs={"name": "serial"}) is None
    assert nancy.send(f"/cases/{record.id}/edit", {"title": "Once more", "serial": "S2"}).status_int == 303
    assert world.record("cases", record.id).values["serial"] == "S1"


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
