"""`portal backup`: write database, files and declarations as one set."""

import datetime
from pathlib import Path

import click

from portal.commands.database_errors import database_errors_explained
from portal.commands.open_portal import open_engine
from portal.commands.options import chosen_settings, common_options
from portal.database.copying import CopyError
from portal.database.engine import Connection
from portal.database.schema.tables import build
from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Settings as DeclaredSettings
from portal.mail.incoming.mail_rows import stored_mails
from portal.records.transfer.backup import BackupError, make_backup
from portal.records.writing.files import stored_file_names
from portal.store.store import StoreError, open_store
from portal.texts import plural


@click.command("backup", short_help="Write database, files and declarations as one set.")
@click.argument("target", type=click.Path(path_type=Path))
@common_options
def command(target: Path) -> None:
    """Write a backup to a new folder, or to an archive if TARGET ends in .tar or .tar.gz. The portal can keep running.

    The backup contains the database at one point in time, the files that it names, and the declarations. It contains
    no settings (PORTAL_…) and no secrets from the environment, but everything that customers wrote: protect it
    accordingly. PostgreSQL is copied with pg_dump, which must not be older than the server.

    Example: portal backup /backups/portal-2026-11-28.tar.gz
    """
    settings = chosen_settings()
    engine = open_engine(settings)
    # The system tables alone, so that a mistake in the declarations prevents no backup.
    bare = Declaration(folder=settings.folder, settings=DeclaredSettings(), modules={}, profiles={})
    tables = build(bare)

    def named(connection: Connection) -> set[str]:
        return stored_file_names(connection, tables) | stored_mails(connection, tables)

    now = datetime.datetime.now(datetime.UTC)
    try:
        store = open_store(*settings.store_address)
        with database_errors_explained():
            backup = make_backup(engine, store, settings.folder, named, target, now)
    except (BackupError, CopyError, StoreError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    for name in backup.missing:
        click.echo(f"warning: the store does not have {name}, which the database names", err=True)
    parts = f"{plural(backup.files, 'file')}, {plural(backup.declarations, 'declaration')}"
    click.echo(f"Wrote {target}: the database, {parts}; {backup.bytes / 1e6:,.1f} MB")
