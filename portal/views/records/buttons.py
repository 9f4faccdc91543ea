"""The buttons of a record: what the profile may do with it in its current state. See actions.py for the actions."""

from collections.abc import Iterator

from portal.declaration.layouts import form_layout_fields
from portal.declaration.shapes import Transition, display_name
from portal.fields.linked_value import Linked
from portal.records.writing.follow_ups import follow_up_field, may_follow_up
from portal.records.writing.form_keys import one_time_key
from portal.records.writing.lifecycle import asks, editable_fields, open_transitions
from portal.records.writing.validation import typed_fields
from portal.texts import _
from portal.views.parts import Action
from portal.web.addresses import create_address
from portal.web.resources import Record


def record_buttons(resource: Record) -> Iterator[Action]:
    """The buttons of a record: what the profile may do with it in its current state."""
    records, record = resource.records, resource.record
    if _may_edit(resource):
        yield Action(_("Edit"), f"{resource.path}edit", "pencil")
    for transition in open_transitions(records, record):
        yield _transition_button(resource, transition)
    if may_follow_up(records, record) and (followed := follow_up_field(records)):
        here = followed.link_value(Linked(record.id, records.name))
        yield Action(_("Follow up"), create_address(records.name, {followed.name: here}), "corner-down-right")
    if records.policy.may(records.name, "delete"):
        yield Action(_("Delete"), f"{resource.path}delete", "trash-2")


def _may_edit(resource: Record) -> bool:
    """Whether a record has the button to edit it, at least in part; of a final one, only internal fields."""
    records, record = resource.records, resource.record
    if not records.policy.may(records.name, "edit"):
        return False
    return bool(editable_fields(records, record, typed_fields(records, form_layout_fields(records.access.edit))))


def _transition_button(resource: Record, transition: Transition) -> Action:
    """A button that moves the record directly if the transition asks nothing, else opens its questions."""
    return Action(
        label=display_name(transition),
        url=f"{resource.path}move/{transition.name}",
        icon=transition.icon or "",
        tone=transition.tone or "",
        post=not (asks(resource.records, transition) or transition.confirm),
        once=one_time_key(),
    )
