"""How the people of a company get in: its switch, its link, and who of them has access."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.accounts.accounts import Account, by_name, load_accounts, select_accounts
from portal.accounts.keys_and_tokens import new_token
from portal.conditions import Comparison
from portal.database.insert import insert_into
from portal.database.schema.tables import Tables
from portal.database.sql import where
from portal.fields.linked_value import Linked
from portal.records.policy import Policy, system_policy
from portal.records.reading.named_records import find_named


@dataclass(frozen=True)
class CompanyAccess:
    """The access of a company: if closed, none of its people may sign in; with its link, people ask to join."""

    closed: bool = False
    token: str | None = None
    profile: str | None = None


def company_access(connection: sa.Connection, tables: Tables, organization: int) -> CompanyAccess:
    """The access of a company; open and without a link if nothing is stored."""
    company = tables.company
    row = connection.execute(sa.select(company).where(company.c["organization"] == organization)).mappings().first()
    return CompanyAccess(bool(row["closed"]), row["join_token"], row["join_profile"]) if row else CompanyAccess()


def close_or_open_company(connection: sa.Connection, tables: Tables, organization: int, closed: bool) -> None:
    """Opens or closes the portal for all people of a company, from their next request on."""
    _store(connection, tables, organization, {"closed": closed})


def renew_link(connection: sa.Connection, tables: Tables, organization: int, profile: str) -> None:
    """Makes a new link with which people ask to join a company with `profile`; an earlier one becomes void."""
    _store(connection, tables, organization, {"join_token": new_token(), "join_profile": profile})


def withdraw_link(connection: sa.Connection, tables: Tables, organization: int) -> None:
    """Makes the link of a company void."""
    _store(connection, tables, organization, {"join_token": None, "join_profile": None})


def company_of_link(connection: sa.Connection, tables: Tables, token: str) -> tuple[int, str] | None:
    """The company and profile of a link; None if the link is void or the company is closed."""
    company = tables.company.c
    is_open = sa.or_(company["closed"].is_(None), company["closed"].is_(False))
    query = sa.select(company["organization"], company["join_profile"]).where(company["join_token"] == token, is_open)
    row = connection.execute(query).first()
    return (row[0], row[1]) if row and row[1] in tables.declaration.profiles else None


def company_of_title(connection: sa.Connection, tables: Tables, title: str) -> int | None:
    """The company with a title, for a sign-up; None if there is none, or more than one."""
    organizations = tables.declaration.organizations
    if organizations is None:
        return None
    ids = find_named(connection, system_policy(tables), organizations, title)
    return ids[0] if len(ids) == 1 else None


def accounts_of_company(connection: sa.Connection, policy: Policy, organization: int, limit: int) -> list[Account]:
    """The accounts of the people of a company that the reader sees: the open ones first, then by name."""
    condition = accounts_within(policy, organization)
    if condition is None:
        return []
    order = [policy.tables.account.c[name] for name in ("disabled", "name", "id")]
    query = select_accounts(policy.tables).where(condition).order_by(*order).limit(limit)
    return sorted(load_accounts(connection, query), key=lambda account: (account.disabled, by_name(account)))


def count_accounts(connection: sa.Connection, policy: Policy, organization: int) -> int:
    """How many of the people that `accounts_of_company` lists are not disabled."""
    condition = accounts_within(policy, organization)
    if condition is None:
        return 0
    account = policy.tables.account
    query = sa.select(sa.func.count()).select_from(account).where(condition, account.c["disabled"].is_not(True))
    return int(connection.execute(query).scalar_one())


def accounts_within(policy: Policy, organization: int) -> sa.ColumnElement[bool] | None:
    """SQL: accounts whose person belongs to the company and is visible to the reader; None if people have none."""
    declaration, people = policy.declaration, policy.declaration.people
    path = declaration.modules[people].organization if people else None
    if people is None or path is None or declaration.organizations is None:
        return None
    table, module = policy.tables.module(people), declaration.modules[people]
    if path == "id":
        member: sa.ColumnElement[bool] = table.c["id"] == organization
    else:
        company = Linked(organization, declaration.organizations)
        comparison = Comparison(tuple(path.split(".")), "equal", company)
        member = where(comparison, table, module, declaration, policy.reader)
    return policy.tables.account.c["person"].in_(policy.visible(people).where(member))


def _store(connection: sa.Connection, tables: Tables, organization: int, values: dict[str, Any]) -> None:
    upsert = insert_into(connection, tables.company).values(organization=organization, **values)
    connection.execute(upsert.on_conflict_do_update(index_elements=["organization"], set_=values))


def open_companies(connection: sa.Connection, tables: Tables, companies: tuple[int, ...]) -> tuple[int, ...]:
    """Those of `companies` whose people may sign in. Staff always may."""
    columns = tables.company.c
    closed = sa.select(columns["organization"]).where(columns["organization"].in_(companies), columns["closed"])
    shut = set(connection.execute(closed).scalars()) if companies else set()
    return tuple(company for company in companies if company not in shut)
