"""Keeps the checked rows of a file in a temporary file until they are stored, so that memory use does not grow."""

import pickle
import tempfile
from collections.abc import Collection, Iterable, Iterator
from typing import Self

from portal.records.transfer.import_row import ImportRow


class RowBuffer:
    """Rows in the batches in which they were added. Each iteration loads them again; changes to them are not kept.

    `left_out`: the lines of rows to skip.
    """

    def __init__(self) -> None:
        self.left_out: Collection[int] = ()
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._places: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def add(self, rows: list[ImportRow]) -> None:
        """Keeps a batch of rows. Raises OSError if there is no space left."""
        self._places.append(self._file.seek(0, 2))
        pickle.dump(rows, self._file, pickle.HIGHEST_PROTOCOL)

    def batches(self) -> Iterator[list[ImportRow]]:
        """The kept rows in order."""
        for batch in self._all_batches():
            yield [row for row in batch if row.line not in self.left_out]

    def passed_over(self) -> Iterator[ImportRow]:
        """The rows that are skipped."""
        for batch in self._all_batches() if self.left_out else ():
            yield from (row for row in batch if row.line in self.left_out)

    def __iter__(self) -> Iterator[ImportRow]:
        for batch in self.batches():
            yield from batch

    def _all_batches(self) -> Iterable[list[ImportRow]]:
        for place in self._places:
            self._file.seek(place)
            yield pickle.load(self._file)  # noqa: S301 - nobody else can write to a file without a name
