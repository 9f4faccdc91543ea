"""Which of many readers see a record, and what hides it from the others: the policy's answer for all of them at once.

Readers of a kind share one statement: that of `Policy.scope`, in which the person and the companies are columns of a
table of readers. Only the policy decides; nothing is decided here. `explain` answers the same for one reader.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import sqlalchemy as sa

from portal.batches import batched
from portal.records.policy import Policy
from portal.records.reading.records import Record
from portal.records.reading.watchers import watchers

# What decides: “sees” (by the scope) or “watches”, or the first step of `explain` that fails.
Outcome = Literal["sees", "watches", "module", "see", "where", "day"]
READERS = "readers"
MOST_VALUES = 2_000  # parameters of one statement


def outcomes(
    connection: sa.Connection, policies: Mapping[int, Policy], module: str, record: Record
) -> dict[int, Outcome]:
    """What decides whether each of many readers sees the record; the keys of `policies` are any numbers."""
    outcomes: dict[int, Outcome] = {}
    for keys in _kinds(policies):
        policy = policies[keys[0]]
        access = policy.access(module)
        if access is None:
            outcomes |= dict.fromkeys(keys, "module")
            continue
        readers = [(key, policies[key]) for key in keys]
        seeing = _seeing(connection, policy, readers, module, record.id)
        added = () if access.see == "all" else watchers(connection, policy.tables, policy.module(module), record.id)
        outcomes |= {key: "watches" if policies[key].reader.person in added else "sees" for key in seeing}
        blind = [reader for reader in readers if reader[0] not in seeing]
        within = _seeing(connection, policy.without_where(module), blind, module, record.id)
        matching = _seeing(connection, policy.without_day(), blind, module, record.id)
        for key, _policy in blind:
            if key not in within:
                outcomes[key] = "see"
            else:
                outcomes[key] = "day" if key in matching else "where"
    return outcomes


def _kinds(policies: Mapping[int, Policy]) -> Iterable[list[int]]:
    """The keys of many readers in groups whose rights differ only by which records belong to them."""
    kinds: dict[Any, list[int]] = defaultdict(list)
    for key, policy in policies.items():
        reader = policy.reader
        kinds[policy.profile.name, reader.person is None, len(reader.companies), policy.records_from].append(key)
    return kinds.values()


def _seeing(
    connection: sa.Connection, policy: Policy, readers: Sequence[tuple[int, Policy]], module: str, record_id: int
) -> set[int]:
    """The keys of the readers for whom the record exists under the rights of `policy`."""
    companies = [f"company_{place}" for place in range(len(policy.reader.companies))]
    names = ["reader", *([] if policy.reader.person is None else ["person"]), *companies]
    reader = replace(
        policy.reader.machine,
        person=None if policy.reader.person is None else _column("person"),
        companies=tuple(_column(name) for name in companies),
    )
    table, scope = policy.tables.module(module), replace(policy, reader=reader).scope(module)
    seeing: set[int] = set()
    for some in batched(readers, MOST_VALUES // len(names)):
        values = sa.values(*[sa.column(name, sa.BigInteger()) for name in names]).data([_row(*pair) for pair in some])
        listed = values.cte(READERS)
        query = sa.select(listed.c["reader"]).select_from(listed.join(table, table.c["id"] == record_id)).where(scope)
        seeing |= set(connection.scalars(query))
    return seeing


def _column(name: str) -> Any:
    # As text: a real column would join the table of readers again in each subquery of the scope.
    return sa.literal_column(f"{READERS}.{name}", sa.BigInteger())


def _row(key: int, policy: Policy) -> tuple[int, ...]:
    person = policy.reader.person
    return (key, *(() if person is None else (person,)), *policy.reader.companies)
