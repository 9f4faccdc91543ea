"""`webhooks:`: every mistake has its place and its cure."""

import pytest

from portal.declaration.load import load
from tests.portal_files import write_portal

MODULES = """
people: people
organizations: companies
modules:
  people: {organization: company, fields: {name: text, company: {type: link, to: companies}}}
  companies: {fields: {name: text}}
  orders:
    owner: customer
    attachments: true
    fields:
      name: text
      customer: {type: link, to: people}
      status: {type: choice, options: [new, sent], internal: true}
    lifecycle: {field: status, transitions: {send: {from: new, to: sent}}}
  items: {see: {through: order}, fields: {name: text, order: {type: link, to: orders}}}
webhooks:
  erp: {url: "URL", on: [EVENT], as: PROFILE}
"""
STAFF = """
staff: true
modules:
  people: {see: all}
  companies: {see: organization}
  orders: {see: all, where: {customer: {not: nothing}}, can: [create, edit, attach, send]}
  items: {can: [create]}
"""
CUSTOMER = """
modules:
  people: {see: all, where: {company: my organization}}
  orders: {}
  items: {}
  companies: {see: organization}
"""
OUTSIDE = "modules: {orders: {see: all}}"
URL = "https://erp.example/hook"


def problems(folder, url=URL, event="orders.created", profile="staff"):
    modules = MODULES.replace("URL", url).replace("EVENT", event).replace("PROFILE", profile)
    write_portal(folder, modules, staff=STAFF, customer=CUSTOMER, outside=OUTSIDE)
    found = [str(problem) for problem in load(folder).problems]
    return [problem for problem in found if ": erp." in problem or ": again." in problem]


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"event": "orders.attached"},
        {"event": "orders.moved"},
        {"event": "items.edited"},
        {"event": "people.deleted"},
        {"event": "orders.created", "profile": "outside"},
        {"url": "http://127.0.0.1:8080/a?b=c"},
        {"url": "https://[2001:db8::5]:8443/hook"},
        {"url": "https://erp_1.intranet./hook"},
        {"url": "https://10.0.0.7/hook"},  # an administrator may mean a machine of their own network
    ],
)
def test_what_can_be_told_is_right(tmp_path, written):
    assert problems(tmp_path, **written) == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://erp.example/hook", "anyone along the way could read what is sent: write https"),
        ("ftp://erp.example", "anyone along the way could read what is sent"),
        ("https://user:secret@erp.example", "holds a user name or a password: leave them out"),
        ("erp.example/hook", 'must be an address such as "https://erp.example/hook"'),
        ("https://erp.example/a b", "must be an address"),
        ("https://erp.example:port", "must be an address"),
        ("https://[::1", "must be an address"),
        ("https://erp.example/#part", "must be an address"),
        ("https://x..y/", '"x..y" is not a valid host name'),
        ("https://-/", '"-" is not a valid host name'),
        ("https://erp.example-/hook", '"erp.example-" is not a valid host name'),
        ("https://300.1.1.1/", '"300.1.1.1" is not a valid host name'),
    ],
)
def test_an_address_that_cannot_be_told(tmp_path, url, message):
    (problem,) = problems(tmp_path, url=url)
    assert problem.startswith(f"modules.yaml:17:14: erp.url: {message}")


@pytest.mark.parametrize(
    ("event", "profile", "message"),
    [
        ("orders", "staff", '"orders" is not an event: write the module and what happens, such as orders.created'),
        ("order.created", "staff", 'no module "order" (did you mean "orders"?)'),
        ("orders.create", "staff", 'no event "create" (did you mean "created"?): created, edited, moved'),
        ("orders.updated", "staff", 'no event "updated" (did you mean "edited"?)'),
        ("orders.commented", "staff", "orders.commented never happens: orders has no comments"),
        ("people.moved", "staff", "people.moved never happens: people has no lifecycle"),
        ("companies.created", "outside", 'outside has no module "companies"'),
        ("orders.created", "customer", "nothing of orders would be sent: customer sees their own records"),
        ("items.created", "customer", "nothing of items would be sent: customer sees their own records"),
        ("companies.created", "staff", "nothing of companies would be sent: staff sees those of their company"),
        (
            "people.created",
            "customer",
            "nothing of people would be sent: customer sees what its where says about “my organization”",
        ),
        (
            "orders.deleted",
            "staff",
            "it is unknown whether staff saw a deleted record: name a profile that sees all orders",
        ),
        ("orders.moved", "outside", "outside does not read the status of orders"),
    ],
)
def test_an_event_that_cannot_be_told(tmp_path, event, profile, message):
    (problem,) = problems(tmp_path, event=event, profile=profile)
    assert f": erp.on: {message}" in problem
    assert problem.startswith("modules.yaml:17:")


def test_a_profile_that_does_not_exist(tmp_path):
    (problem,) = problems(tmp_path, profile="stuff")
    assert problem.endswith('erp.as: no profile "stuff" (did you mean "staff"?)')


def test_what_is_told_twice_is_a_warning(tmp_path):
    both = f'orders.created, orders.created], as: staff}}\n  again: {{url: "{URL}", on: [orders.created'
    twice, again = problems(tmp_path, event=both)
    assert twice.endswith('erp.on: "orders.created" appears twice')
    assert again.endswith(f"again.on: {URL} is notified twice of orders.created: erp sends it too")
