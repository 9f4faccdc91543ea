"""What a second web process and a replica of PostgreSQL bring: pages a second of one process, and of two.

    python -m benchmarks.replica [FOLDER]

Starts a PostgreSQL with 10,000 tickets, a replica that follows it, one web process that reads from the first, and two
that read from the replica; asks one and then the two for lists, records and searches, in turn, so that other work on
the machine disturbs both alike. FOLDER keeps the databases for the next run.

The client is a thread with connections that stay open; it takes some of the machine too.
"""

import contextlib
import os
import re
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.filling import PORTAL, fill
from benchmarks.ours import PEOPLE, Portal, pages
from benchmarks.servers import create_database, postgresql, replica

TICKETS = 10_000
KINDS = ("list", "tab", "sort", "filter", "search, rare word", "detail", "home")
UNDER_WAY = 3  # requests at the same time, to each web process
SECONDS, TURNS = 8.0, 5
READY = 60.0  # seconds
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@contextlib.contextmanager
def web_process(database: str, read: str = "") -> Iterator[int]:
    """The port of a process that serves the portal."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"PORTAL_FOLDER": str(PORTAL), "PORTAL_DATABASE": database}
    settings |= {"PORTAL_DATABASE_READ": read} if read else {}
    command = [str(Path(sys.executable).parent / "portal"), "serve", "--port", str(port)]
    process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    end = time.monotonic() + READY
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise SystemExit(f"no web process on port {port} within {READY:.0f} seconds")


class Client:
    """A connection that sends the requests one after the other, each when the last is answered."""

    def __init__(self, port: int, requests: list[bytes], first: int) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port))
        self.requests, self.next, self.answered = requests, first, 0
        self._received, self._missing = b"", -1

    def send(self) -> None:
        """Asks for the next page."""
        self.connection.sendall(self.requests[self.next % len(self.requests)])
        self.next += 1

    def receive(self) -> bool:
        """Takes what has come; whether the answer is whole. Raises SystemExit where it is no page."""
        data = self.connection.recv(1 << 18)
        if self._missing < 0:
            self._received += data
            head, end, body = self._received.partition(b"\r\n\r\n")
            if not end:
                return False
            length = LENGTH.search(head)
            if not head.startswith(b"HTTP/1.1 200") or length is None:
                raise SystemExit(head.decode("latin-1"))
            self._received, self._missing = b"", int(length[1]) - len(body)
        else:
            self._missing -= len(data)
        if self._missing > 0:
            return False
        self._missing = -1
        self.answered += 1
        return True


def pages_a_second(ports: list[int], requests: list[bytes]) -> float:
    """How many pages the web processes answer in a second."""
    step = len(requests) // (UNDER_WAY * len(ports))
    clients = [Client(port, requests, number * step) for number, port in enumerate(ports * UNDER_WAY)]
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.connection, selectors.EVENT_READ, client)
            client.send()
        start = time.perf_counter()
        while (now := time.perf_counter()) < start + SECONDS:
            for key, _events in selector.select(timeout=1):
                if key.data.receive():
                    key.data.send()
    for client in clients:
        client.connection.close()
    return sum(client.answered for client in clients) / (now - start)


def requests_of(portal: Portal) -> list[bytes]:
    """The requests of all people for all kinds of pages that only read."""
    requests = []
    for who in PEOPLE:
        for kind, paths in pages(portal, who).items():
            if kind in KINDS:
                requests += [request(portal, who, path) for path in paths[:3]]
    return requests


def request(portal: Portal, who: str, path: str) -> bytes:
    """What a browser sends for a page."""
    cookie = portal.cookies[who]
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nAccept-Language: en\r\n\r\n".encode()


def compare(first: str, second: str) -> None:
    """Prints what one process and two bring; `first` and `second`: the addresses of the database and its replica."""
    requests = requests_of(Portal(first))
    with web_process(first) as alone, web_process(first, second) as one, web_process(first, second) as other:
        for ports in ([alone], [one, other]):
            pages_a_second(ports, requests)  # each has read its templates and statements then
        ratios = []
        for _turn in range(TURNS):
            by_one, by_two = pages_a_second([alone], requests), pages_a_second([one, other], requests)
            ratios.append(by_two / by_one)
            print(f"{by_one:6.0f} pages a second by one process, {by_two:6.0f} by two: {ratios[-1]:.2f} ×", flush=True)
    print(f"two web processes and a replica serve {statistics.median(ratios):.2f} times as much as one")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own
    with postgresql(folder) as pattern:
        if pattern is None:
            raise SystemExit(1)
        if not (folder / "filled").exists():
            create_database(pattern, "tickets")
            fill(pattern.format(name="tickets"), TICKETS)
            (folder / "filled").touch()
        with replica(folder) as following:
            compare(pattern.format(name="tickets"), following.format(name="tickets"))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
