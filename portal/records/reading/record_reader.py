"""The records of one module by id, as one reader may see them: executes statements and loads rows.

Pages (ordered_pages.py, search_pages.py) are read through it; other layers use records.py.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any, TypeVar

import sqlalchemy as sa

from portal.conditions import ALWAYS, Condition, joined_conditions
from portal.database.fetching import fetch
from portal.fields.base import Field
from portal.records.policy import ModulePolicy, Policy
from portal.records.reading.page_of_records import Record
from portal.records.reading.rows import add_rows
from portal.records.reading.statements import Statements
from portal.records.reading.titles import PartialRecords, add_linked_records
from portal.records.reading.typed_values import TypedValues
from portal.records.statement_cache import IDS, Statement, StatementKey, may_be_shared, values_of
from portal.texts import first_visible

Built = TypeVar("Built")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class RecordReader(ModulePolicy):
    """The records of `name` for the reader of `policy`. Raises KeyError for a module that the profile lacks."""

    connection: sa.Connection
    policy: Policy
    name: str
    narrowed: Condition = ALWAYS  # only those that fulfill it: for choices and related lists

    def __post_init__(self) -> None:
        if self.policy.access(self.name) is None:
            raise KeyError(self.name)

    def get(self, record_id: int) -> Record | None:
        """One record with every readable field; None if the reader may not see it or it does not exist."""
        return next(iter(self.by_ids([record_id], self.module.everything)), None)

    def by_ids(self, ids: Sequence[int], names: Iterable[str]) -> list[Record]:
        """The records among `ids` that this reader may see, with the fields `names`."""
        if not ids:
            return []
        fields = self.readable_fields(names)
        key = self.key("by ids", fields=tuple(field.name for field in fields))
        statement = self.build(key, lambda statements: statements.by_ids(fields))
        return self.load(self.execute(statement, **{IDS: list(ids)}), fields)

    def exists(self, record_id: int) -> bool:
        """Whether this reader may see the record with an id and it is not excluded by `narrowed`."""
        return bool(self.execute(self.build(self.key("existing"), Statements.existing), **{IDS: [record_id]}))

    def counts_among(self, ids: Sequence[int], conditions: Sequence[Condition]) -> list[int]:
        """How many of the records `ids` that this reader may see fulfill each condition, in one statement."""
        if not ids or not conditions:
            return [0] * len(conditions)
        key = self.key("counts among", conditions=tuple(tuple(joined_conditions(one)) for one in conditions))
        statement = self.build(key, lambda statements: statements.counting_ids(conditions))
        (numbers,) = self.execute(statement, **{IDS: list(ids)})
        return [numbers[f"count_{place}"] for place in range(len(conditions))]

    def readable_fields(self, names: Iterable[str]) -> list[Field]:
        """The fields among `names` that may be read, and the title; for a deadline also what decides whether it can be
        late."""
        readable, module, names = self.policy.readable(self.name), self.module, list(names)
        for field in module.deadlines:
            if field.name in names and field.deadline_rule:
                names += filter(None, (module.state_field, field.deadline_rule.until))
        return [module.field(name) for name in dict.fromkeys([*names, module.title_field.name]) if name in readable]

    # -- statements -------------------------------------------------------------------------------------------------

    @cached_property
    def statements(self) -> Statements:
        """Statements for this reader alone."""
        return Statements(self.policy, self.name, self.connection.dialect.name, self.narrowed)

    @cached_property
    def shared_statements(self) -> Statements | None:
        """Statements for all readers of this kind; None if this reader has special rights, or the scope depends on the
        moment."""
        policy = self.policy.shared
        if policy is None or not may_be_shared([self.narrowed]) or not policy.scope_is_shared(self.name):
            return None
        dialect = self.connection.dialect.name
        return policy.statements.get(
            self.key("statements"), lambda: Statements(policy, self.name, dialect, self.narrowed)
        )

    def key(self, purpose: str, **depends_on: Any) -> StatementKey:
        """The key of a statement about these records."""
        return StatementKey(purpose, self.name, self.connection.dialect.name, self.narrowed, **depends_on)

    def build(self, key: StatementKey | None, build: Callable[[Statements], Built]) -> Built:
        """What `build` returns, built once for all readers of this kind if its `key` may be shared; without a key, for
        this reader alone."""
        policy, shared = self.policy.shared, self.shared_statements
        if key is None or policy is None or shared is None or not all(map(may_be_shared, key.conditions)):
            return build(self.statements)
        return policy.statements.get(key, lambda: build(shared))

    def with_parameters(self, conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
        """Conditions for a shared statement, with parameters for the values of `typed`, which `execute` binds."""
        if self.shared_statements is None or may_be_shared(conditions):
            return conditions
        return tuple(map(self.typed.replaced, conditions))

    @cached_property
    def typed(self) -> TypedValues:
        """The parameters of this request for statements about the records: typed values and the like."""
        return TypedValues(self.statements, self.connection.dialect)

    def execute(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """The rows of a statement, with this reader's values bound to its parameters."""
        return fetch(self.connection, statement, values_of(self.policy.reader) | self.typed.values | values)

    def load(self, rows: Iterable[Row], fields: Sequence[Field]) -> list[Record]:
        """The records of rows that were selected with `fields`; linked records with their titles."""
        rows = list(rows)
        values = values_in_table(rows, fields)
        add_linked_records(self.partial(rows, fields, values))
        return self.complete(rows, fields, values)

    def partial(self, rows: Sequence[Row], fields: Sequence[Field], values: list[dict[str, Any]]) -> PartialRecords:
        """What has been read of the records so far: the `values` of their own table."""
        return PartialRecords(self.connection, self.policy, self.name, fields, [row["id"] for row in rows], values)

    def complete(self, rows: Sequence[Row], fields: Sequence[Field], values: list[dict[str, Any]]) -> list[Record]:
        """The records of rows whose `values` of `fields` are read, except those of `lines`."""
        add_rows(self.partial(rows, fields, values))
        title = self.module.title_field
        reader = self.policy.reader
        return [
            Record(
                id=row["id"],
                module=self.name,
                reference=row["reference"] or "",
                version=row["_version"] or 0,
                values=of_record,
                title=first_visible(title.show(of_record.get(title.name), reader), row["reference"]),
                changed=row["modified"],
            )
            for row, of_record in zip(rows, values, strict=True)
        ]


def values_in_table(rows: Iterable[Row], fields: Sequence[Field]) -> list[dict[str, Any]]:
    """The values of `fields` in rows that were read from the module's own table, row by row."""
    in_table = [(field.name, _loader(field)) for field in fields if not field.in_join_table]  # others have a join table
    return [{name: load(row) for name, load in in_table} for row in rows]


def _loader(field: Field) -> Callable[[Row], Any]:
    """A function that reads the value of a field from a row of a statement: for most fields, simply a column."""
    return itemgetter(field.name) if type(field).load is Field.load else field.load
