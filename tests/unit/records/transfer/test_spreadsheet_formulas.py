"""No cell that we write is a formula, and none loses a character in a round trip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.records.transfer.spreadsheet_formulas import protect_cell, unprotect_cell


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+39 051 555", "'+39 051 555"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("＝1", "'＝1"),
        ("'=1", "''=1"),
        ("-12.50", "-12.50"),
        ("+5", "+5"),
        ("- 5", "'- 5"),
        ("x;=cmd|' /C calc'!A0", "x;'=cmd|' /C calc'!A0"),
        ("a,+1", "a,'+1"),
        ("a\t@x", "a\t'@x"),
        ("one\n- two", "one\n'- two"),
        ('say "=1"', """say "'=1\""""),
        ("x;'=1", "x;''=1"),
        ("e-mail", "e-mail"),
        ("'quoted'", "'quoted'"),
        ("plain = text", "plain = text"),
        ("", ""),
    ],
)
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(value, written):
    assert protect_cell(value) == written
    assert unprotect_cell(written) == value


@given(st.text(alphabet="'=+-@\t\r\n;,\" a1.", max_size=8))
def test_every_text_comes_back_as_it_was(value):
    assert unprotect_cell(protect_cell(value)) == value
