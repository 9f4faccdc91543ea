"""Who is notified of what happens to a record: its owner, watchers, assignee or desk, and people of its company.

Only people who may sign in at this moment and whose address accepts letters, each once even in several roles. What they
may read is decided elsewhere, by their own policy (record_letters.py).
"""

import enum
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import sqlalchemy as sa

from portal.accounts.accounts import NO_ACCOUNT, Account, accounts_of, find_account
from portal.accounts.bounces import letters_arrive
from portal.accounts.identity import Identity, admit
from portal.accounts.letter_choices import Relation, subscribers
from portal.database.schema.tables import Tables
from portal.fields.email import is_mail_address
from portal.mail.builder import Sender
from portal.mail.incoming.mail_rows import stranger_of
from portal.records.policy import system_policy
from portal.records.reading.records import Records
from portal.records.reading.watchers import watchers
from portal.texts import _

STRANGER = -1  # instead of NO_ACCOUNT: their waiting letters are told apart from those to a desk


class Role(enum.Enum):
    """Why someone is notified; of several roles, letters name the first. `relation` to the record, for their choice of
    letters; the `reason` that letters give; whether they are notified of a new record (`of_creation`)."""

    OWNER = Relation.OWN, _("You get this because ${reference} is yours."), True
    WATCHER = Relation.FOLLOWED, _("You get this because you watch ${reference}."), True
    ASSIGNEE = Relation.OWN, _("You get this because ${reference} is assigned to you."), False
    DESK = Relation.OWN, _("You get this because nobody is assigned to ${reference}."), True
    # Of the people of its company, those who want letters about such records.
    COMPANY = Relation.COMPANY, _("You get this because ${reference} belongs to your company."), True
    # The person whose mail created the record, who knows why.
    STRANGER = Relation.OWN, "", False

    def __init__(self, relation: Relation, reason: str, of_creation: bool) -> None:
        self.relation, self.reason, self.of_creation = relation, reason, of_creation


@dataclass(frozen=True)
class Recipient:
    """Someone who may be notified; `identity` is None for a desk address without an account, which reads nothing."""

    account: Account
    roles: frozenset[Role]
    identity: Identity | None

    @property
    def is_stranger(self) -> bool:
        """Whether they are known only from the mail that created the record."""
        return Role.STRANGER in self.roles

    @property
    def relation(self) -> Relation:
        """The closest relation that they have to the record."""
        related = {role.relation for role in self.roles}
        return next(relation for relation in Relation if relation in related)


def recipients(
    connection: sa.Connection, tables: Tables, sender: Sender, module: str, record_id: int
) -> list[Recipient]:
    """Everyone who may have to be notified of news about a record, the oldest account first."""
    declared, of = tables.declaration.modules[module], (connection, tables, module)
    gathered = _Gathered(connection, tables, sender)
    gathered.add_people(people_along(*of, declared.owner, record_id), Role.OWNER)
    gathered.add_people(watchers(connection, tables, declared, record_id), Role.WATCHER)
    assignees = people_along(*of, declared.mail.assigned, record_id)
    gathered.add_people(assignees, Role.ASSIGNEE)
    companies = _records_along(*of, declared.organization, record_id, tables.declaration.organizations)
    gathered.add(subscribers(connection, tables, sorted(companies)), Role.COMPANY)
    if declared.mail.desk and not assignees:
        gathered.add_desk(declared.mail.desk)
    stranger = stranger_of(connection, tables, (module, record_id)) if sender.inbox else None
    if stranger is not None and is_mail_address(stranger.sender):
        account = Account(STRANGER, stranger.sender, stranger.sender_name, "")
        gathered.without_account.append(Recipient(account, frozenset({Role.STRANGER}), None))
    return gathered.all()


@dataclass
class _Gathered:
    """The recipients so far: they may sign in and their addresses accept letters; each once with all their roles."""

    connection: sa.Connection
    tables: Tables
    sender: Sender
    roles: dict[int, set[Role]] = field(default_factory=lambda: defaultdict(set))
    identities: dict[int, Identity] = field(default_factory=dict)
    without_account: list[Recipient] = field(default_factory=list)

    def add(self, accounts: Iterable[Account], role: Role) -> None:
        """Adds those of the accounts who may be notified."""
        for account in accounts:
            if self._identify(account):
                self.roles[account.id].add(role)

    def add_people(self, people: Collection[int], role: Role) -> None:
        """Adds those of the people who may be notified; the oldest account of a person with several."""
        chosen: dict[int | None, Account] = {}
        for account in accounts_of(self.connection, self.tables, people=people):
            if account.person not in chosen and self._identify(account):
                chosen[account.person] = account
        self.add(chosen.values(), role)

    def add_desk(self, desk: str) -> None:
        """Adds the people with a profile, or an address, whether or not it belongs to an account."""
        if "@" not in desk:
            self.add(accounts_of(self.connection, self.tables, profile=desk), Role.DESK)
        elif (account := find_account(self.connection, self.tables, desk)) is not None:
            self.add([account], Role.DESK)
        else:
            self.without_account.append(Recipient(Account(NO_ACCOUNT, desk, "", ""), frozenset({Role.DESK}), None))

    def all(self) -> list[Recipient]:
        """Those with an account, the oldest first, then the others."""
        known = [(self.identities[account_id], roles) for account_id, roles in sorted(self.roles.items())]
        return [*(Recipient(who.account, frozenset(roles), who) for who, roles in known), *self.without_account]

    def _identify(self, account: Account) -> bool:
        """Whether the account may sign in and its address accepts letters; if so, its rights are in `identities`."""
        if account.id not in self.identities and letters_arrive(account):
            language = self.sender.reader(account).language
            identity = admit(self.connection, self.tables, account, language=language, now=self.sender.now)
            if isinstance(identity, Identity):
                self.identities[account.id] = identity
        return account.id in self.identities


def people_along(
    connection: sa.Connection, tables: Tables, module: str, path: str | None, record_id: int
) -> frozenset[int]:
    """The people to notify at the end of a dotted path of links from a record; the record itself for `id`."""
    return _records_along(connection, tables, module, path, record_id, tables.declaration.people)


def _records_along(
    connection: sa.Connection, tables: Tables, module: str, path: str | None, record_id: int, target: str | None
) -> frozenset[int]:
    """The ids of the records of `target` at the end of a dotted path of links, on the way to recipients."""
    if path is None or target is None:
        return frozenset()
    ids = {record_id}
    for here, step in tables.declaration.along(module, path) if path != "id" else ():
        records = Records(connection, system_policy(tables), here.name).by_ids(sorted(ids), [step.name])
        links = [link for record in records for link in step.links_in(record.values.get(step.name))]
        # A link to one of several modules may lead elsewhere.
        ids = {link.id for link in links if not step.several_targets or link.module == target}
    return frozenset(ids)
