"""An outline as the text of modules.yaml, the profiles and buttons.yaml, with comments that say why."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from portal.declaration.plurals import in_singular
from portal.declaration.version import VERSION
from portal.texts import label_from_name
from portal.workshop.outlines.naming import snake
from portal.workshop.outlines.outline import Outline, OutlineField, OutlineModule

PLAIN = re.compile(r"[A-Za-z0-9_À-ÿ][A-Za-z0-9_À-ÿ .()/%+-]*[A-Za-z0-9_À-ÿ)%]|[A-Za-z]")
NUMERIC = re.compile(r"[0-9.+_eExXoO:-]+|[0-9].*")
SPECIAL = ("true", "false", "null", "~")
BUTTONS = 4
WRITES = ("create", "edit", "delete", "export")


def modules_yaml(outline: Outline) -> str:
    """The text of modules.yaml for an outline."""
    return "\n".join(_modules_lines(outline)) + "\n"


def profiles_yaml(outline: Outline) -> dict[str, str]:
    """The profiles of an outline by file name: staff, and customers if it is known who they are."""
    files = {"staff": "\n".join(_staff_lines(outline)) + "\n"}
    if outline.people():
        files["customer"] = "\n".join(_customer_lines(outline)) + "\n"
    return files


def buttons_yaml(outline: Outline) -> str:
    """The text of buttons.yaml for an outline."""
    lines = ["# What the home page offers; each profile names its buttons under home:", "buttons:"]
    for module in _main(outline):
        icon = f", icon: {module.icon}" if module.icon else ""
        lines.append(f"  {module.name}: {{label: {_scalar(module.label)}{icon}, opens: {module.name}, count: true}}")
    return "\n".join(lines) + "\n"


def _scalar(value: Any) -> str:
    """One value of an outline in YAML's flow style."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_scalar, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_scalar(key)}: {_scalar(item)}' for key, item in value.items())}}}"
    text = str(value)
    plain = PLAIN.fullmatch(text) and not NUMERIC.fullmatch(text) and text.casefold() not in SPECIAL
    return text if plain else json.dumps(text, ensure_ascii=False)


def _modules_lines(outline: Outline) -> Iterator[str]:
    yield f"# Made by `portal init` from {outline.origin}. What was guessed has its reason behind it: read it once."
    if outline.read_only:
        yield "# The modules use these tables where they are (table:) and never alter them. They are only read, as no"
        yield "# profile may create, edit or delete: add that under can: where people shall change the rows."
    yield f"version: {VERSION}"
    yield "portal:"
    yield "  name: Portal                # look: shown above the menu and in emails"
    yield "  currency: EUR               # look: of amounts without a currency of their own"
    yield "  time_zone: UTC              # look: of times without a zone"
    yield "  administrators: [staff]"
    yield ""
    if people := outline.people():
        yield f"people: {people.name}   # look: each has an address, with which they can sign in (`portal account add`)"
        yield ""
    yield "modules:"
    for module in outline.modules:
        yield ""
        yield from _module_lines(outline, module)


def _module_lines(outline: Outline, module: OutlineModule) -> Iterator[str]:
    for note in module.notes:
        yield f"  # {note}"
    yield f"  {module.name}:"
    yield f"    label: {_scalar(module.label)}"
    yield f"    singular: {_scalar(str(label_from_name(in_singular(module.name))))}"
    if module.icon:
        yield f"    icon: {module.icon}"
    for key, value in module.keys.items():
        yield f"    {key}: {_scalar(value)}"
    yield f"    title: {module.title.name if module.title else 'reference'}"
    if owner := outline.owner(module):
        yield f"    owner: {owner}   # whose a record is: they see it"
    if outline.people() is not module:
        yield f"    see: {_scalar(_see(outline, module))}"
    yield "    fields:"
    for field in module.fields:
        yield _field_line(field, outline.read_only)
    for source, why in module.left_out:
        yield f"      # {source}: {why}"
    if not module.joins:
        yield from _list_lines(module)


def _field_line(field: OutlineField, read_only: bool) -> str:
    keys: dict[str, Any] = {"type": field.type, **field.keys}
    if read_only and snake(field.source).replace("_", "") != field.name.replace("_", ""):
        keys["column"] = field.source
    if not field.source.isascii():
        keys["label"] = field.source  # the name lacks such letters
    shown = field.type if len(keys) == 1 else _scalar(keys)
    return f"      {field.name}: {shown}" + (f"   # {field.reason}" if field.reason else "")


def _list_lines(module: OutlineModule) -> Iterator[str]:
    yield "    list:"
    yield f"      columns: {_scalar(module.columns())}"
    if sort := module.sort():
        yield f"      sort: {sort}"
    if tabs := module.tabs():
        field, options = tabs
        yield "      tabs:"
        yield "        all: {}"
        taken = {"all"}
        for option in options:
            name = snake(option)
            name = name if name[0].isalpha() and name not in taken else f"is_{name}"
            taken.add(name)
            yield f"        {name}: {{label: {_scalar(option)}, where: {{{field.name}: {_scalar(option)}}}}}"


def _see(outline: Outline, module: OutlineModule) -> Any:
    """The scope, `see`, that an outline's profiles get where none is declared."""
    if outline.owner(module):
        return "own"
    through = outline.through(module)
    return {"through": through} if through else "all"


def _main(outline: Outline) -> list[OutlineModule]:
    """The most interesting modules of an outline: those that are not mere joins, the owned ones first."""
    shown = [module for module in outline.modules if not module.joins]
    ranked = sorted(shown, key=lambda module: (outline.owner(module) is None, module.tabs() is None, -module.rows))
    return ranked[:BUTTONS]


def _staff_lines(outline: Outline) -> Iterator[str]:
    yield "# Those who run the portal: they see everything."
    yield "label: Staff"
    yield "staff: true"
    yield "modules:"
    can = ("export",) if outline.read_only else WRITES
    for module in outline.modules:
        menu = ", menu: false" if module.joins else ""
        granted = (*can, "grant") if module is outline.people() else can
        yield f"  {module.name}: {{see: all, can: {_scalar(granted)}{menu}}}"
    yield "home:"
    yield f"  buttons: {_scalar([module.name for module in _main(outline)])}"


def _customer_lines(outline: Outline) -> Iterator[str]:
    people = outline.people()
    yield "# Those whom the records are about: they see their own."
    yield "label: Customer"
    yield "modules:"
    mine = [module for module in outline.modules if outline.owner(module)]
    for module in mine:
        yield f"  {module.name}: {{see: own, can: [export]}}"
    for module in outline.modules:
        through = outline.through(module)
        if module not in mine and module is not people and through:
            yield f"  {module.name}: {{see: {{through: {through}}}, menu: false}}"
    if people:
        yield f"  {people.name}: {{see: own, label: My information}}"
    others = [module.name for module in outline.modules if not outline.owner(module) and not outline.through(module)]
    shared = [name for name in others if people is None or name != people.name]
    if shared:
        yield f"  # look: these belong to nobody; whoever is given one sees all of it: {', '.join(shared)}"
    if buttons := [module.name for module in _main(outline) if module in mine]:
        yield "home:"
        yield f"  buttons: {_scalar(buttons)}"
