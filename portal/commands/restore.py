"""`portal restore`: restore a portal from a backup, here or on another machine."""

from functools import partial
from pathlib import Path

import click

from portal.commands.database_errors import database_errors_explained
from portal.commands.options import chosen_settings, common_options
from portal.database.copying import CopyError
from portal.records.transfer.backup import BackupError, restore_backup
from portal.store.store import StoreError, open_store
from portal.texts import plural


@click.command("restore", short_help="Restore a portal from a backup.")
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@common_options
def command(source: Path) -> None:
    """Restore what `portal backup` wrote, a folder or an archive, into a folder without declarations and an empty
    database of the same kind. Everything in the backup is checked before anything is written.

    Emails that were waiting are waiting again: start `portal worker` only if they should be sent.

    Example: mkdir /srv/portal && portal restore /backups/portal-2026-11-28.tar.gz --folder /srv/portal
    """
    settings = chosen_settings()
    try:
        settings.make_database_folder()
        with database_errors_explained():
            store = partial(open_store, *settings.store_address)
            backup = restore_backup(source, settings.database_url, store, settings.folder)
    except (BackupError, CopyError, StoreError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    parts = f"{plural(backup.files, 'file')}, {plural(backup.declarations, 'declaration')}"
    click.echo(f"Restored the portal of {backup.created:%Y-%m-%d %H:%M} UTC: the database, {parts}")
