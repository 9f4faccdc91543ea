"""Several portals in one process: one per folder, named like the host at which browsers reach it.

A portal starts with its first request. The most recently used ones stay; the others keep nothing in memory and take a
moment to come back. If one cannot start, the others are not affected.
"""

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from webob import Response

from portal.database.engine import DatabaseUnreachableError
from portal.database.errors import DatabaseError
from portal.web.live import StartupError
from portal.web.protection import HEALTH

log = logging.getLogger(__name__)

HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(?=(:[0-9]{1,5})?\Z)", re.ASCII)
START_TIMEOUT = 3.0  # seconds that a request waits for its portal to start
TRY_AGAIN = 5.0  # seconds before a portal that could not start is tried again
UNKNOWN = "There is no portal at this address.\n"
BROKEN = "This portal cannot start at the moment. Its log says why.\n"


class Application(Protocol):
    """The WSGI application of one of several portals."""

    registry: Any

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers one request."""


class HostedPortals:
    """The WSGI application of all portals in `folder`; `make` makes the application of one, from its own folder.

    At most `most` are kept. `make` raises StartupError, DatabaseUnreachableError or OSError.
    """

    def __init__(self, folder: Path, make: Callable[[Path], Application], most: int) -> None:
        self.folder, self._make, self._most = folder, make, most
        self._applications: OrderedDict[str, Application] = OrderedDict()  # the most recently used one at the end
        self._failed: dict[str, float] = {}  # when, in seconds of the monotonic clock
        self._making: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Passes a request to the portal of its host."""
        name = _host_name(environ)
        if name is None or not self._is_portal(name):
            return _response_for_nobody(environ)(environ, start_response)
        application = self.application(name)
        if application is None:
            broken = Response(BROKEN, status=503, content_type="text/plain", headers={"Retry-After": "5"})
            return broken(environ, start_response)
        return application(environ, start_response)

    def application(self, name: str) -> Application | None:
        """The application of the portal in the folder `name`; None while it cannot start."""
        if (made := self._made(name)) is not None:
            return made
        with self._guard:
            making = self._making.setdefault(name, threading.Lock())
        # Other portals are answered while one starts; only a few of its own visitors wait for that.
        if not making.acquire(timeout=0 if name in self._failed else START_TIMEOUT):
            return None
        try:
            return self._made(name) or self._start(name)
        finally:
            making.release()

    def _is_portal(self, name: str) -> bool:
        """Whether the folder exists. A file that is missing for a moment does not make a portal disappear."""
        folder = self.folder / name
        return folder.is_dir() and (name in self._applications or (folder / "modules.yaml").is_file())

    def _made(self, name: str) -> Application | None:
        with self._guard:
            made = self._applications.get(name)
            if made is not None:
                self._applications.move_to_end(name)
            return made

    def _start(self, name: str) -> Application | None:
        failed = self._failed.get(name)
        if failed is not None and time.monotonic() - failed < TRY_AGAIN:
            return None
        try:
            made = self._make(self.folder / name)
        except (StartupError, DatabaseUnreachableError, *DatabaseError, OSError) as error:
            self._failed[name] = time.monotonic()
            log.error("The portal %s cannot start: %s", name, error)
            return None
        with self._guard:
            self._failed.pop(name, None)
            self._applications[name] = made
            unused = [self._applications.popitem(last=False)[1] for _ in range(len(self._applications) - self._most)]
        for application in unused:
            application.registry.live.close()
        return made


def _response_for_nobody(environ: Mapping[str, Any]) -> Response:
    """The response to load balancers, which check the process by its IP address, for no portal."""
    if environ.get("PATH_INFO") == HEALTH:
        return Response(json_body={"status": "live"})
    return Response(UNKNOWN, status=404, content_type="text/plain")


def _host_name(environ: Mapping[str, Any]) -> str | None:
    """The name in the Host header of a request, without the port; None if it cannot be that of a folder."""
    name = HOST.match(environ.get("HTTP_HOST", "").lower())
    return None if name is None else name[0]


def folders_of_portals(folder: Path) -> Iterator[Path]:
    """The folders in `folder` that contain a portal and are named like a host, in order; others are ignored."""
    try:
        named = [path for path in sorted(folder.iterdir()) if _host_name({"HTTP_HOST": path.name}) == path.name]
        yield from [path for path in named if (path / "modules.yaml").is_file()]
    except OSError as error:
        log.error("The folders of the portals cannot be read: %s", error)
