"""The icons of a portal as one SVG sprite: those named in its declaration and those of the interface itself.

The drawings come from the package `lucide`. An unknown name is drawn as a square.
"""

import contextlib
import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from zipfile import ZipFile

UNKNOWN = "square"
# The icons that templates and scripts always need.
INTERFACE = frozenset(
    """
    activity archive arrow-down arrow-left arrow-right arrow-up ban bold book-open bookmark bot building-2 check
    check-check chevron-down chevron-left chevron-right circle-alert circle-check circle-plus circle-user-round clock
    cloud-upload code columns-3 copy corner-down-right download external-link eye eye-off file file-archive file-image
    file-input file-spreadsheet file-text git-compare globe hash history house image inbox info italic key-round
    languages lightbulb link list list-filter lock log-in log-out mail mail-open maximize menu message-circle minimize
    minus monitor moon paperclip pencil phone plus printer refresh-cw save scan-eye search search-check send
    shield-check smartphone square star sun sun-moon trash-2 triangle-alert undo-2 unlink upload user user-plus
    user-round-cog user-x users waypoints webhook x
    """.split()  # noqa: SIM905 - a list of 80 strings is harder to read
)
DRAWING = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


def drawings(names: Iterable[str]) -> Mapping[str, str]:
    """The inner SVG of the existing icons among `names` and the interface's own, sorted by name."""
    return _drawings(INTERFACE.union(names))


@functools.lru_cache(maxsize=4)  # most reloads of a declaration name the same icons
def _drawings(names: frozenset[str]) -> Mapping[str, str]:
    with _archive() as archive:
        files = set(archive.namelist())
        existing = sorted(name for name in names if f"{name}.svg" in files)
        return {name: _inner(archive.read(f"{name}.svg").decode("utf-8")) for name in existing}


def sprite(icon_drawings: Mapping[str, str]) -> str:
    """The icon sprite: an SVG with a symbol per drawing; strokes and colors come from the style sheet."""
    symbols = "".join(
        f'<symbol id="{name}" viewBox="0 0 24 24">{inner}</symbol>' for name, inner in icon_drawings.items()
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg">{symbols}</svg>'


@contextlib.contextmanager
def _archive() -> Iterator[ZipFile]:
    """The archive of all icon drawings; not kept open, as its list of two thousand names takes memory."""
    with (resources.files("lucide") / "lucide.zip").open("rb") as file, ZipFile(file) as archive:
        yield archive


def _inner(svg: str) -> str:
    match = DRAWING.search(svg)
    return re.sub(r"\s*\n\s*", "", match[1]).replace(" />", "/>") if match else ""
