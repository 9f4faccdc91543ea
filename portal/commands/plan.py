"""`portal plan`: what the database lacks, in sentences."""

import click

from portal.commands.opening import opened
from portal.commands.options import common_options
from portal.database.errors import DatabaseError, driver_error
from portal.database.migration.plan import plan


@click.command("plan", short_help="Say what the database lacks.")
@common_options
def command() -> None:
    """Say in sentences what the database lacks of the declarations. Nothing is changed.

    What would lose data has an exclamation mark. Exits 0, or 1 when the declarations have mistakes.

    Example: portal plan
    """
    portal = opened(fitting=False)
    try:
        found = plan(portal.engine, portal.tables)
    except DatabaseError as error:
        raise click.UsageError(f"the database refuses: {driver_error(error)}") from None
    click.echo(found)
