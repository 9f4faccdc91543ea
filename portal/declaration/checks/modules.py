"""Checks modules: whom a record belongs to, how it is named, and what it has. Their lifecycles: lifecycles.py."""

import re

from portal.declaration.checks.fields import check_size
from portal.declaration.checks.lifecycles import check_lifecycle
from portal.declaration.checks.mail import check_mail
from portal.declaration.checks.scopes import check_scope
from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.name_rules import wrong_name
from portal.declaration.shapes import Attachments, Module
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.problems import RelatedPlace
from portal.declaration.unknown_names import no_role
from portal.fields.link import link_targets

REFERENCE_PART = re.compile(r"\{([^{}]*)\}")
REFERENCE_KNOWN = re.compile(r"number(:0\d{1,2})?|year")


def check_module(draft: DeclarationDraft, module: Module, at: Cursor) -> None:
    """Checks everything in a module except its fields, layouts and appearance."""
    _check_singular(draft, module, at["label"])
    _check_title(draft, module, at["title"])
    _check_reference(module.reference, at["reference"])
    _check_path(draft, module, module.owner, "people", draft.people, at["owner"])
    _check_path(draft, module, module.organization, "organizations", draft.organizations, at["organization"])
    if module.see is not None:
        check_scope(draft, module, module.see, at["see"])
    if module.lifecycle is not None:
        check_lifecycle(draft, module, module.lifecycle, at["lifecycle"])
    check_mail(draft, module, at["mail"])
    if isinstance(module.attachments, Attachments):
        check_size(module.attachments.max_size, at["attachments"]["max_size"])
    if module.conversation.answers is not None:
        _check_answers(draft, module.conversation.answers, at["comments"]["answers"])
    if module.watchers and draft.people is None and not draft.broken_roles:
        at["watchers"].wrong(no_role("people", ": add people: MODULE"))
    if module.keep is not None:
        _check_keep(draft, module, at["keep"])
    if module.formerly is not None:
        _check_formerly(draft, module, module.formerly, at["formerly"])
    if module.key is not None and module.table is None:
        at["key"].key.wrong("key needs table:, the name of the existing table")


def _check_singular(draft: DeclarationDraft, module: Module, at: Cursor) -> None:
    """Checks that one record has a name of its own; only in English the portal makes it."""
    language = draft.settings.languages[0]
    if module.label is not None and module.singular is None and language.partition("-")[0] != "en":
        at.warn(f'singular is missing: one record is called "{module.label(language)}", too')


def _check_keep(draft: DeclarationDraft, module: Module, at: Cursor) -> None:
    """Checks that `keep` is not in a module over an existing table, or one that accounts depend on."""
    if module.table is not None:
        at.key.wrong(f"the rows of the existing table {module.table} are not the portal's to delete: leave keep out")
    elif module.name in (draft.people, draft.organizations):
        at.key.wrong("people and companies are not deleted automatically: use portal account erase to erase a person")
    elif module.lifecycle is not None and not module.final_states:
        at.key.warn(f"has no effect: no state of {module.name} is final, and only records in final ones are deleted")


def _check_formerly(draft: DeclarationDraft, module: Module, former_name: str, at: Cursor) -> None:
    same = next(other for other in draft.modules.values() if other.formerly == former_name)
    if former_name in draft.modules:
        at.wrong(f'"{former_name}" is still a module')
    elif problem := wrong_name(former_name):
        at.wrong(problem)
    elif same is not module:
        at.wrong(f'"{same.name}" was already "{former_name}"')


def _check_answers(draft: DeclarationDraft, name: str, at: Cursor) -> None:
    answers = draft.require_module(name, at)
    if answers is not None and answers.first_long_text is None and not draft.has_broken_field(name):
        at.wrong(f"{name} has no long text that could be put into a comment: add a field of type longtext")


def _check_title(draft: DeclarationDraft, module: Module, at: Cursor) -> None:
    if module.title is None:
        return
    title = draft.require_field(module.name, module.title, at)
    if title is None:
        return
    if title.multiple or (title.computed and not title.gives_title):
        at.wrong(f'"{module.title}" cannot be the title: choose a field that stores one value, or a formula of texts')
    elif title.internal:
        at.wrong(f'"{module.title}" is internal, and whoever sees a record or a link to it reads its title')


def _check_reference(reference: str, at: Cursor) -> None:
    parts = REFERENCE_PART.findall(reference)
    plain = REFERENCE_PART.sub("", reference)
    if not all(REFERENCE_KNOWN.fullmatch(part) for part in parts) or "{" in plain or "}" in plain:
        at.wrong("a reference is made of {number}, {number:05}, {year} and plain text")
    elif not any(part.startswith("number") for part in parts):
        at.wrong("a reference needs {number}: without it, it would not be unique")


def _check_path(
    draft: DeclarationDraft, module: Module, dotted: str | None, role: str, target: str | None, at: Cursor
) -> None:
    """Checks `owner` and `organization`: paths of links to `target`, the module of people or of organizations."""
    if dotted is None or (dotted == "id" and module.name == target):
        return
    if target is None:
        if not draft.broken_roles and not draft.broken_modules:
            at.wrong(no_role(role, f": add {role}: MODULE"))
        return
    followed = draft.follow(module.name, dotted.split("."))
    if followed.problem:
        at.wrong(followed.problem, *_only_link(draft, module, target))
    elif followed.last is not None:
        targets = link_targets(followed.last)
        if not targets:
            sentence = f'"{dotted}" is not a link, so it does not lead to {target}, the module of {role}'
            at.wrong(sentence, *_only_link(draft, module, target))
        elif targets != (target,):
            at.wrong(f'"{dotted}" links to {", ".join(targets)}, not to {target}, the module of {role}')


def _only_link(draft: DeclarationDraft, module: Module, target: str) -> tuple[RelatedPlace, ...]:
    """Where the module's only link to `target` is declared, if it has exactly one."""
    links = [name for name, field in module.fields.items() if link_targets(field) == (target,)]
    at = draft.at_module(module.name)["fields"]
    return (at[links[0]].related(f"the only link to {target} is here"),) if len(links) == 1 else ()
