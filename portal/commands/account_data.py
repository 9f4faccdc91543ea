"""`portal account data`: what is held about a person, for people who ask by letter."""

import os
from pathlib import Path

import click

from portal.accounts.accounts import Account, find_account
from portal.accounts.identity import identify
from portal.accounts.own_data import OwnData
from portal.commands.database_errors import database_errors_explained
from portal.commands.open_portal import OpenPortal, open_portal
from portal.commands.options import common_options
from portal.database.engine import Connection, reading
from portal.texts import translate


@click.command("data")
@click.argument("email")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@common_options
def data(email: str, file: Path) -> None:
    """Write a ZIP file with what the portal holds about a person, as they can download it under “My account”.

    It holds what the profile of the person may read, however much it is. Only its owner can read the file.

    Example: portal account data anna@acme.example anna.zip
    """
    portal = open_portal()
    store = portal.store()
    with database_errors_explained(), reading(portal.engine) as connection:
        account = _account(portal, connection, email)
        language = account.reads or portal.declaration.settings.languages[0]
        own_data = OwnData(connection, identify(connection, portal.tables, account, language=language), store)
        try:
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
                own_data.write(target)
        except OSError as error:
            raise click.ClickException(f"{file} cannot be written: {error.strerror or error}") from None
    for sentence in own_data.left_out:
        click.echo(f"warning: {translate(sentence, 'en')}", err=True)
    click.echo(f"What the portal holds about {account.email} is in {file}.")


def _account(portal: OpenPortal, connection: Connection, email: str) -> Account:
    account = find_account(connection, portal.tables, email)
    if account is None:
        raise click.ClickException(f"{email} has no access")
    if account.profile not in portal.declaration.profiles:
        raise click.ClickException(f"{email} has the profile “{account.profile}”, which does not exist: give another")
    return account
