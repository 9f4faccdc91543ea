"""Refused: input that a field does not accept; and functions with which all types check and read texts."""

import re
from decimal import Decimal
from typing import Any

from portal.texts import _, is_blank, trimmed

# Characters that no text may contain: PostgreSQL refuses NUL, every encoder refuses lone surrogates.
FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


class Refused(ValueError):
    """The input is not accepted; `message` is one sentence for the person who typed it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def storable(text: str) -> str:
    """A typed `text`, unchanged. Raises Refused for characters that databases or pages cannot hold."""
    if FORBIDDEN.search(text):
        raise Refused(_("This text contains a character that cannot be saved."))
    return text


def filled(text: str) -> str:
    """`text` after `trimmed`; "" if nothing in it is visible. Raises Refused like `storable`."""
    return "" if is_blank(storable(text)) else trimmed(text)


def declared_text(raw: Any) -> str:
    """A declared value, such as a default, as text; true and false as YAML writes them."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw)


def json_text(given: Any) -> str:
    """A text or number in JSON, as the text of an input; "" for null. Raises Refused for anything else."""
    if given is None:
        return ""
    if isinstance(given, bool) or not isinstance(given, str | int | Decimal):
        raise Refused(_("This is not in the expected format."))
    return str(given)


def json_texts(given: Any) -> list[str]:
    """The texts of a list in JSON; none for null. Raises Refused for anything else."""
    if given is not None and not isinstance(given, list):
        raise Refused(_("This is not in the expected format."))
    return [json_text(item) for item in given or ()]


def operator_refused(operator: str) -> Refused:
    """The refusal of a comparison that a field's type does not support."""
    return Refused(_("“${operator}” does not apply to this field.", mapping={"operator": operator}))
