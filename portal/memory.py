"""How the process uses memory: when Python looks for garbage, and when freed memory goes back to the system."""

import contextlib
import ctypes
import gc
from collections.abc import Iterator

# How many more objects there are when Python looks for garbage. Most of a page's live until it is sent: looking at them
# several times for each page, as Python does by itself, takes 5 to 14 % of its time, and finds nothing.
OBJECTS_OF_A_PAGE = 5_000

# Blocks from this size on are given back to the system when they are freed. By itself, glibc keeps those of up to
# 32 MB once one has been freed, in each thread: the 19 MB in which a password is hashed, eight times over.
LARGE_BLOCK = 1 << 20  # bytes
KEPT_FREE = 8 << 20  # bytes of small blocks that are kept for the next page
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # from <malloc.h>


def tune_memory() -> None:
    """Suits the process to answering requests, page after page, for weeks."""
    gc.set_threshold(OBJECTS_OF_A_PAGE)
    with contextlib.suppress(AttributeError):  # only glibc has it
        set_option = ctypes.CDLL(None).mallopt
        set_option(M_MMAP_THRESHOLD, LARGE_BLOCK)
        set_option(M_TRIM_THRESHOLD, KEPT_FREE)


@contextlib.contextmanager
def gc_paused() -> Iterator[None]:
    """No garbage collection inside the block; afterwards the collector runs again if it ran before.

    For building a declaration, its tables or its plan. With hundreds of modules these are millions of small objects
    that all stay alive: scanning them again and again takes half of the time of a reload.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
