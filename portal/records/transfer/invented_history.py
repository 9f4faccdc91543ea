"""Invents the history of the demo's records: events from their creation to their present state.

An import knows only the present state; histories and stages would begin today.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from portal.database.engine import Connection
from portal.database.schema.tables import Tables
from portal.declaration.shapes import Lifecycle, Transition, leaves
from portal.fields.linked_value import Linked
from portal.records.indexing.stopwatches import recompute_stopwatches
from portal.records.reading.records import Query, Record, Records
from portal.records.writing.history import Author, change_details, event_row

STEP = datetime.timedelta(hours=20)  # from one state to the next, if no field says when


@dataclass(frozen=True)
class InventedHistory:
    """The past of the records of one module; `staff`: the account that did what staff may do, `person`: its person."""

    records: Records
    staff: Author
    person: int | None = None

    def add(self) -> None:
        """Replaces the events of the import with those of each record's creation and its path to the present state, and
        sets who created it: its owner, else staff."""
        records, event, table = self.records, self.records.policy.tables.event, self.records.table
        imported = event.c["module"] == records.name, event.c["kind"] == "imported"
        records.connection.execute(sa.delete(event).where(*imported))
        for record in list(records.iterate(Query(sort=("id",)), records.module.everything)):
            events = list(self._events(record))
            records.connection.execute(sa.insert(event), events)
            if records.policy.declaration.people:
                owner = self._owner(record)
                creator = {"created_by": owner.id if owner else self.person}
                records.connection.execute(sa.update(table).where(table.c["id"] == record.id).values(creator))
            older = table.c["id"] == record.id, table.c["modified"] < events[-1]["at"]
            records.connection.execute(sa.update(table).where(*older).values(modified=events[-1]["at"]))
            recompute_stopwatches(records, [record.id])

    def _events(self, record: Record) -> Iterator[dict[str, Any]]:
        lifecycle, at = self.records.module.lifecycle, record.values["created"]
        customer = self._customer(record)
        start = {"state": lifecycle.start} if lifecycle else {}
        yield self._event(record, at, "created", customer, start)
        if lifecycle is None:
            return
        before = lifecycle.start
        for transition in _shortest_way_to(lifecycle, record.values.get(lifecycle.field)):
            now = self.records.policy.reader.now
            at = min(self._moment(record, transition) or at + min(STEP, (now - at) / 2), now)
            changed = change_details(self.records.module, {lifecycle.field: before}, {lifecycle.field: transition.to})
            author = self.staff if transition.name in self._done_by_staff else customer
            yield self._event(record, at, f"moved:{transition.name}", author, changed)
            if signed := self._sign(record, transition, author, at):
                yield self._event(record, at, "signed", author, change_details(self.records.module, {}, signed))
            before = transition.to

    def _sign(self, record: Record, transition: Transition, author: Author, at: datetime.datetime) -> dict[str, Any]:
        """The record's signatures that the transition asks for, as written by its author."""
        fields = [self.records.module.fields[name] for name in transition.ask if name in self.records.module.fields]
        signing = [field for field in fields if field.signs and record.values[field.name]]
        signed = {field.name: record.values[field.name].signed(at, author.account, author.name) for field in signing}
        columns = {name: value for field in signing for name, value in field.store(signed[field.name]).items()}
        if columns:
            table = self.records.table
            self.records.connection.execute(sa.update(table).where(table.c["id"] == record.id).values(columns))
        return signed

    def _event(
        self, record: Record, at: datetime.datetime, kind: str, author: Author, details: dict[str, Any]
    ) -> dict[str, Any]:
        return event_row(self.records, record.id, kind, author, details) | {"at": at}

    def _customer(self, record: Record) -> Author:
        """The owner of the record; staff if it has none."""
        person = self._owner(record)
        return Author(self._accounts.get(person.id), person.title) if person else self.staff

    def _owner(self, record: Record) -> Linked | None:
        """The person who owns the record; None if it has no owner."""
        owner = self.records.module.fields.get(self.records.module.owner or "")
        return next(iter(owner.links_in(record.values[owner.name])), None) if owner else None

    def _moment(self, record: Record, transition: Transition) -> datetime.datetime | None:
        """When the transition happened, according to a field that it sets to `now`."""
        set_now = [name for name, value in transition.set.items() if value == "now"]
        moments = [record.values.get(name) for name in set_now]
        return next((moment for moment in moments if isinstance(moment, datetime.datetime)), None)

    @cached_property
    def _accounts(self) -> dict[int, int]:
        """The accounts by person, as authors of invented events."""
        account = self.records.policy.tables.account
        rows = self.records.connection.execute(sa.select(account.c["person"], account.c["id"]))
        return {person: account_id for person, account_id in rows}

    @cached_property
    def _done_by_staff(self) -> frozenset[str]:
        """The transitions that a staff profile may use."""
        profiles = self.records.policy.declaration.profiles.values()
        accesses = [profile.modules.get(self.records.name) for profile in profiles if profile.staff]
        return frozenset(action for access in accesses if access for action in access.can)


def _shortest_way_to(lifecycle: Lifecycle, state: str | None) -> Sequence[Transition]:
    """The shortest path of transitions that a record may have taken to `state`; empty if there is none."""
    ways: dict[str | None, tuple[Transition, ...]] = {lifecycle.start: ()}
    waiting = [lifecycle.start]
    for reached in waiting:
        for transition in lifecycle.transitions.values():
            if leaves(transition, reached) and transition.to not in ways:
                ways[transition.to] = (*ways[reached], transition)
                waiting.append(transition.to)
    return ways.get(state, ())


def sort_events(connection: Connection, tables: Tables) -> None:
    """Puts the events of the history in order of time, as if each had been written when it happened."""
    event = tables.event
    rows = [dict(row) for row in connection.execute(sa.select(event).order_by(event.c["at"], event.c["id"])).mappings()]
    connection.execute(sa.delete(event))
    connection.execute(sa.insert(event), [{name: row[name] for name in row if name != "id"} for row in rows])
