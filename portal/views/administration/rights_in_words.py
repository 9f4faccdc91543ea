"""A profile's rights in a module, in words for administrators."""

from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Access, Module, display_name
from portal.fields.reader import Reader
from portal.texts import _

SCOPES = {"own": _("Their own"), "organization": _("Their company’s"), "all": _("All")}
ACTION_LABELS = {
    "create": _("create"),
    "edit": _("edit"),
    "delete": _("delete"),
    "comment": _("comment"),
    "attach": _("add files"),
    "watch": _("add watchers"),
    "export": _("export"),
    "import": _("import"),
    "grant": _("give access"),
}


def scope_words(declaration: Declaration, access: Access, reader: Reader) -> str:
    """Whose records of a module people with a profile see, in words for administrators."""
    if access.through:
        link = declaration.modules[access.module].field(access.through)
        words = _("Through “${link}”", mapping={"link": reader.text(link.title)})
    else:
        words = SCOPES[str(access.see or "own")]
    return reader.text(words)


def can_words(module: Module, access: Access, reader: Reader) -> str:
    """The actions that a profile allows on records, in words for administrators, transitions by their button labels."""
    transitions = module.transitions
    labels = [display_name(transitions[name]) if name in transitions else ACTION_LABELS[name] for name in access.can]
    return reader.listed(reader.text(label) for label in labels)
