"""The names that a template knows, and the attributes that it looks at, by Python's own means.

Chameleon copies names for each macro, and looks them up in Python: a third of the time that it takes to draw a page.
Its own kind keeps names that a template sets for all others (`global`) apart; ours set none, as a test says.
"""

import ast
from typing import Any

from chameleon import PageTemplateFile
from chameleon.tales import PythonExpr


class TemplateNames(dict[str, Any]):
    """What Chameleon asks of its own `Scope`."""

    __slots__ = ()
    get_name = dict.__getitem__

    def __missing__(self, name: str) -> Any:
        raise NameError(name)

    def copy(self) -> "TemplateNames":
        """The names of a macro, which may change without changing these."""
        return TemplateNames(self)


class PlainPython(PythonExpr):
    """Expressions that mean what they mean in Python.

    Chameleon takes an item for a missing attribute, by a function of its own: twice the time of each look at one.
    """

    transform: Any = ast.NodeTransformer()  # changes nothing


class Template(PageTemplateFile):
    """A template file whose names are `Names`, and whose expressions are `PlainPython`."""

    expression_types: Any = {**PageTemplateFile.expression_types, "python": PlainPython}
    _render: Any

    def cook(self, body: str) -> None:
        super().cook(body)  # gives itself the function that draws the page
        draw: Any = self._render

        def render(stream: list[str], names: dict[str, Any], *others: Any, **options: Any) -> None:
            draw(stream, TemplateNames(names), *others, **options)

        self._render = render
