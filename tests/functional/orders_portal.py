"""A portal in which customers of two companies and two of the staff, its administrators, work on orders."""

import pytest

from portal.accounts.giving_access import AccessRequest
from tests.functional.world import ANNA, BRUNO, CARLA, DARIO, NANCY, PEOPLE_MODULES, written_world

MODULES = (
    """
portal: {name: History, languages: [en, it], administrators: [staff]}
"""
    + PEOPLE_MODULES
    + """
  orders:
    reference: "O{number}"
    owner: caller
    organization: company
    fields:
      name: text
      caller: {type: link, to: people}
      company: {type: link, to: companies}
      priority: {type: choice, options: {low: {en: Low, it: Bassa}, high: {en: High, it: Alta}}}
      body: longtext
      helper: {type: link, to: people}
      margin: {type: text, internal: true}
      weight: integer
      status: {type: choice, options: [new, waiting, done]}
    comments: true
    lifecycle:
      field: status
      transitions: {finish: {from: [new, waiting], to: done, set: {weight: 7}}, reopen: {from: done, to: new}}
      on_comment: {staff: {from: new, to: waiting}}
  plain: {see: all, detail: {history: false}, fields: {name: text}}
"""
)
CUSTOMER = """
modules:
  orders:
    see: own
    can: [create, comment, finish, export]
    create: {fields: [name]}
    list: {columns: [reference, name, status], tabs: {all: {}, done: {where: {status: done}}}}
    detail: {sections: [{fields: [body, priority, helper]}], aside: [status]}
  plain: {}
  people: {see: own}
  companies: {see: organization}
"""
POWER = """
extends: customer
modules: {orders: {see: organization}}
"""
STAFF = """
staff: true
modules:
  orders:
    see: all
    can: [create, edit, delete, comment, finish, reopen]
    list:
      columns: [reference, name, status, weight, comments]
      tabs: {all: {}, new: {where: {status: new}}, mine: {where: {helper: me}}, late: {where: {modified: {after: now}}}}
  plain: {can: [create, edit]}
  people: {see: all, can: [create, edit, delete]}
  companies: {see: all}
"""
PEOPLE = (
    AccessRequest(ANNA, "customer", "Anna Rossi", "Acme"),
    AccessRequest(CARLA, "customer", "Carla Neri", "Globex"),
    AccessRequest(DARIO, "power", "Dario Blu", "Globex"),
    AccessRequest(NANCY, "staff", "Nancy Smith", "Supplier"),
    AccessRequest(BRUNO, "staff", "Bruno Verdi", "Supplier"),
)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def orders(request):
    """The portal, served on both kinds of database; the records of a test remain for the next."""
    with written_world(request, MODULES, PEOPLE, customer=CUSTOMER, power=POWER, staff=STAFF) as world:
        yield world


def new_order(world, email=ANNA, **values):
    """Creates an order for that person; returns its address."""
    name = {ANNA: "Anna Rossi", CARLA: "Carla Neri"}[email]
    values = {"name": "Chairs", "caller": world.the("people", name), "priority": "low", **values}
    return f"/orders/{world.add('orders', **values)}/"


def edit(world, address, **values):
    """Edits the record in its form, as Nancy."""
    forms = world[NANCY].get(f"{address}edit").forms.values()
    form = next(form for form in forms if form.action == f"{address}edit")
    for name, value in values.items():
        form[name] = value
    form.submit(status=303)
