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
    """Update the database to match the declarations. Changes that would lose data are skipped and listed, unless
    --allow-loss is given.

    The portal runs despite skipped changes: the values of removed fields and modules stay in the database and
    reappear if these return, and values that do not fit a field's new type are set aside until they fit again.

    On PostgreSQL, a large table is converted to a new type in batches while the portal keeps running. If this
    command is killed, the old values stay in use, and the next run starts over.

    If the search index has to be rebuilt, it is filled afterwards, a few records at a time, while the portal keeps
    running. If this command is killed, the next run or the next start of the portal continues.

    With a FILE from `portal plan --out`, exactly that plan is applied, or nothing if the files or the database have
    changed since.

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
        click.echo("nothing to do: the database matches the declarations")
    if records := update_search_index(portal):
        click.echo(f"the search index was brought up to date: {plural(records, 'record')}")
    print_overdue(portal)


def _saved(file: Path) -> SavedPlan:
    try:
        return SavedPlan.read(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} cannot be read: {error}") from None
