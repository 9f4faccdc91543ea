"""Inviting everyone: all recorded people with an address and without access, in batches.

Skipped are the staff's own companies, closed companies, and people whose address is invalid or already used to sign
in. An interrupted mass invitation goes on where it stopped, whoever continues it.
"""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.accounts.accounts import Account
from portal.accounts.giving_access import AccessRefusedError, AccessRequest, Register
from portal.accounts.people import companies_of
from portal.conditions import Comparison
from portal.database.schema.tables import Tables
from portal.database.sql import where
from portal.fields.linked_value import Linked
from portal.records.writing.history import Author

BATCH = 50  # people of one transaction
DAYS = ("access_from", "access_until", "records_from")


@dataclass(frozen=True)
class MassInvitation:
    """One mass invitation: its profile, days, author, and how far it has come."""

    id: int
    profile: str
    values: Mapping[str, Any]
    author: Author
    person: int | None
    after: int
    invited: int
    skipped: int


def count_uninvited(connection: sa.Connection, tables: Tables, after: int = 0) -> int:
    """How many people would be invited at most: those after the person `after`, whom a mass invitation has reached."""
    query = _uninvited(connection, tables)
    if query is None:
        return 0
    query = query.where(query.selected_columns[0] > after)
    return int(connection.execute(sa.select(sa.func.count()).select_from(query.subquery())).scalar_one())


def start_mass_invitation(register: Register, profile: str, values: Mapping[str, datetime.date | None]) -> None:
    """Starts inviting everyone, in the name of the register's author."""
    row = {
        "profile": profile,
        "values": {name: day.isoformat() for name, day in values.items() if day},
        "account": register.author.account,
        "author": register.author.name,
        "person": register.me,
        "after": 0,
        "invited": 0,
        "skipped": 0,
        "started": register.now,
    }
    register.connection.execute(sa.insert(register.tables.opening).values(row))


def current_mass_invitation(connection: sa.Connection, tables: Tables, lock: bool = False) -> MassInvitation | None:
    """The unfinished mass invitation; with `lock`, only if nobody else is working on it."""
    table = tables.opening
    query = sa.select(table).where(table.c["finished"].is_(None)).order_by(table.c["id"]).limit(1)
    query = query.with_for_update(skip_locked=True) if lock else query
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    author, days = Author(row["account"], row["author"] or "", "portal"), dict(row["values"] or {})
    values = {name: datetime.date.fromisoformat(day) for name, day in days.items() if name in DAYS}
    return MassInvitation(
        row["id"], row["profile"], values, author, row["person"], row["after"], row["invited"], row["skipped"]
    )


@dataclass(frozen=True)
class MassInvitationOutcome:
    """How the last mass invitation ended, and the first people that it could not invite."""

    finished: datetime.datetime
    invited: int
    skipped: int
    left_out: tuple[int, ...]


def last_outcome(connection: sa.Connection, tables: Tables, most: int) -> MassInvitationOutcome | None:
    """The outcome of the last mass invitation, with up to `most` people without access; None if there was none."""
    table = tables.opening
    ended = sa.select(table).where(table.c["finished"].is_not(None))
    row = connection.execute(ended.order_by(table.c["id"].desc()).limit(1)).mappings().first()
    query = _uninvited(connection, tables)
    if row is None or query is None:
        return None
    left_out = query.where(query.selected_columns[0] <= row["after"]).limit(most)
    ids = tuple(connection.execute(left_out).scalars()) if row["skipped"] else ()
    return MassInvitationOutcome(row["finished"], row["invited"], row["skipped"], ids)


def end_mass_invitation(connection: sa.Connection, tables: Tables, now: datetime.datetime) -> None:
    """Ends the mass invitation: no more people are invited."""
    table = tables.opening
    connection.execute(sa.update(table).where(table.c["finished"].is_(None)).values(finished=now))


def invite_next_people(
    connection: sa.Connection, tables: Tables, now: datetime.datetime, write: Callable[[Account, str], None]
) -> int | None:
    """Invites the next batch of the mass invitation; returns how many were looked at, None if nothing is left.

    `write` writes the letter of an account, with the token of its link.
    """
    invitation = current_mass_invitation(connection, tables, lock=True)
    if invitation is None:  # or another worker is on it
        return None
    query = _uninvited(connection, tables)
    if query is None or invitation.profile not in tables.declaration.profiles:
        end_mass_invitation(connection, tables, now)
        return None
    people = query.where(query.selected_columns[0] > invitation.after).limit(BATCH)
    register, rows = (
        Register(connection, tables, now, invitation.author, invitation.person),
        connection.execute(people).all(),
    )
    invited = sum(_invite(register, invitation, person, email, write) for person, email in rows)
    values = {
        "after": rows[-1][0] if rows else invitation.after,
        "invited": invitation.invited + invited,
        "skipped": invitation.skipped + len(rows) - invited,
        "finished": now if len(rows) < BATCH else None,
    }
    connection.execute(sa.update(tables.opening).where(tables.opening.c["id"] == invitation.id).values(values))
    return len(rows)


def _invite(
    register: Register, invitation: MassInvitation, person: int, email: str, write: Callable[[Account, str], None]
) -> bool:
    try:
        access_request = AccessRequest(email, invitation.profile, values=invitation.values, person=person)
        account = register.add(access_request, None, must_change=False)
    except AccessRefusedError:
        return False
    write(account, register.invite(account))
    return True


def _uninvited(connection: sa.Connection, tables: Tables) -> sa.Select[Any] | None:
    """The ids and addresses of the people still to be invited, by id; None if people have no address field."""
    declaration = tables.declaration
    people = declaration.modules[declaration.people] if declaration.people else None
    if people is None or people.email_field is None:
        return None
    table, account = tables.module(people.name), tables.account
    email = table.c[people.email_field.name]
    has_account = sa.exists().where(account.c["person"] == table.c["id"])
    query = sa.select(table.c["id"], email).where(email.is_not(None), email != "", ~has_account)
    left_out = _left_out(connection, tables)
    if left_out is not None:
        query = query.where(table.c["id"].not_in(sa.select(table.c["id"]).where(left_out)))
    return query.order_by(table.c["id"])


def _left_out(connection: sa.Connection, tables: Tables) -> Any:
    """SQL: who is left out of a mass invitation: people of a staff's or a closed company; None if there are none."""
    declaration, company = tables.declaration, tables.company
    if declaration.people is None or declaration.organizations is None:
        return None
    path = declaration.modules[declaration.people].organization
    if path in (None, "id"):
        return None
    staff = [name for name, profile in declaration.profiles.items() if profile.staff]
    persons = sa.select(tables.account.c["person"]).where(tables.account.c["profile"].in_(staff)).distinct()
    closed = sa.select(company.c["organization"]).where(company.c["closed"])
    ids = set(connection.execute(closed).scalars())
    for person in connection.execute(persons).scalars():
        ids.update(companies_of(connection, tables, person) or ())
    if not ids:
        return None
    companies = tuple(Linked(number, declaration.organizations) for number in sorted(ids))
    comparison = Comparison(tuple(str(path).split(".")), "one_of", companies)
    module = declaration.modules[declaration.people]
    return where(comparison, tables.module(declaration.people), module, declaration, declaration.reader())
