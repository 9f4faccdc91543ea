"""`portal account data` and `portal account erase`: exports or erases what is held about a person."""

import datetime
import os
from collections.abc import Iterator
from pathlib import Path

import click

from portal.accounts.accounts import Account, find_account
from portal.accounts.erasing import BY_ACCOUNT, OF_ACCOUNT, Erasure, mentions
from portal.accounts.giving_access import AccessRefusedError
from portal.accounts.identity import identify
from portal.accounts.own_data import OwnData
from portal.commands.database_errors import database_errors_explained
from portal.commands.open_portal import OpenPortal, open_portal
from portal.commands.options import common_options
from portal.database.engine import Connection, reading, writing
from portal.fields.refused import Refused
from portal.records.indexing.backlog import catch_up
from portal.store.store import StoreError
from portal.texts import plural, translate

PLURALS = {"choice of emails": "choices of emails", "mark of what was seen": "marks of what was seen"}


@click.command("data")
@click.argument("email")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@common_options
def data(email: str, file: Path) -> None:
    """Write a ZIP file with what the portal holds about a person, as they can download it under “My account”.

    It contains everything the person's profile may read, without a size limit. Only the owner of the file can read it.

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
        raise click.ClickException(f"{email} has the profile “{account.profile}”, which does not exist: set another")
    return account


@click.command("erase")
@click.argument("email")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common_options
def erase(email: str, dry_run: bool, yes: bool) -> None:
    """Erase a person: the account is removed, and what they did and own belongs to a “Deleted person” from then on.

    First it prints what it will do, in numbers. Backups keep the person until they are removed.

    Example: portal account erase anna@acme.example --dry-run
    """
    portal = open_portal()
    store = portal.store()
    rehearsal = _erased(portal, email, rehearse=True)
    for sentence in _sentences(rehearsal):
        click.echo(sentence)
    if dry_run:
        click.echo("Nothing was changed.")
        return
    if not yes:
        click.confirm(f"Erase {email}? This cannot be undone", abort=True)
    erasure = _erased(portal, email)
    with database_errors_explained():
        catch_up(portal.engine, portal.tables)
    try:
        store.remove(erasure.stored)
    except StoreError as error:
        click.echo(f"warning: stored files were left behind, run `portal files`: {error}", err=True)
    click.echo("Erased.")
    _print_mentions(portal, erasure.names)


def _erased(portal: OpenPortal, email: str, rehearse: bool = False) -> Erasure:
    """Erases a person; a rehearsal rolls everything back."""
    try:
        with database_errors_explained(), writing(portal.engine) as connection:
            erasure = Erasure(connection, portal.tables, datetime.datetime.now(datetime.UTC))
            erasure.erase(email)
            if rehearse:
                connection.rollback()
    except AccessRefusedError as refused:
        raise click.ClickException(str(refused)) from None
    except Refused as refused:
        raise click.ClickException(translate(refused.message, "en")) from None
    return erasure


def _sentences(erasure: Erasure) -> Iterator[str]:
    """The counts of an erasure, as sentences."""
    counts, nobody = erasure.counts, erasure.nobody

    def numbers(*names: str) -> str:
        return ", ".join(plural(counts[name], name, PLURALS.get(name, "")) for name in names if counts[name])

    if gone := numbers("account", *OF_ACCOUNT.values(), "email", "request for access"):
        yield f"Removed: {gone}."
    if counts["value"]:
        gone = numbers("value", "file on the person", "comment on the person")
        yield f"The record of the person becomes “{nobody}”, without {gone}; what links to it stays."
    if theirs := numbers(*BY_ACCOUNT.values(), "record"):
        yield f"By “{nobody}” from now on: {theirs}."
    if counts["signature"]:
        yield f"Without name and drawing: {numbers('signature')}."
    if counts["watched record"]:
        yield f"Watched no longer: {numbers('watched record')}."
    if counts["incoming email"]:
        yield f"Without sender, subject and text: {numbers('incoming email')}."


def _print_mentions(portal: OpenPortal, names: list[str]) -> None:
    """Prints where texts that people wrote may still name the person: the portal cannot tell."""
    with database_errors_explained(), reading(portal.engine) as connection:
        records = mentions(connection, portal.tables, names)
    if records:
        places = ", ".join(f"{record.module} {record.reference or record.id}" for record in records)
        click.echo(f"warning: texts that people wrote may still name the person: {places}", err=True)
    click.echo(
        "Search for other spellings too. Texts in the history of other records, searches that others have saved, file "
        "names, emails sent to others (for 90 days) and backups may also name the person."
    )
