"""PDFs as tests read them, with a library that did not write them."""

import io
from typing import Any

from pypdf import PdfReader


def pdf_of(answer: Any) -> PdfReader:
    """The PDF that an answer is."""
    assert answer.content_type == "application/pdf"
    return PdfReader(io.BytesIO(answer.body))


def text_of(pdf: PdfReader) -> str:
    """All that its pages say, line by line."""
    return "\n".join(page.extract_text() for page in pdf.pages).replace("\u202f", " ").replace("\xa0", " ")
