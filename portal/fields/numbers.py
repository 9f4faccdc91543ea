"""Numbers as people type and see them, and the base of integer, decimal and percent.

Nothing here goes through a float: what was typed is what is stored.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable
from decimal import ROUND_FLOOR, Context, Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar

from babel.numbers import NumberFormatError, format_decimal, get_decimal_symbol, get_group_symbol, parse_decimal
from pydantic import BeforeValidator

from portal.conditions import is_nothing
from portal.fields.base import Field
from portal.fields.base_shape import Names
from portal.fields.column_types import WHOLE_DIGITS, ExactDecimal
from portal.fields.reader import PLAIN, Reader
from portal.fields.refused import Refused, filled
from portal.fields.sheet_cell import SheetCell, number_cell
from portal.texts import _, is_blank, ngettext

LONGEST = 60  # characters; refused before any arithmetic
EXACT = Context(prec=2 * LONGEST)
PATTERN = re.compile(r"\d+(\.\d*)?|\.\d+")
ARABIC_POINT, ARABIC_GROUP = "\u066b", "\u066c"  # from Arabic keyboards; they are unambiguous
MINUS = "-\u2212\u2010\u2011\u2012\u2013"


def parse_number(text: str, reader: Reader) -> Decimal:
    """The number that `text` means to `reader`; for machines, only `-1234.5`. Raises Refused."""
    refused = Refused(_("“${value}” is not a number.", mapping={"value": filled(text)[:40]}))
    if len(text) > LONGEST:
        raise refused
    spelled = "".join(map(simple_sign, text)).strip()
    negative, spelled = (
        spelled.startswith("-"),
        spelled.removeprefix(spelled[:1] if spelled[:1] in "+-" else "").strip(),
    )
    if reader.plain:
        if not PATTERN.fullmatch(spelled):
            raise refused
        return _with_sign(Decimal(spelled), negative)
    group, point = get_group_symbol(reader.locale), get_decimal_symbol(reader.locale)
    spelled = re.sub(r"\s", group, spelled).replace(ARABIC_GROUP, group).replace(ARABIC_POINT, point)
    if group in "'\u2019":
        spelled = re.sub("['\u2019]", group, spelled)
    # Decimal would also accept NaN and 1e9.
    if not set(spelled) <= {*"0123456789.", group, point}:
        raise refused
    try:
        return _with_sign(parse_decimal(spelled, locale=reader.locale, strict=True), negative)
    except NumberFormatError:
        raise refused from None


def _with_sign(value: Decimal, negative: bool) -> Decimal:
    # Multiplication would round to the 28 digits of the context.
    return value.copy_negate() if negative and value else value


def simple_sign(character: str) -> str:
    """Digits of any script as 0–9, one kind of minus sign and space; direction marks are removed."""
    if character in MINUS:
        return "-"
    if character.isspace():
        return " "
    if unicodedata.category(character) == "Cf":
        return ""
    return str(unicodedata.decimal(character, character))


def declared_number(raw: Any, reader: Reader) -> Decimal:
    """The number in a condition or default: YAML's own, or a text in the reader's format or the plain one."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal | str):
        raise Refused(_("Enter a number."))
    if isinstance(raw, str):
        try:
            return parse_number(raw, reader)
        except Refused:
            if reader.plain:
                raise
            return parse_number(raw, PLAIN)
    value = Decimal(str(raw))
    if not value.is_finite() or abs(value.adjusted()) > LONGEST:
        raise Refused(_("Enter a number."))
    return value


def without_zeros(value: Decimal) -> str:
    """The number for machines, without trailing zeros: 12.50 → “12.5”."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def localized(value: Decimal | int, reader: Reader, grouped: bool = True) -> str:
    """A number as text in the reader's format."""
    return _format(without_zeros(Decimal(value)), reader.locale_name, grouped)


@functools.lru_cache(maxsize=5_000)  # a list has hundreds of numbers, mostly small ones
def _format(number: str, locale: str, grouped: bool) -> str:
    return format_decimal(Decimal(number), locale=locale, decimal_quantization=False, group_separator=grouped)


def places_of(value: Decimal) -> int:
    """How many decimal places the number needs."""
    return len(without_zeros(value).partition(".")[2])


def _amount(value: Any) -> Decimal:
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise ValueError("must be a number")
    return number


Amount = Annotated[Decimal, BeforeValidator(_amount)]


class Bounded(Field):
    """Keys `min`, `max` and `at_least`, which belong together."""

    too_small: ClassVar[Any] = _("Enter ${min} or more.")
    too_large: ClassVar[Any] = _("Enter ${max} or less.")
    not_less_than: ClassVar[Any] = _("Not less than “${field}”.")

    type: str
    min: Any = None
    max: Any = None
    at_least: Annotated[str, Names("own field")] | None = None

    @property
    def lower_bound_field(self) -> str | None:
        return self.at_least

    def lower_bound_hint(self, field: str) -> str:
        """The sentence about a lower bound in another field: “Not less than “Starts”.”"""
        return self.not_less_than % {"field": field}

    def check_lower_bound(self, value: Any, least: Any, reader: Reader) -> None:
        self.in_bounds((least, None), value, reader)

    def bounds(self, reader: Reader) -> tuple[Any, Any]:
        return self.min, self.max

    def bounds_hint(self, reader: Reader) -> str:
        """“From 1 to 10.”, or a sentence with a single bound."""
        least, most = self.bounds(reader)
        shown = {"min": self.show(least, reader), "max": self.show(most, reader)}
        if least is not None and most is not None:
            return _("From ${min} to ${max}.", mapping=shown)
        if least is not None:
            return self.too_small % shown
        return self.too_large % shown if most is not None else ""

    def example(self, usual: Any, reader: Reader) -> Any:
        """A value within bounds: `usual`, or else one of the bounds."""
        least, most = self.bounds(reader)
        if least is not None and usual < least:
            return least
        return most if most is not None and usual > most else usual

    def in_bounds(self, bounds: tuple[Any, Any], value: Any, reader: Reader) -> Any:
        """`value` itself. Raises Refused if it is outside `bounds`, of which each may be None."""
        least, most = bounds
        if least is not None and value < least:
            raise Refused(self.too_small % {"min": self.show(least, reader)})
        if most is not None and value > most:
            raise Refused(self.too_large % {"max": self.show(most, reader)})
        return value


class Number(Bounded):
    """A Decimal in one column."""

    column_type: ClassVar[Any] = ExactDecimal
    filter: ClassVar[str] = "range"
    inputmode: ClassVar[str] = "decimal"
    searched_in_lists: ClassVar[bool] = True
    comparable: ClassVar[bool] = True
    type: str

    def texts(self, value: Any) -> Iterable[str]:
        """With and without digit grouping."""
        return () if value is None else (self.show(value, PLAIN), localized(value, PLAIN, grouped=False))

    def to_json(self, value: Any) -> Any:
        """A text, because programs read decimal numbers inexactly."""
        return None if value is None else without_zeros(value)

    def parse(self, text: str, reader: Reader) -> Any:
        """A number in the reader's format; between `min` and `max`."""
        if is_blank(text):
            return None
        number = self.for_column(parse_number(self.number_in(text), reader))
        return self.in_bounds(self.bounds(reader), self.check(number), reader)

    @property
    def most_places(self) -> int:
        """How many decimal places a value may have."""
        return 0

    def number_in(self, text: str) -> str:
        """The number alone, for types that allow a unit with it."""
        return text

    def for_column(self, value: Decimal) -> Any:
        """The number in a form that can be compared with the column. Raises Refused."""
        if value.adjusted() >= WHOLE_DIGITS:
            raise Refused(_("This number is too large."))
        return value

    def check(self, value: Any) -> Any:
        """The number itself. Raises Refused for what the keys of the type do not allow."""
        return value

    def constant(self, raw: Any, reader: Reader) -> Any:
        """A number of the YAML, or a text in the reader's format; `min` and `max` do not apply."""
        return self.for_column(declared_number(self.number_in(raw) if isinstance(raw, str) else raw, reader))

    def default_value(self, raw: Any, reader: Reader) -> Any:
        """Like `constant`, with no more digits and places than the keys allow."""
        if is_nothing(raw):
            return None
        return self.check(self.constant(raw, PLAIN))

    def near(self, constant: Any) -> tuple[Any, ...]:
        """The number, and its neighbors with as many places as the field may have."""
        step = Decimal(1).scaleb(-self.most_places)
        below = Decimal(constant).quantize(step, ROUND_FLOOR, EXACT)
        return below - step, below, constant, below + step

    def inputs(self, value: Any, reader: Reader) -> dict[str, str | list[str]]:
        """In the reader's format, without digit grouping."""
        return {self.name: "" if value is None else localized(value, reader, grouped=False)}

    def show(self, value: Any, reader: Reader) -> str:
        """In the reader's format, with digit grouping."""
        return "" if value is None else localized(value, reader)

    def sheet_cell(self, value: Any, reader: Reader) -> SheetCell | None:
        return number_cell(value)

    def write(self, value: Any) -> str:
        """With a point, and without trailing zeros."""
        return "" if value is None else without_zeros(Decimal(value))


def check_places(value: Decimal, places: int) -> Decimal:
    """A number unchanged; more decimal `places` are refused, never rounded."""
    if places_of(value) > places:
        raise Refused(ngettext("Use at most ${number} decimal place.", "Use at most ${number} decimal places.", places))
    return value


def check_digits(value: Decimal, whole: int) -> Decimal:
    """A number unchanged; refuses more than `whole` digits before the point."""
    if value and value.adjusted() >= whole:
        raise Refused(
            ngettext(
                "Use at most ${number} digit before the decimal point.",
                "Use at most ${number} digits before the decimal point.",
                whole,
            )
        )
    return value
