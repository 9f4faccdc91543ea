"""The renames declared by `formerly`, so that a comparison of declarations does not take them for losses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.declaration.declaration import Declaration
from portal.fields.base import Field
from portal.workshop.access_table import Rights

NAMES = ("reads", "columns", "creates", "edits")  # in an access table: lists of fields


@dataclass(frozen=True)
class NewNames:
    """The new names of what was renamed. `modules`: former name → new name; `fields`: the same for fields, by the new
    name of their module, and for columns of `lines`, by the new name of their field (`tickets.work`)."""

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
        renamed = {key: names if key == "columns" else sorted(names) for key, names in renamed.items()}
        if "rows" in rights:
            renamed["rows"] = sorted(self._of_column(name, *path.split(".")) for path in rights["rows"])
        return name, {**rights, **renamed}

    def _of_column(self, module: str, field: str, column: str) -> str:
        field = self.fields.get(module, {}).get(field, field)
        return f"{field}.{self.fields.get(f'{module}.{field}', {}).get(column, column)}"


def new_names(after: Declaration) -> NewNames:
    """The new names that a declaration gives to what it renames by `formerly`."""
    modules, fields = {}, {}
    for name, module in after.modules.items():
        if module.formerly and module.formerly not in after.modules:
            modules[module.formerly] = name
        fields[name] = _former_fields(module.fields)
        for field in module.fields.values():
            fields[f"{name}.{field.name}"] = _former_fields(field.row_fields)
    return NewNames(modules, fields)


def _former_fields(fields: Mapping[str, Field]) -> dict[str, str]:
    return {field.formerly: name for name, field in fields.items() if field.formerly and field.formerly not in fields}
