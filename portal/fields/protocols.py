"""What field types need from a form and from the declaration, without importing either."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import sqlalchemy as sa


class Form(Protocol):
    """A posted form or a query string: one name may have several values."""

    def get(self, name: str, default: str = "") -> str: ...

    def getall(self, name: str) -> list[str]: ...

    def __contains__(self, name: object) -> bool: ...

    def __iter__(self) -> Iterator[str]: ...

    def items(self) -> Iterable[tuple[str, Any]]: ...


class Declared(Protocol):
    """The part of the declaration that fields need if they depend on other fields."""

    @property
    def modules(self) -> Any: ...
    @property
    def settings(self) -> Any: ...
    def along(self, module: str, path: str) -> Iterator[tuple[Any, Any]]: ...


# The ids of the records of a module that a reader may see; None for all of them.
VisibleIds = Callable[[str], sa.Select[tuple[int]] | None]
