"""`portal apply`: do what the plan says."""

import click

from portal.commands.database_errors import database_error_sentence
from portal.commands.index import update_search_index
from portal.commands.open_portal import open_portal
from portal.commands.options import common_options
from portal.database.errors import DatabaseError
from portal.database.migration.plan import NotAppliedError, apply
from portal.texts import plural


@click.command("apply", short_help="Do what the plan says.")
@click.option("--allow-loss", is_flag=True, help="Also do what loses data.")
@common_options
def command(allow_loss: bool) -> None:
    """Bring the database to the declarations, all or nothing. What would lose data is refused without --allow-loss.

    A search index that has to be made anew is filled afterwards, a few records at a time: the portal serves and
    writes meanwhile. If this command is killed, that goes on with the next one or when the portal starts again.

    Exits 0, or 1 when something was refused: then the database is as it was.

    Example: portal apply --allow-loss
    """
    portal = open_portal(check_database=False)
    try:
        done = apply(portal.engine, portal.tables, allow_loss)
    except NotAppliedError as error:
        click.echo(f"{error}\nnothing was changed")
        raise SystemExit(1) from None
    except DatabaseError as error:
        raise click.UsageError(database_error_sentence(error)) from None
    click.echo("\n".join(done) or "nothing to do: the database fits the declarations")
    if records := update_search_index(portal):
        click.echo(f"the search index was brought up to date: {plural(records, 'record')}")
