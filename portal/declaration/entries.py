"""The files' entries one by one: each becomes a shape, or a problem with its place.

Called by load with what the reader read. Whether the names that an entry mentions exist is for the checks.
"""

import re
from collections.abc import Mapping
from typing import Any

from portal.declaration.builtin import LABELS, builtin_fields
from portal.declaration.draft import BUTTONS, MODULES, Draft, profile_file
from portal.declaration.shapes import Access, Button, Expectation, Module, OnComment, Profile, Settings, Transition
from portal.declaration.source.problems import Path, Problem, suggest
from portal.declaration.source.reader import Document
from portal.declaration.validation import keys_of, unknown_key, validated, without_internal
from portal.fields.base import Field

NAME = re.compile(r"[a-z][a-z0-9_]*")
LONGEST_NAME = 48
RESERVED_FIELDS = ("q", "tab", "sort", "after", "before")
SYSTEM_COLUMNS = ("ctid", "xmin", "xmax", "cmin", "cmax", "tableoid")
BUILT_IN = tuple(LABELS)
RESERVED_MODULES = ("login", "logout", "password", "language", "search", "static")
RESERVED_BEGINNINGS = ("portal_", "sqlite_", "pg_")
TOP = ("portal", "people", "organizations", "modules")


def wrong_name(name: str) -> str | None:
    """Why `name` cannot be a name, or None."""
    if not NAME.fullmatch(name):
        return f'"{name[:60]}" is no name: names begin with a letter from a to z and hold a to z, 0 to 9 and _'
    if len(name) > LONGEST_NAME:
        return f"this name has {len(name)} characters: at most {LONGEST_NAME} are allowed"
    return None


def mapping(draft: Draft, file: str, path: Path, value: Any, what: str) -> Mapping[str, Any]:
    """`value` if it is a mapping, else an empty one and a problem; nothing at all is an empty one too."""
    if isinstance(value, Mapping):
        return value
    if value is not None:
        draft.error(file, path, f"a mapping of {what} is wanted")
    return {}


def read_modules(draft: Draft) -> None:
    """modules.yaml into the draft."""
    document = draft.documents[MODULES]
    top = mapping(draft, MODULES, (), document.data, "keys (portal, people, organizations, modules)")
    for name in top:
        if name not in TOP:
            draft.error(MODULES, (name,), unknown_key(name, list(TOP)), key=True)
    draft.settings = _settings(draft, document, top.get("portal"))
    modules = top.get("modules")
    if not modules and isinstance(document.data, Mapping | None) and not draft.unread(MODULES):
        draft.error(MODULES, ("modules",), "no module is declared: a portal has at least one", key=True)
    entries = mapping(draft, MODULES, ("modules",), modules, "names to modules")
    for key in ("people", "organizations"):
        setattr(draft, key, _role(draft, document, top, key, entries))
    fields = builtin_fields(draft.people)
    for name, entry in entries.items():
        _module(draft, document, name, entry, fields)


def _role(draft: Draft, document: Document, top: Mapping[str, Any], key: str, modules: Mapping[str, Any]) -> str | None:
    wanted = top.get(key)
    if wanted is None:
        return None
    if not isinstance(wanted, str):
        draft.error(MODULES, (key,), "the name of a module is wanted")
        return None
    if wanted not in modules:
        draft.error(MODULES, (key,), f'no module "{wanted}"{suggest(wanted, modules)}')
        draft.broken.add((wanted,))
        return None
    return wanted


def _settings(draft: Draft, document: Document, entry: Any) -> Settings:
    entry = dict(mapping(draft, MODULES, ("portal",), entry, "settings"))
    for key, text in draft.overrides.items():
        several = key in ("languages", "administrators")
        value = [part.strip() for part in text.split(",") if part.strip()] if several else text
        mistakes: list[Problem] = []
        if validated(Settings, {key: value}, Document(key), (), mistakes) and not mistakes:
            entry[key] = value
        draft.problems += [Problem(variable(key), 1, 1, ("portal", key), each.message) for each in mistakes]
    read = validated(Settings, entry, document, ("portal",), draft.problems)
    return read[0] if read else Settings()


def variable(key: str) -> str:
    """The name that a setting has outside of the files."""
    return f"PORTAL_{key.upper()}"


def _module(draft: Draft, document: Document, name: str, entry: Any, builtin: dict[str, Field]) -> None:
    path = ("modules", name)
    wrong = wrong_name(name) or _reserved_module(name)
    if wrong:
        draft.error(MODULES, path, wrong, key=True)
    if not isinstance(entry, Mapping):
        draft.error(MODULES, path, "a mapping of keys is wanted, at least fields:", key=True)
        draft.broken.add((name,))
        return
    if not entry.get("fields"):
        draft.error(MODULES, (*path, "fields"), '"fields" is missing: a module has at least one', key=True)
        draft.broken.add((name,))
    fields = read_fields(draft, document, (*path, "fields"), entry.get("fields"), name)
    entry = without_internal(Module, entry, document, path, draft.problems)
    entry = {**entry, "name": name, "fields": fields, "builtin": builtin}
    entry = _inner(draft, document, path, entry, ("lifecycle", "transitions"), Transition)
    entry = _inner(draft, document, path, entry, ("lifecycle", "on_comment"), OnComment)
    read = validated(Module, entry, document, path, draft.problems)
    if read is None:
        draft.broken.add((name,))
        return
    draft.modules[name], draft.written[name] = read


def _reserved_module(name: str) -> str | None:
    if name in RESERVED_MODULES:
        return f'"{name}" cannot name a module: the portal has a page of that address'
    beginning = next((each for each in RESERVED_BEGINNINGS if name.startswith(each)), None)
    return f'names that begin with "{beginning}" are kept for the database' if beginning else None


def _inner(
    draft: Draft, document: Document, path: Path, entry: dict[str, Any], keys: tuple[str, str], shape: type[Any]
) -> dict[str, Any]:
    """`entry` with the mappings at entry[keys[0]][keys[1]] freed from what only the engine may say."""
    outer = entry.get(keys[0])
    inner = outer.get(keys[1]) if isinstance(outer, Mapping) else None
    if not isinstance(inner, Mapping):
        return entry
    freed = {
        name: without_internal(shape, each, document, (*path, *keys, name), draft.problems)
        for name, each in inner.items()
    }
    return {**entry, keys[0]: {**outer, keys[1]: freed}}


def read_fields(draft: Draft, document: Document, path: Path, entry: Any, module: str) -> dict[str, Field]:
    """The fields that stand at `path`; one that cannot be understood is noted as broken."""
    fields: dict[str, Field] = {}
    for name, each in mapping(draft, document.file, path, entry, "names to field types").items():
        wrong = wrong_name(name) or _reserved_field(name)
        if wrong:
            draft.error(document.file, (*path, name), wrong, key=True)
        field = None if name in BUILT_IN else read_field(draft, document, (*path, name), name, each)
        if field is None:
            draft.broken.add((module, name))
        else:
            fields[name] = field
    return fields


def _reserved_field(name: str) -> str | None:
    if name in BUILT_IN:
        return f'every record has "{name}" without being told: choose another name'
    if name in SYSTEM_COLUMNS:
        return f'"{name}" cannot name a field: every table of PostgreSQL has a column of that name'
    return f'"{name}" cannot name a field: addresses of lists use it' if name in RESERVED_FIELDS else None


def read_field(draft: Draft, document: Document, path: Path, name: str, entry: Any) -> Field | None:
    """One field: a type's name, or a mapping with the key `type`."""
    if isinstance(entry, str):
        entry = {"type": entry}
    if not isinstance(entry, Mapping):
        draft.error(document.file, path, "the type of the field is wanted, or a mapping with type:", key=True)
        return None
    kind = entry.get("type")
    if kind is None:
        draft.error(document.file, path, 'the field\'s "type" is missing', key=True)
        return None
    if not isinstance(kind, str) or kind not in Field.types:
        place = (*path, "type") if draft.has(document.file, (*path, "type")) else path
        draft.error(document.file, place, f'no field type "{kind}"{suggest(str(kind), Field.types)}')
        return None
    shape = Field.types[kind]
    entry = without_internal(shape, entry, document, path, draft.problems)
    entry = _as_written({**entry, "name": name}, shape, document, path)
    if "fields" in shape.model_fields and isinstance(entry.get("fields"), Mapping):
        columns = _columns(draft, document, (*path, "fields"), entry["fields"])
        if len(columns) < len(entry["fields"]):
            return None
        entry["fields"] = columns
    read = validated(shape, entry, document, path, draft.problems)
    return read[0] if read else None


def _columns(draft: Draft, document: Document, path: Path, entry: Mapping[str, Any]) -> dict[str, Field]:
    """The fields of a field that holds rows."""
    columns: dict[str, Field] = {}
    for name, each in entry.items():
        if wrong := wrong_name(name):
            draft.error(document.file, (*path, name), wrong, key=True)
            continue
        column = read_field(draft, document, (*path, name), name, each)
        if column is not None and (column.computed or not column.stored):
            draft.error(document.file, (*path, name), f"a field of type {column.type} cannot stand in rows")
        elif column is not None:
            columns[name] = column
    return columns


def _as_written(entry: dict[str, Any], shape: type[Field], document: Document, path: Path) -> dict[str, Any]:
    """A default that is text, and the names of options, are taken as they stand in the file: 1.10 is not 1.1."""
    options, default = entry.get("options"), entry.get("default")
    if isinstance(options, list):
        texts = (document.written((*path, "options", index)) for index in range(len(options)))
        entry["options"] = [item if text is None else text for item, text in zip(options, texts, strict=True)]
    if isinstance(default, int | float) and shape.textual:
        entry["default"] = document.written((*path, "default"))
    if isinstance(default, list) and shape.textual:
        texts = (document.written((*path, "default", index)) for index in range(len(default)))
        entry["default"] = [item if text is None else text for item, text in zip(default, texts, strict=True)]
    return entry


def read_profile(draft: Draft, name: str) -> None:
    """profiles/NAME.yaml into the draft."""
    file = profile_file(name)
    document = draft.documents[file]
    if draft.unread(file):
        draft.broken.add(("", name))
        return
    top = mapping(draft, file, (), document.data, f"keys ({', '.join(keys_of(Profile))})")
    top = dict(without_internal(Profile, top, document, (), draft.problems))
    if not top and isinstance(document.data, Mapping | None):
        draft.error(file, (), "the profile is empty: it names at least one module under modules:")
    entries = mapping(draft, file, ("modules",), top.get("modules"), "modules")
    written = {each: _access(draft, document, each, entry) for each, entry in entries.items()}
    accesses = {each: access for each, access in written.items() if access is not None}
    top["modules"] = {each: access for each, (access, _entry) in accesses.items()}
    _without_internal_list(draft, document, top, "expect", Expectation)
    read = validated(Profile, {**top, "name": name}, document, (), draft.problems)
    if read is None:
        draft.broken.add(("", name))
        return
    draft.profiles[name] = read[0]
    merged = {each: entry for each, (_access, entry) in accesses.items()}
    removed = {each: False for each, entry in entries.items() if entry is False}
    draft.written_profiles[name] = {
        **read[1],
        "modules": {each: {**merged, **removed}.get(each, {}) for each in entries},
    }


def _without_internal_list(draft: Draft, document: Document, top: dict[str, Any], key: str, shape: type[Any]) -> None:
    if isinstance(top.get(key), list):
        top[key] = [
            without_internal(shape, each, document, (key, index), draft.problems) for index, each in enumerate(top[key])
        ]


def _access(draft: Draft, document: Document, name: str, entry: Any) -> tuple[Access, dict[str, Any]] | None:
    path = ("modules", name)
    if entry is False:
        return None
    if entry is not None and not isinstance(entry, Mapping):
        draft.error(document.file, path, "a mapping of keys is wanted, or false to take the module away")
        return None
    entry = without_internal(Access, entry or {}, document, path, draft.problems)
    return validated(Access, entry, document, path, draft.problems)


def read_buttons(draft: Draft) -> None:
    """buttons.yaml into the draft."""
    document = draft.documents[BUTTONS]
    top = mapping(draft, BUTTONS, (), document.data, "keys (buttons)")
    for name in top:
        if name != "buttons":
            draft.error(BUTTONS, (name,), unknown_key(name, ["buttons"]), key=True)
    for name, entry in mapping(draft, BUTTONS, ("buttons",), top.get("buttons"), "names to buttons").items():
        path = ("buttons", name)
        if wrong := wrong_name(name):
            draft.error(BUTTONS, path, wrong, key=True)
        entry = without_internal(Button, entry, document, path, draft.problems)
        entry = {**entry, "name": name} if isinstance(entry, Mapping) else entry
        read = validated(Button, entry, document, path, draft.problems)
        if read is None:
            draft.broken.add(("", name))
        else:
            draft.buttons[name] = read[0]
