"""Checks lifecycles: their states and transitions, and whether records can reach them.

A state that no transition leads to can only come from an import; in an existing table, other programs may set it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from portal.conditions import is_nothing
from portal.declaration.checks.mail import check_after
from portal.declaration.checks.values import check_unique_values, check_values
from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.name_rules import wrong_name
from portal.declaration.shapes import ACTIONS, Lifecycle, Module, Transition
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.problems import ProblemText
from portal.declaration.source.suggestions import list_in_text
from portal.declaration.unknown_names import no_field, no_part, no_state
from portal.fields.link import link_targets

EVERY_STATE = (("*",), ("any",), ("all",))  # in other systems


def check_lifecycle(draft: DeclarationDraft, module: Module, lifecycle: Lifecycle, at: Cursor) -> None:
    """Checks the field, its states, the transitions between them, and everything else that names a state."""
    field = module.fields.get(lifecycle.field)
    if field is None:
        if not draft.is_broken(module.name, lifecycle.field):
            at["field"].wrong(no_field(module.name, lifecycle.field, module.fields))
        return
    states = tuple(name for name in field.declared_options if name)
    if not states or field.multiple or field.computed:
        at["field"].wrong(f'"{lifecycle.field}" is not a choice: a lifecycle needs a field of type choice')
        return
    for key in ("show_when", "required_when", "read_only_when", "unique"):
        if getattr(field, key):
            place = draft.at_module(module.name)["fields"][field.name][key]
            place.key.wrong(f"{key} has no meaning here: only transitions change this field")
    for name in field.option_conditions:
        place = draft.at_module(module.name)["fields"][field.name]["options"][name]["show_when"]
        place.key.wrong("show_when has no meaning here: only transitions change this field")
    if lifecycle.start is not None:
        _check_states(module.name, states, [lifecycle.start], at["start"])
    start = lifecycle.start or states[0]
    if field.default is not None and field.default != start:
        place = draft.at_module(module.name)["fields"][field.name]["default"]
        start_here = at["start"] if lifecycle.start else draft.at_module(module.name)["fields"][field.name]
        place.wrong(
            f'the lifecycle starts at "{start}": remove this default, or write it under start:',
            start_here.related("it starts here" if lifecycle.start else "its first option is here"),
        )
    for name, transition in lifecycle.transitions.items():
        _check_transition(draft, module, states, name, transition, at["transitions"][name])
    _check_stages(module, states, lifecycle.stages or (), at["stages"])
    _check_follow_up(draft, module, lifecycle.follow_up, at["follow_up"])
    _check_on_comment(draft, module, states, lifecycle, at["on_comment"])


def _check_stages(module: Module, states: Collection[str], stages: Sequence[str], at: Cursor) -> None:
    _check_states(module.name, states, stages, at)
    for index, name in enumerate(stages):
        if name in stages[:index]:
            at[index].wrong(f'"{name}" appears twice')


def _check_follow_up(draft: DeclarationDraft, module: Module, name: str | None, at: Cursor) -> None:
    if name is None or draft.is_broken(module.name, name):
        return
    field = module.fields.get(name)
    if field is None:
        at.wrong(no_field(module.name, name, module.fields))
    elif link_targets(field) != (module.name,):
        at.wrong(f'"{name}" is not a link to {module.name}: a follow-up needs one, to the record that it follows')


def _check_only(draft: DeclarationDraft, module: Module, name: str | None, at: Cursor) -> None:
    if name is None or draft.is_broken(module.name, name):
        return
    field = draft.field(module.name, name)
    if field is None:
        at.wrong(draft.no_field(module.name, name))
    elif draft.people not in link_targets(field) and not draft.broken_roles:
        at.wrong(f'"{name}" is not a link to the module of people, so nobody could do this')


def _check_on_comment(
    draft: DeclarationDraft, module: Module, states: Collection[str], lifecycle: Lifecycle, at: Cursor
) -> None:
    for side, move in lifecycle.on_comment.items():
        _check_states(module.name, states, move.from_ or (), at[side]["from"])
        _check_states(module.name, states, [move.to] if move.to else (), at[side]["to"])
        if move.to is None and (move.from_ or not (move.set or move.fill)):
            missing = "to: is missing: the state to which a comment moves the record"
            at[side].wrong(ProblemText(missing, "incomplete"))
        for key, values in (("set", move.set), ("fill", move.fill)):
            check_values(draft, module.name, values, at[side][key])
            if lifecycle.field in values:
                at[side][key][lifecycle.field].key.wrong("write the new state under to:")
            for name, value in values.items():
                if (field := module.fields.get(name)) and field.unique and not is_nothing(value):
                    at[side][key][name].key.wrong(f'"{name}" is unique, so comments on two records cannot both set it')
    if lifecycle.on_comment and not module.comments:
        at.key.wrong(no_part(module.name, "comments", ": add comments: true to the module"))


def _check_transition(
    draft: DeclarationDraft, module: Module, states: Collection[str], name: str, transition: Transition, at: Cursor
) -> None:
    if name in ACTIONS:
        at.key.wrong(f'"{name}" cannot be the name of a transition: it has its own meaning under can:')
    elif problem := wrong_name(name):
        at.key.wrong(problem)
    if transition.from_ in EVERY_STATE and transition.from_[0] not in states:
        cure = ": leave from out, and it begins in every other state"
        at["from"].wrong(no_state(module.name, transition.from_[0], states, cure))
    else:
        _check_states(module.name, states, transition.from_ or (), at["from"])
    _check_states(module.name, states, [transition.to], at["to"])
    if str(at["confirm"].value).lower() in ("true", "yes"):
        at["confirm"].warn('confirm is the question that is asked: write it here, such as "Close it for good?"')
    _check_asked_fields(draft, module, transition.ask, at["ask"])
    check_values(draft, module.name, transition.set, at["set"])
    check_unique_values(draft, module, transition.set, "others are not moved", at["set"])
    _check_only(draft, module, transition.only, at["only"])
    check_after(draft, module, transition, at)
    if module.lifecycle and module.lifecycle.field in transition.set:
        at["set"][module.lifecycle.field].key.wrong("write the new state under to:")


def _check_states(module: str, states: Collection[str], names: Iterable[str], at: Cursor) -> None:
    for index, name in enumerate(names):
        if name not in states:
            at.inner(index).wrong(list_in_text(name, states) or no_state(module, name, states))


def _check_asked_fields(draft: DeclarationDraft, module: Module, names: Mapping[str, Any], at: Cursor) -> None:
    for name in names:
        if name == "comment":
            if not module.comments:
                at[name].key.wrong(no_part(module.name, "comments", ": add comments: true to the module"))
            continue
        field = module.fields.get(name)
        if field is None:
            if not draft.is_broken(module.name, name):
                at[name].key.wrong(no_field(module.name, name, [*module.fields, "comment"]))
        elif field.computed or (module.lifecycle and module.lifecycle.field == name):
            at[name].key.wrong(f'"{name}" cannot be asked for: the portal fills it in')
