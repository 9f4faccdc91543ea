"""Passwords: hashed with argon2id, how weak is too weak, and those that the portal makes itself.

Knows neither accounts nor requests. A password is never logged, mailed or kept in another form than its hash.
"""

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from portal.texts import _, ngettext

MEMORY = 19_456  # KiB; with ROUNDS what OWASP advises for argon2id
ROUNDS = 2
SHORTEST = 10
LONGEST = 1_000
# No letters and digits that look alike.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
COMMONEST = frozenset(
    [
        "1234567890",
        "0123456789",
        "0987654321",
        "1234512345",
        "1111111111",
        "0000000000",
        "12345678910",
        "123456789a",
        "123456789q",
        "1q2w3e4r5t",
        "1qaz2wsx3edc",
        "q1w2e3r4t5",
        "qwertyuiop",
        "qwerty12345",
        "qwerty123456",
        "qwertyuiop123",
        "asdfghjkl1",
        "zxcvbnm123",
        "abcdefghij",
        "abc1234567",
        "abcd123456",
        "password12",
        "password123",
        "password1234",
        "passw0rd123",
        "passwordpassword",
        "iloveyou12",
        "iloveyou123",
        "letmein123",
        "letmeinnow",
        "welcome123",
        "welcome1234",
        "administrator",
        "changeme123",
        "changemenow",
        "football123",
        "baseball123",
        "sunshine123",
        "princess123",
        "superman123",
        "monkey12345",
        "dragon12345",
        "trustno1trustno1",
        "haslo12345",
        "zaq12wsxcde3",
        "passwort123",
        "motdepasse1",
        "contraseña",
        "password01",
        "qazwsxedcrfv",
        "secret12345",
        "mypassword",
    ]
)


class Passwords:
    """Makes and compares hashes; without a hash the same work is done, so that nobody can tell by the time."""

    def __init__(self, memory: int = MEMORY, rounds: int = ROUNDS) -> None:
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory, parallelism=1)
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))

    def hash(self, password: str) -> str:
        """What the database keeps."""
        return self._hasher.hash(_same_everywhere(password))

    def match(self, hashed: str | None, password: str) -> bool:
        """Whether `password` is the one of `hashed`; never for None, which takes as long."""
        try:
            same = self._hasher.verify(hashed or self._nobody, _same_everywhere(password[:LONGEST]))
        except (Argon2Error, InvalidHashError):
            return False
        return same and hashed is not None

    def outdated(self, hashed: str) -> bool:
        """Whether a hash was made with other parameters than are used now."""
        return self._hasher.check_needs_rehash(hashed)


def weakness(password: str, email: str) -> str | None:
    """Why a new password cannot be taken, in one sentence; None when it can."""
    folded = password.casefold()
    if len(password) < SHORTEST:
        return ngettext("Use at least ${number} character.", "Use at least ${number} characters.", SHORTEST)
    if len(password) > LONGEST:
        return ngettext("Use at most ${number} character.", "Use at most ${number} characters.", LONGEST)
    if folded in (email.casefold(), email.casefold().partition("@")[0]):
        return _("Do not use your email address as your password.")
    if folded in COMMONEST or len(set(folded)) < 4:
        return _("This password is too easy to guess.")
    return None


def generated() -> str:
    """A random password that can be read out: four groups of four, about 79 bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _letter in range(4)) for _group in range(4))


def _same_everywhere(password: str) -> bytes:
    """Keyboards write “é” as one character or as two: both are the same password."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace")
