"""Thumbnails of pictures, made by Pillow in a process of its own: if a hostile file kills it, nothing else is affected.

This file is also that process, run as a script: it reads a picture from standard input and writes the thumbnail.
"""

import contextlib
import importlib
import io
import resource
import shutil
import subprocess
import sys
import warnings
from typing import IO, Any, BinaryIO, cast

KINDS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}  # with Pillow's names
MEDIA_TYPE = "image/webp"
WIDEST = 640  # pixels of the longer side
MOST_PIXELS = 60_000_000
MEMORY = 768 * 1024 * 1024  # bytes of the process
SECONDS = 10  # of processor time
TIMEOUT = 20  # seconds to wait for an answer


def make_thumbnail(source: BinaryIO, media_type: str) -> bytes | None:
    """A small WebP of the picture in `source`, read from its current position; None if none can be made."""
    if media_type not in KINDS:
        return None
    command = [sys.executable, __file__, KINDS[media_type]]
    with subprocess.Popen(  # noqa: S603 our own file, and a word from our own table
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            with contextlib.suppress(BrokenPipeError):  # it has already given up
                shutil.copyfileobj(source, cast(IO[bytes], process.stdin))
            thumbnail, _nothing = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            return None
    return thumbnail or None if process.returncode == 0 else None


def main() -> None:
    """The process that makes a thumbnail: limits its resources before it reads any bytes."""
    image: Any = importlib.import_module("PIL.Image")  # only this process loads Pillow
    operations: Any = importlib.import_module("PIL.ImageOps")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    warnings.simplefilter("error", image.DecompressionBombWarning)
    image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with image.open(io.BytesIO(sys.stdin.buffer.read()), formats=[sys.argv[1]]) as picture:
        picture.draft("RGB", (WIDEST, WIDEST))
        upright = operations.exif_transpose(picture)
        upright.thumbnail((WIDEST, WIDEST))
        mode = "RGBA" if upright.has_transparency_data else "RGB"
        upright.convert(mode).save(sys.stdout.buffer, "WEBP", quality=80)


if __name__ == "__main__":
    main()
