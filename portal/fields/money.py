"""`money`: an exact amount and its currency. Amounts of different currencies are never compared."""

import functools
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from babel import Locale
from babel.numbers import format_currency, format_decimal, get_currency_precision, get_currency_symbol, list_currencies
from pydantic import AfterValidator

from portal.conditions import is_nothing
from portal.fields.base_parts import Compared, Measure
from portal.fields.base_shape import Names
from portal.fields.column_types import ExactDecimal
from portal.fields.numbers import (
    Amount,
    Bounded,
    check_digits,
    check_places,
    declared_number,
    localized,
    parse_number,
    places_of,
    without_zeros,
)
from portal.fields.protocols import Form
from portal.fields.reader import PLAIN, Reader
from portal.fields.refused import Refused, filled
from portal.fields.sheet_cell import SheetCell, number_cell
from portal.texts import _, is_blank

# Where CLDR's currencySpacing requires a space, which Babel omits: “CHF 10.00”, but “€10.00”.
BESIDE_LETTERS = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
# A code is three separate letters: “cheap” is not “ap” in a currency.
WITH_CODE = re.compile(r"(?:([A-Za-z]{3})(?![^\W\d_])\s*)?(.*?)(?:\s*(?<![^\W\d_])([A-Za-z]{3}))?", re.DOTALL)
WHOLE_DIGITS = 16
LONGEST = 100  # characters


def _known_currency(currency: str) -> str:
    if currency not in list_currencies():
        raise ValueError(f'"{currency}" is not a currency code like "EUR"')
    return currency


Currency = Annotated[str, AfterValidator(_known_currency), Names("currency")]


@dataclass(frozen=True, order=True)
class Money:
    """An amount of one currency."""

    amount: Decimal
    currency: str


class MoneyField(Bounded):
    """An exact amount and its currency."""

    type: Literal["money"]
    has_currency: ClassVar[bool] = True
    measure: ClassVar[Measure | None] = Measure("money")
    widget: ClassVar[str] = "money"
    filter: ClassVar[str] = "range"
    comparable: ClassVar[bool] = True
    inputmode: ClassVar[str] = "decimal"
    searched_in_lists: ClassVar[bool] = True
    can_be_unique: ClassVar[bool] = False
    sample: ClassVar[Mapping[str, Any]] = {"currency": "EUR", "min": -1000, "max": "1000000000000.00"}
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        ("-12.5", Money(Decimal("-12.5"), "EUR"), "-€12.50"),
        ("0.1", Money(Decimal("0.1"), "EUR"), "€0.10"),
        ("1,234.50", Money(Decimal("1234.5"), "EUR"), "€1,234.50"),
        ("EUR 1000000000000", Money(Decimal("1000000000000"), "EUR"), "€1,000,000,000,000.00"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = (
        "1.234", "1.234,50", "ten", "12 ZZZ", "1.5 JPY", "-1001", "9" * 100_000, "1\x002",
    )  # fmt: skip

    currency: Currency | None = None
    min: Amount | None = None
    max: Amount | None = None

    @property
    def currency_column(self) -> str:
        return f"_{self.name}_currency"

    def usual(self, reader: Reader) -> str:
        """The currency of an amount without one: the field's, else the portal's."""
        return self.currency or reader.currency

    @property
    def branches(self) -> Collection[str]:
        return list_currencies()

    def option_of(self, value: Any) -> str:
        return "" if value is None else value.currency

    def columns(self) -> list[sa.Column[Any]]:
        return [sa.Column(self.name, ExactDecimal()), sa.Column(self.currency_column, sa.Text())]

    def constants(self, currency: str) -> dict[str, str]:
        """For existing tables that only have amounts: they are in the field's currency, or the portal's."""
        return {self.currency_column: self.currency or currency}

    def store(self, value: Any) -> dict[str, Any]:
        return {self.name: value and value.amount, self.currency_column: value and value.currency}

    def load(self, row: Mapping[str, Any]) -> Money | None:
        """The Money of a row; in the field's own currency if the row has none."""
        amount = row[self.name]
        # An existing table may only have amounts, whose currency is not known: PLAIN's stands for it.
        return None if amount is None else Money(amount, row[self.currency_column] or self.currency or PLAIN.currency)

    def parse(self, text: str, reader: Reader) -> Money | None:
        """An amount, alone or with a code or symbol: “12.50”, “12.50 EUR”, “€ 12.50”."""
        return self._parse_amount(text, "", reader)

    def parse_form(self, form: Form, reader: Reader) -> Money | None:
        """The amount, in the currency chosen in NAME.currency."""
        return self._parse_amount(self.input_text(form), self.input_text(form, "currency"), reader)

    def _parse_amount(self, text: str, currency: str, reader: Reader) -> Money | None:
        if is_blank(text):
            return None
        amount, code = self._split(text, currency, reader)
        return self._check(Money(parse_number(amount, reader), code), reader)

    def _check(self, money: Money, reader: Reader) -> Money:
        check_digits(check_places(money.amount, get_currency_precision(money.currency)), WHOLE_DIGITS)
        return self.in_bounds(self._bounds_in(money.currency), money, reader)

    def bounds(self, reader: Reader) -> tuple[Money | None, Money | None]:
        """As amounts in the usual currency."""
        return self._bounds_in(self.usual(reader))

    def _bounds_in(self, currency: str) -> tuple[Money | None, Money | None]:
        """The declared bounds, as amounts in the typed currency."""
        least, most = (None if bound is None else Money(bound, currency) for bound in (self.min, self.max))
        return least, most

    def _split(self, text: str, currency: str, reader: Reader) -> tuple[str, str]:
        """The amount and the code in “12.50 EUR”, “EUR 12.50”, “€ 12.50”; `currency` if the text has none."""
        text, usual = filled(text), self._code(currency, reader)
        sign = get_currency_symbol(usual, locale=reader.locale)
        if len(text) >= LONGEST or sign in text:
            return text.replace(sign, "", 1), usual
        match = WITH_CODE.fullmatch(text)
        code = match and (match[1] or match[3])
        return (match[2], self._code(code, reader)) if match and match[2] and code else (text, usual)

    def _code(self, code: str, reader: Reader) -> str:
        code = filled(code).upper() or self.usual(reader)
        if code not in list_currencies():
            raise Refused(_("“${value}” is not a currency.", mapping={"value": code[:20]}))
        return code

    def inputs(self, value: Any, reader: Reader) -> dict[str, str | list[str]]:
        """The amount, and its currency code under NAME.currency."""
        amount = "" if value is None else _in_input(value, reader)
        return {self.name: amount, f"{self.name}.currency": value.currency if value else self.usual(reader)}

    def texts(self, value: Any) -> Iterable[str]:
        """With and without digit grouping, and the currency code."""
        return () if value is None else (self.show(value, PLAIN), f"{value.amount:f} {value.currency}")

    def show(self, value: Any, reader: Reader) -> str:
        """“€12.50” in the reader's format."""
        return "" if value is None else _format(f"{value.amount:f}", value.currency, reader.locale_name)

    def write(self, value: Any) -> str:
        """`12.50 EUR`."""
        return "" if value is None else f"{value.amount:f} {value.currency}"

    def sheet_cell(self, value: Any, reader: Reader) -> SheetCell | None:
        """The amount, which a spreadsheet can add up, with the currency symbol in its format."""
        return number_cell(value.amount, _sheet_format(value.currency, reader.locale_name))

    def to_json(self, value: Any) -> str | None:
        """`12.50 EUR`, with as many places as the currency has, or more if the amount has more."""
        if value is None:
            return None
        places = max(get_currency_precision(value.currency), len(without_zeros(value.amount).partition(".")[2]))
        return f"{value.amount:.{places}f} {value.currency}"

    def text_forms(self, value: Any, reader: Reader) -> tuple[str, ...]:
        """Also without the currency if it is the usual one."""
        text = self.write(value)
        return (text, f"{value.amount:f}") if value and value.currency == self.usual(reader) else (text,)

    def constant(self, raw: Any, reader: Reader) -> Money:
        """A number, or a text with or without a currency; the usual one by default."""
        if isinstance(raw, Money):
            return raw
        amount, code = self._split(raw, "", reader) if isinstance(raw, str) else (raw, self.usual(reader))
        return Money(check_digits(declared_number(amount, reader), WHOLE_DIGITS), code)

    def default_value(self, raw: Any, reader: Reader) -> Money | None:
        """Like `constant`, and within `min` and `max`."""
        if is_nothing(raw):
            return None
        amount, code = self._split(raw, "", reader.machine) if isinstance(raw, str) else (raw, self.usual(reader))
        return self._check(Money(declared_number(amount, PLAIN), code), reader)

    def parse_filter(self, text: str, reader: Reader) -> tuple[str, Any]:
        """Like `constant`; a code alone, such as `USD`, finds all amounts in this currency."""
        code = filled(text).upper()
        return ("equal", code) if code in list_currencies() else super().parse_filter(text, reader)

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """Compares amounts of one currency: others are neither less nor more. A text means a currency."""
        if isinstance(value, str):
            return table.c[self.currency_column] == value
        if isinstance(value, Money):
            amount = super().compare(table, operator, value.amount)
            return sa.and_(table.c[self.currency_column] == value.currency, amount)
        return super().compare(table, operator, value)

    def compare_fields(self, table: sa.FromClause, operator: str, other: Compared) -> sa.ColumnElement[bool]:
        """Compares amounts of one currency: others are neither less nor more."""
        same = table.c[self.currency_column] == table.c[f"_{other.name}_currency"]
        return sa.and_(same, super().compare_fields(table, operator, other))

    def matches_field(self, value: Any, operator: str, other: Any) -> bool:
        same = value is not None and other is not None and value.currency == other.currency
        return same and super().matches_field(value, operator, other)

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        if isinstance(value, Money) and isinstance(constant, Money) and value.currency != constant.currency:
            return False
        return super().matches(value, operator, constant)


def _in_input(money: Money, reader: Reader) -> str:
    """The amount alone; for people with all decimal places of its currency or none: 12.50, 12."""
    needed = places_of(money.amount)
    if reader.plain or not needed:
        return localized(money.amount, reader, grouped=False)
    places = max(needed, get_currency_precision(money.currency))
    return format_decimal(money.amount, format=f"0.{'0' * places}", locale=reader.locale_name)


@functools.lru_cache(maxsize=2_000)  # lists and sums repeat many amounts, and each takes as long as five texts
def _format(amount: str, currency: str, locale: str) -> str:
    text = format_currency(Decimal(amount), currency, locale=locale)
    return BESIDE_LETTERS.sub("\N{NO-BREAK SPACE}", text)


@functools.lru_cache(maxsize=200)
def _sheet_format(currency: str, locale: str) -> str:
    """The spreadsheet format of amounts, such as `[$€]#,##0.00`, with the symbol on the side that `locale` uses."""
    pattern = Locale.parse(locale).currency_formats["standard"].pattern
    sign, places = get_currency_symbol(currency, locale=locale), get_currency_precision(currency)
    number = f"#,##0.{'0' * places}" if places else "#,##0"
    if pattern.index("\u00a4") > pattern.index("#"):
        return f"{number}\u00a0[${sign}]"
    gap = "\u00a0" if sign[-1].isalpha() else ""
    return f"[${sign}]{gap}{number}"
