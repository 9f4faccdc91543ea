"""One call, many times: how long it takes. Called by every part of the benchmark, the rivals' processes too.

Imports nothing of the portal. Times are milliseconds of the clock on the wall; nothing else should run meanwhile.
"""

import io
import math
import re
import resource
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Timing:
    """What one kind of page took."""

    p50: float
    p95: float
    per_second: float
    cpu: float  # p50 of this process's own work, for machines that do something else besides
    bytes: int = 0

    def as_row(self) -> dict[str, float]:
        return asdict(self)


def measure(calls: Iterable[Callable[[], int]], seconds: float, least: int = 5) -> Timing:
    """Runs `calls` in turn, over and over, for about so many seconds; each answers how many bytes it made."""
    calls = list(calls)
    began, size = time.perf_counter(), calls[0]()
    if time.perf_counter() - began < seconds:  # all once to warm up, unless one alone takes too long
        for call in calls[1:]:
            call()
    taken: list[float] = []
    worked: list[float] = []
    end = time.perf_counter() + seconds
    for call in _again_and_again(calls):
        start, work = time.perf_counter(), time.thread_time()
        size = call()
        worked.append((time.thread_time() - work) * 1000)
        taken.append((time.perf_counter() - start) * 1000)
        slow = taken[-1] > seconds * 1000
        if time.perf_counter() > end and (len(taken) >= least or slow):
            break
    taken.sort()
    per_second = 1000 * len(taken) / sum(taken)
    return Timing(share(taken, 0.5), share(taken, 0.95), per_second, share(sorted(worked), 0.5), size)


def _again_and_again(calls: list[Callable[[], int]]) -> Iterator[Callable[[], int]]:
    while True:
        yield from calls


def share(taken: list[float], part: float) -> float:
    """The time that so great a part of the sorted calls did not exceed."""
    return taken[min(len(taken) - 1, math.ceil(part * len(taken)) - 1)]


def memory() -> float:
    """The most memory that this process has had, in megabytes."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts what the process had in memory that this one was forked from
        return int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class RefusedPageError(RuntimeError):
    """A page answered with something else than it should."""


def wsgi_call(application: Any, path: str, cookie: str = "", body: bytes | None = None) -> bytes:
    """Calls a WSGI application without a server between; answers the body. Raises RefusedPageError for 4xx and 5xx."""
    path, _mark, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": "GET" if body is None else "POST",
        "PATH_INFO": path, "QUERY_STRING": query, "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "HTTP_HOST": "localhost", "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1", "HTTP_COOKIE": cookie, "HTTP_ACCEPT_LANGUAGE": "en",
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body or b""),
        "wsgi.errors": io.StringIO(), "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
    }  # fmt: skip
    if body is not None:
        environ |= {"CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": str(len(body))}
    status: list[str] = []
    answer = application(environ, lambda line, headers, info=None: status.append(line))
    try:
        content = b"".join(answer)
    finally:
        getattr(answer, "close", lambda: None)()
    if status[0][0] not in "23":
        raise RefusedPageError(f"{path}?{query}: {status[0]}")
    return content
