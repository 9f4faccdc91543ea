"""The schemas of the three kinds of files of a folder, and where editors find them.

Used by `portal schema`, and by `portal serve` in development.
"""

import json
import logging
from pathlib import Path
from typing import Any, Literal

from pydantic import Field as Key

from portal.declaration.declaration_draft import BUTTONS, MODULES, DeclarationDraft
from portal.declaration.declared_files import read_files
from portal.declaration.shapes import Access, Button, Inbox, Module, Profile, Settings, SignUp, Webhook
from portal.declaration.validation import EXTENSION
from portal.declaration.value_types import ModuleName
from portal.fields.base_shape import Shape
from portal.workshop.replace_file import replace_file
from portal.workshop.schema.folder_names import FolderNames, folder_names
from portal.workshop.schema.language_schema import LanguageSchema, Schema, names_schema, ref
from portal.workshop.schema.narrowing import Around, Narrowing

log = logging.getLogger(__name__)

FOLDER = "var/schema"  # below the folder of modules.yaml; the first line of each file names it
DRAFT = "http://json-schema.org/draft-07/schema#"


class ModulesFile(Shape):
    """modules.yaml."""

    version: Literal[1] | None = None
    portal: Settings = Settings()
    people: ModuleName | None = None
    organizations: ModuleName | None = None
    inbox: Inbox | None = None
    sign_up: SignUp | None = None
    webhooks: dict[str, Webhook] = {}
    modules: dict[str, Module] = Key(min_length=1)


class ButtonsFile(Shape):
    """buttons.yaml."""

    buttons: dict[str, Button] = {}


def write_schemas(folder: Path) -> list[Path]:
    """Writes the schemas with the names currently declared in `folder`; returns the paths of the files.

    If modules.yaml cannot be read at all, the files stay as they are. Raises OSError.
    """
    draft = DeclarationDraft(folder)
    read_files(draft)
    if draft.is_unreadable(MODULES):
        return []
    target = folder / FOLDER
    (folder / "var").mkdir(mode=0o700, exist_ok=True)
    target.mkdir(exist_ok=True)
    paths = []
    names = folder_names(draft)
    for name, schema in (("modules", _modules(names)), ("profile", _profile(names)), ("buttons", _buttons(names))):
        path, raw = target / f"{name}.json", json.dumps(schema, ensure_ascii=False, separators=(",", ":")).encode()
        if not path.is_file() or path.read_bytes() != raw:  # an editor rereads changed files
            replace_file(path, raw)
        paths.append(path)
    return paths


def refresh_schemas(folder: Path) -> None:
    """Like `write_schemas`, but goes on if they cannot be written."""
    try:
        write_schemas(folder)
    except OSError as error:
        log.warning("The schemas for editors could not be written: %s", error)


def schema_line(file: str) -> str:
    """The comment at the start of a file from which an editor finds its schema."""
    kind = {MODULES: "modules", BUTTONS: "buttons"}.get(file, "profile")
    return f"# yaml-language-server: $schema={'../' * file.count('/')}{FOLDER}/{kind}.json"


def files_without_schema(folder: Path) -> dict[str, str]:
    """The files that name no schema, each with the line to add."""
    draft = DeclarationDraft(folder)
    read_files(draft)
    texts = {file: (folder / file).read_text(encoding="utf-8", errors="replace") for file in draft.documents}
    return {file: schema_line(file) for file, text in texts.items() if "yaml-language-server:" not in text}


def _modules(names: FolderNames) -> Schema:
    language = LanguageSchema()
    narrowing = Narrowing(language, names)
    general = language.defined(ModulesFile)
    narrowed = narrowing.shape(ModulesFile, Around())
    modules = {
        name: {"description": module.label, **narrowing.module(module)} for name, module in names.modules.items()
    }
    properties = narrowed.setdefault("properties", {})
    properties["modules"] = {"properties": modules}
    by_target = [
        {"if": _is("creates", [module.name]), "then": narrowing.shape(Inbox, Around(module))}
        for module in names.modules.values()
    ]
    properties["inbox"] = {"allOf": [properties.get("inbox", {}), *by_target]}
    return _whole("modules.yaml", language, general, narrowed)


def _profile(names: FolderNames) -> Schema:
    language = LanguageSchema()
    narrowing = Narrowing(language, names)
    general = language.defined(Profile)
    # false removes a module of an extended profile; an empty value is an access without changes.
    access = language.defined(Access)
    language.definitions["Profile"]["properties"]["modules"]["additionalProperties"] = {
        "if": {"type": "object"}, "then": access, "else": {"enum": [False, None]},
    }  # fmt: skip
    narrowed = narrowing.shape(Profile, Around())
    by_name = {}
    for name, module in names.modules.items():
        rights = narrowing.shape(Access, Around(module, module))
        by_name[name] = {"description": module.label, "if": {"type": "object"}, "then": rights}
    known = {"propertyNames": {"enum": list(names.modules)}} if names.modules else {}
    narrowed.setdefault("properties", {})["modules"] = {"properties": by_name, **known}
    return _whole("A profile", language, general, narrowed)


def _buttons(names: FolderNames) -> Schema:
    language = LanguageSchema()
    narrowing = Narrowing(language, names)
    general = language.defined(ButtonsFile)
    language.definitions["ButtonsFile"]["properties"]["buttons"]["propertyNames"] = names_schema()
    by_target: list[Any] = [
        {
            "if": _is("opens", [module.name, f"{module.name}/create"]),
            "then": narrowing.shape(Button, Around(module, module)),
        }
        for module in names.modules.values()
    ]
    either = {"oneOf": [{"required": ["opens"]}, {"required": ["url"]}]}
    button = {"allOf": [narrowing.shape(Button, Around()), either, *by_target]}
    language.definitions["one button"] = button
    narrowed = {"properties": {"buttons": {"additionalProperties": ref("one button")}}}
    return _whole("buttons.yaml", language, general, narrowed)


def _is(key: str, values: list[str]) -> Schema:
    return {"required": [key], "properties": {key: {"enum": values}}}


def _whole(title: str, language: LanguageSchema, general: Schema, narrowed: Schema) -> Schema:
    file = language.definitions[general["$ref"].rpartition("/")[2]]
    file["patternProperties"] = {f"^{EXTENSION}": {}}
    return {"$schema": DRAFT, "title": title, "allOf": [general, narrowed], "$defs": language.definitions}
