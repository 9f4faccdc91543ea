"""Which letters about records an account wants: by their kind, and by its person's relation to the record.

Letters about people's own and watched records are sent unless they opt out; about their company's only if they opt in.
Letters about the account itself cannot be turned off.
"""

import enum
from collections.abc import Collection

import sqlalchemy as sa

from portal.accounts.accounts import Account, load_accounts, select_accounts
from portal.accounts.companies import accounts_within
from portal.database.schema.tables import Tables
from portal.declaration.declaration import Declaration
from portal.declaration.shapes import LetterKind, Profile
from portal.records.policy import system_policy
from portal.records.writing.errors import unique_violations_retried
from portal.texts import _


class Relation(enum.StrEnum):
    """The relation of someone who may be notified to a record, the closest first."""

    OWN = "own"  # theirs, or assigned to them or to their desk
    FOLLOWED = "followed"
    COMPANY = "company"


RELATIONS = {Relation.OWN: _("My own"), Relation.FOLLOWED: _("I follow"), Relation.COMPANY: _("My company’s")}
# The names of the kinds of letters among the choices, in the order of the page.
KINDS: dict[LetterKind, str] = {
    "created": _("Receipts and new entries"),
    "commented": _("New comments and files"),
    "moved": _("The status has changed"),
    "assigned": _("Something was assigned to me"),
    "reminded": _("Reminders"),
}
# Only the owner of a record gets reminders; only a person who works on it is notified of the assignment.
ONLY_OWN: frozenset[LetterKind] = frozenset({"assigned", "reminded"})

Choice = tuple[Relation, LetterKind]
CHOICES: tuple[Choice, ...] = tuple(
    (relation, kind) for relation in RELATIONS for kind in KINDS if relation is Relation.OWN or kind not in ONLY_OWN
)


def chosen_letters(connection: sa.Connection, tables: Tables, account_id: int) -> frozenset[Choice]:
    """The choices that an account has opted into, or not out of."""
    table = tables.letter_choice.c
    query = sa.select(table["relation"], table["kind"], table["wanted"]).where(table["account"] == account_id)
    saved = {(relation, kind): wanted for relation, kind, wanted in connection.execute(query)}
    return frozenset(choice for choice in CHOICES if saved.get(choice, _is_chosen_by_default(choice)))


def save_choices(connection: sa.Connection, tables: Tables, account_id: int, chosen: Collection[Choice]) -> None:
    """Stores that an account wants the letters of these choices, and no others. Raises RetryError."""
    table = tables.letter_choice
    connection.execute(sa.delete(table).where(table.c["account"] == account_id))
    rows = [
        {"account": account_id, "relation": relation.value, "kind": kind, "wanted": (relation, kind) in chosen}
        for relation, kind in CHOICES
        if ((relation, kind) in chosen) != _is_chosen_by_default((relation, kind))
    ]
    if rows:
        with unique_violations_retried():
            connection.execute(sa.insert(table), rows)


def _is_chosen_by_default(choice: Choice) -> bool:
    """Whether people who have chosen nothing get these letters."""
    return choice[0] is not Relation.COMPANY


def kinds_of_letters(declaration: Declaration, profile: Profile) -> list[LetterKind]:
    """The kinds of letters written about modules of a profile."""
    declared = {kind for name in profile.modules for kind in declaration.modules[name].mail.kinds}
    return [kind for kind in KINDS if kind in declared]


def sees_company(declaration: Declaration, profile: Profile) -> bool:
    """Whether customers with a profile see records of their companies, and so may choose letters about them."""
    seen = (
        declaration.modules[name] for name, access in profile.modules.items() if access.see in ("organization", "all")
    )
    return not profile.staff and any(
        module.organization and module.name != declaration.organizations and module.mail.kinds - ONLY_OWN
        for module in seen
    )


def subscribers(connection: sa.Connection, tables: Tables, companies: Collection[int]) -> list[Account]:
    """The accounts of a company's people who want letters about their company's records, the oldest first."""
    choice, account_id = tables.letter_choice.c, tables.account.c["id"]
    chosen = sa.select(choice["account"]).where(choice["relation"] == Relation.COMPANY.value, choice["wanted"])
    accounts: dict[int, Account] = {}
    for company in companies:
        condition = accounts_within(system_policy(tables), company)
        if condition is not None:
            query = select_accounts(tables).where(account_id.in_(chosen), condition)
            accounts |= {account.id: account for account in load_accounts(connection, query)}
    return [accounts[key] for key in sorted(accounts)]
