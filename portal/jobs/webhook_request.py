"""One request to the address of a webhook, signed as Standard Webhooks specifies (standardwebhooks.com).

Redirects are not followed, and only the status and Retry-After of the response are read: a receiver can neither
redirect the portal nor fill its memory. The address may be an internal one: an administrator declared it.
"""

import base64
import contextlib
import datetime
import email.utils
import hashlib
import hmac
import http
import http.client
import socket
import ssl
import threading
import urllib.request
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from standardwebhooks.webhooks import Webhook as Signer

from portal.database.queue import LONGEST_PAUSE

TIMEOUT = 10.0  # seconds of silence from the other side
NO_PAUSE = datetime.timedelta()
LONGEST = 30.0  # seconds for a whole request, however slowly the other side answers


class DeliveryError(Exception):
    """The other side was not reached, or did not accept the message. The text is for administrators.

    `pause`: how long the other side asks to be left alone; `gone`: it says that it will accept nothing any more.
    """

    def __init__(self, message: str, pause: datetime.timedelta = NO_PAUSE, *, gone: bool = False) -> None:
        super().__init__(message)
        self.pause, self.gone = pause, gone


def webhook_secrets(keys: str, portal_key: bytes, name: str) -> list[str]:
    """The secrets with which a webhook signs, one for each of the `keys` in the setting: more than one while the
    secrets are renewed.

    None is stored: each is derived from a key outside the database and one inside, so that neither a copy of the
    database nor another portal with the same setting has it.
    """
    digests = [hmac.digest(key.encode(), portal_key + name.encode(), hashlib.sha256) for key in keys.split()]
    return ["whsec_" + base64.b64encode(digest).decode() for digest in digests]


def post(url: str, secrets: Sequence[str], message_id: str, now: datetime.datetime, body: str) -> None:
    """Sends a message to the address of a webhook. Raises DeliveryError unless the other side accepts it (2xx)."""
    signatures = [Signer(secret).sign(message_id, now, body) for secret in secrets]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Portal",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    status, retry_after = _response(url, body.encode(), headers)
    if not 200 <= status < 300:
        redirects = ", and redirects are not followed" if 300 <= status < 400 else ""
        pause, gone = requested_pause(retry_after, now), status == http.HTTPStatus.GONE
        raise DeliveryError(f"answered {_in_words(status)}{redirects}", pause, gone=gone)


def requested_pause(retry_after: str, now: datetime.datetime) -> datetime.timedelta:
    """How long a webhook's receiver asks to be left alone, at most LONGEST_PAUSE. `retry_after`: seconds, or a date."""
    if retry_after.isascii() and retry_after.isdigit():
        pause = datetime.timedelta(seconds=int(retry_after[:9]))
    else:
        try:
            pause = email.utils.parsedate_to_datetime(retry_after) - now
        except (ValueError, TypeError, OverflowError):  # not a date, or one without a time zone
            return NO_PAUSE
    return max(NO_PAUSE, min(pause, LONGEST_PAUSE))


def _response(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    """The response of a webhook's receiver: the status, and the value of Retry-After."""
    parts = urlsplit(url)
    connection = _connection(parts)
    ended = threading.Event()
    threading.Thread(target=_hang_up, args=(connection, ended), daemon=True).start()
    try:
        connection.request("POST", f"{parts.path or '/'}{'?' * bool(parts.query)}{parts.query}", body, headers)
        response = connection.getresponse()
        return response.status, response.getheader("Retry-After", "").strip()
    except (OSError, ValueError) as error:
        raise DeliveryError(str(error) or type(error).__name__) from None
    except http.client.HTTPException:  # its message contains the response
        raise DeliveryError("did not answer in HTTP") from None
    finally:
        ended.set()
        connection.close()


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    host = parts.hostname or ""  # always with a port; otherwise one would be looked for in an IPv6 address
    if parts.scheme != "https":
        return http.client.HTTPConnection(host, parts.port or http.client.HTTP_PORT, timeout=TIMEOUT)
    port = parts.port or http.client.HTTPS_PORT
    context = _LateHandshake(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    proxy = urlsplit(urllib.request.getproxies().get("https", ""))
    if not proxy.hostname or urllib.request.proxy_bypass(host):
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)
    connection = http.client.HTTPSConnection(proxy.hostname, proxy.port or 3128, timeout=TIMEOUT, context=context)
    connection.set_tunnel(host, port, _proxy_headers(proxy))
    return connection


def _proxy_headers(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    credentials = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}


class _LateHandshake(ssl.SSLContext):
    """Delays the handshake until the first write: before it, a connection would have no socket to shut down."""

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """Like every context, except for the moment of the handshake."""
        return super().wrap_socket(*arguments, **{**options, "do_handshake_on_connect": False})


def _hang_up(connection: http.client.HTTPConnection, ended: threading.Event) -> None:
    """Ends a webhook's request that takes longer than LONGEST, such as a response that comes a byte at a time, so that
    the thread waiting for it goes on. Repeats, as there may be no connection yet."""
    pause = LONGEST
    while not ended.wait(pause):
        with contextlib.suppress(OSError):
            if open_socket := connection.sock:
                open_socket.shutdown(socket.SHUT_RDWR)
        pause = TIMEOUT


def _in_words(status: int) -> str:
    """The status of a webhook's response in the words of the standard, as the other side may have sent any words."""
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
