"""The companies of an account's person, and the identity and rights that follow: who is let in.

Looked up for every request: withdrawn rights are gone with the next one.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from portal.accounts.accounts import Account, account_columns, account_of, find_account
from portal.accounts.companies import open_companies
from portal.database.schema.tables import Tables
from portal.declaration.shapes import Declaration, Module
from portal.fields.base import Field
from portal.records.policy import Policy
from portal.texts import _

CLOSED = _("Your company's access has been closed.")
NO_PERSON = _("Your account belongs to a person who no longer exists here. Ask us to set it up again.")


@dataclass(frozen=True)
class PersonRow:
    """The row of an account's person: its id (None if it was deleted) and the first link of the path to its company."""

    person: int | None
    organization: int | None = None
    any_closed: bool = True  # whether there is any company whose people may not sign in


@dataclass(frozen=True)
class Identity:
    """Who makes a request, and what they may do."""

    account: Account
    policy: Policy

    @property
    def administrator(self) -> bool:
        """Whether this person may open the pages of administrators."""
        return self.account.profile in self.policy.declaration.settings.administrators


def identify(connection: sa.Connection, tables: Tables, account: Account, **reading: Any) -> Identity:
    """The rights of an account, whether it may sign in or not; `reading`: its language, and now."""
    profile = tables.declaration.profiles[account.profile]
    mine = companies_of(connection, tables, account.person) or ()
    mine = mine if profile.staff else open_companies(connection, tables, mine)
    reader = tables.declaration.reader(person=account.person, companies=mine, **reading)
    return Identity(account, Policy(tables, profile, reader, account.records_from))


def admit(
    connection: sa.Connection,
    tables: Tables,
    account: Account,
    person_row: PersonRow | None = None,
    **reading: Any,
) -> Identity | str:
    """The rights of an account if it may sign in at this moment; else why not, in one sentence for its person."""
    reader = tables.declaration.reader(person=account.person, **reading)
    reason = closed_reason(tables.declaration, account, reader.today)
    if reason is not None:
        return reason
    mine = companies_of(connection, tables, account.person, person_row)
    if mine is None:
        return NO_PERSON
    profile = tables.declaration.profiles[account.profile]
    if mine and not profile.staff and (person_row is None or person_row.any_closed):
        mine = open_companies(connection, tables, mine)
        if not mine:
            return CLOSED
    return Identity(account, Policy(tables, profile, replace(reader, companies=mine), account.records_from))


def admit_everybody(
    connection: sa.Connection, tables: Tables, **reading: Any
) -> Iterator[tuple[Account, Identity | str]]:
    """Every account with what `admit` says of it; in a few statements for all of them together."""
    declaration, company = tables.declaration, tables.company.c
    companies = _companies_of_each(connection, tables)
    closed = set(connection.scalars(sa.select(company["organization"]).where(company["closed"])))
    reader = declaration.reader(**reading)
    query = sa.select(*account_columns(tables)).order_by(tables.account.c["id"])
    for row in connection.execute(query).mappings():
        account = account_of(row)
        mine = companies.get(account.person or 0) if declaration.people else ()
        reason = closed_reason(declaration, account, reader.today) or (NO_PERSON if mine is None else None)
        if reason is not None or mine is None:
            yield account, reason or NO_PERSON
            continue
        profile = declaration.profiles[account.profile]
        allowed = mine if profile.staff else tuple(company for company in mine if company not in closed)
        policy = Policy(
            tables, profile, replace(reader, person=account.person, companies=allowed), account.records_from
        )
        yield account, CLOSED if mine and not allowed else Identity(account, policy)


def _companies_of_each(connection: sa.Connection, tables: Tables) -> dict[int, tuple[int, ...]]:
    """The people who have an account, with their companies as `companies_of` finds them."""
    if tables.declaration.people is None:
        return {}
    people = tables.module(tables.declaration.people).c["id"]
    with_account = sa.select(people).where(people.in_(sa.select(tables.account.c["person"])))
    ids: dict[int, tuple[int, ...]] = {person: (person,) for person in connection.scalars(with_account)}
    if tables.declaration.modules[tables.declaration.people].organization is None:
        return dict.fromkeys(ids, ())
    for module, field in company_path(tables.declaration):
        targets = _targets(connection, tables, module.name, field.name)
        for person, reached in ids.items():
            ids[person] = tuple(dict.fromkeys(target for record_id in reached for target in targets.get(record_id, ())))
    return ids


def _targets(connection: sa.Connection, tables: Tables, module: str, field: str) -> dict[int, list[int]]:
    """The ids that `field` leads to, by the record."""
    table = tables.module(module)
    if field in table.c:
        query = sa.select(table.c["id"], table.c[field]).where(table.c[field].is_not(None))
    else:
        join = tables.join(module, field)  # `links` have a table of their own
        query = sa.select(join.c["record"], join.c["target"]).order_by(join.c["position"])
    targets: dict[int, list[int]] = defaultdict(list)
    for record_id, target in connection.execute(query):
        targets[record_id].append(target)
    return targets


def closed_reason(declaration: Declaration, account: Account, today: datetime.date) -> str | None:
    if account.disabled:
        return _("Your account has been disabled.")
    if account.access_from and today < account.access_from:
        return _("Your access starts on ${date}.", mapping={"date": account.access_from})
    if account.access_until and today > account.access_until:
        return _("Your access ended on ${date}.", mapping={"date": account.access_until})
    if account.profile not in declaration.profiles:
        return _("Your account no longer has a profile. Ask us to set it up again.")
    return None


def companies_of(
    connection: sa.Connection,
    tables: Tables,
    person: int | None,
    person_row: PersonRow | None = None,
) -> tuple[int, ...] | None:
    """The ids of a person's companies, along the people module's `organization`; `person_row` if it is loaded already.

    None if the person was deleted: with a people module every account belongs to a record of it.
    """
    if tables.declaration.people is None:
        return ()
    row = _load_person_row(connection, tables, person) if person_row is None else person_row
    if row.person is None:
        return None
    path, steps = tables.declaration.modules[tables.declaration.people].organization, company_path(tables.declaration)
    ids = [] if path is None else [row.person]
    if _first_step(tables) != "id":  # the row holds the first link
        ids, steps = [row.organization] if row.organization is not None else [], steps[1:]
    for module, field in steps:
        ids = _linked(connection, tables, module.name, field.name, ids) if ids else []
    return tuple(ids)


def person_columns(tables: Tables) -> tuple[sa.Column[Any], sa.Column[Any]]:
    """The columns of a PersonRow in the people module's table."""
    table = tables.module(str(tables.declaration.people))
    return table.c["id"], table.c[_first_step(tables)]


def _load_person_row(connection: sa.Connection, tables: Tables, person: int | None) -> PersonRow:
    columns = person_columns(tables)
    row = connection.execute(sa.select(*columns).where(columns[0] == person)).first()
    return PersonRow(None) if row is None else PersonRow(row[0], row[1])


def linked_ids(tables: Tables, module: str, field: str, ids: Any) -> sa.Select[Any]:
    """SQL: the ids to which the link `field` leads, a step of the way from people to their companies, from `ids` on."""
    table = tables.module(module)
    if field in table.c:
        return sa.select(table.c[field]).where(table.c["id"].in_(ids), table.c[field].is_not(None))
    join = tables.join(module, field)  # `links` have a table of their own
    return sa.select(join.c["target"]).where(join.c["record"].in_(ids)).order_by(join.c["position"])


def company_path(declaration: Declaration) -> list[tuple[Module, Field]]:
    """The links that lead from a person to their companies."""
    path = declaration.modules[str(declaration.people)].organization
    return [] if path in (None, "id") else list(declaration.along(str(declaration.people), path))


def _first_step(tables: Tables) -> str:
    """The column of the first link; "id" where there is none, or where it has a table of its own (`links`)."""
    steps = company_path(tables.declaration)
    return steps[0][1].name if steps and steps[0][1].name in tables.module(str(tables.declaration.people)).c else "id"


def _linked(connection: sa.Connection, tables: Tables, module: str, field: str, ids: list[int]) -> list[int]:
    return list(dict.fromkeys(connection.execute(linked_ids(tables, module, field, ids)).scalars()))


def people_of_address(connection: sa.Connection, tables: Tables, email: str) -> list[int]:
    """The ids of the people who sign in with an address, then of those whose record holds it."""
    account = find_account(connection, tables, email)
    people = tables.declaration.modules[str(tables.declaration.people)]
    table = tables.module(people.name)
    held = [field.compare(table, "equal", email) for field in people.fields.values() if field.type == "email"]
    query = sa.select(table.c["id"]).where(sa.or_(sa.false(), *held)).order_by(table.c["id"])
    ids = [*([account.person] if account and account.person else []), *connection.scalars(query)]
    return list(dict.fromkeys(ids))
