"""Nothing is unused: there are no fields that no view sets, no template reads or no page contains."""

import ast
import dataclasses
import functools
import re
from importlib import import_module
from pkgutil import walk_packages
from typing import get_args, get_type_hints

import pytest

from portal import views
from portal.fields.base import Field
from portal.views import displays
from portal.views.forms import widgets
from portal.web import frame
from tests.source_code import PORTAL, python_files, tree_of

MODULES = [import_module(each.name) for each in walk_packages(views.__path__, "portal.views.")] + [frame]
TEMPLATES = {path.name: path.read_text("utf-8") for path in sorted((PORTAL / "templates").glob("*.pt"))}
TYPESET = [path.read_text("utf-8") for path in (PORTAL / "templates").glob("*.typ")]
SCRIPTS = {path.name: path.read_text("utf-8") for path in sorted((PORTAL / "static/js").glob("*.js"))}
STYLES = {path.name: path.read_text("utf-8") for path in sorted((PORTAL / "static/css").glob("*.css"))}


@functools.cache
def trees():
    paths = [path for folder in ("views", "web", "rendering") for path in python_files(PORTAL / folder)]
    return [tree_of(path) for path in paths]


@functools.cache
def shown_classes():
    """The pages, with the types of their fields, and the values of displays.py, which may contain anything."""
    names, known = {module.__name__ for module in MODULES}, dict[type, None]()
    waiting = [kind for module in MODULES for kind in vars(module).values() if isinstance(kind, type)]
    whole = (displays.__name__, frame.__name__)
    waiting = [kind for kind in waiting if kind.__name__.endswith("Page") or kind.__module__ in whole]
    while waiting:
        kind = waiting.pop()
        waiting += get_args(kind)
        is_shown = dataclasses.is_dataclass(kind) or hasattr(kind, "_fields")
        if is_shown and kind.__module__ in names and kind not in known:
            known[kind] = None
            waiting += get_type_hints(kind).values()
    return list(known)


def fields_of(kind):
    return list(getattr(kind, "_fields", None) or [field.name for field in dataclasses.fields(kind)])


def fields_set():
    """(class, field) for every argument of a constructor; (None, field) for those of `replace` and of dict literals."""
    order = {kind.__name__: fields_of(kind) for kind in shown_classes()}
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                kind = name if name in order else None
                yield from ((kind, keyword.arg) for keyword in node.keywords if kind or "replace" in name)
                yield from ((kind, field) for field, _value in zip(order.get(name, ()), node.args, strict=False))
            elif isinstance(node, ast.Dict):
                yield from ((None, key.value) for key in node.keys if isinstance(key, ast.Constant))
            elif isinstance(node, ast.Assign):  # values["warning"] = …
                yield from (
                    (None, target.slice.value)
                    for target in node.targets
                    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant)
                )


def test_every_field_of_a_page_is_set_by_a_view():
    known = set(fields_set())
    offenders = [
        f"{kind.__name__}.{name}"
        for kind in shown_classes()
        for name in fields_of(kind)
        if (kind.__name__, name) not in known and (None, name) not in known
    ]
    assert offenders == []


def test_every_field_of_a_page_is_read():
    texts = [*TEMPLATES.values(), *TYPESET]
    read = {name for text in texts for name in re.findall(r"\.(\w+)", text)}
    read |= {node.attr for tree in trees() for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    offenders = [f"{kind.__name__}.{name}" for kind in shown_classes() for name in fields_of(kind) if name not in read]
    assert offenders == []


def test_every_macro_is_used():
    together = "".join(TEMPLATES.values())
    used = set(re.findall(r"macros\['([\w-]+)'\]", together)) | set(re.findall(r"and '(\w+)' or '(\w+)'", together)[0])
    used |= {*displays.DISPLAYS, "matched", *widgets.WIDGETS}
    used |= {kind.filter for kind in Field.types.values() if isinstance(kind.filter, str)}
    offenders = [
        f"{file}: {name}"
        for file, text in TEMPLATES.items()
        for name in re.findall(r'define-macro="([\w-]+)"', text)
        if name not in used and name != "head"
    ]
    assert offenders == []


def test_every_style_has_something_to_dress():
    # Tones and states come from declarations and views, the rest is in templates and scripts.
    words = {"good", "warn", "bad", "info", "primary", "lead", "reference", "status", "when", "extra", "done"}
    for text in (*TEMPLATES.values(), *SCRIPTS.values()):
        words |= set(re.findall(r"[\w-]+", text))
    words |= set(re.findall(r"[\w-]+", (PORTAL / "web/assets.py").read_text("utf-8")))
    offenders = [
        f"{file}: .{name}"
        for file, text in STYLES.items()
        for name in sorted(
            set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"/\*.*?\*/|\{[^{}]*\}", "", text, flags=re.DOTALL)))
        )
        if name not in words
    ]
    assert offenders == []


def test_every_class_of_a_template_is_dressed():
    """Letters have their styles in them."""
    styled = set(re.findall(r"\.([a-z][\w-]*)", "".join((*STYLES.values(), *SCRIPTS.values()))))
    offenders = [
        f"{file}: {name}"
        for file, text in TEMPLATES.items()
        if file != "letter.pt"
        for names in re.findall(r'\bclass="([^"]*)"', text)
        for name in re.sub(r"\$\{[^}]*\}", " ", names).split()
        if name not in styled
    ]
    assert offenders == []


@pytest.mark.parametrize("file", sorted(SCRIPTS))
def test_every_script_has_something_to_attach_to(file):
    selectors = re.findall(r'attach\("([^"]+)"', SCRIPTS[file])
    together = "".join(TEMPLATES.values())
    offenders = [
        name for selector in selectors for name in re.findall(r"data-[\w-]+", selector) if name not in together
    ]
    assert offenders == []
