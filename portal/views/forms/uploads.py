"""The files that a form sends: stored immediately and replaced with their keys in the form.

So a form that is shown again, a step of a wizard and a draft can contain files just like texts. If the response rolls
back what the request wrote, the rows of the files are written again afterwards, as drafts are.
"""

import dataclasses
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from pyramid.httpexceptions import HTTPServiceUnavailable
from pyramid.request import Request
from pyramid.response import Response

from portal.database.engine import paused, writing
from portal.database.errors import DatabaseError
from portal.declaration.shapes import Attachments, Module
from portal.fields.base import Field
from portal.fields.byte_sizes import shown_size
from portal.fields.file import FileValue, token_input
from portal.fields.file_types import types_in_words
from portal.fields.protocols import Form
from portal.records.reading.records import Records
from portal.records.writing.files import attachment_limits, may_attach
from portal.records.writing.form_conditions import is_shown
from portal.records.writing.pending_files import PendingFile, keep_pending, pending_files, store_file
from portal.records.writing.upload_checks import Upload, check_uploads
from portal.records.writing.validation import FormValues
from portal.store.store import StoreError
from portal.texts import _
from portal.views.forms.form_page import FormFile, UploadInput

ATTACHMENTS_INPUTS = ("files", "attachments")  # no field can have the second name
SENT = "portal.pending_files"  # in the environ, so that a retried request still has its files
CANNOT_STORE = _("Files cannot be stored right now. Try again later.")

log = logging.getLogger(__name__)


def attachments_input(module: Module) -> str:
    """The input of attachments in the forms of a module: `files`, or `attachments` if it has a field named `files`."""
    return "attachments" if "files" in module.fields else "files"


@dataclass(frozen=True)
class Attached:
    """The attachments of a form, and one sentence for each file that was refused."""

    files: tuple[PendingFile, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Received:
    """The received files of a form: its attachments, and why files of a field were refused, by field."""

    attached: Attached = Attached()
    refused: Mapping[str, str] = dataclasses.field(default_factory=dict)


def receive_files(
    request: Request, records: Records, fields: Iterable[Field] = (), *, with_attachments: bool = True
) -> Received:
    """Receives the files sent in `fields`, and as attachments if the module accepts them and the profile may add them.
    If a file is refused, its field keeps the previous one.

    Called before the request writes anything: while bytes are checked and stored, others may write. Raises
    HTTPServiceUnavailable.
    """
    _remember(request, records, ())
    by_upload = [(field, list(_sent(request, field.name))) for field in fields if field.by_upload]
    sent = [(field, uploads if field.multiple else uploads[:1]) for field, uploads in by_upload if uploads]
    limit = attachment_limits(records.module) if with_attachments and may_attach(records) else None
    name = attachments_input(records.module)
    present = list(pending_attachments(request, records, request.POST))[: limit.max_count] if limit else []
    names = dict.fromkeys((name, ATTACHMENTS_INPUTS[-1])) if fields else ATTACHMENTS_INPUTS
    uploads = [upload for input_name in names for upload in _sent(request, input_name)] if limit else []
    if not uploads and not sent:
        if limit:
            _set_files(request, name, _keys(present))
        return Received(Attached(tuple(present)))
    with paused(records.connection):
        of_fields = {field.name: _store_of_field(request, records, field, of_field) for field, of_field in sent}
        attached = Attached()
        if limit:
            checked = check_uploads(uploads, limit, request.reader, request.registry.scan, len(present))
            attached = Attached(tuple(_store(request, records, checked.accepted, None)), checked.refused)
    files = [*attached.files, *(file for of_field in of_fields.values() for file in of_field.files)]
    _remember(request, records, files)
    for field, _uploads in sent:
        if new := _keys(of_fields[field.name].files):
            _set_files(request, field.name, [*_present_tokens(request, field), *new])
    if limit:
        _set_files(request, name, _keys((*present, *attached.files)))
    text = request.reader.text
    refused = {name: " ".join(map(text, one.refused)) for name, one in of_fields.items() if one.refused}
    return Received(replace(attached, files=(*present, *attached.files)), refused)


def _store_of_field(request: Request, records: Records, field: Any, uploads: Sequence[Upload]) -> Attached:
    limit = Attachments(max_size=field.max_size, max_count=field.most, types=field.accepted)
    present = len(_present_tokens(request, field))
    checked = check_uploads(uploads, limit, request.reader, request.registry.scan, present)
    files = _store(request, records, checked.accepted, field.name)
    unreadable = [file for file in files if field.needs_preview and file.preview is None]
    refused = (
        _("“${name}” was not added: this picture cannot be read.", mapping={"name": file.name}) for file in unreadable
    )
    return Attached(tuple(file for file in files if file not in unreadable), (*checked.refused, *refused))


def _present_tokens(request: Request, field: Any) -> list[str]:
    """What a form already has in a field of files, beside which more is sent; one file takes the place of another."""
    return field.file_tokens(request.POST) if field.multiple else []


def with_pending_files(
    request: Request, records: Records, fields: Iterable[Field], filled: FormValues, refused: Mapping[str, str]
) -> FormValues:
    """The values of a form with the names of its pending files, and errors about its files.

    A key that this account was not given for this field is not a file.
    """
    values, errors = dict(filled.values), dict(filled.errors)
    for field in fields:
        if not field.by_upload:
            continue
        files = field.files_in(values.get(field.name))
        if keys := [file.key for file in files if file.key]:
            sent = pending_files(records, request.visitor.own_account, field.name, keys)
            known = [_named(file, sent) for file in files if not file.key or file.key in sent]
            values[field.name] = field.of_files(known)
            if len(known) < len(files):
                errors[field.name] = _("Choose the file again.")
        if field.name in refused and is_shown(records, field, values):
            errors[field.name] = refused[field.name]
    return FormValues(values, errors)


def _named(file: FileValue, sent: Mapping[str, PendingFile]) -> FileValue:
    """A file of a form as it is shown again: one of the record unchanged; a sent one with its name and size."""
    return FileValue(key=file.key, name=sent[file.key].name, size=sent[file.key].size) if file.key else file


def pending_attachments(request: Request, records: Records, form: Form) -> Collection[PendingFile]:
    """The attachments that a form or a draft already has, as far as this account has sent them."""
    name = token_input(attachments_input(records.module))
    keys = [text for text in form.getall(name) if isinstance(text, str)]
    return pending_files(records, request.visitor.own_account, None, keys).values()


MARGIN = 100_000  # bytes of a request other than the file


def upload_input(
    records: Records, request: Request, pending: Iterable[PendingFile] = (), refused: Sequence[str] = ()
) -> UploadInput | None:
    """Where files are chosen, with its limits and what the form already has; None where the reader may not add any."""
    limit = attachment_limits(records.module) if may_attach(records) else None
    if limit is None:
        return None
    largest = min(limit.max_size, largest_file(request))
    size = shown_size(largest, request.reader)
    return UploadInput(
        attachments_input(records.module),
        limits=_("Up to ${size} each, ${count} at once", mapping={"size": size, "count": limit.max_count}),
        max_size=largest,
        shown_size=size,
        max_count=limit.max_count,
        accept=",".join(limit.types),
        types=types_in_words(limit.types, request.reader),
        files=tuple(FormFile(file.key, file.name, shown_size(file.size, request.reader)) for file in pending),
        refused=tuple(refused),
    )


def largest_file(request: Request) -> int:
    """The bytes of the largest file that one request can contain."""
    return int(request.registry.serving.largest_request - MARGIN)


def _sent(request: Request, name: str) -> Iterator[Upload]:
    for part in request.POST.getall(name):
        # An empty file input arrives as a part with an empty file name, which is read as bytes.
        if getattr(part, "filename", ""):
            request.add_finished_callback(lambda _request, file=part.file: file.close())
            yield Upload(part.filename, part.file, _size(part.file))


def _size(source: BinaryIO) -> int:
    size = source.seek(0, 2)
    source.seek(0)
    return size


def _store(
    request: Request, records: Records, taken: Iterable[tuple[Upload, str]], field: str | None
) -> list[PendingFile]:
    try:
        return [
            store_file(request.store, upload.source, upload.name, kind, records.name, field) for upload, kind in taken
        ]
    except StoreError as error:
        log.warning("Files cannot be stored: %s", error)
        raise HTTPServiceUnavailable(CANNOT_STORE) from None


def _remember(request: Request, records: Records, files: Sequence[PendingFile]) -> None:
    """Keeps the rows of a form's files: in the request's transaction, and behind it where that is taken back.

    A request that is tried again has lost the rows of its first attempt, whose files it has by their keys.
    """
    sent = request.environ.setdefault(SENT, [])
    sent += files
    if sent:
        account_id = request.visitor.own_account
        keep_pending(records.connection, records.policy.tables, account_id, sent, request.now)
        request.add_response_callback(_keep_apart)


def _keep_apart(request: Request, response: Response) -> None:
    """Keeps the rows of a form's files after the request's own transaction."""
    if response.status_code < 400:
        return
    try:
        with writing(request.portal.engine) as connection:
            account_id = request.visitor.own_account
            keep_pending(connection, request.portal.tables, account_id, request.environ[SENT], request.now)
    except DatabaseError as error:
        log.info("Files that were sent are not kept: %s", error)


def _keys(files: Iterable[PendingFile]) -> list[str]:
    return [file.key for file in files]


def _set_files(request: Request, name: str, tokens: Iterable[str]) -> None:
    """Replaces what was sent in the input `name` of the posted form with the keys of its files, from now on."""
    form = request.POST
    for sent in (name, token_input(name)):
        if sent in form:
            del form[sent]
    for token in tokens:
        form.add(token_input(name), token)
