"""The values of plain scalars."""

import math

import pytest

from portal.declaration.source.yaml_reader import read


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("tRUE", "tRUE"),
        ("0", 0),
        ("-12", -12),
        ("+3", 3),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("1.10", 1.1),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("-.inf", -math.inf),
        (".", "."),
        ("-", [None]),
        ("1.2.3", "1.2.3"),
        ("12:30", "12:30"),
        ("1:30:20", "1:30:20"),
        ("2024-03-05", "2024-03-05"),
        ("2024-03-05T14:30:00Z", "2024-03-05T14:30:00Z"),
        ("25 MB", "25 MB"),
        ("-modified", "-modified"),
        ("$service", "$service"),
        ("=", "="),
        ('"true"', "true"),
        ("'1'", "1"),
        ("9" * 5000, "9" * 5000),
        ("١٢", "١٢"),
    ],
)
def test_plain_scalars_are_those_of_yaml_1_2(written, value):
    document = read(f"key:\n  {written}\n".encode(), "modules.yaml")
    assert document.data == {"key": value}
    assert type(document.data["key"]) is type(value)
    assert document.problems == []


def test_not_a_number_is_read():
    assert math.isnan(read(b"a: .nan", "modules.yaml").data["a"])
