"""The renames declared by `formerly`, so that a comparison of declarations does not take them for losses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.declaration.declaration import Declaration
from portal.workshop.access_table import Rights

NAMES = ("reads", "columns", "creates", "edits")  # in an access table: lists of fields


@dataclass(frozen=True)
class NewNames:
    """`modules`: former name → new name; `fields`: the same for fields, by the new name of their module."""

    modules: Mapping[str, str]
    fields: Mapping[str, Mapping[str, str]]

    def of_table(self, table: Mapping[str, Rights]) -> dict[str, Rights]:
        """An access table with the new names."""
        return {
            profile: {**rights, "modules": dict(self._of_module(*entry) for entry in rights["modules"].items())}
            for profile, rights in table.items()
        }

    def of_value(self, value: Any) -> Any:
        """A part of a declaration with the new names of modules."""
        if isinstance(value, str):
            # An undeclared button is called “module:tickets” or “module:tickets:customer”.
            return ":".join(self.modules.get(part, part) for part in value.split(":"))
        return type(value)(map(self.of_value, value)) if isinstance(value, tuple | list) else value

    def _of_module(self, name: str, rights: Rights) -> tuple[str, Rights]:
        name = self.modules.get(name, name)
        fields = self.fields.get(name, {})
        renamed = {key: [fields.get(field, field) for field in rights[key]] for key in NAMES}
        return name, {**rights, **{key: names if key == "columns" else sorted(names) for key, names in renamed.items()}}


def new_names(after: Declaration) -> NewNames:
    """The renames in a declaration."""
    modules, fields = {}, {}
    for name, module in after.modules.items():
        if module.formerly and module.formerly not in after.modules:
            modules[module.formerly] = name
        fields[name] = {
            field.formerly: field.name
            for field in module.fields.values()
            if field.formerly and field.formerly not in module.fields
        }
    return NewNames(modules, fields)
