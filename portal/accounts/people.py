"""The person and the companies of an account, and the rights that follow from them.

Looked up for every request: withdrawn rights are gone with the next one.
"""

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.declaration.shapes import Declaration, Module
from portal.fields.base import Field
from portal.records.policy import Policy
from portal.texts import _

CLOSED = _("Your company's access has been closed.")
NO_PERSON = _("Your account belongs to a person who no longer exists here. Ask us to set it up again.")


@dataclass(frozen=True)
class Account:
    """A login: an email address that may sign in, with its profile and its person."""

    id: int
    email: str
    name: str
    profile: str
    person: int | None = None
    language: str | None = None
    must_change: bool = False
    disabled: bool = False
    access_from: datetime.date | None = None
    access_until: datetime.date | None = None
    records_from: datetime.date | None = None
    bounces: int = 0
    bounce_reason: str | None = None
    invited: datetime.datetime | None = None  # the last invitation, while it has not been accepted
    signed_in: datetime.datetime | None = None  # the last time
    news_from: datetime.datetime | None = None
    hides: bool | None = None


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


def normalize_email(email: str) -> str:
    """An address as accounts are found by: without spaces around it, in lower case."""
    return email.strip().lower()


def find_account(connection: sa.Connection, tables: Tables, email: str) -> Account | None:
    """The account of an address."""
    return _find_one(connection, tables, tables.account.c["email"] == normalize_email(email))


def find_account_of_person(connection: sa.Connection, tables: Tables, person_id: int) -> Account | None:
    """The account of a person; of several the first."""
    table = tables.account
    first = sa.select(sa.func.min(table.c["id"])).where(table.c["person"] == person_id).scalar_subquery()
    return _find_one(connection, tables, table.c["id"] == first)


def people_of_address(connection: sa.Connection, tables: Tables, email: str) -> list[int]:
    """The ids of the people who sign in with an address, then of those whose record holds it."""
    account = find_account(connection, tables, email)
    people = tables.declaration.modules[str(tables.declaration.people)]
    table = tables.module(people.name)
    held = [field.compare(table, "equal", email) for field in people.fields.values() if field.type == "email"]
    query = sa.select(table.c["id"]).where(sa.or_(sa.false(), *held)).order_by(table.c["id"])
    ids = [*([account.person] if account and account.person else []), *connection.scalars(query)]
    return list(dict.fromkeys(ids))


def accounts_of(
    connection: sa.Connection, tables: Tables, *, people: Collection[int] = (), profile: str | None = None
) -> list[Account]:
    """The accounts of some persons and of a profile, the oldest first."""
    table = tables.account
    chosen = [table.c["person"].in_(people), *([table.c["profile"] == profile] if profile is not None else [])]
    query = sa.select(table).where(sa.or_(*chosen))
    return [account_of(row) for row in connection.execute(query.order_by(table.c["id"])).mappings()]


def load_account(connection: sa.Connection, tables: Tables, account_id: int) -> Account | None:
    """The account of an id."""
    return _find_one(connection, tables, tables.account.c["id"] == account_id)


def password_of(connection: sa.Connection, tables: Tables, account_id: int | None) -> str | None:
    """The hash of an account's password; None without an account."""
    query = sa.select(tables.account.c["password"]).where(tables.account.c["id"] == account_id)
    return connection.execute(query).scalar()


def refusal(connection: sa.Connection, tables: Tables, account: Account, now: datetime.datetime) -> str | None:
    """Why an account may not sign in at this moment, in one sentence for its person; None if it may.

    One statement, whatever the answer is: the work does not tell which addresses have an account.
    """
    declaration = tables.declaration
    reason = _closed_reason(declaration, account, declaration.reader(now=now).today)
    if declaration.people is None:
        return reason
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
        return reason or NO_PERSON
    return CLOSED if any_closed and not any_open and not declaration.profiles[account.profile].staff else None


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
    reason = _closed_reason(tables.declaration, account, reader.today)
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
        reason = _closed_reason(declaration, account, reader.today) or (NO_PERSON if mine is None else None)
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
    for module, field in _steps(tables.declaration):
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


def open_companies(connection: sa.Connection, tables: Tables, companies: tuple[int, ...]) -> tuple[int, ...]:
    """Those of `companies` whose people may sign in. Staff may in any case."""
    columns = tables.company.c
    closed = sa.select(columns["organization"]).where(columns["organization"].in_(companies), columns["closed"])
    shut = set(connection.execute(closed).scalars()) if companies else set()
    return tuple(company for company in companies if company not in shut)


def _closed_reason(declaration: Declaration, account: Account, today: datetime.date) -> str | None:
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
    path, steps = tables.declaration.modules[tables.declaration.people].organization, _steps(tables.declaration)
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


def _company_ids(tables: Tables, person: sa.Select[Any]) -> sa.Select[Any]:
    """The ids of the companies of `person`, a query of one person's id, along the path of `companies_of`."""
    if tables.declaration.modules[str(tables.declaration.people)].organization is None:
        return person.where(sa.false())
    ids = person
    for module, field in _steps(tables.declaration):
        ids = _linked_ids(tables, module.name, field.name, ids)
    return ids


def _linked_ids(tables: Tables, module: str, field: str, ids: Any) -> sa.Select[Any]:
    """The ids that `field` of the records `ids` leads to."""
    table = tables.module(module)
    if field in table.c:
        return sa.select(table.c[field]).where(table.c["id"].in_(ids), table.c[field].is_not(None))
    join = tables.join(module, field)  # `links` have a table of their own
    return sa.select(join.c["target"]).where(join.c["record"].in_(ids)).order_by(join.c["position"])


def _steps(declaration: Declaration) -> list[tuple[Module, Field]]:
    """The links that lead from a person to their companies."""
    path = declaration.modules[str(declaration.people)].organization
    return [] if path in (None, "id") else list(declaration.along(str(declaration.people), path))


def _first_step(tables: Tables) -> str:
    """The column of the first link; "id" where there is none, or where it has a table of its own (`links`)."""
    steps = _steps(tables.declaration)
    return steps[0][1].name if steps and steps[0][1].name in tables.module(str(tables.declaration.people)).c else "id"


def _linked(connection: sa.Connection, tables: Tables, module: str, field: str, ids: list[int]) -> list[int]:
    return list(dict.fromkeys(connection.execute(_linked_ids(tables, module, field, ids)).scalars()))


def _find_one(connection: sa.Connection, tables: Tables, condition: sa.ColumnElement[bool]) -> Account | None:
    row = connection.execute(sa.select(tables.account).where(condition)).mappings().first()
    return None if row is None else account_of(row)


def account_columns(tables: Tables) -> list[sa.Column[Any]]:
    """The columns of an Account: all but the password."""
    return [tables.account.c[attribute.name] for attribute in fields(Account)]


def account_of(row: Mapping[Any, Any]) -> Account:
    """An account from its row."""
    return Account(
        id=row["id"],
        email=row["email"],
        name=row["name"] or row["email"],
        profile=row["profile"],
        person=row["person"],
        language=row["language"],
        must_change=bool(row["must_change"]),
        disabled=bool(row["disabled"]),
        access_from=row["access_from"],
        access_until=row["access_until"],
        records_from=row["records_from"],
        bounces=row["bounces"] or 0,
        bounce_reason=row["bounce_reason"],
        invited=row["invited"],
        signed_in=row["signed_in"],
        news_from=row["news_from"],
        hides=row["hides"],
    )


def save_language(connection: sa.Connection, tables: Tables, account_id: int, language: str) -> None:
    """Store the language that an account's person chose, for other browsers and for letters."""
    this_account = tables.account.c["id"] == account_id
    connection.execute(sa.update(tables.account).where(this_account).values(language=language))
