"""`/MODULE/imported`: the result of an import, and the button that undoes it for a day."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyramid.httpexceptions import HTTPNotFound
from pyramid.renderers import render_to_response
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.records.reading.records import Record
from portal.records.transfer.stored_imports import UNDONE_WITHIN, Imported, imported, undo_import
from portal.records.writing.form_keys import one_time_key
from portal.texts import Words, _, ngettext
from portal.views.displays import moment
from portal.views.forms.submissions import response_if_repeated, response_when_done
from portal.views.lists.import_request import ImportRequest
from portal.views.lists.many_records import ManyPage, RefusedRecord
from portal.views.parts import Moment, TitledLink
from portal.views.wording import record_in_words
from portal.web.addresses import imported_address, list_address, record_address
from portal.web.resources import Module

MOST_SHOWN = 100  # records; the list has all of them


@dataclass(frozen=True)
class ImportedRecords:
    """Some records of an import, and their total number."""

    summary: Words
    records: tuple[TitledLink, ...]
    more: Words = ""


@dataclass(frozen=True)
class ImportedPage:
    """imported.pt"""

    file: str
    at: Moment
    back_url: str
    parts: tuple[ImportedRecords, ...]
    undo_url: str = ""  # empty: it is too late, or nothing was created
    key: str = ""
    once: str = ""


@view_config(context=Module, name="imported", request_method="GET", renderer="imported.pt", permission="import")
def show_imported(module: Module, request: Request) -> ImportedPage:
    """`GET /MODULE/imported`: the result of the file `file`, which this account has imported."""
    importing = ImportRequest(module.records, request, request.GET)
    done = _done(importing)
    stored = importing.stored_import
    if stored is None:
        raise HTTPNotFound
    parts = [
        _records_of(module.module_name, records, words)
        for records, words in (
            (done.made, ngettext("${number} new record", "${number} new records", len(done.made))),
            (done.changed, ngettext("${number} changed record", "${number} changed records", len(done.changed))),
        )
        if records
    ]
    can_undo = bool(done.made) and not stored.undone and done.at > request.now - UNDONE_WITHIN
    return ImportedPage(
        file=stored.name,
        at=moment(done.at, request.reader),
        back_url=list_address(module.module_name),
        parts=tuple(parts),
        undo_url=imported_address(module.module_name) if can_undo else "",
        key=stored.key,
        once=one_time_key(),
    )


@view_config(context=Module, name="imported", request_method="POST", permission="import")
def undo(module: Module, request: Request) -> Response:
    """`POST /MODULE/imported`: deletes, within a day, what the import created and nobody has touched since."""
    records = module.records
    importing = ImportRequest(records, request, request.POST)
    done = _done(importing)
    address = imported_address(module.module_name, importing.inputs["file"])
    if again := response_if_repeated(records, request):
        return again
    if importing.stored_import is None or importing.stored_import.undone or done.at <= request.now - UNDONE_WITHIN:
        return response_when_done(records, request, address)
    undone = undo_import(records, importing.stored_import, importing.author)
    response_when_done(records, request, address)
    left = len(undone.left)
    page = ManyPage(
        heading=_("Undo import"),
        back_url=list_address(records.name),
        summary=ngettext("Deleted: ${number} record", "Deleted: ${number} records", len(undone.deleted)),
        refused_summary=ngettext(
            "${number} record was left as it is.", "${number} records were left as they are.", left
        )
        if left
        else "",
        done=tuple(TitledLink(title, "") for title in undone.deleted[:MOST_SHOWN]),
        refused=tuple(
            RefusedRecord(record_in_words(record), reason, url=record_address(records.name, record.id))
            for record, reason in undone.left
        ),
    )
    return render_to_response("many.pt", page, request)


def _done(importing: ImportRequest) -> Imported:
    """The result of the import that the page shows. Raises HTTPNotFound."""
    done = (
        imported(importing.records, importing.stored_import, importing.author)
        if importing.stored_import and importing.stored_import.first_event
        else None
    )
    if done is None:
        raise HTTPNotFound
    return done


def _records_of(module: str, records: Sequence[Record], summary: Words) -> ImportedRecords:
    more = len(records) - MOST_SHOWN
    return ImportedRecords(
        summary,
        tuple(
            TitledLink(record_in_words(record), record_address(module, record.id)) for record in records[:MOST_SHOWN]
        ),
        _("and ${number} more", mapping={"number": more}) if more > 0 else "",
    )
