"""Random tokens of sessions, one-time links and devices; and the key with which the portal signs what it mails.

The database stores only hashes of the tokens, so that a copy of it opens nothing. The key signs reply addresses and
links without a sign-in. It is made when first needed and kept in the database: every process has the same one. Anyone
with a copy of the database can sign; a signature therefore opens no page and is checked again where it is used.
"""

import hashlib
import secrets

import sqlalchemy as sa

from portal.database.insert import insert_into
from portal.database.schema.tables import Tables
from portal.fields.refused import Refused, storable
from portal.fields.text import at_most
from portal.texts import Words, _, is_blank

KEY_ID = 1  # the id of the only row


def new_token() -> str:
    """A new token: 256 random bits, for a cookie or an address."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """The hash that the database stores. A random token cannot be guessed, so a fast hash suffices."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def portal_key(connection: sa.Connection, tables: Tables) -> bytes:
    """The portal's key; `connection` must be able to write, as the first call makes the key."""
    if (key := find_portal_key(connection, tables)) is not None:
        return key
    insert = insert_into(connection, tables.key).values(id=KEY_ID, secret=secrets.token_hex(32))
    connection.execute(insert.on_conflict_do_nothing(index_elements=["id"]))
    return bytes.fromhex(connection.execute(sa.select(tables.key.c["secret"])).scalar_one())


def find_portal_key(connection: sa.Connection, tables: Tables) -> bytes | None:
    """The portal's key; None if nothing has been signed yet."""
    secret = connection.execute(sa.select(tables.key.c["secret"])).scalar()
    return None if secret is None else bytes.fromhex(secret)


def name_error(name: str, longest: int) -> Words:
    """Why a passkey or a token cannot have this name; empty if it can."""
    try:
        return _("Enter a name.") if is_blank(at_most(storable(name), longest)) else ""
    except Refused as refused:
        return refused.message
