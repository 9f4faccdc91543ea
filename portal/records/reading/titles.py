"""The titles of linked records, read for a whole page at once: one query per linked module, however long the page."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from portal.database.engine import cache_plan
from portal.fields.base import Field
from portal.fields.linked import Linked
from portal.records.policy import Policy
from portal.records.statement_cache import IDS, Statement, few_lengths, parameter, values_of


def with_titles(
    connection: sa.Connection,
    policy: Policy,
    module: str,
    fields: Sequence[Field],
    ids: Sequence[int],
    values: list[dict[str, Any]],
) -> None:
    """Completes `values`, one mapping per record of `ids`: `links` are read, and every linked record gets its title."""
    links = [field for field in fields if field.targets]
    for field in links:
        if field.in_join_table:
            _read_many(connection, policy, module, field, ids, values)
    wanted: dict[str, set[int]] = defaultdict(set)
    for field in links:
        for found in values:
            for link in field.links_in(found.get(field.name)):
                wanted[link.module].add(link.id)
    titles = {target: _titles(connection, policy, target, identities) for target, identities in wanted.items()}
    for field in links:
        for found in values:
            complete = [titles[link.module].get(link.id, link) for link in field.links_in(found.get(field.name))]
            found[field.name] = tuple(complete) if field.multiple else next(iter(complete), None)


def _read_many(
    connection: sa.Connection,
    policy: Policy,
    module: str,
    field: Field,
    ids: Sequence[int],
    values: list[dict[str, Any]],
) -> None:
    """The values of a `links` field from its join table."""
    join = policy.tables.join(module, field.name)
    rows = connection.execute(
        sa.select(join.c["record"], join.c["target"])
        .where(join.c["record"].in_(ids))
        .order_by(join.c["record"], join.c["position"])
    )
    targets: dict[int, list[Linked]] = defaultdict(list)
    for record, target in rows:
        targets[record].append(Linked(target, field.targets[0]))
    for identity, found in zip(ids, values, strict=True):
        found[field.name] = tuple(targets[identity])


def _titles(connection: sa.Connection, policy: Policy, target: str, ids: set[int]) -> dict[int, Linked]:
    """The linked records of one module with title, raw name and whether the reader may open them."""
    module = policy.declaration.modules[target]
    title, unique = module.title_field, module.unique_text
    general = policy.general
    statement = general and general.kept.get(
        ("titles", target), lambda: cache_plan(_titles_of(general, target), policy.tables.version)
    )
    statement = _titles_of(policy, target) if statement is None else statement
    found = {}
    for row in connection.execute(statement, {**values_of(policy.reader), IDS: few_lengths(ids)}).mappings():
        shown = title.show(title.load(row), policy.reader) or row["reference"] or ""
        raw = (unique and row[unique.name]) or row["reference"] or ""
        found[row["id"]] = Linked(row["id"], target, shown, bool(row["_visible"]), str(raw))
    return found


def _titles_of(policy: Policy, target: str) -> Statement:
    """What is read of the records IDS of a module, those that the reader may not see included."""
    module, table = policy.declaration.modules[target], policy.tables.module(target)
    title, unique = module.title_field, module.unique_text
    chosen = [table.c["id"], table.c["reference"], *title.selected(table), *(unique.selected(table) if unique else ())]
    columns = {column.name: column for column in chosen}
    visible = policy.scope(target) if target in policy.modules else sa.false()
    select = sa.select(*columns.values(), sa.case((visible, True), else_=False).label("_visible"))
    return select.where(table.c["id"].in_(parameter(IDS, several=True)))
