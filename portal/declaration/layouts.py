"""The layouts of a profile: written ones without what the profile may not read, missing ones generated.

Called by resolve for every module and every profile. `readable_fields` alone decides which fields a
profile can read. Nothing is reported here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.declaration.declaration_draft import DeclarationDraft, LinkingPath
from portal.declaration.layout_shapes import DetailLayout, FormLayout, ListLayout, Related, Section, Step, Tab
from portal.declaration.references import BARE_NUMBER
from portal.declaration.shapes import Access, Module
from portal.declaration.value_types import LayoutRow
from portal.fields.base import Field
from portal.fields.base_parts import FieldPlace
from portal.fields.link import link_targets
from portal.texts import label_from_name

GENERATED_COLUMNS = 5
MOST_RELATED_COLUMNS = 5  # a record's page has no room for a whole list
PAGE_SIZE = 25
NEWEST_CHANGE_FIRST = ("-modified",)


@dataclass(frozen=True)
class LayoutViewer:
    """Whom the layouts are for. `enabled`: the modules of their profile; `unseen`: from `unseen_rollups`."""

    draft: DeclarationDraft
    staff: bool
    enabled: frozenset[str]
    unseen: frozenset[FieldPlace] = frozenset()

    def sees(self, field: Field | None) -> bool:
        """Whether their layouts may contain the field."""
        if field is None or (field.internal and not self.staff):
            return False
        return not any(rollup.place in self.unseen for rollup in field.rollups)

    def gets(self, module: Module, field: Field) -> bool:
        """Whether a generated layout contains the field: not if it names others who share a record."""
        return self.sees(field) and (self.staff or field.name not in links_to_owners(module))

    def may_fill_in(self, module: Module, field: Field) -> bool:
        """Whether a generated form contains the field: not if it decides who sees what."""
        return self.gets(module, field) and (self.staff or (module.name, field.name) not in self.draft.membership)

    def reaches(self, field: Field) -> bool:
        """Whether they have a module that the field links to; true for other fields."""
        targets = link_targets(field)
        return not targets or any(target in self.enabled for target in targets)


def links_to_owners(module: Module) -> frozenset[str]:
    """The `links` fields that say whom a record belongs to. Generated layouts hide them from customers, since they name
    everyone who shares it."""
    first_steps = {path.partition(".")[0] for path in (module.owner, module.organization) if path}
    return frozenset(name for name in first_steps if name in module.fields and module.fields[name].multiple)


def finished_layouts(
    viewer: LayoutViewer, module: Module, declared: Mapping[str, Any], preset: frozenset[str]
) -> dict[str, Any]:
    """The four layouts, complete; `preset`: the fields of the profile's `set`, which its create form leaves out."""
    return {
        "list": _list(viewer, module, declared["list"]),
        "detail": _detail(viewer, module, declared["detail"]),
        "create": _form(viewer, module, declared["create"], preset, new=True).model_copy(
            update={"suggest": declared["create"].suggest}
        ),
        "edit": _form(viewer, module, declared["edit"], frozenset(), new=False),
    }


# -- lists --------------------------------------------------------------------------------------------------------


def _list(viewer: LayoutViewer, module: Module, layout: ListLayout) -> ListLayout:
    columns = layout.columns if layout.columns is not None else _generated_columns(viewer, module)
    sort = tuple(name for name in layout.sort or () if _sorts(viewer, module.everything.get(name.removeprefix("-"))))
    tabs = {
        name: Tab(label=tab.label or label_from_name(name), where=tab.where)
        for name, tab in (layout.tabs or {}).items()
    }
    return ListLayout(
        columns=_visible(viewer, module, columns),
        sort=sort or NEWEST_CHANGE_FIRST,
        tabs=tabs,
        page_size=layout.page_size or PAGE_SIZE,
        export=True if layout.export is None else layout.export,
    )


def _sorts(viewer: LayoutViewer, field: Field | None) -> bool:
    return field is not None and field.sortable and viewer.sees(field)


def _generated_columns(viewer: LayoutViewer, module: Module) -> tuple[str, ...]:
    """The columns of a generated list: reference, title, then the first five fields that are not long. Next to a title,
    a bare number tells people nothing; the key of an existing table may."""
    others = [
        name
        for name, field in module.fields.items()
        if name != module.title and viewer.gets(module, field) and not field.long
    ]
    title = () if module.title in (None, "reference") else (module.title,)
    reference = () if title and module.table is None and module.reference == BARE_NUMBER else ("reference",)
    return (*reference, *title, *others[:GENERATED_COLUMNS])


def _visible(viewer: LayoutViewer, module: Module, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if viewer.sees(module.everything.get(name))))


# -- details ------------------------------------------------------------------------------------------------------


def _detail(viewer: LayoutViewer, module: Module, layout: DetailLayout) -> DetailLayout:
    aside = _visible(viewer, module, layout.aside or ())
    if layout.sections is None:
        rest = tuple(
            name
            for name, field in module.fields.items()
            if name not in aside and viewer.gets(module, field) and not _is_in_heading(module, field)
        )
        sections = tuple([Section(fields=rest)] if rest else [])
    else:
        visible = frozenset(name for name, field in module.everything.items() if viewer.sees(field))
        filtered = ((section, _rows(section.fields, visible)) for section in layout.sections)
        sections = tuple(section.model_copy(update={"fields": rows}) for section, rows in filtered if rows)
    return DetailLayout(
        sections=sections,
        aside=aside,
        related=layout.related,
        comments=layout.comments or "bottom",
        history=layout.history is not False,
    )


def _is_in_heading(module: Module, field: Field) -> bool:
    """Whether a page's heading shows the field already; an email address is repeated, since it is a link."""
    return field.name == module.title and field.display == "plain"


def _rows(rows: Iterable[LayoutRow], visible: frozenset[str]) -> tuple[LayoutRow, ...]:
    """The rows of a form's layout with only the `visible` fields."""
    filtered: list[LayoutRow] = []
    for row in rows:
        names = tuple(name for name in ((row,) if isinstance(row, str) else row) if name in visible)
        if names:
            filtered.append(names if len(names) > 1 else names[0])
    return tuple(filtered)


def flat(rows: Iterable[LayoutRow]) -> tuple[str, ...]:
    """The names of the fields of a layout in order, with rows of several fields flattened."""
    return tuple(name for row in rows for name in ((row,) if isinstance(row, str) else row))


def with_related(viewer: LayoutViewer, accesses: Mapping[str, Access]) -> dict[str, Access]:
    """The accesses with their related lists: only modules that the profile has, with columns that it can read."""
    return {name: _with_related(viewer, accesses, access) for name, access in accesses.items()}


def _with_related(viewer: LayoutViewer, accesses: Mapping[str, Access], access: Access) -> Access:
    draft, module = viewer.draft, access.module
    linking = draft.linking.get(module, ())
    shown = access.detail.related
    if shown is None:
        names = dict.fromkeys(
            link.module
            for link in linking
            if link.module in accesses
            and _can_be_read(viewer, link, accesses[link.module])
            and not (link.module == module and _is_follow_up(draft.modules[module], link.fields[0].name))
        )
        shown = tuple(Related(module=name) for name in names)
    else:
        # A written list needs no readable link: layouts may leave the link out because it always is this record.
        visible = {link.module for link in linking if all(map(viewer.sees, link.fields))}
        shown = tuple(related for related in shown if related.module in accesses and related.module in visible)
    related = tuple(_related(draft, module, accesses[item.module], item) for item in shown)
    return access.model_copy(update={"detail": access.detail.model_copy(update={"related": related})})


def _can_be_read(viewer: LayoutViewer, link: LinkingPath, access: Access) -> bool:
    """Whether a layout may have a list of related records: the link is readable, or says whom they belong to."""
    name, module = link.fields[0].name, viewer.draft.modules[link.module]
    readable = name in access.readable or name in (module.owner, module.organization)
    return readable and all(map(viewer.sees, link.fields[1:]))


def _is_follow_up(module: Module, field: str) -> bool:
    """Whether a link leads to the record that is followed up: no related list is needed, as its page lists these."""
    return module.lifecycle is not None and module.lifecycle.follow_up == field


def _related(draft: DeclarationDraft, module: str, access: Access, related: Related) -> Related:
    """A related list in a layout with its columns: those written, else the first of the module's list, and the
    state."""
    columns = related.columns if related.columns is not None else access.list.columns or ()
    readable_columns = [name for name in columns if name.partition(".")[0] in access.readable]
    if related.columns is None:
        links = [link for link in draft.linking.get(module, ()) if link.module == related.module]
        leading_back = {link.fields[0].name for link in links if len(link.fields) == 1}
        shown = [name for name in readable_columns if name not in leading_back] or readable_columns
        state = [name for name in shown if name == draft.modules[related.module].state_field]
        others = [name for name in shown if name not in state][: MOST_RELATED_COLUMNS - len(state)]
        readable_columns = [name for name in shown if name in (*state, *others)]
    return Related(module=related.module, columns=tuple(readable_columns))


# -- forms --------------------------------------------------------------------------------------------------------


def can_be_typed(module: Module, field: Field, new: bool) -> bool:
    """Whether a generated form has this field: whether it can be typed for a `new` record, or for an existing one."""
    moved = field.name == module.state_field
    read_only = field.read_only is True or (field.read_only == "once" and not new) or (field.needs_record and new)
    return field.name in module.fields and not (moved or read_only or field.computed)


def can_stand_in_form(module: Module, field: Field, new: bool) -> bool:
    """Whether a form's layout may name this field: to be typed, or to show its value while its inputs are typed."""
    return can_be_typed(module, field, new) or (field.follows_form and field.name in module.fields)


def _form(viewer: LayoutViewer, module: Module, layout: FormLayout, preset: frozenset[str], new: bool) -> FormLayout:
    possible = [
        name
        for name, field in module.fields.items()
        if viewer.sees(field) and can_stand_in_form(module, field, new) and name not in preset
    ]
    visible = frozenset(possible)
    is_declared = layout.fields is not None or layout.steps is not None
    files = bool(module.attachments) and (not is_declared or "attachments" in form_layout_fields(layout))
    if layout.steps is not None:
        filtered = ((step, _rows(step.fields, visible)) for step in layout.steps)
        steps = tuple(Step(title=step.title, fields=rows) for step, rows in filtered if rows)
        return FormLayout(steps=steps, files=files) if steps else FormLayout(fields=(), files=files)
    if layout.fields is not None:
        return FormLayout(fields=_rows(layout.fields, visible), files=files)
    candidates = [module.fields[name] for name in possible if can_be_typed(module, module.fields[name], new)]
    generated = [field for field in candidates if viewer.may_fill_in(module, field) and not field.deadline_rule]
    return FormLayout(fields=tuple(field.name for field in generated if viewer.reaches(field)), files=files)


def form_layout_fields(layout: FormLayout) -> tuple[str, ...]:
    """Every field that the layout of a form names, in all its steps."""
    return flat(layout.fields or ()) + tuple(name for step in layout.steps or () for name in flat(step.fields))


def detail_layout_fields(layout: DetailLayout) -> tuple[str, ...]:
    """Every field that the layout of a detail page names."""
    return tuple(name for section in layout.sections or () for name in flat(section.fields)) + (layout.aside or ())


# -- what can be read ----------------------------------------------------------------------------------------------


def readable_fields(module: Module, access: Access) -> frozenset[str]:
    """The fields that a profile can read on every path: those in its list or detail, or in a form that it may use."""
    names = {
        "id",
        "reference",
        module.title or "reference",
        *(access.list.columns or ()),
        *detail_layout_fields(access.detail),
    }
    if "create" in access.can:
        names.update(form_layout_fields(access.create))
    if "edit" in access.can:
        names.update(form_layout_fields(access.edit))
    return frozenset(name for name in names if name in module.everything)
