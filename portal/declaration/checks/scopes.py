"""Checks `see`, which decides whose records people see, also through a link, and whether a profile must have it."""

from collections.abc import Iterator

from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.resolve import default_scope, owner_and_organization
from portal.declaration.shapes import Access, Module, Profile, Scope, scope_link
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.problems import KeyPath
from portal.declaration.unknown_names import no_access, no_part
from portal.fields.link import link_targets


def check_scope(draft: DeclarationDraft, module: Module, see: Scope, at: Cursor) -> None:
    """Checks that the records of a module can be divided as required by its `see`, or that of a profile."""
    if draft.broken_roles and scope_link(see) is None:
        return  # whom the records belong to is unknown, for a reason already reported
    if problem := _scope_problem(draft, module, see):
        at.inner("through").wrong(problem)


def _scope_problem(draft: DeclarationDraft, module: Module, see: Scope) -> str | None:
    owner, organization = owner_and_organization(draft, module)
    if see == "own" and not owner:
        consequence = ", so nobody would see a record as their own: add owner: to the module"
        return no_part(module.name, "owner", consequence)
    if see == "organization" and not organization:
        consequence = ", so nobody would see a record: add organization: to the module"
        return no_part(module.name, "organization", consequence)
    link = scope_link(see)
    if link is None or draft.is_broken(module.name, link):
        return None
    field = draft.field(module.name, link)
    if field is None:
        return draft.no_field(module.name, link)
    targets = link_targets(field)
    if not targets:
        return f'"{link}" is not a link'
    if len(targets) > 1:
        return f'"{link}" links to several modules: a scope goes through a link to one module'
    return None


def needs_scope(draft: DeclarationDraft, module: Module) -> bool:
    """Whether a profile must have `see` for this module."""
    unwritten = module.see is None and "see" not in draft.at_module(module.name)
    return unwritten and default_scope(*owner_and_organization(draft, module)) is None


def scope_through_problems(
    draft: DeclarationDraft, profile: Profile, path: KeyPath, access: Access
) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with a scope through a link: the profile needs the other module, and it must not lead back."""
    line = [access.module]
    here: Access | None = access
    while here is not None and here.through:
        targets = link_targets(draft.field(here.module, here.through))
        if len(targets) != 1:
            return  # reported at the scope itself
        target = targets[0]
        if target not in profile.modules:
            if here is access and target in draft.modules and not draft.is_broken(target):
                yield (*path, "see"), no_access(target).within(f"seen through {here.through}, but {{}}")
            return
        if target in line:
            if target == access.module == min(line, key=list(profile.modules).index):  # reported once
                yield (*path, "see"), f"scopes go through each other in a circle: {' → '.join([*line, target])}"
            return
        line.append(target)
        here = profile.modules[target]
