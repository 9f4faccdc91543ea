"""InputError: a program's input, or a file that it attached, cannot be accepted."""

from collections.abc import Iterable, Mapping

from portal.texts import _

WRONG_FIELDS = _("Nothing was saved: some values are not valid.")
UNKNOWN = _("This cannot be set here.")

UNEXPECTED = _("This is not in the expected format.")


class InputError(Exception):
    """Why a program's request is refused with `status`: a sentence, and one per field, by name."""

    def __init__(self, fields: Mapping[str, str], message: str = WRONG_FIELDS, status: int = 422) -> None:
        super().__init__(message)
        self.fields, self.message, self.status = fields, message, status


def refuse_files(refused: Iterable[str]) -> None:
    """Raises InputError for attachments that cannot be accepted."""
    if sentences := list(refused):
        raise InputError({"files": sentences[0]})
