"""Who may give, change and end whose access: the only place that decides this. Changes nothing.

`Policy.grants` lists the profiles that someone may give. Staff may give them to everyone they see; others only to
people in their own companies, and never more than they have: no later end, no older records.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.accounts.accounts import Account
from portal.accounts.identity import Identity
from portal.accounts.people import companies_of


@dataclass(frozen=True)
class AccessLimits:
    """The most that `identity` may give: the last day of access, and the first day whose records are shown."""

    access_until: datetime.date | None = None
    records_from: datetime.date | None = None


def may_manage(connection: sa.Connection, identity: Identity, person: int, account: Account | None) -> bool:
    """Whether `identity` may give, change and end the access of a person they see, who has `account`.

    Nobody changes their own access, or that of an account whose profile they could not give.
    """
    policy = identity.policy
    if not policy.grants or person == identity.account.person:
        return False
    if account is not None and account.profile in policy.declaration.profiles and account.profile not in policy.grants:
        return False
    if policy.staff:
        return True
    companies = companies_of(connection, policy.tables, person)
    return bool(companies) and set(companies or ()) <= set(policy.reader.companies)


def may_manage_company(identity: Identity, company: int) -> bool:
    """Whether `identity` may let people of a company they see into the portal."""
    policy = identity.policy
    return bool(policy.grants) and (policy.staff or company in policy.reader.companies)


def access_limits(identity: Identity) -> AccessLimits:
    """The most that `identity` may give: access that ends no later and shows no older records than its own."""
    if identity.policy.staff:
        return AccessLimits()
    return AccessLimits(identity.account.access_until, identity.account.records_from)


def days_problem(values: Mapping[str, Any]) -> str | None:
    """Why access cannot have these first and last days, as a sentence for an administrator; None if it can."""
    first, last = values.get("access_from"), values.get("access_until")
    return f"access cannot end on {last}, before it begins on {first}" if first and last and last < first else None
