"""How this process serves: the limits that `main` passes down; its own hosts."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from pyramid.request import Request

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Serving:
    """How this process serves: settings of the web layer."""

    largest_request: int = 30_000_000  # bytes
    on_loopback: bool = False  # started by `portal serve` on an address that only this machine reaches, without a proxy
    logs_requests: bool = False
    slow_page: float = 1.0  # seconds, see Settings.slow_page
    monitor_token: str | None = None  # see Settings.monitor_token
    sends_email: bool = False  # the worker has a mail server


def knows_host(request: Request, host: str) -> bool:
    """Whether a Host header names this portal: the host of `base_url`, in development also the machine itself."""
    if request.portal.development and _without_port(host) in LOCAL_NAMES:
        return True
    own = urlsplit(request.portal.declaration.settings.base_url or "").netloc
    return bool(own) and host.lower() == own.lower()


def is_local_development(request: Request) -> bool:
    """Whether everyone who can reach this process may read its letters.

    The process decides, not the request: proxies of any kind make requests from elsewhere look local.
    """
    return request.portal.development and request.registry.serving.on_loopback


def _without_port(host: str) -> str:
    name, _colon, port = host.rpartition(":")
    return (name if port.isascii() and port.isdigit() and name else host).lower()
