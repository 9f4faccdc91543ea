"""Roll-ups follow the records that they are over: every write of those takes place within `rolling_up`.

They are worked out again from all records, in the transaction of the write and with the record that has them locked. It
is written whether or not its numbers differ: of two who change different records at once, the second then fails to
serialize on PostgreSQL, and is tried again, rather than count without the first.
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from portal.batches import batched
from portal.conditions import ALWAYS
from portal.database.sql import where
from portal.fields.base import Field
from portal.records.indexing.formulas import computed, formulas_reading, lock_rows
from portal.records.indexing.search_entries import replace_texts
from portal.records.reading.records import Records

AT_ONCE = 500  # ids in one statement


class RollupsOver:
    """The roll-ups over records of one module, and the ids of the records to which these link, as they are noted."""

    def __init__(self, records: Records, columns: Collection[str] | None = None) -> None:
        """`columns`: those that are written; None for all, of new and of deleted records."""
        self._records = records
        self._rollups = [
            rollup
            for rollup in records.policy.declaration.rollups.get(records.name, ())
            if columns is None or not _columns_read(records, rollup).isdisjoint(columns)
        ]
        self._linked: dict[str, set[int]] = {rollup.counted_link: set() for rollup in self._rollups}

    def note(self, ids: Sequence[int]) -> None:
        """Notes to which records those with these `ids` link now: before a write, and after it."""
        for name, linked in self._linked.items():
            link = self._records.table.c[name]
            for batch in batched(ids, AT_ONCE):
                among = self._records.table.c["id"].in_(batch), link.is_not(None)
                linked.update(self._records.connection.scalars(sa.select(link).where(*among)))

    def roll_up(self) -> None:
        """Works out the roll-ups of the noted records again."""
        for name, linked in self._linked.items():
            rollups = [rollup for rollup in self._rollups if rollup.counted_link == name]
            module, _name = rollups[0].place
            for batch in batched(sorted(linked), AT_ONCE):
                roll_up(self._records.as_system.of(module), batch, rollups)


@contextlib.contextmanager
def rolling_up(records: Records, ids: Sequence[int], columns: Collection[str] | None = None) -> Iterator[None]:
    """Rolls up anew what the records `ids` belong to, before and after `columns` of theirs are written, or all."""
    over = RollupsOver(records, columns)
    over.note(ids)
    yield
    over.note(ids)
    over.roll_up()


def roll_up(system: Records, ids: Sequence[int], rollups: Sequence[Field]) -> None:
    """Writes `rollups` of the records `ids` anew, the formulas that read them, and the roll-ups over all of these."""
    lock_rows(system, ids)
    names = [rollup.name for rollup in rollups]
    formulas = formulas_reading(system.module, names)
    sources = [name for formula in formulas for name in formula.sources]
    totals = {rollup.name: rolled_up(system, ids, rollup) for rollup in rollups}
    written = [*rollups, *formulas]
    with rolling_up(system, ids, [column.name for field in written for column in field.columns()]):
        for record in system.by_ids(ids, sources):
            values = {**record.values, **{name: by_id[record.id] for name, by_id in totals.items()}}
            columns = computed(written, values, system.policy.reader.currency)
            this_record = system.table.c["id"] == record.id
            system.connection.execute(sa.update(system.table).where(this_record).values(columns))
    if any(field.searched for field in written):
        replace_texts(system, ids)


def rolled_up(system: Records, ids: Sequence[int], rollup: Field) -> Mapping[int, Any]:
    """The values of a roll-up, by the ids of the records that have it."""
    others, column = system.of(rollup.counted), rollup.counted_column
    link = others.table.c[rollup.counted_link]
    condition = where(
        rollup.counted_condition or ALWAYS, others.table, others.module, system.policy.declaration, system.policy.reader
    )
    selected = [] if column is None else column.selected(others.table)
    found = sa.select(link.label("_linked"), *selected, sa.func.count().label("_times"))
    found = found.where(link.in_(ids), condition).group_by(link, *selected)
    counted: dict[int, list[tuple[Any, int]]] = {record_id: [] for record_id in ids}
    for row in system.connection.execute(found).mappings():
        counted[row["_linked"]].append((None if column is None else column.load(row), row["_times"]))
    return {record_id: rollup.rolled_up(pairs, system.policy.reader.currency) for record_id, pairs in counted.items()}


def _columns_read(records: Records, rollup: Field) -> set[str]:
    names = (rollup.counted_link, *rollup.counted_fields)
    return {column.name for name in names for column in records.module.field(name).columns()}
