"""Records for programs: read, created, changed, moved and deleted, through the forms of the pages."""

from collections.abc import Mapping
from typing import Any

from pyramid.httpexceptions import HTTPConflict
from pyramid.request import Request
from pyramid.response import Response

from portal.fields.refused import Refused
from portal.records.reading.as_json import TITLE, VERSION, record_json
from portal.records.reading.records import Record as StoredRecord
from portal.records.writing.comments import transition_comment_problem
from portal.records.writing.errors import ConflictError
from portal.texts import _
from portal.views.api.body import put_in_form, read_body
from portal.views.api.given_values import Given
from portal.views.api.input_error import UNEXPECTED, InputError, refuse_files
from portal.views.api.responses import (
    api_view_config,
    check_match,
    keep_for_repetition,
    repeated,
    response_with_record,
)
from portal.views.forms.creation import CreateForm, initial_content
from portal.views.forms.editing import EditForm
from portal.views.forms.form_content import FormContent, inputs_of
from portal.views.forms.sent_form import SentForm
from portal.views.forms.submissions import errors_of
from portal.views.records.actions import TransitionForm
from portal.web.resources import Module, Record, RecordTransition


@api_view_config(context=Record, name="", request_method="GET")
def read_record(resource: Record, request: Request) -> dict[str, Any]:
    """`GET /api/MODULE/ID`: one record, with every field that may be read."""
    request.response.etag = str(resource.record.version)
    return record_json(resource.records, resource.record)


@api_view_config(context=Module, name="", request_method="POST", permission="create")
def create_record(module: Module, request: Request) -> dict[str, Any] | Response:
    """`POST /api/MODULE`: a new record with values that its form would accept."""
    if again := repeated(request, module.records):
        return again
    form, body = CreateForm(module, request), read_body(request)
    given = Given(form.records, form.fields, body, {})
    shown = initial_content(form, given.over({})).inputs
    content = _filled_in(form, given.over(shown))
    given.check(content.values, content.errors)
    refuse_files(form.attached.refused)
    writer = request.writer(form.records)
    try:
        record_id = writer.create(form.values_of(content))
    except Refused as refused:  # by a table that others made
        raise InputError(errors_of(refused, form.fields)) from None
    record = form.records.as_system.get(record_id) if content.pending else None
    if record is not None:
        writer.attach(record, content.pending)
    keep_for_repetition(request, form.records, record_id)
    return response_with_record(request, form.records, record_id, 201)


@api_view_config(context=Record, name="", request_method="PATCH", permission="edit")
def edit_record(resource: Record, request: Request) -> dict[str, Any]:
    """`PATCH /api/MODULE/ID`: changes the fields that the body names."""
    check_match(request, resource.record)
    form, body = EditForm(resource, request), read_body(request)
    _check_version(body, resource.record)
    body.pop(TITLE, None)  # present if a record is returned as read
    given = Given(form.records, form.fields, body, form.record.values)
    shown = inputs_of(form.fields, form.record.values, request.reader)
    content = _filled_in(form, given.over(shown))
    given.check(content.values, content.errors)
    refuse_files(form.attached.refused)
    writer = request.writer(form.records)
    try:
        writer.edit(form.record, form.values_of(content), form.record.version)
    except Refused as refused:  # by a table that others made
        raise InputError(errors_of(refused, form.fields)) from None
    record = form.records.as_system.get(form.record.id) if form.attached.files else None
    if record is not None:
        writer.attach(record, form.attached.files)
    return response_with_record(request, form.records, form.record.id)


@api_view_config(context=Record, name="", request_method="DELETE", permission="delete")
def delete_record(resource: Record, request: Request) -> Response:
    """`DELETE /api/MODULE/ID`: deletes the record, unless others still need it."""
    check_match(request, resource.record)
    try:
        request.writer(resource.records).delete(resource.record)
    except Refused as refused:
        raise InputError({}, refused.message) from None
    return Response(status=204)


@api_view_config(context=RecordTransition, name="", request_method="POST")
def move_record(resource: RecordTransition, request: Request) -> dict[str, Any] | Response:
    """`POST /api/MODULE/ID/move/TRANSITION`: with the answers to the transition's questions, including `comment`."""
    records, record, transition = resource.records, resource.record, resource.transition
    if again := repeated(request, records):
        return again
    check_match(request, record)
    form, body = TransitionForm(resource, request), read_body(request)
    text = _comment_in(body) if form.asks_comment else ""
    given = Given(records, form.fields, body, record.values)
    content = _filled_in(form, given.over(form.shown_inputs))
    problem = transition_comment_problem(transition, text, bool(form.attached.files))
    given.check(content.values, {**content.errors, **({"comment": problem} if problem else {})})
    refuse_files(form.attached.refused)
    try:
        request.writer(records).move(record, transition, form.answers(content, body), text, form.attached.files)
    except ConflictError:
        raise HTTPConflict(_("The status of this record does not allow this.")) from None
    except Refused as refused:  # by a table that others made
        raise InputError(errors_of(refused, form.fields), refused.message) from None
    keep_for_repetition(request, records, record.id)
    return response_with_record(request, records, record.id)


def _filled_in(form: SentForm, inputs: Mapping[str, Any]) -> FormContent:
    """The content of the form in which a program creates, edits or moves a record with these inputs and its files."""
    put_in_form(form.request, inputs, form.fields, form.records.module if form.takes_attachments else None)
    form.receive_files()
    return form.read(form.request.POST)


def _check_version(body: dict[str, Any], record: StoredRecord) -> None:
    """Removes the version that a program's change is based on from its body. Raises ConflictError if it is another."""
    version = body.pop(VERSION, record.version)
    if type(version) is not int:  # true is not a number here
        raise InputError({VERSION: UNEXPECTED})
    if version != record.version:
        raise ConflictError(record.id)


def _comment_in(body: dict[str, Any]) -> str:
    text = body.pop("comment", None) or ""
    if not isinstance(text, str):
        raise InputError({"comment": UNEXPECTED})
    return text.strip()
