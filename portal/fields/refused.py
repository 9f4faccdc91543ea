"""Refused: input that a field does not accept, and the checks of texts that every type shares."""

import re

from portal.texts import _, is_blank, trimmed

# Characters that no text may hold: PostgreSQL refuses NUL, every encoder refuses lone surrogates.
FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


class Refused(ValueError):
    """The input is not accepted; `message` is one sentence for the person who typed it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def storable(text: str) -> str:
    """`text` itself. Raises Refused for characters that no database and no page can hold."""
    if FORBIDDEN.search(text):
        raise Refused(_("This text contains a character that cannot be saved."))
    return text


def filled(text: str) -> str:
    """`text` as `trimmed` leaves it; "" where nothing of it can be seen. Raises Refused, as `storable` does."""
    return "" if is_blank(storable(text)) else trimmed(text)


def operator_refused(operator: str) -> Refused:
    """The refusal of a comparison that the type of a field does not have."""
    return Refused(_("“${operator}” does not apply to this field.", mapping={"operator": operator}))
