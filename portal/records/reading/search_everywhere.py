"""The search in all modules at once: one statement finds the rows of the index that have the words, of all modules.

So modules without a hit cost nothing, and those with hits need no search of their own. Where very many rows have the
words, each module is searched by itself, as its list does it.
"""

from collections import defaultdict
from collections.abc import Iterator

import sqlalchemy as sa

from portal.database.search import index as search
from portal.records.policy import Policy
from portal.records.reading.records import Records

ROWS_PER_MODULE = 100  # are read in the time of a search in one module


def records_with_hits(connection: sa.Connection, policy: Policy, text: str) -> Iterator[Records]:
    """The records of the modules in which a text may have hits, in the order of the menu."""
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
