"""The responses to programs: records as JSON, with versions that reveal changes by others in the meantime."""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts.keys_and_tokens import hash_token
from portal.records.reading.as_json import record_json
from portal.records.reading.records import Record, Records
from portal.records.writing.errors import RetryError
from portal.records.writing.form_keys import address_of_key, keep_address, kept_address
from portal.texts import _
from portal.views.api.input_error import InputError
from portal.web.addresses import API_ROUTE, api_address, own_url
from portal.web.form_input import account_key

CHANGED = _("This has changed since you read it. Read it again to see the latest version.")


class api_view_config(view_config):  # noqa: N801 - a decorator, as the class of Pyramid is
    """A view of the API: it answers with JSON, and needs no form token as it accepts no cookie."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"route_name": API_ROUTE, "renderer": "json", "require_csrf": False, **settings})


def response_with_record(request: Request, records: Records, record_id: int, status: int = 200) -> dict[str, Any]:
    """The response to a program with the record after it was written; only the id if its author does not see it."""
    request.response.status_code = status
    record = records.get(record_id)
    if record is None:
        return {"id": record_id}
    request.response.etag = str(record.version)
    request.response.location = own_url(request, api_address(records.name, record_id))
    return record_json(records, record)


def repeated(request: Request, records: Records) -> Response | None:
    """The redirect to the result of a program's earlier request with the same Idempotency-Key; None if it is new."""
    key = _key(request)
    address = kept_address(records.connection, records.policy.tables, key) if key else None
    return None if address is None else Response(status=303, location=own_url(request, address), json_body={})


def keep_for_repetition(request: Request, records: Records, record_id: int, *more: str) -> None:
    """Remembers where a program's request led. Raises RetryError if another one with its key was faster."""
    if key := _key(request):
        if address_of_key(records, key) is not None:
            raise RetryError
        keep_address(records, key, api_address(records.name, record_id, *more))


def _key(request: Request) -> str:
    """The Idempotency-Key of a program's request, for its address and account; empty if it has none."""
    key = request.headers.get("Idempotency-Key", "")
    return account_key(request, hash_token(f"{request.path} {key}")) if key else ""


def check_match(request: Request, record: Record) -> None:
    """Raises InputError if If-Match names a version other than the current one."""
    if str(record.version) not in request.if_match:
        raise InputError({}, CHANGED, 412)
