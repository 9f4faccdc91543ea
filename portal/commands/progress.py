"""A bar on the terminal while something takes its time; nothing where nobody looks."""

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress(label: str, length: int | None) -> Iterator[Callable[[int], None]]:
    """A function that is told how far it has come, of `length` where that is known."""
    hidden = not sys.stderr.isatty()
    endless = itertools.count() if length is None else None  # click counts what it is told, and shows no percentage
    with click.progressbar(endless, length, label, file=sys.stderr, hidden=hidden) as bar:
        yield lambda reached: bar.update(reached - bar.pos)
