"""The web server of `portal serve`: waitress with our limits, which finishes open requests before it exits."""

import errno
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ThreadedTaskDispatcher

from portal.settings import ProcessSettings
from portal.web.protection import HEALTH

MANY_SPACES = re.compile(rb"[ \t]{100}")
SHUTDOWN_TIMEOUT = 20.0  # seconds for open requests after a signal; then they are cut off


class Parser(HTTPRequestParser):
    """Refuses a header full of spaces, which waitress would parse for seconds while everyone else waits."""

    def parse_header(self, header_plus: bytes) -> None:
        """Called with all headers of a request."""
        if MANY_SPACES.search(header_plus):
            raise ParsingError("Too many spaces in a header")
        super().parse_header(header_plus)


class Channel(HTTPChannel):
    """A connection to the web server, whose requests are read with our parser."""

    parser_class = Parser


class Dispatcher(ThreadedTaskDispatcher):
    """Gives requests to threads. Monitors have their own: they ask exactly when all others wait for a database."""

    def __init__(self, threads: int) -> None:
        super().__init__()
        self.set_thread_count(threads)
        self.monitors = ThreadedTaskDispatcher()
        self.monitors.set_thread_count(1)

    def add_task(self, task: Channel) -> None:
        """Called with a channel whose next request has been received."""
        if task.requests and task.requests[0].path == HEALTH:
            self.monitors.add_task(task)
        else:
            super().add_task(task)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        """Ends all threads."""
        self.monitors.shutdown(cancel_pending, timeout)
        return bool(super().shutdown(cancel_pending, timeout))


@dataclass
class Server:
    """A server that already listens, and answers once it runs. `sockets`: waitress's map of all its sockets."""

    listeners: list[Any]
    sockets: dict[int, Any]
    stopping: bool = False

    @property
    def host(self) -> str:
        """The address on which it listens; if there are several, the last."""
        return str(self.listeners[-1].effective_host)

    @property
    def port(self) -> int:
        """The port, even if any free one was requested."""
        return int(self.listeners[-1].effective_port)

    def run(self, timeout: float = SHUTDOWN_TIMEOUT) -> None:
        """Answers until SIGTERM or SIGINT; then accepts no new connections and finishes what is open.

        `timeout`: seconds for that. A second signal ends the process immediately.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self.stopping:
            self._turn(1.0)
        self._turn(0)  # connections that wait to be accepted
        for listener in self.listeners:
            wasyncore.dispatcher.close(listener)  # its own close() would remove the trigger that wakes this loop
        self._turn(0)  # requests that were sent on them
        end = time.monotonic() + timeout
        while self._busy() and time.monotonic() < end:
            self._turn(0.2)
        self.listeners[0].task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self.sockets)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        self.stopping = True
        self.listeners[0].pull_trigger()

    def _turn(self, timeout: float) -> None:
        wasyncore.loop(timeout, use_poll=True, map=self.sockets, count=1)

    def _busy(self) -> bool:
        """Whether a request is being received or answered, or an answer being sent."""
        channels = [channel for channel in list(self.sockets.values()) if isinstance(channel, Channel)]
        return any(channel.request is not None or channel.requests or channel.total_outbufs_len for channel in channels)


def listening_server(application: Callable[..., Any], settings: ProcessSettings) -> Server:
    """A server that does not answer yet; it may listen on several addresses. Raises OSError."""
    sockets: dict[int, Any] = {}
    try:
        create_server(application, map=sockets, _dispatcher=Dispatcher(settings.threads), **_server_options(settings))
    except ValueError:  # waitress looks up the host before anything else
        raise OSError(errno.EADDRNOTAVAIL, "there is no such host") from None
    listeners = [listener for listener in sockets.values() if isinstance(listener, BaseWSGIServer)]
    for listener in listeners:
        listener.channel_class = Channel
    return Server(listeners, sockets)


def _server_options(settings: ProcessSettings) -> dict[str, Any]:
    """Waitress's options: bounded bodies, connections and idle time, no server name, at most one trusted proxy."""
    options: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "threads": settings.threads,
        "max_request_header_size": 16_384,
        "max_request_body_size": settings.largest_request + 1_000_000,  # slightly over the limit gets our own page
        "connection_limit": 1000,
        "channel_timeout": 30,
        "ident": None,
        "clear_untrusted_proxy_headers": True,
    }
    if settings.trusted_proxy:
        options["trusted_proxy"] = settings.trusted_proxy
        options["trusted_proxy_headers"] = {"x-forwarded-for", "x-forwarded-proto"}
    return options
