"""The views as their decorators declare them: what is sent to a record and below it, for the tests of rights."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from portal import views
from tests.source_code import nodes_of, python_files, tree_of

FOLDER = Path(views.__file__).parent
# A record and each of its branches. COMMENT, FILE and PERSON stand for one of the record.
RECORD_PATHS = {
    "Record": ("",), "RecordComments": ("comments",), "RecordComment": ("comments/COMMENT",),
    "RecordFiles": ("files",), "RecordFile": ("files/FILE",),
    "RecordWatchers": ("watchers",), "RecordWatcher": ("watchers/PERSON",),
    "RecordTransitions": ("move",),
    "RecordTransition": ("move/resolve", "move/reopen", "move/close", "move/ask_back"),
}  # fmt: skip


def declared_views() -> Iterator[tuple[str, str, dict[str, str]]]:
    """(file.function, decorator, its keywords as written) for every view."""
    for path in python_files(FOLDER):
        for node in tree_of(path).body:
            for decorator in getattr(node, "decorator_list", ()):
                name = getattr(getattr(decorator, "func", None), "id", "")
                if name.endswith("view_config"):
                    keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in decorator.keywords}
                    yield f"{path.relative_to(FOLDER).with_suffix('')}.{node.name}", name, keywords


def _sent(paths: Mapping[str, tuple[str, ...]], by_programs: bool = False) -> dict[tuple[str, str], None]:
    """The methods and addresses of the views of these resources, for pages or for programs."""
    sent: dict[tuple[str, str], None] = {}
    for _view, kind, keywords in declared_views():
        is_api = kind == "api_view_config" or keywords.get("route_name") == "API_ROUTE"
        name, method = (ast.literal_eval(keywords.get(key, "''")) for key in ("name", "request_method"))
        if is_api == by_programs:
            for path in paths.get(keywords.get("context", ""), ()):
                sent[method or "POST", "/".join(filter(None, (path, name)))] = None
    return sent


# What is posted to a module; to a record and below it; and what programs send there, with their methods.
POSTED_TO_MODULE = tuple(target for method, target in _sent({"Module": ("",)}) if method != "GET")
POSTED = tuple(target for method, target in _sent(RECORD_PATHS) if method != "GET")
BY_PROGRAMS = tuple(_sent(RECORD_PATHS, by_programs=True))


def _inputs() -> Iterator[str]:
    """The names of the inputs that views read from posted forms, without those of forms themselves (`_once`)."""
    reads = re.compile(r"posted_(text|comment)|.*\.POST\.get(all)?")
    calls = (node for path in python_files(FOLDER) for node in nodes_of(path) if isinstance(node, ast.Call))
    for call in calls:
        name = call.args[-1] if call.args and reads.fullmatch(ast.unparse(call.func)) else None
        if isinstance(name, ast.Constant) and str(name.value)[0].isalpha():
            yield str(name.value)


INPUTS = tuple(dict.fromkeys(_inputs()))
