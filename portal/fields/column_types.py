"""Column types and SQL functions that mean the same on SQLite and PostgreSQL. Used by field types and tables."""

import datetime
import decimal
from collections.abc import Callable
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

WHOLE_DIGITS = 30
EXACT = decimal.Context(prec=100)
ZERO = decimal.Decimal(0)
MIRRORED = str.maketrans("0123456789", "9876543210")


# Entry of a column's `info`: how a text is normalized for this column, so that different spellings are equal.
NORMALIZE = "normalize"


def folded_text() -> sa.types.TypeEngine[str]:
    """The type of folded text, which sorts by code points on both databases, regardless of PostgreSQL's collation."""
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def serial_column(name: str) -> sa.Column[int]:
    """A primary key that the database increments; SQLite only does so for INTEGER, which has 64 bits there."""
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True)


NO_TIME = datetime.timedelta()


class UTCDateTime(sa.types.TypeDecorator[datetime.datetime]):
    """Aware datetimes in Python; UTC without a zone in the database, so that SQLite can sort them."""

    impl = sa.DateTime
    cache_ok = True

    @property
    def python_type(self) -> type[datetime.datetime]:
        return datetime.datetime

    def process_bind_param(self, value: datetime.datetime | None, dialect: sa.Dialect) -> datetime.datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a datetime without a zone cannot be stored")
        return value and value.astimezone(datetime.UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime.datetime | None, dialect: sa.Dialect) -> datetime.datetime | None:
        return value and value.replace(tzinfo=datetime.UTC)


def utc_now() -> datetime.datetime:
    """The present moment, by the clock that is used for all datetimes in the database."""
    return datetime.datetime.now(datetime.UTC)


def present_moment(later: datetime.timedelta = NO_TIME) -> sa.BindParameter[Any]:
    """SQL: the moment at which a statement is executed, or `later` than that, by the clock that is used for all
    datetimes: the database may be on another machine."""
    return sa.bindparam("now", callable_=lambda: utc_now() + later, type_=UTCDateTime(), unique=True)


def present_number(number_of: Callable[[datetime.datetime], int]) -> sa.BindParameter[Any]:
    """SQL: an integer computed from the moment at which a statement is executed."""
    return sa.bindparam("now", callable_=lambda: number_of(utc_now()), type_=sa.BigInteger(), unique=True)


class ExactDecimal(sa.types.TypeDecorator[decimal.Decimal]):
    """Exact decimals: NUMERIC if the database has it, on SQLite a text that sorts like the number.

    The number of places is not stored, so that a declaration may change it without changing rows.
    """

    impl = sa.Numeric
    cache_ok = True

    @property
    def python_type(self) -> type[decimal.Decimal]:
        return decimal.Decimal

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else sa.Numeric())

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return sortable(decimal.Decimal(value)) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> decimal.Decimal | None:
        return value if value is None or isinstance(value, decimal.Decimal) else from_sortable(str(value))


def sortable(value: decimal.Decimal) -> str:
    """A text that sorts like the number: 12.5 → “0…012.5”; negative numbers have inverted digits: “-9…987.4~”.

    The mark at the end makes -12.51 come before -12.5.
    """
    whole, _point, fraction = f"{value.copy_abs():f}".partition(".")
    if len(whole) > WHOLE_DIGITS:
        raise ValueError("too many digits for a column")
    # No arithmetic here: it would round to the 28 digits of the context.
    text = f"{whole.zfill(WHOLE_DIGITS)}.{fraction.rstrip('0')}".rstrip(".")
    return f"-{text.translate(MIRRORED)}~" if value < 0 else text


def from_sortable(text: str) -> decimal.Decimal:
    """The number of a `sortable` text; also accepts plain numbers, as in existing tables."""
    if text.endswith("~"):
        text = "-" + text[1:-1].translate(MIRRORED)
    return decimal.Decimal(text)


class SqlByDatabase(FunctionElement[Any]):
    """SQL that differs by database: subclasses define both variants; {0}, {1} … are their arguments."""

    sqlite: ClassVar[str]
    postgresql: ClassVar[str]


@compiles(SqlByDatabase)
def _sql_by_database(element: SqlByDatabase, compiler: SQLCompiler, **options: Any) -> str:
    template: str = getattr(element, compiler.dialect.name)
    return template.format(*(compiler.process(clause, **options) for clause in element.clauses))


class ExactTotal(SqlByDatabase):
    """SQL: the exact sum of numbers, which may have more digits than their column allows.

    SQLite stores decimals as texts and fails if an integer sum exceeds 64 bits, so it calls a function of ours.
    """

    type = ExactDecimal()
    inherit_cache = True
    sqlite = "portal_total({0})"
    postgresql = "sum({0})"


class SumOfTexts:
    """The aggregate that SQLite calls for ExactTotal."""

    def __init__(self) -> None:
        self._sum: decimal.Decimal | None = None

    def step(self, text: Any, /) -> None:
        """Adds a number to the exact sum, in its `sortable` form, or an integer."""
        if text is not None:
            number = text if isinstance(text, int) else from_sortable(str(text))
            self._sum = EXACT.add(self._sum or ZERO, number)

    def finalize(self) -> Any:
        """The sum as in a column; as a plain number if it has too many digits for that."""
        if self._sum is None:
            return None
        return sortable(self._sum) if self._sum.adjusted() < WHOLE_DIGITS else f"{self._sum:f}"


class Occurs(SqlByDatabase):
    """SQL: whether the second text occurs exactly in the first: SQLite's LIKE does not distinguish a from A."""

    type = sa.Boolean()
    inherit_cache = True
    sqlite = "(instr({0}, {1}) > 0)"
    postgresql = "(strpos({0}, {1}) > 0)"


class SecondsBetween(SqlByDatabase):
    """SQL: whole seconds from the first datetime to the second."""

    type = sa.BigInteger()
    inherit_cache = True
    sqlite = "(CAST(strftime('%s', {1}) AS INTEGER) - CAST(strftime('%s', {0}) AS INTEGER))"
    postgresql = "CAST(EXTRACT(EPOCH FROM date_trunc('second', {1}) - date_trunc('second', {0})) AS BIGINT)"
