"""Commented starting points for modules, fields and profiles, for `portal new`: valid immediately, shown on the page.

Existing content is never changed or overwritten; what would not be valid is not written.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portal.declaration.declaration import Declaration
from portal.declaration.declaration_draft import MODULES
from portal.declaration.declared_files import profile_file
from portal.declaration.load import Loaded, load
from portal.declaration.name_rules import wrong_name
from portal.declaration.plurals import in_singular
from portal.declaration.shapes import Module, Profile
from portal.declaration.source.problems import KeyPath
from portal.declaration.source.suggestions import did_you_mean, suggest
from portal.declaration.synonyms import intended_type
from portal.fields.base import Field
from portal.texts import label_from_name
from portal.workshop.replace_file import replace_file
from portal.workshop.schema.schema_files import schema_line
from portal.workshop.yaml_text import YamlText

# The keys that a type requires, as a start.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "choice": ("options: [first, second]",),
    "choices": ("options: [first, second]",),
    "lines": ("fields: {what: text}",),
    "elapsed": ("from: created", "to: modified"),
    "timeliness": ("of: created", "to: modified"),
    "formula": ("of: number * 1",),
}


class CannotStartError(ValueError):
    """Nothing was written; the message says why."""


@dataclass
class Start:
    """What `portal new` did. `done`: what was written, in sentences; `hints`: what the author may want to do next."""

    done: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)


class _Writing:
    """The files of one folder to which `portal new` adds something, edited in memory until all of it is valid."""

    def __init__(self, folder: Path, overrides: Mapping[str, str]) -> None:
        self.folder, self.overrides = folder, overrides
        if not (folder / MODULES).exists():
            raise CannotStartError(
                f"{folder.absolute()} has no {MODULES}: `portal new module NAME` begins a portal there"
            )
        loaded = load(folder, overrides)
        if loaded.declaration is None:
            raise CannotStartError(f"the declarations have mistakes, which `portal check` names: {loaded.errors[0]}")
        self.declaration: Declaration = loaded.declaration
        self.files: dict[str, YamlText] = {}

    def text(self, file: str) -> YamlText:
        """The file as it will be."""
        if file not in self.files:
            self.files[file] = YamlText.read(self.folder, file)
        return self.files[file]

    def add_entry(self, file: str, path: KeyPath, lines: list[str], short: str) -> None:
        """`YamlText.with_entry`, in one of the files."""
        self.files[file] = self.text(file).with_entry(path, lines, short)

    def add_item(self, file: str, path: KeyPath, item: str) -> None:
        """`YamlText.with_item`, in one of the files."""
        self.files[file] = self.text(file).with_item(path, item)

    def save(self) -> None:
        """Writes the files if they are valid. Raises CannotStartError."""
        _refuse_errors(load(self.folder, self.overrides, {file: text.raw for file, text in self.files.items()}))
        for file, text in self.files.items():
            replace_file(self.folder / file, text.raw)


def _refuse_errors(loaded: Loaded) -> None:
    if loaded.errors:
        raise CannotStartError(str(loaded.errors[0]))


def new_module(folder: Path, name: str, profiles: tuple[str, ...], overrides: Mapping[str, str]) -> Start:
    """Adds a module with three fields, in the menu of `profiles`: by default those of staff, else all.

    In a folder without declarations, it starts a portal. Raises CannotStartError, CannotBeEditedError and OSError.
    """
    if not (folder / MODULES).exists():
        return _new_portal(folder, name, profiles, overrides)
    writing = _Writing(folder, overrides)
    declaration = writing.declaration
    _refuse_name(name, "module", declaration.modules)
    if unknown := [profile for profile in profiles if profile not in declaration.profiles]:
        raise CannotStartError(f'no profile "{unknown[0]}"{suggest(unknown[0], declaration.profiles)}')
    staff = tuple(key for key, profile in declaration.profiles.items() if profile.staff)
    shown_to = profiles or staff or tuple(declaration.profiles)
    label = str(label_from_name(name))
    fields = "{title: {type: text, required: true}, description: longtext}"
    writing.add_entry(MODULES, ("modules",), _module_start(name), f"{name}: {{label: {label}, fields: {fields}}}")
    for profile in shown_to:
        _show_module(writing, name, profile)
    writing.save()
    others = [key for key in declaration.profiles if key not in shown_to]
    hints = [f"no other profile has it ({', '.join(others)}): add {name} to their modules"] if others else []
    return Start([f"{MODULES}: module {name}", *(f"{profile_file(key)}: {name}" for key in shown_to)], hints)


def _module_start(name: str) -> list[str]:
    one = str(label_from_name(in_singular(name)))
    return [
        "",
        f"{name}:",
        f"  label: {label_from_name(name)}",
        f"  singular: {one:<30}  # one record of it: used in “New {one.lower()}”",
        "  icon: square                              # any name from lucide.dev/icons",
        '  # reference: "E{number:04}"               # how records are numbered',
        "  # owner: contact                          # the link to the person whose record it is, for `see: own`",
        "  fields:",
        "    title: {type: text, required: true}",
        "    description: longtext",
        "    state: {type: choice, options: [open, done], default: open}",
        "  # comments: true                          # a conversation on each record",
        "  # attachments: true                       # files on each record",
        "  list:",
        "    columns: [reference, title, state, modified]",
    ]


def _new_portal(folder: Path, name: str, profiles: tuple[str, ...], overrides: Mapping[str, str]) -> Start:
    """Starts a portal with one module, in a folder without declarations."""
    _refuse_name(name, "module", {})
    names = profiles or ("staff",)
    first = ["version: 1", "portal:", "  name: My portal", f"  administrators: [{names[0]}]", "", "modules:"]
    module = [f"  {line}".rstrip() for line in _module_start(name) if line]
    texts = {MODULES: [*first, *module]}
    for profile in names:
        entry = f"  {name}: {{see: all, can: [create, edit]}}"
        texts[profile_file(profile)] = [f"label: {label_from_name(profile)}", "staff: true", "modules:", entry]
    with tempfile.TemporaryDirectory() as tried:
        _write_new(Path(tried), texts)
        _refuse_errors(load(Path(tried), overrides))
    if there := [file for file in texts if (folder / file).exists()]:
        raise CannotStartError(f"{there[0]} is there already")
    _write_new(folder, texts)
    hints = ["portal apply", f"portal account add EMAIL --profile {names[0]}", "portal serve"]
    return Start([f"a portal with the module {name}: {', '.join(texts)}"], hints)


def _write_new(folder: Path, texts: Mapping[str, list[str]]) -> None:
    for file, lines in texts.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        replace_file(folder / file, "\n".join([schema_line(file), *lines, ""]).encode())


def _show_module(writing: _Writing, name: str, profile: str) -> None:
    file = profile_file(profile)
    entry = f"{name}: {{see: all, can: [create, edit]}}"
    document = writing.text(file).document
    if not document.has(("modules",)):
        writing.files[file] = writing.text(file).with_entry((), ["modules:", f"  {entry}"], f"modules: {{{entry}}}")
    else:
        writing.add_entry(file, ("modules",), [entry], entry)
    if document.has(("menu",)):
        writing.add_item(file, ("menu",), name)


def new_field(folder: Path, module: str, name: str, kind: str, overrides: Mapping[str, str]) -> Start:
    """Adds a field to a module, and to the layouts that list its fields. Raises the same as `new_module`."""
    writing = _Writing(folder, overrides)
    if module not in writing.declaration.modules:
        raise CannotStartError(f'no module "{module}"{suggest(module, writing.declaration.modules)}')
    shape = writing.declaration.modules[module]
    _refuse_name(name, "field", shape.fields)
    if kind not in Field.types:
        raise CannotStartError(f'no field type "{kind}"{did_you_mean(intended_type(kind))}')
    lines, short = _field_start(writing.declaration, shape, name, kind)
    path = ("modules", module)
    writing.add_entry(MODULES, (*path, "fields"), lines, short)
    computed = Field.types[kind].computed
    for layout in _written_layouts(writing.text(MODULES).document.value(path), computed):
        writing.add_item(MODULES, (*path, *layout), name)
    writing.save()
    return Start([f"{MODULES}: field {name} of {module}"], list(_other_layouts(writing, module, name, computed)))


def _links_once(module: Module, target: str) -> bool:
    links = [field for field in module.fields.values() if not field.computed and not field.multiple]
    return [field.targets for field in links].count((target,)) == 1


def _field_start(declaration: Declaration, module: Module, name: str, kind: str) -> tuple[list[str], str]:
    """The new field as a block of lines, and in braces."""
    needed = NEEDED.get(kind, ())
    if kind in ("link", "links"):
        target = next((key for key in declaration.modules if key != module.name), module.name)
        needed = (f"to: {target}",)
    if kind == "lookup":
        link = next((key for key, other in module.fields.items() if other.targets and not other.multiple), None)
        if link is None:
            raise CannotStartError(
                f"{module.name} has no link that a lookup could follow: add a field of type link first"
            )
        needed = (f"of: {link}.reference",)
    if kind == "rollup":
        linking = (other.name for other in declaration.modules.values() if _links_once(other, module.name))
        counted = next(linking, None)
        if counted is None:
            raise CannotStartError(f"no module has one link to {module.name}, by which its records could be counted")
        needed = (f"of: count({counted})",)
    lines = [
        f"{name}:",
        f"  type: {kind}",
        *(f"  {key}" for key in needed),
        f"  label: {label_from_name(name)}",
        "  # help: A sentence below the field in forms",
    ]
    if not Field.types[kind].computed:
        lines += ["  # required: true", "  # internal: true                      # only staff ever sees it"]
    return lines, f"{name}: {{{', '.join([f'type: {kind}', *needed])}}}"


def _written_layouts(module: Any, computed: bool) -> list[KeyPath]:
    """The lists of fields in the layouts of a module, which must name a new field for it to be shown."""
    paths: list[KeyPath] = []
    detail = module.get("detail") or {}
    if detail.get("sections"):
        paths.append(("detail", "sections", 0, "fields"))
    for form in () if computed else ("create", "edit"):
        layout = module.get(form) or {}
        if layout.get("fields"):
            paths.append((form, "fields"))
        elif layout.get("steps"):
            paths.append((form, "steps", len(layout["steps"]) - 1, "fields"))
    return paths


def _other_layouts(writing: _Writing, module: str, name: str, computed: bool) -> list[str]:
    """Profiles with their own lists of a module's fields, to which a new field is not added."""
    hints = []
    for profile in writing.declaration.profiles:
        entry = YamlText.read(writing.folder, profile_file(profile)).document.value(("modules", module))
        if isinstance(entry, Mapping) and _written_layouts(entry, computed):
            hints.append(f"{profile_file(profile)} lists fields of {module} itself: add {name} there to show it")
    return hints


def new_profile(folder: Path, name: str, extends: str | None, overrides: Mapping[str, str]) -> Start:
    """Adds a profile that may read what has an owner or a company of its own, or differs from another in nothing.

    Raises the same as `new_module`.
    """
    declaration = _Writing(folder, overrides).declaration
    _refuse_name(name, "profile", declaration.profiles)
    if extends is not None and extends not in declaration.profiles:
        raise CannotStartError(f'no profile "{extends}"{suggest(extends, declaration.profiles)}')
    file = profile_file(name)
    path = folder / file
    with path.open("x", encoding="utf-8") as written:
        written.write("\n".join([*_profile_lines(declaration, name, extends), ""]))
    try:
        _refuse_errors(load(folder, overrides))
    except CannotStartError:
        path.unlink()
        raise
    return Start([f"{file}: profile {name}"], [f"give it to someone: portal account add EMAIL --profile {name}"])


def _profile_lines(declaration: Declaration, name: str, extends: str | None) -> list[str]:
    head = [
        schema_line(profile_file(name)),
        f"# What people with the profile {name} see and may do. Modules that are not named do not exist for them.",
        "",
        f"label: {label_from_name(name)}",
    ]
    if extends is not None:
        parent: Profile = declaration.profiles[extends]
        examples = [f"#   {module}: {{see: all}}" for module in list(parent.modules)[:2]]
        inherited = f"extends: {extends}                       # only the differences follow"
        return [*head, inherited, "# modules:", *examples]
    staff = "# staff: true                             # the side that answers: sees internal fields and comments"
    menu = "modules:                                  # in the order of the menu"
    entries = [_access_line(module) for module in declaration.modules.values()]
    if all(line.lstrip().startswith("#") for line in entries):
        first = next(iter(declaration.modules))
        entries[0] = f"  {first}: {{see: all}}"
    return [*head, staff, "", menu, *entries]


def _access_line(module: Module) -> str:
    if module.owner:
        return f"  {module.name}: {{see: own}}"
    if module.organization:
        return f"  {module.name}: {{see: organization}}"
    if module.see == "all":
        return f"  {module.name}: {{}}"
    return f"  # {module.name}: {{see: all}}"


def _refuse_name(name: str, what: str, known: Mapping[str, Any]) -> None:
    if problem := wrong_name(name):
        raise CannotStartError(problem)
    if name in known:
        raise CannotStartError(f"there is a {what} {name} already: it stays as it is")
