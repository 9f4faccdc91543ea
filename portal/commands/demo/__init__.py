"""`portal demo`: the records, conversations and accounts of the folder's demo, with dates around today."""

from typing import Any

import click

from portal.accounts.passwords import Passwords
from portal.accounts.register import AccessRefusedError
from portal.commands.database_errors import told_plainly
from portal.commands.demo.records import DemoError, Demonstration
from portal.commands.opening import Opened, opened
from portal.commands.options import common_options
from portal.commands.progress import progress
from portal.database.engine import writing
from portal.records.transfer.importing import WrongColumnsError
from portal.records.transfer.source import UnreadableFileError
from portal.texts import translate

MANY = "tickets"  # the module of which there may be more


@click.command("demo", short_help="Load the demo's records and accounts.")
@click.option("--tickets", "number", type=click.IntRange(0, 1_000_000), default=0, help="So many more tickets besides.")
@common_options
def command(number: int) -> None:
    """Load the records of the folder demo/ beside modules.yaml, and give the accounts listed there access.

    All or nothing, and only where the demo's modules are empty. Where the demo is there already, its accounts are told
    again and nothing else happens; --tickets adds more tickets each time.

    Example: portal demo --tickets 10000
    """
    portal = opened()
    if not (portal.settings.folder / "demo").is_dir():
        raise click.UsageError(f'there is no folder "{portal.settings.folder / "demo"}"')
    try:
        with told_plainly(), writing(portal.engine) as connection:
            _load(portal, Demonstration(portal, connection), number)
    except (DemoError, AccessRefusedError) as bad:
        raise click.ClickException(str(bad)) from None
    except UnreadableFileError as bad:
        raise click.ClickException(translate(bad.message, "en")) from None
    except WrongColumnsError as wrong:
        raise click.ClickException("\n".join(translate(problem, "en") for problem in wrong.problems)) from None


def _load(portal: Opened, demo: Demonstration, number: int) -> None:
    if demo.joined():
        click.echo("The demo is there already.")
    elif demo.holds_records():
        raise click.ClickException("the portal has records of its own already: the demo is for an empty one")
    else:
        counts: dict[str, int] = {}
        demo.load(lambda module, report: counts.update({module: report.outcome.added}))
        demo.join(Passwords(portal.settings.password_memory, portal.settings.password_rounds))
        demo.converse()
        click.echo(f"Loaded the demo: {sum(counts.values())} records in {len(counts)} modules.")
    if number:
        _add(demo, number)
    _tell(demo.accounts())


def _add(demo: Demonstration, number: int) -> None:
    if MANY not in demo.files():
        raise click.UsageError(f"--tickets wants a file demo/{MANY}.csv")
    with progress("Checking", number) as reached, progress("Adding", number) as written:
        report = demo.add_many(MANY, number, reached, written)
    if report.bad:
        raise DemoError(translate(report.bad[0].reason, "en"))
    click.echo(f"Added {report.outcome.added:,} more tickets.")


def _tell(accounts: list[dict[str, Any]]) -> None:
    click.echo("Sign in as" if accounts else "No accounts are listed in demo/accounts.csv.")
    for row in accounts:
        click.echo(f"  {row['email']}  {row['password']}  ({row['person']}, {row['profile']})")
