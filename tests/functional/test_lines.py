"""Rows that belong to a record: typed, shown, kept together with it, and never seen by who may not."""

from pathlib import Path

import pytest

from tests.functional.conftest import form_of

ORDERS = """
  products:
    see: all
    fields:
      name: {type: text, required: true, unique: true}
      price: money
      group: {type: choice, options: [hardware, work]}
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
    list: {columns: [reference, title, lines]}
"""
ACCESS = """
  products: {see: all}
  orders: {see: own, can: [create, edit], create: {fields: [title, lines]}, edit: {fields: [title, lines]}}
"""
STAFF = """
  products: {can: [create, edit, delete]}
  orders: {see: all, can: [create, edit, delete, export]}
"""


@pytest.fixture
def portal_folder(portal_folder: Path) -> Path:
    """The small portal with orders that have lines."""
    modules, profiles = portal_folder / "modules.yaml", portal_folder / "profiles"
    modules.write_text(modules.read_text() + ORDERS)
    for name, access in (("customer", ACCESS), ("staff", STAFF)):
        path = profiles / f"{name}.yaml"
        before, home, after = path.read_text().partition("home:\n")
        path.write_text(before + access + home + after)
    return portal_folder


@pytest.fixture
def anna(sign_in):
    return sign_in("anna@acme.example")


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
    assert totals == ["", "", "5.5", "", "€2,298.00 $35.00", "", "", "", ""]
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


def test_what_is_wrong_stands_at_its_cell_and_nothing_is_lost(anna):
    lines = [{"quantity": "two", "remark": "here"}, {"quantity": "0"}, {"remark": ""}, {"remark": "x"}]
    answer = add_order(anna, lines, status=422)
    form = form_of(answer, "/orders/create")
    assert form["lines.0.quantity"].value == "two"
    assert form["lines.0.remark"].value == "here"
    wrong = [link.get("href") for link in answer.html.find(class_="alert").find_all("a")]
    assert wrong == ["#field-lines-0-quantity", "#field-lines-1-quantity", "#field-lines-3-quantity"]
    assert "Quantity, line 1" in answer.html.find(class_="alert").get_text()
    too_many = add_order(anna, [{"quantity": "1"}] * 5, status=422)
    assert "Enter at most 4 lines." in too_many.text


def test_rows_are_changed_moved_and_removed_and_the_rest_of_them_stays(anna, sign_in, another_browser):
    add_order(anna, [{"quantity": "1", "remark": remark} for remark in "abc"])
    nancy = sign_in("nancy@supplier.example", browser=another_browser())
    form = form_of(nancy.get("/orders/1/edit"), "/orders/1/edit")
    form["lines.1.margin"] = "15"
    form.submit(status=303)
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


def test_links_in_rows_offer_what_the_row_allows(anna, sign_in, another_browser):
    nancy = sign_in("nancy@supplier.example", browser=another_browser())
    for name, group in (("Laptop", "hardware"), ("Setting up", "work")):
        form = form_of(nancy.get("/products/create"), "/products/create")
        form["name"], form["group"], form["price"] = name, group, "99"
        form.submit(status=303)
    found = anna.get("/orders/find?field=lines.3.product&lines.3.group=work&lines.2.group=hardware&q=").json
    assert [offer["title"] for offer in found] == ["Setting up"]
    for field in ("lines.0.margin", "lines.0", "lines", "lines.0.nothing", "notes.0.product"):
        anna.get(f"/orders/find?field={field}", status=404)
    answer = add_order(anna, [{"group": "work", "product": "1", "quantity": "1"}], status=422)
    assert "Choose a record from the list." in answer.text
    page = add_order(anna, [{"group": "work", "product": "2", "quantity": "1"}]).follow()
    assert rows(page)[0][1:6] == ["Work", "Setting up", "1", "€99.00", "€99.00"]
    assert "€99.00" in page.html.find("dt", string="Value").parent.get_text()
    assert nancy.get("/orders/?q=setting").html.find(class_="cover").get_text().startswith("Order")
    form_of(nancy.get("/products/2/delete"), "/products/2/delete").submit(status=303)
    assert rows(nancy.get("/orders/1/"))[0][2] == ""
    assert nancy.get("/orders/?q=setting").html.find(class_="cover") is None
    form_of(nancy.get("/orders/1/delete"), "/orders/1/delete").submit(status=303)
