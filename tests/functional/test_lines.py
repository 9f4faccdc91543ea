"""Rows that belong to a record: typed, shown, saved together with it, and never seen without permission."""

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from portal.accounts import attempts
from portal.commands import main
from portal.declaration.load import load
from portal.fields.base import Field
from tests.functional.conftest import SMALL, changeable, fill_in, form_of
from tests.functional.world import ANNA, CARLA, NANCY, PEOPLE_OF_SMALL, World, opened_world, reset_ids, titles
from tests.portal_files import change, copied
from tests.workbooks import cells_of

ORDERS = """
  products:
    see: all
    fields:
      name: {type: text, required: true, unique: true}
      price: money
      cost: {type: money, internal: true}
      group: {type: choice, options: [hardware, work]}
    detail: {related: [{module: orders, columns: [lines.quantity, title, lines.gift, lines.margin]}]}
  orders:
    see: own
    owner: customer
    fields:
      title: {type: text, required: true}
      customer: {type: link, to: people, default: me}
      value: {type: formula, of: lines.amount}
      lines:
        type: lines
        max: 4
        total: [quantity, amount]
        fields:
          group: {type: choice, options: [hardware, work]}
          product: {type: link, to: products, where: {group: $group}, on_delete: clear}
          quantity: {type: decimal, required: true, min: 1, default: 1}
          price: {type: money, default: $product.price}
          amount: {type: formula, of: quantity * price}
          wanted: date
          gift: boolean
          remark: text
          margin: {type: percent, internal: true}
          batch: {type: text, read_only: true}
          about: {type: lookup, of: product.group}
          secret: {type: lookup, of: product.cost}
    list: {columns: [reference, title, lines]}
  taxes:
    see: all
    fields: {name: {type: text, unique: true}, secret: boolean}
  bills:
    see: all
    fields:
      title: text
      rows: {type: lines, fields: {what: text, taxes: {type: links, to: taxes}}}
"""
ACCESS = """
  products: {see: all}
  orders: {see: own, can: [create, edit], create: {fields: [title, lines, value]}, edit: {fields: [title, lines]}}
  taxes: {where: {secret: {not: true}}}
  bills: {can: [edit]}
"""
STAFF = """
  taxes: {can: [create, delete]}
  bills: {can: [create, edit, delete]}
  everything: {can: [create, edit, export]}
  products: {can: [create, edit, delete]}
  orders:
    see: all
    can: [create, edit, delete, export]
    create: {steps: [{fields: [lines]}, {fields: [title, customer]}]}
"""


def everything() -> dict[str, dict[str, object]]:
    """A column of each type that makes sense in rows."""
    types = {name: each for name, each in Field.types.items() if each.can_be_column and not each.computed}
    columns = {name: {**each.sample, "type": name} for name, each in types.items() if name != "reference"}
    columns["link"]["to"] = columns["links"]["to"] = "people"
    return columns


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The small portal with orders that have lines; it sees every change of its files."""
    folder = copied(SMALL, tmp_path_factory.mktemp("portal"))
    fields = {"title": "text", "rows": {"type": "lines", "fields": everything()}}
    more = textwrap.indent(yaml.dump({"everything": {"see": "all", "fields": fields}}), "  ")
    for file, text in (("modules", ORDERS + more), ("profiles/staff", STAFF)):
        with (folder / f"{file}.yaml").open("a") as declared:
            declared.write(text)
    change(folder, "home:\n", f"{ACCESS}home:\n", "profiles/customer.yaml")
    with opened_world(folder, request, PEOPLE_OF_SMALL) as world:
        world.app.registry.live.every = 0
        world.kept = world.rows()
        yield world


@pytest.fixture
def shop(opened: World) -> Iterator[World]:
    """The same; what a test writes is rolled back."""
    yield opened
    opened.put_back(opened.kept)
    reset_ids(opened.portal)


@pytest.fixture
def portal_folder(shop: World) -> Iterator[Path]:
    """Its YAML, which tests may change."""
    with changeable(shop.app.registry.live) as folder:
        yield folder


@pytest.fixture
def anna(shop):
    return shop[ANNA]


@pytest.fixture
def nancy(shop):
    return shop[NANCY]


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


def add_order(browser, lines, status=303, **values):
    """Sends the form of a new order; `lines`: one mapping of inputs for each."""
    inputs = {"title": "Order", **values}
    inputs |= {f"lines.{index}.{name}": text for index, line in enumerate(lines) for name, text in line.items()}
    form = form_of(browser.get("/orders/create"), "/orders/create")
    return browser.post("/orders/create", {"_csrf": form["_csrf"].value, **inputs}, status=status)


def rows(page):
    """The texts of the table of lines on a record's page."""
    table = page.html.find(class_="line-table")
    for hidden in table.find_all(class_=["caption", "muted"]):
        hidden.extract()
    return [[cell.get_text().strip() for cell in row.find_all("td")] for row in table.tbody.find_all("tr")]


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


def add_product(browser, **inputs):
    """Sends the form of a new product."""
    fill_in(browser, "/products/create", inputs)


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


@pytest.fixture
def cli(shop):
    """A function that runs `portal ARGUMENTS` on this portal."""

    def run(*arguments):
        database = shop.portal.engine.url.render_as_string(hide_password=False)
        options = ["--folder", shop.app.registry.live.folder, "--database", database]
        return CliRunner().invoke(main, [str(argument) for argument in (*arguments, *options)])

    return run


def test_what_an_export_writes_an_import_takes_back(anna, cli, tmp_path):
    """Orders and their lines, each in a file; bad lines are reported with their place, and nothing is half done."""
    add_order(anna, [{"quantity": "2", "price": "10", "remark": "a; b"}, {"quantity": "3"}])
    orders, lines = tmp_path / "orders.csv", tmp_path / "orders_lines.csv"
    assert cli("export", "orders", orders).exit_code == 0
    header, *written = lines.read_text().splitlines()
    assert header.startswith("_record,group,product,quantity,price,price.currency,wanted,gift,remark,margin,batch")
    assert [line.split(",")[:5] for line in written] == [["1", "", "", "2", "10"], ["1", "", "", "3", ""]]
    again = cli("import", "orders", orders, "--key", "reference")
    assert "orders.lines: 2 lines of 1 record, 0 changed" in again.output
    orders.write_text("reference,title\n7,New\n")
    lines.write_text("_record,quantity,batch\n7,4,B1\n7,none,\n8,1,\n")
    bad = cli("import", "orders", orders)
    assert bad.exit_code == 1
    assert f"{lines}:3: quantity: “none” is not a number." in bad.output
    assert f"{lines}:4: _record: No record in orders is named “8”." in bad.output
    assert "orders: nothing imported, because of its lines" in bad.output
    assert anna.get("/orders/?q=New").html.find(class_="cover") is None
    orders.write_text("reference,title,customer\n7,New,\n8,Other,Nobody\n")
    both = cli("import", "orders", orders)
    told = [line for line in both.output.splitlines() if line.startswith(str(tmp_path))]
    assert told == [
        f"{orders}:3: customer: No record in people is named “Nobody”.",
        f"{lines}:3: quantity: “none” is not a number.",
    ]
    assert "orders.lines: nothing imported, 1 bad row" in both.output
    orders.write_text("reference,title\n7,New\n")
    lines.write_text("_record,quantity,batch\n7,4,B1\n7,5,\n")
    dry = cli("import", "orders", orders, "--dry-run")
    assert "orders.lines: 2 lines of 1 record, 1 changed (dry run: nothing was written)" in dry.output
    assert cli("import", "orders", orders).exit_code == 0
    assert cli("export", "orders", orders).exit_code == 0
    assert [line.split(",")[3] for line in lines.read_text().splitlines()[1:]] == ["2", "3", "4", "5"]


@pytest.mark.sqlite_suffices
def test_the_lines_of_an_export_stand_in_columns_and_come_back_byte_for_byte(anna, cli, tmp_path):
    add_order(anna, [{"quantity": "2", "price": "10", "remark": "a; b"}, {"quantity": "3"}], title="Two")
    add_order(anna, [], title="None")
    orders = tmp_path / "orders.csv"

    def export():
        written = cli("export", "orders", orders, "--lines", "columns")
        assert written.exit_code == 0, written.output
        return orders.read_text().splitlines()

    header, two, none = export()
    assert header.endswith("lines.1.remark,lines.1.margin,lines.1.batch")
    assert list(tmp_path.glob("*_lines.csv")) == []
    again = cli("import", "orders", orders, "--key", "reference")
    assert "orders.lines: 2 lines of 1 record, 0 changed" in again.output
    orders.write_text("\n".join([header, none.replace("2,2,", "9,9,", 1), two.replace("1,1,", "8,8,", 1)]))
    assert cli("import", "orders", orders).exit_code == 0
    _header, *copied = export()
    assert [line.split(",", 2)[2] for line in copied] == [line.split(",", 2)[2] for line in (two, none, none, two)]
    orders.write_text("reference,lines.0.quantity,lines.1.quantity\n1,,4\n8,none,\n2,,\n")
    bad = cli("import", "orders", orders, "--key", "reference")
    assert f"{orders}:3: quantity: “none” is not a number." in bad.output
    assert "orders: nothing imported, because of its lines" in bad.output
    orders.write_text("reference,number,lines.0.quantity\n1,,none\n2,x,none\n")
    both = cli("import", "orders", orders, "--key", "reference")
    assert f"{orders}:3: number: “x” is not a number." in both.output
    assert f"{orders}:2: quantity: “none” is not a number." in both.output
    assert f"{orders}:3: quantity: “none” is not a number." in both.output
    orders.write_text("reference,lines.0.quantity,lines.1.quantity\n1,,4\n8,none,\n2,,\n")
    rest = cli("import", "orders", orders, "--key", "reference", "--skip-bad")
    assert "orders.lines: 1 line of 1 record, 1 changed, 1 bad row" in rest.output
    (tmp_path / "orders_lines.csv").write_text("_record,quantity\n1,2\n")
    twice = cli("import", "orders", orders, "--key", "reference")
    assert "are both in columns of" in twice.output


@pytest.mark.sqlite_suffices
def test_the_export_of_a_list_also_offers_the_lines(anna, nancy, cli, tmp_path):
    add_order(anna, [{"quantity": "2", "price": "10", "remark": "=a"}, {"quantity": "3"}], title="Two")
    add_order(anna, [{"quantity": "7"}], title="Other")
    assert not anna.get("/orders/").html.select("[data-export]")
    anna.get("/orders/export.csv?_lines=lines", status=404)
    offered = nancy.get("/orders/?title=two").html.select("[data-export]")
    titles = [f"{of} · {kind}" for of in ("Orders", "Lines") for kind in ("Excel workbook", "CSV file")]
    assert [link.text.strip() for link in offered] == titles
    sheet = cells_of(nancy.get(offered[2]["href"]).body)
    assert [row[:6] for row in sheet] == [
        ("Order", "Group", "Product", "Quantity", "Price", "Price (currency)"),
        ("1", None, None, 2, 10, "EUR"),
        ("1", None, None, 3, None, None),
    ]
    answer = nancy.get(offered[3]["href"])
    assert answer.headers["Content-Disposition"].endswith('_lines.csv"')
    header, *lines = answer.text.removeprefix("\ufeff").splitlines()
    assert header.startswith("Order,Group,Product,Quantity,Price,Price (currency)")
    assert [line.split(",")[:5] for line in lines] == [["1", "", "", "2", "10"], ["1", "", "", "3", ""]]
    for name in ("title", "nothing"):
        nancy.get(f"/orders/export.csv?_lines={name}", status=404)
    (tmp_path / "orders.csv").write_text("reference\n1\n")
    (tmp_path / "orders_lines.csv").write_bytes(answer.body)
    again = cli("import", "orders", tmp_path / "orders.csv", "--key", "reference")
    assert "orders.lines: 2 lines of 1 record, 0 changed" in again.output


@pytest.mark.sqlite_suffices
def test_the_export_of_lines_has_no_internal_column_for_customers(anna, portal_folder):
    change(
        portal_folder, "see: own, can: [create, edit],", "see: own, can: [export, create],", "profiles/customer.yaml"
    )
    add_order(anna, [{"quantity": "2", "remark": "a"}])
    header, line = anna.get("/orders/export.csv?_lines=lines").text.splitlines()
    assert "Margin" not in header
    assert "Secret" not in header
    assert line.startswith("1,,,2,")


def test_rows_link_to_several_records(anna, nancy, tmp_path, cli):
    for name, secret in (("Ordinary", False), ("Żelazna", False), ("Hidden", True)):
        fill_in(nancy, "/taxes/create", {"name": name, "secret": secret})
    token = form_of(nancy.get("/bills/create"), "/bills/create")["_csrf"].value
    rows = [("rows.0.what", "A"), *(("rows.0.taxes", number) for number in "123")]
    rows += [("rows.1.what", "B"), ("rows.1.taxes", "2")]
    nancy.post("/bills/create", [("_csrf", token), ("title", "First"), *rows], status=303)

    def shown(browser):
        body = browser.get("/bills/1/").html.find(class_="line-table").tbody
        return [sorted(link.get_text() for link in row.find_all("a")) for row in body.find_all("tr")]

    assert shown(nancy) == [["Hidden", "Ordinary", "Żelazna"], ["Żelazna"]]
    assert shown(anna) == [["Ordinary", "Żelazna"], ["Żelazna"]]
    found = {"rows=hidden": 0, "q=hidden": 0, "rows=zelazna": 1, "q=zelazna": 1}
    assert {asked: len(titles(anna.get(f"/bills/?{asked}"))) for asked in found} == found
    form = form_of(anna.get("/bills/1/edit"), "/bills/1/edit")
    kept = [(name, text) for name, text in form.submit_fields() if (name, text) != ("rows.0.taxes", "1")]
    anna.post("/bills/1/edit", kept, status=303)
    assert shown(nancy)[0] == ["Hidden", "Żelazna"]

    for lines in ("files", "columns"):
        written = tmp_path / lines / "bills.csv"
        written.parent.mkdir()
        assert cli("export", "bills", written, "--lines", lines).exit_code == 0
        again = cli("import", "bills", written, "--key", "reference")
        assert "bills.rows: 2 lines of 1 record, 0 changed" in again.output, again.output
    nancy.post("/taxes/2/delete", {"_csrf": token}, status=303)
    assert shown(nancy) == [["Hidden"], []]
    nancy.post("/bills/1/delete", {"_csrf": token}, status=303)
    nancy.post("/taxes/3/delete", {"_csrf": token}, status=303)
