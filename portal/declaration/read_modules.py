"""Reads modules.yaml: the keys next to `modules:`, and each module, which becomes its shape, or a problem.

Called by load with the documents that the reader made. The checks decide whether the names in an entry exist.
"""

import contextlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from portal.declaration.builtin import builtin_fields
from portal.declaration.declaration_draft import BUTTONS, MODULES, DeclarationDraft
from portal.declaration.declared_files import profile_file
from portal.declaration.name_rules import as_name, reserved_module, wrong_name
from portal.declaration.read_fields import read_fields
from portal.declaration.shape_keys import has_keys_of, keys_of
from portal.declaration.shapes import Inbox, Module, OnComment, Settings, SignUp, Transition, Webhook
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.document import Document
from portal.declaration.source.problems import Problem, ProblemText
from portal.declaration.source.suggestions import closest
from portal.declaration.synonyms import intended_key
from portal.declaration.unknown_names import no_module
from portal.declaration.validation import (
    EMPTY_KEY,
    mapping,
    named_entries,
    validate,
    with_known_keys,
    without_extensions,
    without_internal,
)
from portal.fields.base import Field
from portal.fields.base_shape import Shape

S = TypeVar("S", bound=Shape)
FILES_OF_THEIR_OWN = {"buttons": BUTTONS, "profiles": profile_file("NAME")}
SHAPES_AT_TOP: Mapping[str, type[Shape]] = {"portal": Settings, "inbox": Inbox, "sign_up": SignUp}
TOP_LEVEL_KEYS = ("version", "portal", "people", "organizations", "inbox", "sign_up", "webhooks", "modules")


def read_modules(draft: DeclarationDraft) -> None:
    """Reads modules.yaml into the draft."""
    at = draft.at(MODULES)
    top = without_extensions(mapping(at.value, at, f"keys ({', '.join(TOP_LEVEL_KEYS)})"))
    misplaced = [name for name, entry in top.items() if name not in TOP_LEVEL_KEYS and has_keys_of(Module, entry)]
    for name in misplaced:
        at[name].key.wrong(f'a module belongs under modules: indent "{name}" and its lines by two spaces')
        draft.broken_modules.add(name)
    for name in top.keys() & FILES_OF_THEIR_OWN.keys():
        at[name].key.wrong(f'"{name}" belongs in a file of its own: {FILES_OF_THEIR_OWN[name]}')
        draft.unread_files.add(FILES_OF_THEIR_OWN[name])
    elsewhere = {*misplaced, *FILES_OF_THEIR_OWN}
    top = {name: entry for name, entry in top.items() if name not in elsewhere}
    top = with_known_keys(_with_misplaced_keys(top, at), TOP_LEVEL_KEYS, at, SHAPES_AT_TOP)
    for name in SHAPES_AT_TOP:
        if name in top and top[name] is None:
            at[name].key.warn(EMPTY_KEY)
    draft.settings = _read_portal_settings(draft, top.get("portal"), at["portal"])
    modules = top.get("modules")
    if not modules and not misplaced and isinstance(at.value, Mapping | None) and not draft.is_unreadable(MODULES):
        at["modules"].key.wrong(ProblemText("no module is declared: a portal needs at least one", "no modules"))
    entries = _with_outdented_keys(named_entries(modules, at["modules"], "names to modules"), at["modules"])
    draft.people = _read_role(draft, top.get("people"), entries, at["people"])
    draft.organizations = _read_role(draft, top.get("organizations"), entries, at["organizations"])
    example = "{address: help@acme.example, creates: tickets}"
    draft.inbox = _read_beside(Inbox, top.get("inbox"), at["inbox"], example)
    draft.sign_up = _read_beside(SignUp, top.get("sign_up"), at["sign_up"], "{profile: customer}")
    draft.webhooks = _read_webhooks(top.get("webhooks"), at["webhooks"])
    builtin = builtin_fields(draft.people)
    for name, entry in entries.items():
        _read_module(draft, name, entry, builtin)


def _with_misplaced_keys(top: dict[str, Any], at: Cursor) -> dict[str, Any]:
    """`top` with the keys that were misplaced below `modules:` or `portal:` (reported), in their right place."""
    for above in ("modules", "portal"):
        entries = top.get(above)
        if not isinstance(entries, Mapping):
            continue
        misplaced = {
            name: entry
            for name, entry in entries.items()
            if name in TOP_LEVEL_KEYS and name not in top and not (isinstance(entry, Mapping) and "fields" in entry)
        }
        for name in misplaced:
            at[above][name].key.wrong(f'"{name}" belongs beside {above}:, not under it: write it at the left margin')
        left = {name: entry for name, entry in entries.items() if name not in misplaced}
        top = {**top, **misplaced, above: left}
    return top


def _with_outdented_keys(modules: Mapping[str, Any], at: Cursor) -> dict[str, Any]:
    """`modules` with the keys of a module that were indented too little, which are reported, in that module."""
    result: dict[str, Any] = {}
    above = ""
    for name, entry in modules.items():
        has_fields = isinstance(entry, Mapping) and any(
            key == "fields" or intended_key(key, ["fields"]) for key in entry
        )
        module = result.get(above)
        if name in keys_of(Module) and not has_fields and isinstance(module, Mapping) and name not in module:
            at[name].key.wrong(f'"{name}" belongs to a module: indent it by two more spaces, below "{above}"')
            result[above] = {**module, name: entry}
        else:
            result[name], above = entry, name
    return result


def _read_module(draft: DeclarationDraft, name: str, entry: Any, builtin: dict[str, Field]) -> None:
    at = draft.at_module(name)
    if problem := wrong_name(name) or reserved_module(name):
        at.key.wrong(problem)
        draft.broken_modules.add(as_name(name))
    if not isinstance(entry, Mapping):
        at.key.wrong("must be a mapping of keys, with at least fields:")
        draft.broken_modules.add(name)
        return
    if not entry.get("fields"):
        unknown = [key for key in entry if key not in keys_of(Module)]
        if not any(intended_key(key, ["fields"]) for key in unknown):
            at["fields"].key.wrong('"fields" is missing: a module needs at least one')
        draft.broken_modules.add(name)
    elif not isinstance(entry["fields"], Mapping):
        draft.broken_modules.add(name)
    fields = read_fields(draft, entry.get("fields"), name, at["fields"])
    entry = _without_misplaced_fields(draft, name, without_internal(Module, entry, at), at)
    entry = {**entry, "name": name, "fields": fields, "builtin": builtin}
    entry = _without_internal_keys_of_lifecycle(entry, "transitions", Transition, at)
    entry = _without_internal_keys_of_lifecycle(entry, "on_comment", OnComment, at)
    result = validate(Module, entry, at)
    if result is None:
        draft.broken_modules.add(name)
        return
    draft.modules[name], draft.module_entries[name] = result


def _without_misplaced_fields(
    draft: DeclarationDraft, module: str, entry: Mapping[str, Any], at: Cursor
) -> dict[str, Any]:
    """The `entry` of a module without fields that are next to `fields:` instead of below it, which are reported."""
    misplaced = [
        name
        for name, value in entry.items()
        if name not in keys_of(Module)
        and ((isinstance(value, str) and value in Field.types) or (isinstance(value, Mapping) and "type" in value))
    ]
    for name in misplaced:
        at[name].key.wrong(f'a field belongs under fields: indent "{name}" by two spaces more')
        draft.broken_fields.add((module, name))
    return {name: value for name, value in entry.items() if name not in misplaced}


def _without_internal_keys_of_lifecycle(
    entry: dict[str, Any], key: str, shape: type[Any], at: Cursor
) -> dict[str, Any]:
    """The `entry` of a module without internal keys in the items of entry["lifecycle"][key]."""
    lifecycle = entry.get("lifecycle")
    items = lifecycle.get(key) if isinstance(lifecycle, Mapping) else None
    if not isinstance(lifecycle, Mapping) or not isinstance(items, Mapping):
        return entry
    at = at["lifecycle"][key]
    cleaned = {name: without_internal(shape, item, at[name]) for name, item in items.items()}
    return {**entry, "lifecycle": {**lifecycle, key: cleaned}}


def _read_role(draft: DeclarationDraft, name: Any, modules: Mapping[str, Any], at: Cursor) -> str | None:
    """Reads `people:` or `organizations:` of modules.yaml: the module that it names."""
    if name is None:
        return None
    if not isinstance(name, str):
        at.wrong("must be the name of a module")
        draft.broken_roles = True
        only = name[0] if isinstance(name, list) and len(name) == 1 else None
        return only if isinstance(only, str) and only in modules else None
    if name in modules:
        return name
    if name not in draft.broken_modules:
        at.wrong(no_module(name, modules))
    draft.broken_modules.add(name)
    draft.broken_roles = True
    return closest(name, modules)


def _read_beside(shape: type[S], entry: Any, at: Cursor, example: str) -> S | None:
    """An optional entry next to `modules:`; None if it is missing or wrong. If it is not a mapping, the problem shows
    `example`, the shortest valid one."""
    if entry is None:
        return None
    if not isinstance(entry, Mapping):
        at.wrong(f"must be a mapping such as {example}, or be left out")
        return None
    result = validate(shape, entry, at)
    return result[0] if result else None


def _read_webhooks(value: Any, at: Cursor) -> dict[str, Webhook]:
    """Reads the valid entries of `webhooks:` in modules.yaml."""
    read: dict[str, Webhook] = {}
    for name, entry in named_entries(value, at, "names to webhooks").items():
        if problem := wrong_name(name):
            at[name].key.wrong(problem)
        elif result := validate(Webhook, entry, at[name]):
            read[name] = result[0]
    return read


def _read_portal_settings(draft: DeclarationDraft, entry: Any, at: Cursor) -> Settings:
    """Reads the settings of `portal:`, overridden by those from outside the files."""
    entry = dict(mapping(entry, at, "settings"))
    for key, text in draft.overrides.items():
        value, problems = _value_of_setting(key, text), list[Problem]()
        if validate(Settings, {key: value}, Cursor(Document(key), problems)) and not problems:
            entry[key] = value
        draft.problems += [
            Problem(environment_variable(key), 1, 1, ("portal", key), problem.message) for problem in problems
        ]
    result = validate(Settings, entry, at)
    return result[0] if result else Settings()


def _value_of_setting(key: str, text: str) -> Any:
    """A setting from the environment as in the file: lists use commas, mappings are JSON. Others are refused later."""
    if key in ("languages", "administrators", "sign_in", "second_factor", "holidays"):
        return [part.strip() for part in text.split(",") if part.strip()]
    if key in ("letters", "hours"):
        with contextlib.suppress(ValueError):
            return json.loads(text)
    return text


def environment_variable(key: str) -> str:
    """The environment variable that overrides a key of `portal:` in modules.yaml."""
    return f"PORTAL_{key.upper()}"
