"""What all sent forms share: that a form sent twice is done once."""

import secrets

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request

from portal.records.reading.records import Records
from portal.records.writing.form_keys import address_of_key, keep_address


def one_time_key() -> str:
    """A new key for the hidden input `_once` of a form."""
    return secrets.token_urlsafe(12)


def repeated(records: Records, request: Request) -> HTTPSeeOther | None:
    """The answer to a form that was sent before; None for the first sending, whose key is taken by this."""
    key = _key(request)
    address = address_of_key(records, key) if key else None
    return None if address is None else HTTPSeeOther(address or request.path)


def done(records: Records, request: Request, address: str) -> HTTPSeeOther:
    """The answer to a form that has been done: on to `address`, for a repetition too."""
    if key := _key(request):
        keep_address(records, key, address)
    return HTTPSeeOther(address)


def _key(request: Request) -> str:
    """The form's key within the account: nobody can learn or take that of another person."""
    key = request.POST.get("_once", "")
    return f"{request.visitor.identity.account.id}:{key[:64]}" if isinstance(key, str) and key else ""
