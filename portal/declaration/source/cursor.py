"""A place in a file of the declaration: checks walk down from it and report what is wrong.

    at["list"]["columns"].wrong('no field "titel"')     # points at the value of columns
    at["lifecycle"].key.wrong("...")                    # points at the word lifecycle itself

Used by everything that reads or checks a file. A cursor may point at something that is not written: its problems are
then placed at the nearest parent that is.
"""

from typing import Any

from portal.declaration.source.document import Document
from portal.declaration.source.problems import KeyPath, Problem, RelatedPlace


class Cursor:
    """A place in a YAML file, `path` in `document`; problems there are added to `problems`."""

    __slots__ = ("_at_key", "_problems", "document", "path")

    def __init__(self, document: Document, problems: list[Problem], path: KeyPath = (), at_key: bool = False) -> None:
        self.document = document
        self.path = path
        self._problems = problems
        self._at_key = at_key

    def __getitem__(self, part: str | int) -> "Cursor":
        """One step down: the value of a key, or an item of a list."""
        return Cursor(self.document, self._problems, (*self.path, part))

    def __contains__(self, part: str | int) -> bool:
        """Whether the key or item is written."""
        return self.document.has((*self.path, part))

    def down(self, path: KeyPath) -> "Cursor":
        """Several steps down."""
        return Cursor(self.document, self._problems, (*self.path, *path)) if path else self

    def inner(self, part: str | int) -> "Cursor":
        """One step down if something is written there, else this place: short forms omit keys and brackets."""
        return self[part] if self.document.has((*self.path, part)) else self

    @property
    def key(self) -> "Cursor":
        """The same place, but problems point at the key instead of its value."""
        return Cursor(self.document, self._problems, self.path, at_key=True)

    @property
    def nearest(self) -> "Cursor":
        """This place, or its nearest parent that is written."""
        path = self.path
        while path and not self.document.has(path):
            path = path[:-1]
        return Cursor(self.document, self._problems, path)

    @property
    def value(self) -> Any:
        """The value read here; None if nothing is written."""
        return self.document.value(self.path)

    @property
    def source_text(self) -> str | None:
        """The source text of the scalar here; None for anything else."""
        return self.document.source_text(self.path)

    def wrong(self, message: str, *related: RelatedPlace) -> None:
        """Reports an error at this place: the declaration cannot be used."""
        self._problems.append(self.document.problem(self.path, message, key=self._at_key, related=related))

    def related(self, note: str) -> RelatedPlace:
        """This place, to explain a problem elsewhere: that of the key, if there is one."""
        return RelatedPlace(self.document.file, *self.document.place(self.path, key=True), note)

    def warn(self, message: str) -> None:
        """Reports a warning at this place: the declaration works, but probably not as intended."""
        self._problems.append(self.document.problem(self.path, message, key=self._at_key, warning=True))
