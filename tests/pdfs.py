"""Reads PDFs in tests, with a library that did not write them."""

import io
from typing import Any

from pypdf import PdfReader


def pdf_of(answer: Any) -> PdfReader:
    """The PDF in an answer."""
    assert answer.content_type == "application/pdf"
    return PdfReader(io.BytesIO(answer.body))


def text_of(pdf: PdfReader) -> str:
    """The text of its pages, line by line."""
    return "\n".join(page.extract_text() for page in pdf.pages).replace("\u202f", " ").replace("\xa0", " ")
