"""Records that contain some of the words of a text, those with the most first: what may answer a question."""

from collections import defaultdict

from portal.database.search.words import parse_words
from portal.records.reading.records import Query, Records

MOST_WORDS = 8  # of a text that are searched for, one statement each
MOST_HITS = 50  # of one word, newest change first; a word with more counts only if no other word is found
SHORTEST = 3  # letters of a word in ASCII


def ids_with_any_word(records: Records, text: str, limit: int) -> list[int]:
    """The ids of the records that contain the most words of `text`; among equals, those with rarer words come first.

    Records with less than half as many words as the first are left out.
    """
    typed_words = dict.fromkeys(term.word for term in parse_words(text).terms)
    words = [word for word in typed_words if len(word) >= SHORTEST or not word.isascii()][:MOST_WORDS]
    hits = [records.first_ids(Query(word, size=MOST_HITS)) for word in words]
    rare = [ids for ids in hits if ids and len(ids) < MOST_HITS]
    matches: dict[int, list[int]] = defaultdict(list)  # by record, how many records have each of its words
    for ids in rare or hits:
        for record_id in ids:
            matches[record_id].append(len(ids))
    most = max(map(len, matches.values()), default=0)
    near = [record_id for record_id, others in matches.items() if 2 * len(others) >= most]
    return sorted(near, key=lambda record_id: (-len(matches[record_id]), sum(matches[record_id])))[:limit]
