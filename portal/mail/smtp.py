"""One connection to the mail server that sends the portal's letters. Knows nothing about the queue.

`smtps://` is encrypted from the start, `smtp://` with STARTTLS if the server offers it. A password is sent to another
machine only through an encrypted connection with a valid certificate.
"""

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

TIMEOUT = 30  # seconds that the server may be silent
PORTS = {"smtp": 587, "smtps": 465}
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PERMANENT = range(500, 600)  # answers that will not change on a retry (RFC 5321)
CLOSING = 421
EXAMPLE = "smtp://USER:PASSWORD@HOST:587 or smtps://USER:PASSWORD@HOST:465"


@dataclass(frozen=True)
class SmtpServer:
    """The mail server that letters are handed to."""

    host: str
    port: int
    encrypted: bool  # from the start
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, address: str) -> "SmtpServer":
        """The server in PORTAL_SMTP. Raises ValueError with a sentence that contains no password."""
        parts = urlsplit(address)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if parts.scheme not in PORTS or not host or parts.path not in ("", "/") or parts.query:
            raise ValueError(f"PORTAL_SMTP must be an address such as {EXAMPLE}")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(host, port or PORTS[parts.scheme], parts.scheme == "smtps", user, password)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class LetterRefusedError(Exception):
    """The server does not accept this letter; `permanent` if it says that it never will."""

    def __init__(self, reason: str, permanent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


class ServerAwayError(Exception):
    """The server cannot be reached, refuses the portal's login, or does not answer. No letter is at fault."""


class SmtpConnection:
    """An open connection to the mail server, for letters one after the other. Raises ServerAwayError."""

    def __init__(self, server: SmtpServer, timeout: float | None = None) -> None:
        try:
            self._smtp = self._open(server, timeout or TIMEOUT)
        except (OSError, smtplib.SMTPException) as error:
            raise ServerAwayError(f"{server}: {_sentence(error)}") from None

    def send(self, sender: str, recipients: Sequence[str], letter: bytes) -> None:
        """Hands over one letter. Raises LetterRefusedError, and ServerAwayError if its acceptance is uncertain."""
        try:
            self._smtp.sendmail(sender, recipients, letter)
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            self._raise_refusal(code, answer)
        except smtplib.SMTPSenderRefused as error:
            # The portal's own address: every letter has it, so a setting must be wrong.
            raise ServerAwayError(_answer(error.smtp_code, error.smtp_error)) from None
        except smtplib.SMTPDataError as error:
            self._raise_refusal(error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPException) as error:
            raise ServerAwayError(_sentence(error)) from None

    def close(self) -> None:
        """Says goodbye, if the server still listens."""
        try:
            self._smtp.quit()
        except (OSError, smtplib.SMTPException):
            self._smtp.close()

    def _raise_refusal(self, code: int, answer: bytes | str) -> None:
        if code == CLOSING:
            raise ServerAwayError(_answer(code, answer)) from None
        raise LetterRefusedError(_answer(code, answer), code in PERMANENT) from None

    def _open(self, server: SmtpServer, timeout: float) -> smtplib.SMTP:
        context, local = ssl.create_default_context(), server.host in LOOPBACK
        if local or not (server.user or server.encrypted):  # an eavesdropper could also strip STARTTLS
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if server.encrypted:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=timeout)
        try:
            smtp.ehlo()
            if not server.encrypted and smtp.has_extn("starttls"):
                smtp.starttls(context=context)
                smtp.ehlo()
            elif server.user and not server.encrypted and not local:
                raise smtplib.SMTPNotSupportedError("the server offers no encryption (STARTTLS) for the password")
            if server.user:
                smtp.login(server.user, server.password)
        except BaseException:
            smtp.close()
            raise
        return smtp


def _sentence(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, error.smtp_error)
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)  # without [Errno 111]
    return " ".join(words.split()) or type(error).__name__


def _answer(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    line = "".join(character for character in " ".join(text.split()) if character.isprintable())
    return f"{code} {line}"[:500]
