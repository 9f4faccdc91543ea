"""`portal index`: the search index, brought up to date with the records."""

import click

from portal.commands.opening import Opened, opened
from portal.commands.options import common_options
from portal.commands.progress import progress
from portal.commands.troubles import told_plainly
from portal.database.engine import writing
from portal.records.index import complete, refresh


@click.command("index", short_help="Bring the search index up to date.")
@click.option("--rebuild", "anew", is_flag=True, help="Fill it anew from all records.")
@common_options
def command(anew: bool) -> None:
    """Put records into the search index that it lacks, and take out what is no record any more.

    With --rebuild it is filled anew from all records, a few at a time: the portal serves and writes meanwhile.

    Example: portal index --rebuild
    """
    portal = opened()
    if anew:
        click.echo(f"The search index was filled anew: {_filled(portal):,} records")
        return
    with told_plainly(), writing(portal.engine) as connection:
        added, removed = complete(connection, portal.declaration, portal.tables)
    click.echo(f"The search index is complete: {added:,} records added, {removed:,} entries removed")


def _filled(portal: Opened) -> int:
    modules = list(portal.declaration.modules)
    with told_plainly(), progress("Indexing", None) as told:
        done: dict[str, int] = {}

        def reached(module: str, records: int) -> None:
            done[module] = records
            told(sum(done.values()))

        return refresh(portal.engine, portal.declaration, portal.tables, modules, reached)
