"""SQL that converts values of existing tables to those in the portal's own tables, for each database.

SQLite calls our functions (sqlite_functions.py), so that texts are folded and numbers written as in the portal's own
tables. PostgreSQL uses its own functions; its folding is Unicode's, plus the most frequent letters without
decomposition.
"""

import datetime
import decimal
from collections.abc import Sequence
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BIT
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from portal.database.existing_tables.sqlite_functions import BORDER, KEY_DIGITS, SEPARATOR
from portal.texts import IGNORED, JOINTS, SPACES, UNSPACED

Expression = sa.ColumnElement[Any]

MARKS = f"[\u0300-\u036f{IGNORED}]"  # combining accents, and what is invisible
LETTERS = ("øłđħıŀŧς’‘", "oldhiltσ''")  # without decomposition
# What separates words: a letter class would depend on the database's locale, which may only know ASCII.
BETWEEN_WORDS = (
    "\x01-/:-@[-^`{-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff"
    "\u3000-\u3004\u3008-\u3020\u30fb\ufe30-\ufe4f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\U0001f000-\U0001faff"
)
OF_A_WORD = f"[^{BETWEEN_WORDS}{BORDER}]"
JOINT = f"(?<={OF_A_WORD}){JOINTS.pattern}(?={OF_A_WORD})"  # Wi-Fi is found by wifi
LIGATURES = (("ß", "ss"), ("æ", "ae"), ("œ", "oe"), ("þ", "th"))


def _as_others(value: Any, kind: str, zone: ZoneInfo) -> Any:
    """An existing table's moment in the portal's time zone if the column has no zone; its day if it holds days."""
    if not isinstance(value, datetime.datetime):
        return value
    local = value.astimezone(zone)
    if kind == "date":
        return local.date()
    return value if kind == "moment" else local.replace(tzinfo=None)


class Values(Protocol):
    """SQL for the values of existing tables as the portal reads them, on both databases. All return NULL for NULL."""

    def text(self, column: Expression) -> Expression:
        """The SQL for a text; an empty one becomes NULL."""

    def folded(self, text: Expression) -> Expression:
        """The SQL for a text without accents and case."""

    def number(self, column: Expression) -> Expression:
        """The SQL for an exact decimal."""

    def boolean(self, column: Expression, kind: str) -> Expression:
        """True or false."""

    def date(self, column: Expression, kind: str, zone: str) -> Expression:
        """The day; of a moment, the day in the portal's time zone."""

    def moment(self, column: Expression, kind: str, zone: str) -> Expression:
        """The SQL for a moment in UTC; a time without a zone is in the portal's time zone."""

    def time(self, column: Expression) -> Expression:
        """The time of the day."""

    def record_id(self, texts: Sequence[Expression]) -> Expression:
        """The record id for a key that is not a single integer: a number computed only from the key."""

    def padded(self, column: Expression, digits: int) -> Expression:
        """An integer with leading zeros."""

    def native_value(self, value: Any, kind: str, zone: ZoneInfo) -> Any:
        """A Python value for a column of this kind; `zone`: the portal's."""


class SQLiteValues:
    """Values of existing tables on SQLite, with our functions for anything in a column (sqlite_functions.py)."""

    def text(self, column: Expression) -> Expression:
        return sa.func.nullif(sa.cast(column, sa.Text()), "", type_=sa.Text())

    def folded(self, text: Expression) -> Expression:
        return sa.func.portal_fold(text, type_=sa.Text())

    def number(self, column: Expression) -> Expression:
        return sa.func.portal_number(column)

    def boolean(self, column: Expression, kind: str) -> Expression:
        return sa.func.portal_boolean(column)

    def date(self, column: Expression, kind: str, zone: str) -> Expression:
        return sa.func.portal_date(column, zone)

    def moment(self, column: Expression, kind: str, zone: str) -> Expression:
        return sa.func.portal_moment(column, zone)

    def time(self, column: Expression) -> Expression:
        return sa.func.portal_time(column)

    def record_id(self, texts: Sequence[Expression]) -> Expression:
        return sa.func.portal_record_id(*texts)

    def padded(self, column: Expression, digits: int) -> Expression:
        return sa.func.printf(f"%0{digits}d", column, type_=sa.Text())

    def native_value(self, value: Any, kind: str, zone: ZoneInfo) -> Any:
        value = _as_others(value, kind, zone)
        match value:
            case bool():
                return int(value)
            case datetime.datetime():
                return value.isoformat(" ", "seconds")
            case datetime.date() | datetime.time():
                return value.isoformat()
            case decimal.Decimal():
                return str(value)  # a numeric column converts it
        return value


class PostgreSQLValues:
    """Values of existing tables on PostgreSQL, with its own functions."""

    def text(self, column: Expression) -> Expression:
        return sa.func.nullif(sa.cast(column, sa.Text()), "", type_=sa.Text())

    def folded(self, text: Expression) -> Expression:
        bare = sa.func.regexp_replace(sa.func.normalize(sa.func.lower(text), sa.text("NFKD")), MARKS, "", "g")
        for letter, letters in LIGATURES:
            bare = sa.func.replace(bare, letter, letters)
        bare = sa.func.regexp_replace(bare, SPACES.pattern, " ", "g")
        return sa.collate(sa.func.translate(bare, *LETTERS, type_=sa.Text()), "C")

    def words(self, folded: Expression) -> Expression:
        """The words of several folded texts separated by BORDER, each between spaces; compounds are joined too."""
        joined = sa.func.regexp_replace(folded, JOINT, "", "g", type_=sa.Text())
        apart = sa.func.regexp_replace(folded + BORDER + joined, UNSPACED.pattern, r" \1 ", "g")
        words = sa.func.regexp_replace(apart, f"[{BETWEEN_WORDS}]+", " ", "g", type_=sa.Text())
        return sa.literal(" ") + sa.func.replace(words, BORDER, " _ ", type_=sa.Text()) + " "

    def number(self, column: Expression) -> Expression:
        return sa.cast(column, sa.Numeric())

    def boolean(self, column: Expression, kind: str) -> Expression:
        return column if kind == "boolean" else column != 0

    def date(self, column: Expression, kind: str, zone: str) -> Expression:
        return sa.cast(sa.func.timezone(zone, column) if kind == "moment" else column, sa.Date())

    def moment(self, column: Expression, kind: str, zone: str) -> Expression:
        aware = column if kind == "moment" else sa.func.timezone(zone, sa.cast(column, sa.DateTime()))
        return sa.func.timezone("UTC", aware)

    def time(self, column: Expression) -> Expression:
        return sa.cast(column, sa.Time())

    def record_id(self, texts: Sequence[Expression]) -> Expression:
        joined = texts[0]
        for text in texts[1:]:
            joined = joined + sa.func.chr(ord(SEPARATOR), type_=sa.Text()) + text
        hexadecimal = sa.literal("x") + sa.func.left(sa.func.md5(joined), KEY_DIGITS, type_=sa.Text())
        bits = sa.cast(hexadecimal, BIT(4 * KEY_DIGITS))
        return sa.cast(bits, sa.BigInteger()) + 1

    def padded(self, column: Expression, digits: int) -> Expression:
        text = sa.cast(column, sa.Text())
        return sa.func.lpad(text, sa.func.greatest(digits, sa.func.length(text)), "0", type_=sa.Text())

    def native_value(self, value: Any, kind: str, zone: ZoneInfo) -> Any:
        value = _as_others(value, kind, zone)
        return int(value) if isinstance(value, bool) and kind == "integer" else value


POSTGRESQL = PostgreSQLValues()
VALUES: dict[str, Values] = {"sqlite": SQLiteValues(), "postgresql": POSTGRESQL}


class HasWords(FunctionElement[bool]):
    """Whether a text has every needle of a search: `HasWords(text, needle, …)`. Texts are separated by BORDER."""

    type = sa.Boolean()
    name = "has_words"
    inherit_cache = True


@compiles(HasWords, "sqlite")
def _has_words_in_sqlite(element: HasWords, compiler: SQLCompiler, **options: Any) -> str:
    return f"portal_has_words({compiler.process(element.clauses, **options)})"


@compiles(HasWords, "postgresql")
def _has_words_in_postgresql(element: HasWords, compiler: SQLCompiler, **options: Any) -> str:
    text, *needles = element.clauses
    folded = compiler.process(POSTGRESQL.folded(text), **options)
    words = compiler.process(POSTGRESQL.words(sa.literal_column("found.folded", sa.Text())), **options)
    # The text is folded and split into words once for all needles, which contain no wildcards of LIKE.
    patterns = [f"chr(37) || CAST({compiler.process(needle, **options)} AS TEXT) || chr(37)" for needle in needles]
    words = f"SELECT {words} FROM (SELECT {folded} AS folded OFFSET 0) AS found"  # noqa: S608  both are compiled SQL
    return f"(({words}) LIKE ALL (ARRAY[{', '.join(patterns)}]))"
