"""Example files for the demo's records: a page of text for each `file` field, a drawing for each `image` field."""

import hashlib
import importlib
import io
import secrets
from collections.abc import Iterable, Iterator
from typing import Any

from portal.fields.base import Field
from portal.fields.reader import Reader
from portal.records.reading.records import Query, Record, Records
from portal.records.writing.files import fill_in_file
from portal.records.writing.history import SYSTEM
from portal.records.writing.pending_files import PendingFile
from portal.store.store import Store

PDF = "application/pdf"
WIDTH, HEIGHT = 640, 480  # pixels of a drawing
A4 = (595, 842)  # points


def add_example_files(records: Records, store: Store) -> None:
    """Gives each record of the module a file in each field that holds one. Raises StoreError."""
    fields: list[Any] = [field for field in records.module.fields.values() if field.by_upload]
    if not fields:
        return
    for record in list(records.iterate(Query(sort=("id",)), records.module.everything)):
        for field in fields:
            if field.is_empty(record.values[field.name]):
                file = _drawing(record, field, store) if field.needs_preview else _page(records, record, field, store)
                fill_in_file(records, record.id, field, file, SYSTEM)


def _page(records: Records, record: Record, field: Field, store: Store) -> PendingFile:
    reader = records.policy.reader
    content = _pdf(f"{reader.text(records.access.singular)} {record.reference}", _lines(records, record, reader))
    stored = store.put(io.BytesIO(content))
    name = f"{record.reference}.pdf"
    return PendingFile(_key(), records.name, field.name, name, stored.size, PDF, stored.name, None)


def _lines(records: Records, record: Record, reader: Reader) -> Iterator[str]:
    """What a demo file says: the title, and each field that customers may read, one to a line; rows have one each."""
    yield record.title
    yield ""
    for name, field in records.module.fields.items():
        if field.row_fields and not field.internal:
            yield from ("", *field.show(record.values[name], reader).splitlines(), "")
            continue
        text = "" if field.internal or field.long or field.by_upload else field.show(record.values[name], reader)
        if text and text != record.title:
            yield f"{field.title(reader.language)}: {text}"


def _pdf(heading: str, lines: Iterable[str]) -> bytes:
    """A demo file with a page of text, in one of the fonts that every viewer has."""
    left, top = 72, A4[1] - 90
    text = [f"BT /F1 22 Tf {left} {top} Td ({_escaped(heading)}) Tj /F1 11 Tf 0 -34 Td 17 TL"]
    text += [f"({_escaped(line)}) Tj T*" for line in lines]
    stream = "\n".join([*text, "ET"]).encode("cp1252", "replace")
    page = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {A4[0]} {A4[1]}]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        page.encode(),
        b"<</Length %d>>stream\n%b\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    pdf, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, start=1):
        places.append(len(pdf))
        pdf += b"%d 0 obj%b endobj\n" % (number, content)
    start = len(pdf)
    pdf += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    pdf += b"".join(b"%010d 00000 n \n" % place for place in places)
    pdf += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(pdf)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _drawing(record: Record, field: Field, store: Store) -> PendingFile:
    """A demo picture: a machine on a colored ground, with its name."""
    image: Any = importlib.import_module("PIL.Image")  # only the demo and thumbnails load Pillow
    draw_module: Any = importlib.import_module("PIL.ImageDraw")
    font: Any = importlib.import_module("PIL.ImageFont").load_default(size=26)
    hue = hashlib.sha256(record.title.encode()).digest()[0] * 360 // 256
    picture = image.new("RGB", (WIDTH, HEIGHT), f"hsl({hue}, 35%, 88%)")
    draw = draw_module.Draw(picture)
    dark, light = f"hsl({hue}, 30%, 30%)", f"hsl({hue}, 45%, 97%)"
    draw.rounded_rectangle((150, 90, 490, 330), 24, fill=dark)
    draw.rounded_rectangle((172, 112, 468, 262), 10, fill=light)
    draw.rounded_rectangle((196, 284, 380, 308), 8, fill=light)
    draw.ellipse((424, 282, 452, 310), fill=f"hsl({hue}, 70%, 60%)")
    draw.rounded_rectangle((230, 330, 410, 352), 8, fill=dark)
    draw.text((WIDTH // 2, 410), record.title[:44], fill=dark, font=font, anchor="mm")
    encoded = {kind: io.BytesIO() for kind in ("PNG", "WEBP")}
    for kind, target in encoded.items():
        picture.save(target, kind)
        target.seek(0)
    stored, preview = store.put(encoded["PNG"]), store.put(encoded["WEBP"])
    name = f"{record.reference}.png"
    return PendingFile(_key(), record.module, field.name, name, stored.size, "image/png", stored.name, preview.name)


def _key() -> str:
    return secrets.token_urlsafe(16)
