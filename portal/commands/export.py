"""`portal export`: all records of one module as a CSV file that `portal import` takes back."""

from typing import IO

import click

from portal.commands.database_errors import database_errors_explained
from portal.commands.open_portal import open_portal
from portal.commands.options import common_options
from portal.commands.progress_bar import progress_bar
from portal.database.engine import reading
from portal.records.reading.records import Query
from portal.records.transfer.exporting import Export
from portal.texts import plural


@click.command("export", short_help="Write a module's records to a CSV file.")
@click.argument("module")
@click.argument("file", type=click.File("wb", lazy=True, atomic=True), default="-")
@common_options
def command(module: str, file: IO[bytes]) -> None:
    """Write all records of MODULE to FILE, or to the terminal: names of fields and raw values.

    What a spreadsheet would take for a formula gets an apostrophe before it, which the import takes away again.

    Example: portal export contacts people.csv
    """
    portal = open_portal()
    with database_errors_explained(), reading(portal.engine) as connection:
        records = portal.records(connection, module)
        total = records.count(Query())
        with progress_bar("Exporting", None if total.more else total.number) as report_progress:
            export = Export(records, report_progress)
            for chunk in export.chunks():
                file.write(chunk)
    click.echo(f"{module}: {plural(export.done, 'record')} written", err=True)  # the standard output may be the file
