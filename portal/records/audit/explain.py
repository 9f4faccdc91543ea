"""Why an account may, or may not, see a record, read a field or perform an action: the policy's answer, step by step.

Every step is decided by the policy, or a part of it; nothing is decided here a second time. A step names the keys of
the declaration that decided; callers that show it add their lines (deciding_line.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from portal.conditions import ALWAYS
from portal.declaration.computed_fields import unseen_rollups
from portal.declaration.shapes import ACTIONS, Access, leaves
from portal.records.policy import Policy
from portal.records.reading.named_records import find_records
from portal.records.reading.records import Query, Record, Records
from portal.records.reading.watchers import watchers, who_added
from portal.records.writing.lifecycle import is_for_reader, state_of
from portal.texts import _

Keys = tuple[str, ...]
# The keys that can list a field to show it. A generated layout is not written anywhere.
LAYOUTS: tuple[Keys, ...] = (("list", "columns"), ("detail", "sections"), ("detail", "aside"), ("create",), ("edit",))


@dataclass(frozen=True)
class ExplainStep:
    """One reason. The keys lead to what decides in the declaration, most important first; `word` is written there."""

    holds: bool
    sentence: str
    profile_keys: tuple[Keys, ...] = ()
    module_keys: tuple[Keys, ...] = ()
    word: str = ""
    joined: bool = False  # the keys of a profile and of all those it extends decide together


def explain(
    connection: sa.Connection, policy: Policy, module: str, reference: str | int, subject: str | None = None
) -> Iterator[ExplainStep]:
    """The steps to the answer, up to the first that fails. `reference`: of the record, or its id; `subject`: a field,
    an action or a transition. Raises LookupError for what does not exist."""
    yield from _until_one_fails(_steps(connection, policy, module, reference, subject))


def explain_module(policy: Policy, module: str, action: str) -> Iterator[ExplainStep]:
    """The steps to whether the reader has a module and may perform `action`, if given, which needs no record."""
    steps = [_module_step(policy, module)]
    yield from _until_one_fails(iter(steps + ([_granted_step(policy, module, action)] if action else [])))


def steps_of_rights(policy: Policy, module: str) -> Iterator[ExplainStep]:
    """The steps that say what a reader sees and may do in a module they have, regardless of any record."""
    access = policy.modules[module]
    yield _see_step(module, access, "", True)
    if access.where != ALWAYS:
        yield ExplainStep(True, "", (("modules", module, "where"),), joined=True)
    if access.can:
        yield ExplainStep(True, "", (("modules", module, "can"),))


def _until_one_fails(steps: Iterator[ExplainStep]) -> Iterator[ExplainStep]:
    for step in steps:
        yield step
        if not step.holds:
            return


def _steps(
    connection: sa.Connection, policy: Policy, module: str, reference: str | int, subject: str | None
) -> Iterator[ExplainStep]:
    access = policy.access(module)
    yield _module_step(policy, module)
    if access is None:
        return
    records = Records(connection, policy, module)
    system = records.as_system
    record = _record_named(system, reference)
    yield from _scope_steps(connection, policy, records, record, access)
    if subject is None:
        return
    if subject in records.module.everything:
        yield _field_step(records, subject)
    else:
        yield from _action_steps(records, record, subject)


def _module_step(policy: Policy, module: str) -> ExplainStep:
    names, here = {"profile": policy.profile.name, "module": module}, (("modules", module),)
    if policy.access(module) is None:
        return ExplainStep(False, _("the profile ${profile} does not have the module ${module}", mapping=names), here)
    return ExplainStep(True, _("the profile ${profile} has the module ${module}", mapping=names), here)


def _record_named(system: Records, reference: str | int) -> Record:
    """The record to explain, by its id, reference, unique field, title or bare number, as the portal sees it.

    Raises LookupError if none or several match."""
    ids = [reference] if isinstance(reference, int) else find_records(system, reference)
    if not ids and isinstance(reference, str) and reference.isdecimal():
        ids = _numbered(system, int(reference))
    records = system.by_ids(ids[:3], [])
    if len(records) > 1:
        references = " or ".join(record.reference for record in records)
        raise LookupError(f'"{reference}" means several records of {system.name}: write {references}')
    if not records:
        newest = [record.reference for record in system.page(Query(size=1), []).records]
        cure = f": write its reference, such as {newest[0]}" if newest else ", because it has none"
        raise LookupError(f'{system.name} has no record "{reference}"{cure}')
    return records[0]


def _numbered(system: Records, number: int) -> list[int]:
    """The ids of the records to explain that have this number, or this id."""
    columns = [system.table.c[name] for name in ("number", "id") if name in system.table.c]
    same = sa.or_(*(column == number for column in columns))
    return list(system.connection.scalars(sa.select(system.table.c["id"]).where(same).order_by(*columns)))


def _scope_steps(
    connection: sa.Connection, policy: Policy, records: Records, record: Record, access: Access
) -> Iterator[ExplainStep]:
    module, here = records.name, ("modules", records.name)
    see = f"{{through: {access.through}}}" if access.through else access.see
    names = {"record": record.reference, "see": see, "day": str(policy.records_from)}
    holds = Records(connection, policy.without_where(module), module).exists(record.id)
    person = policy.reader.person
    if access.see != "all" and person in watchers(connection, policy.tables, records.module, record.id):
        author = who_added(connection, policy.tables, module, record.id, person)
        added = _("this person watches ${record}: added by ${author}", mapping={**names, "author": author or ""})
        sentence = added if author else _("this person watches ${record}", mapping=names)
        yield ExplainStep(holds, sentence, (), ((module, "watchers"),))
    else:
        within = _("“see: ${see}” covers ${record} for this person", mapping=names)
        beyond = _("“see: ${see}” does not cover ${record} for this person", mapping=names)
        yield _see_step(module, access, within if holds else beyond, holds)
    if access.where != ALWAYS:
        holds = Records(connection, policy.without_day(), module).exists(record.id)
        sentence = _("the “where” condition is met") if holds else _("the “where” condition is not met")
        yield ExplainStep(holds, sentence, ((*here, "where"),), joined=True)
    if policy.hides_older(module):
        holds = records.exists(record.id)
        recent = _("records are visible from ${day} on, and ${record} is recent enough or watched", mapping=names)
        older = _("records are visible from ${day} on, and ${record} is older", mapping=names)
        yield ExplainStep(holds, recent if holds else older)


def _see_step(module: str, access: Access, sentence: str, holds: bool) -> ExplainStep:
    keys = ("see", "owner" if access.see == "own" else "organization")
    return ExplainStep(holds, sentence, (("modules", module, "see"),), tuple((module, key) for key in keys))


def _field_step(records: Records, name: str) -> ExplainStep:
    module, here = records.name, ("modules", records.name)
    names = {"field": name, "module": module}
    if name in records.policy.readable(module):
        titles = ("id", "reference", records.module.title_field.name)
        if name in titles:
            shown = _("${field} identifies records of ${module}, so it can always be read", mapping=names)
        else:
            shown = _("a layout of ${module} shows ${field} to this profile", mapping=names)
        layouts = tuple((*here, *layout) for layout in LAYOUTS)
        return ExplainStep(True, shown, layouts, ((module, "fields", name), (module,)), name)
    if records.module.field(name).internal and not records.policy.staff:
        return ExplainStep(False, _("${field} is internal: staff only", mapping=names), (), ((module, "fields", name),))
    first_day = records.policy.records_from is not None
    unseen = unseen_rollups(records.policy.declaration.modules, records.policy.modules, first_day)
    for rollup in records.module.field(name).rollups:
        if rollup.place in unseen:
            names["other"] = rollup.counted
            partly = _("${field} is computed from all ${other}, and this person cannot see all of them", mapping=names)
            return ExplainStep(False, partly, (("modules", rollup.counted),), ((module, "fields", name),))
    return ExplainStep(False, _("no layout of ${module} shows ${field} to this profile", mapping=names), (here,))


def _action_steps(records: Records, record: Record, action: str) -> Iterator[ExplainStep]:
    module, transitions = records.name, records.module.transitions
    transition = transitions.get(action)
    if transition is None and action not in ACTIONS:
        known = [*ACTIONS, *transitions]
        raise LookupError(f'{module} has no field, action or transition "{action}"; actions are {", ".join(known)}')
    yield _granted_step(records.policy, module, action)
    if transition is None:
        return
    path = (module, "lifecycle", "transitions", action)
    now = state_of(records, record)
    names = {"action": action, "field": transition.only, "state": now}
    if transition.only is not None:
        alone = is_for_reader(records, record, transition)
        among = _("${action} is reserved for ${field}, which includes this person", mapping=names)
        others = _("${action} is reserved for ${field}, which does not include this person", mapping=names)
        yield ExplainStep(alone, among if alone else others, (), ((*path, "only"),))
    starts = leaves(transition, now)
    here, elsewhere = (
        _("${action} starts in the state ${state}", mapping=names),
        _("${action} does not start in the state ${state}", mapping=names),
    )
    yield ExplainStep(starts, here if starts else elsewhere, (), (path,))


def _granted_step(policy: Policy, module: str, action: str) -> ExplainStep:
    granted, names = policy.may(module, action), {"action": action}
    yes, no = _("“can” grants ${action}", mapping=names), _("“can” does not grant ${action}", mapping=names)
    keys = (("modules", module, "can"), ("modules", module))
    return ExplainStep(granted, yes if granted else no, keys, word=action if granted else "")
