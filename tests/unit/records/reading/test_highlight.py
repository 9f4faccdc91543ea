"""Which pieces of a text are highlighted as matches of a search."""

import pytest

from portal.database.search.words import parse_words
from portal.records.reading.highlight import excerpt, matches


@pytest.mark.parametrize(
    ("text", "typed", "marked"),
    [
        ("Paper jam", "pap", ["Paper"]),
        ("The Wi-Fi is slow", "wifi", ["Wi-Fi"]),
        ("The Wi-Fi is slow", "fi", ["Fi"]),
        ("The Wi\u2011Fi is slow", "wi-fi", ["Wi\u2011Fi"]),
        ("Mr. O'Neill", "oneill", ["O'Neill"]),
        ("Mr. O’Neill", "o'neill", ["O’Neill"]),
        ("Mr. O’Neill", "neill", ["Neill"]),
        ("TH-2026-0001", "th-2026-0001", ["TH-2026-0001"]),
        ("TH-2026-0001", "TH-2026-1", ["TH-2026-0001"]),
        ("TH-2026-0001", "2026", ["2026"]),
        ("TT0030 in room 007", "tt30", ["TT0030"]),
        ("TT0030 in room 007", "7", ["007"]),
        ("at 14:30", "14:30", ["14:30"]),
        ("Größe-A", "grosse", ["Größe"]),
        ("Paper jam", "aper", []),
    ],
)
def test_what_a_search_finds_is_marked(text, typed, marked):
    searched = parse_words(typed)
    pieces = matches(text, searched)
    assert [piece for piece, is_match in pieces if is_match] == marked
    assert not marked or "".join(piece for piece, _is_match in pieces) == text
    assert bool(excerpt(text, searched)) is bool(marked)
