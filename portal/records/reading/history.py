"""What happened to records, as one reader may read it: events with the changes of the fields readable to them.

An event with nothing readable does not exist for the reader. For customers, both what was internal when it happened and
what is internal now are left out. Values are those of the time, shown as the fields are declared now.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from portal.batches import batched
from portal.database.sql import WithoutIndex
from portal.fields.base import Field
from portal.fields.linked_value import Linked
from portal.fields.refused import Refused
from portal.records.policy import Policy
from portal.records.reading.records import Record, Records
from portal.records.reading.stored_events import BATCH, MOST_STORED, read_events
from portal.records.reading.titles import titled_links

MOST_BATCHES = 20  # for one page over all records, when the reader may read few or none of their events
PORTAL = "Portal"  # the author of what no account did, shown as the name of the portal
CHANGING = ("edited", "moved", "imported", "signed")  # kinds of events that concern only fields


@dataclass(frozen=True)
class FieldChange:
    """A field that was changed. Without `has_values`, the values were too long for the history to keep."""

    field: Field
    before: Any = None
    after: Any = None
    has_values: bool = False


@dataclass(frozen=True)
class Event:
    """One event. `kind`: one of KINDS of records/writing/history.py; `file`: the name of the file, if it exists."""

    id: int
    module: str
    record: int
    kind: str
    account: int | None
    author: str
    channel: str
    at: datetime.datetime
    internal: bool
    about: str  # comment, file, person, record or ""
    about_id: int | None = None
    transition: str = ""  # that moved the record; "" if a comment moved it
    reference: str = ""  # of a deleted record; the name of the profile that the portal was viewed as
    changes: tuple[FieldChange, ...] = ()
    file: str = ""
    link: Linked | None = None  # the person or the record that it is about


@dataclass(frozen=True)
class EventFilter:
    """Which events of the history of all records are wanted; None for any."""

    module: str | None = None
    records: Sequence[tuple[str, int]] | None = None
    accounts: Sequence[int] | None = None
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None  # not included


def record_history(
    records: Records,
    record: Record,
    size: int,
    before: int | None = None,
    stored: Sequence[Mapping[str, Any]] | None = None,
) -> tuple[list[Event], int | None]:
    """The newest `size` events of a record that the reader may read, and the id before which there are more.

    `before`: only events older than the one with this id. `record` comes from `records`. `stored`: its newest events,
    if they have already been read.
    """
    events: list[Event] = []
    for rows in _batches(records, record, size + 1, before, stored):
        events += _readable(records, rows)
        if len(events) > size:
            return events[:size], events[size - 1].id
    return events, None


def _batches(
    records: Records, record: Record, size: int, before: int | None, stored: Sequence[Mapping[str, Any]] | None
) -> Iterator[Sequence[Mapping[str, Any]]]:
    if stored is not None:
        yield from batched(stored, size)
        if len(stored) < MOST_STORED:
            return
        before = stored[-1]["id"]
    event = records.policy.tables.event
    on_record = [event.c["module"] == records.name, event.c["record"] == record.id]
    while True:
        rows = read_events(records, on_record, before, size)
        yield rows
        if len(rows) < size:
            return
        before = rows[-1]["id"]


def whole_history(
    records: Records, only: EventFilter, size: int, before: int | None = None
) -> tuple[list[tuple[Event, Record | None]], int | None]:
    """The newest events of all records that the reader may see, with their records; None for a deleted one.

    `records` may be of any module. Only readers who see all records of a module get the events of deleted ones.
    """
    events: list[tuple[Event, Record | None]] = []
    for _batch in range(MOST_BATCHES):
        rows = read_events(records, _conditions(records.policy, only), before)
        events += _of_visible_records(records, rows)
        if len(events) > size:
            return events[:size], events[size - 1][0].id
        if len(rows) < BATCH:
            return events, None
        before = rows[-1]["id"]
    return events, before


def find_event(records: Records, event_id: int) -> tuple[Event, Record | None] | None:
    """One of the events of `whole_history` that the reader may read, with its record."""
    rows = read_events(records, [records.policy.tables.event.c["id"] == event_id], None)
    enabled = [row for row in rows if records.policy.access(row["module"])]
    return next(_of_visible_records(records, enabled), None)


def _conditions(policy: Policy, only: EventFilter) -> list[sa.ColumnElement[bool]]:
    event = policy.tables.event
    modules = [only.module] if only.module else list(policy.modules)
    conditions: list[sa.ColumnElement[bool]] = [WithoutIndex(event.c["module"].in_(modules))]
    if only.records is not None:
        pairs = [sa.and_(event.c["module"] == module, event.c["record"] == id_) for module, id_ in only.records]
        conditions.append(sa.or_(sa.false(), *pairs))
    if only.accounts is not None:
        conditions.append(event.c["account"].in_(only.accounts))
    if only.start is not None:
        conditions.append(event.c["at"] >= only.start)
    if only.end is not None:
        conditions.append(event.c["at"] < only.end)
    return conditions


def _of_visible_records(records: Records, rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Event, Record | None]]:
    by_module: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_module[row["module"]].append(row)
    events: dict[int, tuple[Event, Record | None]] = {}
    for module, of_module in by_module.items():
        here = records.of(module)
        visible = {record.id: record for record in here.by_ids([*{row["record"] for row in of_module}], [])}
        sees_deleted = here.policy.sees_all(module)
        visible_rows = [row for row in of_module if sees_deleted or row["record"] in visible]
        events |= {event.id: (event, visible.get(event.record)) for event in _readable(here, visible_rows)}
    return (events[row["id"]] for row in rows if row["id"] in events)


# -- what may be read --------------------------------------------------------------------------------------------------


def _readable(records: Records, rows: Iterable[Mapping[str, Any]]) -> list[Event]:
    """The events of rows of one module, without what the reader may not read."""
    events = [event for row in rows if (event := _event(records, row)) is not None]
    return _with_files(records, _with_titles(records, events), {row["id"]: row for row in rows})


def _event(records: Records, row: Mapping[str, Any]) -> Event | None:
    details = row["details"] or {}
    internal = bool(row["internal"] or details.get("internal"))
    if internal and not records.policy.staff:
        return None
    kind, _colon, transition = row["kind"].partition(":")
    changes = tuple(_changes(records, details))
    if kind in CHANGING and not changes and (kind != "imported" or "fields" in details):
        return None
    about = next((name for name in ("file", "comment", "person", "record") if details.get(name)), "")
    return Event(
        id=row["id"],
        module=records.name,
        record=row["record"],
        kind=kind,
        account=row["account"],
        author=_author(records, row),
        channel=row["channel"] or "portal",
        at=row["at"],
        internal=internal,
        about=about,
        about_id=details.get(about),
        transition=transition,
        reference=details.get("reference", ""),
        changes=changes,
        link=_link(records, details, about),
    )


def _author(records: Records, row: Mapping[str, Any]) -> str:
    """The author of an event for its reader; the portal's name for what it did by itself."""
    by_itself = row["account"] is None and row["author"] == PORTAL and row["channel"] in (None, "portal", "import")
    return records.policy.reader.text(records.policy.declaration.settings.name) if by_itself else row["author"] or ""


def _changes(records: Records, details: Mapping[str, Any]) -> Iterator[FieldChange]:
    """The changes of readable fields in an event; for customers, without fields that were internal at the time."""
    policy, module = records.policy, records.module
    readable = policy.readable(records.name)
    private = () if policy.staff else details.get("private", ())
    for name in details.get("fields", ()):
        if name not in readable or name not in module.fields or name in private:
            continue
        field, pair = module.field(name), details.get("changes", {}).get(name)
        yield FieldChange(field) if pair is None else _change(field, pair)


def _change(field: Field, pair: Sequence[Any]) -> FieldChange:
    """A change in the history with its values; what the field does not accept now stays the text that was stored."""
    values: list[Any] = []
    for recorded in pair:
        if isinstance(recorded, list) and not field.targets:  # it was a link
            return FieldChange(field)
        try:
            values.append(field.from_history(recorded))
        except Refused:
            values.append(Unfitting(recorded))
    return FieldChange(field, values[0], values[1], has_values=True)


class Unfitting(str):
    """The text of a value that its field, as declared now, does not accept."""


def _link(records: Records, details: Mapping[str, Any], about: str) -> Linked | None:
    people = records.policy.reader.people
    if about == "person" and people:
        return Linked(details["person"], people)
    return Linked(details["record"], details.get("module", records.name)) if about == "record" else None


# -- titles and names, as they are now -----------------------------------------------------------------------------


def _with_titles(records: Records, events: Sequence[Event]) -> list[Event]:
    """The events with the titles of linked records; people and records that the reader may not see get no name."""
    changes = [change for event in events for change in event.changes]
    links = [link for change in changes for value in (change.before, change.after) for link in _links(change, value)]
    links += [event.link for event in events if event.link]
    declared = records.policy.declaration.modules
    titled = titled_links(records.connection, records.policy, [link for link in links if link.module in declared])

    def now(field: Field, value: Any) -> Any:
        if isinstance(value, Unfitting) or not field.targets:
            return value
        of_value = [titled.get((link.module, link.id), link) for link in field.links_in(value)]
        if field.multiple:  # the others would reveal who else shares this record
            return tuple(link for link in of_value if link.visible)
        return next(iter(of_value), None)

    def about(link: Linked | None) -> Linked | None:
        linked = titled.get((link.module, link.id)) if link else None
        return linked if linked and linked.visible else None

    return [
        replace(
            event,
            link=about(event.link),
            changes=tuple(
                replace(change, before=now(change.field, change.before), after=now(change.field, change.after))
                for change in event.changes
            ),
        )
        for event in events
    ]


def _links(change: FieldChange, value: Any) -> tuple[Linked, ...]:
    return () if isinstance(value, Unfitting) else change.field.links_in(value)


def _with_files(records: Records, events: Sequence[Event], rows: Mapping[int, Mapping[str, Any]]) -> list[Event]:
    """The events with the names of files; a removed file no longer has one."""
    ids = {event.id: rows[event.id]["details"]["file"] for event in events if event.about == "file"}
    if not ids:
        return list(events)
    table = records.policy.tables.file
    query = sa.select(table.c["id"], table.c["name"]).where(table.c["id"].in_(set(ids.values())))
    if not records.policy.staff:
        query = query.where(table.c["internal"].is_(False))
    names = {file_id: name for file_id, name in records.connection.execute(query)}
    return [replace(event, file=names.get(ids.get(event.id), "")) for event in events]
