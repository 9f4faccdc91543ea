"""Formulas: which types can be combined, and the results."""

import datetime
from decimal import Decimal

import pytest

from portal.fields.base import Field
from portal.fields.money import Money


def field(kind: str, name: str, **keys: object) -> Field:
    return Field.types[kind].model_validate({"name": name, "type": kind, **keys})


LINES = field("lines", "lines", fields={"price": "money", "pieces": "integer", "day": "date", "what": "text"})
FIELDS = {
    one.name: one
    for one in (
        field("integer", "pieces"), field("decimal", "weight", places=4), field("money", "price"),
        field("money", "yen", currency="JPY"), field("percent", "vat"), field("duration", "work"),
        field("date", "begin"), field("date", "end"), field("datetime", "opened"), field("datetime", "solved"),
        field("rating", "stars"), field("boolean", "urgent"),
        field("choice", "impact", options=["one", "all"]), field("text", "name"),
        field("decimal", "nothing"), LINES,
    )
}  # fmt: skip
MONDAY = datetime.datetime(2024, 1, 1, 9, 0, tzinfo=datetime.UTC)
VALUES = {
    "pieces": 3, "weight": Decimal("1.2345"), "price": Money(Decimal("19.99"), "EUR"),
    "yen": Money(Decimal(500), "JPY"), "vat": Decimal(22), "work": 5400,
    "begin": datetime.date(2024, 1, 31), "end": datetime.date(2024, 3, 1),
    "opened": MONDAY, "solved": MONDAY + datetime.timedelta(hours=30), "stars": 4, "urgent": True, "impact": "all",
    "lines": (
        {"price": Money(Decimal("0.10"), "EUR"), "pieces": 2}, {"price": Money(Decimal("0.20"), "EUR"), "pieces": None},
    ),
}  # fmt: skip


def formula(of: object, **keys: object) -> Field:
    made = field("formula", "result", of=of, **keys)
    made.bind_formula(FIELDS, ())
    return made


def euros(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


@pytest.mark.parametrize(
    ("of", "type_", "value"),
    [
        ("pieces * price", "money", euros("59.97")),
        ("price * (1 + vat)", "money", euros("24.39")),
        ("price * 0.5", "money", euros("10.00")),  # 9.995 is rounded half up
        ("2.50 - price", "money", euros("-17.49")),
        ("price / work", "money", euros("13.33")),  # by the hour
        ("price * work", "money", euros("29.99")),
        ("yen / 3", "money", Money(Decimal(167), "JPY")),
        ("price + yen", "money", None),
        ("price / yen", "decimal", None),
        ("vat + vat", "percent", Decimal(44)),
        ("pieces + stars", "integer", 7),
        ("pieces * weight", "decimal", Decimal("3.7035")),
        ("1 / pieces", "decimal", Decimal("0.33")),
        ("- (pieces - 5) * 2 + 1", "integer", 5),
        ("7 - 2 - 1", "integer", 4),
        ("pieces / (stars - 4)", "decimal", None),
        ("pieces + nothing", "decimal", None),
        ("end - begin", "integer", 30),
        ("begin + 1.5", "date", datetime.date(2024, 2, 1)),
        ("end - 9999999", "date", None),
        ("solved - opened", "duration", 30 * 3600),
        ("opened + 0.5", "datetime", MONDAY + datetime.timedelta(hours=12)),
        ("opened + work * 2", "datetime", MONDAY + datetime.timedelta(hours=3)),
        ("work / 7", "duration", 771),
        ("min(end, begin)", "date", datetime.date(2024, 1, 31)),
        ("max(solved, opened + 0.5) - opened", "duration", 30 * 3600),
        ("max(pieces, weight, nothing) * 2", "decimal", Decimal(6)),  # without what is empty
        ("min(nothing, nothing)", "decimal", None),
        ("max(price, yen)", "money", None),
        ("lines.price", "money", euros("0.30")),
        ("lines.pieces * 2", "integer", 4),
        ("9999999999 * 9999999999", "integer", None),
        ("9" * 500 + " * price", "money", None),
        ("9" * 500 + " / 7", "decimal", None),
        ("pieces * -0.0001", "decimal", Decimal("-0.0003")),
        ("price * 0 * -1", "money", euros("0.00")),
    ],
)  # fmt: skip
def test_what_a_formula_gives(of, type_, value):
    one = formula(of)
    assert (one.value_type, one.compute(VALUES, "EUR")) == (type_, value)
    assert one.load(one.store(value)) == value


def test_a_total_over_no_rows_is_nothing_in_the_usual_currency():
    assert formula("lines.price + 1").compute({}, "PLN") == Money(Decimal(1), "PLN")


def test_an_amount_is_converted_and_a_number_becomes_one():
    assert formula("yen * weight", currency="EUR").compute(VALUES, "PLN") == euros("617.25")
    assert formula("pieces * weight", currency="JPY").compute(VALUES, "EUR") == Money(Decimal(4), "JPY")
    assert formula("yen * nothing", currency="EUR").compute(VALUES, "EUR") is None
    assert formula("price / 3", currency="JPY").value_type == "money"


def test_a_text_that_begins_with_an_address_is_a_web_address():
    one = formula("'https://shop.example/find?q=' + name + '&n=' + pieces")
    assert one.value_type == "url"
    address = "https://shop.example/find?q=%C5%81%C3%B3d%C5%BA%20desk&n=3"
    assert one.compute({**VALUES, "name": "Łódź  desk"}, "EUR") == address
    assert one.compute({}, "EUR") is None
    assert formula("'https://a.example/' + slug(name)").compute({"name": "Łódź – it's “new”!"}, "EUR") == (
        "https://a.example/lodz-it-s-new"
    )
    assert formula("slug(name)").compute({"name": "Introduction to _Desks_"}, "EUR") == "introduction-to-desks"
    assert formula("'https://' + name").compute({"name": "a@b.example"}, "EUR") is None  # a name before the host


def test_places_round_a_number():
    assert formula("pieces / 7", places=4).compute(VALUES, "EUR") == Decimal("0.4286")
    assert formula("weight", places=0).compute(VALUES, "EUR") == 1


@pytest.mark.parametrize(
    ("of", "keys", "sentence"),
    [
        ("price + begin", {}, "a date cannot be added to an amount of money"),
        ("price + vat", {}, "a percentage cannot be added to an amount of money"),
        ("price * price", {}, "cannot be multiplied by"),
        ("pieces - work", {}, "a duration cannot be subtracted from a number"),
        ("-begin", {}, "a date cannot be negative"),
        ("name * 2", {}, "a text cannot be multiplied by a number"),
        ("name + price", {}, "an amount of money cannot be added to a text"),
        ("-name", {}, "a text cannot be negative"),
        ("name + 'open", {}, "texts in quotes"),
        ("min(name, 'x')", {}, "texts have no least or largest"),
        ("max(pieces, price)", {}, "a number cannot be compared with an amount of money"),
        ("min(pieces, 2", {}, "a bracket is not closed"),
        ("urgent + name", {}, '"urgent" is of type boolean'),
        ("lines.what", {}, "texts have no sum"),
        ("name", {"places": 2}, "places belong to a number"),
        ({"impact": {"one": 1}}, {"empty": 0}, "empty belongs to arithmetic"),
        ({"impact": {"one": 1}}, {"currency": "EUR"}, "currency belongs to arithmetic"),
        ("end - begin + work", {"currency": "EUR"}, "a duration cannot be added to a number"),
        ("work", {"currency": "EUR"}, "currency belongs to an amount, and this formula gives a duration"),
        ("price", {"currency": "EURO"}, '"EURO" is not a currency code'),
        ("lines.day", {}, "dates have no sum"),
        ("lines.cost", {}, 'no column "cost" in lines'),
        ("price * 2", {"places": 3}, "places belong to a number"),
        ("(" * 60 + "1" + ")" * 60, {}, "too many brackets"),
        ("1 + " * 600 + "1", {}, "at most 2,000 characters"),
        ("1+" * 900 + "1", {}, "at most 400 parts"),
        ("price", {"options": ["low"]}, "options belong to a table"),
        (["price"], {}, "must be a formula such as"),
        ({"impact": {"everyone": "a"}}, {}, '"everyone" is not an option of impact'),
        ({"pieces": {"1": "a"}}, {}, "a table asks fields with options"),
        ({"price": {"EURO": 1}}, {}, '"EURO" is not a currency of price'),
        ("slug(pieces)", {}, "slug makes a part of an address of a text, not of a number"),
        ("slug(name", {}, "a bracket is not closed"),
        ({"impact": {"one": "a"}, "urgent": {"true": "b"}}, {}, "a table asks one field"),
        ({"impact": {"one": ["a"]}}, {}, "leads to one value"),
        ({"impact": {"one": "a"}}, {"options": ["b"]}, '"a" is not one of the options'),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_is_a_mistake_of_the_declaration(of, keys, sentence):
    with pytest.raises(ValueError, match=sentence):
        formula(of, **keys)


def test_a_table_gives_options_or_numbers():
    table = {"impact": {"one": "low", "all": {"urgent": {True: "high", False: "middle"}}, "": "unknown"}}
    one = formula(
        table, options={"high": {"label": "At once", "tone": "bad"}, "middle": None, "low": None, "unknown": None}
    )
    assert (one.compute(VALUES, ""), one.offered["high"].tone, one.display) == ("high", "bad", "pill")
    computed = [one.compute(values, "") for values in ({}, {"impact": "one"}, {"impact": "all"})]
    assert computed == ["unknown", "low", "middle"]
    hours = formula({"impact": {"one": 8, "all": 0.5}})
    assert (hours.value_type, hours.compute(VALUES, ""), hours.compute({}, "")) == ("decimal", Decimal("0.5"), None)


def test_a_table_of_currencies_gives_the_rate_of_an_amount():
    rate = formula({"yen": {"JPY": 0.0058, "EUR": 1}})
    rates = [rate.compute({"yen": amount}, "EUR") for amount in (VALUES["yen"], euros("3"), Money(Decimal(1), "USD"))]
    assert rates == [Decimal("0.0058"), Decimal(1), None]


def of_texts(of: str, **values: object) -> object:
    fields = {
        one.name: one
        for one in (
            field("text", "first"), field("text", "last"), field("integer", "year"), field("email", "mail"),
            field("choice", "title", options={"dr": {"label": {"it": "Dott.", "en": "Dr."}}}), field("money", "price"),
        )
    }  # fmt: skip
    made = field("formula", "result", of=of)
    made.bind_formula(fields, ())
    assert made.value_type == "text"
    return made.compute(values, "EUR")


@pytest.mark.parametrize(
    ("of", "values", "text"),
    [
        ("first + ' ' + last", {"first": "Anna", "last": "Rossi"}, "Anna Rossi"),
        ("title + ' ' + first + ' ' + last", {"title": "dr", "last": "Rossi"}, "Dott. Rossi"),
        ('last + ", " + first', {"last": "Rossi"}, "Rossi,"),
        ("last + (', ' + first)", {"last": "Rossi"}, "Rossi"),
        ("last + (', ' + first)", {"last": "Rossi", "first": "Anna"}, "Rossi, Anna"),
        ("'P-' + year + (' (' + last + ')')", {"year": 2024}, "P-2024"),
        ("first + year * 2 / 3", {"first": "n", "year": 1}, "n0.66666667"),
        ("first + year + '!'", {"year": 7}, "7!"),
        ("'AC-' + year", {}, None),
        ("first", {"first": "Anna"}, "Anna"),
        ("first + last", {"first": "a" * 255, "last": "b" * 500}, "a" * 255 + "b" * 385),
    ],
)  # fmt: skip
def test_a_text_is_joined_without_what_is_empty(of, values, text):
    assert of_texts(of, **values) == text


def test_what_is_empty_counts_as_nothing_where_the_formula_says_so():
    assert formula("nothing + 2", empty=0).compute({}, "EUR") == 2
    assert formula("price - yen", empty=0).compute({"yen": VALUES["yen"]}, "EUR") == Money(Decimal(-500), "JPY")
    assert formula("price * work", empty=0).compute({}, "PLN") == Money(Decimal(0), "PLN")
    assert formula("price / yen", empty=0).compute({"price": euros("1")}, "EUR") is None
    assert formula("opened + work", empty=0).compute({"opened": MONDAY}, "EUR") == MONDAY
    assert formula("opened + work", empty=0).compute({"work": 60}, "EUR") is None
