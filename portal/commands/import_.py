"""`portal import`: the rows of a CSV file become records of one module, or change them."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from portal.commands.database_errors import told_plainly
from portal.commands.index import caught_up
from portal.commands.opening import Opened, opened
from portal.commands.options import common_options
from portal.commands.progress import progress
from portal.database.engine import reading, writing
from portal.declaration.source.problems import suggest
from portal.records.policy import system_policy
from portal.records.reading.records import Records
from portal.records.transfer.importing import ImportOptions, Report, WrongColumnsError, import_file
from portal.records.transfer.source import Source, UnreadableFileError, open_source
from portal.records.transfer.writing import Outcome
from portal.texts import translate


@click.command("import", short_help="Bring the rows of a CSV file into a module.")
@click.argument("module")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "said", multiple=True, metavar="COLUMN=FIELD", help="Where a column goes; nowhere: COLUMN=")
@click.option("--key", metavar="FIELD", help="Change the records that have the same value there already.")
@click.option("--dry-run", is_flag=True, help="Check everything, change nothing.")
@click.option("--skip-bad", is_flag=True, help="Import the good rows when others are bad.")
@common_options
def command(module: str, file: Path, said: tuple[str, ...], key: str | None, dry_run: bool, skip_bad: bool) -> None:  # noqa: PLR0913 - one per option
    """Bring the rows of FILE into MODULE: all of them, or none if one is bad.

    The first row names the fields, by name or label. Commas, semicolons or tabs separate cells, whichever the first
    row has most of. Linked records are named by a unique field, their reference or their title, several with ";"
    between them. Money is "12.50 EUR" or has its currency in a column FIELD.currency; addresses have FIELD.street,
    FIELD.postal_code, FIELD.city, FIELD.region and FIELD.country. A time without zone is meant in the portal's own.

    Example: portal import contacts people.csv --key email --map "E-Mail=email" --map "Remarks="
    """
    portal = opened()
    known_module(portal, module)
    wishes = ImportOptions(_columns(said), key, dry_run, skip_bad)
    try:
        report = run(portal, module, file, wishes)
    except UnreadableFileError as bad:
        _say(file, bad.line, "", bad.message)
        raise SystemExit(1) from None
    except WrongColumnsError as wrong:
        for problem in wrong.problems:
            _say(file, 1, "", problem)
        raise SystemExit(1) from None
    for bad in report.bad:
        _say(file, bad.line, bad.column, bad.reason)
    click.echo(summary(module, report, wishes))
    if not wishes.dry_run:
        caught_up(portal)  # titles that were changed stand in the entries of other records
    raise SystemExit(1 if report.bad and not skip_bad else 0)


def run(portal: Opened, module: str, file: Path, wishes: ImportOptions) -> Report:
    """Imports in a transaction of its own, with progress bars on the terminal.

    Raises UnreadableFileError and WrongColumnsError.
    """
    source = open_source(file)
    transaction = reading if wishes.dry_run else writing
    with told_plainly(), transaction(portal.engine) as connection:
        return _imported(system_records(portal, connection, module), source, wishes)


def known_module(portal: Opened, module: str) -> None:
    """Ends the command with 2 where there is no such module."""
    modules = portal.declaration.modules
    if module not in modules:
        known = ", ".join(modules)
        raise click.UsageError(f'there is no module "{module}"{suggest(module, modules)}; known are {known}')


def system_records(portal: Opened, connection: Any, module: str) -> Records:
    """All records of a module, as the portal itself sees them."""
    return Records(connection, system_policy(portal.tables), module)


def summary(module: str, report: Report, wishes: ImportOptions) -> str:
    """What was done, in one line."""
    done, bad = report.outcome, f"{report.bad_rows:,} bad {'row' if report.bad_rows == 1 else 'rows'}"
    if report.bad and not wishes.skip_bad:
        return f"{module}: nothing imported, {bad}; the other {_all(done):,} are good (--skip-bad imports these)"
    told = f"{done.added:,} new, {done.changed:,} changed, {done.unchanged:,} as they were"
    left_out = f", {bad} left out" if report.bad else ""
    return f"{module}: {told}{left_out}" + (" (a dry run: nothing was changed)" if wishes.dry_run else "")


def _all(done: Outcome) -> int:
    return done.added + done.changed + done.unchanged


def _imported(system: Records, source: Source, wishes: ImportOptions) -> Report:
    with ExitStack() as bars:
        checked = bars.enter_context(progress("Checking", source.lines))
        written = bars.enter_context(progress("Importing", source.lines))
        return import_file(system, source, wishes, checked, written)


def _columns(said: tuple[str, ...]) -> dict[str, str]:
    columns = {}
    for each in said:
        header, equals, name = each.rpartition("=")
        if not equals or not header.strip():
            raise click.UsageError(f'--map "{each}": COLUMN=FIELD is wanted')
        columns[header.strip()] = name.strip()
    return columns


def _say(file: Path, line: int | None, column: str, reason: str) -> None:
    place = [str(file), *([str(line)] if line else [])]
    parts = [":".join(place), *([column] if column else []), translate(reason, "en")]
    text = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in ": ".join(parts))
    encoding = sys.stdout.encoding or "utf-8"  # a terminal that knows few characters gets the others escaped
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding))
