"""Forms with files: parsed here, where time and memory are bounded, and not by WebOb.

Called by form_limits.py. WebOb parses with `cgi`, which takes 6 µs for each line of a file: a table of many short lines
would keep everybody else waiting. The package multipart looks for the boundary alone.
"""

import re
from typing import BinaryIO

from multipart import MultipartError, MultipartParser, MultipartPart, ParserLimitReached
from pyramid.httpexceptions import HTTPBadRequest, HTTPRequestEntityTooLarge
from pyramid.request import Request
from webob.multidict import MultiDict

from portal.texts import _

# What browsers and libraries send, with a boundary as long as RFC 2046 allows.
MULTIPART = re.compile(
    r"multipart/form-data\s*(?:;\s*charset=\"?utf-?8\"?\s*)?;\s*boundary=(\"?)([!#-:<-\[\]-~]{1,70})\1\s*",
    re.ASCII | re.IGNORECASE,
)
MOST_FIELDS = 1_000  # of any form, besides those of rows
MOST_IN_ROWS = 5_000  # inputs of rows, “lines.0.price”: a hundred rows may have fifty
IN_ROW = re.compile(rb"(?:^|[&\s])[a-z][a-z0-9_]{0,47}\.\d{1,5}\.[a-z_]")
MOST_FILES = 200  # each has a file of its own while it is read
LARGEST_TEXTS = 2_000_000  # bytes, all texts of a form together
LARGEST_IN_MEMORY = 16_384  # bytes of a part; larger ones are kept on disk
MEMORY = 4_000_000  # bytes, all parts in memory together

TOO_LARGE = _("You sent more than the portal accepts at once.")
TOO_MANY_FIELDS = _("This form has too many fields.")
UNREADABLE = _("The form could not be read.")


def parse_multipart(request: Request, body: BinaryIO, boundary: str, fields: int) -> None:
    """Make the parts of `body` what `request.POST` holds; `fields` were in the address.

    A file is an object with `filename` and `file`. An input in which no file is chosen is an empty text: browsers send
    a part with an empty file name.
    """
    form: MultiDict = MultiDict()
    texts = files = in_rows = 0
    parser = MultipartParser(
        body, boundary, part_limit=MOST_FIELDS + MOST_IN_ROWS + 1, spool_limit=LARGEST_IN_MEMORY, memory_limit=MEMORY
    )
    try:
        for part in parser:
            if part.filename:
                files += 1
                form.add(part.name, part)
                request.add_finished_callback(lambda _request, part=part: part.close())
            else:
                texts += part.size
                if texts > LARGEST_TEXTS:
                    raise HTTPRequestEntityTooLarge(TOO_LARGE)
                form.add(part.name, _text(part))
            in_rows += bool(IN_ROW.match((part.name or "").encode()))
            if too_many(len(form) + fields, in_rows) or files > MOST_FILES:
                raise HTTPRequestEntityTooLarge(TOO_MANY_FIELDS)
    except ParserLimitReached:
        raise HTTPRequestEntityTooLarge(TOO_LARGE) from None
    except (MultipartError, UnicodeDecodeError):
        raise HTTPBadRequest(UNREADABLE) from None
    # Where WebOb keeps a form that it has parsed.
    request.environ["webob._parsed_post_vars"] = (form, request.body_file_raw)


def too_many(fields: int, in_rows: int) -> bool:
    """Whether a form has too many fields, of which `in_rows` are inputs of rows."""
    return fields - in_rows >= MOST_FIELDS or in_rows > MOST_IN_ROWS


def _text(part: MultipartPart) -> str:
    text = part.raw.decode("utf-8")  # not as the part may say: some codecs take a second for a kilobyte
    part.close()
    return text
