"""Limits of what is parsed: our own cookies, and forms that are measured before a library parses them.

Called by protection.py. Parsers of cookies and forms take seconds and gigabytes for some bodies of a few megabytes:
here such bodies are recognized by counting bytes. Nothing is repaired. Forms with files are in multipart_forms.py.
"""

import io
import re
from typing import BinaryIO

from pyramid.httpexceptions import HTTPBadRequest, HTTPRequestEntityTooLarge
from pyramid.request import Request
from pyramid_retry import is_error_retryable

from portal.web.multipart_forms import (
    IN_ROW,
    MOST_FIELDS,
    MULTIPART,
    TOO_LARGE,
    TOO_MANY_FIELDS,
    UNREADABLE,
    parse_multipart,
    too_many,
)

CHUNK = 65_536  # bytes read at once
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
URLENCODED = re.compile(r"application/x-www-form-urlencoded\s*(;\s*charset=\"?utf-?8\"?\s*)?", re.IGNORECASE)
# Our cookies as browsers send them back; the other cookies of the host are not ours.
COOKIE = re.compile(
    r"""\s*((?:__Host-)?portal_[a-z]+|list|theme)="?[\w!#$%&'()*+./:<=>?@^`{|}~-]{0,4000}"?\s*""",
    re.ASCII,
)

LARGEST_ANONYMOUS = 65_536  # bytes: signing in and passwords are all that is sent without a session
LARGEST_URLENCODED = 2_000_000  # bytes: several long texts; files come as multipart
MOST_ESCAPES = 400_000  # the parser takes 240 bytes of memory and 1.7 µs for each percent sign


def keep_own_cookies(request: Request) -> None:
    """Drop cookies that are not ours: parsing eight thousand letters without a separator takes a second."""
    header = request.environ.get("HTTP_COOKIE", "")
    if header:
        request.environ["HTTP_COOKIE"] = ";".join(part for part in header.split(";") if COOKIE.fullmatch(part))


def is_form(request: Request) -> bool:
    """Whether the body will be parsed as a form; a POST without a content type is."""
    kind = _content_type(request).partition(";")[0].rstrip().lower()
    return kind in FORMS or (not kind and request.method == "POST")


def check_query(request: Request) -> None:
    """Refuse an address with too many parameters."""
    if request.query_string.count("&") >= MOST_FIELDS:
        raise HTTPRequestEntityTooLarge(TOO_MANY_FIELDS)


def check_form_type(request: Request, largest: int) -> None:
    """Refuse a form of an unusual type, or larger than its type allows; `largest`: bytes of a multipart body."""
    content_type = _content_type(request)
    multipart = MULTIPART.fullmatch(content_type)
    if not multipart and content_type and not URLENCODED.fullmatch(content_type):
        raise HTTPBadRequest(UNREADABLE)
    if (request.content_length or 0) > (largest if multipart else LARGEST_URLENCODED):
        raise HTTPRequestEntityTooLarge(TOO_LARGE)


def count_form(request: Request) -> None:
    """Refuse a form with too many fields or escapes. The body can be read again afterwards."""
    request.make_body_seekable()
    body: BinaryIO = request.body_file_raw
    request.add_finished_callback(lambda request: _close_body(request, body))
    fields = request.query_string.count("&")
    if multipart := MULTIPART.fullmatch(_content_type(request)):
        parse_multipart(request, body, multipart[2], fields)
    else:
        _count_urlencoded(body, fields)
    body.seek(0)


def _close_body(request: Request, body: BinaryIO) -> None:
    """Close WebOb's temporary file; what the server gave is the server's to close (PEP 3333).

    A request that is tried again reads it once more.
    """
    if not isinstance(body, io.BufferedRandom):
        return
    if request.exception is None or not is_error_retryable(request, request.exception):
        body.close()


def drop_body(request: Request) -> None:
    """Treat the request as one without a body; nothing of it is read."""
    request.environ.update({"CONTENT_LENGTH": "0"})
    request.environ.pop("wsgi.input_terminated", None)
    request.body = b""


def _content_type(request: Request) -> str:
    return request.environ.get("CONTENT_TYPE", "").strip()


def _count_urlencoded(body: BinaryIO, fields: int) -> None:
    escapes = in_rows = 0
    while chunk := body.read(CHUNK):
        fields += chunk.count(b"&")
        in_rows += len(IN_ROW.findall(chunk))
        escapes += chunk.count(b"%")
        if too_many(fields, in_rows):
            raise HTTPRequestEntityTooLarge(TOO_MANY_FIELDS)
        if escapes > MOST_ESCAPES:
            raise HTTPRequestEntityTooLarge(TOO_LARGE)
