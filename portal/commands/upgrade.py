"""`portal upgrade`: update the files of a folder to the current version of the language."""

from pathlib import Path

import click

from portal.commands.options import chosen_settings, common_options
from portal.declaration.load import load
from portal.declaration.version import VERSION
from portal.texts import plural
from portal.workshop.upgrade import CannotUpgradeError, upgrade


@click.command("upgrade", short_help="Update the declarations to the current version of the language.")
@click.argument("path", metavar="[FOLDER]", required=False, type=click.Path(path_type=Path))
@common_options
def command(path: Path | None) -> None:
    """Rewrite the files of FOLDER for the current version of the language, and say what was done.

    Comments and formatting stay. A folder that already has this version stays as it is.

    Example: portal upgrade examples/northwind
    """
    settings = chosen_settings(path)
    try:
        upgraded = upgrade(settings.folder)
    except (CannotUpgradeError, OSError) as error:
        raise click.ClickException(str(error)) from None
    for sentence in upgraded.done:
        click.echo(sentence)
    errors = load(settings.folder, settings.declared).errors
    if errors:
        click.echo(f"`portal check` finds {plural(len(errors), 'error')}, which you have to fix yourself")
    before = "a folder without a version" if upgraded.before is None else f"version {upgraded.before}"
    click.echo(
        f"Upgraded {before} to version {VERSION}" if upgraded.done else f"The folder already has version {VERSION}"
    )
