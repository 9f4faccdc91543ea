"""`portal schema`: write JSON Schemas with the folder's own names, for completion and error marks in editors."""

from pathlib import Path

import click

from portal.commands.options import chosen_settings, common_options
from portal.texts import plural
from portal.workshop.schema.schema_files import FOLDER, files_without_schema, write_schemas


@click.command("schema", short_help="Write JSON Schemas for editors.")
@click.argument("path", metavar="[FOLDER]", required=False, type=click.Path(path_type=Path))
@common_options
def command(path: Path | None) -> None:
    """Write JSON Schemas of the declaration language, with the names used in FOLDER, to its var/schema.

    An editor with a YAML language server finds them by the first line of each file; files without that line are listed.
    In development, `portal serve` writes them whenever a file changes.

    Example: portal schema examples/northwind
    """
    folder = chosen_settings(path).folder
    try:
        schemas = write_schemas(folder)
    except OSError as error:
        raise click.ClickException(f"{folder / FOLDER} cannot be written: {error.strerror}") from None
    if not schemas:
        raise click.ClickException(
            "modules.yaml cannot be read: `portal check` says why; the schemas stay as they were"
        )
    for file, line in files_without_schema(folder).items():
        click.echo(f"{file}: to use its schema, begin this file with: {line}")
    click.echo(f"Wrote {plural(len(schemas), 'schema')} to {folder / FOLDER}")
