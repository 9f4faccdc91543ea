"""Checks modules over tables that others made (`table:`): they are only read, and a field is one column."""

from portal.declaration.draft import MODULES, Draft
from portal.declaration.shapes import Module
from portal.declaration.source.cursor import Cursor

WRITING = ("comments", "attachments", "lifecycle", "watchers", "mail", "formerly")
READ_ONLY_ACTIONS = ("export", "grant")  # what profiles may do with records that are only read


def check_existing(module: Module, at: Cursor) -> None:
    """What a module over an existing table cannot have."""
    if module.table is None:
        return
    for key in WRITING:
        if key in at and at[key].value:
            at[key].key.wrong(f"{module.name} are only read, from the table {module.table}: leave {key} out")
    if "{year}" in module.reference:
        at["reference"].wrong("the portal does not know when a row of an existing table was made: leave out {year}")
    for name, field in module.fields.items():
        place = at["fields"][name]
        if field.several_targets:
            place["to"].wrong("a column of an existing table links to one module: name one")
        elif not field.from_column:
            place.inner("type").wrong(
                f"no column of an existing table can be read as {field.type}: read its columns as text or longtext"
            )
        if field.on_target_deleted != "refuse":
            place["on_delete"].key.wrong("a row of an existing table is never changed: leave on_delete out")


def read_only_complaint(module: Module, word: str) -> str | None:
    """Why a word under `can` cannot be granted for a module over an existing table."""
    if module.table is None or word in READ_ONLY_ACTIONS:
        return None
    return f'"{word}" would write, and {module.name} are only read, from the table {module.table}'


def check_roles(draft: Draft) -> None:
    """What makes records needs modules with tables of the portal's own."""
    people = draft.modules.get(draft.people or "")
    if draft.sign_up is not None and people is not None and people.table is not None:
        draft.at(MODULES)["sign_up"].key.wrong(
            f"who signs up becomes a record of {people.name}, which are only read, from the table {people.table}"
        )
    made = draft.modules.get(draft.inbox.creates) if draft.inbox else None
    if made is not None and made.table is not None:
        draft.at(MODULES)["inbox"]["creates"].wrong(f"{made.name} are only read, from the table {made.table}")
