"""`/MODULE/ID/record.pdf`: a record as a document to send or to file, in the look of the portal.

It contains the fields that its page shows its reader, and the conversation. Documents are passed on: so it contains
nothing internal, whoever makes it: no internal fields, columns or comments.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from portal.colors import palette
from portal.fields.base import Field
from portal.records.reading.comments import Comment, newest_public_comments
from portal.records.reading.files import StoredFile, file
from portal.store.store import StoreError
from portal.texts import Words, _
from portal.views.displays import Value, moment
from portal.views.records.details import SectionShown, about_record, shown_aside, shown_sections
from portal.views.records.file_cards import pictures_of, record_files
from portal.views.records.files import disposition
from portal.views.wording import record_heading, reference_in_words
from portal.web.resources import Record

log = logging.getLogger(__name__)

MOST_COMMENTS = 500  # half a second, some fifty pages


@dataclass(frozen=True)
class PdfComment:
    """One comment."""

    author: str
    about: str  # “Support · 29 Nov 2026, 17:05”
    text: str
    files: tuple[str, ...]  # the names of the files that belong to it


@dataclass(frozen=True)
class PdfPage:
    """record.typ; `earlier` says that comments are left out; the template adds page numbers."""

    portal: Words
    logo: bytes
    accent: str
    ink: str  # the text color, in the hue of the accent
    language: str
    direction: str  # ltr | rtl
    kind: Words  # “Order”
    heading: str
    about: Words
    aside: tuple[Value, ...]
    sections: tuple[SectionShown, ...]
    comments: tuple[PdfComment, ...]
    pictures: Mapping[str, bytes]  # thumbnails by file address
    made: Words
    total: Words
    conversation: Words
    numbering: Words
    earlier: Words = ""


@view_config(context=Record, name="record.pdf", request_method="GET", renderer="record.typ")
def record_as_pdf(resource: Record, request: Request) -> PdfPage:
    """`GET /MODULE/ID/record.pdf`: the record as a PDF, named by its reference."""
    shown = _without_internal(resource)
    stored = [stored for stored in record_files(shown) if not stored.internal]
    pictures = pictures_of(shown, [stored for stored in stored if stored.comment is None])
    aside = tuple(value for value in shown_aside(shown, pictures) if not value.empty)
    sections = tuple(_filled(shown_sections(shown, pictures)))
    name = reference_in_words(shown.record) or f"{resource.module_name}-{shown.record.reference}"
    request.response.content_disposition = disposition("attachment", f"{name}.pdf")
    settings, assets = request.portal.declaration.settings, request.portal.assets
    talks = resource.module.comments
    comments = newest_public_comments(shown.records, shown.record, MOST_COMMENTS + 1) if talks else []
    values = (value for row in (aside, *(row for section in sections for row in section.rows)) for value in row)
    return PdfPage(
        portal=settings.name,
        logo=assets.get(assets.logo).body,
        accent=settings.accent,
        ink=palette(settings.accent).light_ink,
        language=request.reader.language,
        direction=request.reader.locale.text_direction,
        kind=shown.access.singular or "",
        heading=record_heading(shown.records, shown.record),
        about=about_record(shown),
        aside=aside,
        sections=sections,
        comments=tuple(_comment(comment, stored, request) for comment in reversed(comments[:MOST_COMMENTS])),
        pictures=dict(_pictures(shown, request, values)),
        made=_("Generated on ${when}", mapping={"when": moment(request.now, request.reader).text}),
        total=_("Total"),
        conversation=_("Comments"),
        numbering=_("Page ${page} of ${pages}"),
        earlier=_("Earlier comments are in the portal.") if len(comments) > MOST_COMMENTS else "",
    )


def _without_internal(resource: Record) -> Record:
    """The record in a PDF without internal fields."""
    fields = ((name, resource.module.field(name), value) for name, value in resource.record.values.items())
    values = {name: _without_columns(field, value) for name, field, value in fields if not field.internal}
    return Record(resource.__parent__, resource.__name__, resource.record._replace(values=values))


def _without_columns(field: Field, value: Any) -> Any:
    """A value in a record's PDF; for `lines`, without internal columns."""
    hidden = {name for name, column in field.row_fields.items() if column.internal}
    if not hidden or not value:
        return value
    return tuple(
        replace(row, values={name: shown for name, shown in row.values.items() if name not in hidden}) for row in value
    )


def _filled(sections: Iterable[SectionShown]) -> Iterator[SectionShown]:
    """The sections of a PDF without empty values: a dash is useful where a page can be filled in, but not on paper."""
    for section in sections:
        rows = (tuple(value for value in row if not value.empty) for row in section.rows)
        if filled := tuple(row for row in rows if row):
            yield SectionShown(section.title, filled)


def _comment(comment: Comment, stored: Iterable[StoredFile], request: Request) -> PdfComment:
    side = request.reader.text(_("Support") if comment.staff else _("Customer"))
    at = moment(comment.created, request.reader)
    return PdfComment(
        author=comment.author,
        about=f"{side} · {at.text}",
        text=comment.text,
        files=tuple(file.name for file in stored if file.comment == comment.id),
    )


def _pictures(resource: Record, request: Request, values: Iterable[Value]) -> Iterator[tuple[str, bytes]]:
    """The thumbnails of the pictures in a record's PDF, by address."""
    values = [one for value in values for one in (value.parts if value.display == "files" else (value,))]
    urls = [value.url for value in values if value.display == "image"]
    urls += [piece.url for value in values if value.display == "linked_text" for piece in value.parts if piece.picture]
    for url in dict.fromkeys(urls):
        stored = file(resource.records, resource.record, int(url.rpartition("/")[2]))
        try:
            if stored and stored.preview:
                yield url, b"".join(request.store.read(stored.preview))
        except StoreError as error:
            log.warning("A picture is missing in a PDF: %s", error)
