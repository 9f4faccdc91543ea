"""The search in all modules at once: one statement finds the newest hits in each module and counts them, and another
reads the records.

A module is searched separately, as its list does, if the index alone cannot decide what is a hit: if its table is an
existing one, if only that table says whom a record belongs to, or if the index holds more than the reader may read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from portal.database.search import index as search
from portal.records.policy import Policy
from portal.records.reading.count_statements import Count
from portal.records.reading.page_of_records import Query, Record
from portal.records.reading.records import Records
from portal.records.reading.several_modules import Selection, by_ids_together


@dataclass(frozen=True)
class ModuleHits:
    """The hits in one module: the newest, and how many there are."""

    records: Records
    newest: list[Record]
    count: Count


def hits_everywhere(
    connection: sa.Connection, policy: Policy, text: str, size: int, names: Sequence[str]
) -> list[ModuleHits]:
    """The newest `size` hits of each module that has any, with the fields `names`, in the order of the menu."""
    query = Query(text=text, size=size)
    ids = list(_newest(connection, [Records(connection, policy, module) for module in policy.modules], query))
    selections = [Selection(records, of_module, names) for records, of_module in ids]
    hits = []
    for (records, of_module), unordered in zip(ids, by_ids_together(selections), strict=True):
        by_id = {record.id: record for record in unordered}
        if newest := [by_id[record_id] for record_id in of_module if record_id in by_id]:
            hits.append(ModuleHits(records, newest, records.count(query)))
    return hits


def _newest(connection: sa.Connection, modules: Sequence[Records], query: Query) -> Iterator[tuple[Records, list[int]]]:
    """The ids of the newest hits in each module."""
    requests = [records.index_request(query.text) for records in modules]
    answers = iter(search.newest(connection, [request for request in requests if request], query.size))
    for records, request in zip(modules, requests, strict=True):
        ids = records.first_ids(query) if request is None else records.ids_of(query, next(answers))
        if ids:
            yield records, ids
