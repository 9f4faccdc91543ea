"""The sources of mail: a Maildir, an IMAP mailbox, or a mail server that delivers by LMTP.

Each hands over the bytes of one mail after another. A mail is marked as read, or acknowledged, only after `use` has
returned: after a crash, it comes again, and `use` knows that it was used.
"""

import contextlib
import imaplib
import logging
import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from portal.lazy import LazyModule
from portal.texts import plural

aiosmtpd_controller = LazyModule("aiosmtpd.controller")
aiosmtpd_lmtp = LazyModule("aiosmtpd.lmtp")

LARGEST = 45_000_000  # bytes; a larger mail is refused over LMTP, and kept aside otherwise
PORTS = {"imap": 143, "imaps": 993}
WAIT = 60  # seconds for an answer from an IMAP server
MOST_FAILED = 10  # mails that an IMAP server cannot give, after which the newest come first; again so many end it
Use = Callable[[bytes, tuple[str, ...]], None]

log = logging.getLogger(__name__)


class SourceError(Exception):
    """Mail cannot be fetched at the moment; the message says why."""


def receive_from_maildir(folder: Path, use: Use) -> int:
    """Uses each new mail in a Maildir and moves it from `new` to `cur`, as read; returns how many. Raises OSError.

    Several processes may read one Maildir.
    """
    taken = 0
    (folder / "cur").mkdir(exist_ok=True)
    for path in sorted((folder / "new").iterdir()):
        try:
            raw = path.read_bytes()
        except FileNotFoundError:  # another process has it
            continue
        except OSError as error:  # it keeps no other waiting
            log.error("A mail cannot be read: %s", error)
            continue
        use(raw, ())
        with contextlib.suppress(FileNotFoundError):
            os.replace(path, folder / "cur" / f"{path.name.partition(':')[0]}:2,S")
            taken += 1
    return taken


def receive_from_imap(url: str, password: str, use: Use) -> int:
    """Uses each unseen mail in a mailbox, and marks it as seen; returns how many. Raises SourceError.

    `url`: imaps://USER@HOST/MAILBOX, or imap://…, which is encrypted with STARTTLS if the server offers it. A mail that
    the server cannot give keeps no other waiting; some servers then close the connection, so there is a new one.
    """
    taken, host = 0, urlsplit(url).hostname
    failed: dict[str, Exception] = {}
    while True:
        before = len(failed)
        try:
            with _mailbox(url, password) as mailbox:
                taken += _take_unseen(mailbox, use, failed)
        except (OSError, imaplib.IMAP4.error) as error:
            raise SourceError(f"the mail server at {host} does not give its mail: {error}") from error
        if before == len(failed) or len(failed) >= 2 * MOST_FAILED:
            break
    if failed:
        reason = f"does not give {plural(len(failed), 'message')}: {next(iter(failed.values()))}"
        if len(failed) >= MOST_FAILED and not taken:
            raise SourceError(f"the mail server at {host} {reason}")
        log.error("The mail server at %s %s", host, reason)
    return taken


def _take_unseen(mailbox: imaplib.IMAP4, use: Use, failed: dict[str, Exception]) -> int:
    """Uses the unseen mails of an IMAP mailbox, up to the first that fails (added to `failed`); returns how many."""
    taken = 0
    unseen = _answer(mailbox.uid("SEARCH", "UNSEEN"))[0].decode().split()
    waiting = [mail_id for mail_id in unseen if mail_id not in failed]
    if len(failed) >= MOST_FAILED:
        waiting.reverse()  # or new mail would wait for old mail that the server may never give
    for mail_id in waiting:
        try:
            parts = _answer(mailbox.uid("FETCH", mail_id, "(BODY.PEEK[])"))
        except (OSError, imaplib.IMAP4.error) as error:
            failed[mail_id] = error
            break
        raw = next((part[1] for part in parts if isinstance(part, tuple)), None)
        if raw is not None:
            use(raw, ())
            _answer(mailbox.uid("STORE", mail_id, "+FLAGS", r"(\Seen)"))
            taken += 1
    return taken


@contextlib.contextmanager
def _mailbox(url: str, password: str) -> Iterator[imaplib.IMAP4]:
    parts, context = urlsplit(url), ssl.create_default_context()
    host, port = parts.hostname or "localhost", parts.port or PORTS[parts.scheme]
    if parts.scheme == "imaps":
        mailbox: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=WAIT)
    else:
        mailbox = imaplib.IMAP4(host, port, timeout=WAIT)
        if "STARTTLS" in mailbox.capabilities:
            mailbox.starttls(context)
    try:
        mailbox.login(unquote(parts.username or ""), password or unquote(parts.password or ""))
        _answer(mailbox.select(f'"{unquote(parts.path.strip("/")) or "INBOX"}"'))
        yield mailbox
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            mailbox.logout()


def _answer(answer: tuple[str, list[Any]]) -> list[Any]:
    status, parts = answer
    if status != "OK":
        raise imaplib.IMAP4.error(str(parts))
    return [part for part in parts if part is not None] or [b""]


def serve_lmtp(host: str, port: int, use: Use) -> Any:
    """Starts receiving mail by LMTP, in a thread; returns the controller, whose `stop()` ends it. Raises OSError.

    If `use` fails, the answer is 451, so that the mail server tries again.
    """
    controller = aiosmtpd_controller.Controller(_LMTPHandler(use), hostname=host, port=port)
    controller.factory = lambda: aiosmtpd_lmtp.LMTP(
        controller.handler, data_size_limit=LARGEST, enable_SMTPUTF8=True, loop=controller.loop
    )
    controller.start()
    return controller


class _LMTPHandler:
    def __init__(self, use: Use) -> None:
        self.use = use

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        # An LMTP server answers once per recipient (RFC 2033); this one answers once, so it accepts only one.
        if envelope.rcpt_tos:
            return "452 One recipient at a time, please"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        content = envelope.original_content or envelope.content
        try:
            await server.loop.run_in_executor(None, self.use, bytes(content), tuple(envelope.rcpt_tos))
        except Exception:
            log.exception("A mail could not be taken; the mail server will bring it again")
            return "451 Not now; try again later"
        return "250 OK"
