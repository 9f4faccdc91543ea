"""Real-world files: encodings, delimiters, quotes, lines; and the place of mistakes."""

import os

import pytest

from portal.records.transfer.csv_reading import UnreadableFileError, open_source
from portal.texts import translate


def opened(folder, content):
    path = folder / "file.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_source(path)


def refused(folder, content):
    with pytest.raises(UnreadableFileError) as caught:
        opened(folder, content)
    return caught.value.line, translate(caught.value.message, "en")


def test_a_pipe_is_not_taken_for_an_empty_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableFileError, match="Write it to a file first"):
        open_source(tmp_path / "pipe")


@pytest.mark.parametrize(
    "content",
    [
        "name,town\nAda,Łódź\n",
        "\ufeffname,town\nAda,Łódź\n",
        "name;town\r\nAda;Łódź\r\n",
        "name\ttown\nAda\tŁódź",
        "name,town\rAda,Łódź\r",
        "\n\nname,town\n\n,\nAda,Łódź\n,\n\n",
        "name,town\nAda,Łódź\n".encode("utf-16"),
        "\ufeffname,town\nAda,Łódź\n".encode("utf-16-be"),
    ],
    ids=["plain", "mark", "semicolons", "tabs", "old Mac", "empty lines", "UTF-16", "UTF-16 the other way round"],
)
def test_what_spreadsheets_write_is_read(tmp_path, content):
    source = opened(tmp_path, content)
    assert source.headers == ("name", "town")
    assert [row.cells for row in source.rows()] == [("Ada", "Łódź")]


def test_the_delimiter_is_what_the_header_has_most_of(tmp_path):
    source = opened(tmp_path, 'name;"a, b, c";town\nx, y, z, w;1;2\n')
    assert source.headers == ("name", "a, b, c", "town")
    assert [row.cells for row in source.rows()] == [("x, y, z, w", "1", "2")]


def test_lines_are_those_of_the_file_whatever_stands_in_quotes(tmp_path):
    source = opened(tmp_path, 'a,b\n"one\ntwo\nthree",1\n\n"x",2\n"\r\n",3\nlast,4\n')
    assert [(row.line, row.cells[1]) for row in source.rows()] == [(2, "1"), (6, "2"), (7, "3"), (9, "4")]


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"name\nAda\nJos\xe9\n", 3, ["Character 4", "UTF-8", "0xE9"]),
        (b"\xef\xbb\xbfname\nJos\xe9", 2, ["Character 4", "0xE9"]),
        (b"name\n" + b"x" * 3_000_000 + b"\xff\n", 2, ["Character 3000001", "0xFF"]),
        ("name\nAda\n".encode("utf-16-le"), None, ["UTF-16", "mark"]),
        ("name\nAda\n".encode("utf-32"), None, ["UTF-32"]),
        (b"", None, ["empty"]),
        (b"\n \n,,\n", None, ["empty"]),
        (b'"name\nAda\n', 1, ["never closed"]),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(tmp_path, content, line, words):
    place, message = refused(tmp_path, content)
    assert place == line
    assert all(word in message for word in words), message


def test_a_bad_row_does_not_hide_the_next_ones(tmp_path):
    source = opened(tmp_path, 'a,b\n"x"y,1\ngood,2\n"never closed,3\nlost,4\n')
    rows = list(source.rows())
    assert [(row.line, row.problem is None) for row in rows] == [(2, False), (3, True), (4, False)]
    assert "text follows a closing quote" in translate(rows[0].problem, "en")
    assert "never closed" in translate(rows[2].problem, "en")


def test_a_long_text_is_one_cell(tmp_path):
    source = opened(tmp_path, "a\n" + "x" * 1_000_000 + "\n")
    assert [len(row.cells[0]) for row in source.rows()] == [1_000_000]


def test_only_a_header_is_a_file_without_rows(tmp_path):
    assert list(opened(tmp_path, "name,town\n").rows()) == []
