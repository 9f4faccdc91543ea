"""Pauses Python's cyclic garbage collector while a declaration, its tables or its plan are built.

With hundreds of modules these are millions of small objects that all stay alive: scanning them again and again takes
half of the time of a reload. Nothing else may pause the collector.
"""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def gc_paused() -> Iterator[None]:
    """No garbage collection inside the block; afterwards the collector runs again if it ran before."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
