"""What `inbox:` leaves out: the fields of a module that take the subject and the text of a mail."""

from portal.declaration.beside_shapes import Inbox
from portal.declaration.shapes import Module

LONG_TEXTS = ("longtext", "markdown")


def complete_inbox(inbox: Inbox, module: Module) -> Inbox:
    """`inbox` with the title of `module` for the subject and its first long text for the text, where it names none.

    A module without a long text takes the text as a comment.
    """
    title = module.title if module.title in module.fields else None
    return inbox.model_copy(update={"title": inbox.title or title, "text": inbox.text or text_field(module)})


def text_field(module: Module) -> str | None:
    """The first long text that customers may read; None where there is none."""
    fields = module.fields.items()
    return next((name for name, field in fields if field.type in LONG_TEXTS and not field.internal), None)
