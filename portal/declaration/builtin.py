"""The fields that every record has without declaring them. They are never typed; layouts and conditions use them."""

from typing import Any

import sqlalchemy as sa

from portal.fields.base import Field
from portal.fields.text import TextLike
from portal.texts import TranslatedText, _

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


class ReferenceField(TextLike):
    """The reference: filtered as text, sorted by the record's number (TT9 before TT10)."""

    def order(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """Only by the number."""
        return table.c["number"]


def builtin_fields(people: str | None) -> dict[str, Field]:
    """The built-in fields. `created_by` and `modified_by` are links if the portal has a module of people."""
    person: dict[str, Any] = {"type": "link", "to": people} if people else {"type": "text"}
    channels = {name: {"label": TranslatedText(text)} for name, text in CHANNELS.items()}
    entries: dict[str, dict[str, Any]] = {
        "id": {"type": "integer"},
        "number": {"type": "integer"},
        "reference": {"type": "reference"},
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
    types: dict[str, type[Field]] = {**Field.types, "reference": ReferenceField}
    return types[entry["type"]].model_validate(
        {"name": name, "label": TranslatedText(LABELS[name]), "read_only": True, "search": False, **entry}
    )
