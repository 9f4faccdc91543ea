"""Signing in, changing a password, asking for a new one: what the pages and the commands do with an account.

Same answer and same work for known and unknown addresses. The slow hashing is done outside of transactions, so that
nobody waits for it; attempts are counted in transactions of their own, because a refused request is rolled back.
"""

import datetime
from dataclasses import dataclass

import sqlalchemy as sa

from portal.accounts import attempts
from portal.accounts.one_time_links import find_link, make_link, use_link, void_links
from portal.accounts.passwords import Passwords, weakness
from portal.accounts.people import Account, find_account, load_account, normalize_email, password_of, refusal
from portal.accounts.random_tokens import new_token
from portal.accounts.sessions import close_session, close_sessions, open_session
from portal.database.engine import reading, writing
from portal.database.schema.tables import Tables
from portal.declaration.shapes import Declaration
from portal.texts import _

WRONG = _("Incorrect email or password.")
RESET = "reset"  # the purpose of the links that set a new password


@dataclass(frozen=True)
class SignInAttempt:
    """What somebody typed to sign in, and from where."""

    email: str
    password: str
    network: str
    remember: bool = False
    language: str | None = None  # chosen before signing in, kept from then on
    old_session: str | None = None  # the cookie that the browser came with


@dataclass(frozen=True)
class SignedIn:
    """A new session: its cookie's value, for how many seconds the browser keeps it (None: until it is closed)."""

    account: Account
    token: str
    keep: int | None


@dataclass(frozen=True)
class Logins:
    """The accounts of one portal."""

    engine: sa.Engine
    tables: Tables
    passwords: Passwords

    @property
    def declaration(self) -> Declaration:
        """What the tables were made from."""
        return self.tables.declaration

    def sign_in(self, attempt: SignInAttempt, now: datetime.datetime) -> SignedIn | str:
        """A session, or one sentence that says why not. Raises TooOften."""
        email = normalize_email(attempt.email)
        place = f"{email} {attempt.network}"
        with writing(self.engine) as connection:
            attempts.check(connection, self.tables, attempts.SIGN_IN, place, now)
            attempts.check(connection, self.tables, attempts.SIGN_IN_NETWORK, attempt.network, now)
        with reading(self.engine) as connection:
            account = find_account(connection, self.tables, email)
            hashed = password_of(connection, self.tables, account.id if account else None)
        if not self.passwords.match(hashed, attempt.password):
            return WRONG
        return self._open(account, hashed, attempt, place, now)

    def _open(
        self, account: Account, hashed: str, attempt: SignInAttempt, place: str, now: datetime.datetime
    ) -> SignedIn | str:
        days = self.declaration.settings.remember_days if attempt.remember else None
        better = self.passwords.hash(attempt.password) if self.passwords.outdated(hashed) else hashed
        table = self.tables.account
        with writing(self.engine) as connection:
            attempts.forgive(connection, self.tables, attempts.SIGN_IN, place, now)
            attempts.uncount(connection, self.tables, attempts.SIGN_IN_NETWORK, attempt.network, now)
            why = refusal(connection, self.tables, account, now)
            if why is not None:
                return why
            # Found by the hash that was compared: a password changed in the meantime lets nobody in.
            mine = sa.and_(table.c["id"] == account.id, table.c["password"] == hashed)
            language = attempt.language or account.language
            changed = connection.execute(sa.update(table).where(mine).values(password=better, language=language))
            if not changed.rowcount:
                return WRONG
            if attempt.old_session:
                close_session(connection, self.tables, attempt.old_session)
            token = open_session(connection, self.tables, account.id, now, days)
        return SignedIn(account, token, None if days is None else days * 86_400)

    # -- passwords ------------------------------------------------------------------------------------------------

    def knows(self, account: Account, password: str, now: datetime.datetime) -> bool:
        """Whether `password` is the account's present one. Raises TooOften."""
        with writing(self.engine) as connection:
            attempts.check(connection, self.tables, attempts.CURRENT_PASSWORD, str(account.id), now)
        with reading(self.engine) as connection:
            hashed = password_of(connection, self.tables, account.id)
        return self.passwords.match(hashed, password)

    def objection(self, account: Account, new: str) -> str | None:
        """Why `new` cannot be this account's next password; None when it can."""
        weak = weakness(new, account.email)
        if weak is not None:
            return weak
        with reading(self.engine) as connection:
            hashed = password_of(connection, self.tables, account.id)
        same = hashed is not None and self.passwords.match(hashed, new)
        return _("Choose a password that differs from your current one.") if same else None

    def save_password(self, connection: sa.Connection, account: int, hashed: str, must_change: bool = False) -> None:
        """A new password: everybody who is signed in with the old one is signed out, links that were sent are void."""
        table = self.tables.account
        values = {"password": hashed, "must_change": must_change}
        connection.execute(sa.update(table).where(table.c["id"] == account).values(values))
        close_sessions(connection, self.tables, account)
        void_links(connection, self.tables, account)

    # -- one-time links -------------------------------------------------------------------------------------------

    def ask_reset(
        self, connection: sa.Connection, email: str, network: str, now: datetime.datetime
    ) -> tuple[Account, str] | None:
        """The account and the token of a new link; None where no letter may be sent. Raises TooOften for a network."""
        attempts.check(connection, self.tables, attempts.RESET_NETWORK, network, now)
        number = attempts.count(connection, self.tables, attempts.RESET, normalize_email(email), now)
        account = find_account(connection, self.tables, email)
        if account is None or number > attempts.RESET.most:
            return None
        if refusal(connection, self.tables, account, now) is not None:
            return None
        return account, make_link(connection, self.tables, account.id, RESET, now)

    def reset_account(self, token: str, now: datetime.datetime) -> Account | None:
        """Whose password a link sets; the link stays as it is."""
        with reading(self.engine) as connection:
            found = find_link(connection, self.tables, token, RESET, now)
            account = None if found is None else load_account(connection, self.tables, found)
            if account and refusal(connection, self.tables, account, now) is None:
                return account
        return None

    def reset_password(self, connection: sa.Connection, token: str, hashed: str, now: datetime.datetime) -> bool:
        """Use a link up for a new password; False when it has been used in the meantime."""
        account = use_link(connection, self.tables, token, RESET, now)
        if account is not None:
            self.save_password(connection, account, hashed)
        return account is not None


def decoy() -> tuple[Account, str]:
    """Whom a letter is written to that nobody gets: so that writing it takes as long for an unknown address."""
    return Account(0, "nobody@localhost.invalid", "", ""), new_token()
