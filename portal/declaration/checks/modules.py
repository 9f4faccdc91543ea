"""Checks modules: whose a record is, how it is named, and its lifecycle."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from portal.declaration.checks.fields import check_size
from portal.declaration.checks.mail import check_after, check_mail
from portal.declaration.checks.scopes import check_scope
from portal.declaration.checks.values import check_values
from portal.declaration.declaration_draft import DeclarationDraft, link_targets
from portal.declaration.name_rules import wrong_name
from portal.declaration.shapes import ACTIONS, Attachments, Lifecycle, Module, Transition
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.problems import RelatedPlace
from portal.declaration.source.suggestions import list_in_text, suggest

REFERENCE_PART = re.compile(r"\{([^{}]*)\}")
EVERY_STATE = (("*",), ("any",), ("all",))  # as other systems write it
REFERENCE_KNOWN = re.compile(r"number(:0\d{1,2})?|year")


def check_module(draft: DeclarationDraft, module: Module, at: Cursor) -> None:
    """Everything of a module but its fields, layouts and appearance."""
    _check_title(draft, module, at["title"])
    _check_reference(module.reference, at["reference"])
    _check_path(draft, module, module.owner, "people", draft.people, at["owner"])
    _check_path(draft, module, module.organization, "organizations", draft.organizations, at["organization"])
    if module.see is not None:
        check_scope(draft, module, module.see, at["see"])
    if module.lifecycle is not None:
        _check_lifecycle(draft, module, module.lifecycle, at["lifecycle"])
    check_mail(draft, module, at["mail"])
    if isinstance(module.attachments, Attachments):
        check_size(module.attachments.max_size, at["attachments"]["max_size"])
    if module.conversation.answers is not None:
        _check_answers(draft, module.conversation.answers, at["comments"]["answers"])
    if module.watchers and draft.people is None and not draft.broken_roles:
        at["watchers"].wrong("modules.yaml does not say which module holds the people: add people: MODULE")
    if module.formerly is not None and module.formerly in draft.modules:
        at["formerly"].wrong(f'"{module.formerly}" is still a module')
    if module.key is not None and module.table is None:
        at["key"].key.wrong("key needs table:, the name of the existing table")


def _check_answers(draft: DeclarationDraft, name: str, at: Cursor) -> None:
    answers = draft.modules.get(name)
    if answers is None:
        if not draft.is_broken(name):
            at.wrong(draft.no_module(name))
    elif answers.first_long_text is None:
        at.wrong(f"{name} has no long text that could be put into a comment: add a field of type longtext")


def _check_title(draft: DeclarationDraft, module: Module, at: Cursor) -> None:
    if module.title is None:
        return
    title = draft.field(module.name, module.title)
    if title is None:
        if not draft.is_broken(module.name, module.title):
            at.wrong(draft.no_field(module.name, module.title))
    elif title.computed or title.multiple:
        at.wrong(f'"{module.title}" cannot be the title: choose a field that stores one value')


def _check_reference(reference: str, at: Cursor) -> None:
    parts = REFERENCE_PART.findall(reference)
    plain = REFERENCE_PART.sub("", reference)
    if not all(REFERENCE_KNOWN.fullmatch(part) for part in parts) or "{" in plain or "}" in plain:
        at.wrong("a reference is made of {number}, {number:05}, {year} and plain text")
    elif not any(part.startswith("number") for part in parts):
        at.wrong("a reference needs {number}: without it, it would not be unique")


def _check_path(
    draft: DeclarationDraft, module: Module, dotted: str | None, role: str, target: str | None, at: Cursor
) -> None:
    """`owner` and `organization`: links that lead to `target`, the module of people or of organizations."""
    if dotted is None or (dotted == "id" and module.name == target):
        return
    if target is None:
        if not draft.broken_roles and not draft.broken_modules:
            at.wrong(f"modules.yaml does not say which module holds the {role}: add {role}: MODULE")
        return
    followed = draft.follow(module.name, dotted.split("."))
    if followed.complaint:
        at.wrong(followed.complaint, *_only_link(draft, module, target))
    elif followed.last is not None:
        targets = link_targets(followed.last)
        if not targets:
            sentence = f'"{dotted}" is not a link, so it does not lead to {target}, the module of {role}'
            at.wrong(sentence, *_only_link(draft, module, target))
        elif targets != (target,):
            at.wrong(f'"{dotted}" links to {", ".join(targets)}, not to {target}, the module of {role}')


def _only_link(draft: DeclarationDraft, module: Module, target: str) -> tuple[RelatedPlace, ...]:
    """Where the one link of the module to `target` is declared, if it has just one."""
    links = [name for name, field in module.fields.items() if link_targets(field) == (target,)]
    at = draft.at_module(module.name)["fields"]
    return (at[links[0]].related(f"the only link to {target} is here"),) if len(links) == 1 else ()


# -- lifecycles ---------------------------------------------------------------------------------------------------


def _check_lifecycle(draft: DeclarationDraft, module: Module, lifecycle: Lifecycle, at: Cursor) -> None:
    field = module.fields.get(lifecycle.field)
    if field is None:
        if not draft.is_broken(module.name, lifecycle.field):
            at["field"].wrong(f'no field "{lifecycle.field}"{suggest(lifecycle.field, module.fields)}')
        return
    states = tuple(name for name in field.declared_options if name)
    if not states or field.multiple or field.computed:
        at["field"].wrong(f'"{lifecycle.field}" is not a choice: a lifecycle needs a field of type choice')
        return
    if lifecycle.start is not None:
        _check_states(states, [lifecycle.start], at["start"])
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
    _check_stages(states, lifecycle.stages or (), at["stages"])
    _check_follow_up(draft, module, lifecycle.follow_up, at["follow_up"])
    _check_on_comment(module, states, lifecycle, at["on_comment"])


def _check_stages(states: Collection[str], stages: Sequence[str], at: Cursor) -> None:
    _check_states(states, stages, at)
    for index, name in enumerate(stages):
        if name in stages[:index]:
            at[index].wrong(f'"{name}" appears twice')


def _check_follow_up(draft: DeclarationDraft, module: Module, name: str | None, at: Cursor) -> None:
    if name is None or draft.is_broken(module.name, name):
        return
    field = module.fields.get(name)
    if field is None:
        at.wrong(f'no field "{name}"{suggest(name, module.fields)}')
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


def _check_on_comment(module: Module, states: Collection[str], lifecycle: Lifecycle, at: Cursor) -> None:
    for side, move in lifecycle.on_comment.items():
        _check_states(states, move.from_ or (), at[side]["from"])
        _check_states(states, [move.to], at[side]["to"])
    if lifecycle.on_comment and not module.comments:
        at.key.wrong(f"{module.name} has no comments: add comments: true to the module")


def _check_transition(
    draft: DeclarationDraft, module: Module, states: Collection[str], name: str, transition: Transition, at: Cursor
) -> None:
    if name in ACTIONS:
        at.key.wrong(f'"{name}" cannot be the name of a transition: it has its own meaning under can:')
    elif complaint := wrong_name(name):
        at.key.wrong(complaint)
    if transition.from_ in EVERY_STATE and transition.from_[0] not in states:
        at["from"].wrong(f'no state "{transition.from_[0]}": leave from out, and it begins in every other state')
    else:
        _check_states(states, transition.from_ or (), at["from"])
    _check_states(states, [transition.to], at["to"])
    if str(at["confirm"].value).lower() in ("true", "yes"):
        at["confirm"].warn('confirm is the question that is asked: write it here, such as "Close it for good?"')
    _check_asked_fields(draft, module, transition.ask, at["ask"])
    check_values(draft, module.name, transition.set, at["set"])
    _check_only(draft, module, transition.only, at["only"])
    check_after(transition, at)
    if module.lifecycle and module.lifecycle.field in transition.set:
        at["set"][module.lifecycle.field].key.wrong("write the new state under to:")


def _check_states(states: Collection[str], names: Iterable[str], at: Cursor) -> None:
    for index, name in enumerate(names):
        if name not in states:
            at.inner(index).wrong(list_in_text(name, states) or f'no state "{name}"{suggest(name, states)}')


def _check_asked_fields(draft: DeclarationDraft, module: Module, asked: Mapping[str, Any], at: Cursor) -> None:
    for name in asked:
        if name == "comment":
            if not module.comments:
                at[name].key.wrong(f"{module.name} has no comments: add comments: true to the module")
            continue
        field = module.fields.get(name)
        if field is None:
            if not draft.is_broken(module.name, name):
                at[name].key.wrong(f'no field "{name}"{suggest(name, [*module.fields, "comment"])}')
        elif field.computed or (module.lifecycle and module.lifecycle.field == name):
            at[name].key.wrong(f'"{name}" cannot be asked for: the portal fills it in')
