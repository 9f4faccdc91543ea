"""Pages go out compressed where the browser takes it: a list of 35 kB as 6.

A page that is compressed and repeats what somebody asked for lets who sees its length guess what else stands in it,
letter by letter. The one secret in our pages is the token of the forms: it is masked anew in every page (tokens.py).
Besides, the cookies do not go with requests that another site makes in the background.
"""

import gzip

from pyramid.request import Request
from pyramid.response import Response

LEAST = 1_000  # bytes
LEVEL = 4  # of 9: a fifth larger than the smallest, in a third of the time
KINDS = frozenset({"text/html", "application/json"})


def compress(request: Request, response: Response) -> None:
    """Compress the body of `response`, if it is a page and its browser says that it takes it."""
    if response.content_type not in KINDS or response.content_encoding or not isinstance(response.app_iter, list):
        return
    response.vary = tuple(dict.fromkeys((*(response.vary or ()), "Accept-Encoding")))
    offered = request.headers.get("Accept-Encoding", "")
    if "gzip" in offered and request.accept_encoding.acceptable_offers(["gzip"]):
        body = response.body
        if len(body) >= LEAST:
            response.body = gzip.compress(body, LEVEL, mtime=0)
            response.content_encoding = "gzip"
