"""Pages that are PDFs: typeset by Typst from the `.typ` files of templates/.

A view names its template (`renderer="record.typ"`) and returns its page, as for HTML. The template reads the page as
JSON, so that nobody's text is ever markup. It runs in a folder with this JSON and the page's pictures, and can read
nothing else.
"""

import dataclasses
import functools
import itertools
import json
import logging
import threading
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from markupsafe import Markup
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPRequestEntityTooLarge, HTTPServiceUnavailable
from translationstring import TranslationString

from portal.fields.reader import Reader
from portal.rendering.html_nodes import html_nodes
from portal.rendering.templates import TEMPLATES
from portal.rendering.typesetting import PictureError, TooLargeError, typeset
from portal.texts import Text, _

log = logging.getLogger(__name__)

TOO_LARGE = _("This record is too large for a PDF. Print the page instead.")
TOO_MANY = _("Other PDFs are being created right now. Please try again in a minute.")
PROCESSES = threading.BoundedSemaphore(2)  # each is a process of 100 MB or more
TIMEOUT = 5  # seconds to wait for one of them to finish: each waiting request occupies a thread


def includeme(config: Configurator) -> None:
    """Makes `renderer="NAME.typ"` draw a PDF with a template of ours."""

    class Renderer:
        def __init__(self, info: Any) -> None:
            self.name = info.name

        def __call__(self, value: Any, system: Mapping[str, Any]) -> bytes:
            request = system["request"]
            request.response.content_type = "application/pdf"
            if not PROCESSES.acquire(timeout=TIMEOUT):
                raise HTTPServiceUnavailable(TOO_MANY)
            try:
                return draw_pdf(self.name, value, request.reader)
            except TooLargeError:
                raise HTTPRequestEntityTooLarge(TOO_LARGE) from None
            finally:
                PROCESSES.release()

    config.add_renderer(".typ", Renderer)


def draw_pdf(template: str, page: Any, reader: Reader) -> bytes:
    """The page as a PDF; without its pictures, if one of them cannot be drawn. Raises TooLargeError."""
    with TemporaryDirectory(prefix="portal-pdf-") as name:
        folder, numbers = Path(name), itertools.count(1)

        def keep(picture: bytes) -> str:
            path = folder / f"picture-{next(numbers)}"
            path.write_bytes(picture)
            return path.name

        def typeset_with(keep: Callable[[bytes], str]) -> bytes:
            (folder / "page.json").write_text(json.dumps(_as_data(page, reader, keep)), encoding="utf-8")
            return typeset(TEMPLATES / template, folder, reader.now.timestamp())

        try:
            return typeset_with(keep)
        except PictureError as error:
            log.warning("A PDF is made without logo and pictures, as one of them cannot be drawn: %s", error)
            return typeset_with(lambda picture: "")


def _as_data(value: Any, reader: Reader, keep: Callable[[bytes], str]) -> Any:
    """A value in the JSON for a PDF: texts in the reader's language, HTML as nodes, pictures named by `keep`."""
    again = functools.partial(_as_data, reader=reader, keep=keep)
    if isinstance(value, Markup):
        return html_nodes(value)
    if isinstance(value, TranslationString | Text):
        return reader.text(value)
    if isinstance(value, bytes):
        return keep(value)
    if (named := _named(value)) is not None:
        return {name: again(part) for name, part in named.items()}
    if isinstance(value, tuple):
        return [again(part) for part in value]
    return str(value) if isinstance(value, Decimal) else value


def _named(value: Any) -> Mapping[str, Any] | None:
    """The named parts of a value of a PDF's page."""
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return value
    return value._asdict() if hasattr(value, "_asdict") else None
