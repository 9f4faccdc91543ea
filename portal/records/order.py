"""The order of a list, and paging by key: a page begins behind the last row of the one before, not after N rows.

A key is the sort values of a row, and its id, as opaque text. Empty values come last in both directions.
"""

import base64
import binascii
import datetime
import decimal
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.declaration.shapes import Module

# Columns of the engine that are never empty: no need to sort by emptiness first, so their index serves.
NEVER_EMPTY = ("id", "number", "reference", "created", "modified")


@dataclass(frozen=True)
class SortKey:
    """One sort criterion."""

    expression: sa.ColumnElement[Any]
    descending: bool
    may_be_empty: bool

    def beyond(self, value: Any, backwards: bool) -> sa.ColumnElement[bool]:
        """Rows that come strictly behind `value` (before it, backwards)."""
        if value is None:
            return self.expression.is_not(None) if backwards else sa.false()
        farther = self.expression < value if self.descending is not backwards else self.expression > value
        return farther if backwards or not self.may_be_empty else sa.or_(farther, self.expression.is_(None))

    def same(self, value: Any) -> sa.ColumnElement[bool]:
        return self.expression.is_(None) if value is None else self.expression == value

    def clauses(self, backwards: bool) -> list[sa.ColumnElement[Any]]:
        value = self.expression.desc() if self.descending is not backwards else self.expression.asc()
        if not self.may_be_empty:
            return [value]
        emptiness = self.expression.is_(None)
        return [emptiness.desc() if backwards else emptiness.asc(), value]


@dataclass(frozen=True)
class Order:
    """Sort criteria, ended by the id so that no two rows are equal."""

    keys: tuple[SortKey, ...]

    @classmethod
    def of(cls, module: Module, table: sa.Table, sort: Sequence[str], readable: frozenset[str]) -> "Order":
        """The order that `sort` (`field`, `-field`) asks for; names that may not be read are left out."""
        keys = []
        for entry in sort:
            name = entry.removeprefix("-")
            if name in readable and name in module.everything and module.field(name).sortable:
                expression = module.field(name).order(table)
                keys.append(SortKey(expression, entry.startswith("-"), name not in NEVER_EMPTY))
        descending = keys[0].descending if keys else True
        return cls((*keys, SortKey(table.c["id"], descending, False)))

    @property
    def columns(self) -> list[sa.ColumnElement[Any]]:
        """What a row must carry so that `key` can be made of it."""
        return [key.expression.label(f"_sort_{index}") for index, key in enumerate(self.keys)]

    def clauses(self, backwards: bool) -> list[sa.ColumnElement[Any]]:
        """For ORDER BY."""
        return [clause for key in self.keys for clause in key.clauses(backwards)]

    def beyond(self, position: Sequence[Any], backwards: bool) -> sa.ColumnElement[bool]:
        """Rows behind the row at `position`: equal in the first criteria and beyond in the next."""
        ways = []
        for index, key in enumerate(self.keys):
            same = [earlier.same(value) for earlier, value in zip(self.keys[:index], position[:index], strict=True)]
            ways.append(sa.and_(*same, key.beyond(position[index], backwards)))
        return sa.or_(*ways)

    def key(self, row: Mapping[str, Any]) -> str:
        """The key of a row."""
        values = [_packed(row[f"_sort_{index}"]) for index in range(len(self.keys))]
        return base64.urlsafe_b64encode(json.dumps(values, ensure_ascii=False).encode()).decode().rstrip("=")

    def position(self, key: str) -> list[Any] | None:
        """The sort values that `key` holds; None for no key, and for one that this order did not make."""
        if not key:
            return None
        try:
            values = json.loads(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)))
            values = [_unpacked(value) for value in values] if isinstance(values, list) else []
        except (ValueError, TypeError, KeyError, ArithmeticError, binascii.Error, RecursionError):
            return None
        fits = len(values) == len(self.keys) and all(map(_fits, self.keys, values))
        return values if fits else None


def _fits(key: SortKey, value: Any) -> bool:
    if value is None:
        return key.may_be_empty
    try:
        expected = key.expression.type.python_type
    except NotImplementedError:
        return True
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return False
    return isinstance(value, expected) or (isinstance(value, int) and issubclass(expected, (float, decimal.Decimal)))


def _packed(value: Any) -> Any:
    """A sort value as JSON can hold it."""
    if isinstance(value, datetime.datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, datetime.date):
        return {"date": value.isoformat()}
    if isinstance(value, datetime.time):
        return {"time": value.isoformat()}
    return {"decimal": str(value)} if isinstance(value, decimal.Decimal) else value


def _unpacked(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if not isinstance(value, Mapping):
        return value if value is None or isinstance(value, bool | int | float) else _refuse()
    ((kind, text),) = value.items()
    if kind == "decimal":
        number = decimal.Decimal(text)
        return number if number.is_finite() and abs(number.adjusted()) < 40 else _refuse()
    return {"datetime": datetime.datetime, "date": datetime.date, "time": datetime.time}[kind].fromisoformat(text)


def _refuse() -> Any:
    raise ValueError
