"""Checks roll-ups: their condition, which may only change when one of the records is written."""

from dataclasses import replace

from portal.conditions import ALWAYS, Comparison, comparisons, special_word
from portal.declaration.checks.conditions import check_condition
from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.shapes import Module
from portal.declaration.source.cursor import Cursor
from portal.fields.rollup import Rollup


def check_rollup(draft: DeclarationDraft, rollup: Rollup, at: Cursor) -> None:
    """Checks that the condition of a roll-up only depends on what a write of the record itself changes."""
    check_condition(draft, rollup.counted, at["where"])
    for part in comparisons(rollup.where or ALWAYS):
        known = draft.field(rollup.counted, part.path[0]) is not None
        module = draft.modules.get(rollup.counted)
        others = [replace(part, path=(name,), value=None) for name in part.other_fields]
        sentences = (_changes_by_itself(module, one) for one in (part, *others)) if module and known else ()
        if sentence := next(filter(None, sentences), None):
            path = ".".join(part.path)
            (at["where"][path].key if path in at["where"] else at["where"].key).wrong(sentence)


def _changes_by_itself(module: Module, part: Comparison) -> str | None:
    """Why the result of a comparison may change although the record is not written, or None."""
    name, field = ".".join(part.path), module.field(part.path[0])
    if len(part.path) > 1 or field.virtual or field.row_fields or field.in_join_table:
        return f'"{name}" changes without its record: a roll-up can only ask for fields that store one value'
    if name in module.builtin and name != "created":
        return f'"{name}" is kept by the portal: a roll-up can only ask for declared fields and created'
    values = list(part.values)
    if part.operator == "within" or any(special_word(value) not in (None, "nothing") for value in values):
        return f'the answer for "{name}" changes from day to day, or from reader to reader'
    if field.targets and part.operator != "empty":
        return f'"{name}" is a link, whose record may get another name: a roll-up can only ask whether it is empty'
    return None
