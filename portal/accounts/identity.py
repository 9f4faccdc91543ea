"""Which rights an account has, and whether it may sign in at this moment: the one place that decides who is let in.

Looked up for every request: withdrawn rights end with the next one.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from portal.accounts.accounts import Account, load_accounts, select_accounts
from portal.accounts.companies import open_companies
from portal.accounts.people import PersonRow, companies_of, companies_of_each, company_path, linked_ids
from portal.database.schema.tables import Tables
from portal.declaration.declaration import Declaration
from portal.fields.reader import Reader
from portal.records.policy import Policy
from portal.texts import _

PASSWORD, SECOND_FACTOR = "password", "second factor"
CLOSED = _("Your company’s access has been closed.")
NO_PERSON = _("Your account belongs to a person who no longer exists here. Ask us to set it up again.")


@dataclass(frozen=True)
class Identity:
    """An account with its rights: who is making a request, and what they may do."""

    account: Account
    policy: Policy
    must_set: str = ""  # what must be set before anything else: PASSWORD, SECOND_FACTOR

    @property
    def administrator(self) -> bool:
        """Whether the account is an administrator's, who may open the pages of the portal about itself."""
        return self.account.profile in self.policy.declaration.settings.administrators


@dataclass(frozen=True)
class NotAdmitted:
    """Someone who may not sign in at this moment; `reason`: a sentence for them."""

    reason: str


def identify(connection: sa.Connection, tables: Tables, account: Account, **reading: Any) -> Identity:
    """The rights of an account, whether it may sign in or not; `reading`: its language and the time."""
    profile = tables.declaration.profiles[account.profile]
    mine = companies_of(connection, tables, account.person) or ()
    mine = mine if profile.staff else open_companies(connection, tables, mine)
    reader = tables.declaration.reader(person=account.person, companies=mine, **reading)
    return _identity(tables, account, reader)


def _identity(tables: Tables, account: Account, reader: Reader) -> Identity:
    profile = tables.declaration.profiles[account.profile]
    rights = profile.from_first_day if account.records_from else profile
    return Identity(account, Policy(tables, rights, reader, account.records_from))


def admit(
    connection: sa.Connection, tables: Tables, account: Account, person_row: PersonRow | None = None, **reading: Any
) -> Identity | NotAdmitted:
    """The rights of an account if it may sign in at this moment; else why not."""
    mine = companies_of(connection, tables, account.person, person_row)
    reader = tables.declaration.reader(person=account.person, companies=mine or (), **reading)
    reason = _closed_reason(tables.declaration, account, reader.today)
    if reason is not None:
        return NotAdmitted(reason)
    if mine is None:
        return NotAdmitted(NO_PERSON)
    profile = tables.declaration.profiles[account.profile]
    if mine and not profile.staff and (person_row is None or person_row.any_closed):
        mine = open_companies(connection, tables, mine)
        if not mine:
            return NotAdmitted(CLOSED)
        reader = replace(reader, companies=mine)
    return _identity(tables, account, reader)


def admit_everyone(
    connection: sa.Connection, tables: Tables, **reading: Any
) -> Iterator[tuple[Account, Identity | NotAdmitted]]:
    """Every account with the result of `admit` for it, in a few statements for all of them together."""
    declaration, company = tables.declaration, tables.company.c
    companies = companies_of_each(connection, tables)
    closed = set(connection.scalars(sa.select(company["organization"]).where(company["closed"])))
    reader = declaration.reader(**reading)
    for account in load_accounts(connection, select_accounts(tables).order_by(tables.account.c["id"])):
        mine = companies.get(account.person or 0) if declaration.people else ()
        reason = _closed_reason(declaration, account, reader.today) or (NO_PERSON if mine is None else None)
        if reason is not None or mine is None:
            yield account, NotAdmitted(reason or NO_PERSON)
            continue
        profile = declaration.profiles[account.profile]
        allowed = mine if profile.staff else tuple(company for company in mine if company not in closed)
        identity = _identity(tables, account, replace(reader, person=account.person, companies=allowed))
        yield account, NotAdmitted(CLOSED) if mine and not allowed else identity


def what_must_be_set(declaration: Declaration, account: Account) -> str:
    """What someone who has signed in must set before they see any page: a password of their own, a second factor;
    empty if nothing.
    """
    if account.must_change and may_have_password(declaration, account):
        return PASSWORD
    if account.second_factor is None and declaration.profiles[account.profile].second_factor == "required":
        return SECOND_FACTOR
    return ""


def may_have_password(declaration: Declaration, account: Account) -> bool:
    """Whether an account may have a password here: not if it signs in elsewhere, or without one."""
    return declaration.uses_passwords and not account.external


def _closed_reason(declaration: Declaration, account: Account, today: datetime.date) -> str | None:
    """Why the account may not sign in on this day, as a sentence for its person; None if it may."""
    if account.disabled:
        return _("Your account has been disabled.")
    if account.access_from and today < account.access_from:
        return _("Your access starts on ${date}.", mapping={"date": account.access_from})
    if account.access_until and today > account.access_until:
        return _("Your access ended on ${date}.", mapping={"date": account.access_until})
    if account.profile not in declaration.profiles:
        return _("Your account no longer has a profile. Ask us to set it up again.")
    return None


def sign_in_refusal(
    connection: sa.Connection, tables: Tables, account: Account, now: datetime.datetime
) -> NotAdmitted | None:
    """Why an account may not sign in at this moment; None if it may.

    One statement, whatever the result: the timing does not reveal which addresses have an account.
    """
    declaration = tables.declaration
    reason = _closed_reason(declaration, account, declaration.reader(now=now).today)
    if declaration.people is None:
        return NotAdmitted(reason) if reason else None
    people, company = tables.module(declaration.people), tables.company.c
    ids = _company_ids(tables, sa.select(people.c["id"]).where(people.c["id"] == account.person))
    closed = sa.select(company["organization"]).where(company["closed"].is_(True))
    query = sa.select(
        sa.select(people.c["id"]).where(people.c["id"] == account.person).scalar_subquery(),
        sa.exists(ids.where(ids.selected_columns[0].in_(closed))),
        sa.exists(ids.where(ids.selected_columns[0].not_in(closed))),
    )
    person, any_closed, any_open = connection.execute(query).one()
    if reason or person is None:
        return NotAdmitted(reason or NO_PERSON)
    is_closed = any_closed and not any_open and not declaration.profiles[account.profile].staff
    return NotAdmitted(CLOSED) if is_closed else None


def _company_ids(tables: Tables, person: sa.Select[Any]) -> sa.Select[Any]:
    """The ids of the companies of `person`, a query for one person's id, along the path of `companies_of`."""
    if tables.declaration.modules[str(tables.declaration.people)].organization is None:
        return person.where(sa.false())
    ids = person
    for module, field in company_path(tables.declaration):
        ids = linked_ids(tables, module.name, field.name, ids)
    return ids
