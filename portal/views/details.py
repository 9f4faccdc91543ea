"""One record: its fields, its place in the lifecycle, the conversation, and the records that link to it."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from pyramid.request import Request
from pyramid.view import view_config

from portal.conditions import AnyOf, Comparison, always
from portal.declaration.shapes import Related, Transition
from portal.fields.linked import Linked
from portal.records.reading.records import Query, Records
from portal.records.writing.comments import Comment, comments, may_comment
from portal.records.writing.lifecycle import is_final, state_of
from portal.records.writing.transitions import open_transitions
from portal.texts import Text, _, readable
from portal.views.addresses import create_address, list_address, record_address
from portal.views.lists import LIST_COOKIE, counted, new_label, plain_column
from portal.views.lists import rows as list_rows
from portal.views.pages import DetailPage, RelatedList, SectionShown, Stage
from portal.views.parts import Action, Composer, Conversation, Note, Value
from portal.views.submissions import one_time_key
from portal.views.values import CHANNELS, initials, moment, shown
from portal.web.resources import Record

RELATED_ROWS = 10


@view_config(context=Record, name="", request_method="GET", renderer="detail.pt")
def show_record(resource: Record, request: Request) -> dict[str, Any]:
    """`/MODULE/ID/`"""
    return {"page": detail_page(resource, request)}


def detail_page(resource: Record, request: Request, typed: str = "", error: str = "") -> DetailPage:
    """The page of a record; `typed` and `error`: a comment that could not be taken."""
    records, record = resource.records, resource.record
    layout = records.access.detail
    return DetailPage(
        heading=record.title,
        about=about(resource),
        back_url=back_to_list(resource, request),
        actions=tuple(actions(resource)),
        stages=tuple(stages(resource)),
        sections=tuple(
            SectionShown(section.title or "", tuple(rows(resource, section.fields))) for section in layout.sections
        ),
        aside=tuple(value(resource, name) for name in layout.aside),
        conversation=thread(resource, request, typed, error) if records.module.comments else None,
        related=tuple(found for each in layout.related if (found := related(resource, each))),
    )


def value(resource: Record, name: str) -> Value:
    """One readable field of the record."""
    records = resource.records
    return shown(records.module.field(name), resource.record.values.get(name), records.policy.reader)


def rows(resource: Record, fields: Iterable[str | tuple[str, ...]]) -> Iterable[tuple[Value, ...]]:
    """The rows of a section."""
    for entry in fields:
        yield tuple(value(resource, name) for name in ([entry] if isinstance(entry, str) else entry))


def about(resource: Record) -> str:
    """The line above the heading: the reference, and who made the record when, as far as both may be read."""
    record, reader = resource.record, resource.records.policy.reader
    author, created = record.values.get("created_by"), record.values.get("created")
    if not created:
        return record.reference
    when = moment(created, reader).text
    if not author:
        return _("${reference} · opened on ${when}", mapping={"reference": record.reference, "when": when})
    return _(
        "${reference} · opened by ${author} on ${when}",
        mapping={"reference": record.reference, "author": str(author), "when": when},
    )


def back_to_list(resource: Any, request: Request) -> str:
    """The list as it was left: its search, filters, order and page."""
    left = parse_qsl(request.cookies.get(LIST_COOKIE, "")[:3000])
    return list_address(resource.module_name, left)


def actions(resource: Record) -> Iterable[Action]:
    """What the profile may do with the record as it stands."""
    records, record = resource.records, resource.record
    if records.policy.may(records.name, "edit"):
        yield Action(_("Edit"), record_address(records.name, record.id, "edit"), "pencil")
    for transition in open_transitions(records, record):
        url = record_address(records.name, record.id, "move", transition.name)
        asks = bool(transition.ask or transition.confirm)
        yield Action(
            label_of(transition), url, transition.icon or "", transition.tone or "", post=not asks, once=one_time_key()
        )
    if records.policy.may(records.name, "delete"):
        yield Action(_("Delete"), record_address(records.name, record.id, "delete"), "trash-2")


def label_of(transition: Transition) -> Text:
    """What a transition's button says."""
    return transition.label or readable(transition.name)


def stages(resource: Record) -> Iterable[Stage]:
    """The lifecycle's states in their order, up to the present one done."""
    lifecycle_of = resource.module.lifecycle
    if lifecycle_of is None or lifecycle_of.field not in resource.record.values:
        return
    offered = resource.module.field(lifecycle_of.field).offered
    here = list(offered).index(state) if (state := resource.record.values[lifecycle_of.field]) in offered else -1
    for index, option in enumerate(offered.values()):
        yield Stage(option.label, "current" if index == here else "done" if index < here else "")


def thread(resource: Record, request: Request, typed: str, error: str) -> Conversation:
    """The conversation, and where one writes as long as one may."""
    records, record = resource.records, resource.record
    final = is_final(records.module.lifecycle, state_of(records, record))
    may = may_comment(records)
    url = record_address(records.name, record.id, "comments")
    composer = Composer(
        url, one_time_key(), typed, error, may_be_internal=records.policy.staff, submit=_("Send"), draft=url
    )
    return Conversation(
        notes=tuple(note(request, comment) for comment in comments(records, record)),
        composer=composer if may and not final else None,
        closed=_("This conversation is closed.") if may and final else "",
        top=records.access.detail.comments != "bottom",
    )


def note(request: Request, comment: Comment) -> Note:
    """One comment as its reader sees it."""
    mine = comment.account is not None and comment.account == request.visitor.identity.account.id
    return Note(
        author=_("You") if mine else comment.author,
        initials=initials(comment.author),
        at=moment(comment.created, request.reader),
        text=comment.text,
        mine=mine,
        internal=comment.internal,
        side=_("Support") if comment.staff else _("Customer"),
        channel=_("by email") if comment.channel == "mail" else "",
        channel_icon=CHANNELS["mail"] if comment.channel == "mail" else "",
    )


def related(resource: Record, wanted: Related) -> RelatedList | None:
    """The records of another module that link here; None where the profile has no such module."""
    policy = resource.records.policy
    if policy.access(wanted.module) is None:
        return None
    records = resource.records.of(wanted.module)
    linking = links_to(records, resource.module_name)
    if not linking:
        return None
    here = Linked(resource.record.id, resource.module_name)
    query = Query(condition=AnyOf(tuple(Comparison((name,), "equal", here) for name in linking)), size=RELATED_ROWS)
    columns = [name for name in wanted.columns or records.access.list.columns if name in policy.readable(records.name)]
    names = [name for name in columns if name not in linking] or columns
    page, first = records.page(query, names), records.module.field(linking[0])
    filled = {linking[0]: first.link_value(here)}
    creates = policy.may(records.name, "create")
    return RelatedList(
        label=records.access.label,
        columns=tuple(plain_column(records, name) for name in names),
        rows=tuple(list_rows(records, page.rows, names)),
        count=counted(records.count(query), policy.reader),
        all_url=list_address(records.name, {**all_tabs(records), **filled}) if page.next else "",
        create_url=create_address(records.name, filled) if creates else "",
        create_label=new_label(records) if creates else "",
    )


def links_to(records: Records, target: str) -> list[str]:
    """The readable links of a module that lead to `target`."""
    readable_names = policy_readable(records)
    return [
        name
        for name, field in records.module.fields.items()
        if target in field.targets and not field.computed and name in readable_names
    ]


def policy_readable(records: Records) -> frozenset[str]:
    """What may be read of these records."""
    return records.policy.readable(records.name)


def all_tabs(records: Records) -> dict[str, str]:
    """The parameter for the first tab that leaves nothing out, so that “show all” shows all."""
    for name, tab in (records.access.list.tabs or {}).items():
        if always(tab.where):
            return {"tab": name}
    return {}
