"""Comments on a record: written, changed and withdrawn by their authors, with files and with canned answers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pyramid.httpexceptions import HTTPConflict
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.records.reading.comments import BEYOND
from portal.records.writing.comments import comment_problem, correction_problem
from portal.records.writing.errors import ConflictError
from portal.records.writing.pending_files import PendingFile
from portal.texts import _, is_blank
from portal.views.forms.form_page import FormRow, QuestionPage, Widget
from portal.views.forms.submissions import once_key, refused_form, response_if_repeated, response_when_done
from portal.views.forms.uploads import receive_files
from portal.views.records.canned_answers import answer_text
from portal.views.records.conversation import Thread, comment_address, new_composer, shown_comments
from portal.views.records.details import DetailPage, detail_page
from portal.views.records.file_cards import record_files
from portal.views.records.files import remove_bytes
from portal.views.records.history import start_of_history
from portal.views.wording import record_in_words
from portal.web.flash import set_flash
from portal.web.form_input import posted_text
from portal.web.resources import Record, RecordComment, RecordComments

INSERT = "_insert"  # the button that inserts a canned answer into the comment, without JavaScript


@dataclass(frozen=True)
class CommentsPage:
    """comments.pt: comments that no longer fit on the page of their record."""

    about: str  # “TT1042 · Printer on floor 2”
    back_url: str
    thread: Thread


@view_config(context=RecordComments, name="", request_method="GET", renderer="comments.pt")
def show_comments(context: RecordComments, request: Request) -> CommentsPage:
    """`GET /MODULE/ID/comments`: a part of the conversation; `before`: the id that it ends before."""
    resource = context.record_resource
    record = resource.record
    return CommentsPage(
        about=record_in_words(record),
        back_url=resource.path,
        thread=shown_comments(resource, request, record_files(resource), start_of_history(request) or BEYOND),
    )


@view_config(context=RecordComments, name="", request_method="POST", renderer="detail.pt", permission="comment")
def comment_on_record(context: RecordComments, request: Request) -> DetailPage | Response:
    """`POST /MODULE/ID/comments`: adds a comment with its files, and returns to the page, which shows it."""
    resource = context.record_resource
    records = resource.records
    text = posted_comment(request, "text")
    internal = records.policy.staff and posted_text(request, "internal") == "true"
    attached = receive_files(request, records).attached
    if INSERT in request.POST:
        text = "\n\n".join(filter(None, (text, answer_text(records, posted_text(request, "_answer")))))
        composer = new_composer(resource, request, text, internal, files=attached.files)
        return detail_page(resource, request, composer, attached.refused)
    if problem := comment_problem(text, required=not attached.files):
        composer = new_composer(resource, request, text, internal, problem, attached.files)
        return refused_form(request, detail_page(resource, request, composer, attached.refused))
    if again := response_if_repeated(records, request):
        return again
    add_comment_and_files(resource, request, text, attached.files, internal)
    response = response_when_done(records, request, resource.path)
    if attached.refused:
        return detail_page(resource, request, new_composer(resource, request), attached.refused)
    return set_flash(request, response, "commented")


def add_comment_and_files(
    resource: Record, request: Request, text: str, attached: Sequence[PendingFile], internal: bool
) -> int:
    """Adds a comment and its files; returns its id. Raises HTTPConflict on a final record."""
    writer = request.writer(resource.records)
    try:
        comment_id = writer.comment(resource.record, text, internal=internal)
        if attached:
            writer.attach(resource.record, attached, comment_id=comment_id)
    except ConflictError:
        raise HTTPConflict(_("This conversation is closed.")) from None
    return comment_id


# -- corrections -------------------------------------------------------------------------------------------------------


@view_config(context=RecordComment, name="edit", request_method="GET", renderer="question.pt", permission="comment")
def show_correction(resource: RecordComment, request: Request) -> QuestionPage:
    """`GET /MODULE/ID/comments/COMMENT/edit`: the form in which an author corrects a comment."""
    return _correction_page(resource, request, resource.comment.text)


@view_config(context=RecordComment, name="edit", request_method="POST", renderer="question.pt", permission="comment")
def correct_comment(resource: RecordComment, request: Request) -> QuestionPage | Response:
    """`POST /MODULE/ID/comments/COMMENT/edit`: changes the text of a comment; one with files may have none."""
    records = resource.records
    text = posted_comment(request, "text")
    if problem := correction_problem(records, resource.record, resource.comment, text):
        return refused_form(request, _correction_page(resource, request, text, problem))
    if again := response_if_repeated(records, request):
        return again
    save_correction(resource, request, text)
    address = comment_address(resource.record_resource, resource.comment.id)
    return set_flash(request, response_when_done(records, request, address), "corrected")


@view_config(context=RecordComment, name="withdraw", request_method="GET", renderer="question.pt", permission="comment")
def show_withdrawal(resource: RecordComment, request: Request) -> QuestionPage:
    """`GET /MODULE/ID/comments/COMMENT/withdraw`: the question whether to withdraw a comment."""
    text = _("The comment and its files will be removed. The history will only say that you withdrew a comment.")
    page = replace(_comment_question(resource, request, "withdraw"), heading=_("Withdraw this comment?"), text=text)
    return replace(page, submit=_("Withdraw"), tone="bad", icon="undo-2")


@view_config(context=RecordComment, name="withdraw", request_method="POST", permission="comment")
def withdraw_comment(resource: RecordComment, request: Request) -> Response:
    """`POST /MODULE/ID/comments/COMMENT/withdraw`: removes the comment and its files."""
    records = resource.records
    if again := response_if_repeated(records, request):
        return again
    withdraw(resource, request)
    return set_flash(request, response_when_done(records, request, resource.record_resource.path), "withdrawn")


def save_correction(resource: RecordComment, request: Request, text: str) -> None:
    """Stores the corrected text of a comment."""
    if text != resource.comment.text:
        request.writer(resource.records).correct(resource.record, resource.comment, text)


def withdraw(resource: RecordComment, request: Request) -> None:
    """Removes a comment and its files."""
    remove_bytes(request, request.writer(resource.records).withdraw(resource.record, resource.comment))


def _correction_page(resource: RecordComment, request: Request, text: str, error: str = "") -> QuestionPage:
    box = Widget("text", _("Comment"), "textarea", value=text, required=True, error=error)
    page = _comment_question(resource, request, "edit")
    return replace(page, heading=_("Change your comment"), submit=_("Save"), rows=(FormRow((box,)),), icon="check")


def _comment_question(resource: RecordComment, request: Request, name: str) -> QuestionPage:
    return QuestionPage(
        heading="",
        subject=record_in_words(resource.record),
        action=f"{resource.path}{name}",
        submit="",
        back_url=comment_address(resource.record_resource, resource.comment.id),
        once=once_key(request),
    )


# -- shared parts ------------------------------------------------------------------------------------------------------


def posted_comment(request: Request, name: str) -> str:
    """The comment in the input `name`; "" if none of it is visible."""
    return visible_text(posted_text(request, name))


def visible_text(text: str) -> str:
    """A sent comment without surrounding space; "" if none of it is visible."""
    return "" if is_blank(text) else text.strip()
