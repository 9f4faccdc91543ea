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
        if isinstance(node, ast.FunctionDef) and named[node.name] == 1 and not node.name.startswith("__")
        if node.name not in BY_LIBRARIES and {_name(decorator) for decorator in node.decorator_list} <= BY_DECORATOR
    ]
    assert unused == []


def _name(decorator: ast.expr) -> str:
    return ast.unparse(decorator).split(".")[-1]
