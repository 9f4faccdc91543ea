"""`file`: one stored file. Also the base of image and files.

The bytes are in the store, and the file has a row of its own (`portal_file`). The record's row has the file's id, name
and size, so that lists can show it without another query.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as data_field
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field as Key
from pydantic import PrivateAttr

from portal.conditions import is_nothing
from portal.fields.base import Field
from portal.fields.base_shape import FileTypes, Size
from portal.fields.file_types import may_be_picture
from portal.fields.protocols import Declared, Form
from portal.fields.reader import Reader
from portal.fields.refused import Refused
from portal.fields.text import TextLike
from portal.texts import _, fold

DEFAULT_SIZE = 25_000_000  # bytes
# The value of an input: the id of the record's file, or the key of an uploaded file that no record has yet.
TOKEN = re.compile(r"[1-9][0-9]{0,17}|[A-Za-z0-9_-]{22}")


@dataclass(frozen=True)
class FileValue:
    """A file by its `id`, or by its `key` if uploaded but not saved yet; `size` in bytes. Equal if the same file."""

    id: int = 0
    key: str = ""
    name: str = data_field(default="", compare=False)
    size: int = data_field(default=0, compare=False)
    module: str = data_field(default="", compare=False)  # with `record`: the record that it belongs to
    record: int = data_field(default=0, compare=False)

    def __str__(self) -> str:
        return self.name

    @property
    def token(self) -> str:
        """The value of an input that means this file."""
        return str(self.id) if self.id else self.key


def token_input(name: str) -> str:
    """The hidden input of a file field NAME, with the tokens of the files that its form already has."""
    return f"{name}.kept"


class FileField(TextLike):
    """What all file fields share. Sorted and filtered by the name of the file."""

    from_column: ClassVar[bool] = False
    by_upload: ClassVar[bool] = True
    textual: ClassVar[bool] = False
    can_be_unique: ClassVar[bool] = False
    can_be_column: ClassVar[bool] = False
    widget: ClassVar[str] = "file"
    type: str

    max_size: Size = DEFAULT_SIZE
    types_: FileTypes = Key((), alias="types")

    _module: str = PrivateAttr("")

    def bind(self, declaration: Declared, module: Any) -> None:
        """Remembers the module, for the addresses of files."""
        self._module = module.name

    @property
    def id_column(self) -> str:
        """The column with the id of the file's row."""
        return f"_{self.name}_file"

    @property
    def size_column(self) -> str:
        return f"_{self.name}_size"

    @property
    def accepted(self) -> tuple[str, ...]:
        """The accepted media types; none for all."""
        return self.types_

    def shows_picture(self, file: FileValue) -> bool:
        """Whether a file is shown as a picture: not one that it has from a time when others were accepted."""
        return self.needs_preview and may_be_picture(file.name)

    @property
    def most(self) -> int:
        """How many files it holds at most."""
        return 1

    def files_in(self, value: Any) -> tuple[FileValue, ...]:
        return (value,) if value else ()

    def of_files(self, files: Sequence[FileValue]) -> Any:
        return files[-1] if files else None

    def takes(self, other: Field) -> bool:
        """Nothing: the bytes of a file cannot come from another field."""
        return False

    def columns(self) -> list[sa.Column[Any]]:
        """The name, and the id and size of the row in `portal_file`."""
        numbers = (sa.Column(name, sa.BigInteger()) for name in (self.id_column, self.size_column))
        return [*super().columns(), *numbers]

    def store(self, value: Any) -> dict[str, Any]:
        """Name, id and size; an uploaded file that is not saved yet has no id."""
        file = value or FileValue()
        return {
            self.name: file.name or None,
            self.folded: fold(file.name) if file.name else None,
            self.id_column: file.id or None,
            self.size_column: file.size if file.id else None,
        }

    def load(self, row: Mapping[str, Any]) -> Any:
        """The record's file, which also knows its record."""
        file_id = row[self.id_column]
        if not file_id:
            return None
        size = row[self.size_column] or 0
        return FileValue(file_id, name=row[self.name], size=size, module=self._module, record=row.get("id", 0))

    def parse(self, text: str, reader: Reader) -> None:
        """Raises Refused for any text: a file cannot be typed."""
        if text.strip():
            raise Refused(_("This needs a file, not text."))

    def parse_form(self, form: Form, reader: Reader) -> Any:
        """The files that the form of a new record has."""
        return self.parse_form_over(form, reader, None)

    def parse_form_over(self, form: Form, reader: Reader, present: Any) -> Any:
        """The files that the form has: of the record, or uploaded; the caller finds out who uploaded these."""
        tokens = self.file_tokens(form)
        return self.of_files([self._file_called(token, present) for token in tokens[-1:]])

    def file_tokens(self, form: Form) -> list[str]:
        """The tokens in the form under NAME.kept."""
        texts = (text for text in form.getall(token_input(self.name)) if isinstance(text, str) and text)
        return list(dict.fromkeys(texts))

    def _file_called(self, token: str, present: Any) -> FileValue:
        """A file of the record, or an uploaded one. Raises Refused for anything else."""
        for file in self.files_in(present):
            if token == file.token:
                return file
        if not TOKEN.fullmatch(token) or token.isdigit():
            raise Refused(_("Choose the file again."))
        return FileValue(key=token)

    def to_history(self, value: Any) -> None:
        """Nothing: the name of a file disappears with the file."""
        return None

    def inputs(self, value: Any, reader: Reader) -> dict[str, str | list[str]]:
        """The token of the form's file under NAME.kept: browsers accept no value for a file input."""
        return {token_input(self.name): value.token if value else ""}

    def to_json(self, value: Any) -> Any:
        """What the record knows about the file, whose bytes have an address of their own."""
        return {"id": value.id, "name": value.name, "size": value.size} if value else None

    def json_inputs(self, given: Any, present: Any, reader: Reader) -> dict[str, str | list[str]]:
        """From null, which removes the file, or from the record's present file: others are uploaded as files."""
        if given is not None and (present is None or given != self.to_json(present)):
            raise Refused(_("This needs a file, not text."))
        return self.inputs(present if given else None, reader)

    def json_schema(self, *, written: bool) -> dict[str, Any]:
        parts = {"id": {"type": "integer"}, "name": {"type": "string"}, "size": {"type": "integer"}}
        return {"type": ["object", "null"], "properties": parts}

    def has_input(self, form: Form) -> bool:
        return self.name in form or token_input(self.name) in form

    def default_value(self, raw: Any, reader: Reader) -> Any:
        """Raises Refused for anything declared."""
        if is_nothing(raw):
            return None
        raise Refused(_("This needs a file, not text."))

    def near(self, constant: Any) -> tuple[Any, ...]:
        """None: a name alone is not a file."""
        return ()

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        """By the name of the file."""
        if operator == "empty":  # the name of a file that was just uploaded is not known yet
            return (value is None) is constant
        return super().matches(value and value.name, operator, constant)

    def from_history(self, recorded: Any) -> Any:
        """Only the name: the file may be gone."""
        return FileValue(name=recorded) if recorded else None

    def show(self, value: Any, reader: Reader) -> str:
        return value.name if value else ""

    def texts(self, value: Any) -> Iterable[str]:
        return (value.name,) if value else ()


class File(FileField):
    """One stored file."""

    type: Literal["file"]
    display: ClassVar[str] = "file"
