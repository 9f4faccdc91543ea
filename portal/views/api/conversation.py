"""Comments and files of a record for programs."""

from typing import Any

from pyramid.httpexceptions import HTTPConflict, HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response

from portal.records.reading.as_json import comments_json, file_json
from portal.records.reading.comments import BEYOND, comments_by_ids, newest_comments
from portal.records.reading.files import files
from portal.records.reading.records import Records
from portal.records.writing.comments import comment_problem, correction_problem
from portal.records.writing.errors import ConflictError
from portal.records.writing.files import may_attach
from portal.texts import _
from portal.views.api.body import FORM, media_type, put_file_in_form, put_in_form, read_body
from portal.views.api.input_error import UNEXPECTED, UNKNOWN, InputError, refuse_files
from portal.views.api.responses import api_view_config, keep_for_repetition, repeated
from portal.views.forms.uploads import receive_files
from portal.views.records.comments import add_comment_and_files, save_correction, visible_text, withdraw
from portal.views.records.files import detach
from portal.web.addresses import api_address, own_url
from portal.web.form_input import whole_number
from portal.web.resources import RecordComment, RecordComments, RecordFile, RecordFiles

PAGE = 50  # comments


@api_view_config(context=RecordComments, name="", request_method="GET")
def list_comments(context: RecordComments, request: Request) -> dict[str, Any]:
    """`GET /api/MODULE/ID/comments`: the newest first; `before`: the id after which the page begins."""
    records, record = context.records, context.record
    before = whole_number(request.GET.get("before", "")) or BEYOND
    comments = newest_comments(records, record, PAGE + 1, before)
    address = api_address(records.name, record.id, "comments")
    following = own_url(request, f"{address}?before={comments[PAGE - 1].id}") if len(comments) > PAGE else None
    return {"comments": comments_json(records, record, comments[:PAGE]), "next": following}


@api_view_config(context=RecordComments, name="", request_method="POST", permission="comment")
def add_comment(context: RecordComments, request: Request) -> dict[str, Any] | Response:
    """`POST /api/MODULE/ID/comments`: a comment, with files if the body is a form."""
    resource = context.record_resource
    records = resource.records
    if again := repeated(request, records):
        return again
    text, internal = _read_comment(records, read_body(request))
    put_in_form(request, {}, [], records.module)
    attached = receive_files(request, records).attached
    if problem := comment_problem(text, required=not attached.files):
        raise InputError({"text": problem})
    refuse_files(attached.refused)
    comment_id = add_comment_and_files(resource, request, text, attached.files, internal)
    keep_for_repetition(request, records, resource.record.id, "comments")
    request.response.status_code = 201
    made = comments_by_ids(records, resource.record, [comment_id])
    return comments_json(records, resource.record, made)[0]


@api_view_config(context=RecordComment, name="", request_method="PATCH", permission="comment")
def correct_comment(resource: RecordComment, request: Request) -> dict[str, Any]:
    """`PATCH /api/MODULE/ID/comments/COMMENT`: changes the text of one's own comment, while correcting it is
    allowed."""
    text = visible_text(_checked(read_body(request), {"text": str}).get("text", resource.comment.text))
    if problem := correction_problem(resource.records, resource.record, resource.comment, text):
        raise InputError({"text": problem})
    save_correction(resource, request, text)
    corrected = comments_by_ids(resource.records, resource.record, [resource.comment.id])
    return comments_json(resource.records, resource.record, corrected)[0]


@api_view_config(context=RecordComment, name="", request_method="DELETE", permission="comment")
def withdraw_comment(resource: RecordComment, request: Request) -> Response:
    """`DELETE /api/MODULE/ID/comments/COMMENT`: withdraws a comment, with its files."""
    withdraw(resource, request)
    return Response(status=204)


def _read_comment(records: Records, body: dict[str, Any]) -> tuple[str, bool]:
    """The text of a comment from a program, and whether it is internal, which only staff may set."""
    body = _checked(body, {"text": str, "internal": bool} if records.policy.staff else {"text": str})
    return visible_text(body.get("text", "")), body.get("internal", False)


def _checked(body: dict[str, Any], kinds: dict[str, type]) -> dict[str, Any]:
    """The `body` of a comment. Raises InputError for names that are not in `kinds`, and for values of another kind."""
    wrong = {name: UNKNOWN for name in body if name not in kinds}
    wrong |= {name: UNEXPECTED for name, kind in kinds.items() if not isinstance(body.get(name, kind()), kind)}
    if wrong:
        raise InputError(wrong)
    return body


@api_view_config(context=RecordFiles, name="", request_method="GET")
def list_files(context: RecordFiles, request: Request) -> dict[str, Any]:
    """`GET /api/MODULE/ID/files`: including those of comments; the file of a field is in its record."""
    return {"files": [file_json(file) for file in files(context.records, context.record)]}


@api_view_config(context=RecordFiles, name="", request_method="POST", permission="attach")
def add_files(context: RecordFiles, request: Request) -> dict[str, Any] | Response:
    """`POST /api/MODULE/ID/files`: the inputs `files` of a form, or a body that is one file, called `?name=`."""
    records, record = context.records, context.record
    if not may_attach(records):
        raise HTTPNotFound
    if again := repeated(request, records):
        return again
    if media_type(request) == FORM:
        put_in_form(request, {}, [], records.module)
    else:
        put_file_in_form(request, records.module)
    attached = receive_files(request, records).attached
    refuse_files(attached.refused or ([] if attached.files else [_("Choose a file.")]))
    before = {file.id for file in files(records, record)}
    try:
        request.writer(records).attach(record, attached.files)
    except ConflictError:
        raise HTTPConflict(_("This record is closed.")) from None
    keep_for_repetition(request, records, record.id, "files")
    request.response.status_code = 201
    return {"files": [file_json(file) for file in files(records, record) if file.id not in before]}


@api_view_config(context=RecordFile, name="", request_method="DELETE", permission="attach")
def remove_file(resource: RecordFile, request: Request) -> Response:
    """`DELETE /api/MODULE/ID/files/FILE`: removes an attachment, which its author and staff may do."""
    detach(resource, request)
    return Response(status=204)
