"""Binds fields that are computed from other fields to these: lookups, elapsed times, formulas, roll-ups.

Called by load once all modules are read, before anything uses such a field. A field that cannot be bound is reported
and left out. When profiles are resolved, this file also decides which roll-ups a profile does not get.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from portal.conditions import ALWAYS
from portal.declaration.declaration import fields_with_rows
from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.shapes import Access, Module
from portal.declaration.source.problems import KeyPath, ProblemText
from portal.declaration.unknown_names import no_field
from portal.fields.base import Field
from portal.fields.base_parts import FieldPlace
from portal.fields.elapsed import IncompleteError
from portal.fields.formula import NoFieldError
from portal.fields.lines import ColumnError
from portal.fields.rollup import Rollup
from portal.fields.table_names import join_name


def bind_fields(draft: DeclarationDraft) -> None:
    """Binds every field of the draft; a field computed from an internal field becomes internal itself."""
    _mark_internal(draft)
    _mark_internal_columns(draft)
    left_out = _bind_all(draft, report=True)
    while left_out:  # fields computed from a field that was left out
        left_out = _bind_all(draft, report=False)
    for module in draft.modules.values():
        for name in ("everything", "formulas", "deadlines"):  # were cached while fields were being replaced
            module.__dict__.pop(name, None)
    draft.__dict__.pop("row_modules", None)


def _mark_internal(draft: DeclarationDraft) -> None:
    """Marks lookups, formulas and roll-ups as internal if anything they read is."""
    computed = [
        (module, name) for module in draft.modules.values() for name, field in module.fields.items() if field.computed
    ]
    changed = True
    while changed:
        changed = False
        for module, name in computed:
            field = module.fields[name]
            sources = field.sources_in(module)
            steps = [step for path in sources for _module, step in draft.follow(module.name, path.split(".")).steps]
            columns = [
                module.fields[lines].row_fields.get(column)
                for lines, column in field.columns_read
                if lines in module.fields
            ]
            rollup = field.rollup
            counted = [draft.field(rollup.counted, name) for name in rollup.counted_fields] if rollup else []
            if not field.internal and any(step and step.internal for step in (*steps, *columns, *counted)):
                module.fields[name] = field.model_copy(update={"internal": True})
                changed = True


def _mark_internal_columns(draft: DeclarationDraft) -> None:
    """Marks lookups in rows as internal if a step of their path is."""
    for module, field in fields_with_rows(draft.modules.values()):
        rows: Any = field
        for name, column in field.row_fields.items():
            paths = (path.split(".") for path in column.sources) if column.virtual else ()
            steps = [
                step for path in paths for _module, step in draft.follow(join_name(module.name, field.name), path).steps
            ]
            if any(step.internal for step in steps):
                rows.make_internal(name)


def _bind_all(draft: DeclarationDraft, report: bool) -> bool:
    """Binds all fields; returns whether one had to be left out."""
    left_out = [
        (module.name, name, problems)
        for roll_ups in (True, False)  # formulas read roll-ups
        for module in draft.modules.values()
        for name, field in module.fields.items()
        if bool(field.rollup) == roll_ups and (problems := _problems(draft, module.name, field))
    ]
    for module, name, problems in left_out:
        for path, sentence in problems if report else ():
            if sentence:
                draft.at_module(module).down(("fields", name, *path)).inner("of").wrong(sentence)
        del draft.modules[module].fields[name]
        draft.broken_fields.add((module, name))
    return bool(left_out)


def _problems(draft: DeclarationDraft, module: str, field: Field) -> list[tuple[KeyPath, str]]:
    """Why the computed field, or columns of its rows, cannot be bound, each with its path below the field.

    A sentence is empty if another problem already explains it.
    """
    rows, columns = join_name(module, field.name), field.row_fields
    problems = {name: _unknown_source(draft, rows, column) for name, column in columns.items()}
    unknown = {name for name, sentence in problems.items() if sentence is not None}
    for name, column in columns.items():
        if name not in unknown and unknown.isdisjoint(column.sources):
            problems[name] = _refusal(rows, functools.partial(column.bind_formula, columns, ()))
    listed: list[tuple[KeyPath, str]] = [
        (("fields", name), sentence) for name, sentence in problems.items() if sentence is not None
    ]
    sentence = _unknown_source(draft, module, field)
    if sentence is None and not listed:
        sentence = _refusal(module, functools.partial(field.bind, draft, draft.modules[module]))
    return listed if sentence is None else [*listed, ((), sentence)]


def _refusal(module: str, bind: Callable[[], None]) -> str | None:
    """Why `bind` fails for a field of `module`; None if it does not."""
    try:
        bind()
    except ColumnError:
        return ""  # rows that a formula reads: their field says why
    except NoFieldError as error:
        return no_field(module, error.name, ())
    except IncompleteError as error:
        return ProblemText(str(error), "incomplete")
    except ValueError as error:
        return str(error)
    return None


def _unknown_source(draft: DeclarationDraft, module: str, field: Field) -> str | None:
    """A field that this computed one reads and that does not exist; None if all exist."""
    if rollup := field.rollup:
        counted, column = rollup.counted, rollup.counted_column_name
        if counted not in draft.modules:
            return "" if draft.is_broken(counted) else draft.no_module(counted)
        if column and draft.field(counted, column) is None:
            return "" if draft.is_broken(counted, column) else draft.no_field(counted, column)
    paths = [draft.follow(module, path.split(".")) for path in field.sources]
    problem = next((path.problem for path in paths if path.problem), None)
    return problem or ("" if any(path.last is None for path in paths) else None)


def unseen_rollups(
    modules: Mapping[str, Module], accesses: Mapping[str, Access], first_day: bool = False
) -> frozenset[FieldPlace]:
    """The roll-ups whose values a profile with these accesses does not get: they are over records that it may not see,
    or over fields that it cannot read. `first_day`: for accounts from which older records are hidden.
    """
    fields = (field for module in modules.values() for field in module.fields.values())
    rollups = [field.rollup for field in fields if field.rollup]
    return frozenset(rollup.place for rollup in rollups if not _sees_whole(modules, rollup, accesses, first_day))


def _sees_whole(modules: Mapping[str, Module], rollup: Rollup, accesses: Mapping[str, Access], first_day: bool) -> bool:
    access = accesses.get(rollup.counted)
    if rollup.includes_unseen:
        return True
    if access is None or access.where != ALWAYS or (first_day and modules[rollup.counted].records_from):
        return False
    sees_records = access.see == "all" or access.through == rollup.counted_link
    return sees_records and access.readable.issuperset(rollup.counted_fields)
