"""SQL: the columns by which records of a module are found and sorted, and the records that a title or name means."""

import re
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from portal.fields.column_types import NORMALIZE
from portal.texts import fold

RECORD_ID = re.compile(r"[1-9][0-9]{0,17}")


def title_column(target: sa.Table) -> str:
    """The column by which records of `target` are found: the folded title, else the reference."""
    return target.info["title_folded"] or "_reference_folded"


def sort_title_column(target: sa.Table) -> str:
    """The column by which links to `target` are sorted: the folded title, else the number of the reference."""
    return target.info["title_folded"] or "number"


def ids_named(target: sa.Table, name: str) -> sa.Select[Any]:
    """SQL: the ids of the records of `target` called `name` in a unique field, the reference or the title."""
    names = [*target.info["unique"], "reference", *([target.info["title"]] if target.info["title"] else ())]
    return sa.select(target.c["id"]).where(is_called([target.c[column] for column in names], name))


def is_called(columns: Iterable[sa.ColumnElement[Any]], name: str) -> sa.ColumnElement[bool]:
    """SQL: whether one of `columns` holds a record's `name`; PostgreSQL compares no numbers and dates with texts."""
    texts = [column for column in columns if isinstance(column.type, sa.Text)]
    terms = [column == column.info.get(NORMALIZE, str)(name) for column in texts]
    if RECORD_ID.fullmatch(name):
        terms += [column == int(name) for column in columns if isinstance(column.type, sa.BigInteger)]
    return sa.or_(sa.false(), *terms)


def ids_by_title(target: sa.Table, text: str) -> sa.Select[Any]:
    """SQL: the ids of the records of `target` whose title, or reference if they have none, contains `text`."""
    return sa.select(target.c["id"]).where(target.c[title_column(target)].contains(fold(text), autoescape=True))
