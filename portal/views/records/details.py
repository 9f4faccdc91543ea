"""One record: its fields and its place in the lifecycle, with the conversation, its files, and what links to it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyramid.request import Request
from pyramid.view import view_config

from portal.declaration.layout_shapes import Section
from portal.fields.linked_text import Pictures, with_pictures
from portal.records.reading.stored_events import stored_events
from portal.records.writing.follow_ups import follow_ups
from portal.texts import Words, _
from portal.views.access.access_card import AccessCard, access_card
from portal.views.access.company import company_card
from portal.views.administration.explaining import links_to_explaining
from portal.views.deadlines import with_time_left
from portal.views.displays import Value, moment, shown
from portal.views.lists.list_navigation import list_of_query, list_query, remember_place
from portal.views.parts import Action, TitledLink
from portal.views.records.buttons import record_buttons
from portal.views.records.conversation import Composer, Conversation, conversation, draft_composer
from portal.views.records.file_cards import FilesCard, files_card, pictures_of, record_files
from portal.views.records.history import History, history_card
from portal.views.records.related import RelatedList, related_lists
from portal.views.records.seen_and_hidden import RecordNews, record_news
from portal.views.records.stage_bar import StageBar, stage_bar
from portal.views.records.watching import Watchers, watchers_card
from portal.views.wording import record_heading, record_in_words, reference_in_words
from portal.web.addresses import record_address
from portal.web.resources import Record


@dataclass(frozen=True)
class SectionShown:
    title: Words
    rows: tuple[tuple[Value, ...], ...]  # the values in a row are next to each other

    @property
    def names_its_value(self) -> bool:
        """Whether the title already says the same as the label of its only value."""
        return [value.label for row in self.rows for value in row] == [self.title]


@dataclass(frozen=True)
class DetailPage:
    """detail.pt"""

    heading: str
    about: Words  # “TT1042 · opened by Maria Anders on 19 November, 09:12”
    back_url: str
    previous_url: str = ""  # in the list from which the record was opened
    next_url: str = ""
    pdf_url: str = ""
    actions: tuple[Action, ...] = ()  # edit, delete, transitions
    stage_bar: StageBar | None = None
    sections: tuple[SectionShown, ...] = ()
    aside: tuple[Value, ...] = ()
    conversation: Conversation | None = None
    files: FilesCard | None = None
    watchers: Watchers | None = None
    follow_ups: tuple[TitledLink, ...] = ()  # of a final record
    related: tuple[RelatedList, ...] = ()
    history: History | None = None
    access: AccessCard | None = None
    news: RecordNews | None = None
    workshop: tuple[Action, ...] = ()  # for administrators: who sees the record, and what its person sees


@view_config(context=Record, name="", request_method="GET", renderer="detail.pt")
def show_record(resource: Record, request: Request) -> DetailPage:
    """`GET /MODULE/ID/`: the page of a record."""
    remember_place(resource, request)
    return detail_page(resource, request, draft_composer(resource, request))


def detail_page(
    resource: Record, request: Request, composer: Composer | None, refused: Iterable[str] = ()
) -> DetailPage:
    """The page of a record.

    `composer`: the form for a comment, None if the reader may not comment; `refused`: a sentence per file not added.
    """
    records, record = resource.records, resource.record
    layout, stored, query = records.access.detail, record_files(resource), list_query(resource, request)
    events = stored_events(records, record) if records.module.lifecycle or layout.history else ()
    pictures = pictures_of(resource, [file for file in stored if file.comment is None])
    talk = conversation(resource, request, composer, stored) if records.module.comments else None
    return DetailPage(
        heading=record_heading(records, record),
        about=about_record(resource),
        back_url=list_of_query(records.name, query or ""),
        previous_url="" if query is None else f"{resource.path}previous",
        next_url="" if query is None else f"{resource.path}next",
        pdf_url=f"{resource.path}record.pdf",
        actions=tuple(record_buttons(resource)),
        stage_bar=stage_bar(resource, events),
        follow_ups=tuple(
            TitledLink(record_in_words(other), record_address(records.name, other.id))
            for other in follow_ups(records, record)
        ),
        sections=shown_sections(resource, pictures),
        aside=shown_aside(resource, pictures),
        conversation=talk,
        files=files_card(resource, request, stored, refused, talk.thread.first_id if talk else 0)
        if records.module.attachments
        else None,
        watchers=watchers_card(resource),
        related=tuple(related_lists(resource, layout.related or ())),
        history=history_card(resource, request, events),
        access=access_card(resource, request) or company_card(resource, request),
        news=record_news(resource, request),
        workshop=tuple(links_to_explaining(resource, request)),
    )


def shown_sections(resource: Record, pictures: Pictures) -> tuple[SectionShown, ...]:
    """The fields of the record by section, without sections that a condition hides; `pictures` are shown in long texts
    where a mail had them. Sections without a title that follow each other are one."""
    sections = list[SectionShown]()
    for section in _sections_to_show(resource):
        title, rows = section.title or "", tuple(_section_rows(resource, section.fields, pictures))
        if rows and sections and not title and not sections[-1].title:
            sections[-1] = SectionShown("", (*sections[-1].rows, *rows))
        elif rows:
            sections.append(SectionShown(title, rows))
    return tuple(sections)


def _sections_to_show(resource: Record) -> list[Section]:
    """The sections of a record's page without a condition, or with one that the record fulfills."""
    declared = resource.records.access.detail.sections or ()
    conditions = list(dict.fromkeys(section.show_when for section in declared if section.show_when is not None))
    numbers = resource.records.counts_among([resource.record.id], conditions)
    holds = dict(zip(conditions, numbers, strict=True))
    return [section for section in declared if section.show_when is None or holds[section.show_when]]


def shown_aside(resource: Record, pictures: Pictures) -> tuple[Value, ...]:
    """The fields in `aside` of a record's page, next to the others."""
    names = _present_fields(resource, resource.records.access.detail.aside or ())
    return tuple(_field_value(resource, name, pictures) for name in names)


def _field_value(resource: Record, name: str, pictures: Pictures) -> Value:
    records = resource.records
    field, record = records.module.field(name), resource.record
    value = shown(field, record.values.get(name), records.policy.reader)
    value = with_time_left(records, record, field, value)
    if value.display == "longtext" and value.text:
        return value._replace(display="linked_text", parts=with_pictures(value.text, pictures))
    return value


def _section_rows(
    resource: Record, fields: Iterable[str | tuple[str, ...]], pictures: Pictures
) -> Iterator[tuple[Value, ...]]:
    for entry in fields:
        names = _present_fields(resource, [entry] if isinstance(entry, str) else entry)
        if row := tuple(_field_value(resource, name, pictures) for name in names):
            yield row


def _present_fields(resource: Record, names: Iterable[str]) -> Iterator[str]:
    """Those of the fields that the page shows: a field that a condition hides in forms only if it has a value, and
    without what the line above the heading says."""
    above = _said_above(resource)
    for name in names:
        field = resource.module.field(name)
        if name in above:
            continue
        if field.show_when is None or not field.is_empty(resource.record.values.get(name)):
            yield name


def _said_above(resource: Record) -> set[str]:
    """The fields that the line above a record's heading uses (`about_record`)."""
    values = resource.record.values
    opened = ("created", "created_by") if values.get("created") else ()
    return {"reference", *(name for name in opened if values.get(name))}


def about_record(resource: Record) -> str:
    """The line above a record's heading: its reference, who created it and when, as far as both may be read."""
    record, reader = resource.record, resource.records.policy.reader
    author, created = record.values.get("created_by"), record.values.get("created")
    if not created:
        return reference_in_words(record)
    when = moment(created, reader).text
    if not author:
        return _("${reference} · opened on ${when}", mapping={"reference": record.reference, "when": when})
    return _(
        "${reference} · opened by ${author} on ${when}",
        mapping={"reference": record.reference, "author": str(author), "when": when},
    )
