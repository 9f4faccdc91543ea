"""The names of tables, columns and indexes before and after the renames of a migration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from portal.database.migration import values_set_aside
from portal.database.migration.declared_renames import Renames
from portal.database.migration.snapshot import Snapshot, left_behind, rebuild_field
from portal.database.schema.indexes import index_name
from portal.database.schema.tables import column_names_of
from portal.fields.table_names import join_name


@dataclass(frozen=True)
class FormerNames:
    """Former names by new ones, of renamed tables, and of renamed columns by the new name of their table."""

    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def table(self, name: str) -> str:
        """The former name of a table."""
        return self.tables.get(name, name)

    def column(self, table: str, name: str) -> str:
        """The former name of a column; `table`: the new name of its table."""
        return self.columns.get(table, {}).get(name, name)

    def index(self, index: sa.Index, table: str) -> str:
        """The former name of a declared index, which is made of the former names of its columns."""
        names = index.columns.keys()
        if index.name != index_name(table, *names):
            return str(index.name)
        return index_name(self.table(table), *[self.column(table, name) for name in names])


SAME = FormerNames()


def former_names(old: Snapshot, renames: Renames) -> FormerNames:
    """The names that the `renames` change; `old`: the last snapshot, with its old names."""
    replaced = renames.modules.keys() & old["modules"].keys()
    modules = {name: module for name, module in old["modules"].items() if name not in replaced}
    by_table: dict[str, dict[str, str]] = {}
    for name, fields in renames.fields.items():
        before = renames.modules.get(name, name)
        pairs = _column_pairs(modules[before]["fields"], fields)
        new_names = renames.new_field_names(name)
        for key in left_behind(old)["aside"].get(before, {}).keys() & new_names.keys():
            pairs[values_set_aside.column_name(key)] = values_set_aside.column_name(new_names[key])
        by_table[name] = {after: former for former, after in pairs.items() if former != after}
    tables = {after: former for former, after in _table_pairs(modules, renames).items()}
    return FormerNames(tables, by_table)


def _table_pairs(
    modules: Mapping[str, Mapping[str, Mapping[str, Mapping[str, object]]]], renames: Renames
) -> dict[str, str]:
    """Old table → new table, of renamed modules and of join tables."""
    names = renames.new_module_names
    pairs = dict(names)
    for old_name, module in modules.items():
        name = names.get(old_name, old_name)
        fields = renames.new_field_names(name)
        if name == old_name and not fields:
            continue
        for key, entry in module["fields"].items():
            field = rebuild_field(entry)
            if field is not None and field.in_join_table:
                pairs[join_name(old_name, key)] = join_name(name, fields.get(key, key))
    return {before: after for before, after in pairs.items() if before != after}


def _column_pairs(entries: Mapping[str, Mapping[str, object]], fields: Mapping[str, str]) -> dict[str, str]:
    """Old column → new column, companion columns included."""
    pairs: dict[str, str] = {}
    for name, before in fields.items():
        old, new = rebuild_field(entries[before]), rebuild_field({**entries[before], "name": name})
        if old is not None and new is not None:
            pairs |= dict(zip(column_names_of(old), column_names_of(new), strict=True))
        else:
            pairs[before] = name
    return pairs


def with_new_names(old: Snapshot, renames: Renames) -> Snapshot:
    """The snapshot with former names replaced by the new ones."""
    names = renames.new_module_names
    modules = {}
    for before, module in old["modules"].items():
        if before in renames.modules:
            continue  # an empty module whose name the other one gets
        name = names.get(before, before)
        field_names = renames.new_field_names(name)
        fields = {
            field_names.get(key, key): _with_targets({**entry, "name": field_names.get(key, key)}, names)
            for key, entry in module["fields"].items()
            if key not in field_names.values()  # not an empty field whose name the other one gets
        }
        modules[name] = {**module, "fields": fields}
    return {**old, "modules": modules, "left": _left_with_new_names(left_behind(old), names, renames)}


def _left_with_new_names(left: Mapping[str, Any], names: Mapping[str, str], renames: Renames) -> dict[str, Any]:
    fields, aside = {}, {}
    for before, field_list in left["fields"].items():
        name = names.get(before, before)
        fields[name] = [renames.new_field_names(name).get(field, field) for field in field_list]
    for before, types in left["aside"].items():
        name = names.get(before, before)
        aside[name] = {renames.new_field_names(name).get(field, field): type_ for field, type_ in types.items()}
    return {"modules": [names.get(name, name) for name in left["modules"]], "fields": fields, "aside": aside}


def _with_targets(entry: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {**entry, "to": [names.get(target, target) for target in entry["to"]]} if "to" in entry else entry
