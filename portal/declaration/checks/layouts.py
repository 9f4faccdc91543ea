"""Checks layouts wherever they are written: every name exists, and forms hold only what can be typed."""

import re
from collections.abc import Iterable, Iterator, Sequence

from portal.declaration.checks.conditions import check_condition
from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.layout_shapes import DetailLayout, FormLayout, ListLayout, Related
from portal.declaration.layouts import can_stand_in_form
from portal.declaration.name_rules import wrong_name
from portal.declaration.shapes import Access, Module
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.suggestions import list_in_text, suggest
from portal.declaration.unknown_names import no_effect_without, no_part
from portal.declaration.value_types import LayoutRow
from portal.fields.base import Field

PlacedName = tuple[Cursor, str]


def check_layouts(draft: DeclarationDraft, module: Module, declared: Module | Access, at: Cursor) -> None:
    """Checks the four layouts at `at`, of the module itself or of a profile's access to it."""
    _check_list(draft, module, declared.list, at["list"])
    _check_detail(draft, module, declared.detail, at["detail"])
    _check_form(draft, module, declared.create, at["create"], new=True)
    _check_form(draft, module, declared.edit, at["edit"], new=False)


def placed_names(declared: Module | Access, at: Cursor) -> Iterator[tuple[str, Cursor, str]]:
    """Every field named in the written layouts: the layout, the place, and the field."""
    for place, name in _items(declared.list.columns or (), at["list"]["columns"]):
        yield "list", place, name
    for index, section in enumerate(declared.detail.sections or ()):
        yield from (("detail", *item) for item in _rows(section.fields, at["detail"]["sections"][index]["fields"]))
    yield from (("detail", *item) for item in _items(declared.detail.aside or (), at["detail"]["aside"]))
    for layout, form in (("create", declared.create), ("edit", declared.edit)):
        yield from ((layout, *item) for item in _form_names(form, at[layout]))


def _check_names(draft: DeclarationDraft, module: str, names: Iterable[PlacedName]) -> None:
    """Checks that each name is a field of `module`."""
    for at, name in names:
        if draft.field(module, name) is None and not draft.is_broken(module, name):
            at.wrong(list_in_text(name, draft.modules[module].everything) or draft.no_field(module, name))


def _warn_of_repeated(columns: Sequence[str], at: Cursor) -> None:
    """Warns about columns repeated in a layout: a list shows one once, and the second was probably meant otherwise."""
    for index, name in enumerate(columns):
        if name in columns[:index]:
            at[index].warn(f'"{name}" is already a column of this list')


def _check_list(draft: DeclarationDraft, module: Module, layout: ListLayout, at: Cursor) -> None:
    _check_names(draft, module.name, _items(layout.columns or (), at["columns"]))
    _check_empty(layout.columns, at["columns"])
    _check_counts(module, _items(layout.columns or (), at["columns"]))
    _warn_of_repeated(layout.columns or (), at["columns"])
    for index, name in enumerate(layout.sort or ()):
        place = at["sort"].inner(index)
        if match := re.fullmatch(r"(\w+)[ ,]+(asc|desc)(ending)?", name.lower()):
            order = f"-{match[1]}" if match[2] == "desc" else match[1]
            place.wrong(f'write "{order}": a minus means descending order')
            continue
        _check_names(draft, module.name, [(place, name.removeprefix("-"))])
        field = draft.field(module.name, name.removeprefix("-"))
        if field is not None and not field.sortable:
            place.wrong(f'a list cannot be sorted by "{field.name}"')
    for name in layout.tabs or {}:
        place = at["tabs"][name]
        if problem := wrong_name(name):
            place.key.wrong(problem)
        check_condition(draft, module.name, place["where"])


def _check_detail(draft: DeclarationDraft, module: Module, layout: DetailLayout, at: Cursor) -> None:
    for index, section in enumerate(layout.sections or ()):
        _check_names(draft, module.name, _rows(section.fields, at["sections"][index]["fields"]))
        _check_empty(section.fields, at["sections"][index]["fields"])
        _check_counts(module, _rows(section.fields, at["sections"][index]["fields"]))
        if section.show_when is not None:
            check_condition(draft, module.name, at["sections"][index]["show_when"])
    _check_names(draft, module.name, _items(layout.aside or (), at["aside"]))
    _check_counts(module, _items(layout.aside or (), at["aside"]))
    if layout.comments is not None and not module.comments:
        at["comments"].key.warn(no_effect_without(module.name, "comments"))
    for index, related in enumerate(layout.related or ()):
        _check_related(draft, module, related, at["related"][index])


def _check_empty(names: Sequence[LayoutRow] | None, at: Cursor) -> None:
    if names is not None and () in (names or [()]):
        at.warn("names no field")


def _check_counts(module: Module, names: Iterable[PlacedName]) -> None:
    """Reports columns of a list's layout that count what records of the module cannot have."""
    for place, name in names:
        if name in ("comments", "attachments") and not getattr(module, name):
            place.warn(no_effect_without(module.name, name))


def _check_related(draft: DeclarationDraft, module: Module, related: Related, at: Cursor) -> None:
    name = related.module
    place = at.inner("module")
    linking = {link.module for link in draft.linking.get(module.name, ())}
    if draft.is_broken(name):
        return
    if name not in draft.modules:
        place.wrong(draft.no_module(name))
    elif name not in linking and not draft.has_broken_field(name):
        place.wrong(f"{name} has no link to {module.name}{suggest(name, linking)}")
    else:
        placed = list(_items(related.columns or (), at["columns"]))
        _check_names(draft, name, (item for item in placed if "." not in item[1]))
        for column_at, column in placed:
            _check_column_of_lines(draft, module.name, name, column, column_at)
        _warn_of_repeated(related.columns or (), at["columns"])


def _check_column_of_lines(draft: DeclarationDraft, module: str, linking: str, name: str, at: Cursor) -> None:
    """Checks a column such as `accounts.role`, which must belong to rows that link to records of `module`."""
    lines, dot, column = name.partition(".")
    field = draft.field(linking, lines) if dot else None
    if not dot or draft.is_broken(linking, lines):
        return
    if field is None:
        at.wrong(draft.no_field(linking, lines))
    elif column not in field.row_fields:
        at.wrong(f'no column "{column}" in {lines}{suggest(column, field.row_fields)}')
    elif not any(module in one.targets for one in field.row_fields.values()):
        at.wrong(f"{lines} has no link to {module}")


def _check_form(draft: DeclarationDraft, module: Module, layout: FormLayout, at: Cursor, new: bool) -> None:
    if layout.fields is not None and layout.steps is not None:
        at["steps"].key.wrong("a form has fields or steps, not both")
    for index, step in enumerate(layout.steps or ()):
        _check_empty(step.fields, at["steps"][index]["fields"])
    if layout.suggest is not None:
        _check_suggest(draft, layout.suggest, at["suggest"], new)
    seen: dict[str, Cursor] = {}
    for place, name in _form_names(layout, at):
        if name in seen:
            place.wrong(f'"{name}" appears twice in this form', seen[name].related("first here"))
        seen.setdefault(name, place)
        _check_form_field(draft, module, name, place, new)


def _check_suggest(draft: DeclarationDraft, name: str, at: Cursor, new: bool) -> None:
    """Checks `suggest`: records are suggested by the words of a title while a record is created."""
    if not new:
        at.key.warn("has no effect: records are suggested in the form for a new record, create")
        return
    suggested = draft.require_module(name, at)
    searched = suggested is None or any(field.searched for field in suggested.fields.values())
    if not searched and not draft.has_broken_field(name):
        at.wrong(f"{name} has no field that the search covers: nothing would ever be suggested")


def _form_names(layout: FormLayout, at: Cursor) -> Iterator[PlacedName]:
    yield from _rows(layout.fields or (), at["fields"])
    for index, step in enumerate(layout.steps or ()):
        yield from _rows(step.fields, at["steps"][index]["fields"])


def _check_form_field(draft: DeclarationDraft, module: Module, name: str, at: Cursor, new: bool) -> None:
    if name == "attachments":
        if not module.attachments:
            at.wrong(no_part(module.name, "attachments", ": add attachments: true to the module"))
        return
    field = draft.field(module.name, name)
    if field is None:
        _check_names(draft, module.name, [(at, name)])
    elif not can_stand_in_form(module, field, new):
        at.warn(f'"{name}" is left out of the form: {_why_not_typed(module, field, new)}')


def _why_not_typed(module: Module, field: Field, new: bool) -> str:
    if field.needs_record and new:
        return "it offers what links to the record, and nothing links to a new one"
    if field.name == module.state_field:
        return "only transitions change it"
    if field.read_only == "once":
        return "it is only typed when the record is created"
    return "it is read-only" if field.read_only else "the portal fills it in"


def _items(names: Iterable[str], at: Cursor) -> Iterator[PlacedName]:
    yield from ((at[index], name) for index, name in enumerate(names))


def _rows(rows: Iterable[LayoutRow], at: Cursor) -> Iterator[PlacedName]:
    for index, row in enumerate(rows):
        if isinstance(row, str):
            yield at[index], row
        else:
            yield from _items(row, at[index])
