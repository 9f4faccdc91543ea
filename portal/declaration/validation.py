"""Turns an entry of the YAML into its shape, and what pydantic refuses into sentences with a place.

A text that was written as a number or boolean is taken as it was written. What is at fault is told and then left out,
so that the rest of the entry can still be checked. Which names must exist is not known here.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

from pydantic import ValidationError

from portal.declaration.source.nodes import copied
from portal.declaration.source.problems import Path, Problem, suggest
from portal.declaration.source.reader import Document
from portal.fields.base import Field, Shape

S = TypeVar("S", bound=Shape)
MOST_ROUNDS = 20
TEXT_WANTED = ("string_type", "text")

_WORDS = {
    "bool_type": "true or false is wanted",
    "bool_parsing": "true or false is wanted",
    "int_type": "a whole number is wanted",
    "int_parsing": "a whole number is wanted",
    "int_from_float": "a whole number is wanted",
    "int_parsing_size": "this number is too large",
    "float_type": "a number is wanted",
    "float_parsing": "a number is wanted",
    "decimal_type": "a number is wanted",
    "decimal_parsing": "a number is wanted",
    "finite_number": "a number is wanted",
    "tuple_type": "a list is wanted",
    "list_type": "a list is wanted",
    "dict_type": "a mapping is wanted",
    "mapping_type": "a mapping is wanted",
    "model_type": "a mapping is wanted",
    "model_attributes_type": "a mapping is wanted",
    "string_type": "a text is wanted",
    "text": "a text is wanted, or a mapping of language codes to texts",
    "too_short": "at least one is wanted",
    "too_long": "at most {max_length} is wanted",
    "greater_than": "more than {gt} is wanted",
    "greater_than_equal": "at least {ge} is wanted",
    "less_than": "less than {lt} is wanted",
    "less_than_equal": "at most {le} is wanted",
}
# What may stand at a key that takes several kinds of value, and at one that a pattern describes.
_WANTED = {
    "see": "own, organization, all or {through: FIELD} is wanted",
    "attachments": "true, false or a mapping of max_size, max_count and types is wanted",
    "fields": "the name of a field is wanted, or a list of names that stand side by side",
    "accent": 'a colour like "#2457d6" is wanted, in quotes',
    "currency": 'a currency code of three letters like "EUR" is wanted',
    "search": "true or false is wanted",
}


def validated(
    shape: type[S], entry: Any, document: Document, path: Path, problems: list[Problem]
) -> tuple[S, dict[str, Any]] | None:
    """The shape of `entry`, which stands at `path`, and the entry as it was understood; None where nothing could be.

    Adds to `problems` what had to be left out.
    """
    reading = _Reading(shape, entry, document, path, problems)
    for _round in range(MOST_ROUNDS):
        try:
            return shape.model_validate(reading.entry), reading.entry
        except ValidationError as error:
            if not reading.mend(error):
                return None
    return None


def unknown_key(name: str, known: list[str]) -> str:
    """The sentence for a key that nobody knows."""
    return f'no key "{name}" here{suggest(name, known) or _listed(known)}'


def _listed(known: list[str]) -> str:
    return f"; known are {', '.join(known)}" if 0 < len(known) <= 12 else ""


def _existing(document: Document, path: Path, loc: tuple[Any, ...]) -> Path:
    node = document.root
    for part in path:
        node = node.children.get(part) if node is not None else None
    for part in loc:
        child = node.children.get(part) if node is not None else None
        if child is not None:
            path, node = (*path, part), child
    return path


class _Reading:
    """An entry on its way to its shape: a round takes as written what it can, tells of the rest and leaves it out."""

    def __init__(self, shape: type[Shape], entry: Any, document: Document, path: Path, problems: list[Problem]) -> None:
        self.entry = entry
        self._shape = shape
        self._document = document
        self._path = path
        self._problems = problems
        self._told: list[Path] = []
        self._own = False  # whether `entry` is a copy that may be changed

    def mend(self, error: ValidationError) -> bool:
        """Whether it is worth another try."""
        mistakes = self._by_path(error)
        if not isinstance(self.entry, Mapping):
            self._tell(self._path, mistakes[self._path])
            return False
        self.entry, self._own = (self.entry if self._own else copied(self.entry)), True
        wrong = {path: errors for path, errors in mistakes.items() if not self._take_as_written(path, errors)}
        for path, errors in wrong.items():
            # What failed in one branch of a union and got further in another is told by the latter, and what is
            # missing because it was left out has been told before.
            deeper = any(other != path and other[: len(path)] == path for other in wrong)
            if not deeper and not any(told[: len(path)] == path for told in self._told):
                self._tell(path, errors)
        self._told += wrong
        # The whole of a condition goes, not only a line of it, which would change its meaning.
        cuts = {_existing(self._document, self._path, each["within"]) for errors in wrong.values() for each in errors}
        return all([_leave_out(self.entry, cut[len(self._path) :]) for cut in sorted(cuts, key=len, reverse=True)])

    def _by_path(self, error: ValidationError) -> dict[Path, list[dict[str, Any]]]:
        """The errors by the place in the YAML that they speak of: pydantic also names the branches of its unions."""
        found: dict[Path, list[dict[str, Any]]] = {}
        for each in error.errors(include_url=False):
            loc = (*each["loc"], *each.get("ctx", {}).get("path", ()))
            path = _existing(self._document, self._path, loc)
            found.setdefault(path, []).append({**each, "loc": loc, "within": each["loc"]})
        return found

    def _take_as_written(self, path: Path, errors: list[dict[str, Any]]) -> bool:
        wanted = any(error["type"] in TEXT_WANTED for error in errors)
        return wanted and _take_as_written(self.entry, self._document, self._path, path)

    def _tell(self, path: Path, errors: list[dict[str, Any]]) -> None:
        sentence = _sentence(self._shape, self._path, errors, path)
        self._problems.append(self._document.problem(path, sentence, key=errors[0]["type"] == "extra_forbidden"))


def _take_as_written(entry: dict[str, Any], document: Document, base: Path, path: Path) -> bool:
    holder: Any = entry
    relative = path[len(base) :]
    if not relative:
        return False
    for part in relative[:-1]:
        holder = holder[part] if isinstance(holder, list) or part in holder else None
        if holder is None:
            return False
    value = holder[relative[-1]]
    if isinstance(value, dict):  # a text in several languages
        changed = False
        for language, text in value.items():
            if isinstance(text, bool | int | float):
                value[language] = document.written((*path, language))
                changed = True
        return changed
    if isinstance(value, bool | int | float):
        holder[relative[-1]] = document.written(path)
        return True
    return False


def _leave_out(entry: dict[str, Any], relative: Path) -> bool:
    """Takes away the innermost key on the way to `relative`; what stands in a list takes the whole list with it."""
    holder: Any = entry
    cut: tuple[dict[str, Any], str] | None = None
    for part in relative:
        if isinstance(holder, dict) and part in holder:
            cut = (holder, str(part))
        elif not isinstance(holder, list) or not isinstance(part, int) or part >= len(holder):
            break  # gone already, with what it stood in
        holder = holder[part]
    if cut is not None:
        del cut[0][cut[1]]
    return bool(relative)


def _sentence(shape: type[Shape], base: Path, errors: list[dict[str, Any]], path: Path = ()) -> str:
    error = errors[0]
    kind, context = error["type"], error.get("ctx", {})
    loc = error["loc"]
    # A setting from outside stands in no file: then only pydantic knows its key.
    last = next((part for part in reversed(path[len(base) :] or loc) if isinstance(part, str)), "")
    if kind == "extra_forbidden":
        return unknown_key(str(loc[-1]), keys_of(shape_at(shape, loc[:-1])))
    if kind == "missing":
        return f'"{loc[-1]}" is missing'
    if kind in ("condition", "value_error"):
        return str(context.get("message") or context["error"])
    if (len(errors) > 1 or kind == "string_pattern_mismatch") and last in _WANTED:
        return _WANTED[last]
    if kind == "literal_error":
        return _none_of(error)
    if error["input"] is None and kind in _WORDS:
        return f"nothing stands here: {_WANTED.get(last, _WORDS[kind])}"
    words = _WORDS.get(kind)
    return words.format(**context) if words else error["msg"][:1].lower() + error["msg"][1:]


def _none_of(error: dict[str, Any]) -> str:
    known = re.findall(r"'([^']*)'", str(error["ctx"]["expected"]))
    written = str(error["input"])
    return f'"{written[:80]}" is none of {", ".join(known)}{suggest(written, known)}'


def shape_at(shape: type[Shape], loc: tuple[Any, ...]) -> type[Shape]:
    """The shape that the entry at `loc` has, as far as the annotations say."""
    skip = 0  # parts of `loc` that are keys of a mapping or places in a list
    for part in loc:
        if skip:
            skip -= 1
            continue
        annotation = next(
            (each.annotation for name, each in shape.model_fields.items() if part in (name, each.alias)), None
        )
        inner, skip = _inner(annotation)
        shape = inner or shape
    return shape


def _inner(annotation: Any, depth: int = 0) -> tuple[type[Shape] | None, int]:
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, Shape):
        return annotation, depth
    deeper = depth + (get_origin(annotation) in (dict, tuple, list))
    for each in get_args(annotation):
        found, at = _inner(each, deeper)
        if found:
            return found, at
    return None, 0


# Names that a shape has for the engine only; nobody writes them.
INTERNAL = {
    "Module": ("name", "builtin"),
    "Access": ("module", "readable"),
    "Transition": ("name",),
    "Profile": ("name",),
    "Button": ("name",),
}


@cache
def internal_keys(shape: type[Shape]) -> list[str]:
    """Names that the shape would take and that are no keys of the language."""
    own = ("name",) if issubclass(shape, Field) else INTERNAL.get(shape.__name__, ())
    return [*own, *(name for name, each in shape.model_fields.items() if each.alias not in (None, name))]


def keys_of(shape: type[Shape]) -> list[str]:
    """The keys that may be written."""
    internal = internal_keys(shape)
    keys = [each.alias or name for name, each in shape.model_fields.items()]
    return [name for name in keys if name not in internal]


def without_internal(shape: type[Shape], entry: Any, document: Document, path: Path, problems: list[Problem]) -> Any:
    """`entry` without what only the engine may say; each such key is a problem."""
    if not isinstance(entry, Mapping):
        return entry
    wrong = [name for name in internal_keys(shape) if name in entry]
    for name in wrong:
        problems.append(document.problem((*path, name), unknown_key(name, keys_of(shape)), key=True))
    return {name: value for name, value in entry.items() if name not in wrong} if wrong else entry
