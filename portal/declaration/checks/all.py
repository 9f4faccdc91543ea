"""Runs the checks in order: first those of the files themselves, then those of the resolved whole.

Called by load. The checks add problems to the draft; only `check_settings` also changes it.
"""

from portal.declaration.checks.appearance import check_appearance
from portal.declaration.checks.buttons import check_buttons
from portal.declaration.checks.deadlines import check_hours
from portal.declaration.checks.existing_tables import check_existing, check_roles
from portal.declaration.checks.fields import check_columns, check_fields
from portal.declaration.checks.form_dependencies import check_form_dependencies
from portal.declaration.checks.inbox import check_inbox
from portal.declaration.checks.joined_conditions import check_joined_conditions
from portal.declaration.checks.layouts import check_layouts
from portal.declaration.checks.modules import check_module
from portal.declaration.checks.profiles import check_profile, check_resolved_profiles
from portal.declaration.checks.reachability import check_reachability
from portal.declaration.checks.repeated_names import check_repeated_names
from portal.declaration.checks.sign_up import check_sign_up
from portal.declaration.checks.unintended_access import check_unintended_access
from portal.declaration.checks.unnoticed_comments import check_unnoticed_comments
from portal.declaration.checks.unused_rights import check_unused_rights
from portal.declaration.checks.webhooks import check_webhooks
from portal.declaration.declaration import Declaration, fields_with_rows
from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.declared_files import profile_file


def check_what_is_written(draft: DeclarationDraft) -> None:
    """Checks modules and profiles as the files have them, before anything is resolved."""
    for module in draft.modules.values():
        check_fields(draft, module, draft.at_module(module.name)["fields"])
    for module, field in fields_with_rows(draft.modules.values()):
        at = draft.at_module(module.name)["fields"][field.name]
        check_columns(draft, module, field, at)
    own_tables = {name for name, module in draft.modules.items() if module.table is None}
    for module in draft.modules.values():
        at = draft.at_module(module.name)
        check_module(draft, module, at)
        check_layouts(draft, module, module, at)
        check_existing(module, own_tables, at)
    for profile in draft.profiles.values():
        check_profile(draft, profile, draft.at(profile_file(profile.name)))
    check_inbox(draft)
    check_hours(draft)
    check_roles(draft)
    check_appearance(draft)
    check_repeated_names(draft)


def check_what_results(draft: DeclarationDraft, declaration: Declaration) -> None:
    """Checks the resolved declaration: buttons, profiles, sign-up, webhooks and what customers get."""
    check_buttons(draft, declaration)
    check_resolved_profiles(draft, declaration)
    check_sign_up(draft, declaration)
    check_webhooks(draft, declaration)
    check_unintended_access(draft, declaration)
    check_unnoticed_comments(draft, declaration)
    check_joined_conditions(draft, declaration)
    check_reachability(draft, declaration)
    check_unused_rights(draft, declaration)
    check_form_dependencies(draft, declaration)
