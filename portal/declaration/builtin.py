"""The fields that every record has without declaring them. They are never typed; layouts and conditions use them."""

from typing import Any

from portal.fields.base import Field
from portal.texts import Text, _, translate

CHANNELS = {"portal": _("Portal"), "mail": _("Email"), "api": _("API"), "import": _("Import")}
LABELS = {
    "id": _("ID"),
    "number": _("Number"),
    "reference": _("Reference"),
    "created": _("Created"),
    "created_by": _("Created by"),
    "modified": _("Last updated"),
    "modified_by": _("Updated by"),
    "channel": _("Channel"),
    "comments": _("Comments"),
    "attachments": _("Attachments"),
}


class Sentence(Text):
    """A sentence of the interface in the place of a declared text: translated by the catalogues when it is shown."""

    __slots__ = ()

    def __call__(self, language: str, default: str | None = None) -> str:
        return translate(self.plain, language)


def builtin_fields(people: str | None) -> dict[str, Field]:
    """The built-in fields. `created_by` and `modified_by` are links where the portal has a module of people."""
    person: dict[str, Any] = {"type": "link", "to": people} if people else {"type": "text"}
    channels = {name: {"label": Sentence(text)} for name, text in CHANNELS.items()}
    entries: dict[str, dict[str, Any]] = {
        "id": {"type": "integer"},
        "number": {"type": "integer"},
        "reference": {"type": "text"},
        "created": {"type": "datetime"},
        "created_by": person,
        "modified": {"type": "datetime"},
        "modified_by": person,
        "channel": {"type": "choice", "options": channels},
        "comments": {"type": "integer"},
        "attachments": {"type": "integer"},
    }
    return {name: _field(name, entry) for name, entry in entries.items()}


def _field(name: str, entry: dict[str, Any]) -> Field:
    return Field.types[entry["type"]].model_validate(
        {"name": name, "label": Sentence(LABELS[name]), "read_only": True, "search": False, **entry}
    )
