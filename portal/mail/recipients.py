"""Who is told of what happens to a record: its owner, who follows it, who is assigned to it, or the desk.

Only who may sign in at this moment and has an address that takes letters; each once however many ways lead to them.
What they may read of it is another question, which their own policy answers (record_letters.py).
"""

import enum
from dataclasses import dataclass

import sqlalchemy as sa

from portal.accounts.bounces import takes_letters
from portal.accounts.letter_choices import Relation, subscribers
from portal.accounts.people import Account, Identity, accounts_of, admit, find_account
from portal.accounts.register import is_mail_address
from portal.database.schema.tables import Tables
from portal.mail.builder import Sender
from portal.mail.incoming.mails import stranger_of
from portal.records.policy import system_policy
from portal.records.reading.records import Records
from portal.records.reading.watchers import watchers

STRANGER = -1  # as the id of an account: that of somebody who has none, and is no desk


class Role(enum.StrEnum):
    """Why somebody is told."""

    OWNER = "owner"
    WATCHER = "watcher"
    ASSIGNEE = "assignee"
    DESK = "desk"
    COMPANY = "company"  # whose company's it is, and who wants to be told of that
    STRANGER = "stranger"  # whose mail made the record


@dataclass(frozen=True)
class Recipient:
    """Somebody who may be told; `identity` is None for the address of a desk that is no account, and reads nothing."""

    account: Account
    roles: frozenset[Role]
    identity: Identity | None

    @property
    def is_stranger(self) -> bool:
        """Whether they are known by the mail alone that made the record."""
        return Role.STRANGER in self.roles

    @property
    def relation(self) -> Relation:
        """What the record is to them, where they choose which letters they want."""
        if self.roles <= {Role.COMPANY}:
            return Relation.COMPANY
        return Relation.FOLLOWED if self.roles <= {Role.COMPANY, Role.WATCHER} else Relation.OWN


def recipients(
    connection: sa.Connection, tables: Tables, sender: Sender, module: str, record_id: int
) -> list[Recipient]:
    """Everybody who may have to be told of news of a record, the oldest account first."""
    declared = tables.declaration.modules[module]
    assigned, desk, organizations = declared.mail.assigned, declared.mail.desk, tables.declaration.organizations
    owners = people_along(connection, tables, module, declared.owner, record_id)
    assignees = people_along(connection, tables, module, assigned, record_id)
    roles: dict[int, set[Role]] = {}
    accounts: dict[int, Account] = {}
    identities: dict[int, Identity] = {}
    following = watchers(connection, tables, declared, record_id)
    for role, people in ((Role.OWNER, owners), (Role.WATCHER, following), (Role.ASSIGNEE, assignees)):
        for account in _one_each(
            connection, tables, sender, accounts_of(connection, tables, people=people), identities
        ):
            accounts[account.id] = account
            roles.setdefault(account.id, set()).add(role)
    companies = records_along(connection, tables, module, declared.organization, record_id, organizations)
    for account in subscribers(connection, tables, sorted(companies)):
        if _identify(connection, tables, sender, account, identities):
            accounts[account.id] = account
            roles.setdefault(account.id, set()).add(Role.COMPANY)
    without_account = []
    if desk and not assignees:
        for account in _desk(connection, tables, desk):
            if account.id == 0:
                without_account.append(Recipient(account, frozenset({Role.DESK}), None))
            elif _identify(connection, tables, sender, account, identities):
                accounts[account.id] = account
                roles.setdefault(account.id, set()).add(Role.DESK)
    known = [Recipient(accounts[key], frozenset(roles[key]), identities[key]) for key in sorted(accounts)]
    stranger = stranger_of(connection, tables, (module, record_id)) if sender.inbox else None
    if stranger is not None and is_mail_address(stranger.sender):
        account = Account(STRANGER, stranger.sender, stranger.sender_name, "")
        without_account.append(Recipient(account, frozenset({Role.STRANGER}), None))
    return known + without_account


def people_along(
    connection: sa.Connection, tables: Tables, module: str, path: str | None, record_id: int
) -> frozenset[int]:
    """The persons to whom a dotted path of links leads from a record; the record itself where the path is `id`."""
    return records_along(connection, tables, module, path, record_id, tables.declaration.people)


def records_along(
    connection: sa.Connection, tables: Tables, module: str, path: str | None, record_id: int, target: str | None
) -> frozenset[int]:
    """The ids of the records of the module `target` to which a dotted path of links leads."""
    if path is None or target is None:
        return frozenset()
    ids = {record_id}
    for here, field in tables.declaration.along(module, path) if path != "id" else ():
        records = Records(connection, system_policy(tables), here.name)
        rows = records.by_ids(sorted(ids), [field.name])
        links = [link for row in rows for link in field.links_in(row.values.get(field.name))]
        # A link to one of several modules may lead elsewhere.
        ids = {link.id for link in links if not field.several_targets or link.module == target}
    return frozenset(ids)


def _one_each(
    connection: sa.Connection, tables: Tables, sender: Sender, accounts: list[Account], identities: dict[int, Identity]
) -> list[Account]:
    """Those who may sign in; of several accounts of one person the oldest."""
    chosen: dict[int | None, Account] = {}
    for account in accounts:
        if (
            account.person not in chosen
            and takes_letters(account)
            and _identify(connection, tables, sender, account, identities)
        ):
            chosen[account.person] = account
    return list(chosen.values())


def _identify(
    connection: sa.Connection, tables: Tables, sender: Sender, account: Account, identities: dict[int, Identity]
) -> bool:
    """Whether the account may sign in and its address takes letters; then its rights are in `identities`."""
    if account.id not in identities and takes_letters(account):
        language = sender.reader(account).language
        identity = admit(connection, tables, account, language=language, now=sender.now)
        if isinstance(identity, Identity):
            identities[account.id] = identity
    return account.id in identities


def _desk(connection: sa.Connection, tables: Tables, desk: str) -> list[Account]:
    """The people of a profile, or the account of an address; one of the number 0 for an address without account."""
    if "@" not in desk:
        return accounts_of(connection, tables, profile=desk)
    return [find_account(connection, tables, desk) or Account(0, desk, "", "")]
