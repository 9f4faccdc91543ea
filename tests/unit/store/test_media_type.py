"""The type of a file, from its bytes and its name together."""

import io

import pytest

from portal.store.media_type import SHOWN, media_type

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("photo.png", PNG, "image/png"),
        ("report.pdf", b"%PDF-1.7\n", "application/pdf"),
        ("notes.txt", "Größe\n".encode(), "text/plain"),
        ("rows.csv", b"a;b\n1;2\n", "text/csv"),
        ("anything", b"\x00\x01\x02\x03", "application/octet-stream"),
        ("empty.txt", b"", "text/plain"),
    ],
)
def test_ordinary_files(name, head, expected):
    assert media_type(io.BytesIO(head), name) == expected


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("photo.png", b"<html><script>alert(1)</script></html>"),
        ("photo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("page.txt", b"<!DOCTYPE html><script>alert(1)</script>"),
        ("data.xml", b"<?xml version='1.0'?><x/>"),
        ("page.html", b"plain words"),
    ],
)
def test_what_could_run_in_a_browser_is_never_shown_by_it(name, head):
    assert media_type(io.BytesIO(head), name) not in SHOWN


def test_the_position_of_the_source_stays():
    source = io.BytesIO(b"%PDF-1.7\n")
    media_type(source, "x.pdf")
    assert source.tell() == 0
