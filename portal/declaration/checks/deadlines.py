"""Checks deadlines: the choice and its options, the states in which they stand, the hours in which they are counted."""

import datetime
from collections.abc import Collection, Sequence
from dataclasses import replace

from portal.declaration.declaration_draft import MODULES, DeclarationDraft
from portal.declaration.shape_keys import value_of_key
from portal.declaration.shapes import Module
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.suggestions import closest, did_you_mean, suggest
from portal.fields.base import Field
from portal.fields.deadline import DeadlineRule
from portal.fields.working_hours import public_holidays

# What a deadline cannot keep: it is empty during a pause, and two records may be due at once.
SET_OTHERWISE = ("default", "required", "required_when", "unique")
SOME_DAY = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def check_deadline(draft: DeclarationDraft, module: Module, field: Field, at: Cursor) -> None:
    """Checks `within`, `pause` and `stop` of a field."""
    within, rule = value_of_key(field, "within"), field.deadline_rule
    if within is None:
        for key in ("pause", "stop"):
            if value_of_key(field, key):
                at[key].key.warn("has no effect: without within: the portal sets no deadline")
        return
    if module.name in draft.row_modules:
        at["within"].key.wrong("within has no meaning here: a record has deadlines, a line has none")
        return
    if rule is None or not rule.periods or (rule.choice and len(within) > 1):
        if not draft.is_broken(module.name, field.name):
            at["within"].wrong("must name one choice, and the time for each of its options")
        return
    if module.table is not None:
        at["within"].key.wrong("within has no meaning here: an existing table has no place for the time that is left")
    for key in SET_OTHERWISE:
        if value_of_key(field, key):
            at[key].key.wrong(f"{key} has no meaning here: within: sets this field")
    _check_choice(draft, module, rule, at["within"])
    _check_periods(rule, at["within"])
    _check_stands(module, value_of_key(field, "pause"), value_of_key(field, "stop"), at)


def check_hours(draft: DeclarationDraft) -> None:
    """Warns of hours and holidays in which nothing is counted."""
    if any(module.deadlines for module in draft.modules.values()):
        return
    for key in ("hours", "holidays"):
        if getattr(draft.settings, key):
            draft.at(MODULES, "portal", key).key.warn("has no effect: no field has a deadline that within: sets")


def check_holidays(draft: DeclarationDraft) -> bool:
    """Whether the holidays of `portal:` can be used; reports what is wrong with them."""
    days, at, usable = draft.settings.holidays, draft.at(MODULES, "portal", "holidays"), True
    for index, day in enumerate(days):
        complaint = _place_complaint(day) if isinstance(day, str) else None
        usable &= complaint is None
        if day in days[:index]:
            complaint = f'"{day}" appears twice'
        if complaint:
            at.inner(index).wrong(complaint)
    dates = [day for day in days if isinstance(day, datetime.date)]
    if dates and len(dates) == len(days) and max(dates) < draft.reader.today:
        at.warn("the last of these days is over: name those to come, or a country such as IT")
    return usable


def _place_complaint(place: str) -> str | None:
    """Why there are no holidays of such a place, or None."""
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
        for name in rule.periods:
            if name not in field.offered:
                at[rule.choice][name].key.wrong(f'no option "{name}"{suggest(name, field.offered)}')


def _check_periods(rule: DeadlineRule, at: Cursor) -> None:
    hours = replace(rule.hours, countries=())
    for option, period in rule.periods.items():
        if hours.later(SOME_DAY, hours.seconds(period)) is None:
            place = at[rule.choice][option] if rule.choice else at
            place.wrong("so much working time does not pass in ten years")


def _check_stands(module: Module, pause: Collection[str], stop: Sequence[str], at: Cursor) -> None:
    _check_states(module, pause, at["pause"])
    _check_states(module, stop, at["stop"])
    for index, name in enumerate(stop):
        if name in pause:
            at["stop"].inner(index).wrong(f'"{name}" appears twice')


def _check_states(module: Module, names: Collection[str], at: Cursor) -> None:
    if names and module.lifecycle is None:
        at.key.wrong(f"{module.name} has no lifecycle, and so no states in which a deadline stands still")
        return
    field = module.fields.get(module.state_field or "")
    states = field.declared_options if field is not None else {}
    for index, name in enumerate(names):
        if field is not None and name not in states:
            at.inner(index).wrong(f'no state "{name}"{suggest(name, states)}')
