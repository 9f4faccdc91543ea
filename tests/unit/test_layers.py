"""The import rule of docs/ARCHITECTURE.md, read off the code: only downwards, absolute, at the top; and small files."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PORTAL = Path(__file__).parents[2] / "portal"
FILES = sorted(PORTAL.rglob("*.py"))

# From low to high. A file may import what stands in a lower row, and its own folder.
ROWS = [
    "later",
    "markup",
    "texts",
    "conditions",
    "fields",
    "declaration",
    "database",
    "records",
    "accounts",
    "mail",
    "web",
    "views",
    "application",
    "__init__",
    "commands",
]
# Settings stand aside: they import nothing of ours, and only those import them who hand plain values down.
READS_SETTINGS = {"application", "commands", "settings"}

# Where a library is at home; every other library may be used anywhere.
HOMES = {
    "pyramid": {"web", "views", "application"},
    "sqlalchemy": set(ROWS[: ROWS.index("mail") + 1]),
    "yaml": {"declaration"},
}

MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60

every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PORTAL)))


@every_file
def test_a_file_imports_only_from_below(path):
    own = part_of(path)
    assert own in {*ROWS, "settings"}, f"{own} has no row in the import rule"
    allowed = set(ROWS[: ROWS.index(own)]) | {own} if own in ROWS else {own}
    if own in READS_SETTINGS:
        allowed.add("settings")
    assert [f"line {line}: {name}" for line, name in parts_imported(path) if name not in allowed] == []


@every_file
def test_a_library_is_imported_only_where_it_is_at_home(path):
    own = part_of(path)
    strangers = [
        f"line {node.lineno}: {module}"
        for node, module, _ in imports(path)
        if own not in HOMES.get(module.partition(".")[0].partition("_")[0], {own})
    ]
    assert strangers == []


@every_file
def test_imports_are_absolute_and_at_the_top(path):
    top = tree(path).body
    nodes = [node for node in ast.walk(ast.Module(top, [])) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [f"line {node.lineno}" for node in nodes if node not in top or getattr(node, "level", 0)] == []


@every_file
def test_only_the_settings_read_the_environment(path):
    if part_of(path) == "settings":
        return
    names = {"environ", "environb", "getenv", "getenvb"}
    by_attribute = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in names and getattr(node.value, "id", "") == "os"
    ]
    by_name = [node.lineno for node, module, name in imports(path) if module == "os" and name in names]
    assert by_attribute + by_name == []


@every_file
def test_files_and_functions_are_small(path):
    functions = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno >= MOST_LINES_OF_A_FUNCTION
    ]
    assert functions == []
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES_OF_A_FILE


def part_of(path: Path) -> str:
    """The file or folder directly under portal/ that this file is or lies in."""
    return path.relative_to(PORTAL).with_suffix("").parts[0]


def parts_imported(path: Path) -> Iterator[tuple[int, str]]:
    """The parts of portal/ that a file imports; a name taken from `portal` itself that is no part is of __init__."""
    parts = {part_of(each) for each in FILES}
    for node, module, name in imports(path):
        root, *rest = module.split(".")
        if root == "portal":
            part = rest[0] if rest else name
            yield node.lineno, part if part in parts else "__init__"


def imports(path: Path) -> Iterator[tuple[ast.Import | ast.ImportFrom, str, str | None]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node, node.module or "", alias.name) for alias in node.names)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
