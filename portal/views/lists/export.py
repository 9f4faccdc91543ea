"""`/MODULE/export.csv`: what the list shows, all rows, as a file for spreadsheets."""

import tempfile

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import FileIter, Response
from pyramid.view import view_config

from portal.records.reading.records import Query, Records
from portal.records.transfer.exporting import export_rows
from portal.views.lists.page import shown_request
from portal.web.resources import Module

IN_MEMORY = 1_000_000  # bytes; what is longer is kept in a file until it is sent


@view_config(context=Module, name="export.csv", request_method="GET", permission="export")
def export_list(module: Module, request: Request) -> Response:
    """The list that the address asks for, written to the end while the transaction is open."""
    records = module.records
    if not records.access.list.export:
        raise HTTPNotFound
    return csv_file(records, shown_request(records, request, request.GET).query, request)


def csv_file(records: Records, query: Query, request: Request) -> Response:
    """The records of a query, with the columns of the list."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by the server when it is sent
    for chunk in export_rows(records, query, records.access.list.columns or (), request.reader):
        file.write(chunk)
    length = file.tell()
    file.seek(0)
    day = request.reader.today.isoformat()
    return Response(
        app_iter=FileIter(file),
        content_type="text/csv",
        charset="utf-8",
        content_length=length,
        content_disposition=f'attachment; filename="{records.name}-{day}.csv"',
    )
