"""What a plan says of renamed modules: of what moves with them, and of what cannot."""

from collections.abc import Callable, Iterator, Mapping

import sqlalchemy as sa

from portal.database.migration.aside import texts_of
from portal.database.migration.convert import Conversion
from portal.database.migration.difference import Changes
from portal.database.migration.effort import Work, effort
from portal.database.migration.row_counts import RowCounts
from portal.database.migration.snapshot import Renames
from portal.database.migration.steps import Phase, Step, Task, counted, kind_of, staying
from portal.database.schema.tables import Tables
from portal.declaration.shapes import Module
from portal.fields.links import is_rows


def rename_steps(renames: Renames, counts: RowCounts) -> Iterator[Step]:
    """One sentence for each renamed module, and for each renamed field of rows."""
    for name, before in renames.modules.items():
        kind, noun = kind_of(name)
        takes = None if is_rows(name) else effort(counts, name, Work.RENAME)
        yield Step(f"rename {kind} {before} to {name}{staying(counts.rows(name), noun)}", effort=takes)


def linked_again(
    changes: Changes, tables: Tables, connection: sa.Connection | None, aside: dict[str, dict[str, str]]
) -> Iterator[Step]:
    """The links that were set aside while the module to which they lead had no records under its new name.

    A field of which nothing stays aside is taken out of `aside` (module → field → its old type).
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
            if fitting == len(texts_of(connection, module.name, name)):
                del aside[module.name][name]
            if fitting:
                sentence = f"take back {counted(fitting, 'value')} of {module.name}.{name} that had been set aside"
                yield Step(sentence, tasks=(Task(Phase.CONVERT_VALUES, conversion.take_back_aside),))


def left_apart(modules: Mapping[str, Module], before: str, rows: Callable[[str], int | None]) -> str:
    """How the records of a module are kept whose new name was declared late; "" where it was not.

    Once its new name has records of its own, one table cannot hold both: they would have the same ids.
    """
    later = next((name for name, module in modules.items() if module.formerly == before), None)
    count = rows(later) if later else 0
    if not later or not count:
        return ""
    records = counted(count, "record")
    return f"; {later} (formerly: {before}) takes them over once it is empty: export and delete its {records} first"
