"""Iterables in batches, for statements and transactions that process many records at once."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items in order; the last one may be shorter. (Python 3.12 has it in itertools.)"""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
