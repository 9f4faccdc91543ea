"""How the process uses memory: when Python collects garbage, and when freed memory is returned to the system."""

import contextlib
import ctypes
import gc
from collections.abc import Iterator

# How many new objects trigger garbage collection. Most objects of a page live until it is sent: scanning them several
# times per page, as Python does by default, takes 5 to 14 % of its time and finds nothing.
OBJECTS_OF_A_PAGE = 5_000

# Blocks of at least this size are returned to the system when they are freed. By default, glibc keeps blocks of up to
# 32 MB after one has been freed, in each thread: eight times the 19 MB in which a password is hashed.
LARGE_BLOCK = 1 << 20  # bytes
KEPT_FREE = 8 << 20  # bytes of small blocks kept for the next page
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # from <malloc.h>


def tune_memory() -> None:
    """Tunes the process for answering requests for weeks."""
    gc.set_threshold(OBJECTS_OF_A_PAGE)
    with contextlib.suppress(AttributeError):  # only glibc has it
        set_option = ctypes.CDLL(None).mallopt
        set_option(M_MMAP_THRESHOLD, LARGE_BLOCK)
        set_option(M_TRIM_THRESHOLD, KEPT_FREE)


@contextlib.contextmanager
def gc_paused() -> Iterator[None]:
    """No garbage collection inside the block; afterwards it is enabled again if it was before.

    For building a declaration, its tables or its plan. With hundreds of modules, these are millions of small objects
    that all stay alive: scanning them repeatedly takes half of the time of a reload.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
