"""Checks `sign_up:`: people who sign up are customers, of a company that exists."""

import re
from collections.abc import Mapping

from portal.declaration.declaration import Declaration
from portal.declaration.declaration_draft import MODULES, DeclarationDraft
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.suggestions import suggest

DOMAIN = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?\.[a-z0-9-]{2,}")


def check_sign_up(draft: DeclarationDraft, declaration: Declaration) -> None:
    """Checks the profile and the domains of `sign_up:`, and whether someone can admit those who wait."""
    if draft.sign_up is None:
        return
    at = draft.at(MODULES, "sign_up")
    _check_profile(draft, declaration, draft.sign_up.profile, at["profile"])
    _check_domains(draft, draft.sign_up.domains, at["domains"])
    if draft.sign_up.approve and not (
        draft.broken_profiles or draft.broken_accesses or _is_granted(draft, declaration)
    ):
        at.key.warn(
            "nobody can approve sign-ups: no profile of staff has grant in its module of people;"
            " give it to one, or write approve: false"
        )


def _check_profile(draft: DeclarationDraft, declaration: Declaration, name: str, at: Cursor) -> None:
    profile = declaration.profiles.get(name)
    if profile is None:
        if name not in draft.broken_profiles:
            at.wrong(f'no profile "{name}"{suggest(name, declaration.profiles)}')
    elif profile.staff:
        at.wrong(f"{name} is a profile of staff: nobody becomes staff by signing up")
    elif name in declaration.settings.administrators:
        at.wrong(f"{name} is a profile of administrators: nobody becomes one by signing up")


def _check_domains(draft: DeclarationDraft, domains: Mapping[str, str] | None, at: Cursor) -> None:
    for domain in domains or {}:
        if not DOMAIN.fullmatch(domain):
            at[domain].key.wrong(f'"{domain}" is not a mail domain: write it as in acme.example, in lower case')
    if domains and draft.organizations is None and not draft.broken_roles:
        at.key.wrong("names companies, but organizations: names no module")
    if domains == {} == at.value:  # not if an invalid one was left out
        at.key.warn("names no domain, so nobody can sign up: leave it out to admit every address")


def _is_granted(draft: DeclarationDraft, declaration: Declaration) -> bool:
    """Whether any staff may give access, so that someone can admit people who sign up."""
    accesses = declaration.accesses(draft.people or "")
    return any(profile.staff and "grant" in access.can for profile, access in accesses)
