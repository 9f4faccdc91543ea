"""The import rule of docs/ARCHITECTURE.md, checked in the code: only downwards, absolute, at the top; and small files.

Each test lists every offender, so that one run shows everything to fix.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.source_code import PORTAL, nodes_of, python_files, text_of, tree_of

FILES = frozenset(python_files())

# From low to high, the folders and files of a layer. A file imports from layers below its own, and from its own folder.
LAYERS = [
    ["packages"],
    ["texts", "conditions", "lazy", "batches", "colors", "memory", "logs"],
    ["condition_texts"],
    ["fields"],
    ["declaration/source"],
    ["declaration"],
    ["declaration/checks"],
    ["declaration/load"],
    ["database", "store"],
    ["database/search"],
    ["database/schema"],
    ["database/outbox", "database/deliveries", "database/search/marks"],
    ["database/migration"],
    ["records/statement_cache"],
    ["records/policy"],
    ["records/reading"],
    ["records/indexing"],
    ["records/writing"],
    ["records/audit", "records/transfer"],
    ["workshop"],
    ["accounts"],
    ["mail"],
    ["jobs"],
    ["web"],
    ["views"],
    ["rendering"],
    ["application", "__init__", "testing"],
    ["commands"],
]
LEVELS = {part: level for level, layer in enumerate(LAYERS) for part in layer}
# Settings import nothing of ours, and are read only by those who pass plain values down.
READ_SETTINGS = {"application", "commands"}

# The home of a library; every other library may be used anywhere.
HOMES = {
    "pyramid": {"web", "views", "rendering", "application"},
    "sqlalchemy": {part for part, level in LEVELS.items() if level <= LEVELS["jobs"]} | {"testing"},
    "yaml": {"declaration/source"},
    "obstore": {"store"},
}

MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 45


def test_a_file_imports_only_from_below():
    offenders = [
        f"{place(path, line)} imports {other}"
        for path in python_files()
        for line, other in parts_imported(path)
        if not may_import(part_of(path), other)
    ]
    assert offenders == []


def test_a_library_is_imported_only_where_it_is_at_home():
    offenders = [
        f"{place(path, node.lineno)} imports {module}"
        for path in python_files()
        for node, module, _name in imports(path)
        if part_of(path) not in HOMES.get(module.partition(".")[0].partition("_")[0], {part_of(path)})
    ]
    assert offenders == []


def test_imports_are_absolute_and_at_the_top():
    offenders = [
        place(path, node.lineno)
        for path in python_files()
        for node in nodes_of(path)
        if isinstance(node, ast.Import | ast.ImportFrom)
        if node not in tree_of(path).body or getattr(node, "level", 0)
    ]
    assert offenders == []


def test_only_the_settings_read_the_environment():
    names = {"environ", "environb", "getenv", "getenvb"}
    offenders = [
        place(path, node.lineno)
        for path in python_files()
        if part_of(path) != "settings"
        for node in nodes_of(path)
        if (
            (isinstance(node, ast.Attribute) and node.attr in names and getattr(node.value, "id", "") == "os")
            or (
                isinstance(node, ast.ImportFrom)
                and node.module == "os"
                and names & {alias.name for alias in node.names}
            )
        )
    ]
    assert offenders == []


def test_files_and_functions_are_small():
    long_files = [
        f"{place(path, lines)}: {lines} lines"
        for path in python_files()
        if (lines := len(text_of(path).splitlines())) > MOST_LINES_OF_A_FILE
    ]
    long_functions = [
        f"{place(path, node.lineno)} {node.name}: {lines} lines"
        for path in python_files()
        for node in nodes_of(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := node.end_lineno - node.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    ]
    assert long_files + long_functions == []


def may_import(part: str, other: str) -> bool:
    """Whether the import rule lets a file of `part` import from `other`."""
    if part == other or other in LEVELS and LEVELS[other] < LEVELS.get(part, 0):
        return True
    return other == "settings" and part in READ_SETTINGS


def part_of(path: Path) -> str:
    """The name of a file in LAYERS: its own, or that of the innermost folder that has one; else its own path."""
    name = path.relative_to(PORTAL).with_suffix("").as_posix().removesuffix("/__init__")
    while name not in LEVELS and "/" in name:
        name = name.rpartition("/")[0]
    return name


def parts_imported(path: Path) -> Iterator[tuple[int, str]]:
    """The parts of portal/ that a file imports from, with the line."""
    for node, module, name in imports(path):
        if module == "portal" or module.startswith("portal."):
            yield node.lineno, part_of(file_of(module, name))


def file_of(module: str, name: str | None) -> Path:
    """The file that `from module import name` reads: that of the submodule `name`, if there is one."""
    folder = PORTAL.parent.joinpath(*module.split("."))
    ways = [
        folder / f"{name}.py",
        folder / str(name) / "__init__.py",
        folder.with_suffix(".py"),
        folder / "__init__.py",
    ]
    return next(way for way in ways if way in FILES)


def imports(path: Path) -> Iterator[tuple[ast.Import | ast.ImportFrom, str, str | None]]:
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node, node.module or "", alias.name) for alias in node.names)


def place(path: Path, line: int) -> str:
    return f"portal/{path.relative_to(PORTAL)}:{line}"
