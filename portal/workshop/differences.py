"""The differences between two declarations, in sentences: what each profile gains and loses, and everything else.

The profiles are compared by their access tables (access_table.py), so that a committed snapshot can replace a
declaration. Which records become visible or invisible is not decided here: see records/audit/visibility_changes.py.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel

from portal.declaration.declaration import Declaration
from portal.declaration.layouts import form_layout_fields
from portal.declaration.shape_keys import keys_of
from portal.declaration.shapes import ACTIONS, Profile
from portal.fields.base_shape import Shape
from portal.texts import Text, label_from_name
from portal.workshop.access_table import Rights
from portal.workshop.new_names import new_names

LONGEST = 60  # characters of a value in a sentence


@dataclass(frozen=True)
class KeyDifference:
    """A different key of two declarations, dotted, such as `list.page_size`, with its old and new value."""

    key: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """`label “Requests” instead of “Tickets”`; only the key if values would say nothing or too much."""
        before, after = _in_words(self.before), _in_words(self.after)
        return f"{self.key} {after} instead of {before}" if before and after and before != after else self.key

    @property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """Where it may be written: at the key, or, in a short form, at one above."""
        parts = tuple(self.key.split("."))
        return tuple(parts[:number] for number in range(len(parts), 0, -1))


ChangeKind = Literal["lost", "gained", "changed"]
Keys = tuple[str, ...]
# The actions of a profile, with “{}” for the module.
ACTION_PHRASES = {
    "create": "create {}", "edit": "edit {}", "delete": "delete {}", "comment": "comment on {}",
    "attach": "attach files to {}", "watch": "add watchers to {}", "export": "export {}",
    "import": "import files into {}", "grant": "give access to the portal in {}",
}  # fmt: skip
# Keys whose changes the access table covers, or whose content is compared separately.
LAYOUTS = ("list", "detail", "create", "edit")
COVERED_IN_ACCESS = {"module", "see", "can", "where", "readable", "set", "grants", *LAYOUTS}
COVERED_IN_MODULE = {"name", "fields", "builtin", *LAYOUTS}


@dataclass(frozen=True)
class Change:
    """One difference between two declarations. `keys` lead to its place in a profile, `module_keys` to the one in
    modules.yaml; `word` is written there."""

    kind: ChangeKind
    sentence: str
    module: str = ""
    keys: tuple[Keys, ...] = ()
    module_keys: tuple[Keys, ...] = ()
    word: str = ""


@dataclass(frozen=True)
class FieldLabels:
    """The labels of fields, from the first of the known declarations that has one."""

    declarations: tuple[Declaration, ...] = ()

    def field(self, module: str, name: str) -> str:
        """A field's label, or its name made readable."""
        for declaration in self.declarations:
            declared = declaration.modules.get(module)
            if declared is not None and name in declared.everything:
                return str(declared.everything[name].title)
        return str(label_from_name(name))

    def fields(self, module: str, names: Iterable[str]) -> str:
        """Several fields, as in “Priority, Notes”."""
        return ", ".join(self.field(module, name) for name in names)


def _readable_name(name: str) -> str:
    """The name of a module or a transition, for a sentence about what differs."""
    return name.replace("_", " ")


def profile_changes(before: Rights | None, after: Rights | None, labels: FieldLabels) -> Iterator[Change]:
    """What one profile gains and loses; None: the profile does not exist."""
    if before is None or after is None:
        if after is not None:
            yield Change("gained", "is a new profile")
        elif before is not None:
            yield Change("lost", "is taken away: its people can no longer sign in")
        return
    if before["staff"] != after["staff"]:
        yield Change("changed", f"is {'' if after['staff'] else 'no longer '}staff", keys=(("staff",),))
    if before["administrator"] != after["administrator"]:
        gains = after["administrator"]
        yield Change("gained" if gains else "lost", f"{'may' if gains else 'may no longer'} administer the portal")
    for module in dict.fromkeys((*before["modules"], *after["modules"])):
        old, new = before["modules"].get(module), after["modules"].get(module)
        here = (("modules", module),)
        if old is None:
            yield Change("gained", f"gets the module {_readable_name(module)}", module, here)
        elif new is None:
            yield Change("lost", f"loses the module {_readable_name(module)}", module, here)
        else:
            yield from _changes_of_module(module, old, new, labels)


def _changes_of_module(module: str, old: Rights, new: Rights, labels: FieldLabels) -> Iterator[Change]:
    here, name = ("modules", module), _readable_name(module)
    for key, sentence in (("see", "sees {} by"), ("where", "sees only {} with")):
        if old[key] != new[key]:
            now = f"“{new[key]}” instead of “{old[key]}”" if new[key] and old[key] else f"“{new[key] or 'anything'}”"
            yield Change("changed", f"{sentence.format(name)} {now}", module, ((*here, key), here), ((module, key),))
    yield from _readable(module, old, new, labels)
    for action in sorted(set(old["can"]) ^ set(new["can"])):
        gains = action in new["can"]
        phrase = (ACTION_PHRASES[action] if action in ACTIONS else f"{_readable_name(action)} {{}}").format(name)
        verb = "may" if gains else "may no longer"
        yield Change("gained" if gains else "lost", f"{verb} {phrase}", module, ((*here, "can"), here), word=action)
    for action, key, phrase in (("create", "creates", "fill in {} in new {}"), ("edit", "edits", "edit {} of {}")):
        if action in old["can"] and action in new["can"]:
            yield from _inputs(module, action, phrase, set(old[key]), set(new[key]), labels)
    yield from _tabs(module, old["tabs"], new["tabs"])
    if old["set"] != new["set"]:
        keys = ", ".join(sorted({*old["set"], *new["set"]}))
        yield Change("changed", f"new {name} get other values in {keys}", module, ((*here, "set"),))
    if old["grants"] != new["grants"]:
        given = ", ".join(new["grants"] or ()) or "the usual ones"
        yield Change("changed", f"may give these profiles in {name}: {given}", module, ((*here, "grants"),))


def _readable(module: str, old: Rights, new: Rights, labels: FieldLabels) -> Iterator[Change]:
    name, here = _readable_name(module), ("modules", module)
    layouts = tuple((*here, layout) for layout in ("list", "detail"))
    for lost, first, second in ((True, old, new), (False, new, old)):
        verb = "loses" if lost else "gets"
        kind: ChangeKind = "lost" if lost else "gained"
        for field in sorted(set(first["reads"]) - set(second["reads"])):
            what = "column" if field in first["columns"] else "field"
            sentence = f"{verb} {what} {labels.field(module, field)} of {name}"
            yield Change(kind, sentence, module, (*layouts, here), ((module, "fields", field), (module,)), field)
        known = "rows" in first and "rows" in second  # older snapshots do not say which columns are read
        for path in sorted(set(first["rows"]) - set(second["rows"])) if known else ():
            field, _dot, column = path.partition(".")
            sentence = f"{verb} {column} of {labels.field(module, field)} of {name}"
            if field in first["reads"] and field in second["reads"]:
                yield Change(kind, sentence, module, (), ((module, "fields", field),))
    common = set(old["reads"]) & set(new["reads"])
    before, after = ([field for field in side["columns"] if field in common] for side in (old, new))
    gone, more = ([field for field in one if field not in other] for one, other in ((before, after), (after, before)))
    for fields, verb in ((gone, "no longer shows"), (more, "shows")):
        if fields:
            sentence = f"the list of {name} {verb} {labels.fields(module, fields)}"
            yield Change("changed", sentence, module, ((*here, "list", "columns"), here), ((module, "list"),))
    if before != after and not gone and not more:
        sentence = f"the list of {name} has its columns in another order"
        yield Change("changed", sentence, module, ((*here, "list", "columns"), here), ((module, "list"),))


def _inputs(
    module: str, action: str, phrase: str, old: set[str], new: set[str], labels: FieldLabels
) -> Iterator[Change]:  # fmt: skip
    keys = (("modules", module, action), ("modules", module))
    kinds: tuple[tuple[set[str], str, ChangeKind], ...] = (
        (old - new, "may no longer", "lost"),
        (new - old, "may", "gained"),
    )
    for fields, verb, kind in kinds:
        if fields:
            listed = labels.fields(module, sorted(fields))
            sentence = f"{verb} {phrase.format(listed, _readable_name(module))}"
            yield Change(kind, sentence, module, keys, ((module, action), (module,)))


def _tabs(module: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for tab in dict.fromkeys((*old, *new)):
        keys = (("modules", module, "list", "tabs", tab), ("modules", module, "list", "tabs"))
        module_keys = ((module, "list", "tabs", tab), (module, "list", "tabs"))
        named = f"the tab {_readable_name(tab)} of {_readable_name(module)}"
        if tab not in new:
            yield Change("lost", f"loses {named}", module, keys, module_keys)
        elif tab not in old:
            yield Change("gained", f"gets {named}", module, keys, module_keys)
        elif old[tab] != new[tab]:
            yield Change("changed", f"{named} shows “{new[tab] or 'everything'}”", module, keys, module_keys)


def appearance_changes(before: Declaration, after: Declaration, profile: str) -> Iterator[Change]:
    """The differences of a profile that are not rights: layouts, labels, the menu, the home page."""
    old, new, names = before.profiles.get(profile), after.profiles.get(profile), new_names(after)
    if old is None or new is None:
        return
    for module, access in new.modules.items():
        if module not in old.modules:
            continue
        differing = [*_layouts(old, new, module), *_shape_differences(old.modules[module], access, COVERED_IN_ACCESS)]
        # What the profile inherits from its module is reported there.
        of_module = list(_shape_differences(before.modules[module], after.modules[module]))
        differing = [entry for entry in differing if names.of_value(entry.before) != entry.after]
        if differing := [difference for difference in differing if difference not in of_module]:
            paths = tuple(("modules", module, *path) for difference in differing for path in difference.paths)
            sentence = f"{_readable_name(module)} look different: {', '.join(map(str, differing))}"
            yield Change("changed", sentence, module, (*paths, ("modules", module)))
    shown = _shape_differences(old, new, {"name", "staff", "modules", "labeled", "modules_from_first_day", "expect"})
    if differing := [entry for entry in shown if names.of_value(entry.before) != entry.after]:
        paths = tuple(path for difference in differing for path in difference.paths)
        yield Change("changed", f"looks different: {', '.join(map(str, differing))}", keys=paths)


def _layouts(old: Profile, new: Profile, module: str) -> Iterator[KeyDifference]:
    """The parts of layouts that differ, apart from fields that are added or removed altogether."""
    before, after = old.modules[module], new.modules[module]
    for layout in LAYOUTS:
        one, other = getattr(before, layout), getattr(after, layout)
        shape: type[Shape] = type(other)
        moved = before.readable ^ after.readable
        if layout in ("create", "edit"):
            moved |= {*form_layout_fields(one)} ^ {*form_layout_fields(other)}
        for key in keys_of(shape):
            if f"{layout}.{key}" in ("list.columns", "list.tabs"):
                continue
            first, second = (_without(getattr(side, key), moved) for side in (one, other))
            if f"{layout}.{key}" == "detail.related":
                first, second = (_own_columns(value, side) for value, side in ((first, old), (second, new)))
            if first != second:
                yield KeyDifference(f"{layout}.{key}", first, second)


def _without(value: Any, names: Collection[str]) -> Any:
    """A part of a layout to compare, without certain fields."""
    if isinstance(value, BaseModel):
        return {key: _without(getattr(value, key), names) for key in type(value).model_fields}
    if not isinstance(value, tuple):
        return value
    left = tuple(_without(item, names) for item in value if item not in names)
    return left[0] if len(left) == 1 and isinstance(left[0], str) else left


def _own_columns(related: Any, profile: Profile) -> Any:
    """The differences of lists on a detail page; columns are named only if they differ from the module's list."""
    lists = {name: tuple(access.list.columns or ()) for name, access in profile.modules.items()}
    shown = []
    for entry in related if isinstance(related, tuple) else ():
        module, columns = entry["module"], entry["columns"]
        shown.append((module, None if set(columns or ()) <= set(lists.get(module, ())) else columns))
    return shown


def common_changes(before: Declaration, after: Declaration) -> Iterator[Change]:
    """The differences of two declarations for all profiles: modules and their fields, buttons, settings."""
    for name, module in after.modules.items():
        former = module.formerly if module.formerly in before.modules and name not in before.modules else name
        old = before.modules.get(str(former))
        if old is None:
            yield Change("gained", f"there is a new module {_readable_name(name)}", name, (), ((name,),))
            continue
        if former != name:
            sentence = f"module {_readable_name(str(former))} is called {_readable_name(name)}"
            yield Change("changed", sentence, name, (), ((name,),))
        if differing := list(_shape_differences(old, module, COVERED_IN_MODULE)):
            paths = tuple((name, *path) for difference in differing for path in difference.paths)
            sentence = f"module {_readable_name(name)} differs: {', '.join(map(str, differing))}"
            yield Change("changed", sentence, name, (), (*paths, (name,)))
        yield from _field_changes(name, old.fields, module.fields)
    known = {module.formerly for module in after.modules.values()} | set(after.modules)
    for name in before.modules:
        if name not in known:
            yield Change("lost", f"there is no module {_readable_name(name)} any more", name)
    yield from _webhook_changes(before, after)
    skipped = {"folder", "modules", "profiles", "icons"}
    for difference in _shape_differences(before, after, skipped):
        if difference.key.startswith("buttons.module:"):
            continue  # derived from the module, which reports it
        if difference.key.startswith("webhooks.") and None in (difference.before, difference.after):
            continue  # one that was added or removed
        named = replace(difference, key=difference.key.replace("settings", "portal", 1))
        sentence = f"{named.key} differs" if str(named) == named.key else str(named)
        yield Change("changed", sentence)


def _webhook_changes(before: Declaration, after: Declaration) -> Iterator[Change]:
    """Webhooks that were added or removed; a changed one is among the settings."""
    for name, webhook in after.webhooks.items():
        if name not in before.webhooks:
            what = f"{webhook.url} is notified of {', '.join(webhook.on)} as {webhook.as_}"
            yield Change("gained", f"there is a new webhook {name}: {what}")
    for name in before.webhooks:
        if name not in after.webhooks:
            yield Change("lost", f"there is no webhook {name} any more")


def _field_changes(module: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    former = {
        name: field.formerly if field.formerly in old and name not in old else name for name, field in new.items()
    }
    records = _readable_name(module)
    for name, field in new.items():
        place = ((module, "fields", name),)
        before = old.get(str(former[name]))
        if before is None:
            yield Change("gained", f"{records} have a new field {name} ({field.type})", module, (), place)
            continue
        if former[name] != name:
            yield Change("changed", f"field {former[name]} of {records} is called {name}", module, (), place)
        if before.type != field.type:
            sentence = f"field {name} of {records} is of type {field.type} instead of {before.type}"
            yield Change("changed", sentence, module, (), place)
        elif differing := list(_shape_differences(before, field, {"name", "type"})):
            paths = tuple((module, "fields", name, *path) for difference in differing for path in difference.paths)
            sentence = f"field {name} of {records} differs: {', '.join(map(str, differing))}"
            yield Change("changed", sentence, module, (), (*paths, *place))
    for name in old:
        if name not in former.values():
            yield Change("lost", f"{records} have no field {name} any more", module)


def _shape_differences(before: BaseModel, after: BaseModel, skipped: Collection[str] = ()) -> Iterator[KeyDifference]:
    """The keys in which two shapes of the same kind differ, apart from `skipped` ones and former names."""
    for key in type(after).model_fields:
        if key not in skipped and key != "formerly":
            yield from _of_values(key, getattr(before, key), getattr(after, key))


def _of_values(key: str, old: Any, new: Any) -> Iterator[KeyDifference]:
    if isinstance(old, BaseModel) and type(old) is type(new):
        for inner in _shape_differences(old, new):
            yield KeyDifference(f"{key}.{inner.key}", inner.before, inner.after)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys((*old, *new)):
            yield from _of_values(f"{key}.{name}", old.get(name), new.get(name))
    elif isinstance(old, Text) and isinstance(new, Text) and old.by_language and new.by_language:
        yield from _of_values(key, old.by_language, new.by_language)
    elif old != new:
        yield KeyDifference(key, old, new)


def _in_words(value: Any) -> str:
    """A changed value for a sentence; empty if it is not a word, a number or a short list of words."""
    if value is None or value in ("", ()):
        return "nothing"
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        value = ", ".join(value)
    if isinstance(value, bool):
        value = str(value).lower()
    text = str(value) if isinstance(value, str | Text | int | float) else ""
    return f"“{text}”" if 0 < len(text) <= LONGEST else ""
