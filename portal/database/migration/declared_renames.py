"""The renames that `formerly` declares and that are still to do, and the history of those that were done.

`formerly: old` declares a rename; if the files are reverted, only the history knows about it. It is part of the
snapshot, new name → old name: `modules`, `fields` by module, `options` by module and field.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from portal.database.migration.row_counts import count_in_words, has_rows
from portal.database.migration.snapshot import Snapshot, left_behind, rebuild_field
from portal.database.schema.tables import columns_of
from portal.declaration.declaration import Declaration, fields_with_rows
from portal.declaration.shapes import Module
from portal.fields.table_names import join_name

OptionRenames = Mapping[tuple[str, str], Mapping[str, str]]


@dataclass(frozen=True)
class Renames:
    """Renames (new name → old name) of modules, and of the fields of each module (under its new name)."""

    modules: dict[str, str] = field(default_factory=dict)
    fields: dict[str, dict[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.modules or self.fields)

    @property
    def new_module_names(self) -> dict[str, str]:
        """Old name → new name, of modules."""
        return {before: after for after, before in self.modules.items()}

    def new_field_names(self, module: str) -> dict[str, str]:
        """Old name → new name, of the fields of a module under its new name."""
        return {before: after for after, before in self.fields.get(module, {}).items()}


def find_renames(connection: sa.Connection, old: Snapshot, declaration: Declaration) -> Renames:
    """The renames that `formerly` declares and that are not done yet, and renames that the declaration reverts."""
    formerly = {name: module.formerly for name, module in declaration.modules.items() if module.table is None}
    history = past_renames(old)
    late = {
        name
        for name, before in _late_renames(old["modules"], left_behind(old)["modules"], formerly)
        if not has_rows(connection, name)
    }
    known = {name: entry for name, entry in old["modules"].items() if name.partition("$")[0] not in late}
    modules = renamed_names(known, formerly, history["modules"])
    modules |= _renamed_rows(known, declaration, modules, history["modules"])
    fields: dict[str, dict[str, str]] = {}
    for name, module in declaration.stored.items():
        old_name = modules.get(name, name)
        before = old["modules"].get(old_name)
        if before:
            formerly = {key: field.formerly for key, field in module.fields.items()}
            renamed = renamed_names(before["fields"], formerly, history["fields"].get(old_name, {}))
            left_fields = left_behind(old)["fields"].get(old_name, ())
            for key, left in _late_renames(before["fields"], left_fields, formerly):
                if _is_empty(connection, old_name, before["fields"][key]):
                    renamed[key] = left
            fields |= {name: renamed} if renamed else {}
    return Renames(modules, fields)


def _renamed_rows(
    known: Collection[str], declaration: Declaration, modules: Mapping[str, str], history: Mapping[str, str]
) -> dict[str, str]:
    """The tables of rows whose `lines` field or its module is renamed: new name → old name."""
    formerly: dict[str, str | None] = {}
    for module, lines in fields_with_rows(declaration.modules.values()):
        before = modules.get(module.name, module.name)
        names = [lines.name] if lines.formerly in (None, *module.fields) else [str(lines.formerly), lines.name]
        former = (join_name(before, name) for name in names)
        formerly[join_name(module.name, lines.name)] = next((name for name in former if name in known), None)
    return renamed_names(known, formerly, history)


def _late_renames(
    known: Collection[str], left: Collection[str], formerly: Mapping[str, str | None]
) -> Iterator[tuple[str, str]]:
    """Renames whose `formerly` was added after the first migration: the values are still under the old name."""
    for name, before in formerly.items():
        if before in left and before not in formerly and name in known:
            yield name, str(before)


def _is_empty(connection: sa.Connection, module: str, entry: Mapping[str, Any]) -> bool:
    field = rebuild_field(entry)
    if field is None:
        return False
    if field.in_join_table:
        return not has_rows(connection, join_name(module, field.name))
    return not has_rows(connection, module, with_column=columns_of(field)[0].name)


def renamed_names(
    known: Collection[str], formerly: Mapping[str, str | None], history: Mapping[str, str]
) -> dict[str, str]:
    """The renames to be done among names of one kind: new name → old name.

    `known`: the names in the last snapshot. `formerly`: the declared names, each with its former name; it may stay in
    the files forever, and only counts while the old name is known. `history`: renames that were done, new name → old
    name: a declared name among the old ones has been restored.
    """
    renamed: dict[str, str] = {}
    for name, before in formerly.items():
        if before is None or before not in known or before in formerly:
            continue
        if name not in known and before not in renamed.values():
            renamed[name] = before
    for name in formerly:
        if name in known or name in renamed:
            continue
        undeclared = (later for later in known if later not in formerly and later not in renamed.values())
        later = next((later for later in undeclared if name in _earlier_names(later, history)), None)
        if later is not None:
            renamed[name] = later
    return renamed


def _earlier_names(name: str, history: Mapping[str, str]) -> list[str]:
    """The earlier names of a module or field in the history of renames, latest first."""
    names: list[str] = []
    while name in history and history[name] not in names:
        name = history[name]
        names.append(name)
    return names


def past_renames(snapshot: Snapshot) -> dict[str, Any]:
    """The renames that were done; for a snapshot without a history, those of its `formerly`."""
    if "history" in snapshot:
        return snapshot["history"]
    modules = snapshot["modules"].items()
    return {
        "modules": {name: module["formerly"] for name, module in modules if module.get("formerly")},
        "fields": {name: _formerly(module["fields"]) for name, module in modules},
        "options": {
            name: {key: _formerly(entry["options"]) for key, entry in module["fields"].items() if "options" in entry}
            for name, module in modules
        },
    }


def _formerly(entries: Mapping[str, Any]) -> dict[str, str]:
    return {name: entry["formerly"] for name, entry in entries.items() if entry.get("formerly")}


def past_renames_after(old: Snapshot, renames: Renames, options: OptionRenames) -> dict[str, Any]:
    """The history after these renames; `old` is the snapshot before them, `options` by module and field."""
    history = past_renames(old)
    names = renames.new_module_names
    fields, of_options = {}, {}
    for before, renamed in history["fields"].items():
        fields[names.get(before, before)] = dict(renamed)
    for module, renamed in renames.fields.items():
        fields[module] = _extend_history(fields.get(module, {}), renamed)
    for before, by_field in history["options"].items():
        new_names = renames.new_field_names(names.get(before, before))
        of_options[names.get(before, before)] = {new_names.get(key, key): value for key, value in by_field.items()}
    for (module, name), renamed in options.items():
        by_field = of_options.setdefault(module, {})
        by_field[name] = _extend_history(by_field.get(name, {}), renamed)
    return {"modules": _extend_history(history["modules"], renames.modules), "fields": fields, "options": of_options}


def _extend_history(history: Mapping[str, str], renames: Mapping[str, str]) -> dict[str, str]:
    """The history with further renames, new name → old name; a rename back to a former name cancels the one away."""
    extended = dict(history)
    for new, old in renames.items():
        if new in _earlier_names(old, extended):
            while old != new:
                old = extended.pop(old)
        else:
            extended[new] = old
    return extended


def late_rename_note(modules: Mapping[str, Module], before: str, rows: Callable[[str], int | None]) -> str:
    """A note in a plan about the records of a module whose new name was declared late; "" if it was not.

    Once the new name has records of its own, one table cannot hold both: they would have the same ids.
    """
    later = next((name for name, module in modules.items() if module.formerly == before), None)
    count = rows(later) if later else 0
    if not later or not count:
        return ""
    records = count_in_words(count, "record")
    return f"; {later} (formerly: {before}) takes them over once it is empty: export and delete its {records} first"
