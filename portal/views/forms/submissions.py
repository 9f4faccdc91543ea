"""What all sent forms share: that a form sent twice is done once, and that its draft goes."""

import secrets

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request

from portal.records.reading.records import Records
from portal.records.writing.form_keys import address_of_key, keep_address
from portal.views.forms.drafts import drafts_of, form_of, once_key_of


def one_time_key() -> str:
    """A new key for the hidden input `_once` of a form."""
    return secrets.token_urlsafe(12)


def repeated(records: Records, request: Request) -> HTTPSeeOther | None:
    """The answer to a form that was sent before; None for the first sending, whose key is taken by this."""
    key = once_key_of(request)
    address = address_of_key(records, key) if key else None
    return None if address is None else HTTPSeeOther(address or request.path)


def done(records: Records, request: Request, address: str) -> HTTPSeeOther:
    """The answer to a form that has been done: on to `address`, for a repetition too."""
    if key := once_key_of(request):
        keep_address(records, key, address)
    drafts_of(request).discard(form_of(request))
    return HTTPSeeOther(address)
