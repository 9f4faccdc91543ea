"""Checks deadlines and elapsed times: the choice and its options, the durations and moments they name, the states in
which they pause or count, and the hours that count."""

import datetime
from collections.abc import Collection, Sequence
from dataclasses import replace

from portal.declaration.declaration_draft import MODULES, DeclarationDraft
from portal.declaration.shape_keys import value_of_key
from portal.declaration.shapes import Module
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.suggestions import closest, did_you_mean, suggest
from portal.declaration.unknown_names import no_option, no_part, no_state
from portal.fields.base import Field
from portal.fields.deadline import DeadlineRule, is_path
from portal.fields.working_hours import public_holidays

# Keys that a deadline cannot honor: it is empty during a pause, and two records may be due at the same time.
SET_OTHERWISE = ("default", "required", "required_when", "unique")
OF_WITHIN = ("pause", "stop", "from_", "to_")
SOME_DAY = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def check_deadline(draft: DeclarationDraft, module: Module, field: Field, at: Cursor) -> None:
    """Checks `within` of a datetime and its related keys, and the states and hours of an elapsed time."""
    if field.stopwatch is not None:
        _check_stopwatch(draft, module, field, at)
    if not field.is_moment:
        return
    if field.takes_days:
        _check_time(module, field, at["time"])
    if not field.sets_deadline:
        is_judged = any(field.name in other.judged_deadlines for other in module.fields.values())
        for name in OF_WITHIN:
            key = name.rstrip("_")
            if value_of_key(field, name) and not (name == "to_" and is_judged):
                at[key].key.warn("has no effect: without within: the portal sets no deadline")
    elif module.name in draft.row_modules:
        at["within"].key.wrong("within has no meaning here: a record has deadlines, a line has none")
    else:
        _check_within(draft, module, field, at)


def _check_time(module: Module, field: Field, at: Cursor) -> None:
    """Checks `time`: a day without a time needs another column, and cannot be a deadline counted to the minute."""
    if module.table is not None:
        at.key.wrong("time has no meaning here: an existing table has no place for a day without a time")
    elif field.sets_deadline:
        at.key.wrong("write time: optional or within, not both: a deadline that the portal sets has a time")


def _check_within(draft: DeclarationDraft, module: Module, field: Field, at: Cursor) -> None:
    rule = field.deadline_rule
    if rule is None or not rule.targets or (rule.choice and len(value_of_key(field, "within")) > 1):
        if not draft.is_broken(module.name, field.name):
            at["within"].wrong("must name one choice, and the time for each of its options")
        return
    if module.table is not None:
        at["within"].key.wrong("within has no meaning here: an existing table has no place for the time that is left")
    for key in SET_OTHERWISE:
        if value_of_key(field, key):
            at[key].key.wrong(f"{key} has no meaning here: within: sets this field")
    _check_choice(draft, module, rule, at["within"])
    _check_targets(draft, module, rule, at["within"])
    for key in ("from", "to"):
        if name := value_of_key(field, f"{key}_"):
            _check_moment(draft, module, field, name, at[key])
    _check_pause_and_stop(module, value_of_key(field, "pause"), value_of_key(field, "stop"), at)


def _check_stopwatch(draft: DeclarationDraft, module: Module, field: Field, at: Cursor) -> None:
    key = "in" if value_of_key(field, "in_") else "hours"
    if module.name in draft.row_modules:
        at[key].key.wrong(f"{key} has no meaning here: it is counted for records, not for lines")
    elif module.table is not None:
        at[key].key.wrong(f"{key} has no meaning here: an existing table has no place for the time that is counted")
    else:
        _check_states(module, value_of_key(field, "in_"), at["in"])


def check_hours(draft: DeclarationDraft) -> None:
    """Warns about hours and holidays that leave no time to count."""
    fields = [field for module in draft.modules.values() for field in module.fields.values()]
    if any(field.deadline_rule or value_of_key(field, "hours") for field in fields):
        return
    for key in ("hours", "holidays"):
        if getattr(draft.settings, key):
            draft.at(MODULES, "portal", key).key.warn(
                "has no effect: no field has a deadline that within: sets, nor counts working time"
            )


def check_holidays(draft: DeclarationDraft) -> bool:
    """Whether the holidays of `portal:` are usable; reports what is wrong with them."""
    days, at, usable = draft.settings.holidays, draft.at(MODULES, "portal", "holidays"), True
    for index, day in enumerate(days):
        problem = _place_problem(day) if isinstance(day, str) else None
        usable &= problem is None
        if day in days[:index]:
            problem = f'"{day}" appears twice'
        if problem:
            at.inner(index).wrong(problem)
    dates = [day for day in days if isinstance(day, datetime.date)]
    if dates and len(dates) == len(days) and max(dates) < draft.reader.today:
        at.warn("the last of these days is over: name those to come, or a country such as IT")
    return usable


def _place_problem(place: str) -> str | None:
    """Why there are no holidays for such a place, or None."""
    if place[:1].isdigit():
        return f'"{place}" is not a date'
    country, _dash, region = place.partition("-")
    codes, names = public_holidays.CODES, public_holidays.NAMES
    if country not in codes:
        named = closest(place.replace("_", " "), [name for name in names if name[0] == place[:1].lower()])
        guess = codes.get(country.upper()) or (names[named] if named else None)
        return f'no country "{place}"' + (did_you_mean(guess) or ": use a code such as IT, or DE-BY for a region")
    if place.endswith("-"):
        return f'"{place}" names no region: write {country} for all of the country'
    if region and region not in (regions := public_holidays.regions_of(country)):
        return f'no region "{region}" of {country}{suggest(region, regions)}'
    return None


def _check_choice(draft: DeclarationDraft, module: Module, rule: DeadlineRule, at: Cursor) -> None:
    if not rule.choice:
        return
    field = draft.require_field(module.name, rule.choice, at[rule.choice].key)
    if field is None:
        return
    if not field.declared_options or field.multiple or field.virtual:
        at[rule.choice].key.wrong(f'"{rule.choice}" is not a choice: within: needs one, or a formula with a table')
    else:
        for name in rule.targets:
            if name not in field.offered:
                at[rule.choice][name].key.wrong(no_option(draft.holder_of(field), name, field.offered))


def _check_targets(draft: DeclarationDraft, module: Module, rule: DeadlineRule, at: Cursor) -> None:
    hours = replace(rule.hours, countries=())
    for option, target in rule.targets.items():
        place = at[rule.choice][option] if rule.choice else at
        if is_path(target):
            _check_path(draft, module, target, place)
        elif hours.later(SOME_DAY, hours.seconds(target)) is None:
            place.wrong("ten years do not have this much working time")


def _check_path(draft: DeclarationDraft, module: Module, path: str, at: Cursor) -> None:
    """Checks the path of a duration, which is in the record or in one that it links to."""
    followed = draft.follow(module.name, path.split("."))
    if followed.problem:
        at.wrong(followed.problem)
    last = followed.last
    if last is None:
        return
    links = [field for _module, field in followed.steps[:-1]]
    if last.value_type != "duration" or last.virtual:
        at.wrong(f'"{path}" is not a duration: within: takes a period such as "4 h", or a field that holds one')
    for link in links:
        if link.multiple or link.computed:
            at.wrong(f'"{link.name}" does not lead to one record')


def _check_moment(draft: DeclarationDraft, module: Module, deadline: Field, name: str, at: Cursor) -> None:
    field = module.everything.get(name)
    if field is None:
        if not draft.is_broken(module.name, name):
            at.wrong(draft.no_field(module.name, name))
    elif not field.is_moment or field.computed:
        at.wrong(f'"{name}" is not a datetime that someone, or a transition, sets')
    elif field is deadline:
        at.wrong("a deadline cannot depend on itself")


def _check_pause_and_stop(module: Module, pause: Collection[str], stop: Sequence[str], at: Cursor) -> None:
    _check_states(module, pause, at["pause"])
    _check_states(module, stop, at["stop"])
    for index, name in enumerate(stop):
        if name in pause:
            at["stop"].inner(index).wrong(f'"{name}" appears twice')


def _check_states(module: Module, names: Collection[str], at: Cursor) -> None:
    if names and module.lifecycle is None:
        at.key.wrong(no_part(module.name, "lifecycle", ", and so no states in which time pauses or counts"))
        return
    field = module.fields.get(module.state_field or "")
    states = field.declared_options if field is not None else {}
    for index, name in enumerate(names):
        if field is not None and name not in states:
            at.inner(index).wrong(no_state(module.name, name, states))
