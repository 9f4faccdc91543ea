"""What a form holds: the texts of its inputs, the values that were read from them, and what is wrong."""

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
    """A form's content: its inputs as they were sent, the values that were read from them, and what is wrong."""

    records: Records
    inputs: Mapping[str, Any]
    values: Mapping[str, Any]
    errors: Mapping[str, str] = field(default_factory=dict)
    find_texts: Mapping[str, str] = field(default_factory=dict)  # without JavaScript: what to find, per link field
    stored: Mapping[str, Any] = field(default_factory=dict)  # what the record holds: a link may stay, offered or not
    held: tuple[PendingFile, ...] = ()  # attachments that were sent before
    largest_file: int = 0  # bytes of the largest that one request can bring
    prefix: str = ""  # before the names of the inputs of a row: “lines.0.”
    row_offers: dict[Any, list[tuple[int, str]]] = field(default_factory=dict)  # what links of other rows offer

    def one(self, name: str) -> str:
        """The text of an input."""
        value = self.inputs.get(self.prefix + name, "")
        return value if isinstance(value, str) else next(iter(value), "")

    def many(self, name: str) -> list[str]:
        """The texts of all inputs of this name."""
        value = self.inputs.get(self.prefix + name, [])
        return [value] if isinstance(value, str) else list(value)

    def stored_options(self, field: Field) -> list[str]:
        """The names of the options that the record holds in a field."""
        names = field.inputs(self.stored.get(field.name), self.records.policy.reader)[field.name]
        return [names] if isinstance(names, str) else names


def inputs_of(fields: list[Field], values: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    """The texts of the inputs of `fields` that hold `values`, as widgets are drawn with."""
    return {name: value for field in fields for name, value in field.inputs(values.get(field.name), reader).items()}


def posted_inputs(fields: list[Field], form: Form) -> dict[str, Any]:
    """The inputs of `fields` as they were posted, for showing them again unchanged; a file is no text."""
    names = [name for field in fields for name in field.input_names(form)]
    return {name: [text for text in form.getall(name) if isinstance(text, str)] for name in names}
