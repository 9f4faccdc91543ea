"""A record's path through the stages of its lifecycle, drawn above it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from portal.declaration.shapes import Lifecycle, leaves
from portal.fields.base import Field
from portal.records.reading.comments import find_comment
from portal.records.reading.states_entered import StateEntered, states_entered
from portal.records.reading.stored_events import state_events
from portal.records.writing.lifecycle import state_after_comment
from portal.texts import Words, _
from portal.views.displays import moment
from portal.web.resources import Record

LONGEST_COMMENT = 120  # characters

StageState = Literal["done", "current", "aside", "unreached", ""]


@dataclass(frozen=True)
class Stage:
    """A stage of the lifecycle; `aside`: the current state if it is not a stage; later stages are then `unreached`."""

    label: Words
    state: StageState = ""


@dataclass(frozen=True)
class StageBar:
    stages: tuple[Stage, ...]
    note: str = ""  # when and why the record left the stages


def stage_bar(resource: Record, events: Sequence[Mapping[str, Any]]) -> StageBar | None:
    """The stages, and if a record is in none of them, a sentence that says when and why it left them.

    `events`: the newest stored events of the record.

    A stage before the current one is done if the record was in it. A state that is not a stage comes after the last
    stage that the record was in. If it leads on, such as “Waiting for the customer”, it is drawn like a stage;
    otherwise the record has stopped, and later stages are not reached. None if the reader may not read the state.
    """
    lifecycle = resource.module.lifecycle
    if lifecycle is None or lifecycle.field not in resource.record.values:
        return None
    way, present = lifecycle.stages or (), resource.record.values[lifecycle.field]
    entered = states_entered(lifecycle, state_events(resource.records, resource.record, events))
    before = [entry.state for entry in entered if entry.state in way and entry.state != present]
    field, beside = resource.module.field(lifecycle.field), bool(present) and present not in way
    place = way.index(before[-1]) + 1 if before else 0
    if beside and (following := _following(lifecycle, present, way[place:])):
        place = place or way.index(following[0])
        way, beside = (*way[:place], present, *way[place:]), False
    stages = _stages(field, way, present, before, place if beside else None)
    note = _note(resource, field, before[-1], entered) if beside and before else ""
    return StageBar(tuple(stages), note) if way else None


def _following(lifecycle: Lifecycle, state: str, stages: Sequence[str]) -> list[str]:
    """Those of `stages` that a transition or a comment leads to from `state`; all if a comment leads anywhere."""
    commented = {state_after_comment(lifecycle, state, staff) for staff in (True, False)} - {None}
    goals = {transition.to for transition in lifecycle.transitions.values() if leaves(transition, state)}
    return [stage for stage in stages if stage in goals | commented] or (list(stages) if commented else [])


def _stages(
    field: Field, way: Sequence[str], present: str | None, before: Sequence[str], aside: int | None
) -> Iterator[Stage]:
    """The stages of the bar; `aside`: where the record left the path, None for a record on it."""
    place = way.index(present) if present in way else 0
    if aside is not None:
        place = aside
    for index, state in enumerate(way):
        if index == aside:
            yield Stage(_label(field, present), "aside")
        stage: StageState = "unreached" if aside is not None else ""
        if state == present:
            stage = "current"
        elif index < place and state in before:
            stage = "done"
        yield Stage(_label(field, state), stage)
    if aside == len(way):
        yield Stage(_label(field, present), "aside")


def _note(resource: Record, field: Field, stage: str, entered: Sequence[StateEntered]) -> str:
    """The note below the stages: “Stopped after “In progress” on 20 November 2026, 16:20 · Maria Anders: “Done””."""
    left = next((entry for entry in entered if entry.state == resource.record.values[field.name]), None)
    if left is None:
        return ""
    reader, records = resource.records.policy.reader, resource.records
    comment = find_comment(records, resource.record, left.comment) if left.comment else None
    comment_text = comment.text if comment else ""
    names = {
        "stage": reader.text(_label(field, stage)),
        "moment": moment(left.at, reader).text,
        "author": left.author,
        "comment": " ".join(comment_text[:LONGEST_COMMENT].split())
        + ("…" if len(comment_text) > LONGEST_COMMENT else ""),
    }
    if comment_text:
        return reader.text(_("Stopped after “${stage}” on ${moment} · ${author}: “${comment}”", mapping=names))
    return reader.text(_("Stopped after “${stage}” on ${moment} · ${author}", mapping=names))


def _label(field: Field, state: str | None) -> Words:
    """The label of a stage, by its state; the name if it is no longer among the options."""
    return field.offered[state].label if state and state in field.offered else state or ""
