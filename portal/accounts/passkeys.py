"""Passkeys (WebAuthn): created for an account, and verified at sign-in. They count as both factors.

The device asks for a finger, a face or its PIN each time (user verification), and says which site it is talking to.
Each challenge is a one-time link of its own, so that no response of a device counts twice.
"""

import contextlib
import datetime
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from portal.accounts.accounts import Account
from portal.accounts.keys_and_tokens import hash_token, new_token
from portal.database.schema.tables import Tables
from portal.lazy import LazyModule

webauthn = LazyModule("webauthn")
helpers = LazyModule("webauthn.helpers")
exceptions = LazyModule("webauthn.helpers.exceptions")
structs = LazyModule("webauthn.helpers.structs")

CHALLENGE = "passkey"  # the purpose of a challenge among the one-time links
CHALLENGE_LIFETIME = datetime.timedelta(minutes=5)
MOST_PASSKEYS = 20  # of one account
LONGEST_NAME = 60  # characters
LARGEST_CREDENTIAL = 20_000  # characters


@dataclass(frozen=True)
class Site:
    """The site that passkeys are valid for: the portal's host, its address without a path, and its name."""

    host: str
    origin: str
    name: str


@dataclass(frozen=True)
class Passkey:
    """One of an account's passkeys, without its public key."""

    id: int
    name: str
    created: datetime.datetime
    used: datetime.datetime | None


class PasskeyRefusedError(Exception):
    """A device's response is wrong; the message is for the log."""


def passkeys_of(connection: sa.Connection, tables: Tables, account_id: int) -> list[Passkey]:
    """The passkeys of an account, the newest first."""
    table = tables.passkey
    query = sa.select(*[table.c[column.name] for column in fields(Passkey)]).where(table.c["account"] == account_id)
    return [Passkey(**row) for row in connection.execute(query.order_by(table.c["id"].desc())).mappings()]


def rename_passkey(connection: sa.Connection, tables: Tables, account_id: int, passkey_id: int, name: str) -> bool:
    """Renames one of an account's passkeys; False if it has no such passkey."""
    table = tables.passkey
    one = sa.and_(table.c["account"] == account_id, table.c["id"] == passkey_id)
    return bool(connection.execute(sa.update(table).where(one).values(name=name)).rowcount)


def remove_passkey(connection: sa.Connection, tables: Tables, account_id: int, passkey_id: int) -> str | None:
    """Removes one of an account's passkeys; returns its name, None if it has no such passkey."""
    table = tables.passkey
    one = sa.and_(table.c["account"] == account_id, table.c["id"] == passkey_id)
    name: str | None = connection.execute(sa.delete(table).where(one).returning(table.c["name"])).scalar()
    return name


def remove_passkeys(connection: sa.Connection, tables: Tables, account_id: int) -> None:
    """Removes all passkeys of an account."""
    connection.execute(sa.delete(tables.passkey).where(tables.passkey.c["account"] == account_id))


@dataclass(frozen=True)
class Passkeys:
    """The passkeys of one portal, for a browser at its `site`."""

    connection: sa.Connection
    tables: Tables
    site: Site
    now: datetime.datetime

    def creation_options(self, account: Account) -> dict[str, Any]:
        """What a browser needs to create a passkey for an account."""
        table = self.tables.passkey
        query = sa.select(table.c["credential"]).where(table.c["account"] == account.id)
        known = [helpers.base64url_to_bytes(credential) for credential in self.connection.scalars(query)]
        options = webauthn.generate_registration_options(
            rp_id=self.site.host,
            rp_name=self.site.name,
            user_id=_handle(account.id),
            user_name=account.email,
            user_display_name=account.name,
            challenge=self._challenge(account.id),
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.REQUIRED,
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=credential) for credential in known],
        )
        return dict(json.loads(webauthn.options_to_json(options)))

    def request_options(self) -> dict[str, Any]:
        """What a browser needs to use one of its passkeys, whoever owns it."""
        link = self.tables.link
        is_over = sa.and_(link.c["purpose"] == CHALLENGE, link.c["expires"] < self.now)
        self.connection.execute(sa.delete(link).where(is_over))
        options = webauthn.generate_authentication_options(
            rp_id=self.site.host,
            challenge=self._challenge(None),
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        )
        return dict(json.loads(webauthn.options_to_json(options)))

    def add(self, account: Account, credential: str, name: str) -> None:
        """Stores the passkey that a device has created. Raises PasskeyRefusedError."""
        challenge = self._use_challenge(credential, account.id)
        with _refusing():
            verified = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.site.host,
                expected_origin=self.site.origin,
                require_user_verification=True,
            )
        credential, table = helpers.bytes_to_base64url(verified.credential_id), self.tables.passkey
        if self.connection.execute(sa.select(table.c["id"]).where(table.c["credential"] == credential)).first():
            raise PasskeyRefusedError("the passkey is known already")
        row = {
            "account": account.id,
            "credential": credential,
            "public_key": helpers.bytes_to_base64url(verified.credential_public_key),
            "sign_count": verified.sign_count,
            "name": name,
            "created": self.now,
        }
        self.connection.execute(sa.insert(table).values(row))

    def prove(self, credential: str) -> int:
        """The id of the account whose passkey a device has used. Raises PasskeyRefusedError."""
        challenge, table = self._use_challenge(credential, None), self.tables.passkey
        with _refusing():
            given = json.loads(credential)
            handle = helpers.base64url_to_bytes(given["response"]["userHandle"])
            query = sa.select(table).where(table.c["credential"] == str(given["id"]))
            row = self.connection.execute(query).mappings().first()
            if row is None or handle != _handle(row["account"]):
                raise PasskeyRefusedError("the passkey is not known")
            verified = webauthn.verify_authentication_response(
                credential=given,
                expected_challenge=challenge,
                expected_rp_id=self.site.host,
                expected_origin=self.site.origin,
                credential_public_key=helpers.base64url_to_bytes(row["public_key"]),
                credential_current_sign_count=row["sign_count"],
                require_user_verification=True,
            )
        used = {"sign_count": verified.new_sign_count, "used": self.now}
        self.connection.execute(sa.update(table).where(table.c["id"] == row["id"]).values(used))
        return int(row["account"])

    def _challenge(self, account_id: int | None) -> bytes:
        token = new_token()
        expires = self.now + CHALLENGE_LIFETIME
        row = {"token": hash_token(token), "account": account_id, "purpose": CHALLENGE, "expires": expires}
        self.connection.execute(sa.insert(self.tables.link).values(row))
        return helpers.base64url_to_bytes(token)

    def _use_challenge(self, credential: str, account_id: int | None) -> bytes:
        """The challenge that a device has answered; it is used up."""
        with _refusing():
            if len(credential) > LARGEST_CREDENTIAL:
                raise PasskeyRefusedError("the response is too long")
            client_data = helpers.base64url_to_bytes(json.loads(credential)["response"]["clientDataJSON"])
            challenge = helpers.parse_client_data_json(client_data).challenge
        link = self.tables.link.c
        unused = (
            link["token"] == hash_token(helpers.bytes_to_base64url(challenge)),
            link["purpose"] == CHALLENGE,
            link["account"].is_(None) if account_id is None else link["account"] == account_id,
            link["used"].is_(None),
            link["expires"] > self.now,
        )
        if not self.connection.execute(sa.update(self.tables.link).where(*unused).values(used=self.now)).rowcount:
            raise PasskeyRefusedError("the challenge is not known, too old, or answered already")
        return challenge


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """Turns errors of a passkey's response into PasskeyRefusedError: a browser may send anything."""
    try:
        yield
    except (
        exceptions.WebAuthnException, ValueError, KeyError, TypeError, AttributeError, RecursionError,
    ) as error:  # fmt: skip
        raise PasskeyRefusedError(str(error)) from None


def _handle(account_id: int) -> bytes:
    """The name by which a passkey's device knows the account; it reveals nothing about the person."""
    return f"account {account_id}".encode()
