"""`ip`: an IP address, or a range in CIDR notation, as Python's `ipaddress` reads and writes them, or from one address
to another.

A companion column holds each as a text of fixed length, so that addresses sort and compare like numbers.
"""

import ipaddress
from typing import Any, ClassVar, Literal

import sqlalchemy as sa

from portal.fields.base import Field
from portal.fields.column_types import NORMALIZE, folded_text
from portal.fields.comparisons import ORDER
from portal.fields.reader import Reader
from portal.fields.refused import Refused
from portal.fields.text import TextLike
from portal.texts import _

LONGEST = 90  # characters
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface
RANGES = ("min", "max", "before", "after")


def _read(text: str) -> Interface | None:
    """The IP address and the range that a text means; None if it is neither. A zone such as %eth0 is not accepted."""
    try:
        return None if len(text) > LONGEST or "%" in text else ipaddress.ip_interface(text)
    except ValueError:
        return None


def _from_to(text: str) -> tuple[Address, Address] | None:
    """The first and the last IP address of 10.0.0.1-10.0.0.9; None for other texts."""
    parts = [_read(part.strip()) for part in text.split("-")] if len(text) <= LONGEST and "/" not in text else []
    if len(parts) != 2 or parts[0] is None or parts[1] is None:
        return None
    first, last = parts[0].ip, parts[1].ip
    return (first, last) if first.version == last.version and int(first) <= int(last) else None


def _shortest(text: str) -> str | None:
    """An IP address or a range in its shortest form, in CIDR notation if possible; None for other texts."""
    if ends := _from_to(text):
        networks = list(ipaddress.summarize_address_range(*ends))
        address = ipaddress.ip_interface(str(networks[0])) if len(networks) == 1 else None
        return _written(address) if address else f"{ends[0]}-{ends[1]}"
    address = _read(text)
    return _written(address) if address else None


def _written(address: Interface) -> str:
    whole = address.network.prefixlen == address.max_prefixlen
    return str(address.ip) if whole else str(address)


def _key(version: int, number: int, prefix: int) -> str:
    """The sort key: IPv4 before IPv6, then by number; a range before the addresses in it."""
    return f"{version}:{number:0{8 if version == 4 else 32}x}/{prefix:03}"


def _first_key(first: Address, last: Address) -> str:
    """The least key within a range: that of the largest network that starts there and fits in."""
    return _key(first.version, int(first), first.max_prefixlen - (int(last) - int(first) + 1).bit_length() + 1)


def sort_key(text: str) -> str:
    """The text by which an address or a range sorts; for anything else, the text itself."""
    if ends := _from_to(text):
        return f"{_first_key(*ends)}-{_key(ends[1].version, int(ends[1]), 0)}"
    address = _read(text)
    return _key(address.version, int(address.ip), address.network.prefixlen) if address else text


def _ends(text: Any) -> tuple[str, str] | None:
    """The least and the greatest sort key within a range of IP addresses such as 10.0.0.0/8; None for other texts."""
    if ends := _from_to(str(text)):
        return _first_key(*ends), _key(ends[1].version, int(ends[1]), ends[1].max_prefixlen)
    network = address.network if "/" in str(text) and (address := _read(str(text))) else None
    if network is None:
        return None
    first, last = int(network.network_address), int(network.broadcast_address)
    return _key(network.version, first, network.prefixlen), _key(network.version, last, network.max_prefixlen)


class Ip(TextLike):
    """An IP address, or a range of them such as 10.0.0.0/8 or 10.0.0.1-10.0.0.9."""

    type: Literal["ip"]
    from_column: ClassVar[bool] = False
    taken: ClassVar[str] = Field.taken  # there are no accents
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("9.255.0.1", "9.255.0.1", "9.255.0.1"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.1 - 10.0.0.9", "10.0.0.1-10.0.0.9", "10.0.0.1-10.0.0.9"),
        (" 10.0.0.2/32 ", "10.0.0.2", "10.0.0.2"),
        ("10.0.1.0-10.0.1.255", "10.0.1.0/24", "10.0.1.0/24"),
        ("192.168.1.7/24", "192.168.1.7/24", "192.168.1.7/24"),
        ("2001:db8::1-2001:DB8::a", "2001:db8::1-2001:db8::a", "2001:db8::1-2001:db8::a"),
        ("2001:DB8:0::0001", "2001:db8::1", "2001:db8::1"),
        ("fd00::/8", "fd00::/8", "fd00::/8"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = (
        "10.0.0.9-10.0.0.1", "10.0.0.1-::2", "10.0.0.1-", "10.0.0.0/8-10.0.0.9",
        "10.0.0", "256.1.1.1", "010.0.0.1", "10.0.0.1/33", "10.0.0.1-9", "::g", "fe80::1%eth0", "localhost",
        "10.0.0.1\x00", "1" * 100_000,
    )  # fmt: skip

    @property
    def ranged(self) -> bool:
        return True

    @property
    def key_column(self) -> str:
        return f"_{self.name}_key"

    def columns(self) -> list[sa.Column[Any]]:
        """The text, and its sort key."""
        return [*super().columns(), sa.Column(self.key_column, folded_text(), info={NORMALIZE: sort_key})]

    def store(self, value: Any) -> dict[str, Any]:
        """The text, and its sort key."""
        return {**super().store(value), self.key_column: None if value is None else sort_key(value)}

    def order(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """By number, IPv4 before IPv6."""
        return table.c[self.key_column]

    def check(self, text: str) -> str:
        """The address in its shortest form: 2001:db8::1, without the prefix length if the range is one address."""
        shortest = _shortest(text)
        if shortest is None:
            raise Refused(_("Enter an IP address or range such as 192.0.2.1, 192.0.2.0/24 or 2001:db8::1."))
        return shortest

    def constant(self, raw: Any, reader: Reader) -> str:
        """An address in its shortest form; other texts, such as the beginning of one, unchanged."""
        text = super().constant(raw, reader).strip()
        return _shortest(text) or text

    def bound(self, raw: Any, reader: Reader) -> str:
        """An address or a range. Raises Refused for other texts."""
        return self.check(self.constant(raw, reader))

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """`contains` finds a part of the text, or what is within a range."""
        key = table.c[self.key_column]
        if operator in RANGES:
            return ORDER[operator](key, sort_key(value))
        compared = super().compare(table, operator, value)
        ends = _ends(value) if operator == "contains" else None
        return sa.or_(compared, sa.and_(key >= ends[0], key <= ends[1])) if ends else compared

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        """`contains` finds a part of the text, or what is within a range."""
        if value is not None and operator in RANGES:
            return bool(ORDER[operator](sort_key(value), sort_key(constant)))
        ends = _ends(constant) if operator == "contains" and value is not None else None
        within = ends is not None and ends[0] <= sort_key(value) <= ends[1]
        return within or super().matches(value, operator, constant)

    def near(self, constant: Any) -> tuple[Any, ...]:
        """The address, and those before and after it."""
        address = _read(constant)
        if address is None:
            return (constant,)
        beside = [address.ip + step for step in (-1, 1) if 0 <= int(address.ip) + step < 1 << address.max_prefixlen]
        return (constant, *map(str, beside))
