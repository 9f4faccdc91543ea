"""`portal demo`: add the records, conversations and accounts of the folder's demo, with dates around today."""

import click

from portal.accounts.giving_access import AccessRefusedError
from portal.accounts.passwords import Passwords
from portal.commands.database_errors import database_errors_explained
from portal.commands.demo.records import DemoError, Demonstration
from portal.commands.open_portal import OpenPortal, open_portal
from portal.commands.options import common_options
from portal.commands.progress_bar import progress_bar
from portal.database.engine import writing
from portal.records.transfer.csv_columns import WrongColumnsError
from portal.records.transfer.csv_reading import UnreadableFileError
from portal.store.store import StoreError
from portal.texts import plural, translate

MANY = "tickets"  # the module of which there may be more


@click.command("demo", short_help="Load the demo's records and accounts.")
@click.option("--tickets", "number", type=click.IntRange(0, 1_000_000), default=0, help="Add this many more tickets.")
@common_options
def command(number: int) -> None:
    """Load the records of the folder demo/ beside modules.yaml, and give the accounts listed there access.

    All or nothing, and only where the demo's modules are empty. Where the demo is there already, its accounts are
    printed again and nothing else happens; --tickets adds more tickets each time.

    Example: portal demo --tickets 10000
    """
    portal = open_portal()
    if not (portal.settings.folder / "demo").is_dir():
        raise click.UsageError(f'there is no folder "{portal.settings.folder / "demo"}"')
    try:
        with database_errors_explained(), writing(portal.engine) as connection:
            demo = Demonstration(portal, connection)
            done, accounts = _load(portal, demo, number), demo.accounts()
    except (DemoError, AccessRefusedError, StoreError) as bad:
        raise click.ClickException(str(bad)) from None
    except UnreadableFileError as bad:
        raise click.ClickException(translate(bad.message, "en")) from None
    except WrongColumnsError as wrong:
        raise click.ClickException("\n".join(translate(problem, "en") for problem in wrong.problems)) from None
    # Only now, as nothing is loaded by a command whose output nobody reads to its end.
    click.echo("\n".join(done))
    click.echo("Sign in as" if accounts else "No accounts are listed in demo/accounts.csv.")
    for row in accounts:
        click.echo(f"  {row['email']}  {row['password']}  ({row['person']}, {row['profile']})")


def _load(portal: OpenPortal, demo: Demonstration, number: int) -> list[str]:
    """Loads what is not there yet of the demo; returns the sentences that say so."""
    done = []
    if demo.has_accounts():
        done.append("The demo is there already.")
    elif demo.has_records():
        raise click.ClickException("the portal has records already; the demo is for an empty one")
    else:
        counts: dict[str, int] = {}
        demo.load(lambda module, report: counts.update({module: report.outcome.added}))
        demo.add_files(portal.store())
        demo.add_accounts(Passwords(portal.settings.password_memory, portal.settings.password_rounds))
        demo.add_views()
        demo.add_past()
        demo.add_comments()
        records, modules = plural(sum(counts.values()), "record"), plural(len(counts), "module")
        done.append(f"Loaded the demo: {records} in {modules}.")
    return [*done, _add(demo, number)] if number else done


def _add(demo: Demonstration, number: int) -> str:
    if MANY not in demo.files():
        raise click.UsageError(f"--tickets needs a file demo/{MANY}.csv")
    with progress_bar("Checking", number) as on_checked, progress_bar("Adding", number) as on_written:
        report = demo.add_many(MANY, number, on_checked, on_written)
    if report.bad:
        raise DemoError(translate(report.bad[0].reason, "en"))
    return f"Added {plural(report.outcome.added, 'more ticket')}."
