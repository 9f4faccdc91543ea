"""The form of an existing record. If there is a newer version, it shows what both sides changed, and stores nothing.

A person's own changes in the form are kept; the rest follows the record, whether the form is sent over a newer version
or restored from a draft.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pyramid.httpexceptions import HTTPConflict
from pyramid.request import Request
from pyramid.view import view_config

from portal.accounts.accounts import find_account_of_person
from portal.accounts.drafts import Draft
from portal.fields.base import Field
from portal.fields.refused import Refused
from portal.records.reading.records import Record as RecordRead
from portal.records.reading.records import Records
from portal.records.writing.errors import ConflictError
from portal.records.writing.lifecycle import editable_fields, is_final
from portal.texts import _
from portal.views.forms.computed import check_computing, computed_in_form
from portal.views.forms.drafts import as_form, draft_form, drafts_of, form_name, posted_content
from portal.views.forms.form_content import FormContent, inputs_of
from portal.views.forms.form_page import FormPage
from portal.views.forms.line_buttons import form_after_button
from portal.views.forms.merging import Basis, Merged, basis_of, conflict_of_changes, merge_changes, read_basis
from portal.views.forms.sent_form import SentForm
from portal.views.forms.steps import fields_of_form
from portal.views.forms.submissions import (
    FormAnswer,
    errors_of,
    once_key,
    record_or_list,
    refused_form,
    response_if_repeated,
    response_when_done,
)
from portal.views.forms.widgets import form_rows
from portal.views.records.files import add_form_files
from portal.views.wording import record_heading
from portal.web.flash import set_flash
from portal.web.form_input import posted_text, whole_number
from portal.web.resources import Record


class EditForm(SentForm):
    """The form of one existing record in a request. Raises HTTPConflict if the record is final."""

    def __init__(self, resource: Record, request: Request) -> None:
        self.resource, self.record = resource, resource.record
        records, record, layout = resource.records, resource.record, resource.records.access.edit
        fields = _with_sight_notes(request, records, editable_fields(records, record, fields_of_form(records, layout)))
        fields = _with_sign_in_note(records, record, fields)
        if not fields:
            raise HTTPConflict(_("This record is closed and can no longer be edited."))
        self.basis = basis_of(fields, record.values, record.version)
        takes_attachments = layout.files and not is_final(records, record)
        super().__init__(request, records, fields, record.values, record, takes_attachments=takes_attachments)


def _with_sign_in_note(records: Records, record: RecordRead, fields: list[Field]) -> list[Field]:
    """The fields of an edit form; for a person, the email field says that the sign-in address stays the same."""
    tables = records.policy.tables
    if records.name != tables.declaration.people or not any(field.holds_email for field in fields):
        return fields
    account = find_account_of_person(records.connection, tables, record.id)
    if account is None:
        return fields
    note = _("This does not change the sign-in address, ${email}.", mapping={"email": account.email})
    return [field.model_copy(update={"help": note}) if field.holds_email else field for field in fields]


def _with_sight_notes(request: Request, records: Records, fields: list[Field]) -> list[Field]:
    """The fields of an edit form; those that make the record visible to this person warn before it is given away."""
    deciding = records.policy.deciding_fields(records.name)
    reader, note = request.reader, _("With a different value here, you may no longer see this record.")
    noted = {
        field.name: " ".join(filter(None, (reader.text(field.help or ""), reader.text(note))))
        for field in fields
        if field.name in deciding
    }
    return [field.model_copy(update={"help": noted[field.name]}) if field.name in noted else field for field in fields]


@view_config(context=Record, name="edit", request_method="GET", renderer="form.pt", permission="edit")
def show_edit_form(resource: Record, request: Request) -> FormPage:
    """`GET /MODULE/ID/edit`: the form with the record's values, and with this person's draft."""
    form = EditForm(resource, request)
    draft = drafts_of(request).get(form_name(request))
    merged = draft and _merged_draft(form, draft)
    if draft is None or not merged or not merged.own:
        return _edit_page(form, _present_content(form), form.basis)
    page = _edit_page(form, replace(merged.content, errors={}), form.basis, draft)
    return replace(page, conflict=conflict_of_changes(form.record, form.fields, merged) if merged.contested else None)


@view_config(context=Record, name="edit", request_method="POST", renderer="form.pt", permission="edit")
def edit_record(resource: Record, request: Request) -> FormAnswer:
    """`POST /MODULE/ID/edit`: stores the fields that the form changes."""
    form = EditForm(resource, request)
    form.receive_files()
    basis = _posted_basis(request, form.record.version)
    changed = form_after_button(request, form.records, form.fields, posted_content(request))
    if changed is not None:
        return _edit_page(form, replace(form.read(changed), errors={}), basis)
    content = form.read(request.POST)
    if content.find_texts:
        return _edit_page(form, replace(content, errors={}), basis)
    # Internal fields change without a new version: a colleague's changes to them stay, or are in conflict.
    merged = (
        merge_changes(form.record, form.fields, content, basis)
        if basis.digests
        else Merged(content, frozenset(), frozenset())
    )
    older = basis.version != form.record.version or bool(merged.contested)
    if content.errors and not older:
        return refused_form(request, _edit_page(form, content, basis))
    if again := response_if_repeated(form.records, request):
        return again
    if older:
        return _refuse_older(form, basis, content)
    if refusal := _store_or_refuse(form, form.values_of(merged.content), basis, content):
        return refusal
    response = response_when_done(form.records, request, record_or_list(resource, form.record.id, request))
    message = "edited" if form.records.exists(form.record.id) else "given-away"
    return add_form_files(resource, request, form.record.id, form.attached) or set_flash(request, response, message)


def _store_or_refuse(
    form: EditForm, values: Mapping[str, Any], basis: Basis, content: FormContent
) -> FormAnswer | None:
    """Stores the values of an edit form; None on success, else the form again."""
    try:
        form.request.writer(form.records).edit(form.record, values, basis.version)
    except ConflictError:  # someone saved during this request
        return _refuse_older(form, basis, content)
    except Refused as refused:  # by an existing table
        wrong = replace(content, errors=errors_of(refused, form.fields))
        return refused_form(form.request, _edit_page(form, wrong, basis))
    return None


@view_config(context=Record, name="computed", request_method="POST", renderer="json", permission="edit")
def compute_edited(resource: Record, request: Request) -> dict[str, Any]:
    """`POST /MODULE/ID/computed`: the computed parts of a record's posted edit form. Nothing is stored."""
    check_computing(request)
    form, sent = EditForm(resource, request), as_form(posted_content(request).inputs)
    return computed_in_form(form.records, form.fields, sent, form.read(sent).values, form.record.values)


def _refuse_older(form: EditForm, basis: Basis, content: FormContent) -> FormPage:
    """Someone else saved first: stores nothing and shows the form again, based on the newer version."""
    merged = merge_changes(form.record, form.fields, content, basis)
    form.request.response.status_code = 409
    page = _edit_page(form, merged.content, form.basis)
    return replace(page, conflict=conflict_of_changes(form.record, form.fields, merged))


def _posted_basis(request: Request, present: int) -> Basis:
    """What a posted edit form was made from; by default the current version."""
    version = whole_number(posted_text(request, "_version"))
    return read_basis(posted_text(request, "_basis"), present if version is None else version)


# -- what is whose -----------------------------------------------------------------------------------------------------


def _merged_draft(form: EditForm, draft: Draft) -> Merged:
    """A draft of an edit form, applied to the current version of its record."""
    basis = read_basis(draft.content.basis, draft.content.version or form.record.version)
    return merge_changes(form.record, form.fields, form.read(as_form(draft.content.inputs)), basis)


# -- the page ----------------------------------------------------------------------------------------------------------


def _present_content(form: EditForm) -> FormContent:
    values = form.record.values
    return form.content(inputs_of(form.fields, values, form.request.reader), values)


def _edit_page(form: EditForm, content: FormContent, basis: Basis, draft: Draft | None = None) -> FormPage:
    """The page of the form that changes a record; `basis`: what it was made from."""
    records, record = form.records, form.record
    layout = records.access.edit
    rows = tuple(row for step in layout.steps for row in step.fields) if layout.steps else layout.fields or ()
    return FormPage(
        heading=_("Edit: ${title}", mapping={"title": record_heading(records, record)}),
        action=f"{form.resource.path}edit",
        rows=form_rows(content, rows, {field.name: field for field in form.fields}),
        submit=_("Save"),
        submit_icon="check",
        back_url=form.resource.path,
        back_label=_("Back"),
        once=once_key(form.request),
        version=str(basis.version),
        hidden=tuple((name, content.one(name)) for name in content.inputs if name.endswith(".later")),
        draft=draft_form(form.request, form_name(form.request), draft, basis=str(basis)),
        files=form.upload_input(content),
        compute_url=f"{form.resource.path}computed",
    )
