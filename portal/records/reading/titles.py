"""Reads linked records for a whole page at once: one query per `links` field, and one per linked module for titles."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.fetching import fetch
from portal.database.postgresql import cache_plan
from portal.database.sql import AmongIds
from portal.fields.base import Field
from portal.fields.linked_value import Linked
from portal.records.policy import Policy
from portal.records.statement_cache import IDS, Statement, StatementKey, id_list_parameter, values_of
from portal.texts import first_visible


@dataclass(frozen=True)
class PartialRecords:
    """Records of a module while they are read: `values`, one mapping per record of `ids`, is completed in place."""

    connection: sa.Connection
    policy: Policy
    module: str
    fields: Sequence[Field]
    ids: Sequence[int]
    values: list[dict[str, Any]]


def add_linked_records(records: PartialRecords) -> None:
    """Gives every linked record of a page its title.

    `links` are read here, and only the records that the reader may see remain in them.
    """
    titled = titled_links(records.connection, records.policy, read_links(records))
    put_titles(records.fields, records.values, titled)


def read_links(records: PartialRecords) -> list[Linked]:
    """All linked records (those of `links` are read here); `put_titles` must follow."""
    links = [field for field in records.fields if field.targets]
    for field in links:
        if field.in_join_table:
            _add_many(records, field)
    return [link for field in links for values in records.values for link in field.links_in(values.get(field.name))]


def put_titles(fields: Sequence[Field], values: list[dict[str, Any]], titled: Mapping[tuple[str, int], Linked]) -> None:
    """Replaces the links in `values` with those that `titled_links` read."""
    for field in fields:
        for of_record in values if field.targets else ():
            links_of_record = [
                titled.get((link.module, link.id), link) for link in field.links_in(of_record.get(field.name))
            ]
            if field.in_join_table:  # the others would reveal who else shares this record
                links_of_record = [link for link in links_of_record if link.visible]
            of_record[field.name] = tuple(links_of_record) if field.multiple else next(iter(links_of_record), None)


def titled_links(connection: sa.Connection, policy: Policy, links: Iterable[Linked]) -> dict[tuple[str, int], Linked]:
    """The linked records by module and id, with their titles, one query per module. Deleted ones are left out."""
    ids: dict[str, set[int]] = defaultdict(set)
    for link in links:
        ids[link.module].add(link.id)
    return {
        (target, linked.id): linked
        for target, target_ids in ids.items()
        for linked in _titled(connection, policy, target, target_ids).values()
    }


def _add_many(records: PartialRecords, field: Field) -> None:
    """Adds the values of a `links` field from its join table."""
    tables, targets = records.policy.tables, defaultdict[int, list[Linked]](list)
    join = tables.join(records.module, field.name)
    statement = tables.statement(f"links of {join.name}", lambda: _targets(join))
    for row in fetch(records.connection, statement, {IDS: list(records.ids)}):
        targets[row["record"]].append(Linked(row["target"], field.targets[0]))
    for record_id, of_record in zip(records.ids, records.values, strict=True):
        of_record[field.name] = tuple(targets[record_id])


def _targets(join: sa.Table) -> sa.Select[Any]:
    among = AmongIds(join.c["record"], id_list_parameter())
    return sa.select(join.c["record"], join.c["target"]).where(among).order_by(join.c["record"], join.c["position"])


def _titled(connection: sa.Connection, policy: Policy, target: str, ids: set[int]) -> dict[int, Linked]:
    """The linked records of one module with their titles, raw names and whether the reader may open them."""
    module = policy.module(target)
    title, unique = module.title_field, module.unique_text
    linked = {}
    values = values_of(policy.reader) | {IDS: list(ids)}
    for row in fetch(connection, _statement(policy, target), values):
        shown = first_visible(title.show(title.load(row), policy.reader), row["reference"])
        raw = (unique and row[unique.name]) or row["reference"] or ""
        linked[row["id"]] = Linked(row["id"], target, shown, bool(row["_visible"]), row["reference"] or "", str(raw))
    return linked


def _statement(policy: Policy, target: str) -> Statement:
    """The statement for `_titled`, shared if the scope of the target is."""
    shared = policy.shared
    if shared is None or not shared.scope_is_shared(target):
        return _build(policy, target)
    version = policy.tables.version
    return shared.statements.get(StatementKey("titles", target), lambda: cache_plan(_build(shared, target), version))


def _build(policy: Policy, target: str) -> Statement:
    """The query for titles of linked records, whose ids are IDS, including those that the reader may not see."""
    module, table = policy.module(target), policy.tables.module(target)
    title, unique = module.title_field, module.unique_text
    of_unique = unique.selected(table) if unique else ()
    selected = [table.c["id"], table.c["reference"], *title.selected(table), *of_unique]
    columns = {column.name: column for column in selected}
    visible = policy.scope(target) if target in policy.modules else sa.false()
    select = sa.select(*columns.values(), sa.case((visible, True), else_=False).label("_visible"))
    return select.where(AmongIds(table.c["id"], id_list_parameter()))
