"""Search text becomes plain words without special meaning, and a record's text is stored so that they are found."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.database.search.words import MAX_TEXT_LENGTH, MAX_WORD_LENGTH, MAX_WORDS, Term, indexed_text, parse_words


def terms(text):
    return [(term.word, term.whole) for term in parse_words(text).terms]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Größe", [("grosse", False)]),
        ("a printer", [("a", True), ("printer", False)]),
        ("TT30", [("tt30", False)]),
        ("SN-159C78F6", [("sn159c78f6", False)]),
        ("O’Neill", [("oneill", False)]),
        ("東京", [("東", True), ("京", True)]),
        ("printer printer", [("printer", False)]),
        ('"paper jam"', [("paper", True), ("jam", True)]),
        ('an" odd quote', [("an", False), ("odd", False), ("quote", False)]),
        ("_p17 _mtickets", [("p17", False), ("mtickets", False)]),
        ('x* OR (y) NEAR "', [("x", True), ("or", False), ("y", True), ("near", False)]),
        ("!? … \x00", []),
        ("", []),
    ],
)
def test_typed_text_becomes_words(text, expected):
    assert terms(text) == expected


@pytest.mark.parametrize("quoted", ['"paper jam"', "“Paper Jam”", "„paper, jam“", "«paper jam»"])
def test_quoted_words_stand_together(quoted):
    assert parse_words(quoted).phrases == (" paper jam ",)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("東京", [" 東 京 "]),
        ("プリンタ故障", [" ふ り ん た ", " 故 障 "]),
        ("ﾌﾟﾘﾝﾀ", [" ふ り ん た "]),
        ("고장 프린터", [" 고 장 ", " 프 린 터 "]),
        ("東 京 Tokyo", []),
        ("ລາວ ខ្មែរ", [" ລ າ ວ ", " ខ ម រ "]),
    ],
)
def test_characters_without_a_space_between_them_stand_together(text, phrases):
    assert list(parse_words(text).phrases) == phrases


def test_a_text_without_a_word_asks_for_nothing():
    assert not parse_words("–– !")
    assert not parse_words('""').phrases


@pytest.mark.parametrize("text", [" ".join(f"word{n}" for n in range(10_000)), "x" * 5_000_000, '"' * 100_000])
def test_more_than_a_search_takes_is_cut_and_said(text):
    words = parse_words(text)
    assert words.cut
    assert len(words.terms) <= MAX_WORDS


def test_what_is_not_cut_does_not_say_so():
    assert not parse_words("paper jam").cut


@pytest.mark.parametrize(
    ("texts", "reference", "expected"),
    [
        (["Paper jam", "Łódź"], "", " paper jam _ lodz _ "),
        (["jam"], "TT30", " tt30 _ jam _ 30 "),
        (["jam"], "R-000123", " r 000123 _ r 123 _ jam _ r000123 r123 "),
        (["room 007"], "", " room 007 _ 7 "),
        (["O'Neill"], "", " o neill _ oneill "),
        (["000"], "", " 000 _ "),
        (["", "!"], "", " "),
        ([], "", " "),
    ],
)
def test_a_text_is_kept_as_words_with_spaces_around(texts, reference, expected):
    assert indexed_text(texts, reference) == expected


def test_a_huge_text_is_kept_up_to_a_bound_and_not_within_a_word():
    text = indexed_text(["abcdefg " * 100_000])
    assert len(text) <= MAX_TEXT_LENGTH
    assert text.endswith(" abcdefg ")


def test_a_huge_word_is_found_by_its_beginning_and_by_itself():
    text = indexed_text(["y" * 100_000])
    assert len(text) < MAX_WORD_LENGTH + 10
    assert parse_words("y" * 1000).match([text])
    assert parse_words("yyyy").match([text])


@pytest.mark.parametrize("letter", ["y", "漢"])
def test_a_huge_word_beside_a_compound_is_no_work(letter):
    began = time.process_time()
    text = indexed_text([letter * 30_000 + " Wi-Fi"])
    assert time.process_time() - began < 2
    assert parse_words("wifi").match([text])


def test_words_are_checked_against_fewer_texts():
    words = parse_words('print "paper jam"')
    assert words.match([indexed_text(["The printer has a paper jam"])])
    assert not words.match([indexed_text(["The printer has paper", "jam"])])
    assert not words.match([indexed_text(["a blueprint", "paper jam"])])


def test_no_more_texts_are_read_than_a_hit_takes():
    texts = iter(["paper jam", "a printer", "a long description"])
    assert parse_words("pri jam").match(indexed_text([text]) for text in texts)
    assert list(texts) == ["a long description"]


@given(st.text(max_size=60))
def test_whatever_stands_in_a_record_finds_it(text):
    assert parse_words(text.replace('"', " ")).match([indexed_text([text])])


def test_a_word_alone_is_a_needle_that_needs_its_start_only():
    assert Term("jam", whole=False).needle == " jam"
    assert Term("jam", whole=True).needle == " jam "
