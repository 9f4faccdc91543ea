"""Patterns by an administrator and texts by a customer: together they must not keep a thread busy for hours."""

import pytest

from portal.fields.base import Field
from portal.fields.reader import PLAIN
from portal.fields.refused import Refused
from portal.fields.text import matches_pattern


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 250),
        (r"(a+)+$", "a" * 100_000 + "!"),
        (r"(.*,){15}[^,]*;", "1,2,3,4,5,6,7,8,9," * 1000),
        (r"(a|b|ab)*c", "ab" * 50_000),
    ],
)
def test_a_text_for_which_a_pattern_has_no_answer_in_time_is_refused(pattern, text):
    field = Field.types["text"](name="code", type="text", pattern=pattern, max_length=100_000)
    with pytest.raises(Refused):
        field.parse(text, PLAIN)


@pytest.mark.parametrize(
    ("pattern", "line", "whole"),
    [
        (r"[A-Z]{2}\d{4}", "AB1234", True),
        (r"[A-Z]{2}\d{4}", "AB12345", False),
        (r"(?i)\w+@ÄÖ", "x@äö", True),
        ("a|ab", "ab", True),
    ],
)
def test_a_pattern_wants_the_whole_text(pattern, line, whole):
    assert matches_pattern(pattern, line) is whole
