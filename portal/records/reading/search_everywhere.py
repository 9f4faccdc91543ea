"""The search in all modules at once: one statement finds the rows of the index that have the words, of all modules, and
another reads the records.

So modules without a hit cost nothing, and those with hits need no search of their own. Where very many rows have the
words, each module is searched by itself, as its list does it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from portal.database.search import index as search
from portal.records.policy import Policy
from portal.records.reading.count_statements import Count
from portal.records.reading.page_of_records import Query, Record
from portal.records.reading.records import Records
from portal.records.reading.several_modules import Selection, by_ids_together

ROWS_PER_MODULE = 100  # are read in the time of a search in one module


@dataclass(frozen=True)
class ModuleHits:
    """The hits in one module: the newest, and how many there are."""

    records: Records
    newest: list[Record]
    count: Count


def hits_everywhere(
    connection: sa.Connection, policy: Policy, text: str, size: int, names: Sequence[str]
) -> list[ModuleHits]:
    """The newest `size` hits of each module that has some, with the fields `names`, in the order of the menu."""
    query = Query(text=text, size=size)
    ids = [(records, records.first_ids(query)) for records in _records_with_hits(connection, policy, text)]
    selections = [Selection(records, of_module, names) for records, of_module in ids]
    hits = []
    for (records, of_module), unordered in zip(ids, by_ids_together(selections), strict=True):
        by_id = {record.id: record for record in unordered}
        if newest := [by_id[record_id] for record_id in of_module if record_id in by_id]:
            hits.append(ModuleHits(records, newest, records.count(query)))
    return hits


def _records_with_hits(connection: sa.Connection, policy: Policy, text: str) -> Iterator[Records]:
    """The records of the modules in which a text may have hits."""
    words = search.parse_words(text)
    most = ROWS_PER_MODULE * len(policy.modules)
    matches = search.matches(connection, policy.tables.search, words, most) if words else None
    of_modules: dict[str, list[search.Match]] = defaultdict(list)
    for match in matches or ():
        of_modules[match.module].append(match)
    for module in policy.modules:
        records = Records(connection, policy, module)
        if records.may_have_hits(text, None if matches is None else of_modules[module]):
            yield records
