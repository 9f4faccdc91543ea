"""Sentences for administrators about what pydantic refuses: what is expected there, and the likely cure.

Called by validation for each value that does not fit its shape, and by code that finds an unknown key.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from portal.declaration.shape_keys import entries_below, has_keys_of, keys_of, shape_at, shapes_below
from portal.declaration.source.problems import KeyPath, ProblemText
from portal.declaration.source.suggestions import did_you_mean, suggest
from portal.declaration.synonyms import OUR_KEYS, intended_key, intended_scope
from portal.fields.base_shape import Shape
from portal.texts import is_language_code

TEXT_EXPECTED = ("string_type", "text")
MOST_KEYS = 4  # of a mapping that one sentence names

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
YES_AND_NO = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}
LIST_EXPECTED = ("tuple_type", "list_type")
_MAPPING_EXPECTED = ("dict_type", "mapping_type", "model_type", "model_attributes_type")
_LISTS = {
    "can": "[create, edit]",
    "columns": "[reference, title]",
    "fields": "[title, description]",
    "languages": "[en, it]",
    "related": "[tasks]",
}
_EVERYTHING = {"all", "any", "none", "everything", "*", "true", "yes"}
# What the names in a list refer to, for lists in which people write the entries themselves.
_NAMES_OF = {
    "buttons": "a button that buttons.yaml declares",
    "columns": "a field: its label belongs where it is declared",
}
# The sentences for keys that are written differently, by the shape in which they appear.
_OTHER_WORDS = {
    ("Lifecycle", "states"): "they are the options of the choice that field: names",
    ("Access", "cannot"): "what can: does not name is not allowed",
    ("Access", "fields"): "a profile sees those of list:, detail:, create: and edit:",
    ("Access", "comments"): "write comment under can: where people may write some",
    ("Access", "attachments"): "write attach under can: where people may add some",
    **{
        ("Access", key): "it is set in modules.yaml, for all profiles"
        for key in (
            "owner",
            "organization",
            "lifecycle",
            "mail",
            "watchers",
            "reference",
            "title",
            "records_from",
            "keep",
        )
    },
}
# The sentences for keys that accept several kinds of values, or values that match a pattern.
_SENTENCES_OF_KEYS = {
    "see": "must be own, organization, all or {through: FIELD}",
    "comments": "must be true, false or a mapping of order, answers and correct",
    "attachments": "must be true, false or a mapping of max_size, max_count and types",
    "fields": "must be the name of a field, or a list of names to show side by side",
    "accent": 'must be a color such as "#2457d6", in quotes',
    "address": 'must be an email address such as "help@example.com", without "+" and not long',
    "currency": 'must be a currency code of three letters such as "EUR"',
    "search": "must be true or false",
    "read_only": "must be true, false or once",
    "ask": "must be a mapping such as {comment: required}",
    "set": "must be a mapping of fields to values, such as {priority: high}",
    "create": "must be a mapping with fields: or steps:; can: in the profiles says who may create",
    "edit": "must be a mapping with fields: or steps:; can: in the profiles says who may edit",
    "list": "must be a mapping with columns:, sort: or tabs:",
    "detail": "must be a mapping with sections: or aside:",
    "hours": 'must be a mapping of days to hours, such as {monday: "9:00-18:00"}',
    "lifecycle": "must be a mapping with field:, which names a choice, and transitions:",
    "mail": "must be a mapping such as {created: false, commented: false, moved: false}, which sends none of them",
    "panels": "must be activity, or a mapping with chart:, list:, notices: or text:",
    "options": "must be a mapping of names to labels, or a list of names",
    "domains": "must be a mapping such as {acme.example: Acme}, of mail domains to companies",
    "created": "must be true, false or a mapping of subject and text",
    "commented": "must be true, false or a mapping of subject and text",
    "moved": "must be true, false or a mapping of subject and text",
}


def refusal_sentence(shape: type[Shape], errors: list[dict[str, Any]], path: KeyPath) -> str:
    """The sentence for what pydantic refuses at one place of an entry of `shape`; `path`: the place, if written."""
    error = errors[0]
    kind, context = error["type"], error.get("ctx", {})
    loc = error["loc"]
    # A setting from outside is not in a file: then only pydantic knows its key.
    last = next((part for part in reversed(path or loc) if isinstance(part, str)), "")
    if kind == "extra_forbidden":
        name, here = str(loc[-1]), shape_at(shape, loc[:-1])
        return (
            _in_other_words(here, name)
            or _misplaced(shape, loc, error["input"])
            or unknown_key_sentence(name, keys_of(here))
        )
    if kind == "missing":
        return f'"{loc[-1]}" is missing'
    if kind in ("condition", "value_error"):
        return str(context.get("message") or context["error"])
    if (hint := _written_wrongly(kind, last, error["input"])) is not None:
        return hint
    if isinstance(error["input"], Mapping) and (named := _NAMES_OF.get(last)) and kind == "string_type":
        return f"must be the name of {named}"
    special = len(errors) > 1 or kind == "string_pattern_mismatch" or kind in _MAPPING_EXPECTED
    if special and last in _SENTENCES_OF_KEYS:
        return _SENTENCES_OF_KEYS[last] + _suggestion(last, errors)
    return _none_of(error) if kind == "literal_error" else _wrong_kind(shape, error, last)


def _in_other_words(shape: type[Shape], key: str) -> ProblemText | None:
    words = _OTHER_WORDS.get((shape.__name__, key))
    return ProblemText(f'"{key}" is not used here: {words}', "key", key) if words else None


def _suggestion(key: str, errors: list[dict[str, Any]]) -> str:
    """The word that a wrong text probably means, if a key accepts certain words besides other kinds of values."""
    text = errors[0]["input"]
    if not isinstance(text, str):
        return ""
    words = [word for error in errors if error["type"] == "literal_error" for word in _words_in(error)]
    return did_you_mean(intended_scope(text) if key == "see" else None) or suggest(text, words)


def _misplaced(shape: type[Shape], loc: tuple[Any, ...], value: Any) -> str | None:
    """The sentence for an unknown key that is of the level below or above; None if one of this level is meant.

    A list is not what other systems call by that name if theirs is a mapping: `columns: [title]` belongs to `list:`.
    """
    name, above, here = str(loc[-1]), shape_at(shape, loc[:-2]), shape_at(shape, loc[:-1])
    words = key_below(name, shapes_below(here))
    candidates = {*OUR_KEYS.get(name, ()), f"{name}s", name.removesuffix("s")} & set(keys_of(here))
    if candidates and not (words and isinstance(value, list)):
        return None
    if words or (words := _entry_below(name, here, value)):
        return words
    if len(loc) > 1 and shapes_below(above).get(str(loc[-2])) is here and name in keys_of(above):
        sentence = f'"{name}" belongs beside {loc[-2]}:, not under it'
        return ProblemText(sentence, "below fields") if loc[-2] == "fields" else sentence
    return None


def key_below(name: str, shapes: Mapping[str, type[Shape]]) -> str | None:
    """The sentence for a key of exactly one of the `shapes` one level deeper, by their keys; else None."""
    below = [key for key, inner in shapes.items() if name in keys_of(inner)]
    return f'"{name}" belongs under {below[0]}:, not beside it' if len(below) == 1 else None


def _entry_below(name: str, here: type[Shape], value: Any) -> str | None:
    """The sentence for an unknown key that is an entry beside the mapping it belongs in: a tab next to `tabs:`."""
    entries = entries_below(here)
    fitting = [key for key, inner in entries.items() if has_keys_of(inner, value)]
    return f'"{name}" belongs under {fitting[0]}:, not beside it' if len(fitting) == 1 else None


def _wrong_kind(shape: type[Shape], error: dict[str, Any], key: str) -> str:
    """The sentence for a value of the wrong kind, or outside its limits, that pydantic refuses."""
    kind, inner = error["type"], shape_at(shape, error["loc"])
    if error["input"] is None and kind in _SENTENCES:
        may_be_empty = kind == "model_type" and not any(info.is_required() for info in inner.model_fields.values())
        rest = f"it {_SENTENCES_OF_KEYS.get(key, _SENTENCES[kind])}"
        return f"there is no value here: {'write {} where there is nothing to say' if may_be_empty else rest}"
    if kind == "model_type":
        return f"must be a mapping of {_some_keys(inner)}"
    if kind in LIST_EXPECTED and inner is not shape_at(shape, error["loc"][:-1]):
        return f"must be a list of mappings of {_some_keys(inner)}"
    if kind in LIST_EXPECTED and isinstance(error["input"], Mapping):
        names = _names_in(error["input"])
        return f"must be a list: [{names}]" if names.startswith("-") else _as_list(key, names)
    if kind == "dict_type" and isinstance(error["input"], list):
        return f"must be a mapping{instead_of_list(error['input'])}"
    if kind == "too_long" and error["ctx"]["max_length"] == 1:
        return "must be one name, not several"
    named = kind in LIST_EXPECTED and key in _LISTS
    words = f"must be a list of names, such as {_LISTS[key]}" if named else _SENTENCES.get(kind)
    return words.format(**error.get("ctx", {})) if words else error["msg"][:1].lower() + error["msg"][1:]


def _some_keys(shape: type[Shape]) -> str:
    keys = keys_of(shape)
    return ", ".join(keys[:MOST_KEYS]) + (" …" if len(keys) > MOST_KEYS else "")


def _names_in(mapping: Mapping[str, Any]) -> str:
    """For a sentence: the names of a mapping that should be a list, as `{create: true}` and `{modified: desc}`."""
    if isinstance(field := mapping.get("field"), str):  # {field: modified, order: desc}
        mapping = {field: "desc" if "desc" in mapping.values() else None}
    names = (f"-{name}" if value == "desc" else name for name, value in mapping.items() if value is not False)
    return ", ".join(names)


def _written_wrongly(kind: str, key: str, value: Any) -> str | None:
    """The sentence for a wrong value that YAML reads as a different kind than its author intended; None for others."""
    if kind in TEXT_EXPECTED and isinstance(value, Mapping) and value and not any(value.values()):
        return f'must be a text in quotes: "{{{", ".join(value)}}}"'
    if kind in TEXT_EXPECTED and isinstance(value, Mapping) and (empty := [k for k, v in value.items() if v is None]):
        return _without_text(value, str(empty[0]))
    if kind == "text" and isinstance(value, Mapping):
        odd = next((code for code in value if not is_language_code(str(code))), None)
        return f'"{odd[:80]}" is not the code of a language, such as en' if odd and None not in value.values() else None
    if kind in TEXT_EXPECTED and isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return f"must be one text, without brackets: {value[0]}"
    if isinstance(value, str) and re.search(r"\S#\s", value):
        return 'write a space before the "#" of a comment'
    return _text_written_wrongly(kind, key, value) if isinstance(value, str) else None


def _without_text(texts: Mapping[str, Any], empty: str) -> str:
    """The sentence for texts in several languages of which the key `empty` has no text."""
    if re.match(r"[\w-]+:\S", empty):
        return f'write a space after the ":" of "{empty}"'
    if pieces := cut_at_comma(texts, is_language_code, is_language_code):
        return text_in_quotes(joined_text(texts, pieces))
    return f'there is no text for "{empty}"'


def _text_written_wrongly(kind: str, key: str, value: str) -> str | None:
    if kind.startswith("bool_") and value.lower() in YES_AND_NO:
        word = str(YES_AND_NO[value.lower()]).lower()
        return f"must be true or false{', without quotes' if word == value.lower() else f': write {word}'}"
    if kind in LIST_EXPECTED or (kind in _MAPPING_EXPECTED and key == "options" and re.search(r"[,;|\n]", value)):
        return _as_list(key, value)
    if kind in _MAPPING_EXPECTED and key == "options":  # of `{options: bug, wish}` only the first is one
        return ProblemText(_SENTENCES_OF_KEYS[key], "list", value)
    if kind in _MAPPING_EXPECTED and re.match(r"[\w-]+:\S", value):
        return f'write a space after the ":" of "{value[:80]}"'
    return None


def _as_list(key: str, text: str) -> str:
    """How to write a wrong text as a list, for its sentence; words that mean everything have no such list."""
    if text[:1] in ("–", "—", "−", "•"):
        return f'must be a list: write "-" instead of "{text[0]}", which only looks like it'
    if text.startswith("-"):
        return 'must be a list: write a space after each "-"'
    items = [item for item in re.split(r"[\s,;|]+", text) if item]
    if key in _LISTS and (not items or set(items) & _EVERYTHING):
        return f"must be a list of names, such as {_LISTS[key]}"
    return ProblemText(f"must be a list: [{', '.join(items)}]", "list", ", ".join(items)) if items else "must be a list"


def instead_of_list(items: list[Any]) -> str:
    """How to write a list as the expected mapping of names to entries; the example is its first item."""
    first = next(iter(items), None)
    name = first.get("name", next(iter(first)) if len(first) == 1 else None) if isinstance(first, Mapping) else first
    example = f', such as "{name}:"' if isinstance(name, str) and re.fullmatch(r"[A-Za-z][\w-]*", name) else ""
    return f", not a list: write each entry below its name{example}"


def _none_of(error: dict[str, Any]) -> str:
    known = _words_in(error)
    value = str(error["input"])
    value = value.lower() if isinstance(error["input"], bool) else value
    return f'"{value[:80]}" is not one of {", ".join(known)}{suggest(value, known)}'


def _words_in(error: dict[str, Any]) -> list[str]:
    """The words that a key allows, read from pydantic's error, for the sentence that names them."""
    return re.findall(r"'([^']*)'", str(error["ctx"]["expected"]))


def cut_at_comma(entry: Mapping[str, Any], is_key: Callable[[str], bool], has_text: Callable[[str], bool]) -> list[str]:
    """The key of a text split at its own comma, as in `{label: Yes, please}`, and the keys that are the rest of it;
    empty if there is none. This includes formulas split within brackets, `{of: max(price, 0)}`."""
    cut: list[str] = []
    for key, value in entry.items():
        if value is None and cut and not is_key(str(key).partition("=")[0].strip()) and ":" not in str(key):
            cut.append(str(key))
        elif len(cut) > 1:
            break
        else:
            cut = (
                [key] if isinstance(value, str) and (has_text(str(key)) or value.count("(") > value.count(")")) else []
            )
    return cut if len(cut) > 1 else []


def joined_text(entry: Mapping[str, Any], pieces: Sequence[str]) -> str:
    """The text of an entry whose pieces `cut_at_comma` found."""
    return ", ".join([entry[pieces[0]], *pieces[1:]])


def text_in_quotes(text: str) -> str:
    """The sentence for a text of an entry that YAML splits at its comma."""
    return f'must be a text in quotes: "{text}"'


def unknown_key_sentence(name: str, known: list[str]) -> str:
    """The sentence for an unknown key."""
    key, colon, value = name.partition(":")
    if colon and value and key in known:
        return f'write a space after the ":" of "{name[:80]}"'
    if name.partition("=")[0].strip() in known:
        return f'write ": " instead of "=" in "{name[:80]}"'
    if name.isdigit():
        return ProblemText(f'no key "{name[:80]}" here: the decimal mark of a number is a point', "key", name)
    guess = did_you_mean(intended_key(name, known)) or _listed(known)
    return ProblemText(f'no key "{name[:80]}" here{guess}', "key", name)


def _listed(known: list[str]) -> str:
    return f"; known are {', '.join(known)}" if 0 < len(known) <= 12 else ""
