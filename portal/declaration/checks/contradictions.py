"""Finds conditions that no record can fulfill: lines that exclude each other, and values that a field never holds.

It tries the values that the lines name, their neighbors and the empty value; the field itself compares them, as in a
form. What is not known in advance (`me`, the title of a record, `$field`) counts as possible.
"""

import datetime
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from portal.condition_texts import condition_text
from portal.conditions import AllOf, AnyOf, Comparison, Condition, FieldValue, joined_conditions
from portal.declaration.declaration_draft import DeclarationDraft, FollowedPath
from portal.fields.base import Field
from portal.fields.reader import Reader
from portal.fields.refused import Refused

ALWAYS_FILLED = ("id", "number", "reference", "created", "modified", "channel", "comments", "attachments")
LATER = datetime.timedelta(days=36_500)  # what is contradictory today and then always is
ANYTHING = object()  # some unknown value
ANOTHER = object()  # some value that no comparison names
FieldAt = Callable[[tuple[str, ...]], "Place | None"]


class Place:
    """What a path of a condition leads to: the field, whether it has a single value, and the possible values."""

    def __init__(self, draft: DeclarationDraft, followed: FollowedPath) -> None:
        last, field = followed.steps[-1]
        owner = draft.known(last)
        existing = owner is not None and owner.table is not None
        self.field: Field = field
        self.is_single = not any(step.multiple or step.row_fields for _module, step in followed.steps)
        self.has_limits = not (field.computed or existing)
        state = owner.state_field if owner is not None else None
        self.may_be_empty = len(followed.steps) > 1 or existing or field.name not in (*ALWAYS_FILLED, state)


def contradiction(draft: DeclarationDraft, module: str, condition: Condition) -> str | None:
    """Why no record of `module` can fulfill a condition with valid names and values, or None."""
    place_of, reader = partial(_place_of, draft, module), _reader(draft)
    excluding = _excluding(condition, place_of, reader)
    if excluding is None:
        return None
    texts = list(dict.fromkeys(f'"{condition_text(comparison)}"' for comparison in excluding))
    if len(texts) > 1:
        return f"{' and '.join(texts)} never hold together"
    place = place_of(excluding[0].path)
    limits = _limits(place.field, excluding[0], reader) if place is not None and place.has_limits else ""
    return f"{texts[0]} never holds{': ' + limits[:1].lower() + limits[1:].rstrip('.') if limits else ''}"


def _limits(field: Field, comparison: Comparison, reader: Reader) -> str:
    """What a form would reply to the values of a comparison, else the bounds of the field; "" if it has none."""
    for raw in _known_values(comparison, field):
        try:
            field.read(field.write(field.constant(raw, reader)), reader)
        except Refused as refused:
            return reader.text(refused.message)
    return reader.text(field.bounds_hint(reader))


def always_holds(draft: DeclarationDraft, module: str, comparison: Comparison) -> bool:
    """Whether every record of `module` fulfills one comparison."""
    turned = replace(comparison, negated=not comparison.negated)
    return _excluding(turned, partial(_place_of, draft, module), _reader(draft)) is not None


def _reader(draft: DeclarationDraft) -> Reader:
    """A reader for trying conditions on other days: a value that had to be in the future is in the past one day."""
    return replace(draft.reader, chooses_now=False)


def _place_of(draft: DeclarationDraft, module: str, path: tuple[str, ...]) -> Place | None:
    followed = draft.follow(module, path, into_rows=True)
    return Place(draft, followed) if followed.last is not None else None


def _excluding(condition: Condition, place_of: FieldAt, reader: Reader) -> Sequence[Comparison] | None:
    """Comparisons that never all hold, as few as possible; None if the condition can be fulfilled."""
    parts = list(joined_conditions(AllOf((condition,))))
    single = [part for part in parts if isinstance(part, Comparison)]
    by_path: dict[tuple[str, ...], list[Comparison]] = {}
    for comparison in single:
        by_path.setdefault(comparison.path, []).append(comparison)
    for path, comparisons in by_path.items():
        place = place_of(path)
        if place is not None and (group := _smallest(comparisons, place, reader)):
            return group
    for part in parts:
        if isinstance(part, AnyOf):
            ways = [_excluding(AllOf((*single, way)), place_of, reader) for way in part.parts]
            if ways and all(ways):
                return ways[0]
    return None


def _smallest(comparisons: list[Comparison], place: Place, reader: Reader) -> Sequence[Comparison]:
    """The fewest comparisons of one path in a condition that never hold together; empty if all can.

    If there may be several values, each comparison may be fulfilled by a different one.
    """
    if place.is_single and _can_hold(comparisons, place, reader):
        return ()
    sizes = sorted({1, 2, 3, len(comparisons)}) if place.is_single else (1,)
    groups = (group for size in sizes for group in itertools.combinations(comparisons, size))
    return next((group for group in groups if not _can_hold(group, place, reader)), ())


def _can_hold(comparisons: Sequence[Comparison], place: Place, reader: Reader) -> bool:
    """Whether one value can fulfill all of the comparisons, now or later."""
    return _hold_at(reader, comparisons, place) or _hold_at(replace(reader, now=reader.now + LATER), comparisons, place)


def _hold_at(reader: Reader, comparisons: Sequence[Comparison], place: Place) -> bool:
    try:
        tried = _values(comparisons, place, reader)
        return any(all(_holds(place.field, value, item, reader) for item in comparisons) for value in tried)
    except (Refused, OverflowError):  # for values already reported, or at the end of the calendar
        return True


def _values(comparisons: Sequence[Comparison], place: Place, reader: Reader) -> Iterator[object]:
    """Values that decide whether all comparisons can hold, including the empty one if the field may be empty."""
    field = place.field
    if place.may_be_empty:
        yield () if field.multiple else None
    if field.offered and not field.multiple and not field.targets:
        yield from (field.constant(name, reader) for name in field.offered)
        if not place.has_limits:
            yield ANOTHER
        return
    named = [field.constant(raw, reader) for item in comparisons for raw in _known_values(item, field)]
    near = [value for constant in named for value in field.near(constant)]
    if not near:
        yield ANYTHING
    elif place.has_limits:
        near += [value for bound in field.bounds(reader) if bound is not None for value in field.near(bound)]
    yield from (value for value in near if not place.has_limits or _is_taken(field, value, reader))
    if field.filter == "text":
        yield ANOTHER


def takes_anything(field: Field, reader: Reader) -> bool:
    """Whether the bounds of a field do not contradict its other keys: a form accepts a value at one of them, or a bound
    is missing."""
    bounds = field.bounds(reader)
    if None in bounds:
        return True
    try:
        near = [value for bound in bounds for value in field.near(bound)]
    except OverflowError:  # at the end of the calendar, as 9999-12-31 is
        return True
    return not near or any(_is_taken(field, value, reader) for value in near)


def _is_taken(field: Field, value: object, reader: Reader) -> bool:
    try:
        return not field.is_empty(field.read(field.write(value), reader))
    except Refused:
        return False


def _known_values(comparison: Comparison, field: Field) -> list[object]:
    """The values in a comparison of a condition that are known without a record or a form."""
    if field.targets or comparison.operator in ("empty", "contains", "within"):
        return []
    values = comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)
    return [value for value in values if value not in (None, "") and not isinstance(value, FieldValue)]


def _holds(field: Field, value: object, comparison: Comparison, reader: Reader) -> bool:
    """Whether a comparison holds for a value; for ANYTHING, every comparison does unless it is about emptiness."""
    empty = value not in (ANYTHING, ANOTHER) and field.is_empty(value)
    values = comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)
    if comparison.operator == "empty":
        return (empty is comparison.value) is not comparison.negated
    if empty and comparison.operator in ("equal", "one_of") and not {None, ""}.isdisjoint(values):
        return not comparison.negated
    constants = _known_values(comparison, field)
    if value is ANYTHING or len(constants) < len(values):
        return not empty or comparison.negated
    if value is ANOTHER:
        return comparison.negated
    operator = "equal" if comparison.operator == "one_of" else comparison.operator
    matches = any(field.matches(value, operator, field.constant(raw, reader)) for raw in constants)
    return matches is not comparison.negated
