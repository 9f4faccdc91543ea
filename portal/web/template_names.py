"""The names that a template knows, looked up and copied by Python's own dictionary.

Chameleon copies them for each macro, and looks them up in Python: a third of the time that it takes to draw a page.
Its own kind keeps names that a template sets for all others (`global`) apart; ours set none, as a test says.
"""

from typing import Any

from chameleon import PageTemplateFile


class Names(dict[str, Any]):
    """What Chameleon asks of its own `Scope`."""

    __slots__ = ()
    get_name = dict.__getitem__

    def __missing__(self, name: str) -> Any:
        raise NameError(name)

    def copy(self) -> "Names":
        """The names of a macro, which may change without changing these."""
        return Names(self)


class Template(PageTemplateFile):
    """A template file whose names are `Names`."""

    _render: Any

    def cook(self, body: str) -> None:
        super().cook(body)  # gives itself the function that draws the page
        draw: Any = self._render

        def render(stream: list[str], names: dict[str, Any], *others: Any, **options: Any) -> None:
            draw(stream, Names(names), *others, **options)

        self._render = render
