"""PDFs, typeset by Typst in a process of its own, as it never frees its memory and its time must be limited.

Run as a script, this file is that process: a folder with page.json and the pictures that it names, and nothing else,
becomes a PDF on standard output.
"""

import importlib
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

FONTS = ("fontpkg_ibm_plex_sans", "fontpkg_ibm_plex_sans_arabic")  # the machine's fonts for missing letters
CANNOT_DRAW = 3  # the exit status for something that is not a picture
MEMORY = 1_500 * 1024 * 1024  # bytes of the process
SECONDS = 15  # of processor time
TIMEOUT = 60  # seconds to wait for an answer


class PictureError(ValueError):
    """A picture cannot be drawn; says why."""


class TooLargeError(ValueError):
    """A PDF is larger than can be typeset at once."""


def typeset(template: Path, folder: Path, timestamp: float) -> bytes:
    """The PDF that `template` makes from `folder`. Raises PictureError and TooLargeError."""
    command = [sys.executable, "-P", __file__, str(template), str(folder), str(int(timestamp))]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)  # noqa: S603 our own file
    except subprocess.TimeoutExpired:
        raise TooLargeError from None
    if done.returncode == CANNOT_DRAW:
        raise PictureError(done.stderr.decode(errors="replace").strip())
    if done.returncode:
        raise TooLargeError
    return done.stdout


def main() -> None:
    """The process that makes a PDF; it limits itself before it reads anything."""
    template, folder, timestamp = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    os.putenv("RAYON_NUM_THREADS", "1")  # each additional thread takes memory
    typst: Any = importlib.import_module("typst")
    fonts = typst.Fonts(font_paths=[importlib.import_module(font).ROOT / "files" for font in FONTS])
    try:
        pdf = typst.compile(Path(template).read_bytes(), root=folder, font_paths=fonts, timestamp=int(timestamp))
    except typst.TypstError as error:
        sys.stderr.write(str(error))
        sys.exit(CANNOT_DRAW)
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    main()
