"""Common parts of sent forms: errors, responses to a refused form and to one sent twice, where a saved one leads."""

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response

from portal.fields.base import Field
from portal.fields.refused import Refused
from portal.records.reading.records import Records
from portal.records.writing.form_keys import address_of_key, keep_address, kept_address, one_time_key
from portal.texts import translate
from portal.views.forms.drafts import KEY, drafts_of, form_name
from portal.views.forms.form_page import FormPage
from portal.views.lists.list_navigation import back_to_list
from portal.web.addresses import record_address
from portal.web.form_input import account_key, posted_once_key, posted_text

FormAnswer: TypeAlias = FormPage | Response
Page = TypeVar("Page")


def response_if_repeated(records: Records, request: Request) -> HTTPSeeOther | None:
    """The response to a form that was already sent; None the first time, which uses up its key."""
    key = posted_once_key(request)
    address = address_of_key(records, key) if key else None
    return None if address is None else HTTPSeeOther(address or request.path)


def response_when_done(records: Records, request: Request, address: str) -> HTTPSeeOther:
    """The response to a processed form: on to `address`, also if it is sent again."""
    if key := posted_once_key(request):
        keep_address(records, key, address)
    drafts_of(request).discard(form_name(request))
    return HTTPSeeOther(address)


def refused_form(request: Request, page: Page) -> Page:
    """The response to a refused form: its page again, with 422 unless a more specific status is set."""
    if request.response.status_code == 200:
        request.response.status_code = 422
    return page


def keep_address_of_steps(records: Records, request: Request, address: str) -> None:
    """Remembers where a form with steps led, as the browser's Back still names its draft."""
    if KEY.fullmatch(key := posted_text(request, "_draft")):
        keep_address(records, account_key(request, key), address)


def address_of_steps(request: Request, key: str) -> str | None:
    """Where the form with steps led whose draft had this key; None if it has not been sent."""
    return kept_address(request.connection, request.portal.tables, account_key(request, key))


def errors_of(refused: Refused, fields: Sequence[Field]) -> dict[str, str]:
    """The errors of a form that an existing table refused: at the field in the message, else at the first one."""
    sentence = translate(refused.message, "en").casefold()
    named = [field for field in fields if (field.column or field.name).casefold() in sentence]
    return {field.name: refused.message for field in (*named, *fields)[:1]}


def once_key(request: Request) -> str:
    """The form's one-time key, the same while it is shown again."""
    return posted_text(request, "_once") or one_time_key()


def record_or_list(resource: Any, record_id: int, request: Request) -> str:
    """Where a saved form leads: to the record, or to the list if its author cannot see it."""
    if resource.records.exists(record_id):
        return record_address(resource.module_name, record_id)
    return back_to_list(resource, request)
