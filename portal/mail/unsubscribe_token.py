"""The token in a letter that lets its recipient unsubscribe without signing in (RFC 8058).

It allows nothing else.
"""

import base64
import binascii
import hashlib
import hmac
import struct

ACCOUNT = struct.Struct(">I")


def unsubscribe_token(key: bytes, account_id: int) -> str:
    """The token of an account; `key` is that of the portal (accounts/keys_and_tokens.py)."""
    return base64.urlsafe_b64encode(ACCOUNT.pack(account_id) + _proof(key, account_id)).decode("ascii").rstrip("=")


def read_unsubscribe_token(key: bytes, token: str) -> int | None:
    """The id of the account that a token is for; None if this portal did not make it."""
    if not token.isascii():
        return None
    try:
        content = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    if len(content) != ACCOUNT.size + hashlib.sha256().digest_size:
        return None
    (account_id,) = ACCOUNT.unpack(content[: ACCOUNT.size])
    return account_id if hmac.compare_digest(_proof(key, account_id), content[ACCOUNT.size :]) else None


def _proof(key: bytes, account_id: int) -> bytes:
    return hmac.new(key, f"unsubscribe {account_id}".encode(), hashlib.sha256).digest()
