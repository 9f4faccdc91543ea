"""A record's values as rows: the columns of a new record, and the join tables that hold its `links`."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from portal.declaration.shapes import Module
from portal.fields.linked import Linked
from portal.records.indexing.formulas import computed
from portal.records.reading.records import Records
from portal.records.writing.errors import RetryError
from portal.records.writing.history import Author, author_of
from portal.records.writing.sequence import reference


def new_row(records: Records, values: Mapping[str, Any], number: int, author: Author) -> dict[str, Any]:
    """The columns of a new record, the engine's own among them."""
    now, zone = records.policy.reader.now, records.policy.reader.time_zone
    created = values.get("created") or now
    row: dict[str, Any] = {
        "number": number,
        **records.module.field("reference").store(
            reference(records.module.reference, number, created.astimezone(zone))
        ),
        "created": created,
        **author_of(records, author, "created_by"),
        "modified": created,
        **author_of(records, author, "modified_by"),
        "channel": author.channel,
        "comments": 0,
        "attachments": 0,
        "_version": 1,
    }
    for field in records.module.fields.values():
        row |= field.store(values.get(field.name))
    formulas = records.module.formulas.values()
    return row | computed(formulas, {**values, "number": number, "created": created}, records.policy.reader.currency)


def link_values(module: Module, values: Mapping[str, Any]) -> dict[str, tuple[Linked, ...]]:
    """Those of `values` that live in join tables."""
    names = [name for name, field in module.fields.items() if field.in_join_table]
    return {name: tuple(values[name] or ()) for name in names if name in values}


def write_links(records: Records, name: str, record_id: int, links: Iterable[Linked]) -> None:
    """Replaces the rows of the join table of the field `name`; links to records that the reader may not see stay."""
    table = records.policy.tables.join(records.name, name)
    visible = records.policy.visible_ids(records.module.field(name).targets[0])
    shown = [] if visible is None else [table.c["target"].in_(visible)]
    records.connection.execute(sa.delete(table).where(table.c["record"] == record_id, *shown))
    targets = dict.fromkeys(link.id for link in links)
    rows = [{"record": record_id, "target": target, "position": position} for position, target in enumerate(targets)]
    if rows:
        records.connection.execute(sa.insert(table), rows)


def execute(records: Records, statement: sa.Insert | sa.Update) -> sa.CursorResult[Any]:
    """Writes one row. Raises RetryError."""
    with unique_violations_retried():
        return records.connection.execute(statement)


@contextmanager
def unique_violations_retried() -> Iterator[None]:
    """Of two that write the same unique value at once the second is tried again, and then finds the first's record."""
    try:
        yield
    except sa.exc.IntegrityError as error:
        raise RetryError from error
