"""What a form asks and offers under a condition, or fills in itself: decided by the server on every path."""

import datetime

import pytest

from portal.database.engine import writing
from portal.fields.lines import Row
from portal.records.transfer.csv_reading import open_source
from portal.records.transfer.importing import ImportOptions, import_file
from tests.functional.cases_portal import errors, world
from tests.functional.world import ANNA, NANCY

__all__ = ["world"]  # a fixture


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


def test_an_input_offers_suggestions_beside_which_anything_may_be_typed(world):
    page = world[NANCY].get("/cases/create")
    offered = page.html.find("input", {"name": "serial"})["list"]
    assert [option["value"] for option in page.html.find("datalist", id=offered).find_all("option")] == ["A-1", "B-2"]
    assert world[NANCY].send("/cases/create", {"title": "S", "size": "1", "serial": "C-3"}).status_int == 303


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


def test_an_optional_choice_offers_its_default_before_no_answer(world):
    page = world[NANCY].get(f"/cases/{world.add('cases', title='Kinds', kind='small')}/edit")
    options = [(option["value"], option.has_attr("selected")) for option in page.html.select("[name=kind] option")]
    assert options == [("small", True), ("large", False), ("", False)]


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
