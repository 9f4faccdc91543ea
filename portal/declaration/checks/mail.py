"""Checks what modules say about letters and time: who is notified, in which words, what the portal does on its own."""

import re
from collections.abc import Collection
from email.errors import MessageError
from email.headerregistry import Address

from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.shapes import Mail, Module, Transition, Wording
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.suggestions import suggest
from portal.declaration.unknown_names import no_effect_without, no_part, no_state
from portal.fields.link import link_targets

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
PLACEHOLDERS = ("reference", "title", "link")
ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+")
NOT_NOTIFIED = "nobody is notified, because there is no owner, company, watcher, assigned person or desk"


def check_mail(draft: DeclarationDraft, module: Module, at: Cursor) -> None:
    """Checks `mail:` of a module."""
    mail = module.mail
    if mail.assigned is not None:
        _check_assigned(draft, module, mail.assigned, at["assigned"])
    if mail.desk is not None:
        _check_desk(draft, mail.desk, at["desk"])
    if mail.remind:
        _check_remind(draft, module, mail, at["remind"])
    if not _has_recipients(draft, module):
        _warn_of_nobody(mail, at)
    if mail.commented and not module.comments:
        at["commented"].key.warn(no_effect_without(module.name, "comments"))
    if mail.moved and module.lifecycle is None:
        at["moved"].key.warn(no_effect_without(module.name, "lifecycle"))
    for name, wording in (("created", mail.created), ("commented", mail.commented), ("moved", mail.moved)):
        if isinstance(wording, Wording):
            _check_wording(module, wording, at[name])


def takes_letters(address: str) -> bool:
    """Whether letters can be sent to and from an address: otherwise every letter would fail when it is written."""
    try:
        Address(addr_spec=address)
    except (ValueError, IndexError, MessageError):
        return False
    return ADDRESS.fullmatch(address) is not None and address.isascii()


def check_after(draft: DeclarationDraft, module: Module, transition: Transition, at: Cursor) -> None:
    """Checks `after:` of a transition: what the portal does on its own must not ask for anything."""
    name = transition.after if isinstance(transition.after, str) else ""
    field = draft.field(module.name, name) if name and not draft.is_broken(module.name, name) else None
    if field is not None and (not field.is_moment or field.virtual or name in module.builtin):
        at["after"].wrong(f'"{name}" is not a datetime of this module')
    elif name and field is None and not draft.is_broken(module.name, name):
        at["after"].wrong(draft.no_field(module.name, name))
    for name, need in transition.ask.items():
        if transition.after is not None and need == "required" and name != "comment":
            at["after"].wrong(f'the portal cannot do this on its own: "{name}" is required')


def _warn_of_nobody(mail: Mail, at: Cursor) -> None:
    for name in ("created", "commented", "moved"):
        if name in at and getattr(mail, name):
            at[name].key.warn(f"has no effect: {NOT_NOTIFIED}")


def _has_recipients(draft: DeclarationDraft, module: Module) -> bool:
    """Whether anyone could be notified by letters about a record of the module."""
    from_outside = draft.inbox is not None and draft.inbox.creates == module.name
    ways = (module.owner, module.organization, module.watchers, module.mail.assigned, module.mail.desk)
    return any(ways) or from_outside or module.name in (draft.people, draft.organizations)


def _check_assigned(draft: DeclarationDraft, module: Module, name: str, at: Cursor) -> None:
    followed = draft.follow(module.name, [name])
    if followed.problem:
        at.wrong(followed.problem)
    elif followed.last is not None and draft.people not in link_targets(followed.last) and not draft.broken_roles:
        at.wrong(f'"{name}" is not a link to the module of people, so nobody would get the email')


def _check_desk(draft: DeclarationDraft, desk: str, at: Cursor) -> None:
    if "@" in desk:
        if not takes_letters(desk):
            at.wrong('must be an email address such as "help@example.com", or the name of a profile')
    elif desk not in {*draft.profiles, *draft.broken_profiles}:
        at.wrong(f'no profile "{desk}"{suggest(desk, draft.profiles)}: name a profile or an email address')


def _check_remind(draft: DeclarationDraft, module: Module, mail: Mail, at: Cursor) -> None:
    if module.lifecycle is None:
        at.key.wrong(no_part(module.name, "lifecycle", ", and so no states to remind of"))
        return
    if module.owner is None and module.name != draft.people:
        at.key.wrong(no_part(module.name, "owner", ": nobody could be reminded"))
    field = module.fields.get(module.lifecycle.field)
    states: Collection[str] = field.declared_options if field is not None else ()
    for name in mail.remind:
        if field is not None and name not in states:
            at[name].key.wrong(no_state(module.name, name, states))


def _check_wording(module: Module, wording: Wording, at: Cursor) -> None:
    known = [*PLACEHOLDERS, *module.everything]
    for key, text in (("subject", wording.subject), ("text", wording.text)):
        for name in dict.fromkeys(name for wording in text or () for name in PLACEHOLDER.findall(wording)):
            if name not in known:
                at[key].wrong(f'nothing is called "{{{name}}}"{suggest(name, known)}')
