"""People who sign up: they prove their address first, then give a name and a password, then wait for approval.

Nothing is looked up when someone signs up: the response, the work and the letter are the same for every address. People
who already have access learn this behind the link, which only the owner of the address opens.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from portal.accounts import attempts
from portal.accounts.accounts import Account, accounts_of, find_account_of_person
from portal.accounts.attempts import TooManyAttemptsError
from portal.accounts.companies import accounts_of_company
from portal.accounts.giving_access import AccessRefusedError, AccessRequest, Register
from portal.accounts.identity import Identity, admit
from portal.accounts.keys_and_tokens import hash_token, new_token
from portal.accounts.people import companies_of
from portal.database.fetching import fetch
from portal.database.schema.tables import Tables
from portal.database.sql import AmongIds, IdList
from portal.fields.email import normalize_email
from portal.records.policy import Policy, system_policy
from portal.records.statement_cache import IDS, id_list_parameter

LIFETIME = datetime.timedelta(hours=1)  # of the link that proves an address
MOST_SHOWN = 200


@dataclass(frozen=True)
class NewSignUp:
    """A new sign-up, and what it would get: the profile, and the company of the link or of the address."""

    email: str
    profile: str
    organization: int | None
    language: str
    network: str


@dataclass(frozen=True)
class SignUpRequest:
    """A sign-up; `proved` is None until the address has been proved and name and password have been given."""

    id: int
    email: str
    organization: int | None
    profile: str
    language: str
    proved: datetime.datetime | None
    name: str
    password: str | None


@dataclass(frozen=True)
class SignUps:
    """The sign-ups of one portal."""

    connection: sa.Connection
    tables: Tables
    now: datetime.datetime

    def begin(self, new: NewSignUp) -> str | None:
        """The token that proves the address; None if it got a letter within the last hour.

        Raises TooManyAttemptsError.
        """
        email = normalize_email(new.email)
        attempts.check_attempt(self.connection, self.tables, attempts.SIGN_UP_NETWORK, new.network, self.now)
        attempts.check_attempt(self.connection, self.tables, attempts.SIGN_UP_PORTAL, "", self.now)
        try:
            attempts.check_attempt(self.connection, self.tables, attempts.SIGN_UP_ADDRESS, email, self.now)
        except TooManyAttemptsError:
            return None
        sign_up, token = self.tables.sign_up, new_token()
        expired = sa.and_(sign_up.c["expires"] < self.now, sign_up.c["proved"].is_(None))
        self.connection.execute(sa.delete(sign_up).where(expired))
        row = {
            "token": hash_token(token), "email": email, "organization": new.organization, "profile": new.profile,
            "language": new.language, "expires": self.now + LIFETIME,
        }  # fmt: skip
        self.connection.execute(sa.insert(sign_up).values(row))
        return token

    def find(self, token: str) -> SignUpRequest | None:
        """The sign-up of a link that is still valid."""
        sign_up = self.tables.sign_up.c
        return self._first(sign_up["token"] == hash_token(token), sign_up["expires"] > self.now)

    def prove(self, sign_up: SignUpRequest, name: str, hashed: str | None) -> SignUpRequest | None:
        """Stores the name and password of a person who has proved the address and now waits; uses up the link.

        None if it has already been used. Only the last sign-up of an address waits. A person who is recorded with
        another company does not join this one: staff decides.
        """
        table = self.tables.sign_up
        values = {"token": None, "proved": self.now, "name": name, "password": hashed}
        if self._belongs_elsewhere(sign_up):
            values["organization"] = None
        unused = sa.and_(table.c["id"] == sign_up.id, table.c["proved"].is_(None))
        if not self.connection.execute(sa.update(table).where(unused).values(values)).rowcount:
            return None
        others = sa.and_(table.c["email"] == sign_up.email, table.c["id"] != sign_up.id)
        self.connection.execute(sa.delete(table).where(others))
        return self._first(table.c["id"] == sign_up.id)

    def let_in(
        self, sign_up: SignUpRequest, register: Register, profile: str, values: Mapping[str, Any] = MappingProxyType({})
    ) -> Account:
        """Gives access to a waiting person, with the password they chose; `values`: of the account.

        Raises AccessRefusedError, also if the person signs in with another address: a second account would not have
        the limits of the first one, and would outlive it.
        """
        person = register.person_with(sign_up.email)
        if person is not None and find_account_of_person(self.connection, self.tables, person.id) is not None:
            raise AccessRefusedError(f"{person.title} has access already")
        values = {**values, "language": sign_up.language}
        access_request = AccessRequest(
            sign_up.email, profile, sign_up.name, values=values, company=sign_up.organization
        )
        account = register.add(access_request, sign_up.password, must_change=False)
        self.refuse(sign_up)
        return account

    def refuse(self, sign_up: SignUpRequest) -> None:
        """Deletes a waiting sign-up."""
        self.connection.execute(sa.delete(self.tables.sign_up).where(self.tables.sign_up.c["id"] == sign_up.id))

    def waiting(self, identity: Identity, organization: int | None = None) -> list[SignUpRequest]:
        """The sign-ups that wait for the approval of `identity`, the longest first; of one company alone if given."""
        query = sa.select(self.tables.sign_up).where(*self._decided_by(identity.policy)).limit(MOST_SHOWN)
        if organization is not None:
            query = query.where(self.tables.sign_up.c["organization"] == organization)
        rows = self.connection.execute(query.order_by(self.tables.sign_up.c["proved"])).mappings()
        return [_sign_up(row) for row in rows]

    def deciders(self, sign_up: SignUpRequest) -> list[Identity]:
        """Those who may approve a waiting person and may sign in at this moment: all such staff, and people of the
        company."""
        profiles, people = self.tables.declaration.profiles, self.tables.declaration.people
        granting = {
            name
            for name, profile in profiles.items()
            if people and (access := profile.modules.get(people)) and "grant" in access.can
        }
        staff = [name for name in granting if profiles[name].staff]
        accounts = [account for name in staff for account in accounts_of(self.connection, self.tables, profile=name)]
        if sign_up.organization is not None:
            colleagues = accounts_of_company(
                self.connection, system_policy(self.tables), sign_up.organization, MOST_SHOWN
            )
            accounts += [account for account in colleagues if account.profile in granting - set(staff)]
        admitted = [admit(self.connection, self.tables, account, now=self.now) for account in accounts]
        return [
            identity
            for identity in admitted
            if isinstance(identity, Identity) and self.one_waiting(identity, sign_up.id) is not None
        ]

    def one_waiting(self, identity: Identity, sign_up_id: int) -> SignUpRequest | None:
        """One of the sign-ups that wait for the approval of `identity`."""
        return self._first(self.tables.sign_up.c["id"] == sign_up_id, *self._decided_by(identity.policy))

    def count_waiting(self, identity: Identity) -> int:
        """How many sign-ups wait for the approval of `identity`. Needed on each of their pages."""
        policy = identity.policy
        if not policy.grants:
            return 0
        statement = self.tables.statement(
            "all who wait" if policy.staff else "who waits for companies", lambda: self._counting(policy)
        )
        return int(fetch(self.connection, statement, {IDS: list(policy.reader.companies)})[0]["number"])

    def _counting(self, policy: Policy) -> sa.Select[Any]:
        decided = self._decided_by(policy, id_list_parameter())
        return sa.select(sa.func.count().label("number")).select_from(self.tables.sign_up).where(*decided)

    def _decided_by(self, policy: Policy, companies: Any = None) -> list[sa.ColumnElement[bool]]:
        """SQL: staff who may `grant` decide about everyone, others about sign-ups for their own companies.

        `companies`: a parameter for these, in a cached statement.
        """
        sign_up = self.tables.sign_up.c
        if not policy.grants:
            return [sa.false()]
        waits = sign_up["proved"].is_not(None)
        own = sa.literal(list(policy.reader.companies), IdList()) if companies is None else companies
        return [waits] if policy.staff else [waits, AmongIds(sign_up["organization"], own)]

    def _belongs_elsewhere(self, sign_up: SignUpRequest) -> bool:
        try:
            person = Register(self.connection, self.tables, self.now).person_with(sign_up.email)
        except AccessRefusedError:  # several have the address
            return True
        companies = companies_of(self.connection, self.tables, person.id) if person else ()
        return bool(companies) and sign_up.organization not in (companies or ())

    def _first(self, *conditions: sa.ColumnElement[bool]) -> SignUpRequest | None:
        row = self.connection.execute(sa.select(self.tables.sign_up).where(*conditions)).mappings().first()
        return _sign_up(row) if row else None


def _sign_up(row: sa.RowMapping) -> SignUpRequest:
    values = {attribute.name: row[attribute.name] for attribute in fields(SignUpRequest)}
    return SignUpRequest(**{**values, "name": row["name"] or ""})


def password_of_waiting(connection: sa.Connection, tables: Tables, email: str) -> str | None:
    """The password hash of a sign-up with this address that waits for approval."""
    sign_up = tables.sign_up.c
    query = sa.select(sign_up["password"]).where(sign_up["email"] == email, sign_up["proved"].is_not(None))
    return connection.execute(query).scalar()
