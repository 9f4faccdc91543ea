"""`portal files`: remove stored bytes that belong to no file of a record."""

import datetime

import click

from portal.commands.database_errors import database_errors_explained
from portal.commands.open_portal import open_portal
from portal.commands.options import common_options
from portal.database.engine import reading, writing
from portal.mail.incoming.mail_rows import stored_mails
from portal.records.writing.files import stored_file_names
from portal.records.writing.pending_files import drop_expired
from portal.store.store import StoreError
from portal.texts import plural


@click.command("files", short_help="Remove stored files that no record names.")
@common_options
def command() -> None:
    """Remove the stored bytes of files that were removed or replaced, whose upload was not completed, or whose form was
    not sent within 30 days. Files less than an hour old stay, as their upload may still be in progress. Run it daily.

    Example: portal files
    """
    portal = open_portal()
    store = portal.store()
    try:
        now = datetime.datetime.now(datetime.UTC)
        with database_errors_explained(), writing(portal.engine) as connection:
            drop_expired(connection, portal.tables, now)
        with database_errors_explained(), reading(portal.engine) as connection:
            named = stored_file_names(connection, portal.tables) | stored_mails(connection, portal.tables)
        unnamed = store.unnamed(named, now)
        store.remove(unnamed)
    except StoreError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Removed {plural(len(unnamed), 'stored file')} that no record names")
