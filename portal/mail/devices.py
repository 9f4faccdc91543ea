"""What a device calls itself, as one of a few known names: what it sends is anybody's text, and would go into letters.

A browser that names several (Edge names Chrome, Chrome names Safari) is the first of the list that it names.
"""

from dataclasses import dataclass

BROWSERS = {
    "Edg": "Edge", "OPR/": "Opera", "SamsungBrowser": "Samsung Internet", "Firefox/": "Firefox", "FxiOS": "Firefox",
    "CriOS": "Chrome", "Chrome/": "Chrome", "Safari/": "Safari",
}  # fmt: skip
SYSTEMS = {
    "iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "CrOS": "ChromeOS",
    "Mac OS X": "macOS", "Linux": "Linux",
}  # fmt: skip


@dataclass(frozen=True)
class Device:
    """A browser and the system that it runs on; empty where they are not known."""

    browser: str = ""
    system: str = ""


def device_name(user_agent: str) -> Device:
    """The device of a User-Agent header."""
    browser = next((name for sign, name in BROWSERS.items() if sign in user_agent), "")
    return Device(browser, next((name for sign, name in SYSTEMS.items() if sign in user_agent), ""))
