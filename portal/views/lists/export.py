"""`/MODULE/export.csv` and `/MODULE/export.xlsx`: all records of the list as a file for spreadsheets."""

import os
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple, cast

from pyramid.httpexceptions import HTTPBadRequest, HTTPNotFound
from pyramid.request import Request
from pyramid.response import FileIter, Response
from pyramid.view import view_config

from portal.declaration.shapes import display_name
from portal.fields.base import Field
from portal.records.reading.records import Query, Records
from portal.records.transfer.exporting import ListExport, list_export
from portal.records.transfer.line_files import exported_list_rows
from portal.texts import Words, _
from portal.views.lists.filters import Parameters
from portal.views.lists.shown_list import ShownList, shown_list
from portal.views.parts import TitledLink
from portal.web.addresses import export_address
from portal.web.resources import Module

WRONG_FILTER = _("One of the filters is not valid. Correct it in the list, then export again.")
IN_MEMORY = 1_000_000  # bytes; longer content is kept in a file until it is sent


class FileKind(NamedTuple):
    """A kind of export file, with the label of its link and its content type."""

    suffix: str
    title: Words
    content_type: str


CSV = FileKind("csv", _("CSV file"), "text/csv; charset=utf-8")
KINDS = (
    FileKind("xlsx", _("Excel workbook"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    CSV,
)


def may_export(records: Records) -> bool:
    """Whether the list offers an export to this profile."""
    return bool(records.access.list.export) and records.policy.may(records.name, "export")


def exports(records: Records, parameters: Parameters) -> Iterator[TitledLink]:
    """The export links of a list: each kind of file for its records, and for the rows of `lines`."""
    reader, lines = records.policy.reader, _exported_lines(records)
    contents = [(display_name(records.access), list(parameters))]
    contents += [(field.title, [*parameters, ("_lines", field.name)]) for field in lines]
    for name, pairs in contents:
        for kind in KINDS:
            title = reader.text(kind.title)
            if lines:
                title = f"{reader.text(name)} · {title}"
            yield TitledLink(title, export_address(records.name, kind.suffix, pairs))


def _exported_lines(records: Records) -> list[Field]:
    """The `lines` fields whose rows the reader may export."""
    readable = records.policy.readable(records.name)
    return [field for field in records.module.lines if field.name in readable]


@view_config(context=Module, name="export.csv", request_method="GET", permission="export")
@view_config(context=Module, name="export.xlsx", request_method="GET", permission="export")
def export_list(module: Module, request: Request) -> Response:
    """`GET /MODULE/export.csv` and `/MODULE/export.xlsx`: the list that the address asks for; `_lines`: the field whose
    rows are written in the place of the records."""
    records = module.records
    if not records.access.list.export:
        raise HTTPNotFound
    suffix, shown = request.view_name.removeprefix("export."), shown_list(records, request, request.GET)
    query = query_to_export(shown)
    if "_lines" not in request.GET:
        return list_file(shown, query, request, suffix)
    field = next((field for field in _exported_lines(records) if field.name == request.GET["_lines"]), None)
    if field is None:
        raise HTTPNotFound
    export = exported_list_rows(records, field, query, request.reader)
    # The name tells the import whose rows they are.
    name = f"{_file_name(records, request)}_{field.name}"
    return _file(export, name, field.title, request, suffix)


def query_to_export(shown: ShownList) -> Query:
    """All records of a list. Raises HTTPNotFound and HTTPBadRequest if they would be more than requested: if a view is
    gone, or a filter has an error."""
    if shown.lost:
        raise HTTPNotFound
    if shown.request.has_errors:
        raise HTTPBadRequest(WRONG_FILTER)
    return shown.request.query


def list_file(shown: ShownList, query: Query, request: Request, suffix: str) -> Response:
    """The exported list of a query as a file, with the columns of the list."""
    records = shown.records
    export = list_export(records, query, shown.columns, request.reader)
    return _file(export, _file_name(records, request), display_name(records.access), request, suffix)


def _file_name(records: Records, request: Request) -> str:
    return f"{records.name}-{request.reader.today.isoformat()}"


def _file(export: ListExport, name: str, title: Words, request: Request, suffix: str) -> Response:
    """A file of an exported list to download, written completely while the transaction is open."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by the server when it is sent
    if suffix == CSV.suffix:
        file.writelines(export.csv_file())
    else:
        export.write_workbook(cast(BinaryIO, file), request.reader.text(title))
    content_type = next(kind.content_type for kind in KINDS if kind.suffix == suffix)
    return downloaded(file, f"{name}.{suffix}", content_type)


def downloaded(file: Any, name: str, content_type: str) -> Response:
    """A completely written file, as a response that browsers save under `name`."""
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    response = Response(
        app_iter=FileIter(file), content_length=length, content_disposition=f'attachment; filename="{name}"'
    )
    response.content_type = content_type
    return response
