"""The texts of conversations on records, for the search: public comments for everyone, internal ones for staff."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from portal.database.fetching import fetch
from portal.database.schema.tables import Tables
from portal.database.sql import AmongIds
from portal.declaration.shapes import Module
from portal.records.policy import Policy
from portal.records.statement_cache import IDS, id_list_parameter


def readable_texts(
    connection: sa.Connection, policy: Policy, module: Module, ids: Sequence[int]
) -> dict[int, list[str]]:
    """Each record of `ids` → the text of its conversation for this reader: internal comments only for staff."""
    return readable_texts_together(connection, policy, [(module, ids)])[0]


def readable_texts_together(
    connection: sa.Connection, policy: Policy, of_modules: Sequence[tuple[Module, Sequence[int]]]
) -> list[dict[int, list[str]]]:
    """The texts of `readable_texts` for the records of several modules, in one statement."""
    together = _texts_together(connection, policy.tables, of_modules)
    if not policy.staff:
        return [public for public, _internal in together]
    return [
        {record_id: public.get(record_id, []) + internal.get(record_id, []) for record_id in {**public, **internal}}
        for public, internal in together
    ]


def conversation_texts(
    connection: sa.Connection, tables: Tables, module: Module, ids: Sequence[int]
) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """Each record of `ids` → its public comments; and its internal ones. Newest first; records without are left out."""
    return _texts_together(connection, tables, [(module, ids)])[0]


Texts = tuple[dict[int, list[str]], dict[int, list[str]]]


def _texts_together(
    connection: sa.Connection, tables: Tables, of_modules: Sequence[tuple[Module, Sequence[int]]]
) -> list[Texts]:
    texts: list[Texts] = [(defaultdict(list), defaultdict(list)) for _each in of_modules]
    by_module = {
        module.name: (place, list(ids)) for place, (module, ids) in enumerate(of_modules) if module.comments and ids
    }
    if not by_module:
        return texts
    if len(by_module) == 1:
        statement = tables.statement("conversations", lambda: _select_texts(tables.comment))
        ((name, (_place, one_ids)),) = by_module.items()
        values = {"module_name": name, IDS: one_ids}
    else:
        statement, values = _select_texts_together(tables.comment, by_module), {}
    for row in fetch(connection, statement, values):
        name, record_id, text, is_internal = row.values()
        texts[by_module[name][0]][is_internal][record_id].append(text)
    return texts


def _select_texts(table: sa.Table) -> sa.Select[Any]:
    on_records = table.c["module"] == sa.bindparam("module_name"), AmongIds(table.c["record"], id_list_parameter())
    return _newest_first(table).where(*on_records)


def _select_texts_together(table: sa.Table, by_module: Mapping[str, tuple[int, list[int]]]) -> sa.Select[Any]:
    pairs = [(name, record_id) for name, (_place, ids) in by_module.items() for record_id in ids]
    return _newest_first(table).where(sa.tuple_(table.c["module"], table.c["record"]).in_(pairs))


def _newest_first(table: sa.Table) -> sa.Select[Any]:
    columns = table.c["module"], table.c["record"], table.c["text"], table.c["internal"]
    return sa.select(*columns).order_by(table.c["id"].desc())
