"""Rows that belong to a record: typed, shown, saved together with it, and never seen without permission."""

import pytest

from portal.accounts import attempts
from portal.declaration.load import load
from portal.fields.base import Field
from tests.functional.conftest import fill_in, form_of
from tests.functional.lines_portal import (
    add_order,
    add_product,
    anna,
    everything,
    nancy,
    opened,
    portal_folder,
    rows,
    shop,
)
from tests.functional.world import CARLA, titles
from tests.portal_files import change

__all__ = ["anna", "nancy", "opened", "portal_folder", "shop"]  # fixtures


def test_each_row_marks_what_is_required_where_a_phone_shows_no_header(anna):
    labels = anna.get("/orders/create").html.select('[data-line="lines.0"] label')
    assert [label["for"] for label in labels if label.select(".required")] == ["field-lines-0-quantity"]


def test_rows_are_typed_stored_and_shown_with_their_totals(anna):
    form = form_of(anna.get("/orders/create"), "/orders/create")
    form["title"] = "Laptops"
    form["lines.0.quantity"], form["lines.0.price"], form["lines.0.remark"] = "2", "1,149.00", "German"
    form = form_of(form.submit("_lines", value="lines.add"), "/orders/create")
    assert [form[name].value for name in ("title", "lines.0.remark")] == ["Laptops", "German"]
    form["lines.1.quantity"], form["lines.1.price"], form["lines.1.price.currency"] = "3.5", "10", "USD"
    page = form.submit(status=303).follow()
    shown = [[cells[3], cells[4], cells[5], cells[8]] for cells in rows(page)]
    assert shown == [["2", "€1,149.00", "€2,298.00", "German"], ["3.5", "$10.00", "$35.00", ""]]
    totals = [cell.find_all("span")[-1].get_text(" ").strip() for cell in page.html.find("tfoot").find_all("td")]
    assert totals == ["", "", "5.5", "", "€2,298.00 $35.00", "", "", "", "", ""]
    assert "5.5 · €2,298.00 · $35.00" in anna.get("/orders/").text


@pytest.mark.sqlite_suffices
def test_errors_are_shown_at_their_cells_and_nothing_is_lost(anna):
    lines = [{"quantity": "two", "remark": "here"}, {"quantity": "0"}, {"remark": ""}, {"remark": "x"}]
    answer = add_order(anna, lines, status=422)
    form = form_of(answer, "/orders/create")
    assert form["lines.0.quantity"].value == "two"
    assert form["lines.0.remark"].value == "here"
    wrong = [link.get("href") for link in answer.html.find(class_="alert").find_all("a")]
    assert wrong == ["#field-lines-0-quantity", "#field-lines-1-quantity", "#field-lines-3-quantity"]
    assert "Quantity, line 1" in answer.html.find(class_="alert").get_text()
    too_many = add_order(anna, [{"quantity": "1"}] * 5, status=422)
    assert "Enter at most 4 lines." in too_many.html.find(id="field-lines-error").get_text()
    assert too_many.html.find(id="field-lines-bounds") is None, "it says the same"


def test_rows_are_changed_moved_and_removed_and_the_rest_of_them_stays(anna, nancy):
    add_order(anna, [{"quantity": "1", "remark": remark} for remark in "abc"])
    fill_in(nancy, "/orders/1/edit", {"lines.1.margin": "15"})
    form = form_of(anna.get("/orders/1/edit"), "/orders/1/edit")
    assert "lines.0.margin" not in form.fields
    form = form_of(form.submit("_lines", value="lines.0.down"), "/orders/1/edit")
    assert [form[f"lines.{index}.remark"].value for index in range(3)] == ["b", "a", "c"]
    form = form_of(form.submit("_lines", value="lines.2.remove"), "/orders/1/edit")
    form["lines.0.quantity"] = "7"
    page = form.submit(status=303).follow()
    assert "Margin" not in page.text
    page = nancy.get("/orders/1/")
    assert "15%" in page.html.find(class_="line-table").get_text()
    assert [[cells[3], cells[8]] for cells in rows(page)] == [["7", "b"], ["1", "a"]]


@pytest.mark.sqlite_suffices
def test_a_wizard_carries_rows_and_the_history_and_a_conflict_show_them(nancy):
    form = form_of(nancy.get("/orders/create"), "/orders/create")
    form["lines.0.quantity"], form["lines.0.remark"] = "2", "first"
    form = form_of(form.submit("_lines", value="lines.add"), "/orders/create")
    form["lines.1.quantity"] = "none"
    wrong = form.submit("_to", value="1", status=422)
    form = form_of(wrong, "/orders/create")
    form["lines.1.quantity"], form["lines.1.remark"] = "3", "second"
    step = form.submit("_to", value="1", status=303).follow()
    assert "first" in step.html.find(class_="choices-made").get_text()
    form = form_of(step, "/orders/create")
    form["title"] = "By steps"
    page = form.submit(status=303).follow()
    assert [cells[8] for cells in rows(page)] == ["first", "second"]
    mine, theirs = (form_of(nancy.get("/orders/1/edit"), "/orders/1/edit") for _time in range(2))
    theirs["lines.0.remark"], mine["lines.0.quantity"] = "changed", "9"
    theirs.submit(status=303)
    conflict = mine.submit(status=409)
    assert "changed" in conflict.html.find(class_="differences").get_text()
    form = form_of(conflict, "/orders/1/edit")
    assert form["lines.0.quantity"].value == "9"
    history = nancy.get("/orders/1/history").text
    assert "first" in history
    assert "changed" in history
    form["lines.0.quantity"], form["lines.0.remark"], form["lines.0.margin"] = "2", "changed", "5"
    form["lines.1.gift"] = True
    form.submit(status=303)
    text = nancy.get("/orders/1/history").html.find(class_="changes").find("li").get_text(" ", strip=True)
    assert text.endswith("3 · second changed to 2 · changed\n3 · Gift · second"), "a ticked box has its name"
    fill_in(nancy, "/orders/1/edit", {"lines.0.margin": "6"})
    text = nancy.get("/orders/1/history").html.find(class_="changes").find("li").get_text()
    assert "second" not in text, "a change of internal columns has no values to show"


@pytest.mark.sqlite_suffices
def test_a_column_that_became_internal_leaves_the_history(anna, portal_folder):
    fill_in(anna, "/orders/create", {"title": "Laptops", "lines.0.quantity": "2", "lines.0.remark": "before"})
    fill_in(anna, "/orders/1/edit", {"lines.0.quantity": "3", "lines.0.remark": "secret by now"})
    assert "secret by now" in anna.get("/orders/1/history")
    change(portal_folder, "remark: text", "remark: {type: text, internal: true}")
    assert "secret by now" not in anna.get("/orders/1/history")


def test_links_in_rows_offer_what_the_row_allows(anna, nancy):
    for name, group in (("Laptop", "hardware"), ("Setting up", "work")):
        add_product(nancy, name=name, group=group, price="99")
    found = anna.get("/orders/find?field=lines.3.product&lines.3.group=work&lines.2.group=hardware&q=").json
    assert [offer["title"] for offer in found] == ["Setting up"]
    page = anna.get("/orders/create")
    assert page.html.find(attrs={"data-follows": "lines.0.product lines.0.group"})
    address = "/orders/followed?field=lines.3.price&lines.3.product=2&lines.3.group="
    prices = [anna.get(address + group).json["inputs"]["lines.3.price"] for group in ("work", "hardware", "")]
    assert prices == ["99", "", ""], "a record that the row does not offer is not followed"
    for field in ("lines.0.margin", "lines.0", "lines", "lines.0.nothing", "notes.0.product"):
        anna.get(f"/orders/find?field={field}", status=404)
    answer = add_order(anna, [{"group": "work", "product": "1", "quantity": "1"}], status=422)
    assert "Choose a record from the list." in answer.text
    page = add_order(anna, [{"group": "work", "product": "2", "quantity": "1"}]).follow()
    assert rows(page)[0][1:6] == ["Work", "Setting up", "1", "€99.00", "€99.00"]
    assert rows(page)[0][-1] == "Work"
    assert "Secret" not in page.text
    assert "Secret" in nancy.get("/orders/1/").text
    assert "€99.00" in page.html.find("dt", string="Value").parent.get_text()
    assert nancy.get("/orders/?q=setting").html.find(class_="cover").get_text().startswith("Order")
    form_of(nancy.get("/products/2/delete"), "/products/2/delete").submit(status=303)
    assert rows(nancy.get("/orders/1/"))[0][2] == ""
    assert nancy.get("/orders/?q=setting").html.find(class_="cover") is None
    form_of(nancy.get("/orders/1/delete"), "/orders/1/delete").submit(status=303)


@pytest.mark.sqlite_suffices
def test_what_is_computed_follows_what_is_typed(anna, nancy):
    add_product(nancy, name="Laptop", group="hardware", price="1,149.05")
    form = form_of(anna.get("/orders/create"), "/orders/create")
    row = {"lines.0.group": "hardware", "lines.0.product": "1", "lines.0.quantity": "2.5"}
    inputs = {"_csrf": form["_csrf"].value, **row}
    dollars = {"lines.3.quantity": "2", "lines.3.price": "0.10", "lines.3.price.currency": "USD"}
    texts = anna.post("/orders/computed", {**inputs, **dollars, "lines.4.quantity": "no"}).json
    assert [texts[f"lines.{index}.amount"] for index in (0, 3, 4)] == ["€2,872.63", "$0.20", "—"]
    assert (texts["lines.amount"], texts["lines.0.about"]) == ("€2,872.63 · $0.20", "Hardware")
    assert texts["value"] == "—", "two currencies have no sum"
    in_italian = anna.post("/orders/computed", {**inputs, "lines.0.quantity": "2,5"}, headers={"Accept-Language": "it"})
    assert in_italian.json["value"] == "2.872,63\xa0€"
    assert not [name for name in texts if "margin" in name or "secret" in name]
    wrong = anna.post("/orders/computed", {**inputs, "lines.0.group": "work"}).json
    assert (wrong["lines.0.amount"], wrong["lines.0.about"]) == ("—", "—"), "a record that one may not choose"
    assert len(anna.get("/orders/").html.select("a.cover")) == 0
    anna.post("/orders/computed", {**inputs, "_csrf": "x"}, status=400)
    add_order(anna, [{"quantity": "1", "price": "3"}])
    row = {"lines.0._row": "1", "lines.0.quantity": "4", "lines.0.price": "3"}
    edited = {"_csrf": inputs["_csrf"], "title": "x", **row}
    assert anna.post("/orders/1/computed", edited).json["value"] == "€12.00"
    anna.post("/orders/2/computed", edited, status=404)


@pytest.mark.sqlite_suffices
def test_what_is_computed_has_limits(anna, monkeypatch):
    monkeypatch.setattr(attempts, "COMPUTED", attempts.Limit("computed", 2, 3600))
    inputs = {"_csrf": form_of(anna.get("/orders/create"), "/orders/create")["_csrf"].value, "lines.0.quantity": "2"}
    for status in (200, 200, 429):
        anna.post("/orders/computed", inputs, status=status)
    anna.post("/orders/computed", {**inputs, "name": "x" * 600_000}, status=413)


@pytest.mark.sqlite_suffices
def test_a_row_that_was_added_and_left_as_it_was_counts_only_if_it_is_whole(anna, portal_folder):
    def added_and_sent(title):
        form = form_of(anna.get("/orders/create"), "/orders/create")
        form["title"], form["lines.0.product"], form["lines.0.remark"] = title, "", "First"
        form = form_of(form.submit("_lines", value="lines.add"), "/orders/create")
        assert form["lines.1.quantity"].value == "1"
        return rows(form.submit(status=303).follow())

    assert len(added_and_sent("Chairs")) == 2, "one of nothing in particular"
    change(portal_folder, "remark: text", "remark: {type: text, required: true}")
    assert [cells[8] for cells in added_and_sent("Desks")] == ["First"]


@pytest.mark.sqlite_suffices
def test_a_form_shows_formulas_and_totals_and_nobody_types_them(anna):
    form = form_of(anna.get("/orders/create"), "/orders/create")
    form["title"], form["lines.0.quantity"], form["lines.0.price"] = "Chairs", "3", "10"
    page = form.submit("_lines", value="lines.add")
    outputs = {output["data-computed"]: output.text for output in page.html.select("form output")}
    assert [outputs[name] for name in ("lines.0.amount", "lines.amount", "value")] == ["€30.00", "€30.00", "€30.00"]
    inputs = {**dict(form_of(page, "/orders/create").submit_fields()), "value": "1", "value.currency": "EUR"}
    shown = anna.post("/orders/create", inputs, status=303).follow()
    assert "€30.00" in shown.html.find("dt", string="Value").parent.get_text()


def test_a_record_shows_the_records_whose_lines_contain_it_and_starts_a_new_one(shop, anna, nancy, portal_folder):
    change(portal_folder, ", where: {group: $group}", "")
    product = fill_in(nancy, "/products/create", {"name": "Laptop"}).location
    number = product.rstrip("/").rpartition("/")[2]
    page = anna.get(product).click("New order")
    form = form_of(page, "/orders/create")
    assert form["lines.0.product"].value == number
    form["title"], form["lines.0.quantity"] = "Two of them", "2"
    form.submit(status=303)
    add_order(anna, [{"product": number, "quantity": "3"}, {"quantity": "5"}, {"product": number, "quantity": "4"}])
    add_order(anna, [{"quantity": "1"}], title="Something else")
    assert "Two of them" in anna.get(product)
    assert "Something else" not in anna.get(product)
    assert "Two of them" not in shop[CARLA].get(product)
    table = anna.get(product).html.select("section table")[-1]
    assert [head.get_text(strip=True) for head in table.select("th")] == ["Quantity", "Title", "Gift"]  # no margin
    quantities = [row.select("td")[0].get_text(strip=True) for row in table.select("tbody tr")]
    assert quantities == ["3, 4", "2"], "what stands in the rows that link here"


def test_a_list_is_filtered_by_the_words_of_its_lines(anna, nancy):
    add_product(nancy, name="Łódź desk", group="hardware", price="99")
    line = {"group": "hardware", "product": "1", "quantity": "1", "remark": "By the window"}
    add_order(anna, [line], title="First")
    add_order(anna, [], title="Second")
    for asked in ("lines=WINDOW", "lines=lodz", "lines=a&lines=window"):
        assert titles(anna.get(f"/orders/?{asked}")) == ["First"], asked
    for asked in ("lines=none", "lines=%25"):
        assert titles(anna.get(f"/orders/?{asked}")) == [], asked
    assert titles(anna.get("/orders/?lines.empty=1")) == ["Second"]
    assert anna.get("/orders/").html.select_one("input[name=lines]")


def test_a_condition_may_name_a_column_of_the_lines(portal_folder, anna, nancy):
    tabs = """{columns: [reference, title, lines], tabs: {
      desks: {where: {lines.product: Desk}}, many: {where: {lines.quantity: {min: 5}}},
      hard: {where: {lines.product.group: hardware}}, no_desk: {where: {lines.product: {not: Desk}}},
      dear: {where: {lines.margin: {min: 50}}}}}"""
    change(portal_folder, "{columns: [reference, title, lines]}", tabs)
    narrower = "orders: {see: own, where: {lines.remark: {not: no}},"
    change(portal_folder, "orders: {see: own,", narrower, "profiles/customer.yaml")
    told = [problem for problem in load(portal_folder).problems if "lines." in problem.message]
    assert [problem.message.split(":")[0] for problem in told] == [
        'this tab selects by "lines.margin", which the profiles customer, power cannot read'
    ]
    for name in ("Desk", "Chair"):
        add_product(nancy, name=name, group="hardware", price="99")
    line = {"group": "hardware", "quantity": "1"}
    add_order(anna, [{**line, "product": "1"}, {**line, "product": "2", "quantity": "7"}], title="Both")
    add_order(anna, [{**line, "product": "2"}], title="Chairs")
    add_order(anna, [{"quantity": "6", "remark": "no"}], title="Hidden")
    found = {"desks": ["Both"], "many": ["Both"], "hard": ["Both", "Chairs"], "no_desk": ["Chairs"], "dear": []}
    assert {tab: titles(anna.get(f"/orders/?tab={tab}&sort=title")) for tab in found} == found
    assert len(nancy.get("/orders/?tab=many").html.select("a.cover")) == 2


def test_a_column_may_be_of_any_type_that_makes_sense_in_rows(nancy):
    form = form_of(nancy.get("/everything/create"), "/everything/create")
    form["title"] = "All"
    for name in everything():
        text = next((typed for typed, value, _shown in Field.types[name].examples if value), "")
        inputs = form.fields.get(f"rows.0.{name}", [])
        if len(inputs) > 1:
            inputs[0].checked = True
        elif inputs and text:
            inputs[0].force_value(text)
    page = form.submit(status=303).follow()
    shown = page.html.find(class_="line-table").tbody.get_text(" ")
    assert all(text in shown for text in ("Anna Rossi", "-€12.50", "42, rue d'Ys", "Dec 31, 1999", "#00ff7f"))
    form = form_of(nancy.get("/everything/1/edit"), "/everything/1/edit")
    form.submit(status=303)
    assert "edited" not in nancy.get("/everything/1/").text
    assert nancy.get("/everything/").status_int == 200
    assert nancy.get("/everything/export.csv").status_int == 200
    found = {"rue": 1, "anna": 1, "xyz": 0}
    assert {text: len(titles(nancy.get(f"/everything/?rows={text}"))) for text in found} == found
