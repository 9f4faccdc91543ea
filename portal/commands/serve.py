"""`portal serve`: run the portal on one machine, with limits that its users never reach."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from portal.application import host_portals, make_server_application
from portal.commands.open_portal import exit_with
from portal.commands.options import chosen_settings, common_options
from portal.commands.waitress_server import Server, listening_server
from portal.commands.worker import mail_server, worker_beside
from portal.database.engine import DatabaseUnreachableError
from portal.logs import set_up_logging
from portal.settings import ProcessSettings
from portal.texts import plural
from portal.web.hosting import folders_of_portals
from portal.web.live import StartupError
from portal.workshop.schema.schema_files import refresh_schemas


@click.command("serve", short_help="Run the portal.")
@click.option("--host", help="The address to listen on; default: PORTAL_HOST, then 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; default: PORTAL_PORT, then 6543.")
@click.option("--threads", type=click.IntRange(1, 64), help="How many requests are answered at the same time.")
@common_options
def command(host: str | None, port: int | None, threads: int | None) -> None:
    """Run the portal until Ctrl-C or SIGTERM; changed YAML files are in force within a second.

    It answers open requests before it exits, for at most 20 seconds; a second signal ends it immediately. In
    development, it also does the work of `portal worker` and keeps the schemas of `portal schema` up to date. With
    PORTAL_HOSTED, it serves each portal there at its own host name, and `portal worker` works for them.

    Example: portal serve --port 8080
    """
    given = {name: value for name, value in (("host", host), ("port", port), ("threads", threads)) if value is not None}
    settings = chosen_settings().model_copy(update=given)
    set_up_logging(settings.log)
    mail_server(settings)
    try:
        if settings.hosted is not None:
            _serve_all(settings, settings.hosted)
        else:
            _serve_one(settings)
    except StartupError as reasons:
        exit_with(reasons.lines)
    except (OSError, DatabaseUnreachableError) as error:
        raise click.UsageError(str(error)) from None
    click.echo("Stopped")


def _serve_one(settings: ProcessSettings) -> None:
    application = make_server_application(settings, on_loopback=settings.on_loopback)
    live = application.registry.live
    server = _listening(application, settings)
    if live.current().development:
        refresh_schemas(settings.folder)
        live.on_change = functools.partial(refresh_schemas, settings.folder)
    # The name, not the number: people type it, and links in letters contain it.
    host = "localhost" if server.host == "127.0.0.1" else server.host
    click.echo(f"Serving {settings.folder.absolute()} on http://{host}:{server.port}")
    with worker_beside(settings, live):
        server.run()


def _serve_all(settings: ProcessSettings, folder: Path) -> None:
    server = _listening(host_portals(settings, on_loopback=settings.on_loopback), settings)
    portals = plural(len(list(folders_of_portals(folder))), "portal")
    click.echo(f"Serving {portals} of {folder.absolute()} on http://{server.host}:{server.port}, each by its host name")
    server.run()


def _listening(application: Callable[..., Any], settings: ProcessSettings) -> Server:
    try:
        return listening_server(application, settings)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None
