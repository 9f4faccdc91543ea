"""The snapshot after a migration: what is declared, what it left in the database, and the renames done so far."""

import copy

import sqlalchemy as sa

from portal.database.migration import values_set_aside
from portal.database.migration.declared_renames import past_renames_after
from portal.database.migration.plan_steps import PlanStep
from portal.database.migration.planner import Planner
from portal.database.migration.snapshot import Snapshot


def next_snapshot(connection: sa.Connection, planner: Planner, old: Snapshot, left: list[PlanStep]) -> Snapshot:
    """The snapshot after a migration: what is declared, and what was left in the database."""
    modules = copy.deepcopy(planner.new["modules"])
    removed = [step.path for step in left if step.path and step.path[1:2] != ("aside",)]
    fields: dict[str, list[str]] = {}
    for path in removed:
        if len(path) == 1:
            modules[path[0]] = planner.old["modules"][path[0]]
        else:
            module, _key, field = path
            modules[module]["fields"][field] = planner.old["modules"][module]["fields"][field]
            fields.setdefault(module, []).append(field)
    return {
        "own": planner.new["own"],
        "modules": modules,
        "left": {
            "modules": [path[0] for path in removed if len(path) == 1],
            "fields": fields,
            "aside": _still_aside(connection, planner),
        },
        "history": past_renames_after(old, planner.renames, planner.option_renames),
    }


def _still_aside(connection: sa.Connection, planner: Planner) -> dict[str, dict[str, str]]:
    """The fields that still have values set aside after a migration; a column without values is dropped."""
    by_module: dict[str, dict[str, str]] = {}
    candidates = {
        (module, field): type_ for module, types in planner.left["aside"].items() for field, type_ in types.items()
    }
    existing = set(sa.inspect(connection).get_table_names())
    for (module, field), type_ in (planner.set_aside | candidates).items():
        if module not in existing:
            continue
        if values_set_aside.texts_set_aside(connection, module, field):
            by_module.setdefault(module, {})[field] = type_
        else:
            values_set_aside.drop_values_set_aside(connection, module, field)
    return by_module
