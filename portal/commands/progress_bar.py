"""A bar on the terminal while something takes its time; nothing where the output is no terminal."""

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress_bar(label: str, length: int | None) -> Iterator[Callable[[int], None]]:
    """Gives a function to call with how much is done, of `length`; None where that is not known."""
    hidden = not sys.stderr.isatty()
    # Without a length click counts what it is given, and shows no percentage.
    iterable = itertools.count() if length is None else None
    with click.progressbar(iterable, length, label, file=sys.stderr, hidden=hidden) as bar:
        yield lambda done: bar.update(done - bar.pos)
