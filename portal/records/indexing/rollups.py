"""Keeps roll-ups up to date with the records they are over: every write to those happens within `rolling_up`.

They are changed by the difference a write makes: what the written records contributed before is subtracted, and what
they contribute after is added, in the transaction of the write and with the record that has the roll-ups locked. If two
writers change different records at once, the second fails to serialize on PostgreSQL and is tried again. Only if the
difference is not enough (a minimum that is gone, another currency), or there is none (a new declaration), are they
computed from all records.
"""

import contextlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from portal.batches import batched
from portal.conditions import ALWAYS
from portal.database.sql import where
from portal.fields.base_parts import FieldPlace
from portal.fields.rollup import Rollup
from portal.records.indexing.formulas import computed_columns, formulas_reading, lock_rows
from portal.records.indexing.search_entries import replace_texts
from portal.records.reading.records import Records

BATCH = 500  # ids in one statement
MOST_VALUES = 500  # distinct values that change a roll-up; with more (a large import), it is computed from all records

# By roll-up, and by the ids of the records that have it: each value, and how many more (or fewer) records have it than
# before. None: too many to keep.
RollupChanges = dict[FieldPlace, dict[int, Counter[Any] | None]]


class RollupsOver:
    """The roll-ups over records of one module, and how these change them, noted before and after each write."""

    def __init__(self, records: Records, columns: Collection[str] | None = None) -> None:
        """`columns`: those that are written; None for all, when records are created or deleted."""
        self._records = records
        self._by_link: dict[str, list[Rollup]] = defaultdict(list)
        for rollup in records.policy.declaration.rollups.get(records.name, ()):
            if columns is None or not _columns_read(records, rollup).isdisjoint(columns):
                self._by_link[rollup.counted_link].append(rollup)
        self._changes: RollupChanges = defaultdict(dict)

    def note_before(self, ids: Sequence[int]) -> None:
        """Notes what the records `ids` contribute before they are written."""
        self._note(ids, -1)

    def note_after(self, ids: Sequence[int]) -> None:
        """Notes what they contribute after they are written."""
        self._note(ids, 1)

    def _note(self, ids: Sequence[int], times: int) -> None:
        table = self._records.table
        for name, rollups in self._by_link.items():
            link = table.c[name]
            columns = {column.name: column for rollup in rollups for column in _selected(rollup, table)}
            counted = [_condition(self._records, rollup).label(f"_{index}") for index, rollup in enumerate(rollups)]
            for batch in batched(ids, BATCH):
                among = table.c["id"].in_(batch), link.is_not(None)
                query = sa.select(link.label("_linked"), *columns.values(), *counted).where(*among)
                for row in self._records.connection.execute(query).mappings():
                    for index, rollup in enumerate(rollups):
                        if row[f"_{index}"]:
                            self._note_value(rollup, row, times)

    def _note_value(self, rollup: Rollup, row: sa.RowMapping, times: int) -> None:
        value = _value(rollup, row)
        if value is None and rollup.counted_column is not None:
            return
        by_record, record_id = self._changes[rollup.place], row["_linked"]
        values = by_record.setdefault(record_id, Counter())
        if values is not None:
            values[value] += times
            if len(values) > MOST_VALUES:
                by_record[record_id] = None

    def roll_up(self) -> None:
        """Changes the roll-ups by what was noted."""
        for rollups in self._by_link.values():
            changed = {
                record_id
                for rollup in rollups
                for record_id, values in self._changes[rollup.place].items()
                if values is None or any(values.values())
            }
            module, _name = rollups[0].place
            for batch in batched(sorted(changed), BATCH):
                _roll_up(self._records.as_system.of(module), batch, rollups, self._changes)


@contextlib.contextmanager
def rolling_up(records: Records, ids: Sequence[int], columns: Collection[str] | None = None) -> Iterator[None]:
    """Updates the roll-ups of all that the records `ids` belong to before and after `columns` of theirs, or all, are
    written."""
    over = RollupsOver(records, columns)
    over.note_before(ids)
    yield
    over.note_after(ids)
    over.roll_up()


def roll_up(system: Records, ids: Sequence[int], rollups: Sequence[Rollup]) -> None:
    """Computes `rollups` of the records `ids` from all records that they are over."""
    _roll_up(system, ids, rollups, {rollup.place: dict.fromkeys(ids) for rollup in rollups})


def _roll_up(system: Records, ids: Sequence[int], rollups: Sequence[Rollup], changes: RollupChanges) -> None:
    """Rewrites `rollups` of the records `ids`, the formulas that read them, and the roll-ups over all of these."""
    lock_rows(system, ids)
    names = [rollup.name for rollup in rollups]
    formulas = formulas_reading(system.module, names)
    sources = [name for formula in formulas for name in formula.sources]
    present = {record.id: record.values for record in system.by_ids(ids, [*names, *sources])}
    results = {rollup.name: _results(system, present, rollup, changes[rollup.place]) for rollup in rollups}
    stored = [*rollups, *formulas]
    with rolling_up(system, ids, [column.name for field in stored for column in field.columns()]):
        for record_id, values in present.items():
            new = {name: by_id[record_id] for name, by_id in results.items() if record_id in by_id}
            columns = computed_columns(stored, {**values, **new}, system.policy.reader.currency)
            this_record = system.table.c["id"] == record_id
            system.connection.execute(sa.update(system.table).where(this_record).values(columns))
    if any(field.searched for field in stored):
        replace_texts(system, ids)


def _results(
    system: Records,
    present: Mapping[int, Mapping[str, Any]],
    rollup: Rollup,
    changes: Mapping[int, Counter[Any] | None],
) -> dict[int, Any]:
    """The new values of a roll-up, by the ids of the records for which it changes."""
    results, unknown = {}, []
    for record_id in present.keys() & changes.keys():
        values = changes[record_id]
        if values is not None and not any(values.values()):
            continue
        results[record_id] = None if values is None else rollup.changed_by(present[record_id][rollup.name], values)
        if results[record_id] is None:
            unknown.append(record_id)
    return results | (rolled_up(system, unknown, rollup) if unknown else {})


def rolled_up(system: Records, ids: Sequence[int], rollup: Rollup) -> dict[int, Any]:
    """The values of a roll-up, by the ids of the records that have it, from all records that it is over."""
    others = system.of(rollup.counted)
    link, selected = others.table.c[rollup.counted_link], _selected(rollup, others.table)
    query = sa.select(link.label("_linked"), *selected, sa.func.count().label("_times"))
    query = query.where(link.in_(ids), _condition(others, rollup)).group_by(link, *selected)
    counted: dict[int, list[tuple[Any, int]]] = {record_id: [] for record_id in ids}
    for row in system.connection.execute(query).mappings():
        counted[row["_linked"]].append((_value(rollup, row), row["_times"]))
    return {record_id: rollup.rolled_up(pairs, system.policy.reader.currency) for record_id, pairs in counted.items()}


def _selected(rollup: Rollup, table: sa.FromClause) -> Sequence[sa.ColumnElement[Any]]:
    """The columns, of the records that a roll-up is over, from which `_value` takes what it sums or compares."""
    return [] if rollup.counted_column is None else rollup.counted_column.selected(table)


def _value(rollup: Rollup, row: Any) -> Any:
    return None if rollup.counted_column is None else rollup.counted_column.load(row)


def _condition(others: Records, rollup: Rollup) -> sa.ColumnElement[bool]:
    """Which of the records `others` a roll-up is over."""
    policy = others.policy
    return where(rollup.where or ALWAYS, others.table, others.module, policy.declaration, policy.reader)


def _columns_read(records: Records, rollup: Rollup) -> set[str]:
    names = (rollup.counted_link, *rollup.counted_fields)
    return {column.name for name in names for column in records.module.field(name).columns()}
