"""Warns about what customers could see, change or write without anyone intending it.

Checks every resolved profile. Each warning is placed where the layout, tab or button is written: in the profile, in a
profile that it extends, or in modules.yaml.
"""

from collections.abc import Iterator

from portal.conditions import Comparison, Condition, compared_fields, comparisons
from portal.declaration.checks.layouts import placed_names
from portal.declaration.computed_fields import unseen_rollups
from portal.declaration.declaration import Declaration
from portal.declaration.declaration_draft import BUTTONS, DeclarationDraft
from portal.declaration.declared_files import profile_file
from portal.declaration.inheritance import ancestry
from portal.declaration.layouts import detail_layout_fields, form_layout_fields, links_to_owners
from portal.declaration.shapes import Access, Module, Profile
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.problems import KeyPath
from portal.fields.base import Field
from portal.fields.rollup import Rollup
from portal.fields.table_names import is_rows

Source = tuple[Module | Access, Cursor]
# Where a tab, button or panel selects by a field, a list sorts by it, or a section or deadline depends on it, which of
# these it is, and the path of the field → its place, and the profiles that have it and cannot read the field, which it
# reveals.
Counts = dict[tuple[str, KeyPath, str, str], tuple[Cursor, list[str]]]


def check_unintended_access(draft: DeclarationDraft, declaration: Declaration) -> None:
    """Checks every profile for fields that customers should not read or type, and counts by fields they cannot read."""
    counts: Counts = {}
    for profile in declaration.profiles.values():
        for access in profile.modules.values():
            sources = list(_sources(draft, profile, access.module))
            _warn_of_rollups(draft, profile, access)
            if not profile.staff:
                _warn_of_internal_fields(draft, profile, access)
                _warn_of_links_to_owners(draft, access, sources)
                _warn_of_membership(draft, access, sources)
                _find_deadlines(draft, profile, access, counts)
            _find_orders(draft, profile, access, sources, counts)
            _find_counted_tabs(draft, profile, access, sources, counts)
            _find_sections(draft, profile, access, sources, counts)
        _find_counted_buttons(draft, profile, counts)
        _find_counted_panels(draft, profile, counts)
    _warn_of_counts(counts)


def _sources(draft: DeclarationDraft, profile: Profile, module: str) -> Iterator[Source]:
    """What the profile, those that it extends, and modules.yaml say about a module, nearest first."""
    for name in reversed(ancestry(draft, profile.name)):
        if (access := draft.profiles[name].modules.get(module)) is not None:
            yield access, draft.at(profile_file(name), "modules", module)
    yield draft.declared[module], draft.at_module(module)


def _place(sources: list[Source], layout: str, name: str) -> Cursor | None:
    """Where the nearest layout of this kind names the field that customers should not get; None if it is generated."""
    return next(
        (
            place
            for declared, at in sources
            for other, place, field in placed_names(declared, at)
            if (other, field) == (layout, name)
        ),
        None,
    )


def _warn_of_internal_fields(draft: DeclarationDraft, profile: Profile, access: Access) -> None:
    own = draft.profiles[profile.name].modules.get(access.module)
    if own is None:
        return
    for _layout, place, name in placed_names(own, _at_access(draft, profile, access)):
        field = draft.field(access.module, name)
        if field is not None and field.internal:
            place.warn(f'"{name}" is internal: this profile is not staff, so it is left out')


def _warn_of_rollups(draft: DeclarationDraft, profile: Profile, access: Access) -> None:
    """Warns about roll-ups in layouts of the profile over records of which it sees only some."""
    own = draft.profiles[profile.name].modules.get(access.module)
    unseen = unseen_rollups(draft.modules, profile.modules) if own is not None else ()
    for _layout, place, name in placed_names(own, _at_access(draft, profile, access)) if own and unseen else ():
        field = draft.field(access.module, name)
        for rollup in field.rollups if field is not None else ():
            if rollup.place in unseen:
                place.warn(_left_out(name, rollup))


def _left_out(name: str, rollup: Rollup) -> str:
    fields = f", and with {' and '.join(rollup.counted_fields)} in its layouts" if rollup.counted_fields else ""
    return (
        f'"{name}" is left out: it is over all {rollup.counted}, and this profile may not see them all. Give it'
        f" {rollup.counted} with see: all or see: {{through: {rollup.counted_link}}}, without where{fields}; or write"
        f" includes_unseen: true at {'.'.join(rollup.place)}, if its number is no secret"
    )


def _at_access(draft: DeclarationDraft, profile: Profile, access: Access) -> Cursor:
    return draft.at(profile_file(profile.name), "modules", access.module)


def _warn_of_links_to_owners(draft: DeclarationDraft, access: Access, sources: list[Source]) -> None:
    for name in sorted(links_to_owners(draft.modules[access.module])):
        for layout, shown in (("list", access.list.columns or ()), ("detail", detail_layout_fields(access.detail))):
            if name in shown and (place := _place(sources, layout, name)) is not None:
                place.warn(
                    f'"{name}" says whom a record belongs to, and several people may share one:'
                    " customers may learn of each other here; leave it out of their layouts"
                )


def _warn_of_membership(draft: DeclarationDraft, access: Access, sources: list[Source]) -> None:
    for layout, form in (("create", access.create), ("edit", access.edit)):
        for name in form_layout_fields(form) if layout in access.can else ():
            if (access.module, name) in draft.membership and (place := _place(sources, layout, name)) is not None:
                place.warn(
                    f'"{name}" decides which company people belong to: with this form customers can move into another'
                    " company and see its records"
                )


# -- counts -------------------------------------------------------------------------------------------------------


def _find_counted_tabs(
    draft: DeclarationDraft, profile: Profile, access: Access, sources: list[Source], counts: Counts
) -> None:
    for name, tab in (access.list.tabs or {}).items():
        unreadable = _unreadable(draft, profile, access.module, tab.where)
        if unreadable is None:
            continue
        place = next((at["list"]["tabs"][name] for _source, at in sources if name in at["list"]["tabs"]), None)
        if place is not None:
            _count(counts, place.key, "tab", unreadable, profile)


def _find_sections(
    draft: DeclarationDraft, profile: Profile, access: Access, sources: list[Source], counts: Counts
) -> None:
    """Finds sections of a page that give away, shown or not, a field which the profile cannot read."""
    declared = next(((source, at) for source, at in sources if source.detail.sections is not None), None)
    if declared is None:
        return
    for index, section in enumerate(declared[0].detail.sections or ()):
        unreadable = _unreadable(draft, profile, access.module, section.show_when) if section.show_when else None
        if unreadable is not None:
            place = declared[1]["detail"]["sections"][index]["show_when"]
            _count(counts, place, "section", unreadable, profile)


def _find_counted_buttons(draft: DeclarationDraft, profile: Profile, counts: Counts) -> None:
    for name in profile.buttons:
        button = draft.buttons.get(name)
        if button is None or button.where is None or button.opens not in profile.modules:
            continue
        if (unreadable := _unreadable(draft, profile, button.opens, button.where)) is not None:
            _count(counts, draft.at(BUTTONS, "buttons", name, "where"), "button", unreadable, profile)


def _find_counted_panels(draft: DeclarationDraft, profile: Profile, counts: Counts) -> None:
    line = reversed(ancestry(draft, profile.name))
    source = next((name for name in line if "panels" in draft.profiles[name].home.model_fields_set), profile.name)
    for index, panel in profile.home.indexed_panels:
        if panel.module not in profile.modules:
            continue
        if (unreadable := _unreadable(draft, profile, panel.module, panel.where)) is not None:
            place = draft.at(profile_file(source), "home", "panels", index, "where")
            _count(counts, place, "panel", unreadable, profile)


def _find_orders(
    draft: DeclarationDraft, profile: Profile, access: Access, sources: list[Source], counts: Counts
) -> None:
    """Finds lists whose order gives customers a field away; fields that every record has give nothing away."""
    place = next((at["list"]["sort"] for _source, at in sources if "sort" in at["list"]), None)
    for index, name in enumerate(access.list.sort or () if place is not None else ()):
        field = name.removeprefix("-")
        if place is not None and field in draft.modules[access.module].fields and field not in access.readable:
            _count(counts, place.inner(index), "list", field, profile)


def _find_deadlines(draft: DeclarationDraft, profile: Profile, access: Access, counts: Counts) -> None:
    """Finds deadlines that customers may read but that depend on a field they must not read."""
    module = draft.modules[access.module]
    for field in module.deadlines:
        rule, place = field.deadline_rule, draft.at_module(module.name)["fields"][field.name]["within"]
        for name in rule.sources if rule and field.name in access.readable else ():
            source = module.fields.get(name)
            if source is not None and source.internal and rule and name != rule.until:
                _count(counts, place, "deadline", name, profile)


def _count(counts: Counts, place: Cursor, what: str, path: str, profile: Profile) -> None:
    _place, profiles = counts.setdefault((place.document.file, place.path, what, path), (place, []))
    profiles.append(profile.name)


def _warn_of_counts(counts: Counts) -> None:
    """One warning for all profiles that cannot read the field."""
    for (_file, _path, what, path), (place, profiles) in counts.items():
        names = f"profile {profiles[0]}" if len(profiles) == 1 else f"profiles {', '.join(profiles)}"
        if what == "list":
            place.warn(f'this list sorts by "{path}", which the {names} cannot read: its order gives away its values')
        elif what == "deadline":
            place.warn(
                f'"{path}" is internal, but the {names} can read this deadline: how far away it is gives away its value'
            )
        elif what == "section":
            place.warn(
                f'this section depends on "{path}", which the {names} cannot read: whether it is there gives away what'
                " the field holds"
            )
        else:
            place.warn(
                f'this {what} selects by "{path}", which the {names} cannot read: its count gives away what the'
                " field holds"
            )


def _unreadable(draft: DeclarationDraft, profile: Profile, module: str, condition: Condition) -> str | None:
    """The first path of a condition that the profile cannot read, or None."""
    return next(
        (
            ".".join(path)
            for comparison in comparisons(condition)
            if not _is_about_the_reader(draft.modules[module], comparison)
            for path in compared_fields(comparison)
            if not _is_readable(draft, profile, module, path)
        ),
        None,
    )


def _is_about_the_reader(module: Module, comparison: Comparison) -> bool:
    """Whether a comparison is about the reader: `caller: me` reveals nothing if the caller is the owner."""
    path, value = ".".join(comparison.path), comparison.value
    return (path, value) in ((module.owner, "me"), (module.organization, "my organization"))


def _is_readable(draft: DeclarationDraft, profile: Profile, module: str, path: tuple[str, ...]) -> bool:
    """Whether a profile can read every step of a path; whoever reads a link can read the linked record's title."""
    for here, field in draft.follow(module, path, into_rows=True).steps:
        if is_rows(here):  # whoever can read the rows can read their columns, except internal ones
            if field.internal and not profile.staff:
                return False
            continue
        access = profile.modules.get(here)
        title = draft.modules[here].title if here in draft.modules else None
        if access is None and field.name != title:
            return False
        if access is not None and field.name not in access.readable and not _is_no_secret(draft, profile, here, field):
            return False
    return True


def _is_no_secret(draft: DeclarationDraft, profile: Profile, module: str, field: Field) -> bool:
    """Whether the history shows a built-in field anyway: to everyone when something happened, to staff who did it."""
    of_every_record = module in draft.modules and field.name in draft.modules[module].builtin
    return of_every_record and (profile.staff or field.name in ("created", "modified"))
