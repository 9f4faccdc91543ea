"""A progress bar on the terminal; nothing if the output is not a terminal."""

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress_bar(label: str, length: int | None) -> Iterator[Callable[[int], None]]:
    """Yields a function that takes how much of `length` is done; `length` is None if it is not known."""
    hidden = not sys.stderr.isatty()
    # Without a length, click counts what it is given and shows no percentage.
    iterable = itertools.count() if length is None else None
    with click.progressbar(iterable, length, label, file=sys.stderr, hidden=hidden) as bar:
        yield lambda done: bar.update(done - bar.pos)
