"""`portal inbox`: receive mail from a Maildir or an IMAP mailbox, or by LMTP from the mail server."""

import datetime
import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from portal.commands.open_portal import exit_with, open_engine
from portal.commands.options import chosen_settings, common_options, read_password
from portal.commands.stop_signals import stop_signals
from portal.database.engine import reading, writing
from portal.database.errors import DatabaseError, Failure, affects_whole_database, classify, refusal
from portal.jobs.pending_work import INBOX, forget_heartbeat, record_heartbeat
from portal.jobs.worker import BEAT_EVERY, Regularly
from portal.logs import set_up_logging
from portal.mail.incoming.mail_rows import newcomers_wrote
from portal.mail.incoming.mail_store import MailStore
from portal.mail.incoming.receive import Receiver
from portal.mail.incoming.sources import PORTS, SourceError, Use, receive_from_imap, receive_from_maildir, serve_lmtp
from portal.settings import ProcessSettings
from portal.store.scanner import scan
from portal.store.store import StoreError, open_store
from portal.texts import _, plural
from portal.web.live import LivePortal, StartupError

EVERY = 10  # seconds between two checks of a Maildir or a mailbox
LONGEST_PAUSE = 300  # the same while they fail: servers lock out who tries a wrong password too often
FAULT = _("the portal could not process it; its log says why")
Result = TypeVar("Result")

log = logging.getLogger(__name__)


@click.command("inbox", short_help="Receive mail.")
@click.option("--maildir", type=click.Path(path_type=Path, file_okay=False, exists=True), help="A Maildir.")
@click.option("--lmtp", metavar="[HOST:]PORT", help="Where the mail server delivers.")
@click.option("--imap", metavar="URL", help="A mailbox: imaps://USER@HOST/INBOX.")
@click.option("--password-file", type=click.File(), help="The password of the mailbox, - to type it.")
@click.option("--once", is_flag=True, help="Receive what is there, then exit.")
@common_options
def command(maildir: Path | None, lmtp: str | None, imap: str | None, password_file: Any, once: bool) -> None:
    """Receive mail until Ctrl-C or SIGTERM: a reply to an email from the portal becomes a comment, and `inbox:` in
    modules.yaml says what happens to other mail. Mail that cannot be used is kept for staff, with the reason, on
    /-/inbox.

    Example: portal inbox --maildir /var/mail/help/Maildir
    """
    if sum(source is not None for source in (maildir, lmtp, imap)) != 1:
        raise click.UsageError("name one source of mail: --maildir, --lmtp or --imap")
    if once and lmtp:
        raise click.UsageError(
            "--once goes with --maildir and --imap: by LMTP, the mail server decides when mail comes"
        )
    set_up_logging(chosen_settings().log)
    intake = MailIntake.of(chosen_settings())
    password = read_password(password_file) if password_file else ""
    if lmtp:
        _serve(lmtp, intake)
        return
    take = _source(maildir, imap or "", password)
    if once:
        click.echo(f"Received {plural(_take_once(take, intake), 'message')}")
        return
    with stop_signals() as stopped:
        pause = EVERY
        while not stopped.is_set():
            if _trying(lambda: take(intake.use)):
                pause = EVERY
                _trying(intake.note_success)
            else:
                pause = min(pause * 2, LONGEST_PAUSE)
            _trying(intake.adopt)
            stopped.wait(pause)


def _source(maildir: Path | None, imap: str, password: str) -> Callable[[Use], int]:
    if maildir is not None:
        return functools.partial(receive_from_maildir, maildir)
    if urlsplit(imap).scheme not in PORTS or not urlsplit(imap).hostname:
        raise click.UsageError(f'"{imap}" is not a mailbox: write it like imaps://help@mail.example/INBOX')
    return functools.partial(receive_from_imap, imap, password)


class MailIntake:
    """Receives mail for the portal in force, each message in a transaction of its own."""

    def __init__(self, live: LivePortal, settings: ProcessSettings) -> None:
        self.live = live
        self.store = open_store(*settings.store_address)
        self.scan = functools.partial(scan, settings.scanner) if settings.scanner else None
        self._beats = Regularly(BEAT_EVERY)

    @classmethod
    def of(cls, settings: ProcessSettings) -> "MailIntake":
        """The mail intake of the portal with these settings.

        Mistakes in its declarations exit 1, a database or store that cannot be reached 2.
        """
        engine = open_engine(settings)
        try:
            live = LivePortal(settings.folder, engine, _now, settings.development, settings.declared)
            return cls(live, settings)
        except StartupError as reasons:
            exit_with(reasons.lines)
        except (OSError, ValueError) as error:
            raise click.UsageError(str(error)) from None

    def use(self, raw: bytes, envelope: tuple[str, ...]) -> None:
        """Uses one message. One on which the portal itself fails is kept, and delays no other.

        Raises DatabaseError and StoreError: then the message has to come again.
        """
        try:
            outcome = self._receiving(lambda receiver: receiver.receive(raw, envelope))
        except Exception as error:
            if affects_whole_database(error) or isinstance(error, StoreError) or _is_changing(error):
                raise
            log.exception("A mail could not be used, and is kept for staff")
            outcome = self._receiving(lambda receiver: receiver.keep(raw, FAULT))
        where = f" {outcome.place[0]} {outcome.place[1]}" if outcome.place else ""
        log.info("Mail: %s%s%s", outcome.kind, where, f" ({outcome.reason})" if outcome.reason else "")

    def adopt(self) -> None:
        """Uses the kept messages of people who have access by now. Raises DatabaseError and StoreError."""
        while self._newcomers_wrote() and self._receiving(Receiver.adopt):
            log.info("Mail: one of someone who has access now")

    def note_success(self) -> None:
        """Stores for monitors that mail can be received. Raises DatabaseError."""
        portal, now = self.live.current(), _now()
        if self._beats.is_time(now):
            with writing(portal.engine) as connection:
                record_heartbeat(connection, portal.tables, INBOX, now)

    def end_heartbeat(self) -> None:
        """Tells monitors to expect no further look at the mail: from now on, another program decides when."""
        portal = self.live.current()
        with writing(portal.engine) as connection:
            forget_heartbeat(connection, portal.tables, INBOX)

    def _newcomers_wrote(self) -> bool:
        portal = self.live.current()
        with reading(portal.engine) as connection:
            return newcomers_wrote(connection, portal.tables)

    def _receiving(self, use: Callable[[Receiver], Result]) -> Result:
        portal, store = self.live.current(), MailStore(self.store, self.scan)
        return store.in_transaction(
            portal.engine, lambda connection: use(Receiver(connection, portal.tables, store, _now()))
        )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _take_once(take: Callable[[Use], int], intake: MailIntake) -> int:
    try:
        taken = take(intake.use)
        intake.adopt()
        intake.end_heartbeat()
        return taken
    except (SourceError, StoreError, OSError) as error:
        raise click.ClickException(str(error)) from None
    except DatabaseError as error:
        raise click.ClickException(f"the database reports an error: {refusal(error)}") from None


def _trying(work: Callable[[], object]) -> bool:
    """Does a part of `portal inbox`; returns whether it succeeded. A failure is logged, and tried again later."""
    try:
        work()
        return True
    except (SourceError, StoreError, OSError) as error:
        log.error("%s", error)
    except DatabaseError as error:
        log.error("The database reports an error: %s", refusal(error))
    except Exception:
        log.exception("Mail could not be received")
    return False


def _serve(address: str, intake: MailIntake) -> None:
    host, _colon, port = address.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65_536):
        raise click.UsageError(f'"{address}" is not a port: write 8024 or 127.0.0.1:8024')
    try:
        controller = serve_lmtp(host or "127.0.0.1", int(port), intake.use)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {address}: {error.strerror}") from None
    click.echo(f"Receiving mail by LMTP on {host or '127.0.0.1'}:{port}")
    with stop_signals() as stopped:
        while not stopped.wait(EVERY):
            _trying(intake.note_success)
            _trying(intake.adopt)
    controller.stop()


def _is_changing(error: Exception) -> bool:
    """Whether the tables have changed before the declarations in force in `portal inbox`."""
    return isinstance(error, DatabaseError) and classify(error) == Failure.CHANGED_TABLES
