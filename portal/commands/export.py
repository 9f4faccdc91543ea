"""`portal export`: all records of one module as a CSV file that `portal import` takes back."""

from typing import IO

import click

from portal.commands.database_errors import told_plainly
from portal.commands.import_ import known_module, system_records
from portal.commands.opening import opened
from portal.commands.options import common_options
from portal.commands.progress import progress
from portal.database.engine import reading
from portal.records.reading.records import Query
from portal.records.transfer.exporting import Export


@click.command("export", short_help="Write a module's records to a CSV file.")
@click.argument("module")
@click.argument("file", type=click.File("wb", lazy=True, atomic=True), default="-")
@common_options
def command(module: str, file: IO[bytes]) -> None:
    """Write all records of MODULE to FILE, or to the terminal: names of fields and raw values.

    What a spreadsheet would take for a formula gets an apostrophe before it, which the import takes away again.

    Example: portal export contacts people.csv
    """
    portal = opened()
    known_module(portal, module)
    with told_plainly(), reading(portal.engine) as connection:
        system = system_records(portal, connection, module)
        total = system.count(Query())
        with progress("Exporting", None if total.more else total.number) as told:
            export = Export(system, told)
            for chunk in export.chunks():
                file.write(chunk)
    click.echo(f"{module}: {export.done:,} records written", err=True)  # the standard output may be the file
