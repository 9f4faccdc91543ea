"""One CSV file into one module: all or nothing, or without the bad rows; in the caller's transaction.

Only read on a connection that cannot write: then everything is checked and nothing changes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from portal.records.reading.records import Records
from portal.records.transfer.checking import Checking
from portal.records.transfer.columns import find_columns
from portal.records.transfer.drafts import Bad
from portal.records.transfer.source import Rows
from portal.records.transfer.writing import Outcome, write
from portal.records.writing.history import SYSTEM

Progress = Callable[[int], None]


class WrongColumnsError(ValueError):
    """The file's columns do not fit the module; `problems` are sentences."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(problems)
        self.problems = problems


@dataclass(frozen=True)
class ImportOptions:
    """What was asked for beside the file: `columns` is header → field, or "" for nothing."""

    columns: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    dry_run: bool = False
    skip_bad: bool = False


@dataclass(frozen=True)
class Report:
    """What was done, or would have been done, and every bad row's reasons."""

    outcome: Outcome
    bad: list[Bad]

    @property
    def bad_rows(self) -> int:
        """How many rows are bad."""
        return len({bad.line for bad in self.bad})


def import_file(
    system: Records,
    source: Rows,
    wishes: ImportOptions,
    reached: Progress = lambda line: None,
    written: Progress = lambda done: None,
) -> Report:
    """Imports, unless there are bad rows or it is a dry run. `system`: as the portal itself sees the module.

    `reached` hears the line that was checked, `written` how many rows are stored. Raises WrongColumnsError.
    """
    # Machines write dates and numbers: no language takes part in reading them.
    reader = replace(system.policy.reader, language="en", plain=True)
    system = replace(system, policy=replace(system.policy, reader=reader))
    columns, problems = find_columns(system.module, source.headers, wishes.columns, wishes.key)
    if problems:
        raise WrongColumnsError(problems)
    checking = Checking(system, source, columns, wishes.key)
    checking.check(reached)
    if wishes.dry_run or (checking.bad and not wishes.skip_bad):
        return Report(Outcome.of(checking.drafts), checking.bad)
    return Report(write(system, checking.drafts, SYSTEM, written), checking.bad)
