"""Numbers where text is meant are taken as they stand in the file: a version 1.10 is not 1.1.

Called by load for each file that was read. Which fields hold text is not known here, so every number in a condition
becomes what was written; the fields read numbers from text as well.
"""

from typing import Any

from portal.declaration.source.problems import Path
from portal.declaration.source.reader import Document

CONDITIONS = ("where", "show_when")


def take_conditions_as_written(document: Document) -> None:
    """Changes the document's conditions in place."""
    _search(document, (), document.data)


def _search(document: Document, path: Path, value: Any) -> None:
    for key, inner in _items(value):
        if isinstance(inner, dict | list):
            if key in CONDITIONS:
                _replace(document, (*path, key), inner)
            else:
                _search(document, (*path, key), inner)


def _replace(document: Document, path: Path, value: Any) -> None:
    for key, inner in _items(value):
        if isinstance(inner, dict | list):
            _replace(document, (*path, key), inner)
        elif isinstance(inner, int | float) and not isinstance(inner, bool):
            written = document.written((*path, key))
            if written is not None and written != str(inner):
                value[key] = written


def _items(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []
