"""The fields that every record has undeclared. Nobody types them; layouts, sorts and conditions use them."""

from collections.abc import Mapping
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
    """A text of the interface where a declared one may stand: translated by the catalogues when it is shown."""

    __slots__ = ()

    def __call__(self, language: str, default: str | None = None) -> str:
        return translate(self.plain, language)


def builtin_fields(people: str | None) -> dict[str, Field]:
    """The built-in fields; who made and changed a record is a link where the portal has a module of people."""
    person = {"type": "link", "to": people} if people else {"type": "text"}
    return {
        name: _field(name, **entry)
        for name, entry in {
            "id": {"type": "integer"},
            "number": {"type": "integer"},
            "reference": {"type": "text"},
            "created": {"type": "datetime"},
            "created_by": person,
            "modified": {"type": "datetime"},
            "modified_by": person,
            "channel": {
                "type": "choice",
                "options": {name: {"label": Sentence(text)} for name, text in CHANNELS.items()},
            },
            "comments": {"type": "integer"},
            "attachments": {"type": "integer"},
        }.items()
    }


def _field(name: str, **entry: Any) -> Field:
    keys: Mapping[str, Any] = {
        "name": name,
        "label": Sentence(LABELS[name]),
        "read_only": True,
        "search": False,
        **entry,
    }
    return Field.types[entry["type"]].model_validate(keys)
