"""One connection to the mail server that takes the portal's letters. Knows nothing of the queue.

`smtps://` is encrypted from the beginning, `smtp://` with STARTTLS where the server offers it. A password goes to
another machine only through an encrypted connection whose certificate is right.
"""

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

TIMEOUT = 30  # seconds that the server may be silent
PORTS = {"smtp": 587, "smtps": 465}
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PERMANENT = range(500, 600)  # answers that will be the same next time (RFC 5321)
CLOSING = 421
EXAMPLE = "smtp://USER:PASSWORD@HOST:587 or smtps://USER:PASSWORD@HOST:465"


@dataclass(frozen=True)
class SmtpServer:
    """Where letters are handed in."""

    host: str
    port: int
    encrypted: bool  # from the beginning
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, address: str) -> "SmtpServer":
        """The server of PORTAL_SMTP. Raises ValueError with one sentence, which holds no password."""
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
    """The server does not take this letter; `permanent` if it says that it never will."""

    def __init__(self, reason: str, permanent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


class ServerAwayError(Exception):
    """The server cannot be reached, does not let the portal in, or does not answer. No letter is at fault."""


class SmtpConnection:
    """An open connection, for letters one after the other. Raises ServerAwayError."""

    def __init__(self, server: SmtpServer, timeout: float | None = None) -> None:
        try:
            self._smtp = self._open(server, timeout or TIMEOUT)
        except (OSError, smtplib.SMTPException) as error:
            raise ServerAwayError(f"{server}: {_sentence(error)}") from None

    def send(self, sender: str, recipients: Sequence[str], letter: bytes) -> None:
        """Hands one letter in. Raises LetterRefusedError, and ServerAwayError if it may have been taken or not."""
        try:
            self._smtp.sendmail(sender, recipients, letter)
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            self._raise_refusal(code, answer)
        except smtplib.SMTPSenderRefused as error:
            # The address of the portal itself: every letter has it, so that something is set wrongly.
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
        if local or not (server.user or server.encrypted):  # who listens in could as well take STARTTLS out
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
    return " ".join(str(error).split()) or type(error).__name__


def _answer(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    line = "".join(character for character in " ".join(text.split()) if character.isprintable())
    return f"{code} {line}"[:500]
