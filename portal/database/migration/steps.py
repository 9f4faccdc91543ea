"""The steps from what is remembered and what is lacking to what is declared: each a sentence, and the work behind it.

Made by plan.py, for the real database or for what is remembered alone. Nothing is changed here before a step's work
is called.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa

from portal.database.migration import alter
from portal.database.migration.convert import Conversion
from portal.database.migration.difference import Lacking
from portal.database.migration.options import rename_options, renamed_options
from portal.database.migration.row_counts import SHOWN, Rows
from portal.database.migration.snapshot import (
    Remembered,
    Renames,
    column_names,
    columns,
    made_again,
    own_tables,
    storage,
    target,
)
from portal.database.schema.tables import Tables
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.links import join_name

# The order of the work: an index goes before its column, a table comes before what leads to it.
NEEDLESS_INDEXES, OPTIONS, TABLES, JOINS, COLUMNS, VALUES, FIELDS_GO, MODULES_GO, INDEXES = range(9)
MOST_COLUMNS = {"sqlite": 2000, "postgresql": 1600}
WITH_LOSS = "(apply with --allow-loss)"
Work = tuple[int, Callable[[], object]]


@dataclass(frozen=True)
class Step:
    """One change. `loses`: it would lose data; `blocked`: it cannot be done as things are; `additive`: it takes nothing
    away and converts nothing, so that nobody needs to be asked."""

    sentence: str
    loses: bool = False
    additive: bool = True
    blocked: bool = False
    index: tuple[str, ...] = ()  # modules whose search index has to be filled anew
    about: tuple[tuple[str, ...], ...] = ()  # what stays remembered as it was while the step waits
    tables: tuple[str, ...] = ()  # those whose rows are read and then changed
    work: tuple[Work, ...] = field(default=(), repr=False, compare=False)

    @property
    def done(self) -> str:
        """The sentence when the step has been done."""
        if not self.loses:
            return self.sentence
        return self.sentence.removeprefix("! ").removesuffix(f" {WITH_LOSS}").replace(" would be lost", " lost", 1)


@dataclass(frozen=True)
class Difference:
    """What was applied last (in the names that hold now), what is declared, and what lies between them."""

    old: Remembered
    new: Remembered
    renames: Renames
    lacking: Lacking


class Planner:
    """Makes the steps; `rows` are those of the database in which everything bears its new name already."""

    def __init__(self, tables: Tables, difference: Difference, rows: Rows) -> None:
        self.declaration, self.tables, self.rows = tables.declaration, tables, rows
        self.old, self.new = difference.old, difference.new
        self.renames, self.lacking = difference.renames, difference.lacking
        self.touched = self.lacking.touched
        self.settled: set[str] = set()  # indexes of which a field's own step takes care

    def steps(self) -> list[Step]:
        """All of them, in the order of the declaration."""
        found = [*self._limits(), *self._own_tables(), *self._renamed_modules()]
        for module in self.declaration.modules.values():
            if module.name in self.lacking.tables:
                found.append(self._new_module(module))
            else:
                found += self._changed_module(module)
        found += self._needless_modules()
        return [*found, *self._search()]

    @property
    def connection(self) -> sa.Connection:
        """The connection on which work is done; never asked for where there is none."""
        if self.rows.connection is None:
            raise RuntimeError("these steps were made without a database")
        return self.rows.connection

    # -- the whole ------------------------------------------------------------------------------------------------

    def _limits(self) -> Iterator[Step]:
        connection = self.rows.connection
        most = MOST_COLUMNS[connection.dialect.name] if connection is not None else min(MOST_COLUMNS.values())
        for name in self.declaration.modules:
            count = len(self.tables.module(name).c)
            if count > most:
                sentence = f"! module {name} needs {count:,} columns, and this database has at most {most:,} in a table"
                yield Step(sentence, additive=False, blocked=True)

    def _own_tables(self) -> Iterator[Step]:
        own = {name for name in self.new["own"] if name in self.lacking.tables}
        if own:
            work = (JOINS, lambda: alter.create_others(self.connection, self.tables, own))
            yield Step("add the portal's own tables: " + ", ".join(sorted(own)), work=(work,))
        for name in self.new["own"]:
            table = self.tables.metadata.tables[name]
            for column in sorted(self.lacking.columns.get(name, ())):
                add = partial(self._add_columns, table, [column])
                yield Step(f"add column {name}.{column}", work=((COLUMNS, add),))
            yield from self._indexes(name)

    def _renamed_modules(self) -> Iterator[Step]:
        for name, was in self.renames.modules.items():
            yield Step(f"rename module {was} to {name}{_stay(self.rows.count(name))}")

    def _search(self) -> Iterator[Step]:
        """Modules with records whose entries in the search index are no longer what they should be."""
        stale = []
        empty = "portal_search" in self.lacking.tables
        for name, module in self.new["modules"].items():
            before = self.old["modules"].get(name)
            known = before is not None and before["search"] == module["search"]
            there = name not in self.lacking.tables
            if there and (empty or not known or name in self.renames.modules) and self.rows.count(name) != 0:
                stale.append(name)
        if stale:
            sentence = f"fill the search index of {', '.join(stale)} anew: what is searched there has changed"
            yield Step(sentence, index=tuple(stale), about=tuple((name, "search") for name in stale))

    # -- modules --------------------------------------------------------------------------------------------------

    def _new_module(self, module: Module) -> Step:
        table = self.tables.module(module.name)
        joins = {name for name in self._joins(module) if name in self.lacking.tables}
        keys = [column.name for column in table.c if column.foreign_keys]
        indexes = [str(index.name) for index in table.indexes]
        work: list[Work] = [
            (TABLES, lambda: alter.create_module_table(self.connection, table)),
            (JOINS, lambda: alter.add_foreign_keys(self.connection, table, keys)),
            (JOINS, lambda: alter.create_others(self.connection, self.tables, joins)),
            (INDEXES, lambda: alter.create_indexes(self.connection, table, indexes)),
        ]
        return Step(f"add module {module.name}", work=tuple(work))

    def _joins(self, module: Module) -> Iterator[str]:
        for name, each in module.fields.items():
            if target(each):
                yield join_name(module.name, name)

    def _changed_module(self, module: Module) -> Iterator[Step]:
        known = self.old["modules"].get(module.name, {"fields": {}, "indexes": {}})
        wanted = self.new["modules"][module.name]
        if known == wanted and module.name not in self.touched:
            return
        for name, entry in wanted["fields"].items():
            if module.name in self.touched or entry != known["fields"].get(name):
                yield from self._field(module, module.field(name), known["fields"].get(name))
        for name, entry in known["fields"].items():
            if name not in wanted["fields"]:
                yield from self._needless_field(module.name, name, entry)
        yield from self._indexes(module.name)

    def _needless_modules(self) -> Iterator[Step]:
        for name, entry in self.old["modules"].items():
            if name not in self.lacking.needless_tables:
                continue
            joins = [join_name(name, key) for key in entry["fields"]]
            gone = [join for join in joins if join in self.lacking.needless_tables]
            count = self.rows.count(name)
            work: tuple[Work, ...] = (
                (FIELDS_GO, partial(self._empty_module, name, gone)),
                (MODULES_GO, partial(self._drop_tables, [name])),
            )
            sentence = f"drop module {name}"
            loses = count is None or count > 0
            yield self._taking(sentence, f": {_number(count, 'record')} would be lost", loses, (name,), work, (name,))

    def _empty_module(self, name: str, joins: list[str]) -> None:
        """The module's comments and history go too: another module of its name would show them as its own."""
        for table in own_tables(self.tables):
            if "module" in table.c and table is not self.tables.sequence:
                self.connection.execute(sa.delete(table).where(table.c["module"] == name))
        self._drop_tables(joins)
        alter.let_go(self.connection, name)

    def _drop_tables(self, names: list[str]) -> None:
        alter.drop_tables(self.connection, names)

    # -- fields ---------------------------------------------------------------------------------------------------

    def _field(self, module: Module, each: Field, entry: dict[str, Any] | None) -> Iterator[Step]:
        table, names = module.name, {column.name for column in columns(each)}
        before = made_again(entry) if entry is not None else None
        lacks = names & self.lacking.columns.get(table, set())
        joins = {join_name(table, each.name)} & self.lacking.tables if target(each) else set()
        yield from self._renamed_field(table, each, before)
        if entry is not None and (before is None or self._differs(table, before, each)):
            yield self._conversion(module, before, each, entry["type"])
        elif lacks and lacks != names and entry is not None:
            yield self._companions(module, each, lacks)
        elif lacks or joins:
            yield self._new_field(module, each, lacks, joins)
        else:
            yield from self._unique(module, each)
        if entry is not None and before is not None:
            yield from self._options(module, before, each, entry)
        if each.required and not (entry or {}).get("required"):
            yield from self._required(module, each, new=bool(lacks or joins))

    def _differs(self, table: str, before: Field, each: Field) -> bool:
        odd = self.lacking.odd.get(table, set())
        return storage(before) != storage(each) or any(column.name in odd for column in columns(each))

    def _renamed_field(self, table: str, each: Field, before: Field | None) -> Iterator[Step]:
        was = self.renames.fields.get(table, {}).get(each.name)
        if was is not None:
            stay = _stay(self._filled(table, before), "value") if before is not None else ""
            yield Step(f"rename field {table}.{was} to {each.name}{stay}")

    def _new_field(self, module: Module, each: Field, lacks: set[str], joins: set[str]) -> Step:
        table = self.tables.module(module.name)
        count = self.rows.count(module.name) if each.default is not None else 0
        keep = "that exists keeps" if count == 1 else "that exist keep"
        hint = f"; the {_number(count, 'record')} {keep} it empty" if count else ""
        work: list[Work] = [
            (COLUMNS, partial(self._add_columns, table, sorted(lacks))),
            (JOINS, lambda: alter.create_others(self.connection, self.tables, joins)),
            (INDEXES, lambda: alter.create_indexes(self.connection, table, self._settled(table, each))),
        ]
        self._settled(table, each)
        return Step(f"add field {module.name}.{each.name} ({each.type}){hint}", work=tuple(work))

    def _add_columns(self, table: sa.Table, names: Iterable[str]) -> None:
        for name in names:
            alter.add_column(self.connection, table.c[name])
        alter.add_foreign_keys(self.connection, table, list(names))

    def _companions(self, module: Module, each: Field, lacks: set[str]) -> Step:
        """A later version of the portal keeps more beside the value than the one that made the column."""
        work = (VALUES, lambda: self._converter(module, each, each).complete(lacks))
        return Step(f"complete field {module.name}.{each.name}: {', '.join(sorted(lacks))}", work=(work,))

    def _required(self, module: Module, each: Field, new: bool) -> Iterator[Step]:
        count = self.rows.count(module.name)
        filled = 0 if new else self._filled(module.name, each)
        if count is not None and filled is not None and count > filled:
            left = _number(count - filled, "record") + " without it"
            stay = "stays as it is" if count - filled == 1 else "stay as they are"
            yield Step(f"field {module.name}.{each.name} is required from now on: {left} {stay} until edited")

    def _options(self, module: Module, before: Field, each: Field, entry: dict[str, Any]) -> Iterator[Step]:
        found = renamed_options(entry, each)
        if found:
            named = ", ".join(f'"{was}" to "{now}"' for now, was in found.items())
            sentence = f"rename options of {module.name}.{each.name}, with the values that are stored: {named}"
            yield Step(sentence, work=((OPTIONS, lambda: rename_options(self.connection, module.name, before, found)),))

    def _needless_field(self, module: str, name: str, entry: dict[str, Any]) -> Iterator[Step]:
        gone = sorted(column_names(entry) & self.lacking.needless_columns.get(module, set()))
        join = join_name(module, name)
        joins = [join] if join in self.lacking.needless_tables else []
        if not gone and not joins:
            return
        count = self.rows.linked(join) if joins else self.rows.filled(module, gone)
        self._let_indexes_go(module, set(gone))
        work: list[Work] = [
            (FIELDS_GO, partial(self._drop_tables, joins)),
            (FIELDS_GO, lambda: alter.drop_columns(self.connection, module, gone)),
        ]
        loses, about = count is None or count > 0, (module, "fields", name)
        sentence = f"drop field {module}.{name}"
        yield self._taking(sentence, f": {_number(count, 'value')} would be lost", loses, about, tuple(work), (module,))

    def _conversion(self, module: Module, before: Field | None, after: Field, was: str) -> Step:
        path, about = f"{module.name}.{after.name}", (module.name, "fields", after.name)
        change = f"change field {path} from {was} to {after.type}"
        if was == after.type:
            change = f"change how field {path} is kept"
        indexes = self._settled(self.tables.module(module.name), after)
        self._let_indexes_go(module.name, {column.name for column in columns(before or after)})
        if self.rows.connection is None:
            return Step(change, additive=False, about=(about,))
        conversion = self._converter(module, before, after)
        work: tuple[Work, ...] = (
            (VALUES, conversion.run),
            (INDEXES, lambda: alter.create_indexes(self.connection, conversion.table, indexes)),
        )
        misfits = conversion.misfits()
        if misfits.count:
            many = f"{misfits.count:,} of {_number(misfits.values, 'value')}"
            loss = f": {many} would be lost, not fitting: {misfits}"
            return self._taking(change, loss, True, about, work, (module.name,))
        fit = f": {_number(misfits.values, 'value')} converted" if misfits.values else ""
        return Step(change + fit, additive=False, about=(about,), work=work, tables=(module.name,))

    def _converter(self, module: Module, before: Field | None, after: Field) -> Conversion:
        return Conversion(self.connection, self.tables, self.declaration, module, before, after)

    def _filled(self, table: str, each: Field) -> int | None:
        if target(each):
            return self.rows.linked(join_name(table, each.name))
        return self.rows.filled(table, [column.name for column in columns(each)][:1])

    # -- indexes --------------------------------------------------------------------------------------------------

    def _unique(self, module: Module, each: Field) -> Iterator[Step]:
        """Nothing where no value stands twice; the index that keeps it so comes with the others."""
        table, kept = self.tables.module(module.name), [column for column in columns(each) if column.name == each.name]
        unique = {str(index.name) for index in table.indexes if index.unique}
        lacks = self._indexes_of(table, each) & unique & self.lacking.indexes.get(module.name, set())
        several = self.rows.equal(module.name, kept) if lacks else []
        if several:
            self.settled |= lacks
            shown = ", ".join(f'"{value[:40]}" ({count} times)' for value, count in several[:SHOWN])
            more = ", …" if len(several) > SHOWN else ""
            path = f"{module.name}.{each.name}"
            sentence = f"! field {path} cannot be made unique, these values stand more than once: {shown}{more}"
            yield Step(sentence, additive=False, blocked=True, about=((module.name, "indexes"),))

    def _indexes_of(self, table: sa.Table, each: Field) -> set[str]:
        names = {column.name for column in columns(each)}
        return {str(index.name) for index in table.indexes if not names.isdisjoint(index.columns.keys())}

    def _settled(self, table: sa.Table, each: Field) -> set[str]:
        """The indexes of a field whose step makes them itself."""
        found = self._indexes_of(table, each)
        self.settled |= found
        return found

    def _let_indexes_go(self, module: str, gone: set[str]) -> None:
        """The indexes of columns that go, go with them."""
        known = self.old["modules"][module]["indexes"].items()
        self.settled |= {index for index, (_unique, *of) in known if not gone.isdisjoint(of)}

    def _indexes(self, name: str) -> Iterator[Step]:
        table = self.tables.metadata.tables[name]
        lacks = self.lacking.indexes.get(name, set()) - self.settled
        needless = self.lacking.needless_indexes.get(name, set()) - self.settled
        if needless or lacks:
            work: tuple[Work, ...] = (
                (NEEDLESS_INDEXES, lambda: alter.drop_indexes(self.connection, name, needless)),
                (INDEXES, lambda: alter.create_indexes(self.connection, table, lacks)),
            )
            yield Step(f"bring the indexes of {name} up to date", work=work)

    def _taking(
        self, what: str, loss: str, loses: bool, about: tuple[str, ...], work: tuple[Work, ...], tables: tuple[str, ...]
    ) -> Step:  # fmt: skip
        sentence = f"! {what}{loss} {WITH_LOSS}" if loses else what
        return Step(sentence, loses, additive=False, about=(about,), work=work, tables=tables)


def _number(count: int | None, what: str) -> str:
    if count is None:
        return f"its {what}s"
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _stay(count: int | None, what: str = "record") -> str:
    if not count:
        return ""
    return f", {_number(count, what)} stay{'s' if count == 1 else ''}"
