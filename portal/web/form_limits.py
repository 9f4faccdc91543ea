"""Limits what is parsed: only our own cookies, and forms that are measured before a library parses them.

Used by protection.py. Parsers of cookies and forms take seconds and gigabytes for some bodies of a few megabytes: such
bodies are recognized here by counting bytes. Nothing is repaired.

Forms with files are parsed here and not by WebOb, which parses with `cgi`: that takes 6 µs per line of a file, so that
a table with many short lines would keep everyone else waiting. The package multipart only looks for the boundary.
"""

import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from multipart import MultipartError, MultipartParser, MultipartPart, ParserLimitReached
from pyramid.httpexceptions import HTTPBadRequest, HTTPRequestEntityTooLarge
from pyramid.request import Request
from pyramid_retry import is_error_retryable
from webob.multidict import MultiDict

from portal.texts import _
from portal.web.api import is_api_request

CHUNK = 65_536  # bytes read at a time
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
URLENCODED = re.compile(r"application/x-www-form-urlencoded\s*(;\s*charset=\"?utf-?8\"?\s*)?", re.IGNORECASE)
# Our cookies as browsers send them; the host's other cookies are not ours.
COOKIE = re.compile(
    r"""\s*((?:__Host-)?portal_[a-z]+|list|theme)="?[\w!#$%&'()*+./:<=>?@^`{|}~-]{0,4000}"?\s*""", re.ASCII
)

LARGEST_ANONYMOUS = 65_536  # bytes: without a session, people only sign in and set passwords
LARGEST_URLENCODED = 2_000_000  # bytes: several long texts; files come as multipart
MOST_ESCAPES = 400_000  # the parser takes 240 bytes of memory and 1.7 µs for each percent sign

# The form that browsers and libraries send, with a boundary as long as RFC 2046 allows.
MULTIPART = re.compile(
    r"multipart/form-data\s*(?:;\s*charset=\"?utf-?8\"?\s*)?;\s*boundary=(\"?)([!#-:<-\[\]-~]{1,70})\1\s*",
    re.ASCII | re.IGNORECASE,
)
MOST_FIELDS = 1_000  # of any form, not counting those in rows
MOST_IN_ROWS = 5_000  # inputs in rows, “lines.0.price”: a hundred rows may have fifty
IN_ROW = re.compile(rb"(?:^|[&\s])[a-z][a-z0-9_]{0,47}\.\d{1,5}\.[a-z_]")
MOST_FILES = 200  # each needs a temporary file while it is read
LARGEST_TEXTS = 2_000_000  # bytes, all texts of a form in total
LARGEST_IN_MEMORY = 16_384  # bytes of a part; larger ones are kept on disk
MEMORY = 4_000_000  # bytes, all parts in memory in total
TOO_LARGE = _("You sent more than the portal accepts at once.")
TOO_MUCH_TEXT = _(
    "The portal accepts at most ${number} MB of text at once.", mapping={"number": LARGEST_TEXTS // 1_000_000}
)
TOO_MANY_FIELDS = _("This form has too many fields.")
UNREADABLE = _("The form could not be read.")


def keep_own_cookies(request: Request) -> None:
    """Drops cookies that are not ours: parsing eight thousand letters without a separator takes a second.

    For programs, all are dropped: only browsers send cookies, perhaps on behalf of another site.
    """
    if is_api_request(request):
        request.environ.pop("HTTP_COOKIE", None)
    header = request.environ.get("HTTP_COOKIE", "")
    if header:
        request.environ["HTTP_COOKIE"] = ";".join(part for part in header.split(";") if COOKIE.fullmatch(part))


def is_form(request: Request) -> bool:
    """Whether the body will be parsed as a form; a POST without a content type is."""
    kind = _content_type(request).partition(";")[0].rstrip().lower()
    return kind in FORMS or (not kind and request.method == "POST")


def check_query(request: Request) -> None:
    """Rejects an address with too many parameters."""
    if request.query_string.count("&") >= MOST_FIELDS:
        raise HTTPRequestEntityTooLarge(TOO_MANY_FIELDS)


def larger_than(largest: int) -> str:
    """The sentence about a request that is larger than `largest` bytes."""
    return _("The portal accepts at most ${number} MB at once.", mapping={"number": f"{largest / 1_000_000:g}"})


def check_form_type(request: Request, largest: int) -> None:
    """Rejects a form of an unusual type, or larger than its type allows; `largest`: bytes of a multipart body."""
    content_type = _content_type(request)
    multipart = MULTIPART.fullmatch(content_type)
    if not multipart and content_type and not URLENCODED.fullmatch(content_type):
        raise HTTPBadRequest(UNREADABLE)
    if multipart and (request.content_length or 0) > largest:
        raise HTTPRequestEntityTooLarge(larger_than(largest))
    if not multipart and (request.content_length or 0) > LARGEST_URLENCODED:
        raise HTTPRequestEntityTooLarge(TOO_MUCH_TEXT)


def count_form(request: Request) -> None:
    """Rejects a form with too many fields or escapes. The body can be read again afterwards."""
    request.make_body_seekable()
    body: BinaryIO = request.body_file_raw
    request.add_finished_callback(lambda request: _close_body(request, body))
    fields = request.query_string.count("&")
    if multipart := MULTIPART.fullmatch(_content_type(request)):
        _parse_multipart(request, body, multipart[2], fields)
    else:
        _count_urlencoded(body, fields)
    body.seek(0)


def _close_body(request: Request, body: BinaryIO) -> None:
    """Closes WebOb's temporary file of a form; the server closes its own (PEP 3333).

    A retried request reads it again.
    """
    if not isinstance(body, io.BufferedRandom):
        return
    if request.exception is None or not is_error_retryable(request, request.exception):
        body.close()


def drop_body(request: Request) -> None:
    """Treats a request as one without a body or a form; none of it is read."""
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
        if _too_many(fields, in_rows):
            raise HTTPRequestEntityTooLarge(TOO_MANY_FIELDS)
        if escapes > MOST_ESCAPES:
            raise HTTPRequestEntityTooLarge(TOO_LARGE)


def check_text(request: Request) -> None:
    """Rejects a form or an address with bytes that are not text, or the character NUL, which no database stores."""
    try:
        texts = [request.path_info, *_texts(request.GET)]
        if is_form(request):
            texts += _texts(request.POST)
    except (ValueError, DeprecationWarning):  # not UTF-8, or a broken multipart body; a different declared encoding
        raise HTTPBadRequest(_("The address or the form contains something that is not text.")) from None
    if any("\x00" in text for text in texts):
        raise HTTPBadRequest(_("The address or the form contains something that is not text."))


def _texts(form: MultiDict) -> Iterator[str]:
    for name, value in form.items():
        yield name or "\x00"  # a part without a name is not a field
        yield value if isinstance(value, str) else str(getattr(value, "filename", "") or "")


def _parse_multipart(request: Request, body: BinaryIO, boundary: str, fields: int) -> None:
    """Parses a posted form within limits: sets `request.POST` to the parts of `body`; `fields` were in the address.

    A file is an object with `filename` and `file`. A file input without a file is an empty text: browsers send a part
    with an empty file name.
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
                    raise HTTPRequestEntityTooLarge(TOO_MUCH_TEXT)
                form.add(part.name, _text(part))
            in_rows += bool(IN_ROW.match((part.name or "").encode()))
            if _too_many(len(form) + fields, in_rows) or files > MOST_FILES:
                raise HTTPRequestEntityTooLarge(TOO_MANY_FIELDS)
    except ParserLimitReached:
        raise HTTPRequestEntityTooLarge(TOO_LARGE) from None
    except (MultipartError, UnicodeDecodeError):
        raise HTTPBadRequest(UNREADABLE) from None
    # Where WebOb keeps a parsed form.
    request.environ["webob._parsed_post_vars"] = (form, request.body_file_raw)


def _too_many(fields: int, in_rows: int) -> bool:
    """Whether a form has too many fields, of which `in_rows` are inputs in rows."""
    return fields - in_rows >= MOST_FIELDS or in_rows > MOST_IN_ROWS


def _text(part: MultipartPart) -> str:
    text = part.raw.decode("utf-8")  # not with the part's own charset: some codecs take a second for a kilobyte
    part.close()
    return text
