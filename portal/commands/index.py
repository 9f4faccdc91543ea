"""`portal index`: the search index, brought up to date with the records."""

import click

from portal.commands.database_errors import told_plainly
from portal.commands.opening import Opened, opened
from portal.commands.options import common_options
from portal.commands.progress import progress
from portal.database.engine import writing
from portal.database.search.backlog import mark_modules
from portal.records.indexing.backlog import catch_up
from portal.records.indexing.index import complete


@click.command("index", short_help="Bring the search index up to date.")
@click.option("--rebuild", "anew", is_flag=True, help="Fill it anew from all records.")
@common_options
def command(anew: bool) -> None:
    """Put records into the search index that it lacks, and take out what is no record any more; then work off
    what changes of the declarations and of titles have left to be done.

    With --rebuild it is filled anew from all records, a few at a time: the portal serves and writes meanwhile.

    Example: portal index --rebuild
    """
    portal = opened()
    if anew:
        with told_plainly(), writing(portal.engine) as connection:
            mark_modules(connection, portal.tables, portal.declaration.modules)
        click.echo(f"The search index was filled anew: {caught_up(portal):,} records")
        return
    with told_plainly(), writing(portal.engine) as connection:
        added, removed = complete(connection, portal.tables)
    click.echo(f"The search index is complete: {added:,} records added, {removed:,} entries removed")
    if behind := caught_up(portal):
        click.echo(f"Brought up to date: {behind:,} records")


def caught_up(portal: Opened) -> int:
    """Works off what of the index is behind, with a bar on the terminal; answers how many records."""
    with told_plainly(), progress("Indexing", None) as told:
        return catch_up(portal.engine, portal.tables, told)
