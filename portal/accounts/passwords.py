"""Passwords: their hashes (argon2id), which ones are too weak, and generated ones.

Knows no requests. A password is never logged or mailed, and stored only as its hash.
"""

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from portal.texts import _, ngettext

MEMORY = 19_456  # KiB; together with ROUNDS, OWASP's recommendation for argon2id
ROUNDS = 2
SHORTEST = 10
LONGEST = 1_000
# Without letters and digits that look alike.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
COMMONEST = frozenset(
    """
    1234567890 0123456789 0987654321 1234512345 1111111111 0000000000 12345678910 123456789a 123456789q 1q2w3e4r5t
    1qaz2wsx3edc q1w2e3r4t5 qwertyuiop qwerty12345 qwerty123456 qwertyuiop123 asdfghjkl1 zxcvbnm123 abcdefghij
    abc1234567 abcd123456 password12 password123 password1234 passw0rd123 passwordpassword iloveyou12 iloveyou123
    letmein123 letmeinnow welcome123 welcome1234 administrator changeme123 changemenow football123 baseball123
    sunshine123 princess123 superman123 monkey12345 dragon12345 trustno1trustno1 haslo12345 zaq12wsxcde3 passwort123
    motdepasse1 contraseña password01 qazwsxedcrfv secret12345 mypassword
    """.split()  # noqa: SIM905 - a list of 50 strings is harder to read
)


class Passwords:
    """Makes and verifies hashes; without a hash, the work is the same, so that the timing reveals nothing."""

    def __init__(self, memory: int = MEMORY, rounds: int = ROUNDS) -> None:
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory, parallelism=1)
        self._decoy = self._hasher.hash(secrets.token_urlsafe(16))

    def hash(self, password: str) -> str:
        """The hash of a password, to store."""
        return self._hasher.hash(_normalize(password))

    def match(self, hashed: str | None, password: str) -> bool:
        """Whether `password` matches `hashed`; always False for None, after the same time."""
        try:
            same = self._hasher.verify(hashed or self._decoy, _normalize(password[:LONGEST]))
        except (Argon2Error, InvalidHashError):
            return False
        return same and hashed is not None

    def outdated(self, hashed: str) -> bool:
        """Whether a hash was made with other parameters than the current ones."""
        return self._hasher.check_needs_rehash(hashed)


def password_weakness(password: str, email: str) -> str | None:
    """Why a new password is too weak, as a sentence; None if it is not."""
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


def random_password() -> str:
    """A random password that can be read aloud: four groups of four characters, about 79 bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _letter in range(4)) for _group in range(4))


def _normalize(password: str) -> bytes:
    """The password as bytes; “é” typed as one character or as two is the same password."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace")
