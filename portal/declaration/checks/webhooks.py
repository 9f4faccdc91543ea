"""Checks `webhooks:`: that addresses can be notified, events can happen, and profiles may read what is sent.

A webhook has no person: it never sees what its profile lets people see as their own, or as their company's.
"""

import ipaddress
import re
from urllib.parse import urlsplit

from portal.conditions import ALWAYS, comparisons
from portal.declaration.declaration import Declaration
from portal.declaration.declaration_draft import MODULES, DeclarationDraft
from portal.declaration.shapes import EVENTS, Access, Module, Profile
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.suggestions import suggest
from portal.declaration.unknown_names import no_part

LOOPBACK = ("localhost", "127.0.0.1", "::1")
# A name whose last part is a number would be taken as an IPv4 address.
HOST_NAME = re.compile(r"(?!.*\.\d+\.?$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.(?!$)|\.?$)){1,127}")
# Names of events in other systems.
SYNONYMS = {
    "create": "created", "new": "created", "changed": "edited", "updated": "edited", "modified": "edited",
    "transitioned": "moved", "removed": "deleted", "comment": "commented", "file": "attached", "uploaded": "attached",
}  # fmt: skip
NEEDED = {"commented": "comments", "attached": "attachments", "moved": "lifecycle"}  # of the module


def check_webhooks(draft: DeclarationDraft, declaration: Declaration) -> None:
    """Checks every webhook that could be read."""
    names: dict[tuple[str, str], str] = {}
    for name, webhook in draft.webhooks.items():
        at = draft.at(MODULES, "webhooks", name)
        if problem := _url_problem(webhook.url):
            at["url"].wrong(problem)
        profile = declaration.profiles.get(webhook.as_)
        if profile is None and webhook.as_ not in draft.broken_profiles:
            at["as"].wrong(f'no profile "{webhook.as_}"{suggest(webhook.as_, declaration.profiles)}')
        for index, event in enumerate(webhook.on):
            _check_event(draft, declaration, profile, event, at["on"].inner(index))
            other = names.setdefault((webhook.url, event), name)
            if other != name:
                at["on"].inner(index).warn(f"{webhook.url} is notified twice of {event}: {other} sends it too")
            elif event in webhook.on[:index]:
                at["on"].inner(index).warn(f'"{event}" appears twice')


def _url_problem(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # brackets without an IPv6 address, or an invalid port
        host, port, parts = None, None, urlsplit("")
    if not host or port == 0 or parts.fragment or not url.isascii() or any(letter <= " " for letter in url):
        return 'must be an address such as "https://erp.example/hook"'
    if not _is_host(host):
        return f'"{host}" is not a valid host name'
    if parts.username is not None:
        return "holds a user name or a password: leave them out, the signature proves who sends"
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        return "anyone along the way could read what is sent: write https (http is only for this machine)"
    return None


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return len(host) < 255 and HOST_NAME.fullmatch(host) is not None
    return True


def _check_event(
    draft: DeclarationDraft, declaration: Declaration, profile: Profile | None, event: str, at: Cursor
) -> None:
    module_name, dot, word = event.partition(".")
    if draft.is_broken(module_name):
        return
    module = declaration.modules.get(module_name)
    if not dot:
        example = f"{module_name if module else 'orders'}.created"
        at.wrong(f'"{event}" is not an event: write the module and what happens, such as {example}')
    elif module is None:
        at.wrong(draft.no_module(module_name))
    elif word not in EVENTS:
        guess = SYNONYMS.get(word) or word
        at.wrong(f'no event "{word}"{suggest(guess, EVENTS)}: {", ".join(EVENTS)} exist')
    elif not _may_happen(module, word):
        at.wrong(no_part(module_name, NEEDED[word]).within(f"{event} never happens: {{}}"))
    elif profile is not None and not _is_broken(draft, profile, module_name):
        if word == "moved" and module.state_field not in module.fields:
            return  # reported at the lifecycle
        _check_access(declaration, profile, module_name, word, at)


def _may_happen(module: Module, event: str) -> bool:
    needed = {"commented": module.comments, "attached": module.attachments, "moved": module.lifecycle}
    return bool(needed.get(event, True))


def _is_broken(draft: DeclarationDraft, profile: Profile, module: str) -> bool:
    return profile.name in draft.broken_profiles or (profile.name, module) in draft.broken_accesses


def _check_access(declaration: Declaration, profile: Profile, module: str, event: str, at: Cursor) -> None:
    access = profile.modules.get(module)
    if access is None:
        at.wrong(f'{profile.name} has no module "{module}", so nothing would be sent')
    elif reason := _needs_person(declaration, profile, access):
        at.wrong(
            f"nothing of {module} would be sent: {profile.name} sees {reason}; name one that sees all of them in as"
        )
    elif event == "deleted" and (access.see != "all" or access.where != ALWAYS):
        at.wrong(
            f"it is unknown whether {profile.name} saw a deleted record: name a profile that sees all {module} in as"
        )
    elif event == "moved" and declaration.modules[module].state_field not in access.readable:
        at.wrong(f"{profile.name} does not read the status of {module}: name a profile that does in as")


def _needs_person(declaration: Declaration, profile: Profile, access: Access) -> str | None:
    """The part of a webhook profile's scope that only people have, in words; None if there is none."""
    for value in ("me", "my organization"):
        if any(value in part.values for part in comparisons(access.where)):
            return f"what its where says about “{value}”"
    if access.through:
        targets = declaration.modules[access.module].field(access.through).targets
        through = [profile.modules[target] for target in targets if target in profile.modules]
        return next((reason for other in through if (reason := _needs_person(declaration, profile, other))), None)
    return {"own": "their own records", "organization": "those of their company"}.get(str(access.see))
