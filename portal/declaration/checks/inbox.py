"""Checks `inbox:`: the module in which mail creates records, and the fields for its subject and text."""

from portal.declaration.declaration_draft import MODULES, DeclarationDraft
from portal.declaration.resolve import mail_text_field
from portal.declaration.shapes import Module
from portal.declaration.source.cursor import Cursor
from portal.declaration.unknown_names import no_field


def check_inbox(draft: DeclarationDraft) -> None:
    """Checks that every name in `inbox:` exists and can hold its value."""
    inbox = draft.inbox
    if inbox is None and draft.settings.letters.reply_above is not None:
        draft.at(MODULES, "portal", "letters", "reply_above").key.warn(
            "has no effect: without inbox: nobody can answer"
        )
    if inbox is None or draft.is_broken(inbox.creates):
        return
    at = draft.at(MODULES, "inbox")
    module = draft.modules.get(inbox.creates)
    if module is None:
        at["creates"].wrong(draft.no_module(inbox.creates))
        return
    _check_field(draft, module, inbox.title, at["title"], may_be_long=False)
    _check_field(draft, module, inbox.text, at["text"], may_be_long=True)
    if inbox.text is not None and inbox.text == inbox.title:
        at["text"].warn(f'the subject is lost: "{inbox.text}" takes the text of the message too')
    if inbox.text is None and not module.comments and not mail_text_field(module):
        at.key.warn(f"the text of a message is lost: {module.name} has neither a long text nor comments; add text:")
    if draft.people is None:
        at.key.warn("no sender is known: there is no module of people")
    elif module.owner is None:
        at["creates"].warn(f"senders cannot see what becomes of their message: {module.name} has no owner")


def _check_field(draft: DeclarationDraft, module: Module, name: str | None, at: Cursor, *, may_be_long: bool) -> None:
    if name is None or draft.is_broken(module.name, name):
        return
    field = module.fields.get(name)
    if field is None:
        at.wrong(no_field(module.name, name, module.fields, f" in {module.name}"))
    elif not field.verbatim or (field.long and not may_be_long):
        types = "longtext or markdown or text" if may_be_long else "text"
        at.wrong(f'"{name}" is of the type {field.type}: use a field of the type {types}')
    elif field.internal:
        at.warn(f'"{name}" is internal: senders cannot read their own message')
