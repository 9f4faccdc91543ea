"""Checks modules over existing tables (`table:`): a field is one column, and nothing else is stored there."""

from collections.abc import Collection

from portal.declaration.declaration_draft import MODULES, DeclarationDraft
from portal.declaration.shapes import Module
from portal.declaration.source.cursor import Cursor


def check_existing(module: Module, own_tables: Collection[str], at: Cursor) -> None:
    """Reports what a module over an existing table cannot have; `own_tables`: those made by the portal for modules."""
    if module.table is None:
        return
    if module.table.startswith("portal_"):
        at["table"].wrong(
            "a name that begins with portal_ is one of the portal's own tables: name a table of another program, or a"
            " view of it"
        )
    elif module.table != module.name and module.table in own_tables:
        at["table"].wrong(f"{module.table} is a table of the portal itself: name one of another program")
    if module.key == ():
        at["key"].wrong("names no column: leave key out, or name those that identify a row")
    if module.formerly is not None:
        at["formerly"].key.wrong(f"the table {module.table} is never renamed: leave formerly out")
    if "{year}" in module.reference:
        at["reference"].wrong("the portal does not know when a row of an existing table was made: leave out {year}")
    for name, field in module.fields.items():
        if field.several_targets:
            at["fields"][name]["to"].wrong("a column of an existing table links to one module: name one")
        elif not field.from_column:
            at["fields"][name].inner("type").wrong(
                f"no column of an existing table can be read as {field.type}: read its columns as text or longtext"
            )


def check_roles(draft: DeclarationDraft) -> None:
    """Reports what `sign_up:` and `inbox:` cannot do with an existing table: it is unknown what a new row needs."""
    people = draft.modules.get(draft.people or "")
    if draft.sign_up is not None and people is not None and people.table is not None:
        draft.at(MODULES)["sign_up"].key.wrong(
            f"people who sign up would become rows of the existing table {people.table}"
        )
    created = draft.modules.get(draft.inbox.creates) if draft.inbox else None
    if created is not None and created.table is not None:
        draft.at(MODULES)["inbox"]["creates"].wrong(f"mail would become rows of the existing table {created.table}")
