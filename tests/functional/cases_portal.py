"""A portal whose forms show, require, lock and offer things under conditions."""

from collections.abc import Iterator

import pytest

from portal.accounts.giving_access import AccessRequest
from tests.functional.world import ANNA, NANCY, World, written_world

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
