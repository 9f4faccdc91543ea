"""Maps the columns of a file to fields, and names the columns of an export so that an import can map them back.

All errors of a header are found at once, before a row is read.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from portal.declaration.shapes import Module
from portal.declaration.source.suggestions import suggest
from portal.fields.base import Field
from portal.fields.reader import PLAIN
from portal.texts import _, fold, translate

# Built-in fields that a file may set: so that an export can be imported again, and an old system's numbers be kept.
SETTABLE = ("reference", "number", "created")
CURRENCY = "currency"
ATTACHMENTS = "attachments"  # the paths of the attachments, if files come with the CSV file


class WrongColumnsError(ValueError):
    """The file's columns do not fit the module; `problems` are sentences."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(problems)
        self.problems = problems


@dataclass(frozen=True)
class CsvColumn:
    """A column that is imported: its place in a row, and the field that it fills, or the `part` of one (`city`)."""

    index: int
    header: str
    field: Field
    part: str = ""


@dataclass
class Columns:
    """Which field each column of a file fills: the result of mapping a header.

    `skipped`: headers of fields that the portal computes or sets itself; `unclear`: headers that match nothing, with
    the reason; `wrong`: other problems; `missing`: required fields for which no row could have a value.
    """

    imported: list[CsvColumn] = dataclasses.field(default_factory=list)
    skipped: list[str] = dataclasses.field(default_factory=list)
    unclear: dict[str, str] = dataclasses.field(default_factory=dict)
    wrong: list[str] = dataclasses.field(default_factory=list)
    missing: list[Field] = dataclasses.field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """All problems of mapping a header, as the command reports them."""
        return [*self.wrong, *self.unclear.values(), *(missing_column(field.name) for field in self.missing)]


def missing_column(name: str) -> str:
    """The sentence that the required field `name` has no column."""
    return _("There is no column for the required field “${field}”.", mapping={"field": name})


@dataclass(frozen=True)
class Targets:
    """The fields that the columns of a file may fill, and all `known` ones; columns of the rest are skipped."""

    fillable: Mapping[str, Field]
    known: Mapping[str, Field]


def all_targets(module: Module, with_files: bool = False) -> Targets:
    """Everything that an import may set, and every field of the module."""
    return Targets(settable(module, with_files), module.everything)


def settable(module: Module, with_files: bool = False) -> dict[str, Field]:
    """The fields that columns of a file may set: whatever is stored, including read-only and lifecycle fields.

    `with_files`: there are files next to the CSV file, and a column names those of each record.
    """
    stored = {name: field for name, field in module.fields.items() if not field.computed}
    declared = {name: field for name, field in stored.items() if not field.row_fields}  # rows have a file of their own
    names = (*SETTABLE, ATTACHMENTS) if with_files else SETTABLE
    return declared | {name: module.builtin[name] for name in names if name in module.builtin}


def part_names(field: Field) -> list[str]:
    """The parts of a field that may have columns of their own, named as in a form: FIELD.street, FIELD.currency."""
    names = () if field.by_upload else field.inputs(None, PLAIN)
    return [name.partition(".")[2] for name in names if "." in name]


def header_of(module: Module, field: Field, language: str, languages: Sequence[str], part: str = "") -> str:
    """The header of a column for a field: its label, or its name if other fields have the same label."""
    label = field.title(language)
    called_so = _labeled(module, module.everything, label, languages)
    header = label if [other.name for other, _part in called_so] == [field.name] else field.name
    if not part:
        return header
    return f"{header} ({translate(_('currency'), language)})" if part == CURRENCY else f"{header}.{part}"


def find_columns(
    module: Module,
    languages: Sequence[str],
    headers: Sequence[str],
    mapped: Mapping[str, str],
    key: str | None,
    targets: Targets | None = None,
) -> Columns:
    """The columns of a file with these `headers`. `mapped`: header → field, or "" to ignore it."""
    targets = targets or all_targets(module)
    columns, known = Columns(wrong=list(_wrong_headers(headers, mapped))), targets.fillable
    names_by_header = {_same(header): name for header, name in mapped.items()}
    for index, header in enumerate(headers):
        name = names_by_header.get(_same(header))
        if not header or name == "":
            continue
        candidates = _named(known, name or header) or ([] if name else _labeled(module, known, header, languages))
        if len(candidates) == 1:
            field, part = candidates[0]
            columns.imported.append(CsvColumn(index, header, field, part))
        elif not candidates and not name and _is_kept_by_portal(module, targets.known, header, languages):
            columns.skipped.append(header)
        else:
            names = [field.name for field, _part in candidates]
            columns.unclear[header] = _unclear_column(targets, header, name, names)
    columns.wrong += [*_repeated_fields(columns.imported), *_wrong_key(known, columns.imported, key)]
    if not columns.problems and not key:
        columns.missing += _missing_columns(module, known, columns.imported)
    return columns


def _same(header: str) -> str:
    """The header of a column for comparison: without case, accents, and kinds of space or line break between words."""
    return fold(" ".join(header.split()))


def _wrong_headers(headers: Sequence[str], mapped: Mapping[str, str]) -> Iterator[str]:
    for header in dict.fromkeys(header for header in headers if header and headers.count(header) > 1):
        yield _("The file has two columns named “${column}”.", mapping={"column": header})
    known = {_same(header) for header in headers}
    for header in mapped:
        if _same(header) not in known:
            hint = suggest(header, headers)
            yield _("The file has no column named “${column}”${hint}.", mapping={"column": header, "hint": hint})


def _is_kept_by_portal(module: Module, known: Mapping[str, Field], header: str, languages: Sequence[str]) -> bool:
    """Whether this is a field that an export shows and no import sets: computed, or set by the portal."""
    return bool(_named(known, header) or _labeled(module, known, header, languages))


def _unclear_column(targets: Targets, header: str, name: str | None, candidates: Sequence[str]) -> str:
    """Why a column matches no field. `name`: the field given with --map."""
    facts = {"column": header, "field": name, "hint": suggest(name or header, targets.fillable)}
    if candidates:
        text = _('Column “${column}” matches several fields: ${names}. Choose one with --map "${column}=FIELD".')
        return text % {**facts, "names": ", ".join(candidates)}
    if name in targets.known:
        text = _('Column “${column}”: the portal sets “${field}” itself. Leave the column out with --map "${column}=".')
    elif name is not None:
        text = _("Column “${column}”: there is no field named “${field}”${hint}.")
    else:
        text = _(
            "Column “${column}” matches no field${hint}."
            ' Choose one with --map "${column}=FIELD", or leave the column out with --map "${column}=".'
        )
    return text % facts


def _named(known: Mapping[str, Field], header: str) -> list[tuple[Field, str]]:
    """The field, or part of a field, with the name in a column's header."""
    name, _dot, part = _same(header).partition(".")
    if name not in known:
        return []
    return [(known[name], part)] if not part or part in part_names(known[name]) else []


def _labeled(
    module: Module, known: Mapping[str, Field], header: str, languages: Iterable[str]
) -> list[tuple[Field, str]]:
    """The fields, or parts of fields, whose label a header is, in any language; built-in ones if no other has it."""
    label, languages = _same(header), tuple(languages)
    matching = [
        (field, part)
        for field in known.values()
        for part in ("", *part_names(field))
        if label in _labels(field, part, languages)
    ]
    return [(field, part) for field, part in matching if field.name not in module.builtin] or matching


def _labels(field: Field, part: str, languages: Sequence[str]) -> set[str]:
    """The labels that the column of a field, or its `part`, may have, in all languages."""
    labels = {*field.title, *(field.title(language) for language in languages)}
    if part == CURRENCY:
        words = {part, *(translate(_("currency"), language) for language in languages)}
        labels = {f"{label} ({word})" for label in (*labels, field.name) for word in words}
    elif part:
        labels = {f"{label}.{part}" for label in labels}
    return {_same(label) for label in labels}


def _repeated_fields(columns: Sequence[CsvColumn]) -> Iterator[str]:
    by_input: dict[tuple[str, str], list[str]] = {}
    for column in columns:
        by_input.setdefault((column.field.name, column.part), []).append(column.header)
    for (name, _part), headers in by_input.items():
        if len(set(headers)) > 1:  # equal headers are reported separately
            facts = {"columns": "”, “".join(dict.fromkeys(headers)), "field": name}
            yield _("The columns “${columns}” all map to the field “${field}”.", mapping=facts)


def _wrong_key(fillable: Mapping[str, Field], columns: Sequence[CsvColumn], key: str | None) -> Iterator[str]:
    if key is None:
        return
    known = {name: field for name, field in fillable.items() if _can_be_key(field)}
    if key not in known:
        hint = suggest(key, known)
        yield _("--key: “${field}” does not identify records${hint}.", mapping={"field": key, "hint": hint})
    elif key not in {column.field.name for column in columns}:
        yield _("No column maps to the field “${field}”, by which records are found.", mapping={"field": key})


def _can_be_key(field: Field) -> bool:
    """Whether a single column of a file holds the whole value of the field, so that it can find records."""
    return not field.multiple and not field.targets and not part_names(field) and bool(field.columns())


def _missing_columns(module: Module, known: Mapping[str, Field], columns: Sequence[CsvColumn]) -> Iterator[Field]:
    """Required fields for which no row could have a value."""
    present = {column.field.name for column in columns}
    for name, field in known.items():
        has_value = name in present or field.default is not None or name == module.state_field
        if field.required and not has_value and field.show_when is None:
            yield field
