"""Checks of profiles: what they name exists, and what they may do can be done."""

from collections.abc import Iterator, Mapping
from typing import Any

from portal.conditions import comparisons
from portal.declaration.checks.buttons import check_home
from portal.declaration.checks.conditions import check_condition, check_values
from portal.declaration.checks.layouts import check_layouts
from portal.declaration.checks.modules import check_scope, scope_is_unsaid
from portal.declaration.draft import MODULES, Draft, leads_to, profile_file
from portal.declaration.layouts import form_fields
from portal.declaration.resolve import ancestry, merged_accesses
from portal.declaration.shapes import ACTIONS, Access, Declaration, Module, Profile, Through
from portal.declaration.source.problems import Path, suggest


def check_profile(draft: Draft, name: str) -> None:
    """What stands in the profile's own file."""
    file, profile = profile_file(name), draft.profiles[name]
    _check_extends(draft, file, profile)
    inherited = merged_accesses(draft, profile.extends) if profile.extends in draft.profiles else {}
    for each, entry in draft.written_profiles[name]["modules"].items():
        path = ("modules", each)
        if each not in draft.modules:
            if not draft.doubtful(each):
                draft.error(file, path, draft.no_module(each), key=True)
        elif entry is False:
            if each not in inherited:
                draft.warn(file, path, "there is nothing to take away", key=True)
        elif each in profile.modules:
            _check_access(draft, file, path, draft.modules[each], profile.modules[each])
    _check_panels(draft, file, profile)
    _check_expectations(draft, file, profile)


def _check_extends(draft: Draft, file: str, profile: Profile) -> None:
    parent = profile.extends
    if parent is None:
        return
    if parent not in draft.profiles:
        if ("", parent) not in draft.broken:
            draft.error(file, ("extends",), f'no profile "{parent}"{suggest(parent, draft.profiles)}')
        return
    line = [profile.name]
    while (parent := draft.profiles[line[-1]].extends) in draft.profiles and parent is not None:
        if parent in line:
            if parent == profile.name == min(line):
                draft.error(
                    file, ("extends",), f"profiles extend each other in a circle: {' → '.join([*line, parent])}"
                )
            return
        line.append(parent)


def _check_access(draft: Draft, file: str, path: Path, module: Module, access: Access) -> None:
    """What a profile writes of one module."""
    if access.see is not None:
        check_scope(draft, file, (*path, "see"), module, access.see)
    transitions = module.lifecycle.transitions if module.lifecycle else {}
    known = [*ACTIONS, *transitions, *_broken_transitions(draft, module)]
    for index, word in enumerate(access.can):
        if complaint := _wrong_action(draft, module, word, known):
            draft.error(file, (*path, "can", index), complaint)
    check_condition(draft, file, (*path, "where"), module.name)
    check_values(draft, file, (*path, "set"), module.name, access.set)
    if module.lifecycle is not None and module.lifecycle.field in access.set:
        draft.error(file, (*path, "set", module.lifecycle.field), "only transitions change it", key=True)
    check_layouts(draft, file, path, module, access)


def _broken_transitions(draft: Draft, module: Module) -> Iterator[str]:
    """Names of transitions that were left out because of a mistake told elsewhere."""
    lifecycle = draft.documents[MODULES].data["modules"][module.name].get("lifecycle")
    transitions = lifecycle.get("transitions") if isinstance(lifecycle, Mapping) else None
    yield from transitions if isinstance(transitions, Mapping) else ()


def _wrong_action(draft: Draft, module: Module, word: str, known: list[str]) -> str | None:
    if word not in known:
        return f'"{word}" is no action and no transition of {module.name}{suggest(word, known)}'
    if word == "grant" and module.name != draft.people:
        return "grant gives portal access: it belongs to the module of people"
    if word == "comment" and not module.comments:
        return f"{module.name} takes no comments: the module says comments: true"
    if word == "attach" and not module.attachments:
        return f"{module.name} takes no attachments: the module says attachments: true"
    return None


def _check_panels(draft: Draft, file: str, profile: Profile) -> None:
    for index, panel in enumerate(profile.home.panels):
        path = ("home", "panels", index)
        if panel == "activity":
            continue
        if not isinstance(panel, Mapping) or set(panel) != {"chart", "by"}:
            wrong = suggest(panel, ["activity"]) if isinstance(panel, str) else ""
            draft.error(file, path, f"activity or {{chart: MODULE, by: FIELD}} is wanted{wrong}")
            continue
        module, by = str(panel["chart"]), str(panel["by"])
        if module not in draft.modules:
            if not draft.doubtful(module):
                draft.error(file, (*path, "chart"), draft.no_module(module))
        elif draft.field(module, by) is None and not draft.doubtful(module, by):
            draft.error(file, (*path, "by"), draft.no_field(module, by))


def _check_expectations(draft: Draft, file: str, profile: Profile) -> None:
    for index, each in enumerate(profile.expect):
        path = ("expect", index)
        if each.module not in draft.modules and not draft.doubtful(each.module):
            draft.error(file, (*path, "module"), draft.no_module(each.module))
        if "@" not in each.as_:
            draft.error(file, (*path, "as"), "the e-mail address of an account is wanted")
        if not each.sees and not each.hides:
            draft.error(file, path, "sees: or hides: is missing")


# -- what only the merged whole shows ------------------------------------------------------------------------------


def check_resolved(draft: Draft, declaration: Declaration) -> None:
    """Every profile as it will be; what an extended profile was told of is not told again."""
    told: dict[str, set[tuple[Path, str]]] = {}
    for profile in sorted(declaration.profiles.values(), key=lambda each: len(ancestry(draft, each.name))):
        line = ancestry(draft, profile.name)[:-1]
        first = draft.profiles[(*line, profile.name)[0]]
        if first.extends is not None and first.extends not in line:
            continue  # what it extends could not be read, or is not there: told at that place
        above = set().union(*(told.get(each, set()) for each in line))
        found = list(_mistakes(draft, profile))
        told[profile.name] = above | set(found)
        for path, message in found:
            if (path, message) not in above:
                draft.error(profile_file(profile.name), path, message)
        check_home(draft, profile, declaration)
        if not profile.modules and not draft.broken:
            draft.warn(
                profile_file(profile.name),
                ("modules",),
                "this profile has no module, so its people see nothing",
                key=True,
            )


def _mistakes(draft: Draft, profile: Profile) -> Iterator[tuple[Path, str]]:
    for name, access in profile.modules.items():
        path, module = ("modules", name), draft.modules[name]
        declared = draft.declared[name]
        if not _says_see(draft, profile.name, name) and scope_is_unsaid(draft, declared) and not draft.doubtful(name):
            yield path, "see is missing: own, organization, all or {through: FIELD}"
        yield from _through(draft, profile, path, access)
        yield from _unreachable(draft, profile, path, module, access)
        if "create" in access.can:
            yield from _never_filled(draft, path, module, access)


def _says_see(draft: Draft, profile: str, module: str) -> bool:
    """Whether the profile, or one that it extends, says under see whose records are meant."""
    accesses = (draft.profiles[name].modules.get(module) for name in ancestry(draft, profile))
    return any(access is not None and access.see is not None for access in accesses)


def _through(draft: Draft, profile: Profile, path: Path, access: Access) -> Iterator[tuple[Path, str]]:
    """A scope through a link needs the other module, and an end."""
    line = [access.module]
    here: Access | None = access
    while here is not None and isinstance(here.see, Through):
        targets = leads_to(draft.field(here.module, here.see.through))
        if len(targets) != 1:
            return  # told at the scope itself
        target = targets[0]
        if target not in profile.modules:
            if here is access and not draft.doubtful(target):
                yield (
                    (*path, "see"),
                    f'it is seen through {here.see.through}, but this profile has no module "{target}"',
                )
            return
        if target in line:
            # Told once, at the first of the circle's modules.
            if target == access.module == min(line, key=list(profile.modules).index):
                yield (*path, "see"), f"scopes go through each other in a circle: {' → '.join([*line, target])}"
            return
        line.append(target)
        here = profile.modules[target]


def _unreachable(
    draft: Draft, profile: Profile, path: Path, module: Module, access: Access
) -> Iterator[tuple[Path, str]]:
    """Links in the forms that this profile uses, to modules that it does not have."""
    for form in ("create", "edit"):
        if form not in access.can:
            continue
        for name in form_fields(getattr(access, form)):
            targets = leads_to(module.fields.get(name))
            existing = [each for each in targets if each in draft.modules and not draft.doubtful(each)]
            if existing and not any(each in profile.modules for each in targets):
                missing = f'this profile has no module "{existing[0]}"'
                yield (*path, form), f"the {form} form asks for {name}, but {missing}"


def _never_filled(draft: Draft, path: Path, module: Module, access: Access) -> Iterator[tuple[Path, str]]:
    """Required fields that nobody could fill in while creating."""
    shown = set(form_fields(access.create))
    moved = module.lifecycle.field if module.lifecycle else None
    for name, field in module.fields.items():
        if not field.required or name in shown or name in access.set or name == moved:
            continue
        if field.default is not None or field.computed or not field.stored:
            continue
        if field.show_when is not None and not _may_show(module, access, shown, field.show_when):
            continue
        yield (*path, "create"), f"{name} is required, but the create form does not show it and it has no default"


def _may_show(module: Module, access: Access, shown: set[str], condition: Any) -> bool:
    """Whether a field's show_when could hold: one of the fields that it asks about gets a value."""
    asked = {test.path[0] for test in comparisons(condition)}
    return any(name in shown or name in access.set or module.everything[name].default is not None
               for name in asked if name in module.everything)  # fmt: skip
