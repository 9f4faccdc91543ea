"""Drafts that were found good → records, in batches: rows, links, numbers, history and the search index together.

Nothing is sent to anybody: the history says `imported`, which no letter is made of.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.engine import analyze
from portal.database.search import index as search
from portal.fields.linked import Linked
from portal.records.indexing.backlog import update_linking_records
from portal.records.indexing.index import index_records
from portal.records.reading.records import Records
from portal.records.transfer.drafts import EMPTY, Draft
from portal.records.writing.history import Author, author_of, state_written
from portal.records.writing.rows import link_values, new_row
from portal.records.writing.sequence import keep_above, next_numbers

BATCH = 1000
KIND = "imported"


@dataclass(frozen=True)
class Outcome:
    """What was done."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0

    @classmethod
    def of(cls, drafts: Sequence[Draft]) -> "Outcome":
        """What storing `drafts` does."""
        found = [bool(changes(draft)) for draft in drafts if draft.record is not None]
        return cls(len(drafts) - len(found), sum(found), len(found) - sum(found))


def write(
    system: Records, drafts: Sequence[Draft], author: Author, told: Callable[[int], None] = lambda done: None
) -> Outcome:
    """Stores `drafts`, all in the caller's transaction. `told`: how many are done."""
    new = [draft for draft in drafts if draft.record is None]
    differing = {draft: changes(draft) for draft in drafts if draft.record is not None}
    changed = [draft for draft in differing if differing[draft]]
    done = 0
    with search.filling(system.connection):
        _raise_numbers(system, new)
        for batch in _batches(new):
            _insert(system, batch, author)
            done += len(batch)
            told(done)
        for batch in _batches(changed):
            _update(system, batch, differing, author)
            done += len(batch)
            told(done)
        _link_later(system, drafts)
        touched = [draft for draft in drafts if draft.record is None or differing[draft]]
        now = system.policy.reader.now
        touched.sort(key=lambda draft: draft.values.get("created") or now if draft.record is None else now)
        index_records(system, [draft.id for draft in touched])
        for draft in changed:
            if system.module.title_field.name in differing[draft]:
                update_linking_records(system, draft.id)
    if len(touched) >= BATCH:
        analyze(system.connection, [system.table.name, system.policy.tables.search.name])
    return Outcome(len(new), len(changed), len(differing) - len(changed))


def changes(draft: Draft) -> dict[str, Any]:
    """The values that differ from the record's; fields with links to other rows of the file always count."""
    record = draft.record
    if record is None:
        return draft.values
    draft.id = record.id
    differing = {name: value for name, value in draft.values.items() if not _same(record.values.get(name), value)}
    return {**differing, **{name: draft.values[name] for name in draft.later}}


def _same(old: Any, new: Any) -> bool:
    """Links are compared by what they lead to: a file does not know their titles."""
    return _bare(old) == _bare(new)


def _bare(value: Any) -> Any:
    if value in EMPTY:
        return None
    if isinstance(value, tuple):
        return tuple(map(_bare, value))
    return (value.module, value.id) if isinstance(value, Linked) else value


def _batches(drafts: Sequence[Draft]) -> Iterator[Sequence[Draft]]:
    for start in range(0, len(drafts), BATCH):
        yield drafts[start : start + BATCH]


def _raise_numbers(system: Records, new: Sequence[Draft]) -> None:
    """Numbers that files bring along are taken; the portal's own go on behind them.

    A reference without a number has the one that the module's pattern finds in it, if it was made by this pattern.
    """
    pattern = re.escape(system.module.reference)
    pattern = re.sub(r"\\\{number(:\d+)?\\\}", r"(?P<number>\\d{1,18})", pattern, count=1)
    pattern = re.sub(r"\\\{year\\\}", r"\\d{4}", pattern)
    for draft in new:
        match = re.fullmatch(pattern, draft.values.get("reference") or "")
        if match and "number" not in draft.values:
            draft.values["number"] = int(match["number"])
    numbers = [draft.values["number"] for draft in new if draft.values.get("number")]
    if numbers:
        keep_above(system.connection, system.policy.tables, system.name, max(numbers))


def _insert(system: Records, batch: Sequence[Draft], author: Author) -> None:
    table, reference = system.table, system.module.field("reference")
    without = [draft for draft in batch if not draft.values.get("number")]
    fresh = iter(next_numbers(system.connection, system.policy.tables, system.name, len(without)) if without else ())
    numbers = {draft: draft.values.get("number") or next(fresh) for draft in batch}
    rows = []
    for draft, number in numbers.items():
        row = new_row(system, draft.values, number, author)
        given = draft.values.get("reference")
        rows.append(row | (reference.store(given) if given else {}))
    system.connection.execute(sa.insert(table), rows)
    found = sa.select(table.c["number"], table.c["id"]).where(table.c["number"].in_(numbers.values()))
    ids = {number: identity for number, identity in system.connection.execute(found)}
    for draft, number in numbers.items():
        draft.id = ids[number]
    _join(system, {draft: draft.values for draft in batch})
    _remember(system, {draft: state_written(system.module, draft.values) for draft in batch}, author)


def _update(system: Records, batch: Sequence[Draft], differing: dict[Draft, dict[str, Any]], author: Author) -> None:
    """One statement for the batch: it sets every field that the file has, also where only one of them differs."""
    table, now = system.table, system.policy.reader.now
    names = dict.fromkeys(name for draft in batch for name in draft.values)
    fields = [each for name in names if (each := system.module.field(name)).columns()]
    rows = []
    for draft in batch:
        row, values = {"_id": draft.id, "_modified": now}, draft.whole()
        for each in fields:
            row |= {f"new_{name}": value for name, value in each.store(values[each.name]).items()}
        rows.append(row)
    columns = {column.name: sa.bindparam(f"new_{column.name}") for each in fields for column in each.columns()}
    who = author_of(system, author, "modified_by")
    fixed = {"modified": sa.bindparam("_modified"), **who, "_version": table.c["_version"] + 1}
    statement = sa.update(table).where(table.c["id"] == sa.bindparam("_id"))
    system.connection.execute(statement.values(columns | fixed), rows)
    _join(system, {draft: differing[draft] for draft in batch})
    details = {
        draft: {"fields": sorted(changed), **state_written(system.module, changed)}
        for draft, changed in differing.items()
    }
    _remember(system, details, author)


def _join(system: Records, values: dict[Draft, dict[str, Any]]) -> None:
    """The links that live in join tables."""
    for name in link_values(system.module, dict.fromkeys(system.module.fields)):
        join = system.policy.tables.join(system.name, name)
        concerned = [draft for draft, given in values.items() if name in given]
        old = [draft.id for draft in concerned if draft.record]
        if old:
            system.connection.execute(sa.delete(join).where(join.c["record"].in_(old)))
        rows = [
            {"record": draft.id, "target": target, "position": position}
            for draft in concerned
            for position, target in enumerate(dict.fromkeys(link.id for link in values[draft][name] or ()))
        ]
        if rows:
            system.connection.execute(sa.insert(join), rows)


def _link_later(system: Records, drafts: Sequence[Draft]) -> None:
    """Links between rows of the file, once all of them are records."""
    for draft in drafts:
        for name, others in draft.later.items():
            each, links = system.module.field(name), [Linked(other.id, system.name) for other in others]
            if each.multiple:
                links = [*draft.values[name], *links]
                draft.values[name] = tuple(dict.fromkeys(links))
    for name in {name for draft in drafts for name in draft.later}:
        each, concerned = system.module.field(name), [draft for draft in drafts if name in draft.later]
        for batch in _batches(concerned):
            if each.multiple:
                _rejoin(system, name, batch)
            else:
                _relink(system, name, batch)


def _rejoin(system: Records, name: str, batch: Sequence[Draft]) -> None:
    join = system.policy.tables.join(system.name, name)
    system.connection.execute(sa.delete(join).where(join.c["record"].in_([draft.id for draft in batch])))
    rows = [
        {"record": draft.id, "target": link.id, "position": position}
        for draft in batch
        for position, link in enumerate(draft.values[name])
    ]
    system.connection.execute(sa.insert(join), rows)


def _relink(system: Records, name: str, batch: Sequence[Draft]) -> None:
    table, each = system.table, system.module.field(name)
    rows = []
    for draft in batch:
        stored = each.store(Linked(draft.later[name][0].id, system.name))
        rows.append({"_id": draft.id, **{f"new_{column}": value for column, value in stored.items()}})
    columns = {column.name: sa.bindparam(f"new_{column.name}") for column in each.columns()}
    system.connection.execute(sa.update(table).where(table.c["id"] == sa.bindparam("_id")).values(columns), rows)


def _remember(system: Records, details: dict[Draft, dict[str, Any]], author: Author) -> None:
    now = system.policy.reader.now
    rows = [
        {"module": system.name, "record": draft.id, "kind": KIND, "account": author.account, "at": now, "details": said}
        for draft, said in details.items()
    ]
    system.connection.execute(sa.insert(system.policy.tables.event), rows)
