"""Finds lines in the files for checks that run after the declaration was read."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from portal.declaration.source.document import Document
from portal.declaration.source.excerpts import with_lines
from portal.declaration.source.problems import KeyPath, Problem
from portal.declaration.source.yaml_reader import read

# Only if there is no quoted text before it.
COMMENT = re.compile(r"""(?<=[^'"#])\s#(?=[^'"]*$).*$""")


class Places:
    """The files of one folder, each read again when first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._documents: dict[str, Document] = {}

    def problem(self, file: str, path: KeyPath, message: str, warning: bool = False) -> Problem:
        """A problem with the value at `path` of `file`."""
        document = self._document(file)
        return with_lines(document.problem(path, message, warning=warning), {file: document})

    def has(self, file: str, path: KeyPath) -> bool:
        """Whether something is written at `path` of `file`."""
        return self._document(file).has(path)

    def value(self, file: str, path: KeyPath) -> Any:
        """The value at `path` of `file`; None if nothing is written."""
        return self._document(file).value(path)

    def find(self, file: str, path: KeyPath, word: str = "") -> KeyPath | None:
        """The path of the first item `word` in the lists at `path` or below; without a word, `path` itself."""
        return path if not word else next(_items(self._document(file).value(path), path, word), None)

    def line(self, file: str, path: KeyPath) -> str:
        """`file:line:column` of the key at `path`."""
        line, column = self._document(file).place(path, key=True)
        return f"{file}:{line}:{column}"

    def text(self, file: str, path: KeyPath) -> str:
        """The line of the key at `path` as it is written, without indentation and trailing comment."""
        line, _column = self._document(file).place(path, key=True)
        lines = self._bytes(file).decode("utf-8", "replace").splitlines()
        return COMMENT.sub("", lines[line - 1]).strip() if line <= len(lines) else ""

    def _document(self, file: str) -> Document:
        if file not in self._documents:
            self._documents[file] = read(self._bytes(file), file)
        return self._documents[file]

    def _bytes(self, file: str) -> bytes:
        path = self._folder / file
        return path.read_bytes() if path.is_file() else b""


def _items(value: Any, path: KeyPath, word: str) -> Iterator[KeyPath]:
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _items(inner, (*path, key), word)
    elif value == word:
        yield path
