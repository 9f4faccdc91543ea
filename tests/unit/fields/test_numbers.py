"""Numbers in the formats of different languages; exactness; the limits of what is allowed."""

from decimal import Decimal

import pytest
from pydantic import ValidationError
from webob.multidict import MultiDict

from portal.fields.base import Field
from portal.fields.column_types import from_sortable, sortable
from portal.fields.money import Money
from portal.fields.numbers import parse_number
from portal.fields.reader import PLAIN, Reader
from portal.fields.refused import Refused
from portal.texts import translate


def field(kind: str, **keys: object) -> Field:
    return Field.types[kind].model_validate({"name": "x", "type": kind, **keys})


@pytest.mark.parametrize(
    ("language", "typed", "value"),
    [
        ("en", "1,234.5", "1234.5"),
        ("en", "1 234.5", "1234.5"),
        ("it", "1.234,5", "1234.5"),
        ("it", "1.234", "1234"),
        ("de", "-1.234.567,89", "-1234567.89"),
        ("de", "−5", "-5"),
        ("de-CH", "1'234.5", "1234.5"),
        ("pl", "1 234,5", "1234.5"),
        ("pl", "1\xa0234,5", "1234.5"),
        ("fr", "1\u202f234\u202f567,5", "1234567.5"),
        ("fr", "1\u2009234,5", "1234.5"),
        ("sv", "-1 234,5", "-1234.5"),
        ("ar", "١٢٣", "123"),
        ("ar", "١٬٢٣٤٫٥", "1234.5"),
        ("de", "١٬٢٣٤٫٥", "1234.5"),
        ("hi", "12,34,567", "1234567"),
        ("xx", "1,234.5", "1234.5"),
        ("en", "+0007", "7"),
    ],
)
def test_numbers_are_read_in_the_readers_own_way(language, typed, value):
    assert parse_number(typed, Reader(language=language)) == Decimal(value)


@pytest.mark.parametrize(
    ("language", "typed"),
    [
        ("en", "1,23"), ("en", "1.234,50"), ("de", "1.23"), ("de", "1,234.50"), ("it", "1234.5"), ("fr", "12 34"),
        ("en", "1e5"), ("en", "NaN"), ("en", "inf"), ("en", "0x10"), ("en", "1_000"), ("en", "1..2"), ("en", "."),
        ("en", "-"), ("en", "5-"), ("en", "½"), ("en", "五"),
    ],
)  # fmt: skip
def test_what_could_be_meant_otherwise_is_refused_not_guessed(language, typed):
    with pytest.raises(Refused):
        parse_number(typed, Reader(language=language))


@pytest.mark.parametrize("typed", ["1,234", "1 234", "1.234.567", "1e5", "NaN", "0x1"])
def test_machines_write_plain_numbers_only(typed):
    with pytest.raises(Refused):
        parse_number(typed, PLAIN)
    assert parse_number("-1234.50", PLAIN) == Decimal("-1234.5")


def test_huge_input_is_refused():
    for typed in ("9" * 1_000_000, "1," * 500_000, "." * 1_000_000, " " * 1_000_000 + "x", "-" * 1_000_000):
        for kind in ("integer", "decimal", "percent", "money", "duration", "rating"):
            with pytest.raises(Refused):
                field(kind).parse(typed, Reader())


@pytest.mark.parametrize("typed", [str(2**63 - 1), str(-(2**63) + 1)])
def test_integers_have_64_bits(typed):
    assert field("integer").parse(typed, PLAIN) == int(typed)
    for beyond in (str(2**63), str(-(2**63) - 1)):
        with pytest.raises(Refused):
            field("integer").parse(beyond, PLAIN)
        with pytest.raises(Refused):
            field("integer").constant(int(beyond), PLAIN)


def test_places_and_digits_are_refused_never_rounded():
    one = field("decimal", digits=5, places=3)
    assert one.parse("12.345", PLAIN) == Decimal("12.345")
    assert one.parse("12.3450", PLAIN) == Decimal("12.345")
    for typed in ("12.3456", "123", "100.000"):
        with pytest.raises(Refused):
            one.parse(typed, PLAIN)
    thirty = field("decimal", digits=28, places=13)
    value = thirty.parse("123456789012345.1234567890123", PLAIN)
    assert str(value) == "123456789012345.1234567890123"
    assert thirty.show(value, Reader(language="de")) == "123.456.789.012.345,1234567890123"


def test_the_sortable_text_sorts_as_the_numbers_do_and_gives_them_back():
    written = "-1000.5 -1000 -12.51 -12.501 -12.5 -12.4 -12 -1 -0.11 -0.1 -0.01 0 0.001 0.01 0.1 1 9 10 12.5 12.51 1e29"
    values = [Decimal(each) for each in written.split()]
    texts = [sortable(value) for value in values]
    assert sorted(texts) == texts
    assert [from_sortable(text) for text in texts] == values
    assert sortable(Decimal("12.50")) == sortable(Decimal("12.5"))
    assert sortable(Decimal("-0")) == sortable(Decimal(0))


@pytest.mark.parametrize("text", ["12.5", "-12.5", "0", "7", "0.125", "-0.5"])
def test_numbers_that_others_wrote_into_a_table_are_read(text):
    assert from_sortable(text) == Decimal(text)


@pytest.mark.parametrize(
    ("typed", "currency", "value"),
    [
        ("12.50", "", Money(Decimal("12.5"), "EUR")),
        ("12.50", "USD", Money(Decimal("12.5"), "USD")),
        ("usd 12.50", "", Money(Decimal("12.5"), "USD")),
        ("12.50 PLN", "EUR", Money(Decimal("12.5"), "PLN")),
        ("€ 12.50", "", Money(Decimal("12.5"), "EUR")),
        ("1,250", "JPY", Money(Decimal(1250), "JPY")),
        ("1.125", "KWD", Money(Decimal("1.125"), "KWD")),
    ],
)
def test_money_has_a_currency(typed, currency, value):
    assert field("money").parse_form(MultiDict({"x": typed, "x.currency": currency}), Reader()) == value


@pytest.mark.parametrize(
    ("amount", "currency", "shown"), [("12.5", "EUR", "12,50"), ("12", "EUR", "12"), ("0.125", "EUR", "0,125")]
)
def test_the_input_of_an_amount_shows_all_places_of_its_currency_or_none(amount, currency, shown):
    assert field("money").inputs(Money(Decimal(amount), currency), Reader(language="it"))["x"] == shown


@pytest.mark.parametrize(
    ("amount", "currency", "language", "shown"),
    [
        ("3781.5", "CHF", "en", "CHF\N{NO-BREAK SPACE}3,781.50"),
        ("-12", "PLN", "en", "-PLN\N{NO-BREAK SPACE}12.00"),
        ("10", "EUR", "en", "€10.00"),
        ("10", "CHF", "de", "10,00\N{NO-BREAK SPACE}CHF"),
    ],
)
def test_amounts_stand_apart_from_the_letters_of_their_currency_and_are_read_as_they_are_shown(
    amount, currency, language, shown
):
    money, reader = Money(Decimal(amount), currency), Reader(language=language, currency=currency)
    assert field("money").show(money, reader) == shown
    assert field("money").parse(shown, reader) == money


@pytest.mark.parametrize("typed", ["cheap", "12 euro", "USDollar 5"])
def test_a_word_is_not_taken_apart_for_the_code_of_a_currency_in_it(typed):
    with pytest.raises(Refused) as refused:
        field("money").parse(typed, Reader())
    assert translate(refused.value.message, "en") == f"“{typed}” is not a number."


@pytest.mark.parametrize(
    ("typed", "currency"), [("$ 5", "EUR"), ("5", "XXQ"), ("5", "€"), ("1.5", "JPY"), ("5", "\x00")]
)
def test_money_of_no_currency_or_with_too_many_places_is_refused(typed, currency):
    with pytest.raises(Refused):
        field("money").parse_form(MultiDict({"x": typed, "x.currency": currency}), Reader())


def test_bounds_are_told_in_the_readers_own_way():
    one = field("decimal", min="0.5", max=1000)
    with pytest.raises(Refused) as refused:
        one.parse("1.000,5", Reader(language="it"))
    assert Reader().text(refused.value.message) == "Enter 1.000 or less."
    assert one.constant(2000, Reader()) == 2000, "a condition may ask for what cannot be typed"


@pytest.mark.parametrize("raw", [True, float("nan"), float("inf"), "ten", [], 1e300])
def test_defaults_and_conditions_that_are_no_numbers_are_refused(raw):
    for kind in ("integer", "decimal", "money", "percent"):
        with pytest.raises(Refused):
            field(kind).constant(raw, Reader())


def test_a_default_in_the_yaml_is_read_as_yaml_writes_it_whoever_reads():
    italian = Reader(language="it")
    assert field("decimal").default_value("1234.5", italian) == Decimal("1234.5")
    assert field("decimal").default_value(0.1, italian) == Decimal("0.1")
    assert field("money").default_value("1.5 USD", italian) == Money(Decimal("1.5"), "USD")
    assert field("decimal").constant("1234.5", italian) == Decimal("1234.5")
    assert field("decimal").constant("1.234", italian) == Decimal(1234)


@pytest.mark.parametrize(
    ("kind", "keys", "sentence"),
    [
        ("decimal", {"min": "few"}, "must be a number"),
        ("decimal", {"max": True}, "must be a number"),
        ("decimal", {"places": 9, "digits": 5}, "more places than digits"),
        ("money", {"currency": "EURO"}, 'no currency code|is not a currency code like "EUR"'),
        ("date", {"min": "31/12/2024"}, "must be a date such as 2024-03-31"),
        ("datetime", {"max": "soon"}, "must be a date such as 2024-03-31 or"),
        ("time", {"min": "noon"}, 'must be a time such as "14:30"'),
        ("markdown", {"unique": True}, "a field of this type cannot be unique"),
        ("text", {"pattern": "["}, "not a regular expression"),
        ("lookup", {"of": "name"}, "a link and a field of its record"),
        ("formula", {"of": "price *"}, "ends too early"),
        ("formula", {"of": "__import__('os')"}, "fields, numbers"),
        ("formula", {"of": "(price"}, "a bracket is not closed"),
        ("formula", {"of": "price price"}, '"price" is not expected'),
        ("lines", {"fields": {"a": "lookup"}}, "must be the type of a column|Field required"),
        ("lines", {"fields": {"a": "texts"}}, "must be the type of a column"),
        ("lines", {"fields": {"a": "text"}, "total": "b"}, 'no column "b"'),
        ("file", {"max_size": "big"}, 'must be a size such as "25 MB"'),
        ("image", {"types": ["png"]}, '"png" is not a file type'),
        ("file", {"types": ["application/PDF"]}, 'did you mean "application/pdf"'),
        ("choice", {"options": ["a", "a"]}, "an option appears twice"),
        ("choice", {"options": {"a": {"tone": "loud"}}}, "'info', 'good', 'warn'"),
        ("link", {"to": []}, "must be the name of a module"),
    ],
)
def test_wrong_keys_are_told_in_words_for_an_administrator(kind, keys, sentence):
    with pytest.raises(ValidationError, match=sentence):
        field(kind, **keys)


def test_a_media_type_may_have_all_signs_of_its_registry():
    types = ("x-world/x-3dmf", "application/vnd.ms-excel.sheet.macroenabled.12", "image/svg+xml", "x-world/*")
    assert field("file", types=types).accepted == types


@pytest.mark.parametrize(
    ("kind", "keys", "hint"),
    [
        ("integer", {"min": 2, "max": 1000}, "From 2 to 1,000."),
        ("percent", {"min": 0}, "Enter 0% or more."),
        ("money", {"max": 100, "currency": "EUR"}, "Enter €100.00 or less."),
        ("date", {"min": "2024-03-05"}, "Choose Mar 5, 2024 or later."),
        ("decimal", {}, ""),
    ],
)
def test_a_form_says_the_bounds(kind, keys, hint):
    reader = Reader()
    field = Field.types[kind].model_validate({"name": "x", "type": kind, **keys})
    assert reader.text(field.bounds_hint(reader)) == hint
