"""What differs between two shapes of a declaration: the keys, and the values as far as a sentence can hold them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from portal.texts import Text

LONGEST = 60  # characters of a value in a sentence


@dataclass(frozen=True)
class Difference:
    """A key with a dot for each level, such as `list.page_size`, and what it had and has."""

    key: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """`label “Requests” instead of “Tickets”`; the key alone where that says nothing or too much."""
        before, after = _said(self.before), _said(self.after)
        return f"{self.key} {after} instead of {before}" if before and after and before != after else self.key

    @property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """Where it may be written: at the key, else, in a short form, at one above."""
        parts = tuple(self.key.split("."))
        return tuple(parts[:number] for number in range(len(parts), 0, -1))


def differences(before: BaseModel, after: BaseModel, skipped: Collection[str] = ()) -> Iterator[Difference]:
    """The keys in which two shapes of one kind differ, apart from `skipped` ones and former names."""
    for key in type(after).model_fields:
        if key not in skipped and key != "formerly":
            yield from _of_values(key, getattr(before, key), getattr(after, key))


def _of_values(key: str, old: Any, new: Any) -> Iterator[Difference]:
    if isinstance(old, BaseModel) and type(old) is type(new):
        for inner in differences(old, new):
            yield Difference(f"{key}.{inner.key}", inner.before, inner.after)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys((*old, *new)):
            yield from _of_values(f"{key}.{name}", old.get(name), new.get(name))
    elif isinstance(old, Text) and isinstance(new, Text) and old.by_language and new.by_language:
        yield from _of_values(key, old.by_language, new.by_language)
    elif old != new:
        yield Difference(key, old, new)


def _said(value: Any) -> str:
    """A value in a sentence; empty where it is no word, number or short list of words."""
    if value is None or value in ("", ()):
        return "nothing"
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        value = ", ".join(value)
    if isinstance(value, bool):
        value = str(value).lower()
    text = str(value) if isinstance(value, str | Text | int | float) else ""
    return f"“{text}”" if 0 < len(text) <= LONGEST else ""
