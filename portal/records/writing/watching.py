"""Who may add people to a record and remove them: customers for people of their own companies, staff for anyone.

Only people with the right `watch` add others: no letter, copy or forward ever does. The record becomes part of the
added person's scope (records/policy.py), so the caller must rewrite its entry in the search index.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from portal.database.insert import insert_into
from portal.fields.refused import Refused
from portal.records.reading.records import Record, Records
from portal.records.reading.watchers import watchers
from portal.records.writing.history import Author, add_event
from portal.texts import ngettext

MOST_WATCHERS = 100  # of one record


@dataclass(frozen=True)
class Watching:
    """A person who watches a record, as its reader knows them."""

    id: int
    name: str
    visible: bool  # whether the reader may open the record of the person
    removable: bool


def may_watch(records: Records) -> bool:
    """Whether the module has watchers and the profile may add some."""
    return records.module.watchers and records.policy.may(records.name, "watch")


def addable(records: Records, ids: Iterable[int]) -> list[int]:
    """The people among `ids` whom the reader may add and remove, even if their records may not be seen."""
    policy, people = records.policy, records.policy.declaration.people
    if people is None:
        return []
    table = policy.tables.module(people)
    candidates = sa.select(table.c["id"]).where(table.c["id"].in_(list(ids)))
    return list(records.connection.scalars(candidates if policy.staff else candidates.where(policy.colleagues())))


def watching_people(records: Records, record: Record) -> list[Watching]:
    """The people who watch a record, as far as the reader may know: staff all of them, customers those of their own
    companies and those whose records they may see. The others would reveal who else shares this record."""
    policy, people = records.policy, records.policy.declaration.people
    ids = watchers(records.connection, policy.tables, records.module, record.id)
    if not ids or people is None:
        return []
    known = set(addable(records, ids))
    visible = {person.id for person in records.of(people).by_ids(ids, [])} if policy.access(people) else set()
    shown = [person for person in ids if person in known | visible]
    titles = {person.id: person.title for person in records.as_system.of(people).by_ids(shown, [])}
    may_remove = known if may_watch(records) else set()
    return [
        Watching(person, titles[person], person in visible, person in {*may_remove, policy.reader.person})
        for person in shown
        if person in titles
    ]


def add_watcher(records: Records, record_id: int, person_id: int, author: Author) -> bool:
    """Adds a person and the event; False if they already watch the record. The caller checks rights.

    Raises Refused if the record has the most watchers allowed.
    """
    tables, connection = records.policy.tables, records.connection
    others = watchers(connection, tables, records.module, record_id)
    if len(others) >= MOST_WATCHERS and person_id not in others:
        raise Refused(
            ngettext(
                "A record can have at most ${number} watcher.",
                "A record can have at most ${number} watchers.",
                MOST_WATCHERS,
            )
        )
    row = {"module": records.name, "record": record_id, "person": person_id, "added": records.policy.reader.now}
    statement = insert_into(connection, tables.watcher).values(row).on_conflict_do_nothing()
    added = connection.execute(statement.returning(tables.watcher.c["person"])).first() is not None
    if added:
        add_event(records, record_id, "watched", author, {"person": person_id})
    return added


def remove_watcher(records: Records, record_id: int, person_id: int, author: Author) -> bool:
    """Removes a person and adds the event; False if they do not watch the record."""
    table = records.policy.tables.watcher
    this = table.c["module"] == records.name, table.c["record"] == record_id, table.c["person"] == person_id
    removed = records.connection.execute(sa.delete(table).where(*this))
    if removed.rowcount:
        add_event(records, record_id, "unwatched", author, {"person": person_id})
    return bool(removed.rowcount)
