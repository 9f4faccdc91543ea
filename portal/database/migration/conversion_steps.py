"""The step of a field that gets another type, or is stored in another way."""

from collections.abc import Callable
from functools import partial

from portal.database.migration.conversion import Conversion
from portal.database.migration.conversion_beforehand import PreparedField
from portal.database.migration.effort import Effort
from portal.database.migration.row_counts import counted
from portal.database.migration.steps import WITH_LOSS, Phase, Step, Task


def conversion_step(
    change: str,
    conversion: Conversion,
    prepared: PreparedField | None,
    effort: Effort | None,
    create_indexes: Callable[[], None],
    has_aside: bool,
) -> Step:
    """The step, with the values that do not fit.

    `change`: the beginning of its sentence. `prepared`: the values where they are converted already. `has_aside`:
    values were set aside when the field got its last type.
    """
    misfits = prepared.misfits() if prepared else conversion.misfits()
    run = partial(prepared.put_in_place, conversion.connection) if prepared else conversion.run
    tasks = [Task(Phase.CONVERT_VALUES, run), Task(Phase.CREATE_INDEXES, create_indexes)]
    if has_aside:
        tasks.append(Task(Phase.CONVERT_VALUES, conversion.take_back_aside))
    tables, fitting = (conversion.module.name,), counted(misfits.values - misfits.count, "value")
    if not misfits.count:
        converted = f": {fitting} converted" if misfits.values else ""
        return Step(
            change + converted, effort=effort, tasks=tuple(tasks), tables=tables, is_prepared=prepared is not None
        )
    kept = f"{misfits.count:,} that would be lost kept aside: {misfits}"
    many = f"{misfits.count:,} of {counted(misfits.values, 'value')}"
    return Step(
        f"! {change}: {many} would be lost, not fitting: {misfits} {WITH_LOSS}",
        effort=effort,
        loses=True,
        tables=tables,
        is_prepared=prepared is not None,
        tasks=tuple(tasks),
        tasks_if_left=(Task(Phase.CONVERT_VALUES, partial(run, keep_misfits=True)), *tasks[1:]),
        sentence_if_left=f"{change}: {fitting} converted, {kept}",
    )
