"""The conversation on a record: the comments, and the form for a new one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pyramid.request import Request

from portal.fields.linked_text import Piece, with_pictures
from portal.records.reading.comments import BEYOND, Comment, count_comments, newest_comments
from portal.records.reading.files import StoredFile
from portal.records.writing.comments import may_comment, may_correct
from portal.records.writing.form_keys import one_time_key
from portal.records.writing.lifecycle import is_final
from portal.records.writing.pending_files import PendingFile
from portal.texts import Words, _
from portal.views.displays import CHANNEL_ICONS, moment
from portal.views.forms.drafts import as_form, draft_form, drafts_of
from portal.views.forms.form_page import DraftForm, Offer, UploadInput
from portal.views.forms.uploads import pending_attachments, upload_input
from portal.views.parts import Moment
from portal.views.records.canned_answers import answers_offered
from portal.views.records.file_cards import FileShown, pictures_of, shown_files
from portal.views.wording import initials
from portal.web.form_input import posted_text
from portal.web.resources import Record

ON_PAGE = 50  # comments


@dataclass(frozen=True)
class Note:
    """One comment in the shown conversation."""

    id: int
    author: Words  # “You” for the reader
    initials: str
    at: Moment
    text: tuple[Piece, ...]
    mine: bool = False
    internal: bool = False
    side: Words = ""  # “Support”, “Customer”
    channel: Words = ""  # “by email”
    channel_icon: str = ""
    files: tuple[FileShown, ...] = ()
    folded: str = ""  # the quote and the signature of a mail
    corrected: bool = False
    edit_url: str = ""  # while its author may change and withdraw it
    withdraw_url: str = ""


@dataclass(frozen=True)
class Thread:
    """Comments, in the module's order."""

    notes: tuple[Note, ...]
    oldest_first: bool = False
    earlier_url: str = ""  # of earlier ones, if there are any

    @property
    def first_id(self) -> int:
        """The id of the oldest comment shown; 0 if no comment is older."""
        return min(note.id for note in self.notes) if self.earlier_url else 0


@dataclass(frozen=True)
class Composer:
    """The form for a new comment."""

    url: str
    once: str
    draft: DraftForm
    text: str = ""
    error: Words = ""
    may_be_internal: bool = False
    internal: bool = False
    only_internal: bool = False  # the record is final: no more messages to the customer
    files: UploadInput | None = None
    answers: tuple[Offer, ...] = ()  # canned answers, for staff
    answer_url: str = ""  # the address of their texts, for a script

    @property
    def prompt(self) -> Words:
        """The placeholder text of the form for a new comment."""
        return _("Write an internal note…") if self.only_internal else _("Write a comment…")


@dataclass(frozen=True)
class Conversation:
    """The card on the page of a record: the newest comments, and the form for a new one."""

    thread: Thread
    count: int  # of all comments
    composer: Composer | None = None  # if closed, it contains what was written too late
    closed: Words = ""  # why nothing can be written
    top: bool = True


def draft_composer(resource: Record, request: Request) -> Composer | None:
    """The form for a comment, with this person's draft; None if they may not comment."""
    if not may_comment(resource.records):
        return None
    draft = drafts_of(request).get(_comment_form(resource))
    if draft is None:
        return new_composer(resource, request)
    form = as_form(draft.content.inputs)
    internal = resource.records.policy.staff and form.get("internal") == "true"
    files = pending_attachments(request, resource.records, form)
    composer = new_composer(resource, request, form.get("text", ""), internal, files=files)
    return replace(composer, draft=draft_form(request, _comment_form(resource), draft))


def new_composer(
    resource: Record,
    request: Request,
    text: str = "",
    internal: bool = False,
    error: str = "",
    files: Iterable[PendingFile] = (),
) -> Composer:
    """The form for a comment, with its current input."""
    return Composer(
        url=f"{resource.path}comments",
        once=posted_text(request, "_once") or one_time_key(),
        draft=draft_form(request, _comment_form(resource)),
        text=text,
        error=error,
        may_be_internal=resource.records.policy.staff,
        internal=internal,
        files=upload_input(resource.records, request, files),
        answers=tuple(Offer(str(record_id), title) for record_id, title in answers_offered(resource.records)),
        answer_url=f"{resource.path}comments/answer",
    )


def _comment_form(resource: Record) -> str:
    """The name of the form for a comment (views/forms/drafts.py)."""
    return f"{resource.module_name}/{resource.record.id}/comments"


def conversation(
    resource: Record, request: Request, composer: Composer | None, stored: Sequence[StoredFile]
) -> Conversation:
    """The newest comments, and the form while the reader may comment; in a closed one, what was written too late.

    On a final record, staff may still write internal comments.
    """
    records, record = resource.records, resource.record
    closed = composer is not None and is_final(records, record)
    if composer and closed and records.policy.staff:
        composer = replace(composer, internal=True, only_internal=True, files=None)
    newest = shown_comments(resource, request, stored)
    return Conversation(
        thread=newest,
        count=count_comments(records, record) if newest.earlier_url else len(newest.notes),
        composer=composer,
        closed=_("This conversation is closed.") if closed else "",
        top=records.access.detail.comments != "bottom",
    )


def shown_comments(resource: Record, request: Request, stored: Sequence[StoredFile], before: int = BEYOND) -> Thread:
    """The newest comments, for a page, or those older than the id `before`.

    `stored`: the files of the record.
    """
    comments = newest_comments(resource.records, resource.record, ON_PAGE + 1, before)
    notes = [_note(resource, request, comment, stored) for comment in comments[:ON_PAGE]]
    earlier_url = _earlier_address(resource, before=notes[-1].id) if len(comments) > ON_PAGE else ""
    oldest_first = resource.module.conversation.order == "oldest"
    return Thread(tuple(reversed(notes) if oldest_first else notes), oldest_first, earlier_url)


def _earlier_address(resource: Record, before: int) -> str:
    return f"{resource.path}comments?before={before}"


def comment_address(resource: Record, comment_id: int) -> str:
    """The address of a comment: on the page of its record, or among the earlier ones."""
    is_on_page = count_comments(resource.records, resource.record, after=comment_id) < ON_PAGE
    page = resource.path if is_on_page else None
    return f"{page or _earlier_address(resource, before=comment_id + 1)}#comment-{comment_id}"


def _note(resource: Record, request: Request, comment: Comment, stored: Sequence[StoredFile]) -> Note:
    """A comment in the conversation as its reader sees it, with the record's files that belong to it."""
    attached = [file for file in reversed(stored) if file.comment == comment.id]
    mine = comment.account is not None and comment.account == request.visitor.identity.account.id
    mail = comment.channel == "mail"
    shown = tuple(shown_files(resource, request, attached))
    text = with_pictures(comment.text, pictures_of(resource, attached) if mail else {})
    in_text = {piece.url for piece in text if piece.picture}
    url = f"{resource.path}comments/{comment.id}"
    may = may_correct(resource.records, comment, request.writer(resource.records).author)
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
        corrected=comment.corrected is not None,
        edit_url=f"{url}/edit" if may else "",
        withdraw_url=f"{url}/withdraw" if may else "",
    )
