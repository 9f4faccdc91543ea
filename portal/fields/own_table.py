"""OwnTable, the base of `links` and `lines`: fields whose values are in a table of their own.

records/ reads and writes that table, for many records at once.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from portal.fields.base import Field


class OwnTable(Field):
    """The record's own row has no column for the value."""

    type: str

    def columns(self) -> list[sa.Column[Any]]:
        return []

    def store(self, value: Any) -> dict[str, Any]:
        """Nothing: links_and_lines.py writes the values into their own table."""
        return {}

    def selected(self, table: sa.FromClause) -> list[sa.ColumnElement[Any]]:
        return []

    def load(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """Empty: the values are read from their own table."""
        return ()

    def index_column(self, table: sa.FromClause) -> None:
        return None
