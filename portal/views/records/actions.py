"""The actions of buttons on one record: transitions, deletion."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pyramid.httpexceptions import HTTPConflict, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts.drafts import Draft
from portal.declaration.shapes import Transition, display_name, leaves
from portal.fields.base import Field
from portal.fields.refused import Refused
from portal.records.reading.records import Records
from portal.records.writing.comments import transition_comment_problem
from portal.records.writing.errors import ConflictError
from portal.records.writing.form_conditions import is_shown
from portal.records.writing.lifecycle import is_final, state_of, transition_fields, values_after
from portal.texts import _
from portal.views.displays import Value, shown
from portal.views.forms.drafts import as_form, draft_form, drafts_of, form_name, posted_content
from portal.views.forms.form_content import FormContent, inputs_of
from portal.views.forms.form_page import FormRow, QuestionPage, Widget
from portal.views.forms.line_buttons import form_after_button
from portal.views.forms.sent_form import SentForm
from portal.views.forms.submissions import (
    errors_of,
    once_key,
    record_or_list,
    refused_form,
    response_if_repeated,
    response_when_done,
)
from portal.views.forms.widgets import WIDGETS, widget
from portal.views.lists.list_navigation import back_to_list
from portal.views.records.comments import posted_comment
from portal.views.wording import record_in_words
from portal.web.flash import set_flash
from portal.web.resources import Record, RecordTransition

# -- transitions -------------------------------------------------------------------------------------------------------


class TransitionForm(SentForm):
    """The questions of a transition of a record, in a request."""

    def __init__(self, resource: RecordTransition, request: Request) -> None:
        self.resource, self.record, self.transition = resource, resource.record, resource.transition
        records, record, transition = resource.records, resource.record, resource.transition
        fields, known = transition_fields(records, transition, record), values_after(records, record.values, transition)
        self.asks_comment = "comment" in transition.ask
        super().__init__(request, records, fields, known, record, takes_attachments=self.asks_comment)

    @property
    def shown_inputs(self) -> dict[str, Any]:
        """The inputs with the record's current values."""
        return inputs_of(self._shown_fields, self.record.values, self.request.reader)

    @property
    def _shown_fields(self) -> list[Field]:
        return [field for field in self.fields if not WIDGETS[field.widget].starts_empty]

    def answers(self, content: FormContent, given: Iterable[str] = ()) -> dict[str, Any]:
        """The answers in `content`; `given`: fields whose empty answer is intended, in addition to those shown."""
        shown = {field.name for field in self._shown_fields if field.name in self.record.values}
        return given_answers(self.records, self.fields, content.values, {*shown, *given})


@view_config(context=RecordTransition, name="", request_method="GET", renderer="question.pt")
def show_transition(resource: RecordTransition, request: Request) -> QuestionPage | Response:
    """`GET /MODULE/ID/move/TRANSITION`: the questions of the transition, or its confirmation. If the record's state
    does not allow it, as after the browser's Back button, redirects to the record."""
    form = TransitionForm(resource, request)
    draft = drafts_of(request).get(form_name(request))
    if draft:
        inputs = as_form(draft.content.inputs)
        content = replace(form.read(inputs), errors={})
        return _transition_page(form, content, inputs.get("comment", ""), draft)
    if not leaves(form.transition, state_of(form.records, form.record)):
        return set_flash(request, HTTPSeeOther(resource.record_resource.path), "moved-on")
    return _transition_page(form, form.content(form.shown_inputs, form.known), "")


@view_config(context=RecordTransition, name="", request_method="POST", renderer="question.pt")
def move_record(resource: RecordTransition, request: Request) -> QuestionPage | Response:
    """`POST /MODULE/ID/move/TRANSITION`: moves the record with the answers."""
    form = TransitionForm(resource, request)
    records, record, transition = form.records, form.record, form.transition
    form.receive_files()
    text = posted_comment(request, "comment") if form.asks_comment else ""
    changed = form_after_button(request, records, form.fields, posted_content(request))
    content = form.read(request.POST if changed is None else changed)
    if changed is not None or content.find_texts:
        return _transition_page(form, replace(content, errors={}), text)
    if problem := transition_comment_problem(transition, text, bool(form.attached.files)):
        content = replace(content, errors={**content.errors, "comment": problem})
    if content.errors or form.attached.refused:
        return refused_form(request, _transition_page(form, content, text))
    if again := response_if_repeated(records, request):
        return again
    try:
        request.writer(records).move(record, transition, form.answers(content), text, form.attached.files)
    except ConflictError:
        raise HTTPConflict(_("The status of this record has changed since you opened it.")) from None
    except Refused as refused:  # by an existing table, or because a value it sets is unique
        content = replace(content, errors=errors_of(refused, form.fields))
        page = _transition_page(form, content, text)
        return refused_form(request, page if content.errors else replace(page, error=refused.message))
    return set_flash(
        request,
        response_when_done(records, request, record_or_list(resource.record_resource, record.id, request)),
        "moved",
    )


def given_answers(
    records: Records, fields: Iterable[Field], values: Mapping[str, Any], was_shown: Container[str]
) -> dict[str, Any]:
    """The answers in the form of a transition. An empty one keeps the record's value, unless the question `was_shown`
    with it.
    """

    def is_given(field: Field) -> bool:
        value = values[field.name]
        return value is not False and not field.is_empty(value)

    return {
        field.name: values[field.name]
        for field in fields
        if field.name in was_shown or is_given(field) or not is_shown(records, field, values)
    }


def _transition_page(
    form: TransitionForm, content: FormContent, comment: str, draft: Draft | None = None
) -> QuestionPage:
    """The question of a transition; a comment may come with files."""
    transition, request, resource = form.transition, form.request, form.resource.record_resource
    widgets = [widget(content, field) for field in form.fields]
    if form.asks_comment:
        widgets.append(comment_widget(transition, comment, content.errors.get("comment", "")))
    return QuestionPage(
        heading=display_name(transition),
        subject=record_in_words(form.record),
        action=f"{resource.path}move/{transition.name}",
        submit=display_name(transition),
        back_url=resource.path,
        text=transition.confirm or "",
        states=tuple(_states_of(form.resource, request)),
        rows=tuple(FormRow((widget,)) for widget in widgets),
        tone=transition.tone or "primary",
        icon=transition.icon or "",
        once=once_key(request),
        files=form.upload_input(content),
        draft=draft_form(request, form_name(request), draft),
    )


def _states_of(resource: RecordTransition, request: Request) -> Iterator[Value]:
    """The states before and after a transition; empty if the reader may not read them, or if they are the same."""
    name, values = resource.record_resource.module.state_field, resource.record.values
    if name is None or name not in values or values[name] == resource.transition.to:
        return
    field = resource.record_resource.module.field(name)
    for state in (values[name], resource.transition.to):
        yield shown(field, state, request.reader)


def comment_widget(transition: Transition, text: str, error: str) -> Widget:
    """The input for the comment that a transition asks for."""
    required = transition.ask["comment"] == "required"
    return Widget("comment", _("Comment"), "textarea", value=text, required=required, error=error)


# -- deleting ----------------------------------------------------------------------------------------------------------


@view_config(context=Record, name="delete", request_method="GET", renderer="question.pt", permission="delete")
def show_delete(resource: Record, request: Request) -> QuestionPage:
    """`GET /MODULE/ID/delete`: the question whether to delete the record."""
    return _delete_page(resource, request, "")


@view_config(context=Record, name="delete", request_method="POST", renderer="question.pt", permission="delete")
def delete_record(resource: Record, request: Request) -> QuestionPage | Response:
    """`POST /MODULE/ID/delete`: deletes the record, unless other records still need it."""
    if again := response_if_repeated(resource.records, request):
        return again
    try:
        request.writer(resource.records).delete(resource.record)
    except Refused as refused:
        return refused_form(request, _delete_page(resource, request, refused.message))
    return set_flash(request, response_when_done(resource.records, request, back_to_list(resource, request)), "deleted")


def _delete_page(resource: Record, request: Request, error: str) -> QuestionPage:
    """The question whether to delete a record. A final one may be deleted too, and the question says it is final."""
    records, record = resource.records, resource.record
    final = is_final(records, record)
    return QuestionPage(
        heading=_("Delete this record?"),
        subject=record_in_words(record),
        action=f"{resource.path}delete",
        submit=_("Delete"),
        back_url=resource.path,
        text=_("This record is closed. Deleting it cannot be undone.") if final else _("This cannot be undone."),
        tone="bad",
        icon="trash-2",
        once=once_key(request),
        error=error,
    )
