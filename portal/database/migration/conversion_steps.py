"""The steps for fields whose type or storage changes, and for links that can be restored."""

from collections.abc import Callable, Iterator
from functools import partial

import sqlalchemy as sa

from portal.database.migration.background_conversion import PreparedField
from portal.database.migration.conversion import Conversion
from portal.database.migration.difference import Changes
from portal.database.migration.effort import Effort
from portal.database.migration.plan_steps import WITH_LOSS, Phase, PlanStep, Task
from portal.database.migration.row_counts import count_in_words
from portal.database.migration.values_set_aside import texts_set_aside
from portal.database.schema.tables import Tables


def conversion_step(
    change: str,
    conversion: Conversion,
    prepared: PreparedField | None,
    effort: Effort | None,
    create_indexes: Callable[[], None],
    has_aside: bool,
) -> PlanStep:
    """The step that gives a field another type, with the values that do not fit.

    `change`: the beginning of its sentence. `prepared`: the values if they are already converted. `has_aside`: whether
    values were set aside when the type last changed.
    """
    misfits = prepared.misfits() if prepared else conversion.misfits()
    run = partial(prepared.put_in_place, conversion.connection) if prepared else conversion.run
    tasks = [Task(Phase.CONVERT_VALUES, run), Task(Phase.CREATE_INDEXES, create_indexes)]
    if has_aside:
        tasks.append(Task(Phase.CONVERT_VALUES, conversion.restore_set_aside))
    tables, fitting = (conversion.module.name,), count_in_words(misfits.values - misfits.count, "value")
    if not misfits.count:
        converted = f": {fitting} converted" if misfits.values else ""
        return PlanStep(
            change + converted, effort=effort, tasks=tuple(tasks), tables=tables, is_prepared=prepared is not None
        )
    lost, set_aside = "would be lost, not fitting", f"{misfits.count:,} that would be lost set aside"
    if conversion.loses_days:
        lost = "would be lost as days without a time, which become the moments at which they begin"
        set_aside = f"{count_in_words(misfits.count, 'day')} without a time set aside and converted to the beginning"
    many = f"{misfits.count:,} of {count_in_words(misfits.values, 'value')}"
    return PlanStep(
        f"! {change}: {many} {lost}: {misfits} {WITH_LOSS}",
        effort=effort,
        loses=True,
        tables=tables,
        is_prepared=prepared is not None,
        tasks=tuple(tasks),
        tasks_if_left=(Task(Phase.CONVERT_VALUES, partial(run, keep_misfits=True)), *tasks[1:]),
        sentence_if_left=f"{change}: {fitting} converted, {set_aside}: {misfits}",
    )


def take_back_steps(
    changes: Changes, tables: Tables, connection: sa.Connection | None, aside: dict[str, dict[str, str]]
) -> Iterator[PlanStep]:
    """The steps that restore links that were set aside while the linked module had no records under its new name.

    A field without any values left aside is removed from `aside` (module → field → its old type).
    """
    if connection is None or not changes.renames.modules:
        return
    for module in tables.declaration.with_rows.values():
        before = changes.old["modules"].get(module.name, {"fields": {}})["fields"]
        for name in [name for name in aside.get(module.name, {}) if name in module.fields]:
            field = module.field(name).as_stored
            same = before.get(name) == changes.new["modules"][module.name]["fields"].get(name)
            if not same or not set(field.targets) & changes.renames.modules.keys():
                continue
            conversion = Conversion(connection, tables, module, field, field)
            fitting = len(conversion.fitting_aside())
            if fitting == len(texts_set_aside(connection, module.name, name)):
                del aside[module.name][name]
            if fitting:
                sentence = f"restore {count_in_words(fitting, 'value')} of {module.name}.{name} that had been set aside"
                yield PlanStep(sentence, tasks=(Task(Phase.CONVERT_VALUES, conversion.restore_set_aside),))
