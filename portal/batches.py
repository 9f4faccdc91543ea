"""Iterables in batches, for statements and transactions that take many records at once."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items in their order, the last one shorter. (Python 3.12 has it in itertools.)"""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
