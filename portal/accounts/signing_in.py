"""Signing in with a password, link, code, passkey or identity provider, and changing a password.

The response and the work are the same for known and unknown addresses. Passwords are hashed outside transactions, so
that nobody waits for it; attempts are counted in transactions of their own, since a refused request is rolled back.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.accounts import attempts, sign_ups
from portal.accounts.accounts import (
    Account,
    find_account,
    find_account_of_subject,
    load_account,
    password_of,
    update_account,
)
from portal.accounts.devices import device_of, remember_device
from portal.accounts.identity import NotAdmitted, sign_in_refusal
from portal.accounts.identity_provider import ProvenPerson
from portal.accounts.keys_and_tokens import portal_key
from portal.accounts.link_requests import NO_ONE, forgive_requests, uncount_used_link
from portal.accounts.one_time_links import (
    INVITATION,
    SECOND_FACTOR,
    SIGN_IN,
    find_link,
    make_link,
    use_link,
    void_links,
)
from portal.accounts.passkeys import Passkeys, Site
from portal.accounts.passwords import Passwords, password_weakness
from portal.accounts.second_factor import use_code
from portal.accounts.sessions import close_session, close_sessions, open_session, session_days
from portal.database.engine import reading, writing
from portal.database.schema.tables import Tables
from portal.declaration.declaration import Declaration
from portal.fields.email import normalize_email
from portal.texts import _

WRONG = _("Incorrect email or password.")
WRONG_CODE = _("This code is not correct, or has already been used.")
CODE_LIFETIME = datetime.timedelta(minutes=10)  # within which the code must be entered
UNVERIFIED = _("Your email address at ${name} is not confirmed.")
NO_ACCESS = _("${email} has no access to this portal.")
OTHER_LOGIN = _("${email} is linked to another account at ${name}. Please contact us.")
WAITING = _("Your request has not been approved yet. You will get an email as soon as you can sign in.")


@dataclass(frozen=True)
class SignInAttempt:
    """The inputs of the sign-in form, and their origin."""

    email: str
    password: str
    network: str
    remember: bool = False
    language: str | None = None  # chosen before signing in; stored with the account afterwards
    browser_language: str | None = None  # that of the page, for letters to an account without a chosen one
    old_session: str | None = None  # the browser's previous cookie
    device: str | None = None  # likewise, see devices.py
    agent: str | None = None  # what the browser says it is


@dataclass(frozen=True)
class SignedIn:
    """A new session: the value of its cookie, and its lifetime in seconds (None: until the browser closes)."""

    account: Account
    token: str
    keep: int | None
    device: str  # the value of the device's cookie
    new_device: bool = False  # unknown to the account, which has signed in before


@dataclass(frozen=True)
class CodeNeeded:
    """The password or the link was right, and a second-factor code is required; `token`: of its cookie."""

    token: str


@dataclass(frozen=True)
class Logins:
    """How the accounts of one portal sign in, and change their passwords."""

    engine: sa.Engine
    tables: Tables
    passwords: Passwords

    @property
    def declaration(self) -> Declaration:
        """What the tables were made from."""
        return self.tables.declaration

    def sign_in(self, attempt: SignInAttempt, now: datetime.datetime) -> SignedIn | CodeNeeded | NotAdmitted:
        """A session, or why not. Raises TooManyAttemptsError."""
        with reading(self.engine) as connection:
            account = find_account(connection, self.tables, attempt.email)
            hashed = password_of(connection, self.tables, account.id if account else None)
            waiting = sign_ups.password_of_waiting(connection, self.tables, normalize_email(attempt.email))
        counted = _counted(attempt, device_of(attempt.device, account.id if account else None, hashed))
        with writing(self.engine) as connection:
            for limit, who in counted.items():
                attempts.check_attempt(connection, self.tables, limit, who, now)
        # Also for unknown addresses: it takes as long.
        matches = self.passwords.match(hashed if account else waiting, attempt.password)
        if matches and account is None:
            return NotAdmitted(WAITING)
        if not matches or account is None or hashed is None:
            return NotAdmitted(WRONG)
        return self._open(account, hashed, attempt, counted, now)

    def _open(
        self,
        account: Account,
        hashed: str,
        attempt: SignInAttempt,
        counted: Mapping[attempts.Limit, str],
        now: datetime.datetime,
    ) -> SignedIn | CodeNeeded | NotAdmitted:
        renewed = self.passwords.hash(attempt.password) if self.passwords.outdated(hashed) else hashed
        table = self.tables.account
        with writing(self.engine) as connection:
            for limit, who in counted.items():
                take_back = attempts.uncount_attempt if limit == attempts.SIGN_IN_NETWORK else attempts.forgive_attempts
                take_back(connection, self.tables, limit, who, now)
            if refusal := sign_in_refusal(connection, self.tables, account, now):
                return refusal
            # Only with the hash that was verified: the password may have been changed in the meantime.
            unchanged = sa.and_(table.c["id"] == account.id, table.c["password"] == hashed)
            values = {"password": renewed}
            if account.second_factor is None:
                values |= _signed_in_values(account, attempt, now)
            updated = connection.execute(sa.update(table).where(unchanged).values(values))
            if not updated.rowcount:
                return NotAdmitted(WRONG)
            if account.second_factor:
                return self.ask_for_code(connection, account, now)
            return self._open_session(connection, account, attempt, (hashed, renewed), now)

    def ask_for_code(self, connection: sa.Connection, account: Account, now: datetime.datetime) -> CodeNeeded:
        """For an account with a second factor, after the password or a link: what it gets instead of a session."""
        return CodeNeeded(make_link(connection, self.tables, account.id, SECOND_FACTOR, now, CODE_LIFETIME))

    def _open_session(
        self,
        connection: sa.Connection,
        account: Account,
        attempt: SignInAttempt,
        secrets: tuple[str, str],
        now: datetime.datetime,
    ) -> SignedIn:
        """A session that replaces the browser's previous one; `secrets` sign its device: the previous and the new."""
        if attempt.old_session:
            close_session(connection, self.tables, attempt.old_session)
        days = session_days(self.declaration) if attempt.remember else None
        token = open_session(connection, self.tables, account.id, now, days, attempt.agent)
        before, from_now = secrets
        known = device_of(attempt.device, account.id, before)
        is_new = account.signed_in is not None and known is None
        origins = [attempt.network] if known is None else [attempt.network, known]
        forgive_requests(connection, self.tables, account, origins, now)
        device = remember_device(attempt.device, account.id, from_now)
        return SignedIn(account, token, None if days is None else days * 86_400, device, is_new)

    def note_first_sign_in(
        self, connection: sa.Connection, account_id: int, language: str, now: datetime.datetime
    ) -> None:
        """Notes the first sign-in after an invitation or a sign-up: from then on, the person is notified of unknown
        devices. `language`: of the page."""
        update_account(connection, self.tables, account_id, {"signed_in": now, "browser_language": language})

    def device_secret(self, connection: sa.Connection, hashed: str | None) -> str:
        """The secret that signs the devices of an account; `hashed`: of its password, None if it only uses links."""
        return hashed or portal_key(connection, self.tables).hex()

    # -- passwords ------------------------------------------------------------------------------------------------

    def has_password(self, account: Account) -> bool:
        """Whether an account signs in with a password."""
        with reading(self.engine) as connection:
            hashed = password_of(connection, self.tables, account.id)
        return hashed is not None and self.declaration.uses_passwords

    def is_current_password(self, account: Account, password: str, now: datetime.datetime) -> bool:
        """Whether `password` is the account's. Raises TooManyAttemptsError."""
        limit, who = attempts.CURRENT_PASSWORD, str(account.id)
        with writing(self.engine) as connection:
            attempts.check_attempt(connection, self.tables, limit, who, now)
            hashed = password_of(connection, self.tables, account.id)
        is_right = self.passwords.match(hashed, password)
        if is_right:
            with writing(self.engine) as connection:
                attempts.forgive_attempts(connection, self.tables, limit, who, now)
        return is_right

    def new_password_error(self, account: Account, new: str) -> str | None:
        """Why `new` cannot be this account's new password; None if it can."""
        weak = password_weakness(new, account.email)
        if weak is not None:
            return weak
        with reading(self.engine) as connection:
            hashed = password_of(connection, self.tables, account.id)
        same = hashed is not None and self.passwords.match(hashed, new)
        return _("Choose a password that differs from your current one.") if same else None

    def save_password(self, connection: sa.Connection, account_id: int, hashed: str | None) -> None:
        """Saves a new password: all sessions of the account end, and its one-time links become void."""
        values = {"password": hashed, "must_change": False, "invited": None}
        update_account(connection, self.tables, account_id, values)
        close_sessions(connection, self.tables, account_id)
        void_links(connection, self.tables, account_id)

    # -- one-time links -------------------------------------------------------------------------------------------

    def account_of_link(self, token: str, purpose: str, now: datetime.datetime) -> Account | None:
        """The account that a link is for, if it may sign in; the link stays valid.

        Invited people may also choose a password before the first day of their access.
        """
        with reading(self.engine) as connection:
            account_id = find_link(connection, self.tables, token, purpose, now)
            account = None if account_id is None else load_account(connection, self.tables, account_id)
            if account and (purpose == INVITATION or sign_in_refusal(connection, self.tables, account, now) is None):
                return account
        return None

    def set_password(
        self, connection: sa.Connection, token: str, purpose: str, hashed: str | None, now: datetime.datetime
    ) -> bool:
        """Uses up a link for a new password; False if it has already been used."""
        account_id = use_link(connection, self.tables, token, purpose, now)
        if account_id is not None:
            self.save_password(connection, account_id, hashed)
        return account_id is not None

    def sign_in_by_link(
        self, token: str, attempt: SignInAttempt, now: datetime.datetime
    ) -> SignedIn | CodeNeeded | NotAdmitted | None:
        """A session for an emailed link, which is used up; or why not; None for a void link."""
        with writing(self.engine) as connection:
            account_id = use_link(connection, self.tables, token, SIGN_IN, now)
            account = None if account_id is None else load_account(connection, self.tables, account_id)
            if account is None:
                return None
            uncount_used_link(connection, self.tables, account, attempt.network, now)
            return self._enter(connection, account, attempt, now)

    def _enter(
        self, connection: sa.Connection, account: Account, attempt: SignInAttempt, now: datetime.datetime
    ) -> SignedIn | CodeNeeded | NotAdmitted:
        """A session for a person who has proved one factor other than the password, or why not."""
        if refusal := sign_in_refusal(connection, self.tables, account, now):
            return refusal
        if account.second_factor:
            return self.ask_for_code(connection, account, now)
        return self._open_without_password(connection, account, attempt, now)

    def _open_without_password(
        self, connection: sa.Connection, account: Account, attempt: SignInAttempt, now: datetime.datetime
    ) -> SignedIn:
        update_account(connection, self.tables, account.id, _signed_in_values(account, attempt, now))
        secret = self.device_secret(connection, password_of(connection, self.tables, account.id))
        return self._open_session(connection, account, attempt, (secret, secret), now)

    # -- the identity provider ------------------------------------------------------------------------------------

    def sign_in_by_provider(
        self, person: ProvenPerson, attempt: SignInAttempt, now: datetime.datetime
    ) -> SignedIn | CodeNeeded | NotAdmitted:
        """A session for a person proved by the identity provider, or why not.

        Their account is the one they used before, or the first time with this provider the one with their address.
        """
        with writing(self.engine) as connection:
            account = find_account_of_subject(connection, self.tables, person.subject)
            is_known = account is not None
            if account is None:
                if not person.email:
                    return NotAdmitted(_(UNVERIFIED, mapping={"name": person.provider}))
                account = find_account(connection, self.tables, person.email)
            if account is None:
                return NotAdmitted(_(NO_ACCESS, mapping={"email": person.email}))
            if not is_known and not person.may_take_over(account.subject):
                return NotAdmitted(_(OTHER_LOGIN, mapping={"email": person.email, "name": person.provider}))
            if not is_known and sign_in_refusal(connection, self.tables, account, now) is None:
                account = self._bind(connection, account, person.subject)
            return self._enter(connection, account, attempt, now)

    def _bind(self, connection: sa.Connection, account: Account, subject: str) -> Account:
        """The account, bound to the provider's person from now on. Links to set its password become void, and so does a
        password that was generated and never changed."""
        values: dict[str, Any] = {"subject": subject, "invited": None}
        if account.must_change:
            values |= {"password": None, "must_change": False}
        update_account(connection, self.tables, account.id, values)
        void_links(connection, self.tables, account.id)
        return load_account(connection, self.tables, account.id) or account

    # -- passkeys -------------------------------------------------------------------------------------------------

    def sign_in_by_passkey(
        self, credential: str, site: Site, attempt: SignInAttempt, now: datetime.datetime
    ) -> SignedIn | NotAdmitted:
        """A session for a passkey, which counts as both factors, or why not. Raises PasskeyRefusedError."""
        with writing(self.engine) as connection:
            account_id = Passkeys(connection, self.tables, site, now).prove(credential)
            account = load_account(connection, self.tables, account_id) or NO_ONE
            if refusal := sign_in_refusal(connection, self.tables, account, now):
                return refusal
            return self._open_without_password(connection, account, attempt, now)

    # -- the second factor ----------------------------------------------------------------------------------------

    def sign_in_by_code(
        self, token: str, code: str, attempt: SignInAttempt, now: datetime.datetime
    ) -> SignedIn | NotAdmitted | None:
        """A session for a code, after the password or an emailed link; or why not; None if it is
        too late and the person has to start over. Raises TooManyAttemptsError.
        """
        with writing(self.engine) as connection:
            account_id = find_link(connection, self.tables, token, SECOND_FACTOR, now)
            account = None if account_id is None else load_account(connection, self.tables, account_id)
            if account is None or account.second_factor is None:
                return None
            if refusal := sign_in_refusal(connection, self.tables, account, now):
                return refusal
            if not self._is_code(connection, account, code, attempt.device, now):
                return NotAdmitted(WRONG_CODE)
            if use_link(connection, self.tables, token, SECOND_FACTOR, now) is None:
                return None
            return self._open_without_password(connection, account, attempt, now)

    def is_current_code(self, account: Account, code: str, device: str | None, now: datetime.datetime) -> bool:
        """Whether `code` is one of the account's second factor; uses it up. Raises TooManyAttemptsError."""
        with writing(self.engine) as connection:
            return self._is_code(connection, account, code, device, now)

    def _is_code(
        self, connection: sa.Connection, account: Account, code: str, device: str | None, now: datetime.datetime
    ) -> bool:
        secret = self.device_secret(connection, password_of(connection, self.tables, account.id))
        who = device_of(device, account.id, secret) or str(account.id)
        attempts.check_attempt(connection, self.tables, attempts.SECOND_FACTOR, who, now)
        is_right = use_code(connection, self.tables, account.id, code, now)
        if is_right:
            attempts.forgive_attempts(connection, self.tables, attempts.SECOND_FACTOR, who, now)
        return is_right


def _signed_in_values(account: Account, attempt: SignInAttempt, now: datetime.datetime) -> dict[str, Any]:
    return {
        "language": attempt.language or account.language,
        "browser_language": attempt.browser_language,
        "signed_in": now,
        "invited": None,
    }


def _counted(attempt: SignInAttempt, device: str | None) -> dict[attempts.Limit, str]:
    """The limits that apply to a sign-in attempt, and whose count it adds to in each."""
    if device is not None:
        return {attempts.SIGN_IN_DEVICE: device}
    who = f"{normalize_email(attempt.email)} {attempt.network}"
    return {attempts.SIGN_IN: who, attempts.SIGN_IN_NETWORK: attempt.network}
