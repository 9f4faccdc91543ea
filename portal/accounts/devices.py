"""Known devices: browsers from which an account has signed in before, recognized by a signed cookie; and names of
devices.

A stranger's wrong passwords count against their network and the address that they try. A sign-in from a known device
counts against the device alone, so that others cannot lock its person out. The signing key is the hash of the account's
password: nothing is stored, and a new password makes all devices unknown.

A device can send any text as its name, and names appear in letters: so it is mapped to one of a few known names. A
browser that names several (Edge names Chrome, Chrome names Safari) is the first in the list that it names.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

NUMBER_LENGTH, SIGNATURE_LENGTH = 32, 64  # characters
TOKEN_LENGTH = NUMBER_LENGTH + SIGNATURE_LENGTH
MOST_TOKENS = 4  # accounts that sign in from the same browser
COOKIE = re.compile(rf"([0-9a-f]{{{TOKEN_LENGTH}}}){{1,{MOST_TOKENS}}}")

BROWSERS = {
    "Edg": "Edge", "OPR/": "Opera", "SamsungBrowser": "Samsung Internet", "Firefox/": "Firefox", "FxiOS": "Firefox",
    "CriOS": "Chrome", "Chrome/": "Chrome", "Safari/": "Safari",
}  # fmt: skip
SYSTEMS = {
    "iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "CrOS": "ChromeOS",
    "Mac OS X": "macOS", "Linux": "Linux",
}  # fmt: skip


def device_of(cookie: str | None, account_id: int | None, hashed: str | None) -> str | None:
    """The number of a device known to the account whose password hash is `hashed`; None for an unknown device."""
    for token in _tokens(cookie):
        number, signature = token[:NUMBER_LENGTH], token[NUMBER_LENGTH:]
        if hashed is not None and hmac.compare_digest(_signature(number, account_id, hashed), signature):
            return number
    return None


def remember_device(cookie: str | None, account_id: int, hashed: str) -> str:
    """The cookie for a browser in which the account with the password hash `hashed` has just signed in."""
    known = device_of(cookie, account_id, hashed)
    number = known or secrets.token_hex(NUMBER_LENGTH // 2)
    others = [token for token in _tokens(cookie) if not token.startswith(number)]
    return "".join([number + _signature(number, account_id, hashed), *others][:MOST_TOKENS])


def _tokens(cookie: str | None) -> list[str]:
    if not cookie or not COOKIE.fullmatch(cookie):
        return []
    return [cookie[start : start + TOKEN_LENGTH] for start in range(0, len(cookie), TOKEN_LENGTH)]


def _signature(number: str, account_id: int | None, hashed: str) -> str:
    return hmac.new(hashed.encode(), f"device {number} {account_id}".encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Device:
    """A browser and its operating system; empty if unknown."""

    browser: str = ""
    system: str = ""


def device_name(user_agent: str) -> Device:
    """The name of a device from its User-Agent header: one of a few known browsers and systems."""
    browser = next((name for sign, name in BROWSERS.items() if sign in user_agent), "")
    return Device(browser, next((name for sign, name in SYSTEMS.items() if sign in user_agent), ""))
