"""The small portal with orders that have lines, a column of each type, and helpers that add products and orders."""

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from portal.fields.base import Field
from tests.functional.conftest import SMALL, changeable, fill_in, form_of
from tests.functional.world import ANNA, NANCY, PEOPLE_OF_SMALL, World, opened_world, reset_ids
from tests.portal_files import change, copied

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


def add_product(browser, **inputs):
    """Sends the form of a new product."""
    fill_in(browser, "/products/create", inputs)
