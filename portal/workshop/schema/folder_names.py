"""The names that the files of a folder declare, for the schemas of editors.

Read from whatever is readable, as a file that is being edited is often invalid for a moment; nothing is checked here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from portal.declaration.builtin import builtin_fields
from portal.declaration.declaration_draft import BUTTONS, MODULES, DeclarationDraft
from portal.declaration.source.scalars import plain_value

Labels = Mapping[str, str]  # name → label


@dataclass(frozen=True)
class FieldNames:
    """A field's names for the schemas. `targets`: the modules that a link leads to."""

    name: str
    type: str = ""
    label: str = ""
    options: Labels = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    columns: Mapping[str, "FieldNames"] = field(default_factory=dict)

    @property
    def option_values(self) -> list[Any]:
        """The names of the options as other YAML readers may understand them: `1.10` without quotes is a number."""
        values: list[Any] = list(self.options)
        return values + [value for value in map(plain_value, self.options) if not isinstance(value, str)]


@dataclass(frozen=True)
class ModuleNames:
    """A module's names for schemas; `tabs` of any profile. `keys`: those that turn something on, such as comments."""

    name: str
    label: str = ""
    fields: Mapping[str, FieldNames] = field(default_factory=dict)
    builtin: Mapping[str, FieldNames] = field(default_factory=dict)
    states: tuple[Any, ...] = ()
    transitions: Labels = field(default_factory=dict)
    tabs: Labels = field(default_factory=dict)
    keys: frozenset[str] = frozenset()

    @cached_property
    def everything(self) -> dict[str, FieldNames]:
        """Declared and built-in fields."""
        return {**self.fields, **self.builtin}


@dataclass(frozen=True)
class FolderNames:
    """All names in the folder."""

    people: str | None = None
    modules: Mapping[str, ModuleNames] = field(default_factory=dict)
    profiles: Labels = field(default_factory=dict)
    buttons: Labels = field(default_factory=dict)


def folder_names(draft: DeclarationDraft) -> FolderNames:
    """The names in the files of a declaration draft."""
    top = _mapping(_data(draft, MODULES))
    profiles = {
        file.removeprefix("profiles/").removesuffix(".yaml"): _mapping(_data(draft, file))
        for file in draft.documents
        if file.startswith("profiles/")
    }
    people = top.get("people") if isinstance(top.get("people"), str) else None
    builtin = {
        name: FieldNames(
            name, field.type, str(field.title), {option: option for option in field.offered}, field.targets
        )
        for name, field in builtin_fields(people).items()
    }
    accesses = [_mapping(profile.get("modules")) for profile in profiles.values()]
    modules = {
        name: _module(name, _mapping(entry), builtin, [_mapping(access.get(name)) for access in accesses])
        for name, entry in _mapping(top.get("modules")).items()
    }
    buttons = _mapping(_mapping(_data(draft, BUTTONS)).get("buttons"))
    return FolderNames(
        people,
        modules,
        {name: _label(profile, name) for name, profile in profiles.items()},
        {name: _label(button, name) for name, button in buttons.items()},
    )


def _data(draft: DeclarationDraft, file: str) -> Any:
    return draft.documents[file].data if file in draft.documents else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _label(entry: Any, name: str) -> str:
    """The label in the schemas of something in the folder, in the first language that has one; the name if none has."""
    label = _mapping(entry).get("label", entry if isinstance(entry, str) else None)
    if label is None and isinstance(entry, Mapping) and entry and all(isinstance(text, str) for text in entry.values()):
        label = entry  # for an option: texts by language, without a key
    if isinstance(label, Mapping):
        label = next(iter(label.values()), None)
    return str(label) if isinstance(label, str | int | float) else name


def _module(
    name: str, entry: Mapping[str, Any], builtin: Mapping[str, FieldNames], accesses: list[Mapping[str, Any]]
) -> ModuleNames:
    fields = {key: _field(key, value) for key, value in _mapping(entry.get("fields")).items()}
    lifecycle = _mapping(entry.get("lifecycle"))
    states = fields.get(str(lifecycle.get("field")))
    layouts = [_mapping(layout.get("list")) for layout in (entry, *accesses)]
    tabs = {tab: _label(value, tab) for layout in layouts for tab, value in _mapping(layout.get("tabs")).items()}
    return ModuleNames(
        name,
        _label(entry, name),
        fields,
        builtin,
        tuple(states.option_values) if states else (),
        {key: _label(value, key) for key, value in _mapping(lifecycle.get("transitions")).items()},
        tabs,
        frozenset(key for key, value in entry.items() if value),
    )


def _field(name: str, entry: Any) -> FieldNames:
    keys = _mapping(entry)
    kind = entry if isinstance(entry, str) else keys.get("type")
    options = keys.get("options")
    if isinstance(options, list):
        options = {str(option): option for option in options}
    to = keys.get("to")
    return FieldNames(
        name,
        kind if isinstance(kind, str) else "",
        _label(keys, name),
        {str(option): _label(value, str(option)) for option, value in _mapping(options).items()},
        (to,) if isinstance(to, str) else tuple(target for target in to or () if isinstance(target, str)),
        {key: _field(key, value) for key, value in _mapping(keys.get("fields")).items()},
    )
