"""An import in a request: the sent file, where its columns go, and its formats of numbers and dates.

The parameters are the same in the address of the page and in the form that imports: `file`, `match`, `decimal`,
`first`, and `column.N` with the field of the column N.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from pyramid.httpexceptions import HTTPNotFound, HTTPServiceUnavailable
from pyramid.request import Request

from portal.fields.base import Field
from portal.records.reading.records import Records
from portal.records.transfer.csv_columns import header_of, part_names
from portal.records.transfer.csv_reading import SAMPLED_ROWS
from portal.records.transfer.import_options import ImportOptions
from portal.records.transfer.import_rights import import_keys, import_rights, import_targets
from portal.records.transfer.importing import columns_of_file
from portal.records.transfer.limited_rows import MOST_UNPACKED, LimitedRows
from portal.records.transfer.numbers_and_dates import NUMERIC, Notation, have_decimal_comma
from portal.records.transfer.source_files import open_file
from portal.records.transfer.stored_imports import StoredImport, stored_imports
from portal.records.writing.history import SYSTEM, Author
from portal.store.store import StoreError
from portal.views.forms.uploads import CANNOT_STORE
from portal.views.parts import Pairs

COLUMN = "column."
DECIMALS, FIRST = ("", ",", "."), ("", "day", "month")


class ImportRequest:
    """An import in a request; `form`: the parameters of its address, or the sent form."""

    def __init__(self, records: Records, request: Request, form: Mapping[str, object]) -> None:
        self.records, self.request = records, request
        self.inputs = {name: value for name, value in form.items() if isinstance(value, str)}
        self.rights = import_rights(records)
        self.keys = import_keys(records)

    @cached_property
    def stored_import(self) -> StoredImport | None:
        """The file; None if the address names none. Raises HTTPNotFound for someone else's file."""
        if not self.inputs.get("file"):
            return None
        imports = stored_imports(self.records, self.request.visitor.own_account, self.inputs["file"])
        if not imports:
            raise HTTPNotFound
        return imports[0]

    @property
    def author(self) -> Author:
        """The author of the import."""
        author: Author = self.request.writer(self.records).author
        return replace(author, channel=SYSTEM.channel)

    @property
    def match(self) -> str | None:
        """The field that identifies the records to change."""
        name = self.inputs.get("match", "")
        return name if name in {field.name for field in self.keys} else None

    @property
    def notation(self) -> Notation:
        """The file's formats of numbers and dates."""
        decimal, first = self.inputs.get("decimal", ""), self.inputs.get("first", "")
        return Notation(decimal if decimal in DECIMALS else "", first if first in FIRST else "")

    def assume_notation(self, source: LimitedRows) -> None:
        """Preselects the decimal comma if nothing is chosen yet and the numbers of the first rows have one."""
        if "decimal" not in self.inputs:
            columns = columns_of_file(self.records, source.headers, self.options(source.headers)).imported
            numeric = [column.index for column in columns if column.field.inputmode in NUMERIC]
            rows = islice(source.rows(), SAMPLED_ROWS)
            if have_decimal_comma(row.cells[index] for row in rows for index in numeric if index < len(row.cells)):
                self.inputs["decimal"] = ","

    @property
    def parameters(self) -> Pairs:
        """The whole import request as hidden inputs, or as parameters of an address."""
        names = [
            name for name in self.inputs if name in ("file", "match", "decimal", "first") or name.startswith(COLUMN)
        ]
        return tuple((name, self.inputs[name]) for name in names)

    def chosen(self, headers: tuple[str, ...]) -> dict[str, str]:
        """The chosen targets of columns, a field or nothing, by header.

        A column that identifies records was not left out: it could not be chosen before.
        """
        chosen = {}
        for index, header in enumerate(headers):
            name = self.inputs.get(f"{COLUMN}{index}")
            if name is None or not header or headers.count(header) > 1:
                continue
            if name in self.fields or (not name and not self._names_records(header)):
                chosen[header] = name
        return chosen

    def _names_records(self, header: str) -> bool:
        if self.match is None:
            return False
        columns = columns_of_file(self.records, (header,), ImportOptions(key=self.match, rights=self.rights))
        return any(column.field.name == self.match for column in columns.imported)

    @cached_property
    def fields(self) -> dict[str, str]:
        """The possible targets of a column, by the name of the input: fields and their parts, with labels."""
        languages = self.records.policy.declaration.settings.languages
        targets = import_targets(self.rights, self.match)
        return {
            f"{name}.{part}" if part else name: self._label(field, part, languages)
            for name, field in targets.fillable.items()
            for part in ("", *part_names(field))
        }

    def _label(self, field: Field, part: str, languages: tuple[str, ...]) -> str:
        module = self.records.policy.declaration.modules[self.records.name]
        return header_of(module, field, self.request.reader.language, languages, part)

    def options(self, headers: tuple[str, ...], *, dry_run: bool = False, skip_bad: bool = False) -> ImportOptions:
        """The options for the importer."""
        return ImportOptions(
            self.chosen(headers), self.match, dry_run, skip_bad, self.notation, rights=self.rights, author=self.author
        )

    @contextmanager
    def opened(self) -> Iterator[LimitedRows]:
        """The rows of the file. Raises UnreadableFileError, HTTPNotFound and HTTPServiceUnavailable."""
        if self.stored_import is None:
            raise HTTPNotFound
        with tempfile.NamedTemporaryFile() as file:
            try:
                file.writelines(self.request.store.read(self.stored_import.stored))
            except StoreError:
                raise HTTPServiceUnavailable(CANNOT_STORE) from None
            file.flush()
            yield LimitedRows(open_file(Path(file.name), most_unpacked=MOST_UNPACKED))
