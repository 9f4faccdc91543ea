"""Creating, editing and deleting one record, with everything that belongs to it in the same transaction.

Values come checked from `forms.py` or `transfer.py`; here the rights are asked once more, for whatever path led here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from transaction.interfaces import TransientError

from portal.conditions import AllOf, Comparison
from portal.database.search import index as search
from portal.declaration.shapes import Module
from portal.fields.base import Refused
from portal.fields.link import Linked
from portal.records.indexing.backlog import renamed
from portal.records.indexing.index import index
from portal.records.policy import system_policy
from portal.records.reading.records import Query, Record, Records
from portal.records.writing.defaults import defaults
from portal.records.writing.sequence import next_numbers, reference
from portal.texts import _

MOST_NAMED = 1_000  # records; of more, none is named


class NotAllowedError(Exception):
    """The profile does not grant this; for the customer it does not exist."""


class ConflictError(Exception):
    """The record has changed meanwhile, or is in another state than the action wants."""


class RetryError(TransientError):
    """Another transaction is doing the same: to be tried again when that has ended."""


@dataclass(frozen=True)
class Author:
    """Who writes, for the history: the account, and the name shown."""

    account: int | None = None
    name: str = ""
    channel: str = "portal"


SYSTEM = Author(name="Portal", channel="import")


def create(records: Records, values: Mapping[str, Any], author: Author) -> int:
    """A new record from typed `values` and the declared defaults; answers its id. Raises NotAllowedError."""
    if not records.policy.may(records.name, "create"):
        raise NotAllowedError(records.name, "create")
    policy, module = records.policy, records.module
    given = {**defaults(records.connection, policy, module), **values}
    (number,) = next_numbers(records.connection, policy.tables, records.name)
    row = new_row(records, given, number, author)
    identity = _execute(records, sa.insert(records.table).values(row)).inserted_primary_key[0]
    for name, links in joined(module, given).items():
        _write_join(records, name, identity, links)
    remember(records, identity, "created", author)
    index(system_records(records), [identity])
    return identity


def edit(records: Records, record: Record, values: Mapping[str, Any], version: int, author: Author) -> None:
    """Changes what differs. Raises NotAllowedError, and ConflictError where `version` is not the record's any more."""
    if not records.policy.may(records.name, "edit"):
        raise NotAllowedError(records.name, "edit")
    change(records, record, values, version, "edited", author)


def change(
    records: Records, record: Record, values: Mapping[str, Any], version: int, kind: str, author: Author
) -> None:
    """Stores `values` over `record` and remembers it as `kind`; rights have been asked by the caller."""
    changed = {
        name: value for name, value in values.items() if name not in record.values or record.values[name] != value
    }
    row: dict[str, Any] = {}
    for name, value in changed.items():
        row |= records.module.field(name).store(value)
    row |= {"modified": records.policy.reader.now, **author_of(records, author, "modified_by"), "_version": version + 1}
    if not changed:
        return
    statement = sa.update(records.table).values(row)
    here = records.table.c["id"] == record.id, records.table.c["_version"] == version
    if _execute(records, statement.where(*here)).rowcount != 1:
        raise ConflictError(record.id)
    for name, links in joined(records.module, changed).items():
        _write_join(records, name, record.id, links)
    remember(records, record.id, kind, author, {"fields": sorted(changed)})
    system = system_records(records)
    index(system, [record.id])
    if records.module.title_field.name in changed:
        renamed(system, record.id)


def delete(records: Records, record: Record, author: Author) -> None:
    """Removes the record and what depends on it.

    Raises NotAllowedError, and Refused where other records still need it.
    """
    if not records.policy.may(records.name, "delete"):
        raise NotAllowedError(records.name, "delete")
    _delete(system_records(records), record.id, author, records)


def new_row(records: Records, values: Mapping[str, Any], number: int, author: Author) -> dict[str, Any]:
    """The columns of a new record; the engine's own among them."""
    now, zone = records.policy.reader.now, records.policy.reader.time_zone
    created = values.get("created") or now
    name = reference(records.module.reference, number, created.astimezone(zone))
    row: dict[str, Any] = {
        "number": number,
        **records.module.field("reference").store(name),
        "created": created,
        **author_of(records, author, "created_by"),
        "modified": created if values.get("created") else now,
        **author_of(records, author, "modified_by"),
        "channel": author.channel,
        "comments": 0,
        "attachments": 0,
        "_version": 1,
    }
    for field in records.module.fields.values():
        row |= field.store(values.get(field.name))
    return row


def joined(module: Module, values: Mapping[str, Any]) -> dict[str, tuple[Linked, ...]]:
    """The values that live in join tables."""
    many = {name: field for name, field in module.fields.items() if field.multiple and getattr(field, "to", None)}
    return {name: tuple(values[name] or ()) for name in many if name in values}


def author_of(records: Records, author: Author, name: str) -> dict[str, Any]:
    """What `created_by` or `modified_by` holds: the person, or the account's name where logins belong to no persons."""
    if records.policy.declaration.people:
        return {name: records.policy.reader.person}
    return records.module.builtin[name].store(author.name)


def remember(records: Records, identity: int, kind: str, author: Author, details: dict[str, Any] | None = None) -> None:
    """Writes an event: what happened to a record, by whom."""
    event = {
        "module": records.name,
        "record": identity,
        "kind": kind,
        "account": author.account,
        "at": records.policy.reader.now,
        "details": details or {},
    }
    records.connection.execute(sa.insert(records.policy.tables.event).values(event))


def system_records(records: Records) -> Records:
    """The same module as the portal itself sees it."""
    policy = system_policy(records.policy.declaration, records.policy.tables, records.policy.reader)
    return Records(records.connection, policy, records.name)


def sent_before(records: Records, key: str) -> str | None:
    """Where the first sending of the form with this one-time key led; None for the first, whose key is now taken.

    Raises RetryError while the first sending is still under way in another transaction.
    """
    table = records.policy.tables.once
    known = records.connection.execute(sa.select(table.c["address"]).where(table.c["key"] == key)).scalar()
    if known is not None:
        return known
    try:
        records.connection.execute(sa.insert(table).values(key=key, address="", created=records.policy.reader.now))
    except sa.exc.IntegrityError as error:
        raise RetryError from error
    return None


def led_to(records: Records, key: str, address: str) -> None:
    """Remembers where the form with this one-time key led."""
    table = records.policy.tables.once
    records.connection.execute(sa.update(table).where(table.c["key"] == key).values(address=address))


def _execute(records: Records, statement: sa.Insert | sa.Update) -> sa.CursorResult[Any]:
    """Two forms with the same unique value at once: the second is tried again, and then finds the first's record."""
    try:
        return records.connection.execute(statement)
    except sa.exc.IntegrityError as error:
        raise RetryError from error


def _write_join(records: Records, name: str, identity: int, links: Iterable[Linked]) -> None:
    join = records.policy.tables.join(records.name, name)
    records.connection.execute(sa.delete(join).where(join.c["record"] == identity))
    targets = dict.fromkeys(link.id for link in links)
    rows = [{"record": identity, "target": target, "position": position} for position, target in enumerate(targets)]
    if rows:
        records.connection.execute(sa.insert(join), rows)


def _delete(system: Records, identity: int, author: Author, asked: Records) -> None:
    """`asked`: the records of whoever deletes, who learns of no others why it cannot be."""
    tables = system.policy.tables
    for module in system.policy.declaration.modules.values():
        for field in module.fields.values():
            if system.name in getattr(field, "to", ()):
                _release(system.of(module.name), field.name, Linked(identity, system.name), author, asked)
    for name in joined(system.module, dict.fromkeys(system.module.fields)):
        _write_join(system, name, identity, ())
    remember(system, identity, "deleted", author)
    for table in (tables.comment,):
        system.connection.execute(
            sa.delete(table).where(table.c["module"] == system.name, table.c["record"] == identity)
        )
    search.remove(system.connection, tables.search, system.name, identity)
    system.connection.execute(sa.delete(system.table).where(system.table.c["id"] == identity))


def _release(linking: Records, name: str, target: Linked, author: Author, asked: Records) -> None:
    """Lets go of `target` in the records that link to it, as the link's `on_delete` says."""
    field = linking.module.field(name)
    if field.multiple:
        join = linking.policy.tables.join(linking.name, name)
        linking.connection.execute(sa.delete(join).where(join.c["target"] == target.id))
        return
    query = Query(condition=AllOf((Comparison((name,), "equal", target),)), sort=("id",))
    rows = list(linking.each(query, []))
    if not rows:
        return
    if field.on_delete == "refuse":
        raise Refused(_still_needed(linking, rows, asked))
    for row in rows:
        if field.on_delete == "cascade":
            _delete(linking, row.id, author, asked)
        else:
            change(linking, row, {name: None}, row.version, "edited", author)


def _still_needed(linking: Records, rows: Sequence[Record], asked: Records) -> str:
    """Why a record cannot be deleted, without what its reader may not see."""
    enabled = asked.policy.access(linking.name) is not None
    seen = asked.of(linking.name).rows([row.id for row in rows[:MOST_NAMED]], []) if enabled else []
    if len(seen) < len(rows[:MOST_NAMED]):
        return _("Other records still belong to it.")
    text = _("${count} records of ${module} still belong to it: ${titles}")
    titles = ", ".join(row.title for row in seen[:3]) + ("…" if len(rows) > 3 else "")
    label = asked.policy.reader.text(linking.module.label)
    return text % {"count": len(rows), "module": label, "titles": titles}
