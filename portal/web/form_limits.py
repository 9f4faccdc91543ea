"""What of a request is looked at: our own cookies, and forms that are measured before anything parses them.

Called by protection.py. The libraries that parse cookies and forms take minutes for some requests of a few thousand
bytes; here such requests are told by what is cheap to see. Nothing is decoded, and nothing is repaired.
"""

import re
from collections.abc import Iterator

from pyramid.httpexceptions import HTTPBadRequest
from pyramid.request import Request

from portal.texts import _

CHUNK = 65_536  # bytes read at once
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
LONGEST_PART_HEADERS = 4_096  # bytes of the headers of one part; a file's name is among them
URLENCODED = re.compile(r"application/x-www-form-urlencoded\s*(;\s*charset=\"?utf-?8\"?\s*)?", re.IGNORECASE)
# What browsers and libraries send; parsers disagree about the rest, and who counts must see what the parser will see.
MULTIPART = re.compile(
    r"multipart/form-data\s*(?:;\s*charset=\"?utf-?8\"?\s*)?;\s*boundary=(\"?)([!#-:<-\[\]-~]{1,200})\1\s*",
    re.ASCII | re.IGNORECASE,
)
# A part that holds a form again, whose fields nobody would have counted.
NESTED_FORM = re.compile(rb"(?i)(?:^|[\r\n])content-type:\s*(?:multipart/|application/x-www-form-urlencoded)")
# Our cookies as browsers send them back; others of the same host are none of our business.
COOKIE = re.compile(
    r"""\s*((?:__Host-)?portal_[a-z]+|list|theme)="?[\w!#$%&'()*+./:<=>?@^`{|}~-]{0,4000}"?\s*""",
    re.ASCII,
)


def keep_own_cookies(request: Request) -> None:
    """Leave out what no cookie of ours looks like: parsing eight thousand letters without a sign takes a second."""
    sent = request.environ.get("HTTP_COOKIE", "")
    if sent:
        request.environ["HTTP_COOKIE"] = ";".join(part for part in sent.split(";") if COOKIE.fullmatch(part))


def is_form(request: Request) -> bool:
    """Whether the body will be parsed as a form; without a type it is taken for one."""
    kind = request.environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    return kind in FORMS or (not kind and request.method == "POST")


def count_fields(request: Request) -> Iterator[int]:
    """How many fields the form has, piece by piece. Raises HTTPBadRequest for what no form looks like."""
    kind = request.environ.get("CONTENT_TYPE", "").strip()
    request.make_body_seekable()
    body = request.body_file_raw
    if not kind or URLENCODED.fullmatch(kind):
        while piece := body.read(CHUNK):
            yield piece.count(b"&")
    else:
        found = MULTIPART.fullmatch(kind) or _refuse()
        for head in _heads(body, b"--" + found[2].encode()):
            _check_part(head)
            yield 1
    body.seek(0)


def _heads(body: object, mark: bytes) -> Iterator[bytes]:
    """What follows each mark between the parts, as far as a part's headers may reach."""
    text, ended, reach = b"", False, len(mark) + LONGEST_PART_HEADERS
    while not ended:
        piece = body.read(CHUNK)
        ended, text, start = not piece, text + piece, 0
        while (place := text.find(mark, start)) >= 0 and (ended or place + reach <= len(text)):
            yield text[place + len(mark) : place + reach]
            start = place + len(mark)
        text = text[place:] if place >= 0 else text[max(start, len(text) - len(mark) + 1) :]


def _check_part(head: bytes) -> None:
    headers, blank, _content = head.partition(b"\r\n\r\n")
    if not head.startswith(b"--") and (not blank or NESTED_FORM.search(headers)):
        _refuse()


def _refuse() -> None:
    raise HTTPBadRequest(_("The form could not be read."))
