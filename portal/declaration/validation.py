"""Turns an entry of the YAML into its shape, and reports everything pydantic refuses, with its place.

A number or boolean where text is expected is read as it was written. Anything wrong is reported and then left out, so
that the rest of the entry can still be checked. It is not known here which names must exist.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from portal.declaration.shape_keys import internal_keys, keys_of, shape_at, text_keys
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.nodes import copy_data
from portal.declaration.source.problems import KeyPath
from portal.declaration.source.suggestions import closest
from portal.declaration.synonyms import intended_key
from portal.declaration.validation_sentences import (
    LIST_EXPECTED,
    TEXT_EXPECTED,
    YES_AND_NO,
    cut_at_comma,
    instead_of_list,
    joined_text,
    key_below,
    refusal_sentence,
    text_in_quotes,
    unknown_key_sentence,
)
from portal.fields.base_shape import Shape

S = TypeVar("S", bound=Shape)
MOST_ROUNDS = 20
EXTENSION = "x-"
STAND_INS = MappingProxyType({"panels": "activity"})  # replace an item, so that the others keep their places
EMPTY_KEY = 'there is no value here: write one, or remove the key (a text that begins with "#" or "&" needs quotes)'

NO_SHAPES: Mapping[str, type[Shape]] = MappingProxyType({})


def validate(shape: type[S], entry: Any, at: Cursor) -> tuple[S, dict[str, Any]] | None:
    """The shape of `entry`, which is written at `at`, and the entry as it was understood; None if it was not.

    Reports at the cursor what had to be left out.
    """
    reading = _Reading(shape, entry, at)
    for _round in range(MOST_ROUNDS):
        try:
            understood = shape.model_validate(reading.entry)
            _check_unmeant_values(understood, entry, at)
            return understood, reading.entry
        except ValidationError as error:
            if not reading.repair(error):
                return None
    return None


def _check_unmeant_values(understood: Any, entry: Any, at: Cursor) -> None:
    """Reports what pydantic accepts but nobody means: keys without a value, often because of a #, and true for 1."""
    if isinstance(understood, tuple):
        for index, item in enumerate(entry if isinstance(entry, list) and len(entry) == len(understood) else ()):
            _check_unmeant_values(understood[index], item, at[index])
    elif isinstance(entry, Mapping) and isinstance(understood, Mapping):
        for key in entry.keys() & understood.keys():
            _check_unmeant_values(understood[key], entry[key], at[key])
    elif isinstance(entry, Mapping) and isinstance(understood, Shape):
        for name, info in type(understood).model_fields.items():
            if (key := info.alias or name) in entry:
                _check_key(info, getattr(understood, name), entry[key], at[key])


def _check_key(info: FieldInfo, understood: Any, entry: Any, at: Cursor) -> None:
    if entry is None:
        if info.default is None and info.annotation is not Any:
            at.key.warn(EMPTY_KEY)
    elif isinstance(entry, bool) and isinstance(understood, int | Decimal) and not isinstance(understood, bool):
        at.wrong("must be a number")
    else:
        _check_unmeant_values(understood, entry, at)


def _with_intended_keys(entry: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """`entry` with the values of misspelled keys under the intended keys, so that nothing looks missing."""
    renamed: dict[str, Any] = {}
    for name, value in entry.items():
        guess = None if name in known else intended_key(name, known)
        renamed[name if guess is None or guess in entry or guess in renamed else guess] = value
    return renamed


def _written_path(at: Cursor, loc: tuple[Any, ...]) -> KeyPath:
    """The path of pydantic's `loc`, without parts that are not in the file."""
    for part in loc:
        at = at.inner(part)
    return at.path


class _Reading:
    """An entry while it becomes its shape: each round repairs what it can, reports the rest and leaves it out."""

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
        self.entry, self._is_copy = (self.entry if self._is_copy else copy_data(self.entry)), True
        taken = [path for path, errors in errors_by_path.items() if self._take_as_written(path, errors)]
        # The value around a text that is kept as written may be valid now; the next round tells.
        wrong = {path: errors for path, errors in errors_by_path.items() if not _around_one_of(path, taken)}
        joined = self._join_cut_texts(wrong)
        wrong = {path: errors for path, errors in wrong.items() if path not in joined}
        for path, errors in wrong.items():
            # Of the branches of a union, the one that got furthest has the best sentence; and what is missing because
            # it was left out has already been reported.
            deeper = any(other != path and other[: len(path)] == path for other in wrong)
            reported = any(reported[: len(path)] == path for reported in self._reported)
            if not deeper and not reported and not self._is_misspelled(path, errors, wrong):
                self._report(path, errors)
        self._reported += wrong
        # A condition is left out as a whole: without one of its lines, its meaning would change. Of several branches of
        # a union, only what the deepest one reports is left out.
        cuts = {_written_path(self._at, error["within"]) for errors in wrong.values() for error in errors}
        cuts = {cut for cut in cuts if not any(other != cut and other[: len(cut)] == cut for other in cuts)}
        return all([self._repair_or_leave_out(cut[len(base) :], wrong.get(cut, ())) for cut in cuts])

    def _by_path(self, error: ValidationError) -> dict[KeyPath, list[dict[str, Any]]]:
        """The errors by their place in the YAML: pydantic's own locations also name the branches of unions."""
        by_path: dict[KeyPath, list[dict[str, Any]]] = {}
        for details in error.errors(include_url=False):
            if details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]:
                continue  # only too short without its invalid items, each of which has its own error
            loc = (*details["loc"], *details.get("ctx", {}).get("path", ()))
            by_path.setdefault(_written_path(self._at, loc), []).append(
                {**details, "loc": loc, "within": details["loc"]}
            )
        return by_path

    def _is_misspelled(self, path: KeyPath, errors: list[dict[str, Any]], wrong: Mapping[KeyPath, Any]) -> bool:
        """Whether a key is missing because an unknown key next to it, already reported, was meant."""
        unknown = [str(other[-1]) for other in wrong if other[:-1] == path and other != path]
        missing = [str(error["loc"][-1]) for error in errors if error["type"] == "missing"]
        return bool(missing) and any(intended_key(name, missing) is not None for name in unknown)

    def _take_as_written(self, path: KeyPath, errors: list[dict[str, Any]]) -> bool:
        if any(error["type"] in TEXT_EXPECTED for error in errors):
            return _take_as_written(self.entry, self._at, path[len(self._at.path) :])
        return False

    def _repair_or_leave_out(self, path: KeyPath, errors: Sequence[dict[str, Any]]) -> bool:
        """Whether the entry was changed."""
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
        at, unknown = self._at.down(below), errors[0]["type"] == "extra_forbidden"
        (at.key if unknown else at).wrong(refusal_sentence(self._shape, errors, below))

    def _join_cut_texts(self, wrong: Mapping[KeyPath, list[dict[str, Any]]]) -> set[KeyPath]:
        """Rejoins each text that was split at its own comma, and reports it once; returns the paths of its pieces."""
        joined: set[KeyPath] = set()
        for path, errors in wrong.items():
            if path in joined or errors[0]["type"] != "extra_forbidden" or errors[0]["input"] is not None:
                continue
            holder: Any = self.entry
            for part in errors[0]["loc"][:-1]:
                holder = holder.get(part) if isinstance(holder, dict) else None
            shape = shape_at(self._shape, errors[0]["loc"][:-1])
            if not isinstance(holder, dict) or not (
                pieces := cut_at_comma(holder, keys_of(shape).__contains__, text_keys(shape).__contains__)
            ):
                continue
            text = joined_text(holder, pieces)
            self._at.down((*path[len(self._at.path) : -1], pieces[0])).wrong(text_in_quotes(text))
            holder[pieces[0]] = text
            for piece in pieces[1:]:
                del holder[piece]
            joined |= {(*path[:-1], piece) for piece in pieces}
        return joined


def _around_one_of(path: KeyPath, paths: Sequence[KeyPath]) -> bool:
    """Whether one of `paths` of pydantic's errors is `path` or leads below it."""
    return any(other[: len(path)] == path for other in paths)


def _take_as_written(entry: dict[str, Any], at: Cursor, path: KeyPath) -> bool:
    """Replaces a number or boolean in an entry with its source text; returns whether it did."""
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
            value[language] = at.down((*path, language)).source_text
        return bool(numbers)
    if isinstance(value, bool | int | float):
        holder[last] = at.down(path).source_text
        return True
    return False


def _is_repaired(holder: dict[str, Any], key: str, errors: Sequence[dict[str, Any]], known: list[str]) -> bool:
    """Replaces a misspelled key, a yes, or a list in one text with what was probably meant; returns whether it did."""
    kinds = {error["type"] for error in errors}
    value = holder.get(key)
    if kinds == {"extra_forbidden"}:
        # Another system's name for a key is only trusted if it has a whole entry, not a single word.
        meant = intended_key(key, known) if isinstance(value, dict) else closest(key, known)
        if meant is None or meant in holder:
            return False
        holder[meant] = holder.pop(key)
    elif isinstance(value, str) and "bool_type" in kinds and value.lower() in YES_AND_NO:
        holder[key] = YES_AND_NO[value.lower()]
    elif isinstance(value, str) and kinds & set(LIST_EXPECTED) and "," in value and not value.startswith("-"):
        holder[key] = [item.strip() for item in value.split(",")]
    else:
        return False
    return True


def _leave_out(entry: dict[str, Any], path: KeyPath) -> bool:
    """Deletes the innermost key on the way to `path` in an entry; an item of a list is replaced with its stand-in, or
    else the whole list is deleted."""
    holder: Any = entry
    cut: tuple[dict[str, Any], str] | None = None
    for part in path:
        if isinstance(holder, dict) and part in holder:
            cut = (holder, str(part))
            holder = holder[part]
        elif isinstance(holder, list) and isinstance(part, int) and part < len(holder):
            if part == path[-1] and cut is not None and cut[1] in STAND_INS:
                holder[part] = STAND_INS[cut[1]]
                return True
            holder = holder[part]
        else:
            break  # already deleted with its parent
    if cut is not None:
        del cut[0][cut[1]]
    return bool(path)


def without_internal(shape: type[Shape], entry: Any, at: Cursor) -> Any:
    """An `entry` without internal keys; each of them is reported as unknown."""
    if not isinstance(entry, Mapping):
        return entry
    wrong = [name for name in internal_keys(shape) if name in entry]
    for name in wrong:
        at[name].key.wrong(unknown_key_sentence(name, keys_of(shape)))
    return {name: value for name, value in entry.items() if name not in wrong} if wrong else entry


def mapping(value: Any, at: Cursor, what: str) -> Mapping[str, Any]:
    """An entry's `value` if it is a mapping; else an empty mapping, and a problem unless nothing is written."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, str) and re.match(r"[\w-]+:\S", value):
        at.wrong(f'write a space after the ":" of "{value[:80]}"')
    elif value is not None:
        at.wrong(f"must be a mapping of {what}")
    return {}


def without_extensions(top: Mapping[str, Any]) -> dict[str, Any]:
    """The entry `top` without keys that begin with `x-`: a place for anchors that nothing reads."""
    return {name: entry for name, entry in top.items() if not name.startswith(EXTENSION)}


def named_entries(value: Any, at: Cursor, what: str) -> Mapping[str, Any]:
    """Like `mapping`, for names and their entries: a list is a frequent mistake, for which the problem has the cure."""
    if isinstance(value, list):
        at.wrong(f"must be a mapping of {what}{instead_of_list(value)}")
        return {}
    return mapping(value, at, what)


def with_known_keys(
    top: Mapping[str, Any], known: Collection[str], at: Cursor, below: Mapping[str, type[Shape]] = NO_SHAPES
) -> dict[str, Any]:
    """The entry `top` under the intended keys; unknown keys are reported, and left out if no intention is recognized.

    `below`: the shapes of some known keys, to which an unknown key may belong.
    """
    for name in top:
        if name not in known:
            at[name].key.wrong(key_below(name, below) or unknown_key_sentence(name, list(known)))
    return {name: value for name, value in _with_intended_keys(top, known).items() if name in known}
