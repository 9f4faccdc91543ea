"""Turns an entry of the YAML into its shape, and what pydantic refuses into sentences with a place.

A number or boolean where a text is expected is taken as it was written. What is wrong is reported and then left out,
so that the rest of the entry can still be checked. Which names must exist is not known here.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

from pydantic import ValidationError

from portal.declaration.other_names import did_you_mean, our_key, our_scope
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.nodes import copied
from portal.declaration.source.problems import KeyPath, closest, suggest
from portal.fields.base import Field
from portal.fields.shape import Shape

S = TypeVar("S", bound=Shape)
MOST_ROUNDS = 20
TEXT_EXPECTED = ("string_type", "text")

_SENTENCES = {
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "this number is too large",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "decimal_type": "must be a number",
    "decimal_parsing": "must be a number",
    "finite_number": "must be a number",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "mapping_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "string_type": "must be a text",
    "text": "must be a text, or a mapping of language codes to texts",
    "too_short": "must have at least one item",
    "too_long": "must have at most {max_length} items",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
}
_LIST_EXPECTED = ("tuple_type", "list_type")
_MAPPING_EXPECTED = ("dict_type", "mapping_type", "model_type", "model_attributes_type")
_YES_AND_NO = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}
_LISTS = {"can": "[create, edit]", "columns": "[reference, title]", "fields": "[title, description]"}
_EVERYTHING = {"all", "any", "none", "everything", "*", "true", "yes"}
# The sentences for keys that take several kinds of value, or a value that matches a pattern.
_SENTENCES_OF_KEYS = {
    "see": "must be own, organization, all or {through: FIELD}",
    "comments": "must be true, false or a mapping of order, answers and correct",
    "attachments": "must be true, false or a mapping of max_size, max_count and types",
    "fields": "must be the name of a field, or a list of names to stand side by side",
    "accent": 'must be a colour such as "#2457d6", in quotes',
    "address": 'must be an email address such as "help@example.com", without "+" and not long',
    "currency": 'must be a currency code of three letters such as "EUR"',
    "search": "must be true or false",
    "read_only": "must be true, false or once",
    "ask": "must be a mapping such as {comment: required}",
    "set": "must be a mapping of fields to values, such as {priority: high}",
    "create": "must be a mapping with fields: or steps:",
    "edit": "must be a mapping with fields: or steps:",
    "list": "must be a mapping with columns:, sort: or tabs:",
    "detail": "must be a mapping with sections: or aside:",
    "created": "must be true, false or a mapping of subject and text",
    "commented": "must be true, false or a mapping of subject and text",
    "moved": "must be true, false or a mapping of subject and text",
}


def validated(shape: type[S], entry: Any, at: Cursor) -> tuple[S, dict[str, Any]] | None:
    """The shape of `entry`, which is written at `at`, and the entry as it was understood; None where it could not be.

    Reports at the cursor what had to be left out.
    """
    _warn_of_empty_keys(shape, entry, at)
    reading = _Reading(shape, entry, at)
    for _round in range(MOST_ROUNDS):
        try:
            return shape.model_validate(reading.entry), reading.entry
        except ValidationError as error:
            if not reading.repair(error):
                return None
    return None


def _warn_of_empty_keys(shape: type[Shape], entry: Any, at: Cursor) -> None:
    """A key without a value has no effect: often what follows is taken for a comment or an anchor."""
    for key in entry if isinstance(entry, Mapping) else ():
        info = shape.model_fields.get(key)
        if entry[key] is None and info is not None and info.default is None and info.annotation is not Any:
            at[key].key.warn('there is no value here: a text that begins with "#" or "&" needs quotes')


def unknown_key(name: str, known: list[str]) -> str:
    """The sentence for an unknown key."""
    key, colon, value = name.partition(":")
    if colon and value and key in known:
        return f'write a space after the ":" of "{name[:80]}"'
    if name.isdigit():
        return f'no key "{name[:80]}" here: the decimal mark of a number is a point'
    return f'no key "{name[:80]}" here{did_you_mean(our_key(name, known)) or _listed(known)}'


def with_meant_keys(entry: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """`entry` with the values of misspelt keys under the keys that are meant, so that nothing looks missing."""
    renamed: dict[str, Any] = {}
    for name, value in entry.items():
        meant = None if name in known else our_key(name, known)
        renamed[name if meant is None or meant in entry or meant in renamed else meant] = value
    return renamed


def _listed(known: list[str]) -> str:
    return f"; known are {', '.join(known)}" if 0 < len(known) <= 12 else ""


def _written_part(at: Cursor, loc: tuple[Any, ...]) -> KeyPath:
    """The path of what pydantic calls `loc`, without the parts that are written nowhere."""
    for part in loc:
        at = at.inner(part)
    return at.path


class _Reading:
    """An entry on its way to its shape: each round repairs what it can, reports the rest and leaves it out."""

    def __init__(self, shape: type[Shape], entry: Any, at: Cursor) -> None:
        self.entry = entry
        self._shape = shape
        self._at = at
        self._reported: list[KeyPath] = []
        self._is_copy = False  # whether `entry` may be changed

    def repair(self, error: ValidationError) -> bool:
        """Whether another round may succeed."""
        base = self._at.path
        errors_by_path = self._by_path(error)
        if not isinstance(self.entry, Mapping):
            self._report(base, errors_by_path[base])
            return False
        self.entry, self._is_copy = (self.entry if self._is_copy else copied(self.entry)), True
        wrong = {path: errors for path, errors in errors_by_path.items() if not self._take_as_written(path, errors)}
        for path, errors in wrong.items():
            # Of a union, the branch that got furthest has the best sentence; and what is missing because it was left
            # out has been reported before.
            deeper = any(other != path and other[: len(path)] == path for other in wrong)
            reported = any(reported[: len(path)] == path for reported in self._reported)
            if not deeper and not reported and not self._is_misspelt(path, errors, wrong):
                self._report(path, errors)
        self._reported += wrong
        # A condition is left out as a whole: without one of its lines it would mean something else. Of several branches
        # of a union, only what the deepest complains of is left out.
        cuts = {_written_part(self._at, error["within"]) for errors in wrong.values() for error in errors}
        cuts = {cut for cut in cuts if not any(other != cut and other[: len(cut)] == cut for other in cuts)}
        return all([self._repair_or_leave_out(cut[len(base) :], wrong.get(cut, ())) for cut in cuts])

    def _by_path(self, error: ValidationError) -> dict[KeyPath, list[dict[str, Any]]]:
        """The errors by their place in the YAML: pydantic's own locations also name the branches of unions."""
        by_path: dict[KeyPath, list[dict[str, Any]]] = {}
        for details in error.errors(include_url=False):
            loc = (*details["loc"], *details.get("ctx", {}).get("path", ()))
            by_path.setdefault(_written_part(self._at, loc), []).append(
                {**details, "loc": loc, "within": details["loc"]}
            )
        return by_path

    def _is_misspelt(self, path: KeyPath, errors: list[dict[str, Any]], wrong: Mapping[KeyPath, Any]) -> bool:
        """Whether a key is missing because an unknown key beside it is meant for it, which is reported."""
        unknown = [str(other[-1]) for other in wrong if other[:-1] == path and other != path]
        missing = [str(error["loc"][-1]) for error in errors if error["type"] == "missing"]
        return bool(missing) and any(our_key(name, missing) is not None for name in unknown)

    def _take_as_written(self, path: KeyPath, errors: list[dict[str, Any]]) -> bool:
        if any(error["type"] in TEXT_EXPECTED for error in errors):
            return _take_as_written(self.entry, self._at, path[len(self._at.path) :])
        return False

    def _repair_or_leave_out(self, path: KeyPath, errors: Sequence[dict[str, Any]]) -> bool:
        """Whether the entry is another one now."""
        holder: Any = self.entry
        for part in path[:-1]:
            holder = holder[part] if isinstance(holder, dict) and part in holder else None
        if path and isinstance(holder, dict) and path[-1] in holder:
            known = keys_of(shape_at(self._shape, errors[0]["loc"][:-1])) if errors else []
            if _is_repaired(holder, str(path[-1]), errors, known):
                return True
        return _leave_out(self.entry, path)

    def _report(self, path: KeyPath, errors: list[dict[str, Any]]) -> None:
        below = path[len(self._at.path) :]
        at = self._at.down(below)
        (at.key if errors[0]["type"] == "extra_forbidden" else at).wrong(_sentence(self._shape, errors, below))


def _take_as_written(entry: dict[str, Any], at: Cursor, path: KeyPath) -> bool:
    """Puts the source text in the place of a number or boolean; whether it did."""
    if not path:
        return False
    holder: Any = entry
    last: Any = path[-1]
    for part in path[:-1]:
        if isinstance(holder, dict) and part not in holder:
            return False
        holder = holder[part]
    value = holder[last]
    if isinstance(value, dict):  # a text in several languages
        numbers = [language for language, text in value.items() if isinstance(text, bool | int | float)]
        for language in numbers:
            value[language] = at.down((*path, language)).written
        return bool(numbers)
    if isinstance(value, bool | int | float):
        holder[last] = at.down(path).written
        return True
    return False


def _is_repaired(holder: dict[str, Any], key: str, errors: Sequence[dict[str, Any]], known: list[str]) -> bool:
    """Whether what was probably meant is now in the place of a misspelt key, of a yes, or of a list in one text."""
    kinds = {error["type"] for error in errors}
    value = holder.get(key)
    if kinds == {"extra_forbidden"}:
        # What another system calls a key is trusted with a whole entry, not with a single word.
        meant = our_key(key, known) if isinstance(value, dict) else closest(key, known)
        if meant is None or meant in holder:
            return False
        holder[meant] = holder.pop(key)
    elif isinstance(value, str) and "bool_type" in kinds and value.lower() in _YES_AND_NO:
        holder[key] = _YES_AND_NO[value.lower()]
    elif isinstance(value, str) and kinds & set(_LIST_EXPECTED) and "," in value and not value.startswith("-"):
        holder[key] = [item.strip() for item in value.split(",")]
    else:
        return False
    return True


def _leave_out(entry: dict[str, Any], path: KeyPath) -> bool:
    """Deletes the innermost key on the way to `path`; with an item of a list goes the whole list."""
    holder: Any = entry
    cut: tuple[dict[str, Any], str] | None = None
    for part in path:
        if isinstance(holder, dict) and part in holder:
            cut = (holder, str(part))
            holder = holder[part]
        elif isinstance(holder, list) and isinstance(part, int) and part < len(holder):
            holder = holder[part]
        else:
            break  # deleted already, with its parent
    if cut is not None:
        del cut[0][cut[1]]
    return bool(path)


def _sentence(shape: type[Shape], errors: list[dict[str, Any]], path: KeyPath = ()) -> str:
    error = errors[0]
    kind, context = error["type"], error.get("ctx", {})
    loc = error["loc"]
    # A setting from outside is written in no file: then only pydantic knows its key.
    last = next((part for part in reversed(path or loc) if isinstance(part, str)), "")
    if kind == "extra_forbidden":
        return unknown_key(str(loc[-1]), keys_of(shape_at(shape, loc[:-1])))
    if kind == "missing":
        return f'"{loc[-1]}" is missing'
    if kind in ("condition", "value_error"):
        return str(context.get("message") or context["error"])
    if (hint := _written_wrongly(kind, last, error["input"])) is not None:
        return hint
    special = len(errors) > 1 or kind == "string_pattern_mismatch" or kind in _MAPPING_EXPECTED
    if special and last in _SENTENCES_OF_KEYS:
        meant = our_scope(error["input"]) if last == "see" and isinstance(error["input"], str) else None
        return _SENTENCES_OF_KEYS[last] + did_you_mean(meant)
    return _none_of(error) if kind == "literal_error" else _wrong_kind(error, last)


def _wrong_kind(error: dict[str, Any], key: str) -> str:
    """The sentence for a value of the wrong kind, or outside of its limits."""
    kind = error["type"]
    if error["input"] is None and kind in _SENTENCES:
        return f"there is no value here: it {_SENTENCES_OF_KEYS.get(key, _SENTENCES[kind])}"
    words = _SENTENCES.get(kind)
    return words.format(**error.get("ctx", {})) if words else error["msg"][:1].lower() + error["msg"][1:]


def _written_wrongly(kind: str, key: str, value: Any) -> str | None:
    """The sentence for a value that YAML takes for another kind of value than its author did; None for others."""
    if kind in TEXT_EXPECTED and isinstance(value, Mapping) and value and not any(value.values()):
        return f'must be a text in quotes: "{{{", ".join(value)}}}"'
    if kind in TEXT_EXPECTED and isinstance(value, Mapping) and (empty := [k for k, v in value.items() if v is None]):
        joined = re.match(r"[\w-]+:\S", str(empty[0]))
        return f'write a space after the ":" of "{empty[0]}"' if joined else f'there is no text for "{empty[0]}"'
    if kind in TEXT_EXPECTED and isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return f"must be one text, without brackets: {value[0]}"
    if not isinstance(value, str):
        return None
    if kind in _LIST_EXPECTED or (kind in _MAPPING_EXPECTED and key == "options" and "," in value):
        return _as_list(key, value)
    if kind in _MAPPING_EXPECTED and re.match(r"[\w-]+:\S", value):
        return f'write a space after the ":" of "{value[:80]}"'
    return None


def _as_list(key: str, text: str) -> str:
    """How a text that stands for a list is written; words that mean everything have no such list."""
    if text.startswith("-"):
        return 'must be a list: write a space after each "-"'
    items = [item for item in re.split(r"[\s,;]+", text) if item]
    if key in _LISTS and (not items or set(items) & _EVERYTHING):
        return f"must be a list of names, such as {_LISTS[key]}"
    return f"must be a list: [{', '.join(items)}]" if items else "must be a list"


def _none_of(error: dict[str, Any]) -> str:
    known = re.findall(r"'([^']*)'", str(error["ctx"]["expected"]))
    written = str(error["input"])
    written = written.lower() if isinstance(error["input"], bool) else written
    return f'"{written[:80]}" is none of {", ".join(known)}{suggest(written, known)}'


def shape_at(shape: type[Shape], loc: tuple[Any, ...]) -> type[Shape]:
    """The shape that the entry at `loc` has, as far as the annotations say."""
    skip = 0  # parts of `loc` that are keys of a mapping or indexes of a list
    for part in loc:
        if skip:
            skip -= 1
            continue
        annotation = next(
            (info.annotation for name, info in shape.model_fields.items() if part in (name, info.alias)), None
        )
        inner, skip = _inner(annotation)
        shape = inner or shape
    return shape


def _inner(annotation: Any, depth: int = 0) -> tuple[type[Shape] | None, int]:
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, Shape):
        return annotation, depth
    deeper = depth + (get_origin(annotation) in (dict, tuple, list))
    for argument in get_args(annotation):
        shape, at = _inner(argument, deeper)
        if shape:
            return shape, at
    return None, 0


# Attributes that the engine fills in; they are not keys of the language.
INTERNAL = {
    "Module": ("name", "builtin"),
    "Access": ("module", "readable"),
    "FormLayout": ("files",),
    "Transition": ("name",),
    "Profile": ("name", "labelled"),
    "Button": ("name",),
}


@cache
def internal_keys(shape: type[Shape]) -> list[str]:
    """Names that the shape accepts and that are not keys of the language."""
    own = ("name",) if issubclass(shape, Field) else INTERNAL.get(shape.__name__, ())
    return [*own, *(name for name, info in shape.model_fields.items() if info.alias not in (None, name))]


@cache
def keys_of(shape: type[Shape]) -> list[str]:
    """The keys of the language that the shape has."""
    internal = internal_keys(shape)
    keys = [info.alias or name for name, info in shape.model_fields.items()]
    return [name for name in keys if name not in internal]


def without_internal(shape: type[Shape], entry: Any, at: Cursor) -> Any:
    """`entry` without internal keys; each of them is reported as unknown."""
    if not isinstance(entry, Mapping):
        return entry
    wrong = [name for name in internal_keys(shape) if name in entry]
    for name in wrong:
        at[name].key.wrong(unknown_key(name, keys_of(shape)))
    return {name: value for name, value in entry.items() if name not in wrong} if wrong else entry
