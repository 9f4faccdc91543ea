"""Warns about what nobody can use: layouts, values and rights of profiles, and what buttons fill in.

An extended profile may contain what only the profiles that extend it can use.
"""

from collections.abc import Collection, Iterator

from portal.declaration.checks.withheld_options import check_withheld_options, withholds
from portal.declaration.declaration import Declaration
from portal.declaration.declaration_draft import BUTTONS, DeclarationDraft
from portal.declaration.declared_files import profile_file
from portal.declaration.importable_fields import required_but_not_importable
from portal.declaration.inheritance import ancestry, is_staff
from portal.declaration.layouts import form_layout_fields
from portal.declaration.shapes import Access, Module, Profile
from portal.declaration.source.cursor import Cursor


def check_unused_rights(draft: DeclarationDraft, declaration: Declaration) -> None:
    """Checks every profile as written in its file, every button, and the desk of every module."""
    in_doubt = draft.modules_in_doubt
    for module in (module for module in declaration.modules.values() if module.name not in in_doubt):
        desk = declaration.profiles.get(module.mail.desk or "")
        if desk is not None and module.name not in desk.modules:
            at = draft.at_module(module.name)["mail"]["desk"]
            at.warn(f"the profile {desk.name} does not have this module, so its people are not notified")
        _check_unused_parts(draft, declaration, module)
    wrong = {problem.file for problem in draft.errors}  # a missing right, for example, makes a button a dead end
    for profile in (profile for profile in declaration.profiles.values() if profile_file(profile.name) not in wrong):
        for name, own_access in draft.profiles[profile.name].modules.items():
            using = [heir.modules[name] for heir in _heirs(draft, declaration, profile) if name in heir.modules]
            at = draft.at(profile_file(profile.name), "modules", name)
            if using and name not in in_doubt:
                _check_forms(name, using, at)
                _check_own_access(draft.modules[name], own_access, using, at)
        for access in (access for name, access in profile.modules.items() if name not in in_doubt):
            _check_related_columns(draft, profile, access)
            _check_access(draft, profile, access)
            _check_ownership(draft, profile, access)
    _check_buttons(draft, declaration, in_doubt)


def _check_unused_parts(draft: DeclarationDraft, declaration: Declaration, module: Module) -> None:
    """Finds comments that nobody may write, and watchers that nobody may add."""
    rights = {right for _profile, access in declaration.accesses(module.name) for right in access.can}
    asking = any("comment" in transition.ask for transition in module.transitions.values())
    by_mail = draft.inbox is not None and draft.inbox.creates == module.name
    for key, right, otherwise in (("comments", "comment", asking or by_mail), ("watchers", "watch", False)):
        if declaration.accesses(module.name) and getattr(module, key) and right not in rights and not otherwise:
            at = draft.at_module(module.name)[key]
            at.key.warn(f"nobody may {right}: no profile has {right} under can for {module.name}")


def _heirs(draft: DeclarationDraft, declaration: Declaration, profile: Profile) -> Iterator[Profile]:
    """The profile and those that extend it, one of which may use a right."""
    return (heir for heir in declaration.profiles.values() if profile.name in ancestry(draft, heir.name))


def _check_forms(module: str, using: list[Access], at: Cursor) -> None:
    """Finds forms that nobody may open, and values for records that nobody may create."""
    for key, right in (("create", "create"), ("edit", "edit"), ("set", "create")):
        if key in at and at[key].value and not any(right in access.can for access in using):
            at[key].key.warn(f"has no effect: this profile may not {right} records of {module}")


def _check_own_access(module: Module, own_access: Access, using: list[Access], at: Cursor) -> None:
    for name in form_layout_fields(own_access.create):
        if name in own_access.set:
            at["set"][name].key.warn(f'"{name}" is left out of the form: set gives it its value')
    for index, related in enumerate(own_access.detail.related or ()):
        if not any(related.module in (shown.module for shown in access.detail.related or ()) for access in using):
            at["detail"]["related"][index].warn(
                f"has no effect: this profile does not see what links here in {related.module}"
            )
    check_withheld_options(module, own_access, using, at)


def _check_access(draft: DeclarationDraft, profile: Profile, access: Access) -> None:
    """Finds rights without any use, where the profile's own file grants them."""
    module = draft.modules[access.module]
    at = draft.at(profile_file(profile.name), "modules", access.module, "can")
    own_rights = at.value if isinstance(at.value, list) else []
    for right, form in (("create", access.create), ("edit", access.edit)):
        if right in own_rights and not form_layout_fields(form) and not form.files:
            at[own_rights.index(right)].warn(f"has no effect: the {right} form has no field")
    if "export" in own_rights and not access.list.export:
        at[own_rights.index("export")].warn("has no effect: the list says export: false")
    customers = [other.name for other in draft.profiles.values() if not is_staff(draft, other.name)]
    if "grant" in own_rights and profile.staff and not access.grants and not customers:
        at[own_rights.index("grant")].warn(
            "has no effect: every profile is one of staff; name in grants whom to let in"
        )
    if "import" in own_rights and not {"create", "edit"} & set(access.can):
        at[own_rights.index("import")].warn(
            f"has no effect: an import creates or edits, and this profile may do neither with {module.name}"
        )
    elif "import" in own_rights and (needed := required_but_not_importable(module, form_layout_fields(access.create))):
        names = ", ".join(needed)
        at[own_rights.index("import")].warn(f"creates no {module.name}: they need {names}, which no file of rows has")
    for name, transition in module.transitions.items():
        hidden = [field for field in transition.ask if field in module.fields and module.fields[field].internal]
        if name in own_rights and hidden and not profile.staff:
            at[own_rights.index(name)].warn(
                f'"{hidden[0]}" is not asked for: it is internal, and this profile is not staff'
            )


def _check_related_columns(draft: DeclarationDraft, profile: Profile, access: Access) -> None:
    """Checks the columns of lists of related records, where the profile's own file names them."""
    own = draft.profiles[profile.name].modules.get(access.module)
    for index, related in enumerate(own.detail.related or () if own is not None else ()):
        linking = profile.modules.get(related.module)
        for place, name in enumerate(related.columns or () if linking is not None else ()):
            if linking is not None and name.partition(".")[0] not in linking.readable:
                at = draft.at(profile_file(profile.name), "modules", access.module, "detail", "related", index)
                at["columns"][place].warn(f'"{name}" is left out: this profile cannot read it in {related.module}')


def _check_ownership(draft: DeclarationDraft, profile: Profile, access: Access) -> None:
    """Checks that people can see the records that they create."""
    module = draft.modules[access.module]
    paths = {"own": (module.owner,), "organization": (module.owner, module.organization)}.get(str(access.see), ())
    links = [module.fields.get(path.partition(".")[0]) for path in paths if path and path != "id"]
    filled_in = (*form_layout_fields(access.create), *access.set)
    owning_links = [link for link in links if link is None or link.default is not None or link.name in filled_in]
    if "create" in access.can and links and not owning_links:
        at = draft.at(profile_file(profile.name), "modules", access.module)
        names = " or ".join(dict.fromkeys(link.name for link in links if link is not None))
        at["can"].nearest.warn(f"nobody with this profile sees the records that they create: {names} is not filled in")


def _check_buttons(draft: DeclarationDraft, declaration: Declaration, in_doubt: Collection[str]) -> None:
    """Checks that the form has inputs for what a button fills in."""
    for name, button in draft.buttons.items():
        module = (button.opens or "").partition("/")[0]
        if module in in_doubt:
            continue
        using = [
            profile.modules[module]
            for profile in declaration.profiles.values()
            if module in profile.modules and name in profile.buttons
        ]
        for field, value in button.set.items() if using else ():
            declared = draft.modules[module].fields.get(field)
            at = draft.at(BUTTONS, "buttons", name, "set", field)
            if (
                declared
                and not declared.computed
                and not any(field in form_layout_fields(access.create) for access in using)
            ):
                at.key.warn(f'has no effect: the create form of {module} does not ask for "{field}"')
            elif all(withholds(access, field, value) for access in using):
                at.warn("has no effect: no profile that has the button offers this option")
