"""Renames fields and options in drafts, so that nothing people typed is lost by a rename."""

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from portal.database.migration.declared_renames import Renames
from portal.fields.table_names import is_rows

Data = Mapping[str, Any]  # `inputs` by name, and `basis`: NAME:DIGEST of what the form showed


def rename_fields_in_drafts(connection: sa.Connection, drafts: sa.Table, renames: Renames) -> None:
    """Renames the inputs of drafts, whose names contain those of fields and, in rows, of columns."""
    for after, before in renames.modules.items():
        if is_rows(after):
            (module, _, lines), former = after.partition("$"), before.partition("$")[2]
            _rewrite(connection, drafts, module, _renamed_names("", {former: lines}))
    for name in renames.fields:
        module, _, lines = name.partition("$")
        _rewrite(connection, drafts, module, _renamed_names(lines, renames.new_field_names(name)))


def rename_options_in_drafts(
    connection: sa.Connection, drafts: sa.Table, table: str, field: str, renames: Mapping[str, str]
) -> None:
    """Renames chosen options in drafts, new name → old name; `table`: of the module or its rows."""
    names = {before: after for after, before in renames.items()}
    module, _, lines = table.partition("$")

    def chosen(data: Data) -> Data:
        inputs = {
            name: [names.get(text, text) for text in texts] if _is_input(name, lines, field) else texts
            for name, texts in data.get("inputs", {}).items()
        }
        return {**data, "inputs": inputs}

    _rewrite(connection, drafts, module, chosen)


def _renamed_names(lines: str, names: Mapping[str, str]) -> Callable[[Data], Data]:
    """Renames a draft's inputs `price`, `price.currency` and, if `lines` has the rows, `lines.0.price`; old → new."""

    def renamed(name: str) -> str:
        parts = name.split(".")
        place = 2 if lines else 0
        if len(parts) > place and (not lines or parts[0] == lines):
            parts[place] = names.get(parts[place], parts[place])
        return ".".join(parts)

    def changed(data: Data) -> Data:
        inputs = {renamed(name): texts for name, texts in data.get("inputs", {}).items()}
        digests = [entry.partition(":") for entry in data.get("basis", "").split()]
        return {**data, "inputs": inputs, "basis": " ".join(f"{renamed(name)}:{end}" for name, _, end in digests)}

    return changed


def _is_input(name: str, lines: str, field: str) -> bool:
    parts = name.split(".")
    return len(parts) == 3 and parts[0] == lines and parts[2] == field if lines else name == field


def _rewrite(connection: sa.Connection, drafts: sa.Table, module: str, change: Callable[[Data], Data]) -> None:
    mine = drafts.c["form"].startswith(f"{module}/", autoescape=True)
    for draft, before in connection.execute(sa.select(drafts.c["id"], drafts.c["data"]).where(mine)).all():
        after = change(before)
        if after != before:
            connection.execute(sa.update(drafts).where(drafts.c["id"] == draft).values(data=after))
