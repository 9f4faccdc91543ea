"""A shop whose orders have lines, files, a conversation and a lifecycle, for the tests of the API."""

import pytest

from tests.functional.world import PEOPLE_MODULES, written_world

MODULES = (
    """
portal: {name: Shop, languages: [en, it], administrators: [staff]}
"""
    + PEOPLE_MODULES
    + """
  products:
    see: all
    fields:
      name: {type: text, required: true, unique: true}
      price: money
      cost: {type: money, internal: true}
  orders:
    reference: "O{number}"
    owner: caller
    organization: company
    attachments: {max_size: 100 kB, types: text/plain}
    comments: {correct: 1 h}
    watchers: true
    fields:
      name: {type: text, required: true}
      caller: {type: link, to: people, default: me}
      company: {type: link, to: companies, default: $caller.company}
      urgent: boolean
      reason: {type: text, required: true, show_when: {urgent: true}}
      order: {type: file, types: text/plain}
      total: {type: formula, of: lines.amount}
      margin: {type: text, internal: true}
      lines:
        type: lines
        max: 3
        fields:
          product: {type: link, to: products, required: true}
          quantity: {type: integer, min: 1, default: 1}
          price: {type: money, default: $product.price}
          amount: {type: formula, of: quantity * price}
          discount: {type: percent, internal: true}
      status: {type: choice, options: [new, paid, sent], label: {en: Status, it: Stato}}
      paid_on: {type: date, required: true, show_when: {status: paid}, read_only: true}
    lifecycle:
      field: status
      transitions:
        pay: {from: new, to: paid, ask: {paid_on: required, comment: optional}}
        send: {from: paid, to: sent, ask: {comment: required}}
    list: {columns: [reference, name, status], tabs: {new: {where: {status: new}}, all: {}}}
"""
)
CUSTOMER = """
modules:
  orders: {see: own, can: [create, edit, comment, attach, watch, pay]}
  products: {}
  companies: {see: organization}
  people: {see: own}
"""
STAFF = """
staff: true
modules:
  orders: {see: all, can: [create, edit, delete, comment, attach, watch, pay, send]}
  products: {can: [create, edit]}
  companies: {see: all}
  people: {see: all}
"""


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def lamp_shop(request):
    """The shop, served on both kinds of database; the records of a test remain for the next."""
    profiles = {"customer": CUSTOMER, "power": "extends: customer\n", "staff": STAFF}
    with written_world(request, MODULES, **profiles) as world:
        world.add("products", name="Lamp")
        yield world
