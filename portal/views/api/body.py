"""The body that a program sends: a JSON object, alone or as the part `record` of a form that also contains files."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, BinaryIO

from pyramid.httpexceptions import HTTPRequestEntityTooLarge, HTTPUnsupportedMediaType
from pyramid.request import Request
from webob.multidict import MultiDict

from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.texts import _
from portal.views.api.input_error import UNKNOWN, InputError
from portal.views.forms.uploads import attachments_input
from portal.web.form_limits import LARGEST_URLENCODED, TOO_MUCH_TEXT

RECORD = "record"  # the part with the JSON in a form with files
JSON, FORM = "application/json", "multipart/form-data"
JSON_NEEDED = _("Send JSON (Content-Type: application/json).")
NO_JSON = _("This is not a JSON object.")


@dataclass(frozen=True)
class SentFile:
    """A file that is the whole body of a request, like one of a form."""

    filename: str
    file: BinaryIO


def read_body(request: Request) -> dict[str, Any]:
    """The JSON object that a program sent; empty if nothing was sent. Raises InputError and HTTPError."""
    if media_type(request) == FORM:
        part = request.POST.get(RECORD, "{}")
        if not isinstance(part, str) and part.size > LARGEST_URLENCODED:
            raise HTTPRequestEntityTooLarge(TOO_MUCH_TEXT)
        return _parse(part if isinstance(part, str) else part.raw)
    return read_json(request) if request.content_length else {}


def read_json(request: Request) -> dict[str, Any]:
    """The JSON object that is the whole body of a program's request. Raises InputError and HTTPError."""
    if media_type(request) != JSON:
        raise HTTPUnsupportedMediaType(JSON_NEEDED)
    if (request.content_length or 0) > LARGEST_URLENCODED:
        raise HTTPRequestEntityTooLarge(TOO_MUCH_TEXT)
    return _parse(request.body)


def media_type(request: Request) -> str:
    """The media type of what a program sent, in lower case."""
    return str(request.content_type).lower()


def _parse(text: str | bytes) -> dict[str, Any]:
    """Parses the JSON of a program; numbers with a decimal point stay exact."""
    try:
        body = json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, ArithmeticError, RecursionError):
        raise InputError({}, NO_JSON, 400) from None
    if not isinstance(body, dict):
        raise InputError({}, NO_JSON, 400)
    return body


def _refuse_constant(name: str) -> None:
    """Refuses NaN and Infinity in the body of a program, which are not JSON."""
    raise ValueError(name)


def put_in_form(request: Request, form: Mapping[str, Any], fields: list[Field], attachments_of: Module | None) -> None:
    """Makes a program's request look as if a page's form had sent `form`, with the files in it: of `fields`, and
    attachments for records of the module `attachments_of`, None if there can be none.

    Raises InputError for files that nothing here accepts.
    """
    posted = MultiDict(form)
    taken = {field.name for field in fields if field.by_upload}
    if attachments_of is not None:
        taken.add(attachments_input(attachments_of))
    sent = [(name, part) for name, part in request.POST.items() if not isinstance(part, str)]
    if unknown := {name: UNKNOWN for name, _part in sent if name not in {*taken, RECORD}}:
        raise InputError(unknown)
    for name, part in sent:
        if name != RECORD:
            posted.add(name, part)
    _replace_form(request, posted)


def put_file_in_form(request: Request, module: Module) -> None:
    """Replaces the posted form with a body that is one file; `name` in the address is its name."""
    name = request.GET.get("name", "").strip()
    if not name:
        raise InputError({"name": _("Enter a value.")})
    request.make_body_seekable()  # back to its start: the request may be retried
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the request is finished
    shutil.copyfileobj(request.body_file, file)
    _replace_form(request, MultiDict([(attachments_input(module), SentFile(name, file))]))


def _replace_form(request: Request, form: MultiDict) -> None:
    request.environ["webob._parsed_post_vars"] = (form, request.body_file_raw)
