"""The reference cannot fall behind: it contains every key, type, command, option and setting of the code."""

import re
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from portal.commands import Commands, command_files, main
from portal.declaration import home_shapes, layout_shapes, shapes
from portal.declaration.builtin import builtin_fields
from portal.declaration.declaration import Declaration
from portal.fields.base import Field
from portal.fields.base_shape import Shape
from portal.mail.recipients import Role
from portal.settings import PREFIX, ProcessSettings

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")

# Resolved by the engine, never written in YAML.
INNER = {
    "name",
    "builtin",
    "readable",
    "module",
    "folder",
    "profiles",
    "settings",
    "icons",
    "labeled",
    "modules_from_first_day",
}


def keys_of(shape: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in shape.model_fields.items()} - INNER


def shapes_of_the_language() -> list[type[Shape]]:
    declared = {**vars(shapes), **vars(layout_shapes), **vars(home_shapes)}.values()
    found = [each for each in declared if isinstance(each, type) and issubclass(each, Shape)]
    return [each for each in (*found, Declaration) if each not in (Shape, Field)]


@pytest.mark.parametrize("kind", sorted(Field.types))
def test_every_field_type_is_documented_with_its_own_keys(kind):
    line = next((line for line in REFERENCE.splitlines() if line.startswith("|") and f"`{kind}`" in line), None)
    assert line, f"no row for {kind} in the table of field types"
    own = keys_of(Field.types[kind]) - keys_of(Field) - {"type"}
    assert [key for key in sorted(own) if f"`{key}`" not in REFERENCE] == [], (
        "keys that docs/reference.md does not name"
    )


@pytest.mark.parametrize("shape", shapes_of_the_language(), ids=lambda shape: shape.__name__)
def test_every_key_is_documented(shape):
    code = " ".join(re.findall(r"```.*?```|`[^`]+`", REFERENCE, re.DOTALL))
    undocumented = [key for key in sorted(keys_of(shape)) if not re.search(rf"\b{key}\b", code)]
    assert undocumented == [], "docs/reference.md"


def test_the_types_that_a_column_of_an_existing_table_can_be_read_as_are_named():
    sentence = re.search(r"A column can be read as (.*?)\. ", REFERENCE)
    named = set(re.findall(r"`(\w+)`", sentence[1])) & set(Field.types)
    without_column = {"elapsed", "lookup", "timeliness"}  # worked out from others
    types = {name for name, kind in Field.types.items() if kind.from_column}
    assert sorted((named | without_column) ^ types) == [], (
        "from_column of the type, or the sentence “A column can be read as …” in docs/reference.md"
    )


def test_every_key_of_fields_is_documented():
    assert [key for key in sorted(keys_of(Field)) if f"`{key}" not in REFERENCE and f"{key}:" not in REFERENCE] == []


def test_every_built_in_field_is_documented():
    assert [name for name in builtin_fields(None) if f"`{name}`" not in REFERENCE] == [], "docs/reference.md"


def test_the_reference_names_everyone_to_whom_letters_about_records_go():
    paragraph = re.search(r"\*\*To whom\.\*\*.*", REFERENCE)[0].lower()
    assert [role.name for role in Role if role.name.lower() not in paragraph] == [], "“To whom” in docs/reference.md"


@pytest.mark.parametrize("name", sorted(command_files()))
def test_every_command_is_documented_with_its_options(name):
    assert isinstance(main, Commands)
    command = main.get_command(click.Context(main), name)
    assert f"`{name}" in REFERENCE
    commands = command.commands.values() if isinstance(command, click.Group) else [command]
    options = {option for each in commands for parameter in each.params for option in parameter.opts}
    assert [option for option in sorted(options) if option.startswith("--") and option not in REFERENCE] == []


def test_every_setting_is_documented():
    names = {
        field.validation_alias or f"{PREFIX}{name.upper()}" for name, field in ProcessSettings.model_fields.items()
    }
    assert [name for name in sorted(names) if f"`{name}`" not in REFERENCE] == []


@pytest.mark.parametrize("document", ["SECURITY.md", "docs/production.md"])
def test_every_file_that_a_document_names_exists(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:portal|deploy|tests|scripts)/[\w./-]+\w(?:\.\w+|/))`", text))
    tests = {f"tests/functional/{name}" for name in re.findall(r"`(test_\w+\.py)`", text)}
    assert named
    assert [name for name in sorted(named | tests) if not (ROOT / name).exists()] == []


def test_every_file_that_a_comment_or_the_architecture_names_exists():
    folders = ("portal", "tests", "scripts", "benchmarks", "deploy")
    files = [f"/{path.relative_to(ROOT)}" for folder in folders for path in (ROOT / folder).rglob("*.py")]
    documents = ("docs/ARCHITECTURE.md", "docs/where-things-live.md", "CONTRIBUTING.md")
    texts = [*(ROOT / "portal").rglob("*.py"), *(ROOT / name for name in documents)]
    named = {
        (path.name, name)
        for path in texts
        for name in re.findall(r"(?<![\w/.…])((?:\w+/)*\w+\.py)\b", path.read_text("utf-8"))
    }
    endings = {"/".join(file.split("/")[-depth:]) for file in files for depth in range(1, file.count("/") + 1)}
    assert [(path, name) for path, name in sorted(named) if name not in endings] == []


def test_the_map_names_every_file_below_its_folder_but_those_named_like_what_they_hold():
    """Field types and commands are each in the file of their name."""
    text = (ROOT / "docs/where-things-live.md").read_text(encoding="utf-8").partition("## Which of two")[0]
    top, *parts = re.split(r"^(?:## `portal|\*\*`)/?([\w/]+)/`", text, flags=re.M)
    sections = {"": top} | dict(zip(parts[::2], parts[1::2], strict=True))
    named = {
        ROOT / "portal" / folder / name
        for folder, section in sections.items()
        for name in re.findall(r"`(\w+\.py)`", section)
    }
    obvious = {"__init__.py", *(f"{type_}.py" for type_ in Field.types)}
    files = [path for path in (ROOT / "portal").rglob("*.py") if "commands" not in path.parts]
    unnamed = [path for path in files if path not in named and path.name not in obvious]
    assert [str(path.relative_to(ROOT)) for path in sorted(unnamed)] == [], "not in docs/where-things-live.md"


def test_the_document_about_packages_contains_the_unchanged_example():
    document = (ROOT / "docs" / "packages.md").read_text(encoding="utf-8")
    example = ROOT / "examples" / "packages" / "portal-iban"
    files = [path for path in example.rglob("*") if path.suffix in (".py", ".pt", ".toml") and path.stem != "__init__"]
    assert len(files) > 3
    assert [path.name for path in files if f"\n{path.read_text(encoding='utf-8')}```\n" not in document] == []
