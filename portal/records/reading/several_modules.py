"""Records of several modules by id, in one statement for all modules with the same kinds of columns."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from portal.conditions import ALWAYS
from portal.fields.base import Field
from portal.fields.linked_value import Linked
from portal.records.reading.page_of_records import Record
from portal.records.reading.record_reader import RecordReader, Row, values_in_table
from portal.records.reading.statements import Statements
from portal.records.reading.titles import put_titles, read_links, titled_links
from portal.records.statement_cache import IDS, Statement, StatementKey, values_of

BATCH = 100  # modules in one statement; SQLite takes 500


@dataclass(frozen=True)
class Selection:
    """The records `ids` of one module, with the fields `names`. All selections read together share one policy."""

    reader: RecordReader
    ids: Sequence[int]
    names: Sequence[str] = ()


@dataclass
class _Part:
    """One of the modules read together: its fields and, once read, its rows and their values."""

    reader: RecordReader
    ids: list[int]
    fields: list[Field]
    columns: tuple[tuple[str, str], ...]  # name and kind of each
    rows: list[Row] = field(default_factory=list)
    values: list[dict[str, Any]] = field(default_factory=list)


def by_ids_together(selections: Sequence[Selection]) -> list[list[Record]]:
    """What `RecordReader.by_ids` returns for each of `selections`."""
    if len(selections) < 2:
        return [selection.reader.by_ids(selection.ids, selection.names) for selection in selections]
    parts = [_part(selection) for selection in selections]
    connection, policy = selections[0].reader.connection, selections[0].reader.policy
    _read_rows(parts)
    linked: list[Linked] = []
    for part in parts:
        part.values = values_in_table(part.rows, part.fields)
        linked += read_links(part.reader.partial(part.rows, part.fields, part.values))
    titled = titled_links(connection, policy, linked)
    for part in parts:
        put_titles(part.fields, part.values, titled)
    return [part.reader.complete(part.rows, part.fields, part.values) for part in parts]


def _part(selection: Selection) -> _Part:
    reader, fields = selection.reader, selection.reader.readable_fields(selection.names)

    def columns(statements: Statements) -> tuple[tuple[str, str], ...]:
        # Columns of one kind are read from a statement in the same way.
        read = statements.columns(fields)
        return tuple((column.name, f"{type(column.type).__module__}.{column.type!r}") for column in read)

    key = reader.key("columns", fields=tuple(field.name for field in fields))
    return _Part(reader, list(selection.ids), fields, reader.build(key, columns))


def _read_rows(parts: Sequence[_Part]) -> None:
    alike: dict[tuple[str, ...], list[_Part]] = defaultdict(list)
    for part in parts:
        if part.ids:
            alike[tuple(kind for _name, kind in part.columns)].append(part)
    for similar in alike.values():
        for first in range(0, len(similar), BATCH):
            _read_alike(similar[first : first + BATCH])


def _read_alike(parts: Sequence[_Part]) -> None:
    reader = parts[0].reader
    names = [[name for name, _kind in part.columns] for part in parts]
    ids = {_ids(number): part.ids for number, part in enumerate(parts)}
    rows: Iterable[Any] = reader.connection.execute(_statement(parts), values_of(reader.policy.reader) | ids)
    for row in rows:
        number = row[-1]
        parts[number].rows.append(dict(zip(names[number], row[:-1], strict=True)))


def _ids(number: int) -> str:
    """The parameter that holds the ids of one of several modules."""
    return f"{IDS}_{number}"


def _statement(parts: Sequence[_Part]) -> Statement:
    """The statement for records of several modules, built once for readers of this kind if each scope is shared."""
    policy, shared = parts[0].reader.policy.shared, [part.reader.shared_statements for part in parts]
    built_once = [statements for statements in shared if statements is not None and statements.narrowed == ALWAYS]
    if policy is None or len(built_once) < len(parts):
        return _union([part.reader.statements for part in parts], parts)
    modules = [part.reader.name for part in parts]
    fields = [tuple(field.name for field in part.fields) for part in parts]
    dialect = parts[0].reader.connection.dialect.name
    key = StatementKey("by ids together", " ".join(modules), dialect, fields=tuple(" ".join(of) for of in fields))
    return policy.statements.get(key, lambda: _union(built_once, parts))


def _union(statements: Sequence[Statements], parts: Sequence[_Part]) -> Statement:
    selects = [
        of_module.rows_by_ids(part.fields, _ids(number)).add_columns(sa.literal_column(str(number)).label("_part"))
        for number, (of_module, part) in enumerate(zip(statements, parts, strict=True))
    ]
    return sa.union_all(*selects) if len(selects) > 1 else selects[0]
