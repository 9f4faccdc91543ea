"""The guessed type of a file's column, and its name."""

import pytest

from portal.fields.base import Field
from portal.workshop.outlines.column_values import TRIED, ColumnValues
from portal.workshop.outlines.from_csv import best_notation
from portal.workshop.outlines.guess_types import guess
from portal.workshop.outlines.naming import field_name, module_name, snake

BY_LENGTH_AND_NUMBER = {"text", "longtext", "choice"}
# Types that a file's values cannot distinguish from a text or a number.
NEVER_GUESSED = {
    "address", "choices", "color", "duration", "elapsed", "file", "files", "formula", "html", "image", "ip", "json",
    "lines", "link", "links", "location", "lookup", "markdown", "rollup", "signature", "tags", "timeliness",
}  # fmt: skip


def test_every_type_is_guessed_by_portal_init_or_named_here():
    known = {*TRIED, *BY_LENGTH_AND_NUMBER, *NEVER_GUESSED}
    assert sorted(known ^ Field.types.keys()) == [], (
        "TRIED in workshop/outlines/column_values.py, or NEVER_GUESSED here"
    )


def guessed(header, *values):
    column = ColumnValues(header)
    for value in values:
        column.add(value)
    found = guess(column, best_notation([column]))
    return found.type, found.keys


@pytest.mark.parametrize(
    ("header", "values", "expected"),
    [
        ("Quantity", ["3", "0", "-4"], ("integer", {})),
        ("customerID", ["3", "1", "2"], ("integer", {"unique": True})),
        ("CODE", ["A1", "B2", "a3"], ("text", {"unique": True})),
        ("code", ["A1", "a1"], ("text", {})),  # the same without case
        ("postal code", ["01067", "80331"], ("text", {})),
        ("weight", ["1.5", "2", "2.125"], ("decimal", {"places": 3})),
        ("Gewicht", ["1.234,5", "99,25"], ("decimal", {"places": 2})),
        ("area", ["780.00", "54.00"], ("decimal", {"places": 2})),
        ("rooms", ["2.0", "3.0"], ("integer", {})),  # whole numbers of a spreadsheet
        ("built", ["1998", "2004", "1998"], ("text", {})),  # shown without separators
        ("Unit price", ["14.00", "9.8"], ("money", {})),
        ("share", ["12 %", "7.5 %"], ("percent", {})),
        ("shipped", ["2024-03-05", "NULL", "05.03.2024"], ("date", {})),
        ("shipped", ["25/03/2024", "05/03/2024"], ("date", {})),
        ("shipped", ["03/25/2024", "03/05/2024"], ("date", {})),
        ("at", ["2023-06-01 12:15:36", ""], ("datetime", {})),
        ("opens", ["09:00", "17:30"], ("time", {})),
        ("discontinued", ["0", "1", "0"], ("boolean", {})),
        ("active", ["t", "f", "t"], ("boolean", {})),
        ("quantity", ["0", "0"], ("integer", {})),
        ("contact", ["info@acme.example", "a@b.example", "a@b.example"], ("email", {})),
        ("site", ["https://acme.example", "http://b.example/x"], ("url", {})),
        ("Fax", ["+39 02 12345", "112 333"], ("phone", {})),
        ("extension", ["5467", "3457"], ("integer", {})),
        ("status", ["Open", "Closed", "Open", "Open"], ("choice", {"options": ["Open", "Closed"]})),
        ("city", ["Roma", "Roma", "Pisa", "Pisa", "Pisa"] * 5, ("text", {})),
        ("satisfaction", ["5", "", "3"], ("rating", {})),
        ("notes", ["one\ntwo"], ("longtext", {})),
        ("notes", ["x" * 256], ("longtext", {})),
        ("region", ["NULL", ""], ("text", {})),
    ],
)
def test_a_column_is_what_reads_every_value(header, values, expected):
    assert guessed(header, *values) == expected


@pytest.mark.parametrize(
    ("header", "name"),
    [("customerID", "customer_id"), ("E-Mail", "e_mail"), ("HTTPServer", "http_server"), ("Größe (cm)", "grosse_cm")],
)
def test_a_name_is_made_of_a_header(header, name):
    assert snake(header) == name


def test_names_that_are_taken_or_the_portals_own_get_another_one():
    assert field_name("id", "tickets", set()) == "ticket_id"
    assert field_name("2nd line", "addresses", set()) == "address_2nd_line"
    assert field_name("Name", "tickets", {"name", "name_2"}) == "name_3"
    assert module_name("search", set()) == "searches"
    assert module_name("pg_stat", set()) == "the_pg_stats"
    assert len(module_name("a" * 70, {"a" * 48})) == 48
