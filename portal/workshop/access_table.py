"""The table profile × module × right of a declaration, as plain JSON: what `portal diff` compares, and what is
committed beside the declaration as its snapshot.

Names, not labels, so that another wording changes nothing. Everything in it is sorted where its order means nothing.
"""

from collections.abc import Mapping
from typing import Any

from portal.conditions import condition_text
from portal.declaration.declaration import Declaration
from portal.declaration.layouts import form_layout_fields
from portal.declaration.shapes import Access, Module, Profile, Through

Rights = dict[str, Any]


def access_table(declaration: Declaration) -> dict[str, Rights]:
    """Profile → what it may; below `modules` each module that it has → the rights in it."""
    return {name: _profile(declaration, profile) for name, profile in sorted(declaration.profiles.items())}


def _profile(declaration: Declaration, profile: Profile) -> Rights:
    modules = {
        name: _rights(declaration.modules[name], access, profile.staff)
        for name, access in sorted(profile.modules.items())
    }
    administrator = profile.name in declaration.settings.administrators
    return {"staff": profile.staff, "administrator": administrator, "modules": modules}


def _rights(module: Module, access: Access, staff: bool) -> Rights:
    """`see` says by which path; `columns` are those of the list, `tabs` its tabs with their conditions."""
    rights: Rights = {
        "see": _see_text(module, access),
        "where": condition_text(access.where),
        "can": sorted(access.can),
        "reads": sorted(access.readable),
        "columns": list(access.list.columns or ()),
        "tabs": {name: condition_text(tab.where) for name, tab in (access.list.tabs or {}).items()},
        "creates": sorted(form_layout_fields(access.create)) if "create" in access.can else [],
        "edits": sorted(form_layout_fields(access.edit)) if "edit" in access.can else [],
        "set": {name: _as_json(value) for name, value in sorted(access.set.items())},
        "grants": sorted(access.grants) if access.grants is not None and "grant" in access.can else None,
    }
    if staff:  # the columns of rows that are internal are for staff
        return rights
    return rights | {"hidden": sorted(_internal_columns(module, access))}


def _internal_columns(module: Module, access: Access) -> list[str]:
    return [
        f"{name}.{column}"
        for name in access.readable
        for column, field in module.field(name).row_fields.items()
        if field.internal
    ]


def _see_text(module: Module, access: Access) -> str:
    """Whose records, and by which path: `organization (caller.company)`; with those that the reader watches."""
    if isinstance(access.see, Through):
        text = f"through {access.see.through}"
    elif access.see == "organization":
        paths = [path for path in (module.organization, module.owner) if path]
        text = f"organization ({', '.join(paths)})"
    elif access.see == "own":
        text = f"own ({module.owner})"
    else:
        return "all"
    return f"{text}, watched" if module.watchers else text


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
