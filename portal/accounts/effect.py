"""What a change to the declarations means for rights, people and records, for `portal diff` and administrators.

`declared_effect` compares two declarations; `effect` also asks the database, with each person's policy under both.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from portal.accounts.accounts import Account
from portal.accounts.identity import Identity, admit_everyone
from portal.database.engine import reading
from portal.database.migration.temporary_views import open_side_by_side
from portal.database.schema.inspection import inspect_existing
from portal.database.schema.system_tables import system_tables
from portal.database.schema.tables import Tables, build
from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Module
from portal.declaration.source.places import Places
from portal.records.audit.deciding_line import deciding_lines
from portal.records.audit.explain import ExplainStep
from portal.records.audit.visibility_changes import ModulePair, Person, VisibilityChange, visibility_changes
from portal.records.policy import Policy
from portal.workshop.access_table import Rights, access_table
from portal.workshop.differences import Change, FieldLabels, appearance_changes, common_changes, profile_changes
from portal.workshop.new_names import new_names


@dataclass(frozen=True)
class ProfileEffect:
    """What changes for one profile; `people`: how many can sign in with it, before or after; None: unknown."""

    name: str
    people: int | None
    changes: tuple[Change, ...]
    sights: tuple[VisibilityChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes or self.sights)


@dataclass(frozen=True)
class Effect:
    """What a change to the declarations means. `common`: what affects every profile."""

    profiles: tuple[ProfileEffect, ...]
    common: tuple[Change, ...] = ()
    people: int | None = None  # who can sign in, before or after
    concerned: int = 0  # those of them who notice a change
    lost: int = 0  # distinct records that someone no longer sees
    gained: int = 0

    def __bool__(self) -> bool:
        return bool(self.common) or any(self.profiles)


def table_effect(
    before: Mapping[str, Rights], after: Mapping[str, Rights], declarations: Sequence[Declaration]
) -> Effect:
    """The Effect of a change that is only known as two access tables, as with the snapshot of `portal diff`.

    `declarations`: where to look up the labels of fields, the newest first.
    """
    labels = FieldLabels(tuple(declarations))
    before = new_names(declarations[0]).of_table(before)
    names = dict.fromkeys((*before, *after))
    return Effect(
        tuple(
            ProfileEffect(name, None, tuple(profile_changes(before.get(name), after.get(name), labels)))
            for name in names
        )
    )


def declared_effect(before: Declaration, after: Declaration) -> Effect:
    """The Effect of two declarations, without a database."""
    labels = FieldLabels((after, before))
    old, new = new_names(after).of_table(access_table(before)), access_table(after)
    profiles = tuple(
        ProfileEffect(
            name,
            None,
            (*profile_changes(old.get(name), new.get(name), labels), *appearance_changes(before, after, name)),
        )
        for name in dict.fromkeys((*old, *new))
    )
    return Effect(profiles, tuple(common_changes(before, after)))


def effect(engine: sa.Engine, before: Declaration, after: Declaration, now: datetime.datetime) -> Effect:
    """The Effect of two declarations for everyone who has an account in this database. Writes nothing."""
    declared = declared_effect(before, after)
    sides = _own_tables(engine, before), _own_tables(engine, after)
    opened = open_side_by_side(engine, *sides)
    pairs = _module_pairs(before.modules, after.modules)
    try:
        with reading(opened) as connection:
            people = _everyone(connection, *sides, now)
            sights = tuple(visibility_changes(connection, people, pairs))
    finally:
        opened.dispose()
    return _joined(declared, people, sights, pairs)


def _own_tables(engine: sa.Engine, declaration: Declaration) -> Tables:
    """Tables for one comparison of declarations, which renames them."""
    return build(declaration, inspect_existing(engine, declaration), system_tables())


def _module_pairs(before: Mapping[str, Module], after: Mapping[str, Module]) -> list[ModulePair]:
    """The modules of the compared declarations in pairs, also if renamed."""
    pairs = []
    for name, module in after.items():
        former = name if name in before else None
        if former is None and module.formerly in before and module.formerly not in after:
            former = module.formerly
        pairs.append(ModulePair(former, name))
    known = {pair.before for pair in pairs}
    return [*pairs, *(ModulePair(name, None) for name in before if name not in known)]


def _everyone(connection: sa.Connection, before: Tables, after: Tables, now: datetime.datetime) -> list[Person]:
    """Everyone who can sign in under one of two compared declarations, with their rights under both."""
    rights = [dict(_policies(connection, tables, now)) for tables in (before, after)]
    accounts = {account.id: account for side in rights for account in side}
    by_id = [{account.id: policy for account, policy in side.items()} for side in rights]
    return [
        Person(account.name, account.profile, by_id[0].get(account.id), by_id[1].get(account.id))
        for account in accounts.values()
    ]


def _policies(connection: sa.Connection, tables: Tables, now: datetime.datetime) -> Iterator[tuple[Account, Policy]]:
    language = tables.declaration.settings.languages[0]
    for account, admitted in admit_everyone(connection, tables, language=language, now=now):
        if isinstance(admitted, Identity):
            yield account, admitted.policy


def _joined(
    declared: Effect, people: Sequence[Person], sights: Sequence[VisibilityChange], pairs: Sequence[ModulePair]
) -> Effect:
    profiles, concerned = [], 0
    for profile in declared.profiles:
        own = [person for person in people if person.profile == profile.name]
        seen = tuple(sight for sight in sights if sight.profile == profile.name)
        profiles.append(ProfileEffect(profile.name, len(own), profile.changes, seen))
        affected = {id(person) for sight in seen for person in sight.people}
        concerned += len(own) if profile.changes else len(affected)
    lost, gained = (
        sum(len(_records(sights, module, is_lost)) for module in names)
        for is_lost, names in ((True, {pair.before for pair in pairs}), (False, {pair.after for pair in pairs}))
    )
    return Effect(tuple(profiles), declared.common, len(people), concerned, lost, gained)


def _records(sights: Sequence[VisibilityChange], module: str | None, lost: bool) -> set[int]:
    """The distinct records of a module that someone loses, or gains, by a change to the declarations."""
    return {
        record_id for sight in sights if sight.lost is lost and sight.module == module for record_id in sight.records
    }


def place_of_change(change: Change, profile: str | None, declaration: Declaration, places: Places) -> str:
    """The place in a declaration that a change is about, as `file:line:column`; "" if it is not written anywhere."""
    word = change.word if change.kind == "gained" else ""  # what is lost is no longer written there
    step = ExplainStep(True, change.sentence, change.keys, change.module_keys, word)
    line = next(iter(deciding_lines(places, declaration, step, profile)), None)
    return line.place if line else ""
