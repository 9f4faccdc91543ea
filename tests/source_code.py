"""The code of the portal for tests that inspect it, read and parsed once for all of them."""

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).parents[1]
PORTAL = ROOT / "portal"


@functools.cache
def python_files(folder: Path = PORTAL) -> tuple[Path, ...]:
    return tuple(sorted(folder.rglob("*.py")))


@functools.cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path))


@functools.cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a file, the module first."""
    return tuple(ast.walk(tree_of(path)))
