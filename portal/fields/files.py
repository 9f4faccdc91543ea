"""`files`: several stored files in one field; pictures, if it only accepts pictures.

The record's row has their names twice, as they are and folded, and their ids and sizes.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field as Key

from portal.fields.column_types import folded_text
from portal.fields.file import FileField, FileValue, token_input
from portal.fields.image import PICTURES
from portal.fields.protocols import Form
from portal.fields.reader import Reader
from portal.fields.refused import Refused
from portal.fields.several_values import holds_value, join_values, pack_values, unpack_values
from portal.texts import _, fold, ngettext

MOST = 100  # files of one form, as many as may be pending


class Files(FileField):
    """Several stored files."""

    type: Literal["files"]
    display: ClassVar[str] = "files"
    multiple: ClassVar[bool] = True

    max_count: int = Key(20, ge=1, le=MOST)

    @property
    def most(self) -> int:
        return self.max_count

    @property
    def needs_preview(self) -> bool:
        """Whether only pictures are accepted."""
        return bool(self.types_) and set(self.types_) <= {"image/*", *PICTURES}

    def files_in(self, value: Any) -> tuple[FileValue, ...]:
        return tuple(value or ())

    def of_files(self, files: Sequence[FileValue]) -> tuple[FileValue, ...]:
        """The files, without duplicates."""
        value = tuple(dict.fromkeys(files))
        if len(value) > self.max_count:
            raise Refused(ngettext("Choose at most ${number} file.", "Choose at most ${number} files.", self.max_count))
        return value

    # -- the database ---------------------------------------------------------------------------------------------

    def columns(self) -> list[sa.Column[Any]]:
        """The names packed, as they are and folded, and the ids and sizes."""
        names = sa.Column(self.name, sa.Text()), sa.Column(self.folded, folded_text())
        return [*names, sa.Column(self.id_column, sa.Text())]

    def store(self, value: Any) -> dict[str, Any]:
        """Names, ids and sizes; uploaded files that are not saved yet have no ids."""
        names = [file.name for file in value or ()]
        stored = [[file.id, file.size] for file in value or ()]
        return {
            self.name: pack_values(names),
            self.folded: pack_values(map(fold, names)),
            self.id_column: json.dumps(stored) if stored else None,
        }

    def load(self, row: Mapping[str, Any]) -> tuple[FileValue, ...]:
        """The record's files, which also know their record."""
        names, stored = unpack_values(row[self.name]), json.loads(row[self.id_column] or "[]")
        whose: dict[str, Any] = {"module": self._module, "record": row.get("id", 0)}
        files = zip(names, stored, strict=True)
        return tuple(FileValue(file_id, name=name, size=size, **whose) for name, (file_id, size) in files)

    # -- input and output -----------------------------------------------------------------------------------------

    def parse_form_over(self, form: Form, reader: Reader, present: Any) -> tuple[FileValue, ...]:
        """The files that the form has, except files of the record that someone has removed since."""
        there = {file.token for file in present or ()}
        tokens = [token for token in self.file_tokens(form) if token in there or not token.isdigit()]
        return self.of_files([self._file_called(token, present) for token in tokens])

    def inputs(self, value: Any, reader: Reader) -> dict[str, str | list[str]]:
        """The tokens of the form's files under NAME.kept."""
        return {token_input(self.name): [file.token for file in value or ()]}

    def show(self, value: Any, reader: Reader) -> str:
        return reader.listed(file.name for file in value or ())

    def write(self, value: Any) -> str:
        """The names, separated by commas."""
        return join_values(file.name for file in value or ())

    def to_json(self, value: Any) -> list[dict[str, Any]]:
        return [FileField.to_json(self, file) for file in value or ()]

    def json_inputs(self, given: Any, present: Any, reader: Reader) -> dict[str, str | list[str]]:
        """From the record's files that stay; others are uploaded as files."""
        there = self.to_json(present)
        if given is not None and not (isinstance(given, list) and all(file in there for file in given)):
            raise Refused(_("This needs a file, not text."))
        ids = [file["id"] for file in given or ()]
        return self.inputs(tuple(file for file in present or () if file.id in ids), reader)

    def json_schema(self, *, written: bool) -> dict[str, Any]:
        return {"type": "array", "items": {**super().json_schema(written=written), "type": "object"}}

    def default_value(self, raw: Any, reader: Reader) -> Any:
        return super().default_value(raw, reader) or ()

    def from_history(self, recorded: Any) -> tuple[FileValue, ...]:
        """Nothing: the names of files disappear with the files."""
        return ()

    # -- comparing ------------------------------------------------------------------------------------------------

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """`equal` means having a file with this name."""
        if operator == "equal":
            return holds_value(table.c[self.name], value)
        if operator == "contains":  # in JSON notation, so that quotes in a name are found
            return table.c[self.folded].contains((pack_values([fold(value)]) or "")[2:-2], autoescape=True)
        return super().compare(table, operator, value)

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        if operator == "empty":
            return (not value) is constant
        return any(FileField.matches(self, file, operator, constant) for file in value or ())

    def texts(self, value: Any) -> Iterable[str]:
        return [file.name for file in value or ()]
