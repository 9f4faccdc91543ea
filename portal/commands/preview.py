"""`portal preview`: serve declarations that are not in force, with the real data, read-only."""

import contextlib
import logging
import secrets
from pathlib import Path

import click

from portal.accounts.identity import NotAdmitted
from portal.application import make_application
from portal.commands.database_errors import database_refusals_explained
from portal.commands.open_portal import exit_with
from portal.commands.options import chosen_settings, common_options
from portal.commands.waitress_server import listening_server
from portal.database.engine import reading
from portal.settings import LOOPBACK
from portal.texts import translate
from portal.web.live import Portal, StartupError
from portal.web.preview_portal import Previewing
from portal.workshop.git_revisions import UnknownRevisionError, folder_at_revision


@click.command("preview", short_help="Preview declarations that are not in force, with the real data.")
@click.argument("source", metavar="FOLDER or REVISION")
@click.option("--as", "email", metavar="EMAIL", help="Whose view; by default the first administrator's.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=6544, show_default=True, help="The port.")
@common_options
def command(source: str, email: str | None, host: str, port: int) -> None:
    """Serve the declarations of FOLDER, or of a git REVISION of the portal's folder, until Ctrl-C.

    The data comes from the portal's database, which is not changed: nothing can be sent, and what the database
    lacks is shown empty. Every page says so. Only a browser that opened the printed address with its key sees anything.

    Example: portal preview HEAD --as anna@acme.example
    """
    settings = chosen_settings().model_copy(update={"host": host, "port": port, "trusted_proxy": None})
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    name = "localhost" if host in LOOPBACK else host
    settings = settings.model_copy(update={"base_url": f"http://{name}:{port}", "development": host in LOOPBACK})
    with contextlib.ExitStack() as opened, database_refusals_explained():
        try:
            folder = opened.enter_context(folder_at_revision(source, settings.folder))
            previewing = Previewing(source, Path(folder).absolute(), secrets.token_urlsafe(24), email)
            application = make_application(settings, previewing=previewing)
            opened.callback(application.registry.live.engine.dispose)
            _check_account(application.registry.live.current(), previewing)
            server = listening_server(application, settings)
        except StartupError as reasons:
            exit_with(reasons.lines)
        except UnknownRevisionError as error:
            raise click.UsageError(str(error)) from None
        except OSError as error:
            raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}") from None
        for sentence in application.registry.live.report.missing:
            click.echo(f"not in the database yet: {sentence}")
        click.echo(f"Previewing {source} on http://{name}:{server.port}/-/preview?key={previewing.key}")
        server.run()
    click.echo("Stopped")


def _check_account(portal: Portal, previewing: Previewing) -> None:
    """Ends `portal preview` (exit 2) if nobody can view the portal."""
    declaration = portal.declaration
    with reading(portal.engine) as connection:
        language, now = declaration.settings.languages[0], declaration.reader().now
        identity = previewing.identity(connection, portal.tables, language=language, now=now)
    if isinstance(identity, NotAdmitted):
        who = previewing.email or "the administrators"
        raise click.UsageError(
            f"nobody can view the portal as {who}: {translate(identity.reason, 'en')} Choose someone with --as."
        )
