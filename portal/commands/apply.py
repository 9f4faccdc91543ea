"""`portal apply`: do what the plan says."""

import click

from portal.commands.index import caught_up
from portal.commands.opening import opened
from portal.commands.options import common_options
from portal.database.errors import DatabaseError, driver_error
from portal.database.migration.plan import NotAppliedError, apply


@click.command("apply", short_help="Do what the plan says.")
@click.option("--allow-loss", is_flag=True, help="Also what loses data.")
@common_options
def command(allow_loss: bool) -> None:
    """Bring the database to the declarations, all or nothing. What would lose data is refused without --allow-loss.

    Where the search index has to be made anew, that follows a few records at a time: the portal serves and writes
    meanwhile, and if this command is killed, it goes on with the next one or at the portal's next start.

    Exits 0, or 1 when something was refused: then the database is as it was.

    Example: portal apply --allow-loss
    """
    portal = opened(fitting=False)
    try:
        done = apply(portal.engine, portal.tables, allow_loss)
    except NotAppliedError as error:
        click.echo(f"{error}\nnothing was changed")
        raise SystemExit(1) from None
    except DatabaseError as error:
        raise click.UsageError(f"the database refuses: {driver_error(error)}") from None
    click.echo("\n".join(done) or "nothing to do: the database fits the declarations")
    records = caught_up(portal)
    if records:
        click.echo(f"the search index was brought up to date: {records:,} records")
