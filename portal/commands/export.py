"""`portal export`: write all records of a module to a CSV file that `portal import` accepts."""

import os
import shutil
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

import click

from portal.commands.database_errors import database_errors_explained
from portal.commands.open_portal import open_portal
from portal.commands.options import common_options
from portal.commands.progress_bar import progress_bar
from portal.database.engine import reading
from portal.fields.base import Field
from portal.records.reading.records import Query, Records
from portal.records.transfer.exporting import Export
from portal.records.transfer.exporting_files import FileExport
from portal.records.transfer.file_bundle import open_bundle
from portal.records.transfer.line_columns import TooManyRowsError, WrittenRowColumns
from portal.records.transfer.line_files import exported_rows, file_beside
from portal.store.store import StoreError
from portal.texts import plural


@click.command("export", short_help="Write a module's records to a CSV file.")
@click.argument("module")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True), default="-")
@click.option(
    "--files", "bundle", type=click.Path(path_type=Path), metavar="FOLDER|FILE.zip", help="Write the files there too."
)
@click.option(
    "--lines",
    type=click.Choice(["files", "columns"]),
    default="files",
    help="Where the rows of lines go: to files next to FILE, or to columns of FILE.",
)
@common_options
def command(module: str, file: str, bundle: Path | None, lines: str) -> None:
    """Write all records of MODULE to FILE, or to the terminal, with field names and raw values.

    With --files, the files of the records are also written, to a folder or a zip archive, and cells name them.

    A value that a spreadsheet would take for a formula gets a leading apostrophe, which the import removes. The rows
    of a field of type lines go to a file of their own next to FILE, with the name of the field: orders_lines.csv.
    With --lines columns, they are in FILE: lines.0.product, lines.0.quantity, lines.1.product.

    Example: portal export contacts people.csv
    """
    portal = open_portal()
    with database_errors_explained(), reading(portal.engine) as connection:
        records = portal.records(connection, module)
        total = records.count(Query())
        of_lines = records.module.lines
        in_columns = of_lines if lines == "columns" else ()
        with progress_bar("Exporting", None if total.more else total.number) as report_progress:
            try:
                columns = [WrittenRowColumns(records, field) for field in in_columns]
                with nullcontext() if bundle is None else open_bundle(bundle, write=True) as opened:
                    files = FileExport(records, opened, portal.store()) if opened else None
                    export = Export(records, report_progress, files, columns)
                    _write(file, export.chunks())
            except (OSError, StoreError) as error:
                raise click.ClickException(str(error)) from None
            except TooManyRowsError as error:
                raise click.ClickException(f"{error}: use --lines files") from None
        done = f"{module}: {plural(export.done, 'record')}" + (f" and {plural(files.done, 'file')}" if files else "")
        click.echo(f"{done} written", err=True)  # the standard output may be the file
        for field in () if in_columns else of_lines:
            _write_rows(records, field, file)


def _write_rows(records: Records, field: Field, name: str) -> None:
    """Writes the exported rows of a field to a file next to the file `name`."""
    if name == "-":
        click.echo(f"{records.name}.{field.name}: left out: name a FILE, or use --lines columns", err=True)
        return
    path = file_beside(Path(name), field)
    _write(str(path), exported_rows(records, field))
    click.echo(f"{records.name}.{field.name}: rows written to {path}", err=True)


def _write(name: str, chunks: Iterable[bytes]) -> None:
    """Writes an exported file, or to the terminal. If it fails halfway, the previous file stays.

    Click's own atomic file puts half of a file in its place (pallets/click, `_AtomicFile.close`).
    """
    path = Path(os.path.realpath(name))  # the target of a link such as /dev/stdout
    if name == "-" or (path.exists() and not path.is_file()):
        with click.open_file(name, "wb") as file:
            file.writelines(chunks)
        return
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.writelines(chunks)
        if path.exists():
            shutil.copymode(path, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
