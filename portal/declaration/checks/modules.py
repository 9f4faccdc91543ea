"""Checks of modules: whose a record is, how it is named, how it lives."""

import re
from collections.abc import Iterable
from typing import Any

from portal.declaration.checks.conditions import check_values
from portal.declaration.draft import MODULES, Draft, leads_to
from portal.declaration.entries import wrong_name
from portal.declaration.resolve import default_scope
from portal.declaration.shapes import ACTIONS, Lifecycle, Module, Scope, Through
from portal.declaration.source.problems import Path, suggest

REFERENCE_PART = re.compile(r"\{([^{}]*)\}")
REFERENCE_KNOWN = re.compile(r"number(:0\d{1,2})?|year")
SCOPES = ("own", "organization", "all")


def check_module(draft: Draft, module: Module) -> None:
    """Everything of a module but its fields, layouts and looks."""
    path = ("modules", module.name)
    _check_names(draft, path, module)
    _check_path(draft, (*path, "owner"), module, module.owner, "people")
    _check_path(draft, (*path, "organization"), module, module.organization, "organizations")
    if module.see is not None:
        check_scope(draft, MODULES, (*path, "see"), module, module.see)
    if module.lifecycle is not None:
        _check_lifecycle(draft, (*path, "lifecycle"), module, module.lifecycle)
    if module.mail.assigned is not None:
        _check_assigned(draft, (*path, "mail", "assigned"), module, module.mail.assigned)
    if module.formerly is not None and module.formerly in draft.modules:
        draft.error(MODULES, (*path, "formerly"), f'"{module.formerly}" is a module of its own')
    if module.key is not None and module.table is None:
        draft.error(MODULES, (*path, "key"), "key belongs to a table: say table, too", key=True)


def _check_names(draft: Draft, path: Path, module: Module) -> None:
    title = draft.field(module.name, module.title or "reference")
    if title is None and not draft.doubtful(module.name, module.title):
        draft.error(MODULES, (*path, "title"), draft.no_field(module.name, str(module.title)))
    elif title is not None and (title.computed or not title.stored or title.multiple) and module.title:
        draft.error(
            MODULES, (*path, "title"), f'"{module.title}" cannot name a record: a field with one stored value can'
        )
    parts = REFERENCE_PART.findall(module.reference)
    wrong = next((part for part in parts if not REFERENCE_KNOWN.fullmatch(part)), None)
    if wrong is not None or REFERENCE_PART.sub("", module.reference).strip("{}") != REFERENCE_PART.sub(
        "", module.reference
    ):
        draft.error(MODULES, (*path, "reference"), "a reference holds {number}, {number:05} and {year}, and plain text")
    elif not any(part.startswith("number") for part in parts):
        draft.error(MODULES, (*path, "reference"), "a reference without {number} would not be unique")


def _check_path(draft: Draft, path: Path, module: Module, dotted: str | None, role: str) -> None:
    """`owner` and `organization`: links that lead to the module of people, or of organizations."""
    if dotted is None:
        return
    wanted = draft.people if role == "people" else draft.organizations
    if dotted == "id" and module.name == wanted:
        return
    if wanted is None:
        if not any(each[0] for each in draft.broken):
            draft.error(MODULES, path, f"modules.yaml does not say which module holds the {role}: {role}: MODULE")
        return
    followed = draft.follow(module.name, dotted.split("."))
    if followed.complaint:
        draft.error(MODULES, path, followed.complaint)
    elif followed.last is not None:
        targets = leads_to(followed.last)
        if not targets:
            draft.error(MODULES, path, f'"{dotted}" is no link, so it leads to none of the {role}')
        elif targets != (wanted,):
            draft.error(
                MODULES, path, f'"{dotted}" leads to {", ".join(targets)}, not to {wanted}, the module of {role}'
            )


def check_scope(draft: Draft, file: str, path: Path, module: Module, see: Scope) -> None:
    """Whether this module's records can be divided in this way."""
    if complaint := _scope_complaint(draft, module, see):
        place = (*path, "through") if isinstance(see, Through) and draft.has(file, (*path, "through")) else path
        draft.error(file, place, complaint)


def _scope_complaint(draft: Draft, module: Module, see: Scope) -> str | None:
    owner, organization = rights_of(draft, module)
    if see == "own" and not owner:
        return f"{module.name} has no owner, so nobody could see a record as their own"
    if see == "organization" and not organization:
        return f"{module.name} has no organization, so nobody could see a record as their company's"
    if not isinstance(see, Through) or draft.doubtful(module.name, see.through):
        return None
    field = draft.field(module.name, see.through)
    if field is None:
        return draft.no_field(module.name, see.through)
    targets = leads_to(field)
    if not targets:
        return f'"{see.through}" is no link'
    if len(targets) > 1:
        return f'"{see.through}" leads to several modules: a scope goes through a link to one'
    return None


def rights_of(draft: Draft, module: Module) -> tuple[str | None, str | None]:
    """The owner and the organization of a module as they will be resolved."""
    from_owner = module.owner or (module.name == draft.people and "id") or None
    people = draft.modules.get(draft.people or "")
    inherited = bool(from_owner and from_owner != "id" and people and people.organization)
    organization = module.organization or (module.name == draft.organizations and "id") or None
    return from_owner, organization or ("inherited" if inherited else None)


def scope_is_unsaid(draft: Draft, module: Module) -> bool:
    """Whether a profile has to say `see` for this module."""
    return module.see is None and default_scope(*rights_of(draft, module)) is None


# -- lifecycles ---------------------------------------------------------------------------------------------------


def _check_lifecycle(draft: Draft, path: Path, module: Module, lifecycle: Lifecycle) -> None:
    field = module.fields.get(lifecycle.field)
    if field is None:
        if not draft.doubtful(module.name, lifecycle.field):
            draft.error(
                MODULES, (*path, "field"), f'no field "{lifecycle.field}"{suggest(lifecycle.field, module.fields)}'
            )
        return
    states = field.declared_options
    if not states or field.multiple:
        draft.error(
            MODULES, (*path, "field"), f'"{lifecycle.field}" is no choice: a lifecycle moves a field of type choice'
        )
        return
    _check_states(draft, (*path, "start"), states, [lifecycle.start] if lifecycle.start is not None else [])
    start = lifecycle.start or next(iter(states), None)
    if field.default is not None and field.default != start:
        place = ("modules", module.name, "fields", field.name, "default")
        draft.error(MODULES, place, f'a lifecycle begins at "{start}": remove the default, or say it under start:')
    for name, transition in lifecycle.transitions.items():
        place = (*path, "transitions", name)
        if wrong := _wrong_transition(name):
            draft.error(MODULES, place, wrong, key=True)
        _check_states(draft, (*place, "from"), states, transition.from_ or ())
        _check_states(draft, (*place, "to"), states, [transition.to])
        _check_asked(draft, (*place, "ask"), module, transition.ask)
        _check_set(draft, (*place, "set"), module, transition.set)
    for side, move in lifecycle.on_comment.items():
        _check_states(draft, (*path, "on_comment", side, "from"), states, move.from_ or ())
        _check_states(draft, (*path, "on_comment", side, "to"), states, [move.to])
    if lifecycle.on_comment and not module.comments:
        draft.error(MODULES, (*path, "on_comment"), f"{module.name} takes no comments: say comments: true", key=True)


def _wrong_transition(name: str) -> str | None:
    if name in ACTIONS:
        return f'"{name}" cannot name a transition: under can: it means something else'
    return wrong_name(name)


def _check_states(draft: Draft, path: Path, states: Iterable[str], named: Iterable[str]) -> None:
    several = draft.has(MODULES, (*path, 0))
    for index, name in enumerate(named):
        if name not in states:
            known = list(states)
            draft.error(MODULES, (*path, index) if several else path, f'no state "{name}"{suggest(name, known)}')


def _check_asked(draft: Draft, path: Path, module: Module, asked: dict[str, Any]) -> None:
    for name in asked:
        place = (*path, name)
        if name == "comment":
            if not module.comments:
                draft.error(MODULES, place, f"{module.name} takes no comments: say comments: true", key=True)
            continue
        field = module.fields.get(name)
        if field is None:
            if not draft.doubtful(module.name, name):
                draft.error(MODULES, place, f'no field "{name}"{suggest(name, [*module.fields, "comment"])}', key=True)
        elif field.computed or (module.lifecycle and module.lifecycle.field == name):
            draft.error(MODULES, place, f'"{name}" cannot be asked: nobody types it', key=True)


def _check_set(draft: Draft, path: Path, module: Module, values: dict[str, Any]) -> None:
    check_values(draft, MODULES, path, module.name, values)
    if module.lifecycle and module.lifecycle.field in values:
        draft.error(MODULES, (*path, module.lifecycle.field), "a transition says the new state under to:", key=True)


def _check_assigned(draft: Draft, path: Path, module: Module, name: str) -> None:
    followed = draft.follow(module.name, [name])
    if followed.complaint:
        draft.error(MODULES, path, followed.complaint)
    elif followed.last is not None and draft.people not in leads_to(followed.last):
        draft.error(MODULES, path, f'"{name}" is no link to the module of people, so nobody can be told')
