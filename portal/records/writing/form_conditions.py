"""What depends on the values of a form: which fields it shows, requires and lets people change, and which options and
records it offers."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from portal.conditions import (
    ALWAYS,
    Comparison,
    Condition,
    FieldValue,
    compared_fields,
    comparisons,
    holds,
    replace_form_values,
)
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.default_paths import value_path
from portal.fields.linked_value import Linked
from portal.fields.record_titles import ids_by_title, ids_named
from portal.records.indexing.formulas import computed_values, formulas_reading
from portal.records.reading.records import Records
from portal.records.writing.values_behind_links import value_in_form

EMPTY: tuple[Any, ...] = (None, (), "")


def is_shown(records: Records, field: Field, values: Mapping[str, Any]) -> bool:
    """Whether the field's `show_when` holds for the values of the form."""
    return field.show_when is None or _holds(records, field.show_when, values)


def hidden_by_change(records: Records, record_id: int, changed: Mapping[str, Any]) -> dict[str, Any]:
    """What a record holds in fields that forms will hide, because with `changed` values `show_when` no longer holds."""
    if not _shown_by(records.module, changed):
        return {}
    records_now = records.as_system.by_ids([record_id], records.module.fields)  # none if someone deleted it
    return hidden_values(records, {**records_now[0].values, "id": record_id}, changed) if records_now else {}


def hidden_values(records: Records, before: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """Like `hidden_by_change`, for a record with the values `before`, all of them."""
    hidden: dict[str, Any] = {}
    while more := _hidden_by(records, before, {**changed, **dict.fromkeys(hidden)}):  # hiding these may hide others
        hidden |= more
    return hidden


def _hidden_by(records: Records, before: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    system = records.as_system
    return {
        field.name: before[field.name]
        for field in _shown_by(records.module, changed)
        if not field.is_empty(before.get(field.name))
        and is_shown(system, field, before)
        and not is_shown(system, field, {**before, **changed})
    }


def _shown_by(module: Module, changed: Iterable[str]) -> list[Field]:
    """The fields of a form whose `show_when` reads one of the `changed` fields, or a value computed from one."""
    changed = set(changed)
    reads = changed | {formula.name for formula in formulas_reading(module, changed)}
    reads |= {field.name for field in module.fields.values() if field.link_path and field.link_path[0] in reads}
    return [
        field
        for field in module.fields.values()
        if not (field.computed or field.signs or field.name in changed)
        and any(path[0] in reads for path in compared_fields(field.show_when))
    ]


def is_required(records: Records, field: Field, values: Mapping[str, Any]) -> bool:
    """Whether the form must have a value for the field: always, or because its `required_when` holds."""
    return field.required or (field.required_when is not None and _holds(records, field.required_when, values))


def is_locked(records: Records, field: Field, values: Mapping[str, Any]) -> bool:
    """Whether the field cannot be edited now, because its `read_only_when` holds."""
    return field.read_only_when is not None and _holds(records, field.read_only_when, values)


def is_offered(records: Records, field: Field, option: str, values: Mapping[str, Any]) -> bool:
    """Whether a form with `values` offers an option of the field: its `show_when` holds, or reads a field without a
    known value, for example in a form for many records that differ in it."""
    condition, module = field.option_conditions.get(option), records.module
    if condition is None:
        return True
    names = {name for name in _stored_fields(module, condition) if not module.field(name).computed}
    values = {**unread_values(records, names, values), **values}
    return not names <= values.keys() or _holds(records, condition, values)


def options_depend_on(module: Module, field: Field) -> set[str]:
    """The fields whose values decide which options of `field` a form offers."""
    return {name for condition in field.option_conditions.values() for name in _stored_fields(module, condition)}


def _stored_fields(module: Module, condition: Condition) -> set[str]:
    """The fields that a condition on the form reads; instead of a lookup, its link."""
    return {next(iter(module.field(name).link_path), name) for name in _asked_by(module, condition)}


def unread_values(records: Records, names: Iterable[str], values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the record of a form with `values` holds in those of the fields `names` that the form does not know."""
    is_record = records.name in records.policy.declaration.modules and values.get("id")
    unread = [name for name in names if name not in values] if is_record else []
    stored = records.as_system.by_ids([values["id"]], unread) if unread else []
    return {name: stored[0].values[name] for name in unread if stored}


def _holds(records: Records, condition: Condition, values: Mapping[str, Any]) -> bool:
    module, currency = records.module, records.policy.reader.currency
    values = {**unread_values(records, _asked_by(module, condition), values), **values}

    def value_of(name: str) -> Any:
        known = computed_values(module.formulas.values(), values, currency) if name in module.formulas else values
        return value_in_form(records, known, name)

    def compare(comparison: Comparison) -> bool:
        return _matches(module.field(comparison.path[0]), value_of(comparison.path[0]), comparison, records, value_of)

    return holds(condition, compare)


def _asked_by(module: Module, condition: Condition | None) -> set[str]:
    """The fields that a condition on the form compares, and those from which any formulas among them are computed."""
    names = {path[0] for path in compared_fields(condition)}
    for formula in reversed(module.formulas.values()) if names else ():  # of which later ones may read earlier ones
        names |= {*formula.sources} if formula.name in names else set()
    return names


def is_decided_by_server(field: Field, comparison: Comparison) -> bool:
    """Whether a script cannot evaluate a comparison from a form's inputs: computed fields have none, inputs of links
    hold the id and not the title; nor can it test address ranges, or times from now, or take a text apart into tags."""
    named = comparison.operator == "contains" and (bool(field.targets) or field.ranged)
    return field.computed or field.several_in_input or named or comparison.operator == "within"


def asks_server(records: Records, field: Field) -> bool:
    """Whether only the server can tell if a form shows, requires or locks `field`, or offers its options."""
    return any(
        is_decided_by_server(records.module.field(comparison.path[0]), comparison)
        for rule in (field.show_when, field.required_when, field.read_only_when, *field.option_conditions.values())
        if rule is not None
        for comparison in comparisons(rule)
    )


def offered_records(records: Records, field: Field, target: str, values: Mapping[str, Any]) -> Records | None:
    """The records that a link offers, given the form's other values; None while a value that it depends on is empty."""
    if field.target_condition is None:
        return records.of(target)
    others = condition_values(records, field, values)
    if "id" in others:
        others["id"] = others["id"] or 0  # a new record has none yet, and is not among those offered
    if any(value in EMPTY for value in others.values()):
        return None
    condition: Condition = replace_form_values(field.target_condition, others.get)
    return records.of(target, condition)


def condition_values(records: Records, field: Field, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that the link's `where` uses as `$field`, in a form with `values`."""
    names = _form_names(field)
    return {name: value_in_form(records, values, name) for name in names}


def depends_on(module: Module, field: Field) -> list[str]:
    """The fields of the same form on whose values the link's `where` depends; instead of a lookup, its link."""
    names = _form_names(field)
    return list(dict.fromkeys(next(iter(module.field(name).link_path), name) for name in names))


def _form_names(field: Field) -> list[str]:
    return [name for comparison in comparisons(field.target_condition or ALWAYS) for name in comparison.other_fields]


def linked_records(records: Records, link: Field, raw: Any) -> list[Linked]:
    """The records that a form's condition on `link` means by `raw`: `me`, or a name."""
    constant = link.constant(raw, records.policy.reader.machine)
    if not isinstance(constant, str):
        return [item if isinstance(item, Linked) else Linked(item, link.targets[0]) for item in constant]
    return [
        Linked(record_id, module)
        for module in link.targets
        for record_id in records.connection.scalars(ids_named(records.policy.tables.module(module), constant))
    ]


def _with_title(records: Records, links: Iterable[Linked], text: str) -> list[Linked]:
    """The `links` in a form whose titles contain `text`. Only these are read: a module may have millions of records."""
    ids: dict[str, list[int]] = {}
    for link in links:
        ids.setdefault(link.module, []).append(link.id)
    tables = {module: records.policy.tables.module(module) for module in ids}
    return [
        Linked(record_id, module)
        for module, table in tables.items()
        for record_id in records.connection.scalars(ids_by_title(table, text).where(table.c["id"].in_(ids[module])))
    ]


def _compared_records(records: Records, link: Field, value: Any, operator: str, raw: Any) -> list[Linked]:
    """The records that a comparison means; for `contains`, only among those that the form's `value` links to."""
    constant = link.constant(raw, records.policy.reader.machine)
    if operator == "contains" and isinstance(constant, str):
        return _with_title(records, link.links_in(value), constant)
    return linked_records(records, link, raw)


def _matches(
    field: Field, value: Any, comparison: Comparison, records: Records, value_of: Callable[[str], Any]
) -> bool:
    """Whether a comparison holds for a form's value, not stored yet: the twin of `compare` in database/sql.py."""
    reader = records.policy.reader.machine  # declarations use machine notation, regardless of the reader
    constant = comparison.value
    if comparison.operator == "empty":
        return field.matches(value, "empty", constant)
    if comparison.operator == "within":
        earliest, latest = field.period_bounds(constant, reader)
        return field.matches(value, "min", earliest) and field.matches(value, "max", latest)
    operator = "equal" if comparison.operator == "one_of" else comparison.operator
    for raw in constant if isinstance(constant, tuple) else (constant,):
        if isinstance(raw, FieldValue):
            matches = field.as_stored.matches_field(value, operator, value_of(raw.field))
        elif raw is None or raw == "":
            matches = field.matches(value, "empty", True)
        elif field.targets:  # a form knows a linked record only by its id
            matches = field.matches(value, "equal", _compared_records(records, field, value, operator, raw))
        else:
            matches = field.matches(value, operator, field.constant(raw, reader))
        if matches:
            return True
    return False


def limits(records: Records, field: Field, values: Mapping[str, Any]) -> str:
    """What a form says about the values that it accepts: their bounds, and the field that is their lower bound."""
    reader, other = records.policy.reader, field.lower_bound_field or ""
    bounds = reader.text(field.bounds_hint(reader))
    if other not in values:
        return bounds
    label = reader.text(records.module.field(other).title)
    return f"{bounds} {reader.text(field.lower_bound_hint(label))}".strip()


def put_back_locked(
    records: Records, fields: Iterable[Field], values: dict[str, Any], known: Mapping[str, Any], *, new: bool
) -> set[str]:
    """Puts the `known` values of locked fields back into `values`, and returns their names. These values may lock other
    fields. In a `new` record, a default that follows a link is looked up again for the chosen link."""
    locked: set[str] = set()
    while more := [field for field in fields if field.name not in locked and is_locked(records, field, values)]:
        for field in more:
            follows = new and (path := value_path(field.default)) and path.link
            values[field.name] = None if follows else known.get(field.name)
            locked.add(field.name)
    return locked
