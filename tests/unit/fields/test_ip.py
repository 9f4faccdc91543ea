"""IP addresses: sorted numerically, and found by their range."""

import pytest

from portal.fields.base import Field
from portal.fields.ip import sort_key
from portal.fields.reader import PLAIN
from portal.fields.refused import Refused

IN_ORDER = [
    "9.0.0.1", "10.0.0.0/8", "10.0.0.2-10.0.0.9", "10.0.0.2", "10.0.0.10", "100.0.0.1",
    "::1", "2001:db8::/32", "2001:db8::a",
]  # fmt: skip


def test_addresses_sort_by_number_and_ranges_before_what_is_in_them():
    assert sorted(reversed(IN_ORDER), key=sort_key) == IN_ORDER


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("10.0.0.0/8", ["10.0.0.0/8", "10.0.0.2-10.0.0.9", "10.0.0.2", "10.0.0.10"]),
        ("10.0.0.7/29", ["10.0.0.2-10.0.0.9", "10.0.0.2"]),  # any address of the range may name it
        ("2001:DB8:0::/32", ["2001:db8::/32", "2001:db8::a"]),
        ("0.0.0.0/0", IN_ORDER[:6]),
        ("10.0.0.2 - 10.0.0.10", ["10.0.0.2-10.0.0.9", "10.0.0.2", "10.0.0.10"]),
        ("10.0.0.1", ["10.0.0.10"]),  # without a range a part of the text
    ],
)
def test_a_range_finds_what_lies_within(typed, found):
    field = Field.types["ip"].model_validate({"name": "x", "type": "ip"})
    constant = field.constant(typed, PLAIN)
    within = [address for address in IN_ORDER if field.matches(address, "contains", constant)]
    assert within == found


def test_a_bound_is_an_address():
    field = Field.types["ip"].model_validate({"name": "x", "type": "ip"})
    assert field.bound("2001:DB8:0::1", PLAIN) == "2001:db8::1"
    with pytest.raises(Refused):
        field.bound("ten", PLAIN)


def test_a_condition_on_addresses_names_the_ends_of_a_range():
    field = Field.types["ip"].model_validate({"name": "x", "type": "ip"})
    assert [address for address in IN_ORDER if field.matches(address, "min", "100.0.0.0")] == IN_ORDER[5:]
    assert field.near("255.255.255.255") == ("255.255.255.255", "255.255.255.254")
