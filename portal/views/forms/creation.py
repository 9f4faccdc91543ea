"""The form for a new record, on one page or step by step.

Each step has an address of its own: a POST saves the form as a draft and redirects to the next step, so that Back,
Forward, Reload and a bookmark work. Steps are counted from 0 in inputs and addresses.
"""

import contextlib
import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.view import view_config

from portal.accounts.drafts import Draft, DraftContent
from portal.conditions import ALWAYS, comparisons, special_word
from portal.fields.base import Field
from portal.fields.protocols import Form
from portal.fields.refused import Refused
from portal.records.reading.records import Records
from portal.records.reading.rows_as_records import RowRecords, rows_of
from portal.records.writing.defaults import defaults, follow_again, value_from_declaration
from portal.records.writing.follow_ups import can_be_followed_up, follow_up_field
from portal.records.writing.form_conditions import is_shown
from portal.records.writing.matching_values import without_mismatches
from portal.records.writing.validation import read_form, typed_columns
from portal.texts import _
from portal.views.forms.computed import check_computing, computed_in_form
from portal.views.forms.drafts import (
    KEY,
    as_form,
    draft_form,
    draft_key,
    drafts_of,
    form_name,
    page_of_form,
    posted_content,
    with_steps_of_draft,
)
from portal.views.forms.form_content import FormContent, inputs_of, posted_inputs
from portal.views.forms.form_page import DraftForm, FormPage
from portal.views.forms.line_buttons import form_after_button
from portal.views.forms.offers import with_titles
from portal.views.forms.sent_form import SentForm
from portal.views.forms.steps import (
    choices_made,
    fields_of_form,
    first_wrong_step,
    hidden_inputs,
    step_names,
    step_state,
)
from portal.views.forms.submissions import (
    FormAnswer,
    address_of_steps,
    errors_of,
    keep_address_of_steps,
    once_key,
    record_or_list,
    refused_form,
    response_if_repeated,
    response_when_done,
)
from portal.views.forms.suggested import suggestion_inputs
from portal.views.forms.widgets import form_rows
from portal.views.lists.list_navigation import back_to_list
from portal.views.parts import TitledLink
from portal.views.records.files import add_form_files
from portal.views.wording import new_label
from portal.web.addresses import compute_address, create_address, record_address
from portal.web.api import is_api_request
from portal.web.flash import set_flash
from portal.web.form_input import posted_text, whole_number
from portal.web.resources import Module


class CreateForm(SentForm):
    """The form for a new record in a request."""

    def __init__(self, module: Module, request: Request) -> None:
        self.module, self.layout = module, module.records.access.create
        self.steps = self.layout.steps or ()
        fields = fields_of_form(module.records, self.layout)
        self.followed = _hidden_follow_up(module.records, fields)
        if self.followed:
            fields.append(self.followed)
        known = defaults(module.records)
        super().__init__(request, module.records, fields, known, takes_attachments=self.layout.files)

    def read(self, form: Form) -> FormContent:
        """The content of `form`. A follow-up that the form does not show must be to a final record."""
        content = super().read(form)
        if self.followed is None:
            return content
        name = self.followed.name
        value = content.values[name] if can_be_followed_up(self.records, content.values[name]) else None
        errors = {field: error for field, error in content.errors.items() if field != name}
        return replace(content, values={**content.values, name: value}, errors=errors)

    def step_of(self, form: Mapping[str, Any], name: str) -> int | None:
        """A step's number from an input; None if missing or not a step."""
        text = form.get(name, "")
        step = whole_number(text) if isinstance(text, str) else None
        return step if step is not None and step < len(self.steps) else None


def _hidden_follow_up(records: Records, fields: Sequence[Field]) -> Field | None:
    """The link to the record that is followed up, if the layout does not ask for it."""
    field = follow_up_field(records)
    shown = field is None or any(field.name == other.name for other in fields)
    return None if field is None or shown else field.model_copy(update={"required": False})


@view_config(context=Module, name="create", request_method="GET", renderer="form.pt", permission="create")
def show_create_form(module: Module, request: Request) -> FormAnswer:
    """`GET /MODULE/create`: the form as it was left, or with values from profile, button and address."""
    form = CreateForm(module, request)
    key = request.GET.get("_draft", "")
    named = _named_draft(form, key)
    if named is None and form.steps and (sent := KEY.fullmatch(key) and address_of_steps(request, key)):
        return set_flash(request, HTTPSeeOther(sent), "sent-before")
    draft = named or drafts_of(request).newest(f"{module.module_name}/create/")
    if draft is None or (named is None and _is_prefilled(form)):
        return _create_page(form, initial_content(form, request.GET), 0, draft_key(""), draft)
    step = (named and form.step_of(request.GET, "_step")) or 0
    content = replace(form.read(as_form(draft.content.inputs)), errors={})
    return _create_page(form, content, step, draft.form.rpartition("/")[2], draft)


def _named_draft(form: CreateForm, key: str) -> Draft | None:
    return drafts_of(form.request).get(f"{form.records.name}/create/{key}") if KEY.fullmatch(key) else None


def _is_prefilled(form: CreateForm) -> bool:
    """Whether the address of a form contains values: then an older draft is offered, but does not replace them."""
    return "_button" in form.request.GET or any(field.has_input(form.request.GET) for field in form.fields)


def initial_content(form: CreateForm, prefilled: Form) -> FormContent:
    """The initial content of a form for a new record; `prefilled`: the values in its address."""
    records = form.records
    address = _with_row_defaults(records, form.fields, prefilled)
    by_button = _button_values(form)
    values = {**form.known, **by_button}
    typed = [field.name for field in form.fields if field.has_input(address)]
    # What cannot be read is shown again as it is, and so are rows, which may be only begun.
    unchanged = [field for field in form.fields if field.row_fields]
    if typed:  # most addresses contain no values
        given = read_form(records, form.fields, address, values)
        unchanged += [field for field in form.fields if field.name in typed and field.name in given.errors]
        values |= {name: given.values[name] for name in typed if name not in given.errors}
    chosen = {*address, *by_button}
    values = _showing(form, [*typed, *by_button], chosen, values)
    values = without_mismatches(records, follow_again(records, values, keep=chosen), given=chosen)
    if not is_api_request(form.request):
        values |= _whole_minutes([field for field in form.fields if field.name not in chosen], values)
    inputs = inputs_of(form.fields, values, form.request.reader) | posted_inputs(unchanged, address)
    return form.content(inputs, values)


def _whole_minutes(fields: Iterable[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """Defaults of a new record counted from now, as people would type them: an input with seconds shows them."""
    filled = [field.name for field in fields if special_word(field.default) == "now" and values.get(field.name)]
    moments = {name: values[name] for name in filled}
    with_seconds = datetime.datetime | datetime.time
    return {name: moment.replace(second=0) for name, moment in moments.items() if isinstance(moment, with_seconds)}


def _showing(
    form: CreateForm, given: Collection[str], chosen: Collection[str], values: Mapping[str, Any]
) -> dict[str, Any]:
    """The `values` of a new record, with those that show the fields that are `given`, where defaults would hide them.

    An order that is begun on the page of a service is one of a service, whatever the default is.
    """
    records, fields, values = form.records, {field.name: field for field in form.fields}, dict(values)
    for field in (field for field in form.fields if field.name in given):
        for comparison in comparisons(field.show_when or ALWAYS):
            controlling = fields.get(".".join(comparison.path))
            is_plain = comparison.operator in ("equal", "one_of") and not comparison.negated
            if not controlling or not is_plain or controlling.name in chosen or is_shown(records, field, values):
                continue
            names = [name for name in comparison.values if isinstance(name, str)]
            showing = [value_from_declaration(records, controlling, name) for name in names]
            if showing and values.get(controlling.name) not in showing:
                values[controlling.name] = showing[0]
    return values


def _with_row_defaults(records: Records, fields: Sequence[Field], address: Form) -> Form:
    """The values in a form's address, which may contain the start of rows; the rest of a row has its defaults."""
    inputs = posted_inputs(list(fields), address)
    for field in fields:
        if field.row_fields and field.has_input(address):
            of_rows = rows_of(records, field)
            for index, row in field.rows_in(address).items():
                inputs |= {f"{field.name}.{index}.{name}": text for name, text in _begun_row(of_rows, row).items()}
    return as_form(inputs)


def _begun_row(of_rows: RowRecords, row: Form) -> dict[str, Any]:
    """The inputs of a row begun in a form's address, and defaults for the rest. What cannot be read is left out."""
    reader, values, columns = of_rows.policy.reader, defaults(of_rows), of_rows.module.fields.values()
    given = [column for column in typed_columns(of_rows, new=True) if column.has_input(row)]
    rest = inputs_of([column for column in columns if column not in given], values, reader)
    inputs = {name: text for name, text in rest.items() if text}
    for column in given:
        with contextlib.suppress(Refused):
            inputs |= column.inputs(column.parse_form(row, reader), reader)
    return inputs


def _button_values(form: CreateForm) -> dict[str, Any]:
    records, name = form.records, form.request.GET.get("_button", "")
    profile, button = records.policy.profile, records.policy.declaration.buttons.get(name)
    if button is None or name not in profile.buttons or button.opens != f"{records.name}/create":
        return {}
    return {
        field: value_from_declaration(records, records.module.field(field), raw) for field, raw in button.set.items()
    }


@view_config(context=Module, name="create", request_method="POST", renderer="form.pt", permission="create")
def create_record(module: Module, request: Request) -> FormAnswer:
    """`POST /MODULE/create`: creates the record, or goes to the next or the previous step of its form."""
    form, name = CreateForm(module, request), form_name(request)
    form.receive_files()
    step, target = form.step_of(request.POST, "_step"), form.step_of(request.POST, "_to")
    posted = posted_content(request)
    if step is not None:
        posted = with_steps_of_draft(request, drafts_of(request), name, posted)
    changed = form_after_button(request, form.records, form.fields, posted)
    if changed is not None:
        return _posted_page(form, replace(form.read(changed), errors={}), step or 0)
    content = form.read(as_form(posted.inputs))
    if content.find_texts:
        return _posted_page(form, replace(content, errors={}), step or 0)
    if step is not None and target is None and step + 1 < len(form.steps):
        target = step + 1
    if step is not None and target is not None:
        return _change_step(form, content, replace(posted, step=step), target)
    if again := response_if_repeated(form.records, request):  # by then, unique values are already in use
        return again
    if content.errors:
        return _with_errors(form, content, content.errors)
    try:
        record_id = request.writer(form.records).create(form.values_of(content))
    except Refused as refused:  # by an existing table
        return _with_errors(form, content, errors_of(refused, form.fields))
    address = record_or_list(module, record_id, request)
    response = response_when_done(form.records, request, address)
    if form.steps:
        keep_address_of_steps(form.records, request, address)
    attached = replace(form.attached, files=content.pending)
    message = "created" if form.records.exists(record_id) else "given-away"
    return add_form_files(module, request, record_id, attached) or set_flash(request, response, message)


@view_config(context=Module, name="computed", request_method="POST", renderer="json", permission="create")
def compute_new(module: Module, request: Request) -> dict[str, Any]:
    """`POST /MODULE/computed`: the computed parts of the posted form for a new record. Nothing is stored."""
    check_computing(request)
    form, sent = CreateForm(module, request), as_form(posted_content(request).inputs)
    return computed_in_form(form.records, form.fields, sent, form.read(sent).values, {})


def _change_step(form: CreateForm, content: FormContent, posted: DraftContent, target: int) -> FormAnswer:
    """Answers Next and Back in a form with steps: forward only if the shown step is valid, back always."""
    names = step_names(form.steps[posted.step])
    wrong = {name: error for name, error in content.errors.items() if name.partition(".")[0] in names}
    if target > posted.step and wrong:
        return refused_form(form.request, _posted_page(form, replace(content, errors=wrong), posted.step))
    name = form_name(form.request)
    drafts_of(form.request).save(name, replace(posted, step=target))
    return HTTPSeeOther(page_of_form(name, target))


def _with_errors(form: CreateForm, content: FormContent, errors: Mapping[str, str]) -> FormAnswer:
    """The form again, at the first step with an error."""
    page = _posted_page(form, replace(content, errors=errors), first_wrong_step(form.layout, errors))
    return refused_form(form.request, page)


def _posted_page(form: CreateForm, content: FormContent, step: int) -> FormPage:
    """The page of a sent form for a new record that is shown again."""
    return _create_page(form, content, step, draft_key(posted_text(form.request, "_draft")))


# -- the page ----------------------------------------------------------------------------------------------------------


def _create_page(form: CreateForm, content: FormContent, step: int, key: str, draft: Draft | None = None) -> FormPage:
    """The form at one of its steps; `draft`: the one to mention, which is not always the one shown."""
    records, steps = form.records, form.steps
    fields = {field.name: field for field in form.fields}
    page = FormPage(
        heading=new_label(records),
        action=create_address(records.name),
        rows=form_rows(content, steps[step].fields if steps else form.layout.fields or (), fields),
        submit=_("Create"),
        back_url=back_to_list(form.module, form.request),
        back_label=_("Return to list"),
        once=once_key(form.request),
        draft=_draft_inputs(form, step, key, draft),
        files=form.upload_input(content),
        hidden=hidden_inputs(content, [form.followed] if form.followed else []),
        follows=_followed_by(form, content),
        compute_url=compute_address(records.name),
        suggestions=suggestion_inputs(records, step_names(steps[step]) if steps else set(fields), key),
    )
    if not steps:
        return page
    names = step_names(steps[step])
    return replace(
        page,
        hidden=hidden_inputs(content, [field for name, field in fields.items() if name not in names]),
        step=step,
        steps=tuple(step_state(number, step, declared) for number, declared in enumerate(steps)),
        choices=tuple(choices_made(content, steps[:step], fields)),
    )


def _followed_by(form: CreateForm, content: FormContent) -> TitledLink | None:
    """The record that the new one follows up, if the form does not ask for it."""
    value = content.values.get(form.followed.name) if form.followed else None
    if form.followed is None or not can_be_followed_up(form.records, value):
        return None
    link = with_titles(form.records, form.followed, value)
    return TitledLink(link.title, record_address(link.module, link.id))


def _draft_inputs(form: CreateForm, step: int, key: str, draft: Draft | None) -> DraftForm:
    """How drafts of the form for a new record are saved, and the draft that its page offers."""
    name = f"{form.records.name}/create/{key}"
    is_shown = draft is not None and draft.form == name and (draft.content.step == step or not form.steps)
    return draft_form(form.request, name, draft, key=key, continues=not is_shown)
