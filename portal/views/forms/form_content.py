"""The content of a form: the texts of its inputs, the values read from them, and the errors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.fields.base import Field
from portal.fields.protocols import Form
from portal.fields.reader import Reader
from portal.records.reading.records import Records
from portal.records.writing.pending_files import PendingFile


@dataclass(frozen=True)
class FormContent:
    """A form's content: its inputs as sent, the values read from them, and the errors."""

    records: Records
    inputs: Mapping[str, Any]
    values: Mapping[str, Any]
    errors: Mapping[str, str] = field(default_factory=dict)
    find_texts: Mapping[str, str] = field(default_factory=dict)  # without JavaScript: the search text per link field
    stored: Mapping[str, Any] = field(default_factory=dict)  # the record's values: a link may stay, offered or not
    pending: tuple[PendingFile, ...] = ()  # attachments that were sent before
    largest_file: int = 0  # bytes of the largest file that one request can contain
    prefix: str = ""  # of the names of a row's inputs: “lines.0.”
    row_offers: dict[Any, list[tuple[int, str]]] = field(default_factory=dict)  # what links in other rows offer

    def one(self, name: str) -> str:
        """The text of an input."""
        value = self.inputs.get(self.prefix + name, "")
        return value if isinstance(value, str) else next(iter(value), "")

    def many(self, name: str) -> list[str]:
        """The texts of all inputs of this name."""
        value = self.inputs.get(self.prefix + name, [])
        return [value] if isinstance(value, str) else list(value)

    def stored_options(self, field: Field) -> list[str]:
        """The names of the options in a field of the record."""
        names = field.inputs(self.stored.get(field.name), self.records.policy.reader)[field.name]
        return [names] if isinstance(names, str) else names


def inputs_of(fields: list[Field], values: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    """The texts of a form's inputs of `fields` for `values`, for drawing widgets."""
    return {name: value for field in fields for name, value in field.inputs(values.get(field.name), reader).items()}


def posted_inputs(fields: list[Field], form: Form) -> dict[str, Any]:
    """The posted inputs of a form's `fields`, to be shown again unchanged; a file is not text."""
    names = [name for field in fields for name in field.input_names(form)]
    return {name: [text for text in form.getall(name) if isinstance(text, str)] for name in names}
