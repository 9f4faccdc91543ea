"""The planner: makes the steps of a plan from two snapshots and the difference between tables.

Called by plan_and_apply.py, for the real database or only for snapshots. Nothing changes before a task runs.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import sqlalchemy as sa

from portal.database.migration import alter, history_rewriting, values_set_aside
from portal.database.migration.background_conversion import PreparedField, can_be_prepared
from portal.database.migration.blocked_steps import links_and_lines, misfit_steps, too_many_columns
from portal.database.migration.conversion import Conversion
from portal.database.migration.conversion_steps import conversion_step, take_back_steps
from portal.database.migration.declared_renames import late_rename_note, past_renames
from portal.database.migration.difference import Changes
from portal.database.migration.draft_rewriting import rename_options_in_drafts
from portal.database.migration.effort import Work, estimate_effort
from portal.database.migration.index_changes import PlannedIndexes
from portal.database.migration.option_changes import removed_options, rename_stored_options, renamed_options
from portal.database.migration.plan_steps import Phase, PlanStep, Task, for_people, removing, words_for_table
from portal.database.migration.recomputing import computed_steps
from portal.database.migration.removed_links import attach_link_again, detach_removed_link
from portal.database.migration.rename import rename_steps
from portal.database.migration.row_counts import RowCounts, count_in_words, staying
from portal.database.migration.snapshot import (
    column_names_of_entry,
    had_formula,
    left_behind,
    rebuild_field,
    storage_of,
)
from portal.database.migration.view_rewriting import rename_options_in_views
from portal.database.schema.tables import Tables, columns_of, sorted_system_tables
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.table_names import is_rows, join_name


class Planner:
    """Makes the steps; `counts` are those of a database in which everything already has its new name."""

    def __init__(
        self, tables: Tables, changes: Changes, counts: RowCounts, prepared: Mapping[tuple[str, str], PreparedField]
    ) -> None:
        self.prepared = prepared  # by module and field
        self.large_conversions: list[Conversion] = []  # to prepare before the steps are carried out
        self.declaration, self.tables, self.counts = tables.declaration, tables, counts
        self.changes, self.old, self.new = changes, changes.old, changes.new
        self.renames, self.difference = changes.renames, changes.difference
        self.changed_tables = self.difference.changed_tables
        self.left = copy.deepcopy(left_behind(self.old))  # the steps remove what does not stay there
        self.history = past_renames(self.old)["options"]
        self.indexes = PlannedIndexes(tables, changes, counts)
        self.option_renames: dict[tuple[str, str], dict[str, str]] = {}  # by module and field
        self.set_aside: dict[tuple[str, str], str] = {}  # fields with misfits → the type that they had

    def steps(self) -> list[PlanStep]:
        """All steps, in the order of the declaration."""
        blocked = links_and_lines(self.tables, self.old)
        steps = [
            *too_many_columns(self.tables, self.counts.connection),
            *blocked.values(),
            *self._system_tables(),
            *rename_steps(self.renames, self.counts),
        ]
        for module in self.declaration.stored.values():
            if module.name in self.difference.tables:
                steps.append(self._new_module(module))
            elif module.name not in blocked:
                steps += self._changed_module(module)
        steps += [
            *misfit_steps(self.tables),
            *self._removed_modules(),
            *take_back_steps(self.changes, self.tables, self.counts.connection, self.left["aside"]),
            *values_set_aside.drop_steps(self.counts, self.left["aside"], self.declaration.with_rows),
        ]
        names = {*self.old["modules"], *self.new["modules"], *self.renames.modules.values()}
        return [for_people(step, names) for step in (*steps, *computed_steps(self.changes, self.left, self.counts))]

    @property
    def connection(self) -> sa.Connection:
        """The connection of the tasks."""
        return self.counts.connected

    # -- the database ---------------------------------------------------------------------------------------------

    def _system_tables(self) -> Iterator[PlanStep]:
        new = {name for name in self.new["own"] if name in self.difference.tables}
        if new:
            task = Task(Phase.CREATE_JOIN_TABLES, lambda: alter.create_tables(self.connection, self.tables, new))
            yield PlanStep("add the portal's own tables: " + ", ".join(sorted(new)), tasks=(task,))
        for name in self.new["own"]:
            table = self.tables.by_name[name]
            for column in sorted(self.difference.columns.get(name, ())):
                task = Task(Phase.ADD_COLUMNS, partial(self._add_columns, table, [column]))
                yield PlanStep(f"add column {name}.{column}", tasks=(task,))
            yield from self.indexes.others_of(name)

    # -- modules --------------------------------------------------------------------------------------------------

    def _new_module(self, module: Module) -> PlanStep:
        table = self.tables.module(module.name)
        joined = (join_name(module.name, name) for name, field in module.fields.items() if field.in_join_table)
        joins = self.difference.tables.intersection(joined)
        links = [column.name for column in table.c if column.foreign_keys]
        indexes = [str(index.name) for index in table.indexes]
        tasks = (
            Task(Phase.CREATE_TABLES, lambda: alter.create_module_table(self.connection, table)),
            Task(Phase.CREATE_JOIN_TABLES, lambda: alter.add_foreign_keys(self.connection, table, links)),
            Task(Phase.CREATE_JOIN_TABLES, lambda: alter.create_tables(self.connection, self.tables, joins)),
            Task(Phase.CREATE_INDEXES, lambda: alter.create_indexes(self.connection, table, indexes)),
        )
        return PlanStep(f"add {words_for_table(module.name)[0]} {module.name}", tasks=tasks)

    def _changed_module(self, module: Module) -> Iterator[PlanStep]:
        before = self.old["modules"].get(module.name, {"fields": {}, "indexes": {}})
        after = self.new["modules"][module.name]
        left = module.name in self.left["modules"] or module.name in self.left["fields"]
        if before == after and module.name not in self.changed_tables and not left:
            return
        for name, entry in after["fields"].items():
            if module.name in self.changed_tables or left or entry != before["fields"].get(name):
                yield from self._field(module, module.field(name).as_stored, before["fields"].get(name))
        for name, entry in before["fields"].items():
            if name not in after["fields"]:
                yield from self._removed_field(module.name, name, entry)
        yield from self.indexes.others_of(module.name)

    def _removed_modules(self) -> Iterator[PlanStep]:
        for name, entry in self.old["modules"].items():
            if name not in self.difference.obsolete_tables or name in self.tables.existing:
                continue
            joins = [join_name(name, key) for key in entry["fields"]]
            obsolete = [join for join in joins if join in self.difference.obsolete_tables]
            count = self.counts.rows(name)
            tasks = (
                Task(Phase.DROP_FIELDS, partial(self._empty_module, name, obsolete)),
                Task(Phase.DROP_MODULES, partial(self._drop_tables, [name])),
            )
            kind, noun = words_for_table(name)
            loss = f": {count_in_words(count, noun)} would be lost" if count is None or count > 0 else ""
            step = removing(f"drop {kind} {name}", loss, (name,), tasks, name)
            step = replace(step, note=late_rename_note(self.declaration.modules, name, self.counts.rows) or step.note)
            yield self._leavable(step, entry["fields"].values(), name in self.left["modules"])

    def _empty_module(self, name: str, joins: list[str]) -> None:
        """Also removes the module's comments, history and drafts, which another module of its name would show."""
        for table in sorted_system_tables(self.tables):
            if "module" in table.c and table is not self.tables.sequence:
                self.connection.execute(sa.delete(table).where(table.c["module"] == name))
        if is_rows(name):
            module, _, lines = name.partition("$")
            history_rewriting.forget_field_in_history(self.connection, self.tables, module, lines)
        drafts = self.tables.draft.c["form"].startswith(f"{name}/", autoescape=True)
        self.connection.execute(sa.delete(self.tables.draft).where(drafts))
        self._drop_tables(joins)
        alter.release_foreign_keys(self.connection, name)

    def _drop_tables(self, names: list[str]) -> None:
        alter.drop_tables(self.connection, names)

    # -- fields ---------------------------------------------------------------------------------------------------

    def _field(self, module: Module, field: Field, entry: dict[str, Any] | None) -> Iterator[PlanStep]:
        table, names = module.name, {column.name for column in columns_of(field)}
        before = rebuild_field(entry) if entry is not None else None
        missing = names & self.difference.columns.get(table, set())
        joins = {join_name(table, field.name)} & self.difference.tables if field.in_join_table else set()
        yield from self._renamed_field(table, field, before)
        if entry is not None and before and before.virtual is not field.virtual:  # its contents are irrelevant
            yield from self._removed_field(table, field.name, entry)
            yield self._new_field(module, field, missing, joins)
            return
        if entry is not None and (before is None or self._is_stored_otherwise(table, before, field)):
            if before and field.name in module.formulas and had_formula(self.old, table, field.name):
                yield self._replaced_formula(module, before, field)
            else:
                yield self._conversion(module, before, field, entry["type"])
        elif missing and missing != names and entry is not None:
            yield self._missing_companions(module, field, missing)
        elif missing or joins:
            yield self._new_field(module, field, missing, joins)
        else:
            yield from self._returned_field(module, field)
            yield from self.indexes.duplicates(module, field)
        if entry is not None and before is not None and field.name not in module.formulas:
            yield from self._renamed_options(module, before, field, entry)
            renamed = self.option_renames.get((module.name, field.name), {})
            yield from removed_options(self.counts, module.name, before, field, renamed)
        if field.required and not (entry or {}).get("required"):
            yield from self._required(module, field, new=bool(missing or joins))

    def _replaced_formula(self, module: Module, before: Field, after: Field) -> PlanStep:
        """The step for a formula with another type, whose values are recomputed instead of converted."""
        table, old, new = self.tables.module(module.name), columns_of(before), columns_of(after)
        indexes = self.indexes.take_over(table, after)
        self.indexes.go_with(module.name, {column.name for column in old})
        tasks = (
            Task(Phase.CONVERT_VALUES, lambda: alter.replace_columns(self.connection, table, old, new)),
            Task(Phase.CREATE_INDEXES, lambda: self.indexes.create(table, indexes)),
        )
        sentence = f"the results of {module.name}.{after.name} are of type {after.type} instead of {before.type}"
        return PlanStep(sentence, tasks=tasks, tables=(module.name,))

    def _is_stored_otherwise(self, table: str, before: Field, after: Field) -> bool:
        has_aside = after.name in self.left["aside"].get(table, {})
        is_read_again = before.type != after.type and (has_aside or not after.verbatim)
        retyped = self.difference.retyped_columns.get(table, set())
        is_retyped = any(column.name in retyped for column in columns_of(after))
        return storage_of(before) != storage_of(after) or is_read_again or is_retyped

    def _renamed_field(self, table: str, field: Field, before: Field | None) -> Iterator[PlanStep]:
        old_name = self.renames.fields.get(table, {}).get(field.name)
        if old_name is not None:
            values = staying(self._count_values(table, before), "value") if before is not None else ""
            yield PlanStep(f"rename field {table}.{old_name} to {field.name}{values}")

    def _new_field(self, module: Module, field: Field, missing: set[str], joins: set[str]) -> PlanStep:
        table = self.tables.module(module.name)
        count = self.counts.rows(module.name) if field.default is not None else 0
        keep = "that exists keeps" if count == 1 else "that exist keep"
        hint = f"; the {count_in_words(count, words_for_table(module.name)[1])} {keep} it empty" if count else ""
        indexes = self.indexes.take_over(table, field)
        tasks = (
            Task(Phase.ADD_COLUMNS, partial(self._add_columns, table, sorted(missing))),
            Task(Phase.CREATE_JOIN_TABLES, lambda: alter.create_tables(self.connection, self.tables, joins)),
            Task(Phase.CREATE_INDEXES, lambda: self.indexes.create(table, indexes)),
        )
        takes = estimate_effort(self.counts, module.name, Work.INDEX) if indexes else None
        return PlanStep(f"add field {module.name}.{field.name} ({field.type}){hint}", effort=takes, tasks=tasks)

    def _add_columns(self, table: sa.Table, names: Iterable[str]) -> None:
        for name in names:
            alter.add_column(self.connection, table.c[name])
        alter.add_foreign_keys(self.connection, table, list(names), are_empty=True)

    def _missing_companions(self, module: Module, field: Field, missing: set[str]) -> PlanStep:
        """The step for companion columns that a later version of the portal stores in addition to the value."""

        def fill() -> None:
            Conversion(self.connection, self.tables, module, field, field).fill_companions(missing)

        task = Task(Phase.CONVERT_VALUES, fill)
        sentence = f"fill the new columns of field {module.name}.{field.name}: {', '.join(sorted(missing))}"
        return PlanStep(sentence, effort=estimate_effort(self.counts, module.name, Work.CONVERT), tasks=(task,))

    def _required(self, module: Module, field: Field, new: bool) -> Iterator[PlanStep]:
        count = self.counts.rows(module.name)
        filled = 0 if new else self._count_values(module.name, field)
        if count is not None and filled is not None and count > filled:
            empty = count_in_words(count - filled, words_for_table(module.name)[1]) + " without it"
            stay = "stays as it is" if count - filled == 1 else "stay as they are"
            yield PlanStep(f"field {module.name}.{field.name} is required from now on: {empty} {stay} until edited")

    def _renamed_options(
        self, module: Module, before: Field, after: Field, entry: dict[str, Any]
    ) -> Iterator[PlanStep]:
        old_name = self.renames.modules.get(module.name, module.name)
        old_field = self.renames.fields.get(module.name, {}).get(after.name, after.name)
        renames = renamed_options(entry, after, self.history.get(old_name, {}).get(old_field, {}))
        if renames:
            self.option_renames[module.name, after.name] = renames
            named = ", ".join(f'"{old}" to "{new}"' for new, old in renames.items())
            sentence = f"rename options of {module.name}.{after.name}, with the values that are stored: {named}"
            run = partial(self._rename_options, module.name, before, after, renames)
            yield PlanStep(sentence, tasks=(Task(Phase.RENAME_OPTIONS, run),))

    def _rename_options(self, module: str, before: Field, after: Field, renames: dict[str, str]) -> None:
        rename_stored_options(self.connection, module, before, renames)
        is_state = before.name == self.declaration.with_rows[module].state_field
        history_rewriting.rename_options_in_history(
            self.connection, self.tables.event, module, before, renames, is_state
        )
        rename_options_in_views(self.connection, self.tables.saved_view, module, after, renames)
        rename_options_in_drafts(self.connection, self.tables.draft, module, after.name, renames)

    def _removed_field(self, module: str, name: str, entry: dict[str, Any]) -> Iterator[PlanStep]:
        obsolete = sorted(column_names_of_entry(entry) & self.difference.obsolete_columns.get(module, set()))
        join = join_name(module, name)
        joins = [join] if join in self.difference.obsolete_tables else []
        if not obsolete and not joins:
            return
        field = rebuild_field(entry)
        count = self.counts.linked(join) if joins else self.counts.filled(module, obsolete)
        count = 0 if field and field.virtual else count  # an elapsed time is counted again
        self.indexes.go_with(module, set(obsolete))
        tasks = (
            Task(Phase.DROP_FIELDS, partial(self._drop_tables, joins)),
            Task(Phase.DROP_FIELDS, lambda: alter.drop_columns(self.connection, module, obsolete)),
            Task(
                Phase.DROP_FIELDS,
                lambda: history_rewriting.forget_field_in_history(self.connection, self.tables, module, name),
            ),
        )
        loss = f": {count_in_words(count, 'value')} would be lost" if count is None or count > 0 else ""
        step = removing(f"drop field {module}.{name}", loss, (module, "fields", name), tasks, module)
        step = replace(step, effort=estimate_effort(self.counts, module, Work.REWRITE))
        yield self._leavable(step, [entry], name in self.left["fields"].get(module, ()))

    def _leavable(self, step: PlanStep, entries: Iterable[dict[str, Any]], left_before: bool) -> PlanStep:
        """The step with what happens if it is not done: the values of the fields stay, without foreign keys."""
        if left_before or self.counts.connection is None:
            return replace(step, left_before=left_before)
        fields = [field for field in map(rebuild_field, entries) if field is not None]
        module = step.path[0]
        tasks = [
            Task(Phase.DROP_FIELDS, partial(detach_removed_link, self.connection, module, field)) for field in fields
        ]
        return replace(step, tasks_if_left=tuple(tasks))

    def _returned_field(self, module: Module, field: Field) -> Iterator[PlanStep]:
        """The steps for a field that was removed, and whose values were left in the database."""
        whole = module.name in self.left["modules"]
        if whole or field.name in self.left["fields"].get(module.name, ()):
            task = Task(Phase.ADD_COLUMNS, lambda: attach_link_again(self.connection, self.tables, module.name, field))
            values = staying(self._count_values(module.name, field), "value")
            yield PlanStep(f"use field {module.name}.{field.name} again{values}", tasks=(task,))

    def _conversion(self, module: Module, before: Field | None, after: Field, old_type: str) -> PlanStep:
        path = f"{module.name}.{after.name}"
        change = f"change field {path} from {old_type} to {after.type}"
        if old_type == after.type:
            change = f"change how field {path} is stored"
        indexes = self.indexes.take_over(self.tables.module(module.name), after)
        self.indexes.go_with(module.name, {column.name for column in columns_of(before or after)})
        if self.counts.connection is None:
            return PlanStep(change)
        conversion = Conversion(self.connection, self.tables, module, before, after)
        prepared = self.prepared.get((module.name, after.name))
        takes = estimate_effort(self.counts, module.name, Work.CONVERT)
        if prepared or (takes and takes.is_large and not self.renames and can_be_prepared(conversion)):
            takes = estimate_effort(self.counts, module.name, Work.CONVERT_IN_BATCHES)
            self.large_conversions.append(conversion)
        create_indexes = partial(self.indexes.create, conversion.table, indexes)
        has_aside = after.name in self.left["aside"].get(module.name, {})
        step = conversion_step(change, conversion, prepared, takes, create_indexes, has_aside)
        if step.loses:
            self.set_aside[module.name, after.name] = "days without a time" if conversion.loses_days else old_type
        return step

    def _count_values(self, table: str, field: Field) -> int | None:
        if field.in_join_table:
            return self.counts.linked(join_name(table, field.name))
        return self.counts.filled(table, [column.name for column in columns_of(field)][:1])
