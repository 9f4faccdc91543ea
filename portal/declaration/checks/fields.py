"""Checks fields: their targets, defaults and limits, and when they are shown."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from portal.conditions import ALWAYS, Condition, compared_fields, comparisons, is_group, parse
from portal.declaration.checks.conditions import check_condition
from portal.declaration.checks.contradictions import takes_anything
from portal.declaration.checks.deadlines import check_deadline
from portal.declaration.checks.ineffective_keys import check_ineffective_keys
from portal.declaration.checks.rollups import check_rollup
from portal.declaration.checks.values import stored_problem, word_warning
from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.name_rules import wrong_name
from portal.declaration.shape_keys import value_of_key
from portal.declaration.shapes import Module
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.suggestions import list_in_text
from portal.declaration.unknown_names import no_role
from portal.declaration.validation import EMPTY_KEY
from portal.fields.base import Field
from portal.fields.default_paths import ValuePath, value_path
from portal.fields.link import link_targets
from portal.fields.reader import Reader
from portal.fields.table_names import join_name

SMALLEST_LIMIT = 1000  # bytes
MOST_GAPS = 3  # named in one warning
FORM_CONDITIONS = ("show_when", "required_when", "read_only_when")
WRITTEN_DATE = re.compile(r"\d{4}-\d\d|\d\d:\d\d")  # or time; texts in one format compare like their values


def check_fields(draft: DeclarationDraft, module: Module, at: Cursor) -> None:
    """Checks every field of a module."""
    former_names: dict[str, str] = {}
    for name, field in module.fields.items():
        place = at[name]
        _check_targets(draft, module, field, place)
        _check_default(draft, module, field, place["default"])
        _check_unique(draft, module, field, place["unique"])
        for at_condition, condition in _conditions(field, place):
            if condition is not None:
                check_condition(draft, module.name, at_condition)
                _check_form_condition(module, field, at_condition)
        if field.required and field.required_when is not None:
            place["required_when"].key.wrong("a field that is required always needs no required_when")
        if field.read_only is True and field.read_only_when is not None:
            place["read_only_when"].key.wrong("a field that is read-only always needs no read_only_when")
        _check_limits(field, draft.reader, place)
        _check_lower_bound(draft, module, field, place)
        check_size(value_of_key(field, "max_size"), place["max_size"])
        _check_options(field, place["options"])
        _check_suggestions(draft, field, place["suggestions"])
        _check_formerly(draft, module, field, former_names, place["formerly"])
        if field.computed:
            _check_computed(field, place)
        check_deadline(draft, module, field, place)
        if field.rollup:
            check_rollup(draft, field.rollup, place)
        check_ineffective_keys(module, field, place)
        if field.column is not None and module.table is None:
            place["column"].key.wrong("column needs table: at the module")


def check_columns(draft: DeclarationDraft, module: Module, lines: Field, at: Cursor) -> None:
    """Checks the columns of a `lines` field, as the fields of the module of its rows."""
    check_fields(draft, draft.row_modules[join_name(module.name, lines.name)], at["fields"])
    for index, name in enumerate(value_of_key(lines, "total") or ()):
        if not lines.row_fields[name].has_sum:
            place = at["total"][index] if isinstance(at["total"].value, list) else at["total"]
            place.wrong(f'"{name}" is of type {lines.row_fields[name].type}, which has no total')
    for name, column in lines.row_fields.items():
        if isinstance(column.unique, str):
            at["fields"][name]["unique"].wrong("a column is unique within its record: write unique: true")
        if column.rollups:
            sentence = (
                f'"{name}" shows the roll-up {column.rollups[0].name}, which not everyone who reads rows may read'
            )
            at["fields"][name].wrong(sentence)
        if column.index is not None:
            at["fields"][name]["index"].key.warn("has no effect: lists neither sort nor filter by columns of lines")
        for place, condition in () if column.internal else _conditions(column, at["fields"][name]):
            for path in compared_fields(condition):
                if (other := lines.row_fields.get(path[0])) and other.internal:
                    place.wrong(f'"{other.name}" is internal: the rows that customers fill in do not have it')


def _conditions(field: Field, at: Cursor) -> Iterator[tuple[Cursor, Condition | None]]:
    """The form conditions of the field and of its options, each with its place."""
    yield from ((at[key], getattr(field, key)) for key in FORM_CONDITIONS)
    for name, condition in field.option_conditions.items():
        yield at["options"][name]["show_when"], condition


def _is_link(field: Field | None) -> bool:
    return field is not None and not field.computed and not field.multiple and len(field.targets) == 1


def _check_default(draft: DeclarationDraft, module: Module, field: Field, at: Cursor) -> None:
    if field.default is None and at.document.has(at.path) and at.value is None:  # rather than a refused value
        at.key.warn(EMPTY_KEY)
    if field.default is None or field.computed or draft.is_broken(module.name, field.name):
        return
    if field.differs_by_default and (field.read_only is not True or module.name in draft.row_modules):
        at.wrong("random is the default of a record's own text that nobody types: add read_only: true")
        return
    if field.differs_by_default and value_of_key(field, "pattern"):
        at.wrong("a random code follows no pattern: remove pattern, or write another default")
        return
    if path := value_path(field.default):
        if problem := _path_problem(draft, module, field, path):
            at.wrong(problem)
        return
    if isinstance(field.default, str) and field.default.removeprefix("$") in module.fields and field.default[0] == "$":
        at.wrong(f'"{field.default}" is a link: say which field of its record, as in {field.default}.name')
    elif problem := stored_problem(draft, field, field.default):
        at.wrong(problem)
    elif warning := word_warning(draft, field, field.default):
        at.warn(warning)


def _path_problem(draft: DeclarationDraft, module: Module, field: Field, path: ValuePath) -> str | None:
    """Why a default such as `$caller.company` or `me.phone` cannot set `field`, or None."""
    start, problem = _start_of(draft, module, field, path)
    if start is None:
        return problem
    followed = draft.follow(start, path.path)
    if followed.problem or followed.last is None:
        return followed.problem
    if field.by_upload:
        return f'"{field.default}" is a file of another record, which no default copies'
    if not field.takes(followed.last):
        return f'"{field.default}" is of type {followed.last.value_type}, and {field.name} cannot hold that'
    return None


def _start_of(draft: DeclarationDraft, module: Module, field: Field, path: ValuePath) -> tuple[str | None, str | None]:
    """The module in which a default's path continues; else why there is none, or nothing if reported elsewhere."""
    if path.who:
        start, role = (draft.people, "people") if path.who == "me" else (draft.organizations, "organizations")
        return (start, None) if start else (None, no_role(role).within(f'"{path.who}" has no meaning here: {{}}'))
    link = module.fields.get(path.link)
    if link is None:
        problem = draft.no_field(module.name, path.link)
        return None, None if draft.is_broken(module.name, path.link) else problem
    if not _is_link(link):
        return None, f'"{path.link}" does not lead to one record of one module'
    if field.name in _defaults_behind(module, link):
        return None, f'"{field.default}" leads back to {field.name}'
    return (link.targets[0], None) if link.targets[0] in draft.modules else (None, None)


def _defaults_behind(module: Module, link: Field) -> set[str]:
    """The fields whose values determine the default of `link`, and `link` itself."""
    names: set[str] = set()
    field: Field | None = link
    while field is not None and field.name not in names:
        names.add(field.name)
        path = value_path(field.default)
        field = module.fields.get(path.link) if path and path.link else None
    return names


def _check_targets(draft: DeclarationDraft, module: Module, field: Field, at: Cursor) -> None:
    targets = link_targets(field)
    if not isinstance(targets, tuple):
        return
    if any(field.name in comparison.other_fields for comparison in comparisons(field.target_condition or ALWAYS)):
        at["where"].wrong(f'"${field.name}" is the field itself: what it offers cannot depend on it')
        return
    for index, target in enumerate(targets):
        place = at["to"].inner(index)
        if target in targets[:index]:
            place.wrong(f'"{target}" appears twice')
        elif target not in draft.modules:
            draft.broken_fields.add((module.name, field.name))
            if not draft.is_broken(target):
                place.wrong(list_in_text(target, draft.modules) or draft.no_module(target))
        elif target in draft.modules:
            check_condition(draft, target, at["where"], form=module.name)
            _check_details(draft, target, field, at["details"])
    if field.on_target_deleted == "clear" and field.required:
        at["on_delete"].wrong("a required link cannot be cleared: use refuse or cascade")


def _check_details(draft: DeclarationDraft, target: str, link: Field, at: Cursor) -> None:
    """Checks that what is shown with the titles of the records of `target` are fields of theirs."""
    for index, name in enumerate(value_of_key(link, "details") or ()):
        draft.require_field(target, name, at[index])


def _check_form_condition(module: Module, field: Field, at: Cursor) -> None:
    """Checks that a condition only names other fields of the form: no dotted paths or built-in fields."""
    condition = at.value
    for name, value in condition.items() if isinstance(condition, Mapping) else ():
        if is_group(name, value):
            for index in range(len(value)):
                _check_form_condition(module, field, at["any"][index])
        elif "." in name:
            at[name].key.wrong("a condition on the form cannot go through links: declare a lookup, and use that")
        else:
            parts = list(comparisons(parse({name: value})))
            if any(part.operator == "below" for part in parts):
                at[name]["below"].key.wrong("a condition on the form cannot ask what stands below a record")
            others = [other for part in parts for other in part.other_fields]
            if field.name in (name, *others):
                at[name].key.wrong("a field cannot depend on itself")
            for builtin in (one for one in (name, *others) if one in module.builtin):
                at[name].key.wrong(f'"{builtin}" is not a field of the form')


def _check_limits(field: Field, reader: Reader, at: Cursor) -> None:
    for least, most in (("min_length", "max_length"), ("min", "max")):
        smallest, largest = value_of_key(field, least), value_of_key(field, most)
        if _is_more(smallest, largest):
            at[least].wrong(f"{least} {smallest} is more than {most} {largest}")
            return
    if not field.computed and not takes_anything(field, reader):
        at["min"].nearest.warn("nothing can be entered: no value lies within these limits")


def _check_lower_bound(draft: DeclarationDraft, module: Module, field: Field, place: Cursor) -> None:
    """Checks that two compared fields are filled in by people and have one type. Amounts may differ in currency."""
    after = value_of_key(field, "after")
    other, at = module.fields.get(field.lower_bound_field or ""), place["after" if after else "at_least"]
    if after and value_of_key(field, "at_least"):
        at.key.wrong("write after or at_least, not both")
    if field.lower_bound_field is None or draft.is_broken(module.name, field.lower_bound_field):
        return
    if other is None:
        at.wrong(draft.no_field(module.name, field.lower_bound_field))
    elif other is field:
        at.wrong("a field cannot depend on itself")
    elif other.computed or not field.takes(other) or field.has_currency:
        at.wrong(f'"{other.name}" is of type {other.type}, to which no {field.type} can be compared here')


def _check_unique(draft: DeclarationDraft, module: Module, field: Field, at: Cursor) -> None:
    """Checks that a value is unique within the record of another link."""
    within = field.unique if isinstance(field.unique, str) else ""
    if within == "organization":
        if not _is_link(module.fields.get(module.organization or "")):
            at.wrong("unique: organization needs a link of this module as the module's organization")
    elif within and not draft.is_broken(module.name, within):
        other = module.fields.get(within)
        if other is None:
            at.wrong(draft.no_field(module.name, within))
        elif other is field:
            at.wrong("a field cannot depend on itself")
        elif not _is_link(other):
            at.wrong(f'"{within}" does not lead to one record of one module')


def check_size(size: int | None, at: Cursor) -> None:
    """Warns about a limit smaller than any file: its unit has been forgotten."""
    if size is not None and size < SMALLEST_LIMIT:
        at.warn(f"no file has at most {size} bytes: write a unit, such as {size or 25} MB")


def _check_options(field: Field, at: Cursor) -> None:
    for name, option in (value_of_key(field, "options") or {}).items():
        if option.show_when is not None and field.computed:
            at[name]["show_when"].key.wrong("show_when has no meaning here: the portal computes this field")
        elif option.show_when is not None and not name:
            at[name]["show_when"].key.wrong("show_when has no meaning here: the empty answer is always offered")
    options = field.declared_options
    if field.computed or not options:
        return
    if not any(options):
        at.key.wrong("there is no option to choose")
    former_names: dict[str, str] = {}
    for name, option in options.items():
        if option.formerly is not None and option.formerly in options:
            at[name]["formerly"].wrong(f'"{option.formerly}" is still an option')
        elif option.formerly in former_names:
            at[name]["formerly"].wrong(f'"{former_names[option.formerly]}" was already "{option.formerly}"')
        elif option.formerly is not None:
            former_names[option.formerly] = name


def _check_suggestions(draft: DeclarationDraft, field: Field, at: Cursor) -> None:
    """Checks that an input only suggests what can be typed there."""
    for index, text in enumerate(field.suggested):
        if problem := stored_problem(draft, field, text):
            at.inner(index).wrong(problem)


def _check_formerly(
    draft: DeclarationDraft, module: Module, field: Field, former_names: dict[str, str], at: Cursor
) -> None:
    """Checks `formerly`. `former_names` maps the former names of the fields before this one to their present names."""
    if field.formerly is None:
        return
    if field.formerly in module.fields:
        here = draft.at_module(module.name)["fields"][field.formerly].related("declared here")
        at.wrong(f'"{field.formerly}" is still a field', here)
    elif problem := wrong_name(field.formerly):
        at.wrong(problem)
    elif field.formerly in module.builtin:
        at.wrong(f'"{field.formerly}" was never declared: every record has this field')
    elif field.formerly in former_names:
        at.wrong(f'"{former_names[field.formerly]}" was already "{field.formerly}"')
    former_names[field.formerly] = field.name


def _check_computed(field: Field, at: Cursor) -> None:
    for name in ("required", "required_when", "read_only", "read_only_when", "unique", "default"):
        if getattr(field, name):
            at[name].key.wrong(f"{name} has no meaning here: the portal computes this field")
    if field.follows_form and not field.sources:
        at["of"].warn("names no field, so every record has the same value")
    for name in field.never_given:
        at["options"].inner(name).warn(f'no record has the option "{name}"')
    if field.gaps:
        more = ", …" if len(field.gaps) > MOST_GAPS else ""
        at["of"].key.warn(
            f"the table has no value for {'; '.join(field.gaps[:MOST_GAPS])}{more}: the field is then empty"
        )


def _is_more(smallest: Any, largest: Any) -> bool:
    """Whether a field's bound is greater than another, for numbers and YYYY-MM-DD dates, not words like `today`."""
    if smallest is None or type(smallest) is not type(largest):
        return False
    if isinstance(smallest, str) and not (WRITTEN_DATE.match(smallest) and WRITTEN_DATE.match(largest)):
        return False
    return bool(smallest > largest)
