"""Creating and editing a record: one page or step by step. Nothing typed is lost, whatever is wrong with it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.declaration.shapes import FormLayout
from portal.fields.base import Field
from portal.fields.linked import Linked
from portal.records.reading.records import Record as RecordRow
from portal.records.reading.records import Records
from portal.records.writing.defaults import declared_value, defaults
from portal.records.writing.errors import ConflictError
from portal.records.writing.validation import Filled, names_in, read_form, typed_fields
from portal.texts import _
from portal.views.addresses import record_address
from portal.views.details import back_to_list
from portal.views.lists import new_label
from portal.views.pages import FormPage
from portal.views.parts import Choice, Difference, StepState
from portal.views.parts import Conflict as ConflictShown
from portal.views.submissions import done, one_time_key, repeated
from portal.views.values import moment
from portal.views.widgets import Filling, rows, typed
from portal.web.flash import set_flash
from portal.web.form_input import posted_text
from portal.web.resources import Module, Record

FIND = "_find."


@view_config(context=Module, name="create", request_method="GET", renderer="form.pt", permission="create")
def new_record(module: Module, request: Request) -> dict[str, Any]:
    """The form for a new record, with defaults, a button's values and those of the address filled in."""
    records = module.records
    fields = form_fields(records, records.access.create)
    values = prefilled(records, request)
    inputs = {
        name: value for each in fields for name, value in each.inputs(values.get(each.name), request.reader).items()
    }
    inputs |= typed(fields, request.GET)
    values |= {
        name: value
        for name, value in read_form(records, fields, request.GET, values).values.items()
        if name in request.GET
    }
    return {"page": create_page(module, request, Filling(records, inputs, values), 0)}


@view_config(context=Module, name="create", request_method="POST", renderer="form.pt", permission="create")
def create_record(module: Module, request: Request) -> dict[str, Any] | Response:
    """One step further, back, or the record itself."""
    records = module.records
    fields = form_fields(records, records.access.create)
    steps = records.access.create.steps or ()
    here, to = step_of(request.POST, "_step", len(steps)), step_of(request.POST, "_to", len(steps))
    if here is not None and to is None and here + 1 < len(steps):
        to = here + 1
    known = defaults(records.connection, records.policy, records.module)
    filled = read_form(records, fields, request.POST, known)
    filling = Filling(records, typed(fields, request.POST), {**known, **filled.values}, looked_for=looked_for(request))
    if here is not None and to is not None:
        return next_step(module, request, filling, filled, here, to)
    if filling.looked_for:
        return {"page": create_page(module, request, filling, here or 0)}
    if filled.errors:
        request.response.status_code = 422
        wrong = first_wrong(records.access.create, filled.errors)
        return {"page": create_page(module, request, replace(filling, errors=filled.errors), wrong)}
    if again := repeated(records, request):
        return again
    identity = request.writer(records).create(filled.values)
    address = record_address(records.name, identity) if records.exists(identity) else back_to_list(module, request)
    return set_flash(request, done(records, request, address), "created")


def next_step(module: Module, request: Request, filling: Filling, filled: Filled, here: int, to: int) -> dict[str, Any]:
    """Forward only when what is shown is right; back always, with everything that was typed."""
    shown = set(names_in(FormLayout(fields=module.records.access.create.steps[here].fields)))
    errors = {name: error for name, error in filled.errors.items() if name in shown}
    if to > here and errors:
        request.response.status_code = 422
        return {"page": create_page(module, request, replace(filling, errors=errors), here)}
    return {"page": create_page(module, request, filling, to)}


@view_config(context=Record, name="edit", request_method="GET", renderer="form.pt", permission="edit")
def change_record(resource: Record, request: Request) -> dict[str, Any]:
    """The form of a record as it stands."""
    records, record = resource.records, resource.record
    fields = form_fields(records, records.access.edit)
    inputs = {
        name: value
        for each in fields
        for name, value in each.inputs(record.values.get(each.name), request.reader).items()
    }
    filling = Filling(records, inputs, record.values, kept=record.values)
    return {"page": edit_page(resource, request, filling, record.version)}


@view_config(context=Record, name="edit", request_method="POST", renderer="form.pt", permission="edit")
def edit_record(resource: Record, request: Request) -> dict[str, Any] | Response:
    """Stores what differs; over a newer version it shows both and stores nothing."""
    records, record = resource.records, resource.record
    fields = form_fields(records, records.access.edit)
    filled = read_form(records, fields, request.POST, record.values, record.id)
    version = posted_text(request, "_version")
    read = int(version) if version.isdecimal() and len(version) < 19 else record.version
    values, looked = {**record.values, **filled.values}, looked_for(request)
    filling = Filling(records, typed(fields, request.POST), values, filled.errors, looked, kept=record.values)
    if filling.looked_for:
        return {"page": edit_page(resource, request, replace(filling, errors={}), read)}
    if filled.errors:
        request.response.status_code = 422
        return {"page": edit_page(resource, request, filling, read)}
    if again := repeated(records, request):
        return again
    try:
        request.writer(records).edit(record, filled.values, read)
    except ConflictError:
        return conflict(resource, request, filling, fields)
    here = records.exists(record.id)
    address = record_address(records.name, record.id) if here else back_to_list(resource, request)
    return set_flash(request, done(records, request, address), "edited")


def conflict(resource: Record, request: Request, filling: Filling, fields: list[Field]) -> dict[str, Any]:
    """Somebody saved first: what both wrote, and the form again, which now stands on the newer version."""
    record, reader = resource.record, request.reader
    differences = []
    for each in fields:
        mine, theirs = filling.values.get(each.name), record.values.get(each.name)
        if mine != theirs:
            mine = titled(resource.records, each, mine)
            differences.append(Difference(each.title, each.show(mine, reader), each.show(theirs, reader)))
    who, at = record.values.get("modified_by"), record.values.get("modified") or reader.now
    shown = ConflictShown(str(who) if who else _("Someone"), moment(at, reader), tuple(differences))
    request.response.status_code = 409
    page = edit_page(resource, request, filling, record.version)
    return {"page": replace(page, conflict=shown)}


# -- the page ----------------------------------------------------------------------------------------------------------


def create_page(module: Module, request: Request, filling: Filling, step: int) -> FormPage:
    """The form for a new record at one of its steps."""
    records = module.records
    layout, fields = records.access.create, {each.name: each for each in form_fields(records, records.access.create)}
    steps = layout.steps or ()
    page = FormPage(
        heading=new_label(records),
        action=f"/{records.name}/create",
        rows=rows(filling, steps[step].fields if steps else layout.fields, fields),
        submit=_("Create"),
        back_url=back_to_list(module, request),
        back_label=_("Return to list"),
        once=once_key(request),
        draft=f"{records.name}/create",
    )
    if not steps:
        return page
    shown = set(names_in(FormLayout(fields=steps[step].fields)))
    return replace(
        page,
        hidden=hidden(filling, [each for name, each in fields.items() if name not in shown]),
        step=step,
        steps=tuple(
            StepState(each.title or _("Step ${number}", mapping={"number": number + 1}), number, stage(number, step))
            for number, each in enumerate(steps)
        ),
        choices=tuple(decided(filling, layout, fields, step)),
    )


def edit_page(resource: Record, request: Request, filling: Filling, version: int) -> FormPage:
    """The form of an existing record."""
    records, record = resource.records, resource.record
    layout, fields = records.access.edit, {each.name: each for each in form_fields(records, records.access.edit)}
    steps = layout.steps or ()
    entries = tuple(row for step in steps for row in step.fields) if steps else layout.fields
    return FormPage(
        heading=_("Edit: ${title}", mapping={"title": record.title}),
        action=record_address(records.name, record.id, "edit"),
        rows=rows(filling, entries, fields),
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
    """What a form asks."""
    return typed_fields(records, names_in(layout))


def prefilled(records: Records, request: Request) -> dict[str, Any]:
    """The values that a new form starts with."""
    values = defaults(records.connection, records.policy, records.module)
    name = request.GET.get("_button", "")
    if name in (records.policy.profile.home.buttons or ()):
        for field, raw in records.policy.declaration.buttons[name].set.items():
            values[field] = declared_value(records.connection, records.policy, records.module.field(field), raw)
    return values


def once_key(request: Request) -> str:
    """The form's one-time key, the same while it is shown again."""
    return posted_text(request, "_once") or one_time_key()


def looked_for(request: Request) -> dict[str, str]:
    """What is looked for in links with many records, where there is no script; only when its button was pressed."""
    pressed = posted_text(request, "_find")
    return {pressed: posted_text(request, FIND + pressed)} if pressed else {}


def step_of(form: Mapping[str, str], name: str, steps: int) -> int | None:
    """A step's number from the form; None for none, and for what is no step."""
    text = form.get(name, "")
    digits = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 5
    return int(text) if digits and int(text) < steps else None


def stage(number: int, step: int) -> str:
    """How a step looks beside the present one."""
    return "current" if number == step else "done" if number < step else ""


def hidden(filling: Filling, fields: list[Field]) -> tuple[tuple[str, str], ...]:
    """What the other steps hold, as hidden inputs."""
    names = [name for each in fields for name in each.inputs(None, filling.records.policy.reader)]
    return tuple((name, value) for name in names for value in filling.many(name) if value)


def decided(filling: Filling, layout: FormLayout, fields: Mapping[str, Field], step: int) -> list[Choice]:
    """What the earlier steps decided, in words."""
    found = []
    for number, earlier in enumerate((layout.steps or ())[:step]):
        for name in names_in(FormLayout(fields=earlier.fields)):
            each = fields.get(name)
            text = (
                each.show(titled(filling.records, each, filling.values.get(name)), filling.records.policy.reader)
                if each
                else ""
            )
            if each and text:
                found.append(Choice(each.title, text, number))
    return found


def titled(records: Records, each: Field, value: Any) -> Any:
    """A linked value as it was typed has an id only: with its title, as far as it may be seen."""
    if isinstance(value, Linked) and not value.title and records.policy.access(value.module):
        found: list[RecordRow] = records.of(value.module).rows([value.id], [])
        return replace(value, title=found[0].title) if found else value
    if each.multiple and value and isinstance(value[0], Linked):
        return tuple(titled(records, records.module.title_field, item) for item in value)
    return value


def first_wrong(layout: FormLayout, errors: Mapping[str, str]) -> int:
    """The first step in which something is wrong."""
    for number, step in enumerate(layout.steps or ()):
        if set(names_in(FormLayout(fields=step.fields))) & set(errors):
            return number
    return 0
