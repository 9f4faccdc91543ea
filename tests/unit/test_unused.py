"""No function of the portal is left that nothing uses."""

import ast
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Called by the libraries whose classes they extend.
BY_LIBRARIES = {
    "self_group", "get_col_spec", "tpc_begin", "tpc_vote", "tpc_finish", "tpc_abort", "abort", "sortKey",
    "should_retry", "new_csrf_token", "check_csrf_token", "authenticated_userid", "handle_starttag", "handle_endtag",
    "handle_data", "fold_binary", "list_commands", "get_command", "format_commands", "load_dialect_impl",
}  # fmt: skip
BY_DECORATOR = {"property", "classmethod", "staticmethod", "cached_property"}  # others register a function somewhere


def test_every_function_is_named_somewhere_else():
    files = [path for path in (ROOT / "portal").rglob("*") if path.suffix in (".py", ".pt")]
    named = Counter(re.findall(r"\w+", "\n".join(path.read_text(encoding="utf-8") for path in files)))
    unused = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in files
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and named[node.name] == 1
        if not node.name.startswith(("__", "test_")) and node.name not in BY_LIBRARIES
        if {_name(decorator) for decorator in node.decorator_list} <= BY_DECORATOR
    ]
    assert unused == []


def test_a_function_that_only_its_own_file_uses_is_called_so():
    """`_name`. What a decorator or a name in a text hands to others is used there; what a test calls as well."""
    files = [path for folder in ("portal", "tests", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))]
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    words = Counter(word for text in texts.values() for word in set(re.findall(r"\w+", text)))
    kept = {"cache", "lru_cache", "contextmanager"}  # decorators that hand a function to nobody
    offenders = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path, text in texts.items()
        if path.is_relative_to(ROOT / "portal")
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and words[node.name] == 1
        if {_name(decorator) for decorator in node.decorator_list} <= kept and f'.{node.name}"' not in text
    ]
    assert offenders == []


def _name(decorator: ast.expr) -> str:
    return ast.unparse(decorator).split(".")[-1]
