"""`portal apply`: do what the plan says."""

from pathlib import Path

import click

from portal.commands.database_errors import database_refusals_explained
from portal.commands.index import update_search_index
from portal.commands.open_portal import exit_with, open_portal, print_overdue
from portal.commands.options import common_options
from portal.commands.progress_bar import progress_bar
from portal.database.migration.plan_and_apply import CannotBeAppliedError, Expected, apply
from portal.database.migration.saved_plan import NotThePlanError, SavedPlan
from portal.declaration.declared_files import files_digest
from portal.texts import plural


@click.command("apply", short_help="Do what the plan says.")
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option("--allow-loss", is_flag=True, help="Also do what loses data.")
@common_options
def command(file: Path | None, allow_loss: bool) -> None:
    """Bring the database to the declarations. What would lose data is left undone without --allow-loss, and named.

    What is left undone does not keep the portal from running: the values of removed fields and modules stay in the
    database and come back with them, and values that do not fit the new type of their field are kept aside until they
    fit again.

    On PostgreSQL the values of a large table get another type in batches, while the portal serves and writes. If this
    command is killed, the old values stay in force, and the next one begins anew.

    A search index that has to be made anew is filled afterwards, a few records at a time: the portal serves and
    writes meanwhile. If this command is killed, that goes on with the next one or when the portal starts again.

    With a FILE of `portal plan --out`, it does exactly that plan, and nothing if files or database have changed since.

    Exits 0, or 1 if the database cannot hold what is declared: then nothing was changed.

    Example: portal apply --allow-loss
    """
    portal = open_portal(check_database=False)
    try:
        expected = Expected(_saved(file), files_digest(portal.settings.folder)) if file is not None else None
        with database_refusals_explained(), progress_bar("Converting", None) as report_progress:
            applied = apply(portal.engine, portal.tables, allow_loss, expected, report_progress)
    except NotThePlanError as error:
        raise click.ClickException(f"{file}: {error}; nothing was changed") from None
    except CannotBeAppliedError as error:
        exit_with([error, "nothing was changed"])
    for sentence in applied.done:
        click.echo(sentence)
    for step in applied.left:
        click.echo(f"left undone: {step.planned.removeprefix('! ')}")
    if not applied.done and not applied.left:
        click.echo("nothing to do: the database fits the declarations")
    if records := update_search_index(portal):
        click.echo(f"the search index was brought up to date: {plural(records, 'record')}")
    print_overdue(portal)


def _saved(file: Path) -> SavedPlan:
    try:
        return SavedPlan.read(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} cannot be read: {error}") from None
