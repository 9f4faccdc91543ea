"""Records whose choice is no longer one of the options: they keep it until someone chooses again.

For `portal check --data`: a warning per field, with its place. Reads every record that has a value.
"""

from collections import Counter
from collections.abc import Iterator

import sqlalchemy as sa

from portal.database.schema.tables import Tables
from portal.declaration.source.places import Places
from portal.declaration.source.problems import KeyPath, Problem
from portal.fields.base import Field
from portal.texts import plural

SHOWN = 5  # options of one field


def check_options(connection: sa.Connection, tables: Tables, places: Places) -> Iterator[Problem]:
    """The fields with records that have removed options."""
    for module in tables.declaration.modules.values():
        for field in module.fields.values():
            if not field.declared_options or field.computed:
                continue
            counts = _count_removed(connection, tables.module(module.name), field)
            if not counts:
                continue
            shown = ", ".join(f'"{name}" ({plural(count, "record")})' for name, count in counts.most_common(SHOWN))
            more = ", …" if len(counts) > SHOWN else ""
            keys: KeyPath = ("modules", module.name, "fields", field.name, "options")
            message = f"records keep options that are not listed here, until someone chooses again: {shown}{more}"
            yield places.problem("modules.yaml", keys, message, warning=True)


def _count_removed(connection: sa.Connection, table: sa.Table, field: Field) -> Counter[str]:
    """How many records have each value of a choice that is no longer an option."""
    column = field.columns()[0]
    groups = sa.select(table.c[column.name], sa.func.count()).where(table.c[column.name].is_not(None))
    counts: Counter[str] = Counter()
    for stored, count in connection.execute(groups.group_by(table.c[column.name])):
        value = field.load({column.name: stored})
        for name in (value,) if isinstance(value, str) else value:
            if name not in field.offered:
                counts[name] += count
    return counts
