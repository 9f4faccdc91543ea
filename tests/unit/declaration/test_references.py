"""References, made by a pattern and read by it."""

import pytest

from portal.declaration.references import parse_reference, whole_reference


@pytest.mark.parametrize(
    ("pattern", "typed", "whole"),
    [
        ("TH-{year}-{number:04}", "TH-2026-1", "TH-2026-0001"),
        ("TH-{year}-{number:04}", " th-2026-12 ", "TH-2026-0012"),
        ("TH-{year}-{number:04}", "TH-2026-0001", "TH-2026-0001"),
        ("TH-{year}-{number:04}", "TH-2026-12345", "TH-2026-12345"),
        ("TH-{year}-{number:04}", "TH-26-1", ""),
        ("TH-{year}-{number:04}", "see TH-2026-1", ""),
        ("TT{number}", "tt1", "TT1"),
        ("{number:03} (a+b)", "7 (A+B)", "007 (a+b)"),
        ("{number:05}", "٣", ""),
    ],
)  # fmt: skip
def test_a_reference_may_be_typed_without_the_zeros_of_its_number(pattern, typed, whole):
    assert whole_reference(pattern, typed) == whole


def test_a_reference_says_its_number_and_year():
    assert parse_reference("TH-{year}-{number:04}", "TH-2026-0012") == {"year": "2026", "number": "0012"}
    assert parse_reference("{number:04}", "x") is None
