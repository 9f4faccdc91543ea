"""Checks of layouts, wherever they are written: every name exists, forms hold what can be typed."""

from collections.abc import Iterable, Iterator

from portal.declaration.checks.conditions import check_condition
from portal.declaration.draft import Draft
from portal.declaration.entries import wrong_name
from portal.declaration.layouts import typed
from portal.declaration.shapes import Access, DetailLayout, FormLayout, ListLayout, Module, Row
from portal.declaration.source.problems import Path, suggest


def check_layouts(draft: Draft, file: str, path: Path, module: Module, written: Module | Access) -> None:
    """The four layouts that `written`, the module itself or a profile's access to it, says at `path`."""
    _check_list(draft, file, (*path, "list"), module, written.list)
    _check_detail(draft, file, (*path, "detail"), module, written.detail)
    for name in ("create", "edit"):
        _check_form(draft, file, (*path, name), module, getattr(written, name))


def check_names(draft: Draft, file: str, module: str, names: Iterable[tuple[Path, str]]) -> None:
    """Each name is a field of `module`."""
    for path, name in names:
        if draft.field(module, name) is None and not draft.doubtful(module, name):
            draft.error(file, path, draft.no_field(module, name))


def _check_list(draft: Draft, file: str, path: Path, module: Module, layout: ListLayout) -> None:
    check_names(draft, file, module.name, _placed((*path, "columns"), layout.columns or ()))
    several = draft.has(file, (*path, "sort", 0))
    for index, name in enumerate(layout.sort or ()):
        place = (*path, "sort", index) if several else (*path, "sort")
        check_names(draft, file, module.name, [(place, name.removeprefix("-"))])
        field = draft.field(module.name, name.removeprefix("-"))
        if field is not None and not field.sortable:
            draft.error(file, place, f'a list cannot be sorted by "{field.name}"')
    for name in layout.tabs or {}:
        place = (*path, "tabs", name)
        if wrong := wrong_name(name):
            draft.error(file, place, wrong, key=True)
        check_condition(draft, file, (*place, "where"), module.name)


def _check_detail(draft: Draft, file: str, path: Path, module: Module, layout: DetailLayout) -> None:
    for index, section in enumerate(layout.sections or ()):
        check_names(draft, file, module.name, _rows((*path, "sections", index, "fields"), section.fields))
    check_names(draft, file, module.name, _placed((*path, "aside"), layout.aside or ()))
    for index, related in enumerate(layout.related or ()):
        place = (*path, "related", index)
        at_module = (*place, "module") if draft.has(file, (*place, "module")) else place
        linking = {name for name, _field in draft.linking.get(module.name, ())}
        if draft.doubtful(related.module):
            continue
        if related.module not in draft.modules:
            draft.error(file, at_module, draft.no_module(related.module))
        elif related.module not in linking and not any(broken[0] == related.module for broken in draft.broken):
            draft.error(
                file, at_module, f"{related.module} has no link to {module.name}{suggest(related.module, linking)}"
            )
        else:
            check_names(draft, file, related.module, _placed((*place, "columns"), related.columns or ()))


def _check_form(draft: Draft, file: str, path: Path, module: Module, layout: FormLayout) -> None:
    if layout.fields is not None and layout.steps is not None:
        draft.error(file, (*path, "steps"), "a form has fields or steps, not both", key=True)
    rows = list(_rows((*path, "fields"), layout.fields or ()))
    for index, step in enumerate(layout.steps or ()):
        rows += _rows((*path, "steps", index, "fields"), step.fields)
    seen: set[str] = set()
    for place, name in rows:
        if name in seen:
            draft.error(file, place, f'"{name}" stands twice in this form')
        seen.add(name)
        _check_typed(draft, file, place, module, name)


def _check_typed(draft: Draft, file: str, place: Path, module: Module, name: str) -> None:
    if name == "attachments":
        if not module.attachments:
            draft.error(file, place, f"{module.name} takes no attachments: the module says attachments: true")
        return
    field = draft.field(module.name, name)
    if field is None:
        check_names(draft, file, module.name, [(place, name)])
    elif not typed(module, field):
        moved = module.lifecycle is not None and module.lifecycle.field == name
        reason = "only transitions change it" if moved else "it is read-only" if field.read_only else "it is worked out"
        draft.warn(file, place, f'"{name}" is left out of the form: {reason}')


def _placed(path: Path, names: Iterable[str]) -> Iterator[tuple[Path, str]]:
    yield from (((*path, index), name) for index, name in enumerate(names))


def _rows(path: Path, rows: Iterable[Row]) -> Iterator[tuple[Path, str]]:
    for index, row in enumerate(rows):
        if isinstance(row, str):
            yield (*path, index), row
        else:
            yield from _placed((*path, index), row)
