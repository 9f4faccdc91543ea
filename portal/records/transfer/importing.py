"""Imports one file into one module: all or nothing, or without the bad rows; in the caller's transaction.

On a read-only connection, only a dry run is possible: everything is checked and nothing changes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from portal.fields.reader import machine_reader
from portal.records.reading.records import Records
from portal.records.transfer.checking import Checking
from portal.records.transfer.csv_columns import Columns, WrongColumnsError, all_targets, find_columns
from portal.records.transfer.csv_reading import CsvRows
from portal.records.transfer.import_options import ImportOptions
from portal.records.transfer.import_rights import import_targets
from portal.records.transfer.import_row import BadCell
from portal.records.transfer.line_columns import without_row_columns
from portal.records.transfer.row_buffer import RowBuffer
from portal.records.transfer.storing import ImportOutcome, Storing, expected_outcome

Progress = Callable[[int], None]


@dataclass(frozen=True)
class ImportReport:
    """What was or would be done, every bad cell, and the headers of columns that were left out."""

    outcome: ImportOutcome
    bad: list[BadCell]
    skipped: list[str] = field(default_factory=list)

    @property
    def bad_rows(self) -> int:
        """How many rows of the file have bad cells."""
        return len({bad.line for bad in self.bad})


def import_file(
    records: Records,
    source: CsvRows,
    options: ImportOptions,
    on_checked: Progress = lambda line: None,
    on_written: Progress = lambda rows: None,
) -> ImportReport:
    """Imports a file unless it has bad rows or this is a dry run.

    `records`: as the portal itself sees the module, or as the person does if the options have a person's rights.

    `on_checked` gets the line that was checked, `on_written` how many rows are stored. Raises WrongColumnsError.
    """
    # Machines write dates and numbers: no language affects how they are read.
    records = replace(records, policy=replace(records.policy, reader=machine_reader(records.policy.reader)))
    columns = columns_of_file(records, source.headers, options)
    if columns.problems:
        raise WrongColumnsError(columns.problems)
    with RowBuffer() as rows:
        checking = Checking(records, source, columns.imported, options)
        checking.check(rows, on_checked)
        if options.dry_run or (checking.bad and not options.skip_bad):
            outcome = expected_outcome(rows)
        else:
            outcome = Storing(records, options.author, options.files).store_rows(rows, checking.linked, on_written)
    return ImportReport(outcome, checking.bad, columns.skipped)


def columns_of_file(records: Records, headers: Sequence[str], options: ImportOptions) -> Columns:
    """Which fields the columns of a file to import, with these `headers`, fill."""
    rights, languages = options.rights, records.policy.declaration.settings.languages
    if rights is None:
        headers = without_row_columns(records.module, headers, list(options.columns))
        targets = all_targets(records.module, bool(options.files))
    else:
        targets = import_targets(rights, options.key)
    return find_columns(records.module, languages, headers, options.columns, options.key, targets)
