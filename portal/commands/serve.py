"""`portal serve`: runs the portal, for one machine, with limits that its users never meet."""

import logging
import re
from collections.abc import Callable
from typing import Any

import click
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import BaseWSGIServer, create_server

from portal.application import make_server_application
from portal.commands.options import chosen_settings, common_options
from portal.database.engine import DatabaseUnreachableError
from portal.settings import Settings
from portal.web.live import StartupError

MANY_SPACES = re.compile(rb"[ \t]{100}")


@click.command("serve", short_help="Run the portal.")
@click.option("--host", help="The address to listen on; else PORTAL_HOST, else 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; else PORTAL_PORT, else 6543.")
@click.option("--threads", type=click.IntRange(1, 64), help="How many requests are answered at once.")
@common_options
def command(host: str | None, port: int | None, threads: int | None) -> None:
    """Run the portal until Ctrl-C; changed YAML files are in force within a second.

    Example: portal serve --port 8080
    """
    given = {name: value for name, value in (("host", host), ("port", port), ("threads", threads)) if value is not None}
    settings = chosen_settings().model_copy(update=given)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        application = make_server_application(settings, on_loopback=settings.on_loopback)
    except StartupError as reasons:
        for line in reasons.lines:
            click.echo(line)
        raise SystemExit(1) from None
    except (OSError, DatabaseUnreachableError) as error:
        raise click.UsageError(str(error)) from None
    try:
        server = listening_server(application, settings)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None
    # The name rather than the number: people type it, and links in letters have it.
    host = "localhost" if server.effective_host == "127.0.0.1" else server.effective_host
    click.echo(f"Serving {settings.folder.absolute()} on http://{host}:{server.effective_port}")
    server.run()


class Parser(HTTPRequestParser):
    """Refuses a header full of spaces, which waitress would parse for seconds while nobody else is served."""

    def parse_header(self, header_plus: bytes) -> None:
        """Called with all headers of a request."""
        if MANY_SPACES.search(header_plus):
            raise ParsingError("Too many spaces in a header")
        super().parse_header(header_plus)


class Channel(HTTPChannel):
    """A connection whose requests are read with our parser."""

    parser_class = Parser


def listening_server(application: Callable[..., Any], settings: Settings) -> Any:
    """The server, which does not answer yet; it may listen on several addresses."""
    sockets: dict[int, Any] = {}
    server = create_server(application, map=sockets, **server_options(settings))
    for listener in sockets.values():
        if isinstance(listener, BaseWSGIServer):
            listener.channel_class = Channel
    return server


def server_options(settings: Settings) -> dict[str, Any]:
    """Waitress's options: bounded bodies, connections and idle time, no server name, at most one trusted proxy."""
    options: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "threads": settings.threads,
        "max_request_header_size": 16_384,
        "max_request_body_size": settings.largest_request + 1_000_000,  # a little more than allowed gets our own page
        "connection_limit": 1000,
        "channel_timeout": 30,
        "ident": None,
        "clear_untrusted_proxy_headers": True,
    }
    if settings.trusted_proxy:
        options["trusted_proxy"] = settings.trusted_proxy
        options["trusted_proxy_headers"] = {"x-forwarded-for", "x-forwarded-proto"}
    return options
