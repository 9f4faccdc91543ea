"""`portal apply`: do what the plan says."""

from typing import Any

import click

from portal.commands.opening import opened
from portal.commands.options import common_options
from portal.database.plan import NotAppliedError, apply
from portal.database.trouble import DatabaseError
from portal.records.index import rebuild


@click.command("apply", short_help="Do what the plan says.")
@click.option("--allow-loss", is_flag=True, help="Also what loses data.")
@common_options
def command(allow_loss: bool) -> None:
    """Bring the database to the declarations, all or nothing. What would lose data is refused without --allow-loss.

    Exits 0, or 1 when something was refused: then the database is as it was.

    Example: portal apply --allow-loss
    """
    portal = opened(fitting=False)

    def fill(connection: Any, modules: tuple[str, ...]) -> None:
        rebuild(connection, portal.declaration, portal.tables, modules)

    try:
        done = apply(portal.engine, portal.declaration, portal.tables, allow_loss, fill=fill)
    except NotAppliedError as error:
        click.echo(f"{error}\nnothing was changed")
        raise SystemExit(1) from None
    except DatabaseError as error:
        raise click.UsageError(f"the database refuses: {getattr(error, 'orig', error)}") from None
    click.echo("\n".join(done) or "nothing to do: the database fits the declarations")
