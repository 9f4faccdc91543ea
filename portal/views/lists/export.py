"""`/MODULE/export.csv`: what the list shows, all rows, as a file for spreadsheets."""

import tempfile
from collections.abc import Iterable, Iterator

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import FileIter, Response
from pyramid.view import view_config

from portal.declaration.shapes import display_name
from portal.fields.base import Field
from portal.records.reading.records import Query, Records
from portal.records.transfer.exporting import exported_list
from portal.records.transfer.line_files import exported_list_rows
from portal.views.lists.filters import Parameters, shown_request
from portal.views.parts import TitledLink
from portal.web.addresses import export_address
from portal.web.resources import Module

IN_MEMORY = 1_000_000  # bytes; what is longer is kept in a file until it is sent


def may_export(records: Records) -> bool:
    """Whether the list offers an export to this profile."""
    return bool(records.access.list.export) and records.policy.may(records.name, "export")


def exports(records: Records, parameters: Parameters) -> Iterator[TitledLink]:
    """The links to the files as which a list can be exported."""
    reader = records.policy.reader
    yield TitledLink(reader.text(display_name(records.access)), export_address(records.name, parameters))
    for field in _exported_lines(records):
        address = export_address(records.name, [*parameters, ("_lines", field.name)])
        yield TitledLink(reader.text(field.title), address)


def _exported_lines(records: Records) -> list[Field]:
    """The `lines` whose rows the reader may read."""
    readable = records.policy.readable(records.name)
    return [field for name, field in records.module.fields.items() if field.row_fields and name in readable]


@view_config(context=Module, name="export.csv", request_method="GET", permission="export")
def export_list(module: Module, request: Request) -> Response:
    """The list that the address asks for; `_lines`: the field whose rows are written in the place of the records."""
    records = module.records
    if not records.access.list.export:
        raise HTTPNotFound
    query = shown_request(records, request, request.GET).query
    if "_lines" not in request.GET:
        return csv_file(records, query, request)
    field = next((field for field in _exported_lines(records) if field.name == request.GET["_lines"]), None)
    if field is None:
        raise HTTPNotFound
    return _file(records.name, exported_list_rows(records, field, query, request.reader), request, f"_{field.name}")


def csv_file(records: Records, query: Query, request: Request) -> Response:
    """The records of a query, with the columns of the list."""
    rows = exported_list(records, query, records.access.list.columns or (), request.reader)
    return _file(records.name, rows, request)


def _file(name: str, chunks: Iterable[bytes], request: Request, end: str = "") -> Response:
    """A CSV file to download, written to its end while the transaction is open; its name has the day, then `end`."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by the server when it is sent
    for chunk in chunks:
        file.write(chunk)
    length = file.tell()
    file.seek(0)
    day = request.reader.today.isoformat()
    return Response(
        app_iter=FileIter(file),
        content_type="text/csv",
        charset="utf-8",
        content_length=length,
        content_disposition=f'attachment; filename="{name}-{day}{end}.csv"',
    )
