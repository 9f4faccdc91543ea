"""The records that a reader may see, counted and summed by the values of a field: what charts draw.

One statement, within the scope like any other. It reads a bounded number of rows unless it is asked to read all.
"""

from dataclasses import dataclass, replace
from typing import Any

from portal.conditions import AllOf, Comparison, Condition, ParsedValue, joined_conditions
from portal.fields.base import Field
from portal.fields.grouping import Periods
from portal.records.reading.records import Records
from portal.records.reading.statements import ALL, FULFILLING, FULFILLS, NUMBER, PERIOD, GroupRequest
from portal.records.reading.titles import PartialRecords, add_linked_records


@dataclass(frozen=True)
class Group:
    """`value`: of the field, or the place of the period; `total`: the sum of the records, None without any value."""

    value: Any
    number: int
    total: Any = None


@dataclass(frozen=True)
class Groups:
    """`number`: of all records, including those of further groups."""

    groups: tuple[Group, ...]
    number: int


def within_periods(field: Field, periods: Periods, records: Records) -> Condition:
    """The condition for the records that a chart counts in one of the periods: their day or moment is in it."""
    reader = records.policy.reader
    first, after = (ParsedValue(field.constant(day, reader)) for day in (periods.starts[0], periods.starts[-1]))
    return AllOf((Comparison((field.name,), "min", first), Comparison((field.name,), "before", after)))


def read_groups(records: Records, request: GroupRequest) -> Groups | None:
    """The groups, the largest first; None if the reader has more rows than `request.most`."""
    names = tuple(field.name for field in (request.by, request.of) if field)
    conditions = records.with_parameters(tuple(joined_conditions(request.condition)))
    request = replace(request, condition=AllOf(conditions))
    key = records.key("groups", conditions=(conditions,), fields=names, size=request.most or 0, ends=request.ends)
    rows = records.execute(records.build(key, lambda made: made.groups(request)))
    if rows and request.most is not None and rows[0][ALL] > request.most:
        return None
    number = next((int(row[FULFILLING]) for row in rows if row[FULFILLS]), 0)
    return Groups(tuple(_groups(records, request, rows)), number)


def _groups(records: Records, request: GroupRequest, rows: Any) -> list[Group]:
    rows, by, of = [row for row in rows if row[FULFILLS]], request.by, request.of
    if request.ends:
        values = [row[PERIOD] for row in rows]
    else:
        loaded = [{by.name: by.load(row)} for row in rows]
        add_linked_records(PartialRecords(records.connection, records.policy, records.name, [by], (), loaded))
        values = [one[by.name] for one in loaded]
    totals = [of.load(row) if of else None for row in rows]
    return [Group(value, row[NUMBER], total) for value, row, total in zip(values, rows, totals, strict=True)]
