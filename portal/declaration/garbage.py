"""Building much that stays: hundreds of modules are millions of small objects, and none of them is garbage.

Used where a declaration, its tables and its plan are made. Nothing else may pause the collector.
"""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Meanwhile nothing is searched for garbage: looking through what was just built would take half of the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
