"""Creating and editing a record: one page or step by step. What was typed stays, whatever is wrong with it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.declaration.shapes import FormLayout, Step
from portal.fields.base import Field
from portal.fields.linked import Linked
from portal.records.reading.records import Records
from portal.records.writing.defaults import declared_value, defaults
from portal.records.writing.errors import ConflictError
from portal.records.writing.validation import Filled, names_in, read_form, typed_fields
from portal.texts import _
from portal.views.addresses import create_address, record_address
from portal.views.details import back_to_list
from portal.views.displays import moment
from portal.views.lists import new_label
from portal.views.pages import FormPage
from portal.views.parts import Choice, Conflict, Difference, StepState
from portal.views.submissions import done, one_time_key, repeated
from portal.views.widgets import Filling, form_rows, inputs_of, posted_inputs
from portal.web.flash import set_flash
from portal.web.form_input import posted_text
from portal.web.resources import Module, Record

FIND = "_find."
FormAnswer: TypeAlias = dict[str, FormPage] | Response


# -- creating ----------------------------------------------------------------------------------------------------------


@view_config(context=Module, name="create", request_method="GET", renderer="form.pt", permission="create")
def show_create_form(module: Module, request: Request) -> dict[str, FormPage]:
    """The form for a new record, with defaults, a button's values and those of the address filled in."""
    records = module.records
    fields = form_fields(records, records.access.create)
    values = initial_values(records, request)
    inputs = inputs_of(fields, values, request.reader) | posted_inputs(fields, request.GET)
    given = read_form(records, fields, request.GET, values).values
    values |= {name: value for name, value in given.items() if name in request.GET}
    return {"page": create_page(module, request, Filling(records, inputs, values), 0)}


@view_config(context=Module, name="create", request_method="POST", renderer="form.pt", permission="create")
def create_record(module: Module, request: Request) -> FormAnswer:
    """One step further, back, or the record itself."""
    records = module.records
    layout = records.access.create
    fields = form_fields(records, layout)
    known = defaults(records.connection, records.policy, records.module)
    filled = read_form(records, fields, request.POST, known)
    inputs, values = posted_inputs(fields, request.POST), {**known, **filled.values}
    filling = Filling(records, inputs, values, finds=finds(request))
    steps = layout.steps or ()
    step, target = step_of(request.POST, "_step", steps), step_of(request.POST, "_to", steps)
    if filling.finds:
        return {"page": create_page(module, request, filling, step or 0)}
    if step is not None and target is None and step + 1 < len(steps):
        target = step + 1
    if step is not None and target is not None:
        return change_step(module, request, filling, filled, step, target)
    if filled.errors:
        request.response.status_code = 422
        first = first_wrong_step(layout, filled.errors)
        return {"page": create_page(module, request, replace(filling, errors=filled.errors), first)}
    if again := repeated(records, request):
        return again
    record_id = request.writer(records).create(filled.values)
    return set_flash(request, done(records, request, record_or_list(module, record_id, request)), "created")


def change_step(
    module: Module, request: Request, filling: Filling, filled: Filled, step: int, target: int
) -> FormAnswer:
    """Forward only when the shown step is right; back always, with everything that was typed."""
    names = step_names((module.records.access.create.steps or ())[step])
    errors = {name: error for name, error in filled.errors.items() if name in names}
    if target > step and errors:
        request.response.status_code = 422
        return {"page": create_page(module, request, replace(filling, errors=errors), step)}
    return {"page": create_page(module, request, filling, target)}


def initial_values(records: Records, request: Request) -> dict[str, Any]:
    """The values that a new form starts with."""
    values = defaults(records.connection, records.policy, records.module)
    name = request.GET.get("_button", "")
    if name in (records.policy.profile.home.buttons or ()):
        for field, raw in records.policy.declaration.buttons[name].set.items():
            values[field] = declared_value(records.connection, records.policy, records.module.field(field), raw)
    return values


# -- editing -----------------------------------------------------------------------------------------------------------


@view_config(context=Record, name="edit", request_method="GET", renderer="form.pt", permission="edit")
def show_edit_form(resource: Record, request: Request) -> dict[str, FormPage]:
    """The form with what the record holds."""
    records, record = resource.records, resource.record
    inputs = inputs_of(form_fields(records, records.access.edit), record.values, request.reader)
    filling = Filling(records, inputs, record.values, stored=record.values)
    return {"page": edit_page(resource, request, filling, record.version)}


@view_config(context=Record, name="edit", request_method="POST", renderer="form.pt", permission="edit")
def edit_record(resource: Record, request: Request) -> FormAnswer:
    """Stores what differs; over a newer version it shows both and stores nothing."""
    records, record = resource.records, resource.record
    fields = form_fields(records, records.access.edit)
    filled = read_form(records, fields, request.POST, record.values, record.id)
    version = posted_version(request, record.version)
    inputs, values = posted_inputs(fields, request.POST), {**record.values, **filled.values}
    filling = Filling(records, inputs, values, filled.errors, finds(request), stored=record.values)
    if filling.finds:
        return {"page": edit_page(resource, request, replace(filling, errors={}), version)}
    if filled.errors:
        request.response.status_code = 422
        return {"page": edit_page(resource, request, filling, version)}
    if again := repeated(records, request):
        return again
    try:
        request.writer(records).edit(record, filled.values, version)
    except ConflictError:
        request.response.status_code = 409
        page = edit_page(resource, request, filling, record.version)
        return {"page": replace(page, conflict=conflict(resource, filling, fields))}
    return set_flash(request, done(records, request, record_or_list(resource, record.id, request)), "edited")


def posted_version(request: Request, present: int) -> int:
    """The version of the record that the form was made from; the present one where the form names none."""
    text = posted_text(request, "_version")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else present


def conflict(resource: Record, filling: Filling, fields: list[Field]) -> Conflict:
    """Who saved first and when, and what differs from what this person typed."""
    record, reader = resource.record, resource.records.policy.reader
    author, at = record.values.get("modified_by"), record.values.get("modified") or reader.now
    differences = tuple(
        difference(resource.records, field, filling.values.get(field.name), record.values.get(field.name))
        for field in fields
        if filling.values.get(field.name) != record.values.get(field.name)
    )
    return Conflict(str(author) if author else _("Someone"), moment(at, reader), differences)


def difference(records: Records, field: Field, yours: Any, theirs: Any) -> Difference:
    """One field of which two people have different values."""
    reader = records.policy.reader
    return Difference(field.title, field.show(with_titles(records, field, yours), reader), field.show(theirs, reader))


# -- the page ----------------------------------------------------------------------------------------------------------


def create_page(module: Module, request: Request, filling: Filling, step: int) -> FormPage:
    """The form for a new record at one of its steps."""
    records = module.records
    layout, fields = records.access.create, fields_by_name(records, records.access.create)
    steps = layout.steps or ()
    page = FormPage(
        heading=new_label(records),
        action=create_address(records.name),
        rows=form_rows(filling, steps[step].fields if steps else layout.fields or (), fields),
        submit=_("Create"),
        back_url=back_to_list(module, request),
        back_label=_("Return to list"),
        once=once_key(request),
        draft=f"{records.name}/create",
    )
    if not steps:
        return page
    names = step_names(steps[step])
    return replace(
        page,
        hidden=hidden_inputs(filling, [field for name, field in fields.items() if name not in names]),
        step=step,
        steps=tuple(step_state(number, step, declared) for number, declared in enumerate(steps)),
        choices=tuple(choices_made(filling, steps[:step], fields)),
    )


def edit_page(resource: Record, request: Request, filling: Filling, version: int) -> FormPage:
    """The form of an existing record; `version`: the one that it was made from."""
    records, record = resource.records, resource.record
    layout, fields = records.access.edit, fields_by_name(records, records.access.edit)
    rows = tuple(row for step in layout.steps for row in step.fields) if layout.steps else layout.fields or ()
    return FormPage(
        heading=_("Edit: ${title}", mapping={"title": record.title}),
        action=record_address(records.name, record.id, "edit"),
        rows=form_rows(filling, rows, fields),
        submit=_("Save"),
        submit_icon="check",
        back_url=record_address(records.name, record.id),
        back_label=_("Back"),
        once=once_key(request),
        version=str(version),
        hidden=tuple((name, value) for name, value in filling.inputs.items() if name.endswith(".later")),
        draft=f"{records.name}/{record.id}/edit",
    )


def form_fields(records: Records, layout: FormLayout) -> list[Field]:
    """The fields that a form asks for."""
    return typed_fields(records, names_in(layout))


def fields_by_name(records: Records, layout: FormLayout) -> dict[str, Field]:
    """The same by their names."""
    return {field.name: field for field in form_fields(records, layout)}


def step_names(step: Step) -> set[str]:
    """The fields of one step."""
    return set(names_in(FormLayout(fields=step.fields)))


def once_key(request: Request) -> str:
    """The form's one-time key, the same while it is shown again."""
    return posted_text(request, "_once") or one_time_key()


def record_or_list(resource: Any, record_id: int, request: Request) -> str:
    """Where a saved form leads: to the record, or to the list where its author cannot see it."""
    if resource.records.exists(record_id):
        return record_address(resource.module_name, record_id)
    return back_to_list(resource, request)


def finds(request: Request) -> dict[str, str]:
    """Without JavaScript: what to find in a link with many records, when the button beside it was pressed."""
    pressed = posted_text(request, "_find")
    return {pressed: posted_text(request, FIND + pressed)} if pressed else {}


# -- steps -------------------------------------------------------------------------------------------------------------


def step_of(form: Mapping[str, str], name: str, steps: tuple[Step, ...]) -> int | None:
    """A step's number from the form; None for none, and for what is no step."""
    text = form.get(name, "")
    digits = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 5
    return int(text) if digits and int(text) < len(steps) else None


def step_state(number: int, present: int, step: Step) -> StepState:
    """A step beside the present one."""
    state: Literal["done", "current", ""] = "current" if number == present else "done" if number < present else ""
    return StepState(step.title or _("Step ${number}", mapping={"number": number + 1}), state)


def hidden_inputs(filling: Filling, fields: list[Field]) -> tuple[tuple[str, str], ...]:
    """What the other steps hold, as hidden inputs."""
    names = [name for field in fields for name in field.inputs(None, filling.records.policy.reader)]
    return tuple((name, value) for name in names for value in filling.many(name) if value)


def choices_made(filling: Filling, earlier: tuple[Step, ...], fields: Mapping[str, Field]) -> list[Choice]:
    """What the earlier steps decided, in words."""
    records, choices = filling.records, []
    for number, step in enumerate(earlier):
        for field in (fields[name] for name in names_in(FormLayout(fields=step.fields)) if name in fields):
            value = with_titles(records, field, filling.values.get(field.name))
            if text := field.show(value, records.policy.reader):
                choices.append(Choice(field.title, text, number))
    return choices


def with_titles(records: Records, field: Field, value: Any) -> Any:
    """A value of a form; its links, which a form knows by id alone, with their titles, as far as they may be seen."""
    if isinstance(value, Linked):
        return with_title(records, value)
    if field.multiple and value and isinstance(value[0], Linked):
        return tuple(with_title(records, link) for link in value)
    return value


def with_title(records: Records, link: Linked) -> Linked:
    """The link with the title of its record."""
    if link.title or not records.policy.access(link.module):
        return link
    rows = records.of(link.module).by_ids([link.id], [])
    return replace(link, title=rows[0].title) if rows else link


def first_wrong_step(layout: FormLayout, errors: Mapping[str, str]) -> int:
    """The first step in which something is wrong."""
    wrong = (number for number, step in enumerate(layout.steps or ()) if step_names(step) & set(errors))
    return next(wrong, 0)
