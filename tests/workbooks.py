"""Reads and writes workbooks (.xlsx) in tests, with a library that did not write them."""

import io
import zipfile
from typing import Any

import openpyxl

from tests import pdfs

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def text_of(answer: Any) -> str:
    """All that an answer says: of a workbook the text of its parts, without the moment at which it was made; of a ZIP
    the names and bytes of its files."""
    if answer.content_type == "application/pdf" and answer.headers["Content-Disposition"].startswith("attachment"):
        return pdfs.text_of(pdfs.pdf_of(answer))
    if answer.content_type == "application/zip":
        with zipfile.ZipFile(io.BytesIO(answer.body)) as files:
            return "\n".join(f"{name}\n{files.read(name).decode(errors='replace')}" for name in files.namelist())
    if answer.content_type != CONTENT_TYPE:
        return str(answer.text)
    with zipfile.ZipFile(io.BytesIO(answer.body)) as parts:
        return "\n".join(parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/"))


def cells_of(body: bytes) -> list[tuple[Any, ...]]:
    """The values in the first sheet, row by row."""
    return list(openpyxl.load_workbook(io.BytesIO(body)).worksheets[0].iter_rows(values_only=True))


def workbook(rows: list[list[Any]]) -> bytes:
    """A workbook with these rows on its one sheet."""
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()
