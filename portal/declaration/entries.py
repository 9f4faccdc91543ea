"""Reads the entries of the files one by one: each becomes a shape, or a problem with its place.

Called by load with the documents that the reader made. Whether the names in an entry exist is for the checks.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from portal.declaration.beside_modules import mapping, named_entries, read_inbox, read_portal, read_role, read_sign_up
from portal.declaration.beside_shapes import Inbox, SignUp
from portal.declaration.builtin import LABELS, builtin_fields
from portal.declaration.draft import ALL_MODULES, BUTTONS, MODULES, Draft, profile_file
from portal.declaration.keys import keys_of, shapes_below
from portal.declaration.misplaced import with_misplaced
from portal.declaration.other_names import did_you_mean, our_key, our_type
from portal.declaration.sentences import key_below, unknown_key
from portal.declaration.shapes import (
    Access,
    Button,
    Expectation,
    Module,
    OnComment,
    Profile,
    Settings,
    Transition,
)
from portal.declaration.source.cursor import Cursor
from portal.declaration.validation import validated, with_meant_keys, without_internal
from portal.fields.base import Field
from portal.fields.shape import Shape
from portal.texts import fold

NAME = re.compile(r"[a-z][a-z0-9_]*")
LONGEST_NAME = 48
RESERVED_FIELDS = ("q", "tab", "sort", "after", "before", "view")
SYSTEM_COLUMNS = ("ctid", "xmin", "xmax", "cmin", "cmax", "tableoid")
BUILT_IN = tuple(LABELS)
RESERVED_MODULES = (
    "login", "logout", "password", "language", "search", "static", "account", "api", "join", "signup", "unsubscribe",
    "views",
)  # fmt: skip
RESERVED_PREFIXES = ("portal_", "sqlite_", "pg_")
FILES_OF_THEIR_OWN = {"buttons": BUTTONS, "profiles": profile_file("NAME")}
NO_SHAPES: Mapping[str, type[Shape]] = MappingProxyType({})
SHAPES_AT_TOP: Mapping[str, type[Shape]] = {"portal": Settings, "inbox": Inbox, "sign_up": SignUp}
TOP_LEVEL_KEYS = ("version", "portal", "people", "organizations", "inbox", "sign_up", "modules")


def reserved_module(name: str) -> str | None:
    """Why no module can have this name, or None."""
    if name in RESERVED_MODULES:
        return f'"{name}" cannot be the name of a module: the portal has a page at that address'
    prefix = next((prefix for prefix in RESERVED_PREFIXES if name.startswith(prefix)), None)
    return f'names that begin with "{prefix}" are reserved for the database' if prefix else None


def reserved_field(name: str) -> str | None:
    """Why no field can have this name, or None."""
    if name in BUILT_IN:
        return f'every record already has a field "{name}": choose another name'
    if name in SYSTEM_COLUMNS:
        return f'"{name}" cannot be the name of a field: every table of PostgreSQL has a column of that name'
    return f'"{name}" cannot be the name of a field: the addresses of lists use it' if name in RESERVED_FIELDS else None


def wrong_name(name: str) -> str | None:
    """Why `name` cannot be a name, or None."""
    if not NAME.fullmatch(name):
        foreign = next((letter for letter in name if not letter.isascii()), None)
        letter = f"U+{ord(foreign):04X} ({unicodedata.name(foreign, 'unnamed').lower()}) is in it; " if foreign else ""
        return f'"{name[:60]}" is not a valid name: {letter}use a to z, 0 to 9 and _, and begin with a letter'
    if len(name) > LONGEST_NAME:
        return f"this name has {len(name)} characters: at most {LONGEST_NAME} are allowed"
    return None


def _known_keys(
    top: Mapping[str, Any], known: Collection[str], at: Cursor, below: Mapping[str, type[Shape]] = NO_SHAPES
) -> dict[str, Any]:
    """`top` under the keys that are meant; unknown keys are reported, and left out where nothing is meant.

    `below`: the shapes of some of the known keys, to which an unknown one may belong.
    """
    for name in top:
        if name not in known:
            at[name].key.wrong(key_below(name, below) or unknown_key(name, list(known)))
    return {name: value for name, value in with_meant_keys(top, known).items() if name in known}


def _as_name(text: str) -> str:
    """The name that other entries probably use for what is called `text`."""
    return re.sub(r"[^a-z0-9]+", "_", fold(text)).strip("_")


# -- modules.yaml -------------------------------------------------------------------------------------------------


def read_modules(draft: Draft) -> None:
    """Reads modules.yaml into the draft."""
    at = draft.at(MODULES)
    top = mapping(at.value, at, f"keys ({', '.join(TOP_LEVEL_KEYS)})")
    misplaced = [name for name, entry in top.items() if name not in TOP_LEVEL_KEYS and _has_keys_of(Module, entry)]
    for name in misplaced:
        at[name].key.wrong(f'a module belongs under modules: indent "{name}" and its lines by two spaces')
        draft.broken_modules.add(name)
    for name in top.keys() & FILES_OF_THEIR_OWN.keys():
        at[name].key.wrong(f'"{name}" belongs in a file of its own: {FILES_OF_THEIR_OWN[name]}')
        draft.unread_files.add(FILES_OF_THEIR_OWN[name])
    elsewhere = {*misplaced, *FILES_OF_THEIR_OWN}
    top = {name: entry for name, entry in top.items() if name not in elsewhere}
    top = _known_keys(top, TOP_LEVEL_KEYS, at, SHAPES_AT_TOP)
    draft.settings = read_portal(draft, top.get("portal"), at["portal"])
    modules = top.get("modules")
    if not modules and not misplaced and isinstance(at.value, Mapping | None) and not draft.is_unreadable(MODULES):
        at["modules"].key.wrong("no module is declared: a portal needs at least one")
    entries = named_entries(modules, at["modules"], "names to modules")
    draft.people = read_role(draft, top.get("people"), entries, at["people"])
    draft.organizations = read_role(draft, top.get("organizations"), entries, at["organizations"])
    draft.inbox = read_inbox(top.get("inbox"), at["inbox"])
    draft.sign_up = read_sign_up(top.get("sign_up"), at["sign_up"])
    builtin = builtin_fields(draft.people)
    for name, entry in entries.items():
        _read_module(draft, name, entry, builtin)


def _has_keys_of(shape: type[Shape], entry: Any) -> bool:
    """Whether an entry in the wrong place looks like one of `shape`: a mapping, most of it with keys of the shape."""
    if not isinstance(entry, Mapping) or not entry:
        return False
    known = sum(key in keys_of(shape) for key in entry)
    return known * 2 > len(entry)


def _read_module(draft: Draft, name: str, entry: Any, builtin: dict[str, Field]) -> None:
    at = draft.at_module(name)
    if complaint := wrong_name(name) or reserved_module(name):
        at.key.wrong(complaint)
        draft.broken_modules.add(_as_name(name))
    if not isinstance(entry, Mapping):
        at.key.wrong("must be a mapping of keys, with at least fields:")
        draft.broken_modules.add(name)
        return
    if not entry.get("fields"):
        unknown = [key for key in entry if key not in keys_of(Module)]
        if not any(our_key(key, ["fields"]) for key in unknown):
            at["fields"].key.wrong('"fields" is missing: a module needs at least one')
        draft.broken_modules.add(name)
    fields = read_fields(draft, entry.get("fields"), name, at["fields"])
    entry = _without_misplaced_fields(draft, name, without_internal(Module, entry, at), at)
    entry = {**entry, "name": name, "fields": fields, "builtin": builtin}
    entry = _without_internal_keys_below(entry, "lifecycle", "transitions", Transition, at)
    entry = _without_internal_keys_below(entry, "lifecycle", "on_comment", OnComment, at)
    result = validated(Module, entry, at)
    if result is None:
        draft.broken_modules.add(name)
        return
    draft.modules[name], draft.written[name] = result


def _without_misplaced_fields(draft: Draft, module: str, entry: Mapping[str, Any], at: Cursor) -> dict[str, Any]:
    """`entry` without fields that are written beside `fields:` instead of below it, which are reported."""
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


def _without_internal_keys_below(
    entry: dict[str, Any], outer_key: str, inner_key: str, shape: type[Any], at: Cursor
) -> dict[str, Any]:
    """`entry` with each item of entry[outer_key][inner_key] freed from internal keys."""
    outer = entry.get(outer_key)
    inner = outer.get(inner_key) if isinstance(outer, Mapping) else None
    if not isinstance(outer, Mapping) or not isinstance(inner, Mapping):
        return entry
    at = at[outer_key][inner_key]
    cleaned = {name: without_internal(shape, item, at[name]) for name, item in inner.items()}
    return {**entry, outer_key: {**outer, inner_key: cleaned}}


# -- fields -------------------------------------------------------------------------------------------------------


def read_fields(draft: Draft, entries: Any, module: str, at: Cursor) -> dict[str, Field]:
    """The fields of a module; those that cannot be understood are noted as broken."""
    fields: dict[str, Field] = {}
    for name, entry in named_entries(entries, at, "names to field types").items():
        before = len(draft.problems)
        if complaint := wrong_name(name) or reserved_field(name):
            at[name].key.wrong(complaint)
            draft.broken_fields.add((module, _as_name(name)))
            draft.misnamed_fields.append(module)
        field = None if name in BUILT_IN else read_field(name, entry, at[name])
        if len(draft.problems) > before:
            draft.broken_fields.add((module, name))
        if field is not None:
            fields[name] = field
    return fields


def read_field(name: str, entry: Any, at: Cursor) -> Field | None:
    """One field, from the name of a type or a mapping with the key `type`."""
    if isinstance(entry, str):
        entry = {"type": entry}
    if not isinstance(entry, Mapping):
        at.key.wrong("must be the type of the field, or a mapping with type:")
        return None
    type_name = entry.get("type")
    if type_name is None:
        _report_missing_type(entry, at)
        return None
    if not isinstance(type_name, str) or type_name not in Field.types:
        at.inner("type").wrong(_unknown_type(type_name, at))
        return None
    shape = Field.types[type_name]
    if "multiple" in entry and f"{type_name}s" in Field.types:
        at["multiple"].key.wrong(f'no key "multiple" here: a field with several has the type {type_name}s')
        return None
    entry = without_internal(shape, entry, at)
    entry = _as_written({**entry, "name": name}, shape, at)
    if "fields" in shape.model_fields and isinstance(entry.get("fields"), Mapping | list):
        columns = _columns(named_entries(entry["fields"], at["fields"], "names to field types"), at["fields"])
        if len(columns) < len(entry["fields"]):
            return None
        entry["fields"] = columns
    result = validated(shape, entry, at)
    return result[0] if result else None


def _report_missing_type(entry: Mapping[str, Any], at: Cursor) -> None:
    for key in entry:
        if key not in keys_of(Field) and our_key(re.split("[:=]", key)[0], ["type"]) is not None:
            at[key].key.wrong(unknown_key(key, ["type"]))
            return
    at.key.wrong('the "type" of the field is missing')


def _unknown_type(name: Any, at: Cursor) -> str:
    if not isinstance(name, str):
        return "must be the name of a field type, such as text"
    key, colon, rest = name.partition(":")
    if colon and rest.strip() in Field.types and key == "type":
        return 'write a space after the ":" of "type:"'
    if at.document.has(("modules", name)):
        return f'no field type "{name[:80]}", but a module: write {{type: link, to: {name[:80]}}}'
    return f'no field type "{name[:80]}"{did_you_mean(our_type(name, Field.types))}'


def _columns(entries: Mapping[str, Any], at: Cursor) -> dict[str, Field]:
    """The columns of a field that holds lines."""
    columns: dict[str, Field] = {}
    for name, entry in entries.items():
        if complaint := wrong_name(name) or _reserved_column(name):
            at[name].key.wrong(complaint)
            continue
        column = read_field(name, entry, at[name])
        if column is not None and not column.can_be_column:
            at[name].wrong(f"a field of type {column.type} cannot be a column of lines")
        elif column is not None:
            columns[name] = column
    return columns


def _reserved_column(name: str) -> str | None:
    if name == "id" or name in SYSTEM_COLUMNS:
        return f'"{name}" cannot be the name of a column: the table of the rows has one of that name already'
    return None


def _as_written(entry: dict[str, Any], shape: type[Field], at: Cursor) -> dict[str, Any]:
    """Takes the names of options, and a default that is text, as they are written: 1.10 is not 1.1."""
    options, default = entry.get("options"), entry.get("default")
    if isinstance(options, list):
        entry["options"] = _items_as_written(options, at["options"])
    if isinstance(default, int | float) and shape.textual:
        entry["default"] = at["default"].written
    if isinstance(default, list) and shape.textual:
        entry["default"] = _items_as_written(default, at["default"])
    return entry


def _items_as_written(items: list[Any], at: Cursor) -> list[Any]:
    texts = (at[index].written for index in range(len(items)))
    return [item if text is None else text for item, text in zip(items, texts, strict=True)]


# -- profiles/NAME.yaml and buttons.yaml --------------------------------------------------------------------------


def read_profile(draft: Draft, name: str) -> None:
    """Reads profiles/NAME.yaml into the draft."""
    file = profile_file(name)
    if draft.is_unreadable(file):
        draft.broken_profiles.add(name)
        return
    at = draft.at(file)
    top = mapping(at.value, at, f"keys ({', '.join(keys_of(Profile))})")
    is_empty = not top
    top = with_misplaced(draft, dict(without_internal(Profile, top, at)), at)
    top = _known_keys(top, keys_of(Profile), at, shapes_below(Profile))
    before = len(draft.problems)
    if is_empty and isinstance(at.value, Mapping | None):
        at.wrong("the profile is empty: name at least one module under modules:")
    entries = named_entries(top.get("modules"), at["modules"], "modules")
    if len(draft.problems) > before:
        draft.broken_accesses.add((name, ALL_MODULES))
    accesses, written = _accesses(draft, name, entries, at["modules"])
    top["modules"] = accesses
    if isinstance(top.get("expect"), list):
        top["expect"] = [
            without_internal(Expectation, item, at["expect"][index]) for index, item in enumerate(top["expect"])
        ]
    if not isinstance(top.get("extends"), str | None):
        draft.broken_accesses.add((name, ALL_MODULES))
    profile = validated(Profile, {**top, "name": name}, at)
    if profile is None:
        draft.broken_profiles.add(name)
        return
    draft.profiles[name] = profile[0]
    draft.written_profiles[name] = {**profile[1], "modules": written}


def _accesses(
    draft: Draft, profile: str, entries: Mapping[str, Any], at: Cursor
) -> tuple[dict[str, Access], dict[str, Any]]:
    """Reads what a profile says of its modules: as shapes and as mappings; False where it takes a module away."""
    accesses: dict[str, Access] = {}
    written: dict[str, Any] = {module: {} for module in entries}
    for module, entry in entries.items():
        if entry is False:
            written[module] = False
            continue
        before = len(draft.problems)
        if (result := _access(entry, at[module])) is not None:
            accesses[module], written[module] = result
        if len(draft.problems) > before:
            draft.broken_accesses.add((profile, module))
    return accesses, written


def _access(entry: Any, at: Cursor) -> tuple[Access, dict[str, Any]] | None:
    if entry is not None and not isinstance(entry, Mapping):
        at.wrong("must be a mapping of keys, or false to take the module away")
        return None
    return validated(Access, without_internal(Access, entry or {}, at), at)


def read_buttons(draft: Draft) -> None:
    """Reads buttons.yaml into the draft."""
    at = draft.at(BUTTONS)
    top = mapping(at.value, at, "keys (buttons)")
    misplaced = [name for name, entry in top.items() if name != "buttons" and _has_keys_of(Button, entry)]
    for name in misplaced:
        at[name].key.wrong(f'a button belongs under buttons: indent "{name}" and its lines by two spaces')
        draft.broken_buttons.add(name)
    top = _known_keys({name: entry for name, entry in top.items() if name not in misplaced}, ["buttons"], at)
    at = at["buttons"]
    for name, entry in named_entries(top.get("buttons"), at, "names to buttons").items():
        if complaint := wrong_name(name):
            at[name].key.wrong(complaint)
            draft.broken_buttons.add(_as_name(name))
        entry = without_internal(Button, entry, at[name])
        entry = {**entry, "name": name} if isinstance(entry, Mapping) else entry
        result = validated(Button, entry, at[name])
        if result is None:
            draft.broken_buttons.add(name)
        else:
            draft.buttons[name] = result[0]
