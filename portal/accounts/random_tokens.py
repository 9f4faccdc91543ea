"""Random tokens: of sessions, one-time links and devices.

The database stores only their hashes, so that a copy of it opens nothing.
"""

import hashlib
import secrets


def new_token() -> str:
    """256 random bits, for a cookie or an address."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """The hash that the database stores. A random token cannot be guessed, so that a fast hash suffices."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
