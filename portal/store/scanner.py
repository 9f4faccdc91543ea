"""An optional virus scanner: clamd's INSTREAM protocol, as described in the manual page clamd(8)."""

import socket
from typing import BinaryIO
from urllib.parse import urlsplit

CHUNK = 64 * 1024  # bytes
TIMEOUT = 30  # seconds for one answer


class ScannerError(Exception):
    """The scanner cannot be reached; no file is accepted without its result."""


def scan(address: str, source: BinaryIO) -> str | None:
    """What the scanner at `address` (`tcp://HOST:PORT` or `unix:///PATH`) found in `source`; None if it is clean.

    Reads `source` from its current position. Raises ScannerError.
    """
    try:
        with _connect(address) as connection:
            connection.sendall(b"zINSTREAM\0")
            while chunk := source.read(CHUNK):
                connection.sendall(len(chunk).to_bytes(4, "big") + chunk)
            connection.sendall(bytes(4))
            answer = _answer(connection)
    except OSError as error:
        raise ScannerError(f"the scanner at {address} does not answer: {error}") from None
    if answer.endswith("OK"):
        return None
    if answer.endswith(" FOUND"):
        return answer.removeprefix("stream: ").removesuffix(" FOUND")
    raise ScannerError(f"the scanner at {address} answered: {answer}")


def _connect(address: str) -> socket.socket:
    parts = urlsplit(address)
    if parts.scheme == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(TIMEOUT)
        try:
            connection.connect(parts.path)
        except OSError:
            connection.close()
            raise
        return connection
    return socket.create_connection((parts.hostname or "localhost", parts.port or 3310), timeout=TIMEOUT)


def _answer(connection: socket.socket) -> str:
    parts = []
    while part := connection.recv(4096):
        parts.append(part)
    return b"".join(parts).rstrip(b"\0\n").decode("utf-8", "replace")
