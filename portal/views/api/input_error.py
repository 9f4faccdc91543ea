"""InputError: a program's input cannot be accepted."""

from collections.abc import Mapping

from portal.texts import _

WRONG_FIELDS = _("Nothing was saved: some values are not valid.")
UNKNOWN = _("This cannot be set here.")

UNEXPECTED = _("This is not in the expected format.")


class InputError(Exception):
    """Why a request is refused with `status`: a sentence, and one per field, by name."""

    def __init__(self, fields: Mapping[str, str], message: str = WRONG_FIELDS, status: int = 422) -> None:
        super().__init__(message)
        self.fields, self.message, self.status = fields, message, status
