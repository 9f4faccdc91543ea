"""The steps of a form: the bar of steps, and the content of the other steps."""

from collections.abc import Mapping

from portal.declaration.layout_shapes import FormLayout, Step
from portal.declaration.layouts import flat, form_layout_fields
from portal.fields.base import Field
from portal.records.reading.records import Records
from portal.records.writing.validation import typed_fields
from portal.texts import _
from portal.views.forms.form_content import FormContent
from portal.views.forms.form_page import EarlierChoice, StepState
from portal.views.forms.offers import with_titles


def step_names(step: Step) -> set[str]:
    """The names of the fields in one step of a form."""
    return set(flat(step.fields))


def step_state(number: int, present: int, step: Step) -> StepState:
    """A step in the bar of steps: done, current or still to come."""
    return StepState.at(number, present, step.title or _("Step ${number}", mapping={"number": number + 1}))


def hidden_inputs(content: FormContent, fields: list[Field]) -> tuple[tuple[str, str], ...]:
    """The content of a form's other steps, as hidden inputs."""
    names = [name for field in fields for name in field.input_names(content.inputs)]
    return tuple((name, value) for name in names for value in content.many(name) if value)


def choices_made(content: FormContent, earlier: tuple[Step, ...], fields: Mapping[str, Field]) -> list[EarlierChoice]:
    """The choices made in earlier steps of a form, in words."""
    records, choices = content.records, []
    for number, step in enumerate(earlier):
        for field in (fields[name] for name in flat(step.fields) if name in fields):
            value = with_titles(records, field, content.values.get(field.name))
            if text := field.show(value, records.policy.reader):
                choices.append(EarlierChoice(field.title, text, number))
    return choices


def first_wrong_step(layout: FormLayout, errors: Mapping[str, str]) -> int:
    """The first step of a form with an error."""
    wrong = (number for number, step in enumerate(layout.steps or ()) if step_names(step) & set(errors))
    return next(wrong, 0)


def fields_of_form(records: Records, layout: FormLayout) -> list[Field]:
    """The fields that a page's form asks for, in all its steps."""
    return typed_fields(records, form_layout_fields(layout))
