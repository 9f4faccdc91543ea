"""The portal has no unused functions."""

import ast
import re
from collections import Counter

from tests.source_code import PORTAL, ROOT, nodes_of, python_files, text_of, tree_of

# Called by libraries whose classes they extend.
BY_LIBRARIES = {
    "self_group", "get_col_spec", "tpc_begin", "tpc_vote", "tpc_finish", "tpc_abort", "abort", "sortKey",
    "should_retry", "new_csrf_token", "check_csrf_token", "authenticated_userid", "handle_starttag", "handle_endtag",
    "handle_data", "fold_binary", "list_commands", "get_command", "format_commands", "load_dialect_impl",
}  # fmt: skip
BY_DECORATOR = {"property", "classmethod", "staticmethod", "cached_property"}  # others register a function somewhere


def test_every_function_is_named_somewhere_else():
    files = [*python_files(), *PORTAL.rglob("*.pt")]
    named = Counter(re.findall(r"\w+", "\n".join(map(text_of, files))))
    unused = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in python_files()
        for node in nodes_of(path)
        if isinstance(node, ast.FunctionDef) and named[node.name] == 1
        if not node.name.startswith(("__", "test_")) and node.name not in BY_LIBRARIES
        if {_name(decorator) for decorator in node.decorator_list} <= BY_DECORATOR
    ]
    assert unused == []


def test_a_function_that_only_its_own_file_uses_is_called_so():
    """`_name`. A function passed on by a decorator or named in a text is used elsewhere; so is one in a test."""
    files = [path for folder in ("portal", "tests", "benchmarks") for path in python_files(ROOT / folder)]
    words = Counter(word for path in files for word in set(re.findall(r"\w+", text_of(path))))
    kept = {"cache", "lru_cache", "contextmanager"}  # decorators that hand a function to nobody
    offenders = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in python_files()
        for node in tree_of(path).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and words[node.name] == 1
        if {_name(decorator) for decorator in node.decorator_list} <= kept and f'.{node.name}"' not in text_of(path)
    ]
    assert offenders == []


def _name(decorator: ast.expr) -> str:
    return ast.unparse(decorator).split(".")[-1]
