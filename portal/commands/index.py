"""`portal index`: bring the search index up to date with the records."""

import click

from portal.commands.database_errors import database_errors_explained
from portal.commands.open_portal import OpenPortal, open_portal
from portal.commands.options import common_options
from portal.commands.progress_bar import progress_bar
from portal.database.engine import writing
from portal.database.search.marks import mark_modules
from portal.records.indexing.backlog import catch_up
from portal.records.indexing.search_entries import complete_index, indexed_modules
from portal.texts import plural


@click.command("index", short_help="Bring the search index up to date.")
@click.option("--rebuild", is_flag=True, help="Rebuild it from all records.")
@common_options
def command(rebuild: bool) -> None:
    """Add records missing from the search index, remove the entries of deleted ones, and finish the updates that
    changed declarations and titles require.

    With --rebuild, it is rebuilt from all records, a few at a time, while the portal keeps running.

    Example: portal index --rebuild
    """
    portal = open_portal()
    if rebuild:
        with database_errors_explained(), writing(portal.engine) as connection:
            names = [module.name for module in indexed_modules(portal.declaration)]
            mark_modules(connection, portal.tables, names)
        click.echo(f"The search index was rebuilt: {plural(update_search_index(portal), 'record')}")
        return
    with database_errors_explained(), writing(portal.engine) as connection:
        added, removed = complete_index(connection, portal.tables)
    updated = update_search_index(portal)
    entries = plural(removed, "entry", "entries")
    done = f"{plural(added, 'record')} added, {entries} removed, {plural(updated, 'record')} updated"
    click.echo(f"The search index is complete: {done}")


def update_search_index(portal: OpenPortal) -> int:
    """Catches the search index up for a command, with a bar on the terminal; returns how many records that were."""
    with database_errors_explained(), progress_bar("Indexing", None) as report_progress:
        return catch_up(portal.engine, portal.tables, report_progress)
