"""`portal import`: import the rows of a CSV file or a workbook into a module."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import click

from portal.commands.database_errors import database_errors_explained
from portal.commands.index import update_search_index
from portal.commands.open_portal import OpenPortal, open_portal
from portal.commands.options import common_options
from portal.commands.progress_bar import progress_bar
from portal.database.engine import reading, writing
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.records.transfer.csv_columns import WrongColumnsError
from portal.records.transfer.csv_reading import UnreadableFileError
from portal.records.transfer.file_bundle import open_bundle
from portal.records.transfer.import_options import ImportOptions
from portal.records.transfer.import_row import BadCell
from portal.records.transfer.importing import ImportReport, import_file
from portal.records.transfer.importing_files import FileImport
from portal.records.transfer.line_columns import RowColumns, row_columns
from portal.records.transfer.line_files import Owners, RowsReport, file_beside, import_rows
from portal.records.transfer.numbers_and_dates import Notation
from portal.records.transfer.source_files import open_file
from portal.store.store import StoreError
from portal.texts import plural, translate

HELP = """\
Import the rows of FILE, CSV or a workbook (.xlsx), into MODULE: all of them, or none if one is bad.

The first row names the fields, by name or label. Commas, semicolons, tabs or bars separate cells; a first line sep=; or
--delimiter says which. Linked records are named by a unique field, their reference or their title; separate several
with ";". Write numbers like 1234.5, with --decimal , also like 1.234,5; dates like 2024-03-05 or 05.03.2024, with
--day-first also like 05/03/2024, with --month-first like 03/05/2024. A time without a time zone is in the portal's.
Money is "12.50 EUR" or has its currency in a column FIELD.currency; addresses have FIELD.street, FIELD.postal_code,
FIELD.city, FIELD.region and FIELD.country. Columns of computed fields are skipped. Files are named by their paths in
the folder or archive given by --files; in the column attachments, they are separated by ";". In a workbook, the first
sheet is read: numbers and dates as such, and the results of formulas.

The rows of a field of type lines come from the file next to FILE that the export would write (orders_lines.csv): the
column _record names the record whose rows they replace. They can be in columns of FILE instead: lines.0.product,
lines.0.quantity, lines.1.product.

Example: portal import contacts people.csv --key email --map "E-Mail=email" --map "Remarks="
"""


class Delimiter(click.ParamType):
    """One character; `tab` is one as well."""

    name = "character"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        character = {"tab": "\t", "\\t": "\t"}.get(value, value)
        if len(character) != 1 or character in '"\r\n':
            self.fail(f'"{value}" is not one character, like ; or tab')
        return character


@click.command("import", help=HELP, short_help="Import the rows of a CSV file or a workbook into a module.")
@click.argument("module")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "mapped", multiple=True, metavar="COLUMN=FIELD", help="Where a column goes; COLUMN= skips it.")
@click.option("--key", metavar="FIELD", help="Change records that already have the same value in this field.")
@click.option(
    "--files",
    "bundle",
    type=click.Path(exists=True, path_type=Path),
    metavar="FOLDER|FILE.zip",
    help="Where the files named in cells are.",
)
@click.option("--delimiter", type=Delimiter(), metavar="C", help="What separates cells; detected by default.")
@click.option("--decimal", type=click.Choice([",", "."]), help="The decimal mark of numbers with thousands separators.")
@click.option("--day-first", "first", flag_value="day", help="Dates like 05/03/2024 are in March.")
@click.option("--month-first", "first", flag_value="month", help="Dates like 03/05/2024 are in March.")
@click.option("--empty", "nothing", multiple=True, metavar="TEXT", help="What stands for no value in the file: NULL.")
@click.option("--dry-run", is_flag=True, help="Check everything, change nothing.")
@click.option("--skip-bad", is_flag=True, help="Import the good rows when others are bad.")
@common_options
def command(  # noqa: PLR0913 - one per option
    *,
    module: str,
    file: Path,
    mapped: tuple[str, ...],
    key: str | None,
    bundle: Path | None,
    delimiter: str | None,
    decimal: str | None,
    first: str | None,
    nothing: tuple[str, ...],
    dry_run: bool,
    skip_bad: bool,
) -> None:
    """Import the rows of a file into a module. HELP is the text that people see."""
    portal = open_portal()
    portal.check_module(module)
    if (table := portal.declaration.modules[module].table) is not None:
        raise click.UsageError(f"{module} are rows of the existing table {table}: nothing is imported into it")
    notation = Notation(decimal or "", first or "", nothing)
    options = ImportOptions(_columns(mapped), key, dry_run, skip_bad, notation)
    try:
        with nullcontext() if bundle is None else open_bundle(bundle) as opened:
            files = FileImport(opened, portal.store()) if opened else None
            done = _import(portal, module, file, delimiter, replace(options, files=files))
    except (OSError, StoreError) as error:
        raise click.ClickException(str(error)) from None
    for part in done:
        if part.skipped:
            columns = "”, “".join(part.skipped)
            click.echo(f"{part.name}: skipped what the portal computes or keeps itself: “{columns}”", err=True)
        for bad in part.bad:
            _print_problem(part.file, bad.line, bad.column, bad.reason)
    stopped = not skip_bad and any(part.bad for part in done)
    for part in done:
        click.echo(part.summary(options, stopped))
    if not dry_run:
        update_search_index(portal)  # changed titles are part of the entries of other records
    raise SystemExit(1 if stopped else 0)


@dataclass(frozen=True)
class ImportedFile:
    """What `portal import` did with one file: the records of a module, or the rows of one of its fields."""

    name: str
    file: Path
    report: ImportReport | RowsReport

    @property
    def bad(self) -> list[BadCell]:
        return self.report.bad

    @property
    def skipped(self) -> list[str]:
        """The headers of columns that were left out."""
        return self.report.skipped if isinstance(self.report, ImportReport) else []

    def summary(self, options: ImportOptions, stopped: bool) -> str:
        """What was done, in one line; `stopped`: nothing, because of a mistake in this file or another one."""
        if isinstance(self.report, ImportReport):
            return _summary(self.name, self.report, options, stopped)
        rows, records = plural(self.report.rows, "line"), plural(self.report.records, "record")
        bad = plural(self.report.bad_rows, "bad row")
        if stopped:
            return f"{self.name}: nothing imported, {bad if self.bad else 'because of other rows'}"
        left_out = f", {bad}, whose records keep their lines" if self.bad else ""
        dry = " (dry run: nothing was written)" if options.dry_run else ""
        return f"{self.name}: {rows} of {records}, {self.report.changed:,} changed{left_out}{dry}"


def _columns(mapped: tuple[str, ...]) -> dict[str, str]:
    """The `--map` options of `portal import` as header → field."""
    columns = {}
    for option in mapped:
        header, equals, name = option.rpartition("=")
        if not equals or not header.strip():
            raise click.UsageError(f'--map "{option}" should be COLUMN=FIELD')
        columns[header.strip()] = name.strip()
    return columns


class _UndoneError(Exception):
    """Rolls back what was imported, because of bad rows or a dry run."""


def _import(
    portal: OpenPortal, module: str, file: Path, delimiter: str | None, options: ImportOptions
) -> list[ImportedFile]:
    """Imports the file and its rows of lines in one transaction, with progress bars on the terminal."""
    rows = _places_of_rows(portal.declaration.modules[module], file, delimiter, options)
    # A row may belong to a record of the file: then a dry run writes the records and rolls them back.
    transaction = reading if options.dry_run and not rows else writing
    effective = replace(options, dry_run=False) if rows else options
    done: list[ImportedFile] = []
    with suppress(_UndoneError), database_errors_explained(), transaction(portal.engine) as connection:
        records = portal.records(connection, module)
        with _mistakes_explained(file), ExitStack() as bars:
            source = open_file(file, delimiter)
            on_checked = bars.enter_context(progress_bar("Checking", source.lines))
            on_written = bars.enter_context(progress_bar("Importing", source.lines))
            imported = import_file(records, source, effective, on_checked, on_written)
            done.append(ImportedFile(module, file, imported))
        stopped = bool(imported.bad) and not options.skip_bad
        for field, path, columns in rows:
            with _mistakes_explained(path), ExitStack() as bars:
                source = open_file(path, delimiter)
                on_checked = bars.enter_context(progress_bar("Checking", source.lines))
                outcome = imported.outcome
                owners = Owners(outcome.added_ids, outcome.ids if columns else None, imported=not stopped)
                report = import_rows(records, field, columns or source, effective, owners, on_checked)
                done.append(ImportedFile(f"{module}.{field.name}", path, report))
        if options.dry_run or (not options.skip_bad and any(part.bad for part in done)):
            raise _UndoneError
    return done


def _places_of_rows(
    module: Module, file: Path, delimiter: str | None, options: ImportOptions
) -> list[tuple[Field, Path, RowColumns | None]]:
    """The `lines` fields that have rows: in a file next to `file`, or in its columns."""
    with _mistakes_explained(file):
        columns = row_columns(module, open_file(file, delimiter), list(options.columns))
    places: list[tuple[Field, Path, RowColumns | None]] = []
    for field in module.lines:
        beside = file_beside(file, field)
        if field.name in columns:
            if beside.is_file():
                raise click.ClickException(
                    f"rows of {module}.{field.name} are both in columns of {file} and in {beside}"
                )
            places.append((field, file, columns[field.name]))
        elif beside.is_file():
            places.append((field, beside, None))
    return places


@contextmanager
def _mistakes_explained(file: Path) -> Iterator[None]:
    """Ends the command with what is wrong with an unreadable file or its columns."""
    try:
        yield
    except UnreadableFileError as unreadable:
        _print_problem(file, unreadable.line, "", unreadable.message)
        raise SystemExit(1) from None
    except WrongColumnsError as wrong:
        for problem in wrong.problems:
            _print_problem(file, 1, "", problem)
        raise SystemExit(1) from None


def _summary(module: str, report: ImportReport, options: ImportOptions, stopped: bool) -> str:
    outcome, bad = report.outcome, plural(report.bad_rows, "bad row")
    if stopped and report.bad:
        others = outcome.added + outcome.changed + outcome.unchanged
        rest = f"the other {plural(others, 'row')} could be imported with --skip-bad" if others else "no other rows"
        return f"{module}: nothing imported, {bad}; {rest}"
    if stopped:
        return f"{module}: nothing imported, because of its lines"
    done = f"{outcome.added:,} new, {outcome.changed:,} changed, {outcome.unchanged:,} unchanged"
    left_out = f", {bad} left out" if report.bad else ""
    return f"{module}: {done}{left_out}" + (" (dry run: nothing was written)" if options.dry_run else "")


def _print_problem(file: Path, line: int | None, column: str, reason: str) -> None:
    place = f"{file}:{line}" if line else str(file)
    text = ": ".join([place, *([column] if column else []), translate(reason, "en")])
    text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    encoding = sys.stdout.encoding or "utf-8"  # a terminal that knows few characters gets the others escaped
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding))
