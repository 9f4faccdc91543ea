"""`/MODULE/import`: records from a file, on one page: the file, where its columns go, what would happen.

The steps are in the address, so that Back, Reload and a bookmark lose nothing; only the last one writes. People may set
what their forms ask for (transfer/import_rights.py); the importer is that of `portal import`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.declaration.shapes import display_name
from portal.fields.byte_sizes import shown_size
from portal.fields.file import FileField, token_input
from portal.records.transfer.csv_columns import Columns, missing_column
from portal.records.transfer.csv_reading import UnreadableFileError
from portal.records.transfer.exporting import BYTE_ORDER_MARK, csv_lines
from portal.records.transfer.import_row import BadCell
from portal.records.transfer.importing import ImportReport, columns_of_file, import_file
from portal.records.transfer.limited_rows import MOST_ROWS, LimitedRows
from portal.records.transfer.stored_imports import FIELD, UNDONE_WITHIN, imported_at, store_import, stored_imports
from portal.records.writing.form_keys import one_time_key
from portal.texts import Words, _, ngettext
from portal.views.displays import moment
from portal.views.forms.form_page import Offer, UploadInput
from portal.views.forms.submissions import refused_form, response_if_repeated, response_when_done
from portal.views.forms.uploads import largest_file, receive_files
from portal.views.lists.import_request import COLUMN, ImportRequest
from portal.views.parts import Moment, Pairs
from portal.web.addresses import import_address, imported_address, list_address
from portal.web.flash import set_flash
from portal.web.resources import Module

LARGEST = 10_000_000  # bytes of a file
SAMPLES, SAMPLED_ROWS, LONGEST_SAMPLE = 3, 20, 60
MOST_SHOWN = 50  # bad cells on the page; the file has all of them


@dataclass(frozen=True)
class ImportColumn:
    """A column of the file: its header, some of its values, and where it goes."""

    name: str  # of the input
    header: str
    samples: tuple[str, ...]
    offers: tuple[Offer, ...]
    note: Words = ""  # why it is left out


@dataclass(frozen=True)
class ImportPreview:
    """What would happen, and errors in rows. Without `submit`, nothing can be imported."""

    facts: tuple[Words, ...]
    submit: Words = ""
    bad_summary: Words = ""
    bad: tuple[BadCell, ...] = ()
    more: Words = ""
    problems_url: str = ""
    once: str = ""


@dataclass(frozen=True)
class EarlierImport:
    """An import from the last day, whose page can undo it."""

    name: str
    url: str
    at: Moment


@dataclass(frozen=True)
class ImportPage:
    """import.pt"""

    heading: Words
    action: str
    back_url: str
    once: str
    upload: UploadInput
    fillable: tuple[str, ...]  # the possible names of columns
    rows: Words  # how many rows a file may have
    earlier: tuple[EarlierImport, ...] = ()
    file: str = ""  # the name of the sent file
    error: Words = ""
    problems: tuple[Words, ...] = ()  # about the columns
    columns: tuple[ImportColumn, ...] = ()
    hidden: Pairs = ()  # the file
    matches: tuple[Offer, ...] = ()
    decimals: tuple[Offer, ...] = ()
    dates: tuple[Offer, ...] = ()
    preview: ImportPreview | None = None
    parameters: Pairs = ()  # the whole request, for the form that imports


@view_config(context=Module, name="import", request_method="GET", renderer="import.pt", permission="import")
def show_import(module: Module, request: Request) -> ImportPage:
    """`GET /MODULE/import`: the page for its address: `file`, and where the columns go."""
    importing = ImportRequest(module.records, request, request.GET)
    page = _empty_page(importing)
    if importing.stored_import is None:
        return page
    if importing.stored_import.first_event:
        raise HTTPSeeOther(imported_address(module.module_name, importing.stored_import.key))
    page = replace(page, file=importing.stored_import.name, hidden=(("file", importing.stored_import.key),))
    try:
        with importing.opened() as source:
            importing.assume_notation(source)
            return _with_file(page, importing, source)
    except UnreadableFileError as unreadable:
        return replace(page, error=_error_sentence(unreadable, request))


@view_config(context=Module, name="import", request_method="POST", renderer="import.pt", permission="import")
def take_import(module: Module, request: Request) -> ImportPage | Response:
    """`POST /MODULE/import`: receives a file, or imports the previewed one; `skip`: without its bad rows."""
    records = module.records
    if "file" in request.POST:
        return _import(ImportRequest(records, request, request.POST))
    received = receive_files(request, records, [_input_field(request)], with_attachments=False)
    refused = received.refused.get(FIELD)
    keys = request.POST.getall(token_input(FIELD))
    if not refused and keys:
        return HTTPSeeOther(import_address(records.name, [("file", keys[0])]))
    importing = ImportRequest(records, request, {})
    return refused_form(request, replace(_empty_page(importing), error=refused or _("Choose a file.")))


@view_config(context=Module, name="import-problems.csv", request_method="GET", permission="import")
def send_problems(module: Module, request: Request) -> Response:
    """`GET /MODULE/import-problems.csv`: all errors in the rows of a file, as CSV: line, column, reason."""
    importing, reader = ImportRequest(module.records, request, request.GET), request.reader
    try:
        with importing.opened() as source:
            options = importing.options(source.headers, dry_run=True)
            if columns_of_file(module.records, source.headers, options).problems:
                raise HTTPNotFound
            report = import_file(module.records, source, options)
    except UnreadableFileError:
        raise HTTPNotFound from None
    header = [reader.text(_("Row")), reader.text(_("Column")), reader.text(_("Problem"))]
    rows = [[str(bad.line), bad.column, reader.text(bad.reason)] for bad in report.bad]
    response = Response(csv_lines([header, *rows], BYTE_ORDER_MARK), content_type="text/csv", charset="utf-8")
    response.content_disposition = f'attachment; filename="{module.module_name}-problems.csv"'
    return response


def _import(importing: ImportRequest) -> Response:
    """Imports the previewed file, unless a row has become bad in the meantime: then the page says so."""
    records, request = importing.records, importing.request
    back = HTTPSeeOther(import_address(records.name, importing.parameters))
    if again := response_if_repeated(records, request):
        return again
    if importing.stored_import is None or importing.stored_import.first_event:
        return back
    try:
        with importing.opened() as source:
            options = importing.options(source.headers, skip_bad="skip" in request.POST)
            if columns_of_file(records, source.headers, options).problems:
                return back
            report = store_import(records, source, options, importing.stored_import)
    except UnreadableFileError:
        return back
    if report.bad and not options.skip_bad:
        return back
    if not report.outcome.added and not report.outcome.changed:
        return set_flash(request, response_when_done(records, request, back.location), "nothing-imported")
    return response_when_done(records, request, imported_address(records.name, importing.stored_import.key))


def _input_field(request: Request) -> FileField:
    """The input for the file on the import page, as if it were a field of a form."""
    largest = min(LARGEST, largest_file(request))
    return FileField.types["file"].model_validate({"name": FIELD, "type": "file", "max_size": largest})  # type: ignore[return-value]


def _error_sentence(unreadable: UnreadableFileError, request: Request) -> Words:
    if unreadable.line is None:
        return unreadable.message
    facts = {"line": unreadable.line, "problem": request.reader.text(unreadable.message)}
    return _("Line ${line}: ${problem}", mapping=facts)


# -- the page ----------------------------------------------------------------------------------------------------------


def _empty_page(importing: ImportRequest) -> ImportPage:
    records, request = importing.records, importing.request
    largest = _input_field(request).max_size
    size = shown_size(largest, request.reader)
    return ImportPage(
        heading=_("Import: ${module}", mapping={"module": request.reader.text(display_name(records.access))}),
        action=import_address(records.name, ()),
        back_url=list_address(records.name),
        once=one_time_key(),
        upload=UploadInput(
            FIELD,
            limits=_("CSV or Excel (.xlsx), up to ${size}", mapping={"size": size}),
            max_size=largest,
            shown_size=size,
            max_count=1,
            accept=".csv,.xlsx,.txt",
        ),
        fillable=tuple(importing.fields.values()),
        rows=ngettext("Up to ${number} row at once", "Up to ${number} rows at once", MOST_ROWS),
        earlier=tuple(_earlier(importing)),
    )


def _earlier(importing: ImportRequest) -> Iterator[EarlierImport]:
    for stored in stored_imports(importing.records, importing.request.visitor.own_account):
        at = imported_at(importing.records, stored)
        if at is not None and at > importing.request.now - UNDONE_WITHIN:
            yield EarlierImport(
                stored.name, imported_address(importing.records.name, stored.key), moment(at, importing.request.reader)
            )


def _with_file(page: ImportPage, importing: ImportRequest, source: LimitedRows) -> ImportPage:
    """The import page with the columns of the file and, if each has a target, with what would happen."""
    reader = importing.request.reader
    columns = columns_of_file(importing.records, source.headers, importing.options(source.headers))
    samples = _samples(source)
    problems = [*columns.wrong, *(missing_column(reader.text(field.title)) for field in columns.missing)]
    if columns.unclear:  # each column says why
        problems.insert(0, _("Choose a field for each column, or leave the column out."))
    matches = (
        [Offer("", _("All rows are new"))] if importing.records.policy.may(importing.records.name, "create") else []
    )
    matches += [
        Offer(
            key.name,
            _("Change by ${field}", mapping={"field": reader.text(key.title)}),
            key.name == importing.match,
        )
        for key in importing.keys
    ]
    page = replace(
        page,
        problems=tuple(problems),
        columns=tuple(_import_columns(importing, source.headers, columns, samples)),
        matches=tuple(matches),
        decimals=_offers(importing.notation.decimal, {"": "1234.5", ",": "1.234,5", ".": "1,234.5"}),
        dates=_offers(
            importing.notation.first, {"": "2024-03-31, 31.03.2024", "day": "31/03/2024", "month": "03/31/2024"}
        ),
        parameters=importing.parameters,
    )
    if columns.problems:
        return page
    report = import_file(importing.records, source, importing.options(source.headers, dry_run=True))
    return replace(page, preview=_preview(importing, report))


def _offers(chosen: str, labels: dict[str, str]) -> tuple[Offer, ...]:
    return tuple(Offer(value, label, value == chosen) for value, label in labels.items())


def _samples(source: LimitedRows) -> list[list[str]]:
    samples: list[list[str]] = [[] for _header in source.headers]
    for row in islice(source.source.rows(), SAMPLED_ROWS):
        for sample, cell in zip(samples, row.cells, strict=False):
            text = " ".join(cell.split())[:LONGEST_SAMPLE]
            if text and text not in sample and len(sample) < SAMPLES:
                sample.append(text)
    return samples


def _import_columns(
    importing: ImportRequest, headers: tuple[str, ...], columns: Columns, samples: list[list[str]]
) -> Iterator[ImportColumn]:
    going = {column.index: f"{column.field.name}.{column.part}".rstrip(".") for column in columns.imported}
    for index, header in enumerate(headers):
        if not header:
            continue
        goes = going.get(index, "")
        offers = [Offer(name, label, name == goes) for name, label in importing.fields.items()]
        note = _("The portal sets this itself, or you may not set it.") if header in columns.skipped else ""
        yield ImportColumn(
            f"{COLUMN}{index}",
            header,
            tuple(samples[index]),
            tuple(offers),
            _("Choose a field.") if header in columns.unclear else note,
        )


def _preview(importing: ImportRequest, report: ImportReport) -> ImportPreview:
    """What the import page says would happen: how many records would be created and changed, and the errors."""
    outcome, good = report.outcome, report.outcome.added + report.outcome.changed
    facts = [ngettext("${number} new record", "${number} new records", outcome.added)] if outcome.added else []
    if outcome.changed:
        facts.append(ngettext("${number} changed record", "${number} changed records", outcome.changed))
    if outcome.unchanged:
        facts.append(
            ngettext(
                "${number} record is already up to date", "${number} records are already up to date", outcome.unchanged
            )
        )
    submit: Words = ""
    if good:
        submit = ngettext("Import ${number} row", "Import ${number} rows", good)
        if report.bad:
            submit = ngettext(
                "Import ${number} row without the others", "Import ${number} rows without the others", good
            )
    more = len(report.bad) - MOST_SHOWN
    return ImportPreview(
        facts=tuple(facts) or (_("Nothing would change."),),
        submit=submit,
        bad_summary=ngettext("${number} row cannot be imported", "${number} rows cannot be imported", report.bad_rows)
        if report.bad
        else "",
        bad=tuple(report.bad[:MOST_SHOWN]),
        more=_("and ${number} more", mapping={"number": more}) if more > 0 else "",
        problems_url=import_address(importing.records.name, importing.parameters, "import-problems.csv"),
        once=one_time_key(),
    )
