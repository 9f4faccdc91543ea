"""The conversation on a record: the comments, and the form in which one writes."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pyramid.request import Request

from portal.records.reading.files import StoredFile
from portal.records.writing.comments import Comment, comments, may_comment
from portal.records.writing.lifecycle import is_final, state_of
from portal.records.writing.pending_files import PendingFile
from portal.texts import _
from portal.views.attachments import shown_files, upload_input
from portal.views.displays import CHANNEL_ICONS, initials, moment
from portal.views.drafts import as_form, draft_form, draft_shown, drafts_of
from portal.views.linked_text import with_pictures
from portal.views.parts import Composer, Conversation, Note
from portal.views.submissions import one_time_key
from portal.views.uploads import held_attachments
from portal.web.addresses import record_address
from portal.web.form_input import posted_text
from portal.web.resources import Record


def draft_composer(resource: Record, request: Request) -> Composer | None:
    """The form for a comment, with this person's draft of it; None where one may not comment."""
    if not may_comment(resource.records):
        return None
    draft = drafts_of(request).get(comment_form(resource))
    if draft is None:
        return new_composer(resource, request)
    form = as_form(draft.content.inputs)
    internal = resource.records.policy.staff and form.get("internal") == "true"
    files = held_attachments(request, resource.records, form)
    composer = new_composer(resource, request, form.get("text", ""), internal, files=files)
    shown = draft_shown(draft, request.reader)
    return replace(composer, draft=draft_form(request, comment_form(resource), shown=shown))


def new_composer(
    resource: Record,
    request: Request,
    text: str = "",
    internal: bool = False,
    error: str = "",
    files: Iterable[PendingFile] = (),
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
        files=upload_input(resource.records, request, files),
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
    shown = tuple(shown_files(resource, request, attached))
    placed = {file.name: (file.url, file.preview_url) for file in shown if file.preview_url and mail}
    text = with_pictures(comment.text, placed)
    in_text = {piece.url for piece in text if piece.picture}
    return Note(
        id=comment.id,
        author=_("You") if mine else comment.author,
        initials=initials(comment.author),
        at=moment(comment.created, request.reader),
        text=text,
        mine=mine,
        internal=comment.internal,
        side=_("Support") if comment.staff else _("Customer"),
        channel=_("by email") if mail else "",
        channel_icon=CHANNEL_ICONS["mail"] if mail else "",
        files=tuple(file for file in shown if file.url not in in_text),
        folded=(comment.folded or "") if mine or resource.records.policy.staff else "",
    )
