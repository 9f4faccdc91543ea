"""The declaration checked against the records: `expect:` of profiles, and records that conditions and values name.

For `portal check --data`. Yields problems with their places; changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from portal.conditions import ALWAYS, SPECIAL, Condition, FieldValue, comparisons
from portal.database.schema.tables import Tables
from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Expectation, Module
from portal.declaration.source.places import Places
from portal.declaration.source.problems import KeyPath, Problem
from portal.fields.base import Field
from portal.fields.default_paths import value_path
from portal.records.policy import Policy, system_policy
from portal.records.reading.named_records import find_named
from portal.records.reading.records import Records

# The policy of an account by its email address; None if there is no such account.
PolicyOf = Callable[[str], Policy | None]
# A record that the declaration names: file, place, the link, the name.
Named = tuple[str, KeyPath, Field, str]


def check_expectations(
    connection: sa.Connection, declaration: Declaration, places: Places, policy_of: PolicyOf
) -> Iterator[Problem]:
    """A problem for each `expect:` of the profiles that the records do not meet."""
    for profile in declaration.profiles.values():
        file = f"profiles/{profile.name}.yaml"
        for index, expected in enumerate(profile.expect):
            policy = policy_of(expected.as_)
            if policy is None:
                yield places.problem(file, ("expect", index, "as"), f'there is no account "{expected.as_}"')
            elif policy.profile.name != profile.name:
                message = f"{expected.as_} has the profile {policy.profile.name}, not {profile.name}"
                yield places.problem(file, ("expect", index, "as"), message)
            else:
                for key, message in _unmet(connection, policy, expected):
                    yield places.problem(file, ("expect", index, key), message)


def _unmet(connection: sa.Connection, policy: Policy, expected: Expectation) -> Iterator[tuple[str, str]]:
    everything = system_policy(policy.tables)
    for key, names in (("sees", expected.sees), ("hides", expected.hides)):
        for name in names:
            ids = find_named(connection, everything, expected.module, name)
            enabled = policy.access(expected.module) is not None
            seen = enabled and any(Records(connection, policy, expected.module).exists(record_id) for record_id in ids)
            if not ids:
                yield key, f"there is no record {name} in {expected.module}"
            elif seen is not (key == "sees"):
                yield key, f"{expected.as_} {'sees' if seen else 'does not see'} {name} of {expected.module}"


def check_named_records(connection: sa.Connection, tables: Tables, places: Places) -> Iterator[Problem]:
    """A problem for each record name in the declaration: a warning if no record has it, an error if several do."""
    policy = system_policy(tables)
    for file, keys, field, name in _named_records(tables.declaration):
        ids = [record_id for target in field.targets for record_id in find_named(connection, policy, target, name)]
        modules = " or ".join(field.targets)
        if not ids:
            yield places.problem(file, keys, f'there is no record "{name}" in {modules}', warning=True)
        elif len(ids) > 1:
            yield places.problem(file, keys, f'several records of {modules} are called "{name}"')


def _named_records(declaration: Declaration) -> Iterator[Named]:
    """The places in the declaration where a link is compared with, or set to, the name of a record."""
    for module in declaration.modules.values():
        here: KeyPath = ("modules", module.name)
        yield from _in_module(declaration, module, here)
    for profile in declaration.profiles.values():
        file = f"profiles/{profile.name}.yaml"
        for name, access in profile.modules.items():
            here = ("modules", name)
            yield from _in_condition(declaration, name, access.where, file, (*here, "where"))
            yield from _in_values(declaration, name, access.set, file, (*here, "set"))
            if access.list.tabs != declaration.modules[name].list.tabs:
                for tab, shown in (access.list.tabs or {}).items():
                    keys = (*here, "list", "tabs", tab, "where")
                    yield from _in_condition(declaration, name, shown.where, file, keys)
        for index, panel in profile.home.indexed_panels:
            if panel.module in declaration.modules:
                yield from _in_condition(
                    declaration, panel.module, panel.where, file, ("home", "panels", index, "where")
                )
    for button in declaration.buttons.values():
        target, here = (button.opens or "").partition("/")[0], ("buttons", button.name)
        if target in declaration.modules:
            yield from _in_condition(declaration, target, button.where, "buttons.yaml", (*here, "where"))
            yield from _in_values(declaration, target, button.set, "buttons.yaml", (*here, "set"))


def _in_module(declaration: Declaration, module: Module, here: KeyPath) -> Iterator[Named]:
    for name, field in module.fields.items():
        keys = (*here, "fields", name)
        default = {} if value_path(field.default) else {name: field.default}
        yield from _in_values(declaration, module.name, default, "modules.yaml", (*keys, "default"))
        for key in ("show_when", "required_when", "read_only_when"):
            yield from _in_condition(declaration, module.name, getattr(field, key), "modules.yaml", (*keys, key))
        for option, condition in field.option_conditions.items():
            in_option = (*keys, "options", option, "show_when")
            yield from _in_condition(declaration, module.name, condition, "modules.yaml", in_option)
        for target in field.targets[:1]:
            yield from _in_condition(declaration, target, field.target_condition, "modules.yaml", (*keys, "where"))
    for tab, shown in (module.list.tabs or {}).items():
        yield from _in_condition(
            declaration, module.name, shown.where, "modules.yaml", (*here, "list", "tabs", tab, "where")
        )
    for name, transition in module.transitions.items():
        keys = (*here, "lifecycle", "transitions", name, "set")
        yield from _in_values(declaration, module.name, transition.set, "modules.yaml", keys)


def _in_condition(
    declaration: Declaration, module: str, condition: Condition | None, file: str, keys: KeyPath
) -> Iterator[Named]:
    for comparison in comparisons(condition or ALWAYS):
        *_steps, (_module, field) = declaration.along(module, ".".join(comparison.path))
        values = comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)
        if comparison.operator in ("equal", "one_of", "below"):
            names = (value for value in values if not isinstance(value, FieldValue))
            yield from ((file, (*keys, ".".join(comparison.path)), field, name) for name in _names(field, names))


def _in_values(
    declaration: Declaration, module: str, values: Mapping[str, Any], file: str, keys: KeyPath
) -> Iterator[Named]:
    for name, raw in values.items():
        field = declaration.modules[module].field(name)
        yield from (
            (file, (*keys, name), field, record) for record in _names(field, raw if isinstance(raw, list) else [raw])
        )


def _names(field: Field, raw: Iterable[Any]) -> Iterator[str]:
    """The values in the declaration that name a record."""
    if field.targets:
        yield from (str(value) for value in raw if value is not None and value not in (*SPECIAL, ""))


def check_sign_up_companies(connection: sa.Connection, tables: Tables, places: Places) -> Iterator[Problem]:
    """A problem for each company of `sign_up.domains` that does not exist, or whose name several records have."""
    sign_up, organizations = tables.declaration.sign_up, tables.declaration.organizations
    if sign_up is None or organizations is None:
        return
    policy = system_policy(tables)
    for domain, title in (sign_up.domains or {}).items():
        ids = find_named(connection, policy, organizations, title)
        keys = ("sign_up", "domains", domain)
        if not ids:
            yield places.problem("modules.yaml", keys, f'there is no record "{title}" in {organizations}')
        elif len(ids) > 1:
            yield places.problem("modules.yaml", keys, f'several records of {organizations} are called "{title}"')
