"""The renames that were done in a database, so that one that is undone in the files is known for what it is.

`formerly: old` tells of a rename; when the files are put back as they were, nothing tells of it but this history. It is
a part of the snapshot, new name → old name: `modules`, `fields` by module, `options` by module and field.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from portal.database.migration.snapshot import Renames, Snapshot, earlier_names, history_of

OptionRenames = Mapping[tuple[str, str], Mapping[str, str]]


def next_history(old: Snapshot, renames: Renames, options: OptionRenames) -> dict[str, Any]:
    """The history after these renames; `old` is the snapshot before them, `options` by module and field."""
    history = history_of(old)
    names = {before: after for after, before in renames.modules.items()}
    fields, of_options = {}, {}
    for before, renamed in history["fields"].items():
        fields[names.get(before, before)] = dict(renamed)
    for module, renamed in renames.fields.items():
        fields[module] = _extended(fields.get(module, {}), renamed)
    for before, by_field in history["options"].items():
        new_names = renames.new_field_names(names.get(before, before))
        of_options[names.get(before, before)] = {new_names.get(key, key): value for key, value in by_field.items()}
    for (module, field), renamed in options.items():
        by_field = of_options.setdefault(module, {})
        by_field[field] = _extended(by_field.get(field, {}), renamed)
    return {"modules": _extended(history["modules"], renames.modules), "fields": fields, "options": of_options}


def _extended(history: Mapping[str, str], renames: Mapping[str, str]) -> dict[str, str]:
    """With renames, new name → old name; one that leads back to a former name takes back what led away from it."""
    extended = dict(history)
    for new, old in renames.items():
        if new in earlier_names(old, extended):
            for name in list(_until(old, new, extended)):
                del extended[name]
        else:
            extended[new] = old
    return extended


def _until(name: str, former: str, history: Mapping[str, str]) -> Iterator[str]:
    while name != former:
        yield name
        name = history[name]
