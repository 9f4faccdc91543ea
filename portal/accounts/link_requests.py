"""Links that people request on the sign-in page: to set a new password, or to sign in without one."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from portal.accounts import attempts
from portal.accounts.accounts import NO_ACCOUNT, Account, find_account, password_of
from portal.accounts.devices import device_of
from portal.accounts.identity import sign_in_refusal
from portal.accounts.one_time_links import LIFETIME, RESET, make_link
from portal.database.schema.tables import Tables
from portal.fields.email import normalize_email

# The recipient of a letter that is written but not sent.
NO_ONE = Account(NO_ACCOUNT, "nobody@localhost.invalid", "", "", person=0)


@dataclass(frozen=True)
class LinkRequest:
    """Who requests a link, and from where."""

    email: str
    network: str
    device: str | None = None  # the cookie, see devices.py
    single_sign_on: bool = False  # whether the portal has an identity provider


def request_link(
    connection: sa.Connection,
    tables: Tables,
    link_request: LinkRequest,
    now: datetime.datetime,
    purpose: str = RESET,
    lifetime: datetime.timedelta = LIFETIME,
) -> tuple[Account, str]:
    """The recipient and the token of a new link, to set a password or to sign in. Raises TooManyAttemptsError.

    For an unknown address, or one that may get no link, the recipient is nobody and no link is stored, with the same
    statements, so that neither the response nor the time reveals who has an account.
    """
    email = normalize_email(link_request.email)
    attempts.check_attempt(connection, tables, attempts.RESET_NETWORK, link_request.network, now)
    account = find_account(connection, tables, email) or NO_ONE
    hashed = password_of(connection, tables, account.id)
    asker = device_of(link_request.device, account.id, hashed) or link_request.network
    attempts.check_attempt(connection, tables, attempts.RESET, f"{email} {asker}", now)
    everyone = attempts.count_attempt(connection, tables, attempts.RESET_ADDRESS, email, now)
    within = everyone <= attempts.RESET_ADDRESS.most or asker != link_request.network
    elsewhere = account.external and link_request.single_sign_on
    allowed = sign_in_refusal(connection, tables, account, now) is None and not (purpose == RESET and elsewhere)
    recipient = account if within and allowed else NO_ONE
    return recipient, make_link(connection, tables, recipient.id, purpose, now, lifetime)


def forgive_requests(
    connection: sa.Connection, tables: Tables, account: Account, origins: Iterable[str], now: datetime.datetime
) -> None:
    """Resets the count of an account's requests from these networks or known devices: its person has signed in."""
    for origin in origins:
        attempts.forgive_attempts(connection, tables, attempts.RESET, f"{account.email} {origin}", now)


def uncount_used_link(
    connection: sa.Connection, tables: Tables, account: Account, network: str, now: datetime.datetime
) -> None:
    """Takes back the request of a link that was used, where other people or networks are counted, too."""
    attempts.uncount_attempt(connection, tables, attempts.RESET_ADDRESS, account.email, now)
    attempts.uncount_attempt(connection, tables, attempts.RESET_NETWORK, network, now)
