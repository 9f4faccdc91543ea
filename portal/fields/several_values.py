"""Several values in one place: how `choices` and `tags` share one column, and how a list is written in a CSV cell."""

import csv
import io
import json
from collections.abc import Iterable

import sqlalchemy as sa

from portal.fields.column_types import Occurs
from portal.fields.refused import Refused
from portal.texts import _


def pack_values(values: Iterable[str]) -> str | None:
    """Several values as one text that contains each as `,"value",`: quotes are escaped, so a search is exact."""
    quoted = [json.dumps(value, ensure_ascii=False) for value in values]
    return f",{','.join(quoted)}," if quoted else None


def unpack_values(text: str | None) -> tuple[str, ...]:
    """The several values of a column that `pack_values` filled; none if it is empty."""
    return tuple(json.loads(f"[{text[1:-1]}]")) if text else ()


def holds_value(column: sa.ColumnElement[str], value: str) -> sa.ColumnElement[bool]:
    """SQL: whether a column of several values, packed, holds `value`."""
    return Occurs(column, sa.literal(pack_values([value]), sa.Text()))


def join_values(values: Iterable[str]) -> str:
    """Several values as one line, separated by commas: `a, b, "c, d"`."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()


def split_values(text: str, delimiter: str = ",") -> list[str]:
    """The values of a line from `join_values`, without empty ones."""
    return [value for value in split_all_values(text, delimiter) if value]


def split_all_values(text: str, delimiter: str = ",") -> list[str]:
    """The values of a line from `join_values`, including empty ones, without spaces around them."""
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True))
    except csv.Error:  # a value of more than 128 kB
        raise Refused(_("This is not in the expected format.")) from None
    return [value.strip() for line in lines for value in line]
