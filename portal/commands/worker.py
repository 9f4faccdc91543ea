"""`portal worker`: sends emails, and does what is due by time."""

import contextlib
import datetime
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import click

from portal.commands.open_portal import open_engine
from portal.commands.options import chosen_settings, common_options
from portal.database.engine import Engine
from portal.database.schema.tables import Tables
from portal.jobs.lock import worker_lock
from portal.jobs.worker import Worker
from portal.logs import set_up_logging
from portal.mail.smtp import SmtpServer
from portal.settings import Settings
from portal.texts import plural
from portal.web.live import LivePortal, StartupError

PATIENCE = 5.0  # seconds for the letter that is being sent when the process ends


@click.command("worker", short_help="Send emails, and do what is due.")
@click.option("--once", is_flag=True, help="Do what is due now, and end.")
@common_options
def command(once: bool) -> None:
    """Send emails and do what is due, until Ctrl-C or SIGTERM; changed YAML files are in force within a second.

    Emails leave by the mail server that PORTAL_SMTP names; without one they are written and stay in the outbox.
    With PostgreSQL any number of workers may run, with SQLite one.

    Example: PORTAL_SMTP=smtp://portal:SECRET@mail.example.com:587 portal worker
    """
    settings = chosen_settings()
    set_up_logging(settings.log)
    server = mail_server(settings)
    engine = open_engine(settings)
    with worker_lock(engine) as is_mine:
        if not is_mine:
            raise click.ClickException("another worker is running for this database, and SQLite takes one")
        worker = _worker(settings, engine, server)
        click.echo(f"Sending emails by {server}" if server else settings.email_notice, err=server is None)
        if once:
            done = worker.turn()
            written = plural(done.announced, "email")
            click.echo(f"{written} written, {plural(done.sent, 'email')} sent, {plural(done.due, 'record')} due")
            return
        with stopping_at_signals(worker):
            worker.run()
    click.echo("Stopped")


def mail_server(settings: Settings) -> SmtpServer | None:
    """The mail server of PORTAL_SMTP; None where none is named. A wrong address exits 2."""
    try:
        return SmtpServer.parse(settings.smtp) if settings.smtp else None
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def worker_of(settings: Settings, live: LivePortal, server: SmtpServer | None) -> Worker:
    """The worker of a portal in force."""

    def address(tables: Tables) -> str:
        return (tables.declaration.settings.base_url or settings.local_address).rstrip("/")

    return Worker(live.engine, lambda: live.current().tables, live.clock, address, server)


def _worker(settings: Settings, engine: Engine, server: SmtpServer | None) -> Worker:
    try:
        live = LivePortal(
            settings.folder,
            engine,
            lambda: datetime.datetime.now(datetime.UTC),
            settings.development,
            settings.declared,
            settings.reload_every,
        )
    except StartupError as reasons:
        for line in reasons.lines:
            click.echo(line)
        raise SystemExit(1) from None
    return worker_of(settings, live, server)


@contextlib.contextmanager
def worker_beside(settings: Settings, live: LivePortal) -> Iterator[None]:
    """In development a worker runs in a thread while the block does; elsewhere, and beside another one, none does."""
    with worker_lock(live.engine) as is_mine:
        if not live.current().development or not is_mine:
            yield
            return
        worker = worker_of(settings, live, mail_server(settings))
        thread = threading.Thread(target=worker.run, name="worker", daemon=True)
        thread.start()
        try:
            yield
        finally:
            worker.stop()
            thread.join(PATIENCE)


@contextlib.contextmanager
def stopping_at_signals(worker: Worker) -> Iterator[None]:
    """SIGTERM and SIGINT end the worker after the letter that it sends; a second signal ends the process at once."""

    def stop(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        worker.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
