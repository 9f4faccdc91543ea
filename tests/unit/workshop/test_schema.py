"""The schemas of editors: nothing valid is underlined, most mistakes are. tests/drills/editor.py uses a real server."""

import itertools
import json
from pathlib import Path

import jsonschema
import pytest

from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.declared_files import read_files
from portal.declaration.read_modules import TOP_LEVEL_KEYS
from portal.declaration.shape_keys import keys_of
from portal.declaration.shapes import ACTIONS
from portal.declaration.source.yaml_reader import read
from portal.fields.base import Field
from portal.fields.base_shape import Shape
from portal.workshop.schema.descriptions import ACTION_DESCRIPTIONS, description_of, description_of_type
from portal.workshop.schema.folder_names import folder_names
from portal.workshop.schema.schema_files import ButtonsFile, ModulesFile, files_without_schema, write_schemas
from tests.mutations import broken_variants
from tests.portal_files import copied
from tests.unit.declaration.test_effects import keys_of_the_language

ROOT = Path(__file__).parents[3]
SMALL = ROOT / "tests/portals/small"
VALID = [ROOT, ROOT / "examples/northwind", SMALL, ROOT / "tests/portals/wide", ROOT / "tests/portals/post"]


def with_schemas(folder: Path, to: Path) -> Path:
    """The declarations of a folder, and their schemas."""
    write_schemas(copied(folder, to))
    return to


def underlined(folder: Path, file: str, text: str) -> list[str]:
    """What an editor would underline with the schemas in `folder`; invalid YAML it sees by itself."""
    document = read(text.encode(), file)
    if document.problems:
        return [problem.message for problem in document.problems]
    kind = {"modules.yaml": "modules", "buttons.yaml": "buttons"}.get(file, "profile")
    schema = json.loads((folder / f"var/schema/{kind}.json").read_text())
    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(document.data)]


@pytest.mark.parametrize("folder", VALID, ids=lambda folder: folder.name)
def test_nothing_is_underlined_in_a_valid_folder(folder, tmp_path):
    copy = with_schemas(folder, tmp_path / "copy")
    for path in (copy / "var/schema").iterdir():
        jsonschema.Draft7Validator.check_schema(json.loads(path.read_text()))
    for path in copy.rglob("*.yaml"):
        assert underlined(copy, path.relative_to(copy).as_posix(), path.read_text()) == [], path


def test_most_mistakes_are_underlined(tmp_path):
    copy = with_schemas(SMALL, tmp_path / "copy")
    variants = list(itertools.islice(broken_variants(copy, tmp_path / "broken", seed=3), 20))
    missed = [variant.problem for variant in variants if not underlined(copy, variant.file, variant.text)]
    assert len(missed) < 0.3 * len(variants), missed


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("modules.yaml", "[article, stopped_since]", "[artcle, stopped_since]"),
        ("modules.yaml", "owner: caller", "owner: calle"),
        ("modules.yaml", "to: people", "to: peple"),
        ("modules.yaml", "from: resolved, to: closed", "from: resolved, to: gone"),
        ("modules.yaml", "where: {published: true}", "where: {publshed: true}"),
        ("modules.yaml", "not: [resolved, closed]", "not: [resolvd, closed]"),
        ("modules.yaml", "type: link", "type: lnik"),
        ("profiles/customer.yaml", "see: own", "see: owm"),
        ("profiles/customer.yaml", "can: [create", "can: [creat"),
        ("profiles/power.yaml", "extends: customer", "extends: customr"),
        ("buttons.yaml", "opens: tickets/create", "opens: ticket/create"),
        ("buttons.yaml", "tab: open", "tab: opn"),
    ],
)
def test_a_name_of_the_folder_that_does_not_exist_is_underlined(small, file, right, wrong):
    text = (small / file).read_text()
    assert right in text
    assert underlined(small, file, text) == []
    assert underlined(small, file, text.replace(right, wrong, 1)) != []


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return with_schemas(SMALL, tmp_path_factory.mktemp("schema") / "small")


def test_a_file_that_is_wrong_for_a_moment_still_gives_its_names(tmp_path):
    (tmp_path / "modules.yaml").write_text(
        "modules: {tickets: {fields: {title: text, state: {type: chioce}}, list: 3}}\n"
    )
    draft = DeclarationDraft(tmp_path)
    read_files(draft)
    assert list(folder_names(draft).modules["tickets"].fields) == ["title", "state"]


def test_a_file_that_cannot_be_read_leaves_the_schemas_as_they_were(tmp_path):
    copy = with_schemas(SMALL, tmp_path / "copy")
    before = (copy / "var/schema/modules.json").read_bytes()
    (copy / "modules.yaml").write_text("modules: {tickets: [\n")
    assert write_schemas(copy) == []
    assert (copy / "var/schema/modules.json").read_bytes() == before


@pytest.mark.parametrize("text", ["modules:\n", "modules: 3\n", "portal: {name: Care}\n", "- tickets\n"])
def test_files_without_any_name_have_the_schema_of_the_language(tmp_path, text):
    (tmp_path / "modules.yaml").write_text(text)
    write_schemas(tmp_path)
    assert underlined(tmp_path, "modules.yaml", "modules: {tickets: {fields: {title: text}}}") == []
    assert underlined(tmp_path, "modules.yaml", "inbox: {create: tickets}")


def test_the_shipped_files_name_their_schemas():
    assert [files_without_schema(folder) for folder in (ROOT, ROOT / "examples/northwind")] == [{}, {}]


def test_every_key_type_and_action_is_described():
    files: list[tuple[type[Shape], str]] = [
        (shape, key) for shape in (ModulesFile, ButtonsFile) for key in keys_of(shape)
    ]
    missing = [
        f"{shape.__name__}.{key}" for shape, key in [*files, *keys_of_the_language()] if not description_of(shape, key)
    ]
    assert missing == [], "workshop/schema/descriptions.py"
    assert [name for name, kind in Field.types.items() if not description_of_type(kind)] == [], "class docstrings"
    assert sorted(ACTION_DESCRIPTIONS.keys() ^ {*ACTIONS}) == [], "descriptions.py: ACTION_DESCRIPTIONS"


def test_the_schema_has_the_keys_of_modules_yaml():
    assert sorted({*keys_of(ModulesFile)} ^ {*TOP_LEVEL_KEYS}) == []
