"""Modules from CSV files: types from all values, keys, links between the files, and how to import each file.

A link is guessed if a column is named like the key of another file and its values occur there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from portal.declaration.plurals import in_singular
from portal.declaration.shapes import Module
from portal.fields.address import PARTS
from portal.records.transfer.csv_columns import find_columns
from portal.records.transfer.csv_reading import CsvSource, open_source
from portal.records.transfer.numbers_and_dates import Notation
from portal.records.transfer.spreadsheet_formulas import unprotect_cell
from portal.texts import plural
from portal.workshop.outlines.column_values import BY_DATE, NOTATIONS, ColumnValues
from portal.workshop.outlines.guess_types import guess, is_key
from portal.workshop.outlines.naming import KEY_ENDINGS, field_name, link_name, module_name, snake
from portal.workshop.outlines.outline import TITLES, Outline, OutlineField, OutlineModule

MOST_MISSING = 0.25  # share of a link's values that may be missing
SHOWN = 3


@dataclass
class CsvFile:
    """A CSV file: its columns, its notation, and the rows that cannot be imported as they are."""

    path: Path
    source: CsvSource
    columns: list[ColumnValues]
    notation: Notation
    module: str = ""
    key: ColumnValues | None = None
    naming: ColumnValues | None = None  # the column with the titles of its records, if they are unique
    links: dict[str, "CsvFile"] = field(default_factory=dict)  # header → the file with the records
    linked_by: dict[str, ColumnValues] = field(default_factory=dict)  # header → the column there with its values
    field_names: dict[str, str] = field(default_factory=dict)  # by header; `address.city` for a part of an address
    broken: list[int] = field(default_factory=list)  # lines of rows with too many cells, or too few

    def missing(self, column: ColumnValues) -> list[str]:
        """The values of a link whose records will not exist."""
        key = self.linked_by.get(column.header)
        return [] if key is None else [value for value in column.counts if value not in key.counts]

    @property
    def has_bad_rows(self) -> bool:
        """Whether rows will be refused: broken ones, those with dead links, and those that link to them."""
        linked, waiting = {id(self): self}, [self]
        while waiting:
            for other in waiting.pop().links.values():
                if id(other) not in linked:
                    linked[id(other)] = other
                    waiting.append(other)
        return any(file.broken or any(map(file.missing, file.columns)) for file in linked.values())

    @property
    def nothing(self) -> list[str]:
        """What the file writes for no value."""
        return sorted({word for column in self.columns for word in column.nothing})


def outline_of_files(files: Sequence[CsvFile]) -> Outline:
    """The outline of some CSV files; sets their modules, keys and links."""
    taken: set[str] = set()
    for file in files:
        file.module = module_name(file.path.stem, taken)
        taken.add(file.module)
        file.key, file.naming = _key_of(file), _naming(file)
    for file in files:
        for column in file.columns:
            if linked := _linked(file, column, files):
                file.links[column.header], file.linked_by[column.header] = linked
        for column in file.columns:
            file.field_names[column.header] = _field_name(file, column)
    names = ", ".join(file.path.name for file in files)
    return Outline([_module(file) for file in files], read_only=False, origin=names)


def read_file(path: Path) -> CsvFile:
    """Reads a CSV file and what its columns contain, to guess a module. Raises UnreadableFileError and OSError."""
    source = open_source(path)
    columns = [ColumnValues(header) for header in source.headers]
    broken = []
    for row in source.rows():
        if row.problem or len(row.cells) != len(columns):
            broken.append(row.line)
        if row.problem or len(row.cells) > len(columns):
            if row.cells:  # cells after a wrongly split text are in the wrong columns
                columns[0].lost.add(row.cells[0].strip())
            continue
        for column, cell in zip(columns, row.cells, strict=False):
            column.add(unprotect_cell(cell))
    return CsvFile(path, source, columns, best_notation(columns), broken=broken)


def best_notation(columns: list[ColumnValues]) -> Notation:
    """Guesses the notation of a file: the one in which most columns are numbers and dates; if equal, the plainest."""
    return max(NOTATIONS, key=lambda notation: sum(_is_typed(column, notation) for column in columns))


def _is_typed(column: ColumnValues, notation: Notation) -> bool:
    return any(column.fits(type_, notation) for type_ in ("integer", "decimal", *BY_DATE))


def _key_of(file: CsvFile) -> ColumnValues | None:
    """The column that identifies the rows of a file: the first with unique values that is named like a key."""
    return next((column for column in file.columns if is_key(column) and column.is_complete), None)


def _naming(file: CsvFile) -> ColumnValues | None:
    """The column with the titles of a CSV file's rows, if they are unique."""
    titles = {snake(column.header): column for column in file.columns}
    first = next((titles[name] for name in TITLES if name in titles), None)
    return first if first is not None and first.is_unique and first.is_complete else None


def _linked(file: CsvFile, column: ColumnValues, files: Iterable[CsvFile]) -> tuple[CsvFile, ColumnValues] | None:
    """The CSV file whose rows the values of a column name, and its column with these values."""
    if not column.filled or column is file.key:
        return None
    name = snake(column.header)
    for other in files:
        is_called_so = bool({name, _stem(name) or name} & _stems(other))
        candidates = [other.key] if is_called_so or _is_like_key(name, file, other) else []
        candidates += [other.naming] if is_called_so else []
        for key in candidates:
            if key is None or column is key:
                continue
            missing = sum(1 for value in column.counts if value not in key.counts and value not in key.lost)
            if missing <= len(column.counts) * MOST_MISSING:
                return other, key
    return None


def _is_like_key(name: str, file: CsvFile, other: CsvFile) -> bool:
    """Whether a column is named like the key of another file, or like links to it."""
    key = snake(other.key.header) if other.key is not None else None
    return _is_parent(name, file, other) or (key is not None and (name == key or name.endswith(f"_{key}")))


def _stem(name: str) -> str:
    return next((name.removesuffix(ending) for ending in KEY_ENDINGS if name.endswith(ending)), "")


def _stems(other: CsvFile) -> set[str]:
    """The names of columns that link to a CSV file, alone or before `_id`: its name in singular and plural."""
    name = snake(other.path.stem)
    return {name, in_singular(name), name.removesuffix("s"), name.removesuffix("ies") + "y"}


def _is_parent(name: str, file: CsvFile, other: CsvFile) -> bool:
    """Whether a column links to its own CSV file or to one whose name it contains: `reportsTo`, `shipVia`."""
    if file is other:
        return name in ("reports_to", "manager", "parent", "parent_id", "boss", "manager_id")
    return name.endswith("_via") and snake(other.path.stem).startswith(name.removesuffix("_via"))


def in_order_of_import(files: Sequence[CsvFile]) -> list[CsvFile]:
    """The CSV files in order of import: linked ones before those that link to them."""
    ordered: list[CsvFile] = []
    waiting = list(files)
    while waiting:
        ready = [file for file in waiting if all(other in ordered or other is file for other in file.links.values())]
        ready = ready or waiting[:1]  # files that link to each other: the import reports it
        ordered += ready
        waiting = [file for file in waiting if file not in ready]
    return ordered


def _field_name(file: CsvFile, column: ColumnValues) -> str:
    named = file.field_names
    taken = {name.partition(".")[0] for name in named.values()}
    if address := _address_of(column.header):
        of_address = [column.header for column in file.columns if column.header not in file.links]
        of_address = [header for header in of_address if _address_of(header) == address]
        if column.header in of_address and len(of_address) > 1:
            known = next((named[header].partition(".")[0] for header in of_address if header in named), "")
            return f"{known or field_name(address, file.module, taken)}.{snake(column.header.rpartition('.')[2])}"
    name = field_name(column.header, file.module, taken)
    return link_name(name, taken) if column.header in file.links else name


def _address_of(header: str) -> str:
    """The address that a column of a CSV file is part of: “Home” for “Home.city”; empty for other columns."""
    name, _dot, part = header.rpartition(".")
    return name if snake(part) in PARTS else ""


def _module(file: CsvFile) -> OutlineModule:
    number = max((column.rows for column in file.columns), default=0)
    module = OutlineModule(file.module, str(file.path.name), rows=number)
    module.notes.append(f"{file.path.name}: {plural(module.rows, 'row')}")
    if file.nothing:
        module.notes.append(f"it writes {' and '.join(file.nothing)} for no value")
    if file.broken:
        lines = ", ".join(map(str, file.broken[:SHOWN])) + (" …" if len(file.broken) > SHOWN else "")
        rows = plural(len(file.broken), "row")
        module.notes.append(f"look: {rows} with another number of cells than the header (line {lines})")
    for column in file.columns:
        if not column.header:
            continue
        name, _dot, part = file.field_names[column.header].partition(".")
        if part and any(field.name == name for field in module.fields):
            continue
        module.fields.append(_address(file, column, name) if part else _field(file, column, name))
    module.joins = len(module.fields) == len(file.links) == 2  # noqa: PLR2004 - the two that belong together
    return module


def _field(file: CsvFile, column: ColumnValues, name: str) -> OutlineField:
    linked = file.links.get(column.header)
    if linked is None:
        own = guess(column, file.notation)
        required = {"required": True} if column is file.key else {}
        return OutlineField(name, own.type, {**own.keys, **required}, column.header, own.reason, column.filled)
    reason = f"its values stand in {linked.path.name}, column {file.linked_by[column.header].header}"
    if missing := file.missing(column):
        reason += f"; look: {len(missing)} do not, or in rows that cannot be read, such as {', '.join(missing[:SHOWN])}"
    return OutlineField(name, "link", {"to": linked.module}, column.header, reason, column.filled)


def _address(file: CsvFile, column: ColumnValues, name: str) -> OutlineField:
    """The fields of the address whose first column in a CSV file is `column`."""
    columns = [column for column in file.columns if file.field_names[column.header].startswith(f"{name}.")]
    reason = f"its parts stand in {', '.join(column.header for column in columns)}"
    filled = max(column.filled for column in columns)
    return OutlineField(name, "address", {}, _address_of(column.header), reason, filled)


def import_arguments(file: CsvFile, module: Module) -> list[str]:
    """The arguments of `portal import` for a CSV file and the module made from it."""
    arguments = [module.name, str(file.path)]
    guessed = find_columns(module, ["en"], file.source.headers, {}, None)
    by_header = {column.header: ".".join(filter(None, [column.field.name, column.part])) for column in guessed.imported}
    for header, name in file.field_names.items():
        if header and by_header.get(header) != name:
            arguments += ["--map", f"{header}={name}"]
    if file.notation.decimal:
        arguments += ["--decimal", file.notation.decimal]
    if file.notation.first:
        arguments.append(f"--{file.notation.first}-first")
    for word in file.nothing:
        arguments += ["--empty", word]
    if file.has_bad_rows:
        arguments.append("--skip-bad")
    return arguments
