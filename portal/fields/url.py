"""`url`: a web address. Schemes other than http and https are refused: a link could run a script."""

import re
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field as Key

from portal.fields.refused import Refused
from portal.fields.text import TextLike, at_most
from portal.texts import _

LONGEST = 2000
WITHOUT_SCHEME = re.compile(r"www\.\w", re.IGNORECASE)
HOST_AND_REST = re.compile(r"(https?://[^\s/?#]+)([/?#].*)", re.IGNORECASE)
NOT_ENCODED = re.compile(r"[ <>\"\\^`{|}]")  # the address bar of a browser encodes these, other programs copy them
PATTERN = re.compile(r"https?://[^\s\x00-\x20\x7f<>\"\\^`{|}]+", re.IGNORECASE)


class Url(TextLike):
    """A web address."""

    type: Literal["url"]
    input_type: ClassVar[str] = "url"
    inputmode: ClassVar[str] = "url"
    display: ClassVar[str] = "url"
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("http://127.0.0.1:6543", "http://127.0.0.1:6543", "http://127.0.0.1:6543"),
        (" https://acme.example/a?b=c#d ", "https://acme.example/a?b=c#d", "https://acme.example/a?b=c#d"),
        ("https://acme.example/z a|b", "https://acme.example/z%20a%7Cb", "https://acme.example/z%20a%7Cb"),
        ("www.acme.example/a", "https://www.acme.example/a", "https://www.acme.example/a"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = (
        "acme", "www.", "www.a b", "javascript:alert(1)", "ftp://acme.example", "https://", "https:///path",
        "https://a b.example", "https://user@acme.example", "https://[::1", "https://acme.example:port",
        "data:text/html,x", "https://a.example/\x00", "https://" + "a" * 100_000,
    )  # fmt: skip

    max_length: int | None = Key(None, ge=1, le=LONGEST)

    @property
    def length_limit(self) -> int | None:
        return self.max_length

    def check(self, text: str) -> str:
        """The address, with https:// if it was omitted. Raises Refused for other schemes, and user names."""
        if WITHOUT_SCHEME.match(text):  # as people write it, also in the files that they import
            text = f"https://{text}"
        if parts := HOST_AND_REST.fullmatch(text):
            text = parts[1] + NOT_ENCODED.sub(lambda match: f"%{ord(match[0]):02X}", parts[2])
        if len(text) > LONGEST or not PATTERN.fullmatch(text) or not self._leads_somewhere(text):
            raise Refused(_("Enter an address that starts with https://."))
        return at_most(text, self.max_length or LONGEST)

    def _leads_somewhere(self, text: str) -> bool:
        try:
            parts = urlsplit(text)
            # A name before the host makes an address look like that of another site.
            return bool(parts.hostname) and parts.username is None and (parts.port is None or parts.port > 0)
        except ValueError:
            return False
