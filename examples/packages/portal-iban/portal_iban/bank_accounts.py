"""`/bank-accounts`: the account numbers of all records that its reader may see."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request

from portal.conditions import parse
from portal.records.reading.records import Query, Records
from portal.texts import _
from portal.web.addresses import record_address
from portal.web.resources import Root
from portal_iban.iban import Iban

MOST = 200  # of each field


@dataclass(frozen=True)
class BankAccount:
    iban: str
    title: str
    url: str


def includeme(config: Configurator) -> None:
    """Adds the page and its entry in the menu. Without a permission, a view is for everyone who is signed in."""
    config.add_view(show_bank_accounts, context=Root, name="bank-accounts", renderer="bank_accounts.pt")
    config.add_menu_entry(_("Bank accounts"), "landmark", "/bank-accounts")


def show_bank_accounts(context: Root, request: Request) -> dict[str, Any]:
    """Reading with the policy gives only the records and fields that this person may see."""
    return {"page": tuple(_bank_accounts(request))}


def _bank_accounts(request: Request) -> Iterator[BankAccount]:
    for module in request.policy.modules:
        records = Records(request.connection, request.policy, module)
        for name in sorted(request.policy.readable(module)):
            field = records.module.field(name)
            if isinstance(field, Iban):
                query = Query(condition=parse({name: {"empty": False}}), size=MOST)
                for record in records.page(query, [name, records.module.title_field]).records:
                    shown = field.show(record.values[name], request.reader)
                    yield BankAccount(shown, record.title, record_address(module, record.id))
