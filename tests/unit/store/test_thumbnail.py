"""Thumbnails are made in a separate process, which a hostile picture may kill."""

import io
import struct
import zlib

from PIL import Image

from portal.store.thumbnail import WIDEST, make_thumbnail


def test_a_picture_gets_a_small_preview_the_right_way_up(tmp_path):
    picture = Image.new("RGB", (3000, 1500), "red")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    path = tmp_path / "photo.jpg"
    picture.save(path, exif=exif)
    with path.open("rb") as file, Image.open(io.BytesIO(make_thumbnail(file, "image/jpeg"))) as preview:
        assert preview.format == "WEBP"
        assert preview.size == (WIDEST // 2, WIDEST)


def test_a_decompression_bomb_gets_none(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(_png(60_000, 60_000))
    with path.open("rb") as file:
        assert make_thumbnail(file, "image/png") is None


def test_what_is_no_picture_gets_none(tmp_path):
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    with path.open("rb") as file:
        assert make_thumbnail(file, "image/png") is None
        assert make_thumbnail(file, "application/pdf") is None


def _png(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that claims to be large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(width)))
        + chunk(b"IEND", b"")
    )
