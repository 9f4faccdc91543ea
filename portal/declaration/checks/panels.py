"""Checks the panels of home pages: what each needs, and that every profile that has it may read what it shows."""

from collections.abc import Iterator

from portal.declaration.checks.conditions import check_condition
from portal.declaration.declaration import Declaration
from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.declared_files import profile_file
from portal.declaration.home_shapes import Panel
from portal.declaration.inheritance import is_access_broken
from portal.declaration.shapes import Profile
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.problems import ProblemText
from portal.declaration.synonyms import intended_key
from portal.declaration.unknown_names import no_access
from portal.fields.base import Field
from portal.fields.grouping import has_groups, is_dated

KINDS = ("chart", "list", "notices", "text")
OF_CHARTS = ("by", "per", "of", "as")


def check_panels(draft: DeclarationDraft, profile: Profile, at: Cursor) -> None:
    """Checks the panels that the profile's own file declares."""
    for index, panel in profile.home.indexed_panels:
        _check_panel(draft, panel, at[index])


def _check_panel(draft: DeclarationDraft, panel: Panel, at: Cursor) -> None:
    kinds = [kind for kind in KINDS if kind in at]
    if not kinds and any(intended_key(key, KINDS) for key in (KINDS if at.value is None else at.value)):
        return  # it or its parent is misspelled, which is already reported
    if len(kinds) != 1:
        reason = f"not {' and '.join(kinds)} at once" if kinds else "which is missing here"
        at.wrong(f"a panel is one of chart:, list:, notices: and text:, {reason}")
        return
    kind = kinds[0]
    _refuse(at, () if kind == "chart" else OF_CHARTS, "chart: MODULE")
    _refuse(at, ("where",) if kind == "text" else (), "chart:, list: or notices:")
    if panel.module is None:
        return
    module = draft.require_module(panel.module, at[kind])
    if module is None:
        return
    check_condition(draft, panel.module, at["where"])
    if kind == "notices" and module.table is not None:
        at["notices"].wrong(f"{panel.module} are rows of an existing table: nobody could dismiss them")
    if kind == "chart":
        _check_chart(draft, panel, panel.module, at)


def _refuse(at: Cursor, keys: tuple[str, ...], use: str) -> None:
    for key in keys:
        if key in at:
            at[key].key.wrong(f"{key} belongs to {use}")


def _check_chart(draft: DeclarationDraft, panel: Panel, module: str, at: Cursor) -> None:
    if panel.by is None:
        if "by" not in at:
            counts = f"by is missing: a chart counts the {module} by the values of a field, such as {{by: status}}"
            at.wrong(ProblemText(counts, "incomplete"))
    elif (by := draft.require_field(module, panel.by, at["by"])) and (problem := _not_grouped(by, panel)):
        at["per" if panel.per and not is_dated(by) else "by"].wrong(problem)
    if panel.of and (of := draft.require_field(module, panel.of, at["of"])) and (problem := _not_summed(of)):
        at["of"].wrong(problem)
    if panel.as_ == "line" and panel.per is None:
        at["as"].wrong("a line joins periods: it needs per:, or use bar")
    if panel.as_ == "donut" and panel.per is not None:
        at["as"].wrong("a donut shows the shares of a whole: periods need bar or line")


def _not_grouped(field: Field, panel: Panel) -> str | None:
    """Why a panel's chart cannot count records by a field, or None."""
    if field.virtual:
        return f'"{field.name}" is computed whenever it is read: records are counted by what is stored'
    if is_dated(field):
        return None if panel.per else f'"{field.name}" is a date: say per: day, week, month, quarter or year'
    if not has_groups(field):
        return f'"{field.name}" is of type {field.type}: a chart needs a choice, boolean, rating, link or date'
    return f'per: needs a date, and "{field.name}" is of type {field.type}' if panel.per else None


def _not_summed(field: Field) -> str | None:
    """Why a panel's chart cannot add up the values of a field in the database, or None."""
    if field.virtual:
        return f'"{field.name}" is computed whenever it is read: only what is stored is summed'
    return None if field.has_sum else f'"{field.name}" is of type {field.type}, which has no sum'


# -- what only the resolved profile shows -------------------------------------------------------------------------


def check_resolved_panels(draft: DeclarationDraft, profile: Profile, declaration: Declaration) -> None:
    """Checks that the panels of a profile, its own or inherited, show nothing that it may not read."""
    at = draft.at(profile_file(profile.name))
    if "panels" in draft.profiles[profile.name].home.model_fields_set:
        for index, key, problem in _hidden(draft, profile):
            at["home"]["panels"][index][key].wrong(problem)
        return
    parent = declaration.profiles.get(profile.extends or "")
    reported = set(_hidden(draft, parent)) if parent else set()
    for index, key, problem in _hidden(draft, profile):
        if (index, key, problem) not in reported:
            panel = f'panel {index + 1} of the home page of "{profile.extends}"'
            at["extends"].wrong(problem.within(f"{panel} needs more: {{}}"))


def _hidden(draft: DeclarationDraft, profile: Profile) -> Iterator[tuple[int, str, ProblemText]]:
    """What panels show and the profile cannot read: the place of the panel, its key, and why."""
    for index, panel in profile.home.indexed_panels:
        module = panel.module
        if module not in draft.modules or is_access_broken(draft, profile.name, module):
            continue
        access = profile.modules.get(module)
        if access is None:
            kind = next(kind for kind in KINDS if getattr(panel, kind) is not None)
            yield index, kind, no_access(module)
            continue
        for key, name in (("by", panel.by), ("of", panel.of)):
            if name and draft.field(module, name) is not None and name not in access.readable:
                unread = f'this profile cannot read "{name}" in {module}: show it in its list or detail page'
                yield index, key, ProblemText(unread)
