"""One request to the address of a webhook, signed as Standard Webhooks says (standardwebhooks.com).

Redirects are not followed, and nothing of the answer is read but its status: whoever answers can neither lead the
portal elsewhere nor make it hold much. The address was declared by an administrator, so that it may be an internal one.
"""

import base64
import contextlib
import datetime
import hashlib
import hmac
import http
import http.client
import socket
import threading
import urllib.request
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from standardwebhooks.webhooks import Webhook as Signer

PATIENCE = 10.0  # seconds without a word from the other side
LONGEST = 30.0  # seconds for a whole request, however slowly the other side answers


class DeliveryError(Exception):
    """The other side was not reached, or did not take what it was told. The message is for administrators."""


def webhook_secrets(keys: str, portal_key: bytes, name: str) -> list[str]:
    """The secrets with which a webhook signs, one for each of the `keys` of the setting: more than one while the
    secrets are renewed.

    None is stored: one follows from a key that is not in the database and one that is, so that neither a copy of the
    database nor another portal with the same setting has it.
    """
    digests = [hmac.digest(key.encode(), portal_key + name.encode(), hashlib.sha256) for key in keys.split()]
    return ["whsec_" + base64.b64encode(digest).decode() for digest in digests]


def post(url: str, secrets: Sequence[str], message_id: str, now: datetime.datetime, body: str) -> None:
    """Sends a message. Raises DeliveryError unless the other side answers that it has taken it (2xx)."""
    signatures = [Signer(secret).sign(message_id, now, body) for secret in secrets]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Portal",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    status = _status(url, body.encode(), headers)
    if not 200 <= status < 300:
        redirects = ", and redirects are not followed" if 300 <= status < 400 else ""
        raise DeliveryError(f"answered {_in_words(status)}{redirects}")


def _status(url: str, body: bytes, headers: dict[str, str]) -> int:
    parts = urlsplit(url)
    connection = _connection(parts)
    end = threading.Timer(LONGEST, _hang_up, [connection])
    end.daemon = True
    end.start()
    try:
        connection.request("POST", f"{parts.path or '/'}{'?' * bool(parts.query)}{parts.query}", body, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DeliveryError(str(error) or type(error).__name__) from None
    finally:
        end.cancel()
        connection.close()


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme != "https":
        return http.client.HTTPConnection(host, parts.port, timeout=PATIENCE)
    proxy = urlsplit(urllib.request.getproxies().get("https", ""))
    if not proxy.hostname or urllib.request.proxy_bypass(host):
        return http.client.HTTPSConnection(host, parts.port, timeout=PATIENCE)
    connection = http.client.HTTPSConnection(proxy.hostname, proxy.port or 3128, timeout=PATIENCE)
    connection.set_tunnel(host, parts.port)
    return connection


def _hang_up(connection: http.client.HTTPConnection) -> None:
    """Ends a request whose answer comes a byte at a time; the thread that waits for it goes on."""
    with contextlib.suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)


def _in_words(status: int) -> str:
    """The status with the words of the standard: those of the answer are the other side's."""
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
