"""Random words that open something once or for a while: sessions and one-time links.

The database keeps only their hash, so that a copy of the database opens nothing.
"""

import hashlib
import secrets


def new_token() -> str:
    """256 random bits, for a cookie or an address."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """What the database keeps of a token. A random token needs no slow hash: there is nothing to guess."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
