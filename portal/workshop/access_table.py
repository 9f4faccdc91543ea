"""The table profile × module × right of a declaration, as plain JSON: `portal diff` compares it, and it is committed
along with the declaration as its snapshot.

Names, not labels, so that rewording changes nothing. Sorted wherever order has no meaning.
"""

import json
from typing import Any

from portal.condition_texts import condition_text
from portal.declaration.declaration import Declaration
from portal.declaration.layouts import form_layout_fields
from portal.declaration.shapes import Access, Module, Profile

Rights = dict[str, Any]


def access_table(declaration: Declaration) -> dict[str, Rights]:
    """Profile → what it may do; below `modules`, each of its modules → the rights in it."""
    return {name: _profile(declaration, profile) for name, profile in sorted(declaration.profiles.items())}


def _profile(declaration: Declaration, profile: Profile) -> Rights:
    modules = {
        name: _rights(declaration.modules[name], access, profile.staff)
        for name, access in sorted(profile.modules.items())
    }
    administrator = profile.name in declaration.settings.administrators
    return {"staff": profile.staff, "administrator": administrator, "modules": modules}


def _rights(module: Module, access: Access, staff: bool) -> Rights:
    """The rights of a module in the table: `see` includes the path; `columns` of the list, `tabs` with conditions."""
    rights: Rights = {
        "see": _see_text(module, access),
        "where": condition_text(access.where),
        "can": sorted(access.can),
        "reads": sorted(access.readable),
        "columns": list(access.list.columns or ()),
        "tabs": {name: condition_text(tab.where) for name, tab in (access.list.tabs or {}).items()},
        "creates": sorted(form_layout_fields(access.create)) if "create" in access.can else [],
        "edits": sorted(form_layout_fields(access.edit)) if "edit" in access.can else [],
        "set": json.loads(json.dumps(dict(sorted(access.set.items())), default=str)),
        "grants": sorted(access.grants) if access.grants is not None and "grant" in access.can else None,
    }
    columns = ((name, column) for name in access.readable for column in module.field(name).row_fields.values())
    rights["rows"] = sorted(f"{name}.{column.name}" for name, column in columns if staff or not column.internal)
    return rights


def _see_text(module: Module, access: Access) -> str:
    """The `see` of a module in the table, with its path: `organization (caller.company)`; plus watched records."""
    if access.through:
        text = f"through {access.through}"
    elif access.see == "organization":
        paths = [path for path in (module.organization, module.owner) if path]
        text = f"organization ({', '.join(paths)})"
    elif access.see == "own":
        text = f"own ({module.owner})"
    else:
        return "all"
    return f"{text}, watched" if module.watchers else text
