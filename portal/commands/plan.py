"""`portal plan`: what the database lacks, in sentences."""

import click

from portal.commands.database_errors import database_error_sentence
from portal.commands.open_portal import open_portal
from portal.commands.options import common_options
from portal.database.errors import DatabaseError
from portal.database.migration.plan import plan


@click.command("plan", short_help="Say what the database lacks.")
@common_options
def command() -> None:
    """Say in sentences what the database lacks of the declarations. Nothing is changed.

    What would lose data is marked with an exclamation mark. Exits 0, or 1 when the declarations have mistakes.

    Example: portal plan
    """
    portal = open_portal(check_database=False)
    try:
        click.echo(plan(portal.engine, portal.tables))
    except DatabaseError as error:
        raise click.UsageError(database_error_sentence(error)) from None
