"""Reads what stands beside `modules:` in modules.yaml: settings, who is who, what becomes of mail, who may sign up."""

import re
from collections.abc import Mapping
from typing import Any

from portal.declaration.beside_shapes import Inbox, SignUp
from portal.declaration.draft import MODULES, Draft
from portal.declaration.sentences import instead_of_list
from portal.declaration.shapes import Settings
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.problems import Problem, closest, suggest
from portal.declaration.source.reader import Document
from portal.declaration.validation import validated
from portal.declaration.version import version_complaint


def mapping(value: Any, at: Cursor, what: str) -> Mapping[str, Any]:
    """`value` if it is a mapping; else an empty mapping, with a problem unless nothing is written."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, str) and re.match(r"[\w-]+:\S", value):
        at.wrong(f'write a space after the ":" of "{value[:80]}"')
    elif value is not None:
        at.wrong(f"must be a mapping of {what}")
    return {}


def named_entries(value: Any, at: Cursor, what: str) -> Mapping[str, Any]:
    """As `mapping`, of names to entries: a list of them is a frequent mistake, whose cure is said."""
    if isinstance(value, list):
        at.wrong(f"must be a mapping of {what}{instead_of_list(value)}")
        return {}
    return mapping(value, at, what)


def is_of_another_version(draft: Draft) -> bool:
    """Whether modules.yaml names a version of the language that is not ours, which is reported.

    Then nothing else is worth saying: what this version does not know would all look wrong.
    """
    at = draft.at(MODULES)
    if not isinstance(at.value, Mapping) or "version" not in at:
        return False
    if complaint := version_complaint(at["version"].value):
        at["version"].wrong(complaint)
    return complaint is not None


def read_role(draft: Draft, name: Any, modules: Mapping[str, Any], at: Cursor) -> str | None:
    """The module that `people:` or `organizations:` names."""
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
        at.wrong(f'no module "{name}"{suggest(name, modules)}')
    draft.broken_modules.add(name)
    draft.broken_roles = True
    return closest(name, modules)


def read_inbox(entry: Any, at: Cursor) -> Inbox | None:
    """What `inbox:` says; None where it is not there, or wrong."""
    if entry is None:
        return None
    result = validated(Inbox, mapping(entry, at, "address, creates, title, text and unknown"), at)
    return result[0] if result else None


def read_sign_up(entry: Any, at: Cursor) -> SignUp | None:
    """What `sign_up:` says; None where it is not there, or wrong."""
    if entry is None:
        return None
    result = validated(SignUp, mapping(entry, at, "profile, domains and approve"), at)
    return result[0] if result else None


def read_portal(draft: Draft, entry: Any, at: Cursor) -> Settings:
    """What `portal:` says, and the settings from outside the files, which win."""
    entry = dict(mapping(entry, at, "settings"))
    for key, text in draft.overrides.items():
        several = key in ("languages", "administrators", "sign_in")
        value = [part.strip() for part in text.split(",") if part.strip()] if several else text
        problems: list[Problem] = []
        if validated(Settings, {key: value}, Cursor(Document(key), problems)) and not problems:
            entry[key] = value
        draft.problems += [Problem(variable(key), 1, 1, ("portal", key), problem.message) for problem in problems]
    result = validated(Settings, entry, at)
    return result[0] if result else Settings()


def variable(key: str) -> str:
    """The environment variable of a setting."""
    return f"PORTAL_{key.upper()}"
