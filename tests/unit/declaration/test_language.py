"""Every key and word of the language, including those of later versions: it works, is warned about, or is refused.

Nothing without effect is accepted silently. A new feature moves its line.
"""

import pytest
import yaml

from portal.declaration.load import load
from portal.declaration.synonyms import OUR_TYPES
from portal.fields.base import Field
from portal.texts import Text
from tests.portal_files import write_portal

MODULES = """
people: people
organizations: companies
modules:
  people: {organization: company, fields: {name: text, email: email, company: {type: link, to: companies}}}
  companies: {fields: {name: text}}
  tickets:
    owner: caller
    organization: company
    comments: true
    fields:
      title: text
      caller: {type: link, to: people, default: me}
      company: {type: link, to: companies}
      previous: {type: link, to: tickets}
      state: {type: choice, options: [new, open, closed]}
      due: datetime
    lifecycle:
      field: state
      transitions:
        begin: {from: new, to: open}
        close: {from: open, to: closed}
"""
CUSTOMER = "modules: {tickets: {can: [create, comment, begin, close]}, people: {}, companies: {}}"
BUTTONS = "buttons: {open: {opens: tickets}}"

WORKS, WARNS, REFUSED = "works", "warns", "refused"
TICKETS = "modules.tickets"
BEGIN = f"{TICKETS}.lifecycle.transitions.begin"
# The path below which a key is added, the key, and the value.
MODULE_KEYS = [
    (WORKS, TICKETS, "records_from", False),
    (WORKS, TICKETS, "see", "all"),
    (WORKS, f"{TICKETS}.lifecycle", "stages", ["new", "open"]),
    (WORKS, f"{TICKETS}.list", "page_size", 10),
    (WORKS, f"{TICKETS}.fields.due", "default", "now"),
    (WORKS, f"{TICKETS}.fields.company", "default", "$caller.company"),
    (WORKS, TICKETS, "attachments", True),
    (WORKS, TICKETS, "mail", {"created": True}),
    (WORKS, TICKETS, "table", "old_tickets"),
    (WORKS, f"{TICKETS}.fields", "until", {"type": "date", "min": "0001-01-01", "max": "9999-12-31"}),
    (WORKS, f"{TICKETS}.fields", "lines", {"type": "lines", "fields": {"what": "text"}}),
    (WORKS, f"{TICKETS}.fields", "sum", {"type": "formula", "of": "number * 2"}),
    (WORKS, f"{TICKETS}.fields", "data", "json"),
    (WORKS, f"{TICKETS}.fields", "scan", "file"),
    (WORKS, f"{TICKETS}.fields", "photo", "image"),
    (WORKS, "", "version", 1),
    (REFUSED, "", "version", 2),
    (WARNS, "", "sign_up", {"profile": "customer"}),
    (WORKS, "", "inbox", {"address": "help@lumen.example", "creates": "tickets"}),
    (WORKS, "", "webhooks", {}),
    (REFUSED, "", "webhooks", {"erp": {"url": "https://erp.example"}}),
    (WORKS, "portal", "sign_in", ["password"]),
    (WORKS, "portal", "second_factor", ["customer"]),
    (WORKS, "portal", "letters", {"footer": "Bye"}),
    (WARNS, "portal", "hours", {"monday": "9:00-18:00"}),
    (WARNS, "portal", "holidays", "IT"),
    (WARNS, TICKETS, "watchers", True),
    (WORKS, TICKETS, "comments", {"order": "newest"}),
    (WORKS, TICKETS, "comments", {"correct": "15 min"}),
    (WORKS, TICKETS, "mail", {"desk": "help@lumen.example"}),
    (WORKS, TICKETS, "mail", {"desk": "customer"}),
    (REFUSED, TICKETS, "mail", {"desk": "nobody"}),
    (WORKS, TICKETS, "mail", {"remind": {"open": "3 days"}}),
    (REFUSED, TICKETS, "mail", {"remind": {"gone": "3 days"}}),
    (WORKS, TICKETS, "mail", {"created": {"subject": "Hello {title}"}}),
    (REFUSED, TICKETS, "mail", {"created": {"subject": "Hello {tilte}"}}),
    (WORKS, f"{TICKETS}.fields", "signed", "signature"),
    (REFUSED, f"{TICKETS}.fields", "view", "text"),
    (WORKS, f"{TICKETS}.fields.title", "required_when", {"state": "open"}),
    (WORKS, f"{TICKETS}.fields.title", "read_only", "once"),
    (WORKS, f"{TICKETS}.fields.title", "read_only_when", {"state": "open"}),
    (WORKS, f"{TICKETS}.fields.due", "within", {"state": {"new": "4 h"}}),
    (WARNS, f"{TICKETS}.fields.due", "pause", ["open"]),
    (WORKS, f"{TICKETS}.lifecycle", "follow_up", "previous"),
    (WORKS, BEGIN, "only", "caller"),
    (WORKS, BEGIN, "after", "7 days"),
    (REFUSED, BEGIN, "after", "a while"),
    (WORKS, BEGIN, "bulk", False),
    (WORKS, f"{TICKETS}.detail", "history", True),
    (REFUSED, "modules", "account", {"see": "all", "fields": {"name": "text"}}),
    (REFUSED, "modules", "views", {"see": "all", "fields": {"name": "text"}}),
]
PROFILE_KEYS = [
    (WORKS, "", "menu", ["open", "tickets"]),
    (WORKS, TICKETS, "options", {"state": {"open": "In work"}}),
    (WORKS, TICKETS, "set", {"title": "Call"}),
    (WORKS, "modules.people", "can", ["grant"]),
    (WORKS, "home", "panels", [{"chart": "tickets", "by": "state"}]),
    (REFUSED, TICKETS, "can", ["watch"]),
    (REFUSED, "modules.people", "grants", ["customer"]),
    (REFUSED, "home", "panels", [{"chart": "tickets", "per": "month"}]),
    (WORKS, "home", "panels", [{"list": "tickets", "where": {"state": "open"}}]),
    (WORKS, "home", "panels", [{"notices": "tickets"}]),
    (WORKS, "home", "panels", [{"text": "Open Monday to Friday"}]),
]


@pytest.mark.parametrize(("expected", "path", "key", "value"), MODULE_KEYS)
def test_a_key_of_modules(tmp_path, expected, path, key, value):
    assert outcome(tmp_path, with_key(MODULES, path, key, value), CUSTOMER) == expected


@pytest.mark.parametrize(("expected", "path", "key", "value"), PROFILE_KEYS)
def test_a_key_of_profiles(tmp_path, expected, path, key, value):
    assert outcome(tmp_path, MODULES, with_key(CUSTOMER, path, key, value)) == expected


def test_without_such_a_key_there_is_no_problem(tmp_path):
    assert outcome(tmp_path, MODULES, CUSTOMER) == WORKS


def with_key(text: str, path: str, key: str, value: object) -> str:
    whole = yaml.safe_load(text)
    here = whole
    for part in path.split(".") if path else ():
        entry = here.get(part, {})
        here[part] = {"type": entry} if isinstance(entry, str) else entry
        here = here[part]
    here[key] = value
    return yaml.safe_dump(whole, sort_keys=False)


def outcome(folder, modules: str, customer: str) -> str:
    loaded = load(write_portal(folder, modules, BUTTONS, customer=customer))
    return REFUSED if loaded.errors else WARNS if loaded.problems else WORKS


def test_every_field_type_is_known_by_the_names_that_other_systems_give_it():
    ours = {name for names in OUR_TYPES.values() for name in names}
    assert sorted(ours ^ Field.types.keys()) == [], "declaration/synonyms.py: _TYPES"


def test_an_empty_text_is_read_in_the_default_language():
    text = Text({"it": " ", "en": "Open", "pl": "Otwarte"})
    assert [text(language, "en") for language in ("it", "de", "pl")] == ["Open", "Open", "Otwarte"]
