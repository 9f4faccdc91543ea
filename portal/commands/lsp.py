"""`portal lsp`: a language server that shows the problems of a folder in an editor."""

import click

from portal.commands.language_server import make_server
from portal.commands.options import chosen_settings, common_options


@click.command("lsp", short_help="Show problems in an editor.")
@common_options
def command() -> None:
    """Run a language server on standard input and output, which an editor starts and ends.

    It shows what `portal check` finds while you type, in every file of the folder of an open one.

    Example: portal lsp
    """
    make_server(chosen_settings().declared).start_io()
