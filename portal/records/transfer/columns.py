"""Which column of a file goes into which field. Every mistake at once, before a row is read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from portal.declaration.shapes import Module
from portal.declaration.source.problems import suggest
from portal.fields.base import Field
from portal.fields.reader import PLAIN
from portal.texts import _, fold

# Built-in fields that a file may bring along: an export can be taken back, an old system's numbers be kept.
SETTABLE = ("reference", "number", "created")


@dataclass(frozen=True)
class Column:
    """A column that is taken: its place in a row, and the field that it fills, or the `part` of one (`city`)."""

    index: int
    header: str
    field: Field
    part: str = ""


def settable(module: Module) -> dict[str, Field]:
    """The fields that an import may set: whatever is stored, read-only and lifecycle fields as well."""
    declared = {name: field for name, field in module.fields.items() if field.stored and not field.computed}
    return declared | {name: module.builtin[name] for name in SETTABLE if name in module.builtin}


def parts(field: Field) -> list[str]:
    """The parts that a field's value may be spread over, as a form does: FIELD.street, FIELD.currency."""
    return [name.partition(".")[2] for name in field.inputs(None, PLAIN) if "." in name]


def find_columns(
    module: Module, headers: Sequence[str], wanted: Mapping[str, str], key: str | None
) -> tuple[list[Column], list[str]]:
    """The columns that are taken, and what is wrong. `wanted`: header → field, or "" for nothing."""
    found, problems = [], list(_wrong_headers(headers, wanted))
    names = {header: wanted[spelled] for spelled in wanted for header in headers if fold(header) == fold(spelled)}
    for index, header in enumerate(headers):
        name = names.get(header)
        if not header or name == "":
            continue
        column, problem = _column(module, index, header, name)
        if column:
            found.append(column)
        problems += [problem] if problem else []
    problems += [*_twice(found), *_wrong_key(module, found, key)]
    if not problems and not key:
        problems += _missing(module, found)
    return found, problems


def _wrong_headers(headers: Sequence[str], wanted: Mapping[str, str]) -> Iterator[str]:
    for header in dict.fromkeys(header for header in headers if header and headers.count(header) > 1):
        yield _("The file has two columns named “${column}”.", mapping={"column": header})
    known = {fold(header) for header in headers}
    for spelled in wanted:
        if fold(spelled) not in known:
            yield _(
                "The file has no column named “${column}”${hint}.",
                mapping={"column": spelled, "hint": suggest(spelled, headers)},
            )


def _column(module: Module, index: int, header: str, name: str | None) -> tuple[Column | None, str | None]:
    """The column, or what is wrong with it. `name`: the field that was told for it, None where none was."""
    known, wanted = settable(module), name or header
    candidates = _named(known, wanted) or (_labelled(known, wanted) if name is None else [])
    if len(candidates) == 1:
        field, part = candidates[0]
        return Column(index, header, field, part), None
    facts = {"column": header, "field": wanted, "hint": suggest(wanted, known)}
    if candidates:
        text = _('Column “${column}” matches several fields: ${names}. Choose one with --map "${column}=FIELD".')
        return None, text % {**facts, "names": ", ".join(field.name for field, _part in candidates)}
    if wanted in module.everything:
        text = _('Column “${column}”: the portal sets “${field}” itself. Leave the column out with --map "${column}=".')
    elif name is not None:
        text = _("Column “${column}”: there is no field named “${field}”${hint}.")
    else:
        text = _(
            "Column “${column}” matches no field${hint}."
            ' Choose one with --map "${column}=FIELD", or leave the column out with --map "${column}=".'
        )
    return None, text % facts


def _named(known: Mapping[str, Field], wanted: str) -> list[tuple[Field, str]]:
    """The field, or the part of one, whose name this is."""
    folded = fold(wanted.strip())
    name, _dot, part = folded.partition(".")
    if name not in known:
        return []
    return [(known[name], part)] if not part or part in parts(known[name]) else []


def _labelled(known: Mapping[str, Field], wanted: str) -> list[tuple[Field, str]]:
    """The fields that are labelled so in any language; builtin ones only where no declared one is."""
    folded = fold(wanted.strip())
    found = [field for field in known.values() if any(fold(label) == folded for label in field.title)]
    declared = [field for field in found if field.name not in SETTABLE]
    return [(field, "") for field in declared or found]


def _twice(found: Sequence[Column]) -> Iterator[str]:
    by_input: dict[tuple[str, str], list[str]] = {}
    for column in found:
        by_input.setdefault((column.field.name, column.part), []).append(column.header)
    for (name, _part), headers in by_input.items():
        if len(headers) > 1:
            facts = {"columns": "”, “".join(headers), "field": name}
            yield _("The columns “${columns}” all map to the field “${field}”.", mapping=facts)


def _wrong_key(module: Module, found: Sequence[Column], key: str | None) -> Iterator[str]:
    if key is None:
        return
    known = {name: field for name, field in settable(module).items() if _can_be_key(field)}
    if key not in known:
        yield _(
            "--key: “${field}” does not identify records${hint}.", mapping={"field": key, "hint": suggest(key, known)}
        )
    elif key not in {column.field.name for column in found}:
        yield _("--key: no column of the file maps to the field “${field}”.", mapping={"field": key})


def _can_be_key(field: Field) -> bool:
    """What says one thing in one column."""
    return not field.multiple and not field.targets and not parts(field) and bool(field.columns())


def _missing(module: Module, found: Sequence[Column]) -> Iterator[str]:
    """Required fields that no row could have a value for."""
    there = {column.field.name for column in found}
    start = module.lifecycle.field if module.lifecycle else None
    for name, field in settable(module).items():
        given = name in there or field.default is not None or name == start
        if field.required and not given and field.show_when is None:
            yield _("There is no column for the required field “${field}”.", mapping={"field": name})
