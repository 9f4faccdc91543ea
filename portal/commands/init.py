"""`portal init`: write declarations from an existing database or CSV files."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from portal.commands.database_errors import database_errors_explained, database_refusals_explained
from portal.commands.options import chosen_settings, common_options
from portal.database.engine import reach, without_password
from portal.declaration.load import load
from portal.records.transfer.csv_reading import UnreadableFileError
from portal.texts import plural, translate
from portal.workshop.outlines.as_yaml import buttons_yaml, modules_yaml, profiles_yaml
from portal.workshop.outlines.from_csv import CsvFile, import_arguments, in_order_of_import, outline_of_files, read_file
from portal.workshop.outlines.from_database import outline_of_database
from portal.workshop.outlines.outline import Outline
from portal.workshop.schema.schema_files import schema_line


@click.command("init", short_help="Write declarations from a database or CSV files.")
@click.option("--from-database", "url", metavar="URL", help="Modules that use the tables of a database.")
@click.option(
    "--from-csv",
    "first_files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE…",
    help="A module for each CSV file.",
)
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@common_options
def command(url: str | None, first_files: tuple[Path, ...], files: tuple[Path, ...]) -> None:
    """Write modules.yaml, profiles/ and buttons.yaml from existing data, with comments that say what was guessed, why,
    and what to check. Existing files are never overwritten.

    --from-database makes modules that use the tables of a database in place (table:), SQLite or PostgreSQL: types,
    links from foreign keys, titles, columns, options. The tables are not altered; `portal apply --database URL` adds
    the portal's own tables.

    --from-csv makes modules with tables of the portal's own, and prints the `portal import` commands that fill them.
    The types are those that fit every value of a column.

    Example: portal init --from-csv customers.csv orders.csv --folder care
    """
    paths = [*first_files, *files]
    if bool(url) == bool(paths):
        raise click.UsageError("say what to make the declarations from: --from-database URL or --from-csv FILE…")
    folder = chosen_settings(is_there=False).folder
    imported: Sequence[CsvFile] = ()
    if url:
        outline = _of_database(url)
    else:
        outline, imported = _of_files(paths)
    if not outline.modules:
        raise click.ClickException("there is nothing to make a module from: no table has a column that can be shown")
    names = _write(folder, outline)
    fields = sum(len(module.fields) for module in outline.modules)
    links = sum(one.type == "link" for module in outline.modules for one in module.fields)
    counts = ", ".join((plural(len(outline.modules), "module"), plural(fields, "field"), plural(links, "link")))
    click.echo(f"{counts} written to {', '.join(names)} in {folder}")
    _print_next_steps(folder, url, imported)


def _of_database(url: str) -> Outline:
    with database_refusals_explained():
        engine = reach(url, looks_only=True)
    with database_errors_explained():
        outline = outline_of_database(engine, without_password(url))
    engine.dispose()
    return outline


def _of_files(paths: Sequence[Path]) -> tuple[Outline, list[CsvFile]]:
    for path in paths:
        if sum(other.stem == path.stem for other in paths) > 1:
            raise click.UsageError(f'two files are called "{path.stem}": each becomes a module with its name')
    files = [_read(path) for path in paths]
    return outline_of_files(files), in_order_of_import(files)


def _read(path: Path) -> CsvFile:
    try:
        file = read_file(path)
    except UnreadableFileError as error:
        place = f":{error.line}" if error.line else ""
        raise click.ClickException(f"{path}{place}: {translate(error.message, 'en')}") from None
    except OSError as error:
        raise click.ClickException(str(error)) from None
    headers = [header for header in file.source.headers if header]
    if repeated := next((header for header in headers if headers.count(header) > 1), None):
        raise click.ClickException(f'{path}: two columns are called "{repeated}": give one of them another name')
    if not headers:
        raise click.ClickException(f"{path}: the first row names no column")
    return file


def _write(folder: Path, outline: Outline) -> list[str]:
    """Writes the declarations of `portal init` to files, none of which may exist; returns their names."""
    texts = {"modules.yaml": modules_yaml(outline), "buttons.yaml": buttons_yaml(outline)}
    texts |= {f"profiles/{name}.yaml": text for name, text in profiles_yaml(outline).items()}
    if there := [name for name in texts if (folder / name).exists()]:
        raise click.UsageError(f"{folder} has {', '.join(there)} already: nothing was written; name another --folder")
    try:
        (folder / "profiles").mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(f"{schema_line(name)}\n{text}", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(str(error)) from None
    return list(texts)


def _print_next_steps(folder: Path, url: str | None, files: Sequence[CsvFile]) -> None:
    loaded = load(folder)
    for problem in loaded.errors:
        click.echo(problem)
    if loaded.declaration is None:
        raise SystemExit(1)
    at = f" --folder {shlex.quote(str(folder))}"
    database = f" --database {shlex.quote(without_password(url))}" if url else ""
    click.echo("Check the comments in modules.yaml, above all those that begin with “look”. Then:")
    click.echo(f"  portal apply{at}{database}")
    for file in files:
        arguments = shlex.join(import_arguments(file, loaded.declaration.modules[file.module]))
        click.echo(f"  portal import {arguments}{at}")
    click.echo(f"  portal account add EMAIL --profile staff{at}{database}")
    click.echo(f"  portal serve{at}{database}")
