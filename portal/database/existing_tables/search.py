"""The general search in an existing table: every word must begin a word of some searched field of the row.

Every row in the scope is read, so that the search finds what others wrote a moment ago. The texts are in columns of the
query that reads the table (schema/existing_tables.py); a link is found by the title of its record.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from portal.conditions import Comparison, ParsedValue
from portal.database.existing_tables.sqlite_functions import BORDER
from portal.database.existing_tables.values import HasWords
from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.link import is_linked
from portal.fields.table_names import table_of

OPERATOR = "words"
TEXT = "_{}_text"  # the column with the searched text of a field


def has_words(field: Field) -> bool:
    """Whether the search covers a field of an existing table."""
    return field.name == "reference" or (field.searched and not field.virtual)


def words_condition(needles: Sequence[str], names: Sequence[str]) -> Comparison:
    """The condition that the fields `names` together have everything that a search looks for (`needles`)."""
    return Comparison((names[0],), OPERATOR, ParsedValue((tuple(needles), tuple(names))))


def match_words(value: Any, table: sa.FromClause, module: Module, declaration: Declaration) -> sa.ColumnElement[bool]:
    """SQL for `words_condition`: whether a row of an existing table has the words of a search."""
    needles, names = value
    texts = [text for name in names for text in _texts(module.field(name), table, declaration)]
    joined: sa.ColumnElement[str] = sa.func.coalesce(texts[0], "", type_=sa.Text())
    for text in texts[1:]:
        joined = joined + BORDER + sa.func.coalesce(text, "", type_=sa.Text())
    return HasWords(joined, *needles)


def _texts(field: Field, table: sa.FromClause, declaration: Declaration) -> list[sa.ColumnElement[str]]:
    if not field.targets:
        return [table.c[TEXT.format(field.name)]]
    texts: list[sa.ColumnElement[str]] = []
    for name in field.targets:
        target = table_of(table).metadata.tables[name].alias()
        title = declaration.modules[name].title_field.name
        linked = sa.select(sa.cast(target.c[title], sa.Text())).where(is_linked(target, table, field.name))
        texts.append(linked.correlate(table).scalar_subquery())
    return texts
