"""Restores numbers in conditions to the way they were written, because a version 1.10 is not 1.1.

Called by load for each file. It is not known here which fields hold text, so every number in a condition becomes its
source text; numeric fields can parse text as well.
"""

from typing import Any

from portal.declaration.source.document import Document
from portal.declaration.source.problems import KeyPath

CONDITIONS = ("where", "show_when", "required_when", "read_only_when")


def keep_condition_numbers_as_written(document: Document) -> None:
    """Changes the document's conditions in place."""
    _find_conditions(document, (), document.data)


def _find_conditions(document: Document, path: KeyPath, value: Any) -> None:
    for key, inner in _items(value):
        if isinstance(inner, dict | list):
            if key in CONDITIONS:
                _replace_numbers(document, (*path, key), inner)
            else:
                _find_conditions(document, (*path, key), inner)


def _replace_numbers(document: Document, path: KeyPath, value: Any) -> None:
    for key, inner in _items(value):
        if isinstance(inner, dict | list):
            _replace_numbers(document, (*path, key), inner)
        elif isinstance(inner, int | float) and not isinstance(inner, bool):
            source_text = document.source_text((*path, key))
            if source_text is not None and source_text != str(inner):
                value[key] = source_text


def _items(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []
