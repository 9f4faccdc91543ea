"""The protocol of clamd, against a small server that speaks it."""

import io
import socketserver
import threading
from collections.abc import Iterator

import pytest

from portal.store.scanner import ScannerError, scan


class Clamd(socketserver.StreamRequestHandler):
    """Finds a virus in anything that contains the word `virus`."""

    def handle(self) -> None:
        assert self.rfile.read(10) == b"zINSTREAM\0"
        content = b""
        while length := int.from_bytes(self.rfile.read(4), "big"):
            content += self.rfile.read(length)
        answers = {b"virus": b"stream: Test-Signature FOUND\0", b"too large": b"INSTREAM size limit exceeded. ERROR\0"}
        self.wfile.write(next((answer for word, answer in answers.items() if word in content), b"stream: OK\0"))


@pytest.fixture
def address() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Clamd) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"tcp://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_clean_file_passes(address):
    assert scan(address, io.BytesIO(b"a" * 200_000)) is None


def test_what_is_found_is_named(address):
    assert scan(address, io.BytesIO(b"a" * 100_000 + b"virus")) == "Test-Signature"


@pytest.mark.parametrize("content", [b"too large"])
def test_an_answer_that_is_neither_is_no_permission(address, content):
    with pytest.raises(ScannerError):
        scan(address, io.BytesIO(content))


def test_a_scanner_that_is_away_is_no_permission(tmp_path):
    with pytest.raises(ScannerError):
        scan(f"unix://{tmp_path}/no-socket", io.BytesIO(b"x"))
