"""Names and attributes in templates, looked up with Python's own dictionaries and attribute access.

Chameleon copies names for each macro, and looks them up in Python: a third of the time that it takes to draw a page.
Its own class separates names that a template sets for all others (`global`); ours set none, which a test ensures.
"""

import ast
from typing import Any

from chameleon import PageTemplateFile
from chameleon.tales import PythonExpr
from chameleon.zpt.template import Macros


class TemplateNames(dict[str, Any]):
    """The names that a template uses; replaces Chameleon's own `Scope`."""

    __slots__ = ()
    get_name = dict.__getitem__

    def __missing__(self, name: str) -> Any:
        raise NameError(name)

    def copy(self) -> "TemplateNames":
        """The names of a macro, which may change without changing these."""
        return TemplateNames(self)


class PlainPython(PythonExpr):
    """Expressions that mean the same as in Python.

    Chameleon falls back from a missing attribute to an item, in a function of its own, which doubles the time.
    """

    transform: Any = ast.NodeTransformer()  # changes nothing


class KnownMacros(dict[str, Any]):
    """The macros of a template that never changes, each looked up once."""

    def __init__(self, macros: Macros) -> None:
        super().__init__()
        self._macros = macros

    @property
    def names(self) -> list[str]:
        return list(self._macros.names)

    def __missing__(self, name: str) -> Any:
        self[name] = self._macros[name]
        return self[name]


class Template(PageTemplateFile):
    """A template file whose names are `TemplateNames`, and whose expressions are `PlainPython`."""

    expression_types: Any = {**PageTemplateFile.expression_types, "python": PlainPython}
    _render: Any
    macros: Any

    def cook(self, body: str) -> None:
        super().cook(body)  # sets the function that draws the page
        if not self.auto_reload:
            self.macros = KnownMacros(Macros(self))
        draw: Any = self._render

        def render(stream: list[str], names: dict[str, Any], *others: Any, **options: Any) -> None:
            draw(stream, TemplateNames(names), *others, **options)

        self._render = render
