"""The files of a record: adding, downloading, thumbnails, removing."""

import itertools
import logging
from collections.abc import Iterable
from urllib.parse import quote

from pyramid.httpexceptions import HTTPConflict, HTTPNotFound, HTTPServiceUnavailable
from pyramid.renderers import render_to_response
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.records.reading.files import StoredFile
from portal.records.writing.errors import ConflictError
from portal.records.writing.files import may_attach
from portal.store.media_type import SHOWN, UNKNOWN, is_utf8
from portal.store.store import StoreError
from portal.store.thumbnail import MEDIA_TYPE
from portal.texts import _
from portal.views.forms.submissions import response_if_repeated, response_when_done
from portal.views.forms.uploads import Attached, receive_files
from portal.views.records.conversation import new_composer
from portal.views.records.details import DetailPage, detail_page
from portal.web.addresses import API_ROUTE
from portal.web.flash import set_flash
from portal.web.resources import Module, Record, RecordFile, RecordFiles

log = logging.getLogger(__name__)

# A file in the browser's own viewer may load nothing and run nothing. Chromium's viewer does not open a PDF in a
# sandboxed page (crbug.com/271452), and runs its scripts separately from the page.
SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; object-src 'self'; frame-ancestors 'none'"


@view_config(context=RecordFiles, name="", request_method="POST", renderer="detail.pt", permission="attach")
def add_files(resource: RecordFiles, request: Request) -> DetailPage | Response:
    """`POST /MODULE/ID/files`: adds files; the page of the record says why others were refused."""
    records, record = resource.records, resource.record
    if not may_attach(records):
        raise HTTPNotFound
    attached = receive_files(request, records).attached
    refused = attached.refused if attached.files or attached.refused else (_("Choose a file."),)
    if again := response_if_repeated(records, request):
        return again
    try:
        request.writer(records).attach(record, attached.files)
    except ConflictError:
        raise HTTPConflict(_("This record is closed.")) from None
    response = response_when_done(records, request, resource.record_resource.path)
    if refused:
        # 200 if something was accepted: an error status would roll it back
        request.response.status_code = 200 if attached.files else 422
        shown = resource.record_resource
        return detail_page(shown, request, new_composer(shown, request), refused)
    return set_flash(request, response, "attached")


def add_form_files(resource: Module | Record, request: Request, record_id: int, attached: Attached) -> Response | None:
    """Adds the files of a form for a record; the record's page with the reasons where some were refused, else None."""
    records = resource.records
    record = records.as_system.get(record_id) if attached.files or attached.refused else None
    if record is None:
        return None
    request.writer(records).attach(record, attached.files)
    if not attached.refused or not records.exists(record_id):
        return None
    module = resource if isinstance(resource, Module) else resource.__parent__
    shown = module[str(record_id)]
    request.context, request.view_name = shown, ""  # menu and breadcrumbs are also those of the record's page
    page = detail_page(shown, request, new_composer(shown, request), attached.refused)
    response = render_to_response("detail.pt", page, request)
    response.content_location = shown.path
    return response


@view_config(route_name=API_ROUTE, context=RecordFile, name="", request_method="GET")
@view_config(context=RecordFile, name="", request_method="GET")
def send_file(resource: RecordFile, request: Request) -> Response:
    """`GET /MODULE/ID/files/FILE`: the file itself: shown by the browser if that is harmless, else downloaded."""
    stored = resource.stored
    shown = stored.media_type in SHOWN
    response = _stream(request, stored.stored, stored.media_type if shown else UNKNOWN)
    response.content_length = stored.size
    response.etag, response.accept_ranges = f"{stored.id}", "bytes"  # its bytes never change
    response.conditional_response = True  # interrupted downloads can be resumed, and players may seek
    response.headers["Content-Disposition"] = disposition("inline" if shown else "attachment", stored.name)
    if stored.media_type != "application/pdf":
        response.headers["Content-Security-Policy"] += "; sandbox"
    return response


@view_config(context=RecordFile, name="preview", request_method="GET")
def send_thumbnail(resource: RecordFile, request: Request) -> Response:
    """`GET /MODULE/ID/files/FILE/preview`: the thumbnail of a picture among a record's files."""
    if resource.stored.preview is None:
        raise HTTPNotFound
    return _stream(request, resource.stored.preview, MEDIA_TYPE)


@view_config(context=RecordFile, name="remove", request_method="POST", permission="attach")
def remove_file(resource: RecordFile, request: Request) -> Response:
    """`POST /MODULE/ID/files/FILE/remove`: removes a file, which its author and staff may do."""
    records = resource.records
    if again := response_if_repeated(records, request):
        return again
    detach(resource, request)
    return set_flash(request, response_when_done(records, request, resource.record_resource.path), "detached")


def detach(resource: RecordFile, request: Request) -> None:
    """Removes a file. Raises HTTPNotFound for the file of a field, HTTPConflict on a final record."""
    if resource.stored.field is not None:
        raise HTTPNotFound
    try:
        request.writer(resource.records).detach(resource.record, resource.stored)
        remove_bytes(request, [resource.stored])
    except ConflictError:
        raise HTTPConflict(_("This record is closed.")) from None


def remove_bytes(request: Request, removed: Iterable[StoredFile]) -> None:
    """After a successful request, removes the bytes of files whose rows it has removed.

    `portal files` finds what cannot be removed now.
    """
    names = [name for file in removed for name in (file.stored, file.preview) if name]

    def remove(request: Request, response: Response) -> None:
        if names and response.status_code < 400:
            try:
                request.store.remove(names)
            except StoreError as error:
                log.warning("Bytes of removed files are still stored, until portal files is run: %s", error)

    request.add_response_callback(remove)


def disposition(kind: str, name: str) -> str:
    """The header Content-Disposition with a file name in any script (RFC 6266, RFC 8187)."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() or letter in "-_. " else "_" for letter in name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _stream(request: Request, name: str, media_type: str) -> Response:
    try:
        chunks = request.store.read(name)
    except StoreError as error:
        log.warning("A file cannot be read: %s", error)
        raise HTTPServiceUnavailable(_("This file cannot be read right now. Try again later.")) from None
    response = Response(app_iter=chunks, content_type=media_type)
    if media_type == "text/plain":
        first = next(chunks, b"")
        response.app_iter = itertools.chain((first,), chunks)
        # The browser detects older character sets of a text.
        response.charset = "UTF-8" if is_utf8(first) else None
    response.headers["Content-Security-Policy"] = SANDBOX
    return response
