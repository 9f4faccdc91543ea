"""Why an account may, or may not, see a record, read a field or perform an action: the policy's answer, step by step.

Every step is decided by the policy, or by a part of it; nothing is decided here a second time. A step names the keys of
the declaration that decided; the command adds their lines.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import sqlalchemy as sa

from portal.conditions import ALWAYS
from portal.declaration.shapes import ACTIONS, Access, Through
from portal.records.policy import Policy
from portal.records.reading.records import Record, Records
from portal.records.reading.watchers import watchers
from portal.records.writing.defaults import find_named
from portal.records.writing.lifecycle import leaves, state_of
from portal.records.writing.transitions import is_for_reader

Keys = tuple[str, ...]
# Where a field may be written to be shown. A generated layout is written nowhere.
LAYOUTS: tuple[Keys, ...] = (("list", "columns"), ("detail", "sections"), ("detail", "aside"), ("create",), ("edit",))


@dataclass(frozen=True)
class Step:
    """One reason. The keys lead to where the declaration says so, the most important first; `word` stands there."""

    holds: bool
    sentence: str
    profile_keys: tuple[Keys, ...] = ()
    module_keys: tuple[Keys, ...] = ()
    word: str = ""
    joined: bool = False  # the keys of all profiles that a profile extends decide together


def explain(
    connection: sa.Connection, policy: Policy, module: str, reference: str, subject: str | None = None
) -> Iterator[Step]:
    """The steps to the answer, up to the first that does not hold. Raises LookupError for what does not exist."""
    for step in _steps(connection, policy, module, reference, subject):
        yield step
        if not step.holds:
            return


def _steps(
    connection: sa.Connection, policy: Policy, module: str, reference: str, subject: str | None
) -> Iterator[Step]:
    access, here = policy.access(module), ("modules", module)
    enabled = access is not None
    has = "has" if enabled else "lacks"
    yield Step(enabled, f"the profile {policy.profile.name} {has} the module {module}", (here,))
    if access is None:
        return
    records = Records(connection, policy, module)
    system = records.as_system
    record = _record(system, reference)
    yield from _scope_steps(connection, policy, records, record, access)
    if subject is None:
        return
    if subject in records.module.everything:
        yield _field_step(records, subject)
    else:
        yield from _action_steps(records, record, subject)


def _record(system: Records, reference: str) -> Record:
    """The record of a reference, as the portal sees it; by unique field or title too."""
    table = system.table
    ids = system.connection.execute(sa.select(table.c["id"]).where(table.c["reference"] == reference)).scalars().all()
    ids = list(ids) or find_named(system.connection, system.policy, system.name, reference)
    if not ids:
        raise LookupError(f"{system.name} has no record {reference}")
    return system.by_ids(ids[:1], [])[0]


def _scope_steps(
    connection: sa.Connection, policy: Policy, records: Records, record: Record, access: Access
) -> Iterator[Step]:
    module, here = records.name, ("modules", records.name)
    see = f"{{through: {access.see.through}}}" if isinstance(access.see, Through) else access.see
    within = _with(policy, module, replace_where=True)
    holds = Records(connection, within, module).exists(record.id)
    keys = ("see", "owner" if access.see == "own" else "organization")
    person = policy.reader.person
    if access.see != "all" and person in watchers(connection, policy.tables, records.module, record.id):
        yield Step(holds, f"person {person} watches {record.reference}", (), ((module, "watchers"),))
    else:
        yield Step(
            holds,
            f"{record.reference} is {'' if holds else 'not '}within “see: {see}” for {_who(policy)}",
            ((*here, "see"),),
            tuple((module, key) for key in keys),
        )
    if access.where != ALWAYS:
        holds = Records(connection, _with(policy, module), module).exists(record.id)
        sentence = f"the condition “where” {'holds' if holds else 'does not hold'}"
        yield Step(holds, sentence, ((*here, "where"),), joined=True)
    if policy.hides_older(module):
        holds = records.exists(record.id)
        then = f"records are visible from {policy.records_from} on"
        yield Step(holds, f"{then}: {record.reference} {'is recent enough, or watched' if holds else 'is older'}")


def _with(policy: Policy, module: str, replace_where: bool = False) -> Policy:
    """The policy without the date from which records are visible; without the module's `where` too."""
    access = policy.modules[module]
    access = access.model_copy(update={"where": ALWAYS}) if replace_where else access
    profile = policy.profile.model_copy(update={"modules": {**policy.modules, module: access}})
    return replace(policy, profile=profile, records_from=None)


def _who(policy: Policy) -> str:
    reader = policy.reader
    if reader.person is None:
        return "an account without person"
    companies = f", companies {', '.join(map(str, reader.companies))}" if reader.companies else ""
    return f"person {reader.person}{companies}"


def _field_step(records: Records, name: str) -> Step:
    module, here = records.name, ("modules", records.name)
    if name in records.policy.readable(module):
        shown = f"{name} stands in a layout of {module}, or is readable always"
        layouts = tuple((*here, *layout) for layout in LAYOUTS)
        return Step(True, shown, layouts, ((module, "fields", name), (module,)), name)
    if records.module.field(name).internal and not records.policy.staff:
        return Step(False, f"{name} is internal: staff only", (), ((module, "fields", name),))
    return Step(False, f"no layout of {module} shows {name} to this profile", (here,))


def _action_steps(records: Records, record: Record, action: str) -> Iterator[Step]:
    module, lifecycle = records.name, records.module.lifecycle
    transition = lifecycle.transitions.get(action) if lifecycle else None
    if transition is None and action not in ACTIONS:
        known = [*ACTIONS, *(lifecycle.transitions if lifecycle else ())]
        raise LookupError(f'{module} has no field, action or transition "{action}"; actions are {", ".join(known)}')
    granted = records.policy.may(module, action)
    keys = (("modules", module, "can"), ("modules", module))
    sentence = f"“can” {'grants' if granted else 'does not grant'} {action}"
    yield Step(granted, sentence, keys, word=action if granted else "")
    if transition is not None and transition.only is not None:
        alone = is_for_reader(records, record, transition)
        sentence = f"only {transition.only} may {action}: {_who(records.policy)} is {'' if alone else 'not '}among them"
        yield Step(alone, sentence, (), ((module, "lifecycle", "transitions", action, "only"),))
    if transition is not None:
        now = state_of(records, record)
        open_now = leaves(transition, now)
        sentence = f"{action} {'starts' if open_now else 'does not start'} in the state {now}"
        yield Step(open_now, sentence, (), ((module, "lifecycle", "transitions", action),))
