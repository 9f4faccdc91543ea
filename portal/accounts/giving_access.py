"""Giving, changing and withdrawing access, for `portal account` and for pages, in the caller's transaction.

The person and the company of an account are ordinary records, made through the records layer by the portal itself.
This file does not check who may do it: see access_rules.py.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.accounts.access_rules import days_problem
from portal.accounts.accounts import Account, find_account, update_account
from portal.accounts.one_time_links import INVITATION, make_link, void_links
from portal.accounts.passkeys import remove_passkeys
from portal.accounts.people_register import AccessRefusedError, AccessRequest, PeopleRegister, readable_name
from portal.accounts.second_factor import remove_second_factor
from portal.accounts.sessions import close_sessions
from portal.declaration.source.suggestions import suggest
from portal.fields.email import is_mail_address, normalize_email
from portal.records.writing.errors import unique_violations_retried
from portal.records.writing.history import add_event

INVITATION_LIFETIME = datetime.timedelta(days=7)


@dataclass
class Register(PeopleRegister):
    """The register of who has access: accounts with their people, added and changed in the name of `author`."""

    def add(self, access_request: AccessRequest, hashed: str | None, must_change: bool) -> Account:
        """Adds an account, and its person and company if they do not exist. Raises AccessRefusedError.

        Without a password the account waits for its invitation to be accepted.
        """
        email = normalize_email(access_request.email)
        self._check_email(email)
        self._check_profile(access_request.profile)
        if find_account(self.connection, self.tables, email) is not None:
            raise AccessRefusedError(f"{email} has access already")
        person = self.person_for(access_request, email)
        row = {
            "email": email,
            "name": access_request.name or (person.title if person else "") or readable_name(email),
            "profile": access_request.profile,
            "person": person.id if person else None,
            "password": hashed,
            "must_change": must_change,
            "disabled": False,
            "created": self.now,
            "news_from": self.now,
            **access_request.values,
        }
        with unique_violations_retried():
            self.connection.execute(sa.insert(self.tables.account).values(row))
        account = self.find(email)
        self._add_event(account, "granted")
        return account

    def invite(self, account: Account) -> str:
        """Makes the link with which an account gets its first password, and voids earlier ones; returns its token."""
        void_links(self.connection, self.tables, account.id)
        self._store(account, {"invited": self.now})
        self._add_event(account, "invited")
        return make_link(self.connection, self.tables, account.id, INVITATION, self.now, INVITATION_LIFETIME)

    def find(self, email: str) -> Account:
        """The account with an address. Raises AccessRefusedError."""
        account = find_account(self.connection, self.tables, email)
        if account is None:
            raise AccessRefusedError(f"{normalize_email(email)} has no access")
        return account

    def change(self, email: str, values: Mapping[str, Any]) -> Account:
        """Changes profile and dates; a disabled account stays disabled."""
        account = self.find(email)
        if "profile" in values:
            self._check_profile(values["profile"])
        if problem := days_problem(
            {"access_from": account.access_from, "access_until": account.access_until, **values}
        ):
            raise AccessRefusedError(problem)
        self._store(account, values)
        self._add_event(account, "granted")
        return self.find(email)

    def change_email(self, email: str, new_email: str) -> Account:
        """Changes the sign-in address, and the person's address if it is the old one.

        Links sent to the old address become void; single sign-on and passkeys of the account no longer work.
        Raises AccessRefusedError.
        """
        account, new = self.find(email), normalize_email(new_email)
        self._check_email(new)
        other = find_account(self.connection, self.tables, new)
        if other is not None and other.id != account.id:
            raise AccessRefusedError(f"{new} has access already")
        with unique_violations_retried():
            remove_passkeys(self.connection, self.tables, account.id)
            self._store(account, {"email": new, "subject": None, "bounces": 0, "bounce_reason": None})
        void_links(self.connection, self.tables, account.id)
        self.change_email_of_person(account, new)
        return self.find(new)

    def disable(self, email: str) -> Account:
        """Disable an account and end its sessions."""
        account = self.find(email)
        self._store(account, {"disabled": True})
        close_sessions(self.connection, self.tables, account.id)
        void_links(self.connection, self.tables, account.id)
        self._add_event(account, "revoked")
        return self.find(email)

    def enable(self, email: str) -> Account:
        """Enable a disabled account; its password stays."""
        account = self.find(email)
        self._store(account, {"disabled": False})
        self._add_event(account, "granted")
        return self.find(email)

    def reset(self, email: str, hashed: str) -> Account:
        """Sets a generated password, which must be changed at the next sign-in, and ends all sessions.

        The login at the identity provider is forgotten: the next one with this address counts. Passkeys are removed.
        """
        account = self.find(email)
        self._store(account, {"password": hashed, "must_change": True, "invited": None, "subject": None})
        remove_passkeys(self.connection, self.tables, account.id)
        close_sessions(self.connection, self.tables, account.id)
        void_links(self.connection, self.tables, account.id)
        return self.find(email)

    def remove_second_factor(self, email: str) -> Account:
        """No longer asks an account for codes, as its person has lost the app. Raises AccessRefusedError."""
        account = self.find(email)
        if account.second_factor is None:
            raise AccessRefusedError(f"{account.email} has no second factor")
        remove_second_factor(self.connection, self.tables, account.id)
        void_links(self.connection, self.tables, account.id)
        self._add_event(account, "second_factor_removed")
        return self.find(email)

    def _store(self, account: Account, values: Mapping[str, Any]) -> None:
        if values:
            update_account(self.connection, self.tables, account.id, values)

    def _add_event(self, account: Account, kind: str) -> None:
        """Adds an event about access to the history of the person's record."""
        if self.declaration.people is not None and account.person is not None:
            people = self.records(self.declaration.people)
            add_event(people, account.person, kind, self.author)

    def _check_email(self, email: str) -> None:
        if not is_mail_address(email):
            raise AccessRefusedError(f'"{email}" is not an email address that letters can be sent to')

    def _check_profile(self, profile: str) -> None:
        if profile not in self.declaration.profiles:
            known = ", ".join(sorted(self.declaration.profiles))
            hint = suggest(profile, self.declaration.profiles)
            raise AccessRefusedError(f'there is no profile "{profile}"{hint}; there are {known}')
