"""One CSV file into one module: all or nothing, or without the bad rows; in the caller's transaction.

Only read on a connection that cannot write: then everything is checked and nothing changes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from portal.records.reading.records import Records
from portal.records.transfer.checking import Checking
from portal.records.transfer.csv_columns import WrongColumnsError, find_columns
from portal.records.transfer.csv_reading import CsvRows
from portal.records.transfer.import_row import BadCell
from portal.records.transfer.importing_files import FilesIn
from portal.records.transfer.kept_rows import KeptRows
from portal.records.transfer.line_columns import without_row_columns
from portal.records.transfer.numbers_and_dates import Notation, machine_reader
from portal.records.transfer.storing import ImportOutcome, Storing, expected_outcome
from portal.records.writing.history import SYSTEM

Progress = Callable[[int], None]


@dataclass(frozen=True)
class ImportOptions:
    """What is said besides the file: `columns` is header → field, or "" for nothing."""

    columns: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    dry_run: bool = False
    skip_bad: bool = False
    notation: Notation = Notation()
    files: FilesIn | None = None  # what the cells of files name


@dataclass(frozen=True)
class ImportReport:
    """What was done, or would have been done, every bad cell, and the headers of columns that were left out."""

    outcome: ImportOutcome
    bad: list[BadCell]
    skipped: list[str] = field(default_factory=list)

    @property
    def bad_rows(self) -> int:
        """How many rows of the file have bad cells."""
        return len({bad.line for bad in self.bad})


def import_file(
    system: Records,
    source: CsvRows,
    options: ImportOptions,
    on_checked: Progress = lambda line: None,
    on_written: Progress = lambda rows: None,
) -> ImportReport:
    """Imports, unless there are bad rows or it is a dry run. `system`: as the portal itself sees the module.

    `on_checked` gets the line that was checked, `on_written` how many rows are stored. Raises WrongColumnsError.
    """
    # Machines write dates and numbers: no language takes part in reading them.
    system = replace(system, policy=replace(system.policy, reader=machine_reader(system.policy.reader)))
    languages = system.policy.declaration.settings.languages
    headers = without_row_columns(system.module, source.headers, list(options.columns))
    columns = find_columns(system.module, languages, headers, options.columns, options.key, bool(options.files))
    if columns.problems:
        raise WrongColumnsError(columns.problems)
    with KeptRows() as rows:
        checking = Checking(system, source, columns.imported, options.key, options.notation, options.files)
        checking.check(rows, on_checked)
        if options.dry_run or (checking.bad and not options.skip_bad):
            outcome = expected_outcome(rows)
        else:
            outcome = Storing(system, SYSTEM, options.files).store(rows, checking.linked, on_written)
    return ImportReport(outcome, checking.bad, columns.skipped)
