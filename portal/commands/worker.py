"""`portal worker`: send emails, and do what is due by time."""

import contextlib
import datetime
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click

from portal.commands.open_portal import exit_with, open_engine
from portal.commands.options import chosen_settings, common_options
from portal.commands.stop_signals import stop_signals
from portal.database.engine import DatabaseUnreachableError, Engine, reach
from portal.database.errors import DatabaseError
from portal.database.schema.tables import Tables
from portal.jobs.worker import Worker, run, running_beside, worker_lock
from portal.logs import set_up_logging
from portal.mail.smtp import SmtpServer
from portal.settings import ProcessSettings
from portal.texts import plural
from portal.web.hosting import folders_of_portals
from portal.web.live import LivePortal, StartupError

log = logging.getLogger(__name__)

TRY_AGAIN = 60.0  # seconds before a portal that could not start is tried again
ANOTHER = "another worker is running for this database, and SQLite allows only one"


@click.command("worker", short_help="Send emails, and do what is due.")
@click.option("--once", is_flag=True, help="Do what is due now, then exit.")
@common_options
def command(once: bool) -> None:
    """Send emails and do what is due, until Ctrl-C or SIGTERM; changed YAML files are in force within a second.

    Emails are sent through the mail server in PORTAL_SMTP; without one, they are written and stay in the outbox.
    With PostgreSQL, any number of workers may run, with SQLite only one. With PORTAL_HOSTED, it works for all portals
    there.

    Example: PORTAL_SMTP=smtp://portal:SECRET@mail.example.com:587 portal worker
    """
    settings = chosen_settings()
    set_up_logging(settings.log)
    server = mail_server(settings)
    if settings.hosted is not None:
        _work_for_all(settings, settings.hosted, server, once)
        return
    engine = open_engine(settings)
    with worker_lock(engine) as is_mine:
        if not is_mine:
            raise click.ClickException(ANOTHER)
        try:
            live = _live_portal(settings, engine)
        except StartupError as reasons:
            exit_with(reasons.lines)
        _announce(settings, server)
        if once:
            worker = _worker_of(settings, live, server)
            done, delivered = worker.turn(), worker.deliver()
            emails = plural(done.announced, "email")
            click.echo(f"{emails} written, {plural(done.sent, 'email')} sent, {plural(done.due, 'record')} due")
            if live.current().declaration.webhooks:
                click.echo(f"{plural(delivered, 'event')} sent to webhooks")
            return
        with stop_signals() as stopping:
            worker = _worker_of(settings, live, server, stopping)
            worker.begin()
            with running_beside(lambda: [worker.try_delivering], stopping):
                run(lambda: [worker.try_turn], stopping)
    click.echo("Stopped")


def mail_server(settings: ProcessSettings) -> SmtpServer | None:
    """The mail server in PORTAL_SMTP that the worker uses; None without one. Exits 2 if it is wrong."""
    try:
        return SmtpServer.parse(settings.smtp) if settings.smtp else None
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _worker_of(
    settings: ProcessSettings, live: LivePortal, server: SmtpServer | None, stopping: threading.Event | None = None
) -> Worker:
    """The worker of a portal in force."""

    def address(tables: Tables) -> str:
        return settings.own_address(tables.declaration.settings.base_url)

    keys = settings.webhook_key
    return Worker(live.engine, lambda: live.current().tables, live.clock, address, server, stopping, webhook_keys=keys)


@contextlib.contextmanager
def worker_beside(settings: ProcessSettings, live: LivePortal) -> Iterator[None]:
    """In development, a worker in a thread of `portal serve` while the block runs; none if another worker runs."""
    with worker_lock(live.engine) as is_mine:
        if not live.current().development or not is_mine:
            yield
            return
        stopping = threading.Event()
        worker = _worker_of(settings, live, mail_server(settings), stopping)
        worker.begin()
        with (
            running_beside(lambda: [worker.try_turn], stopping),
            running_beside(lambda: [worker.try_delivering], stopping),
        ):
            yield


def _announce(settings: ProcessSettings, server: SmtpServer | None) -> None:
    click.echo(f"Sending emails by {server}" if server else settings.email_notice, err=server is None)


def _live_portal(settings: ProcessSettings, engine: Engine) -> LivePortal:
    return LivePortal(
        settings.folder,
        engine,
        lambda: datetime.datetime.now(datetime.UTC),
        settings.development,
        settings.declared,
        settings.reload_every,
    )


def _work_for_all(settings: ProcessSettings, folder: Path, server: SmtpServer | None, once: bool) -> None:
    if not folder.is_dir():
        raise click.UsageError(f'there is no folder "{folder}"')
    _announce(settings, server)
    with contextlib.ExitStack() as locks, stop_signals() as stopping:
        hosted = HostedWorkers(settings, folder, server, stopping, locks)
        if once:
            workers = list(hosted.present())
            for worker in workers:
                worker.try_turn()
                worker.try_delivering()
            click.echo(f"What was due is done for {plural(len(workers), 'portal')}")
            return
        with running_beside(hosted.deliveries, stopping):
            run(lambda: (worker.try_turn for worker in hosted.present()), stopping)
    click.echo("Stopped")


@dataclass
class HostedWorkers:
    """The workers of the portals in a folder. If one cannot start, this is logged, and the others go on."""

    settings: ProcessSettings
    folder: Path
    server: SmtpServer | None
    stopping: threading.Event
    locks: contextlib.ExitStack
    _workers: dict[Path, Worker] = field(default_factory=dict)
    _failed: dict[Path, float] = field(default_factory=dict)  # when, in seconds of the monotonic clock

    def present(self) -> Iterator[Worker]:
        """The workers of the portals that exist now."""
        for folder in folders_of_portals(self.folder):
            if folder not in self._workers and time.monotonic() - self._failed.get(folder, -math.inf) > TRY_AGAIN:
                self._start(folder)
            if folder in self._workers:
                yield self._workers[folder]

    def deliveries(self) -> list[Callable[[], bool]]:
        """The webhook deliveries of the workers that have been started."""
        folders = folders_of_portals(self.folder)
        return [self._workers[folder].try_delivering for folder in folders if folder in self._workers]

    def _start(self, folder: Path) -> None:
        self._failed[folder] = time.monotonic()
        settings = self.settings.for_portal(folder)
        try:
            live = _live_portal(settings, reach(settings.database_url))
            with contextlib.ExitStack() as own_lock:
                if not own_lock.enter_context(worker_lock(live.engine)):
                    log.error("%s: %s", folder.name, ANOTHER)
                    live.close()
                    return
                worker = _worker_of(settings, live, self.server, self.stopping)
                worker.begin()
                self.locks.push(own_lock.pop_all())
        except (StartupError, DatabaseUnreachableError, *DatabaseError, OSError) as error:
            log.error("The worker cannot start for %s: %s", folder.name, error)
        else:
            self._workers[folder] = worker
