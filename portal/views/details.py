"""One record: its fields, its place in the lifecycle, the conversation, and the records that link to it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from pyramid.request import Request
from pyramid.view import view_config

from portal.conditions import AnyOf, Comparison
from portal.declaration.shapes import Related, Transition
from portal.fields.base import Field
from portal.fields.linked import Linked
from portal.records.reading import records as reading
from portal.records.reading.files import StoredFile
from portal.records.reading.records import Query, Records
from portal.records.writing.comments import Comment, comments, may_comment
from portal.records.writing.history import states_before
from portal.records.writing.lifecycle import editable_fields, is_final, state_of
from portal.records.writing.transitions import open_transitions
from portal.records.writing.validation import names_in, typed_fields
from portal.texts import Text, _, readable
from portal.views.attachments import files_card, record_files, shown_files, upload_input
from portal.views.displays import CHANNEL_ICONS, Value, initials, moment, shown
from portal.views.drafts import as_form, draft_form, draft_shown, drafts_of
from portal.views.linked_text import linked_text
from portal.views.lists import count_text, list_rows, new_label, plain_column, widest_tab
from portal.views.pages import DetailPage, RelatedList, SectionShown, Stage, StageState
from portal.views.parts import Action, Composer, Conversation, Note
from portal.views.return_to_list import back_to_list
from portal.views.submissions import one_time_key
from portal.web.addresses import create_address, list_address, record_address
from portal.web.form_input import posted_text
from portal.web.resources import Record
from portal.web.shell import Words

RELATED_ROWS = 10


@view_config(context=Record, name="", request_method="GET", renderer="detail.pt")
def show_record(resource: Record, request: Request) -> dict[str, DetailPage]:
    """`/MODULE/ID/`"""
    return {"page": detail_page(resource, request, draft_composer(resource, request))}


def detail_page(
    resource: Record, request: Request, composer: Composer | None, refused: Iterable[str] = ()
) -> DetailPage:
    """The page of a record.

    `composer`: the form for a comment, None where one may not comment; `refused`: one sentence per file not added.
    """
    records, record = resource.records, resource.record
    layout, stored = records.access.detail, record_files(resource)
    return DetailPage(
        heading=record_heading(records, record),
        about=about(resource),
        back_url=back_to_list(resource, request),
        actions=tuple(actions(resource)),
        stages=tuple(stages(resource)),
        sections=tuple(
            SectionShown(section.title or "", tuple(section_rows(resource, section.fields)))
            for section in layout.sections or ()
        ),
        aside=tuple(field_value(resource, name) for name in layout.aside or ()),
        conversation=conversation(resource, request, composer, stored) if records.module.comments else None,
        files=files_card(resource, request, stored, refused) if records.module.attachments else None,
        related=tuple(related_lists(resource, layout.related or ())),
    )


def record_heading(records: Records, record: reading.Record) -> str:
    """The title; after what the record is where the title alone is a reference or a number: “Order 10248”."""
    if record.title != record.reference and any(character.isalpha() for character in record.title):
        return record.title
    return f"{records.policy.reader.text(records.access.singular)} {record.title}"


def field_value(resource: Record, name: str) -> Value:
    """One readable field of the record."""
    records = resource.records
    value = shown(records.module.field(name), resource.record.values.get(name), records.policy.reader)
    if value.display == "longtext" and value.text:
        return value._replace(display="linked_text", parts=linked_text(value.text))
    return value


def section_rows(resource: Record, fields: Iterable[str | tuple[str, ...]]) -> Iterator[tuple[Value, ...]]:
    """The rows of a section."""
    for entry in fields:
        yield tuple(field_value(resource, name) for name in ([entry] if isinstance(entry, str) else entry))


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


def actions(resource: Record) -> Iterator[Action]:
    """What the profile may do with the record in its present state."""
    records, record = resource.records, resource.record
    if may_edit(resource):
        yield Action(_("Edit"), record_address(records.name, record.id, "edit"), "pencil")
    for transition in open_transitions(records, record):
        yield transition_action(records.name, record.id, transition)
    if records.policy.may(records.name, "delete"):
        yield Action(_("Delete"), record_address(records.name, record.id, "delete"), "trash-2")


def may_edit(resource: Record) -> bool:
    """Whether there is something of the record that the profile may edit; of a final one only internal fields are."""
    records, record = resource.records, resource.record
    if not records.policy.may(records.name, "edit"):
        return False
    return bool(editable_fields(records, record, typed_fields(records, names_in(records.access.edit))))


def transition_action(module: str, record_id: int, transition: Transition) -> Action:
    """A button that moves the record at once where the transition asks nothing, else leads to what it asks."""
    return Action(
        label=transition_label(transition),
        url=record_address(module, record_id, "move", transition.name),
        icon=transition.icon or "",
        tone=transition.tone or "",
        post=not (transition.ask or transition.confirm),
        once=one_time_key(),
    )


def transition_label(transition: Transition) -> Text:
    """What a transition's button says."""
    return transition.label or readable(transition.name)


def stages(resource: Record) -> Iterator[Stage]:
    """The stages of the lifecycle; those before the present one are done if the record was in them.

    A state beside the stages stands behind the last one that the record was in, and the others are not reached.
    """
    lifecycle = resource.module.lifecycle
    if lifecycle is None or lifecycle.field not in resource.record.values:
        return
    way, present = lifecycle.stages or (), resource.record.values[lifecycle.field]
    before = [state for state in states_before(resource.records, resource.record) if state in way]
    field, aside = resource.module.field(lifecycle.field), bool(present) and present not in way
    place = way.index(present) if present in way else way.index(before[-1]) + 1 if before and present else 0
    for index, state in enumerate(way):
        if aside and index == place:
            yield Stage(stage_label(field, present), "aside")
        done = index < place and state in before
        ahead: StageState = "unreached" if aside else ""
        yield Stage(stage_label(field, state), "current" if state == present else "done" if done else ahead)
    if aside and place == len(way):
        yield Stage(stage_label(field, present), "aside")


def stage_label(field: Field, state: str) -> Words:
    """The label of a state; one that was taken out of the options keeps its name."""
    return field.offered[state].label if state in field.offered else state


# -- the conversation --------------------------------------------------------------------------------------------------


def draft_composer(resource: Record, request: Request) -> Composer | None:
    """The form for a comment, with this person's draft of it; None where one may not comment."""
    if not may_comment(resource.records):
        return None
    draft = drafts_of(request).get(comment_form(resource))
    if draft is None:
        return new_composer(resource, request)
    form = as_form(draft.content.inputs)
    internal = resource.records.policy.staff and form.get("internal") == "true"
    composer = new_composer(resource, request, form.get("text", ""), internal)
    shown = draft_shown(draft, request.reader)
    return replace(composer, draft=draft_form(request, comment_form(resource), shown=shown))


def new_composer(
    resource: Record, request: Request, text: str = "", internal: bool = False, error: str = ""
) -> Composer:
    """The form for a comment, with what was written into it."""
    return Composer(
        url=record_address(resource.module_name, resource.record.id, "comments"),
        once=posted_text(request, "_once") or one_time_key(),
        draft=draft_form(request, comment_form(resource)),
        text=text,
        error=error,
        may_be_internal=resource.records.policy.staff,
        internal=internal,
        files=upload_input(resource.records, request),
    )


def comment_form(resource: Record) -> str:
    """The name of the form for a comment (views/drafts.py)."""
    return f"{resource.module_name}/{resource.record.id}/comments"


def conversation(
    resource: Record, request: Request, composer: Composer | None, stored: Sequence[StoredFile]
) -> Conversation:
    """The comments, and where one writes as long as one may; in a closed one what was written too late.

    Of a final record staff may still write internal comments.
    """
    records, record = resource.records, resource.record
    closed = composer is not None and is_final(records.module.lifecycle, state_of(records, record))
    if composer and closed and records.policy.staff:
        composer = replace(composer, internal=True, only_internal=True, files=None)
    return Conversation(
        notes=tuple(note(resource, request, comment, stored) for comment in comments(records, record)),
        composer=composer,
        closed=_("This conversation is closed.") if closed else "",
        top=records.access.detail.comments != "bottom",
    )


def note(resource: Record, request: Request, comment: Comment, stored: Sequence[StoredFile]) -> Note:
    """One comment as its reader sees it, with those of the record's files that came with it."""
    attached = [file for file in reversed(stored) if file.comment == comment.id]
    mine = comment.account is not None and comment.account == request.visitor.identity.account.id
    mail = comment.channel == "mail"
    return Note(
        id=comment.id,
        author=_("You") if mine else comment.author,
        initials=initials(comment.author),
        at=moment(comment.created, request.reader),
        text=linked_text(comment.text),
        mine=mine,
        internal=comment.internal,
        side=_("Support") if comment.staff else _("Customer"),
        channel=_("by email") if mail else "",
        channel_icon=CHANNEL_ICONS["mail"] if mail else "",
        files=tuple(shown_files(resource, request, attached)),
    )


# -- related lists -----------------------------------------------------------------------------------------------------


def related_lists(resource: Record, layout: Iterable[Related]) -> Iterator[RelatedList]:
    """The records of other modules that link here, as far as the profile has those modules."""
    for related in layout:
        if resource.records.policy.access(related.module) is not None:
            records = resource.records.of(related.module)
            if linking := linking_fields(records, resource.module_name):
                yield related_list(resource, records, related, linking)


def related_list(resource: Record, records: Records, related: Related, linking: list[str]) -> RelatedList:
    """The newest of the `records` that link here by one of the fields `linking`."""
    policy = records.policy
    here = Linked(resource.record.id, resource.module_name)
    query = Query(condition=AnyOf(tuple(Comparison((name,), "equal", here) for name in linking)), size=RELATED_ROWS)
    columns = related_columns(records, related, linking)
    page = records.page(query, columns)
    in_form = names_in(records.access.create) if policy.may(records.name, "create") else ()
    filled = next((name for name in linking if name in in_form), None)
    return RelatedList(
        label=records.access.label or records.name,
        columns=tuple(plain_column(records, name) for name in columns),
        rows=tuple(list_rows(records, page.records, columns)),
        count=count_text(records.count(query), policy.reader),
        all_url=list_of_linking(records, linking, here) if page.next else "",
        create_url=create_address(records.name, {filled: link_value(records, filled, here)}) if filled else "",
        create_label=new_label(records),
    )


def list_of_linking(records: Records, linking: list[str], here: Linked) -> str:
    """The list of all records that link to `here`; empty where the reader may not filter by a field that does."""
    readable_names = records.policy.readable(records.name)
    name = next((name for name in linking if name in readable_names), None)
    if name is not None:
        return list_address(records.name, {**widest_tab(records), f"{name}.id": link_value(records, name, here)})
    reader = records.policy.reader
    mine = {reader.people: [reader.person], reader.organizations: reader.companies}.get(here.module, ())
    # What is the reader's own is the whole list, for who sees nothing else.
    return list_address(records.name, widest_tab(records)) if here.id in mine else ""


def link_value(records: Records, name: str, here: Linked) -> str:
    """`here` as the input of a link has it."""
    return records.module.field(name).link_value(here)


def related_columns(records: Records, related: Related, linking: list[str]) -> list[str]:
    """The declared columns, else those of the module's list, without the fields that lead back here."""
    readable_names = records.policy.readable(records.name)
    columns = [name for name in related.columns or records.access.list.columns or () if name in readable_names]
    return [name for name in columns if name not in linking] or columns


def linking_fields(records: Records, target: str) -> list[str]:
    """The links of a module that lead to `target`: readable ones, and those that say whose a record is."""
    module = records.module
    allowed = {*records.policy.readable(records.name), module.owner, module.organization}
    return [
        name
        for name, field in module.fields.items()
        if target in field.targets and not field.computed and name in allowed
    ]
