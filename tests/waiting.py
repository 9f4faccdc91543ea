"""Waiting for other processes."""

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

TIMEOUT = 180  # seconds; the machine may be busy
PAUSE = 0.1  # seconds between two attempts
Result = TypeVar("Result")


def result_of(attempt: Callable[[], Result], unless: tuple[type[Exception], ...], waiting_for: str) -> Result:
    """The result of `attempt`, which is repeated while it raises one of `unless`. Fails with what it waited for."""
    end = time.monotonic() + TIMEOUT
    while True:
        try:
            return attempt()
        except unless as error:
            if time.monotonic() > end:
                pytest.fail(f"waited in vain for {waiting_for}: {error!r}")
            time.sleep(PAUSE)
