"""The values of a field that is kept in another way from now on: each is written by the old field and read by the new.

Read without writing first, to tell what does not fit; then written to columns of their own, which take the old ones'
place. A link keeps its records where they may stay, else they go by their titles.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from portal.database.migration import alter
from portal.database.migration.snapshot import columns, target
from portal.database.schema.tables import Tables
from portal.declaration.shapes import Declaration, Module
from portal.fields.base import Field, Refused
from portal.fields.link import Linked, named
from portal.fields.links import join_name
from portal.fields.several import split

BATCH = 1000
SHOWN = 3


@dataclass
class Misfits:
    """What the new field refuses of the old one's values; the first few with their record."""

    values: int = 0
    count: int = 0
    shown: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return ", ".join(self.shown) + (", …" if self.count > len(self.shown) else "")


@dataclass(frozen=True)
class Conversion:
    """One field of one module. `old` is None where it is no longer understood: then its column is read as text."""

    connection: sa.Connection
    tables: Tables
    declaration: Declaration
    module: Module
    old: Field | None
    new: Field

    @property
    def table(self) -> sa.Table:
        """The table as it is wanted."""
        return self.tables.module(self.module.name)

    def misfits(self) -> Misfits:
        """Reads every value; changes nothing."""
        found = Misfits()
        for _identity, reference, before, after in self._each():
            found.values += 1
            if isinstance(after, Refused):
                found.count += 1
                if len(found.shown) < SHOWN:
                    found.shown.append(f'{reference} "{self._written(before)[:40]}"')
        return found

    def run(self) -> None:
        """Converts; what does not fit becomes empty."""
        table, wanted = self.table, [column.name for column in columns(self.new)]
        aside = {name: f"_new_{place}" for place, name in enumerate(wanted)}
        for name, temporary in aside.items():
            alter.add_column(self.connection, table.c[name], temporary)
        links = self._fill(aside)
        if self._old_columns():
            alter.drop_columns(self.connection, table.name, [column.name for column in self._old_columns()])
        if self.old is not None and target(self.old):
            alter.drop_tables(self.connection, [join_name(table.name, self.new.name)])
        for name, temporary in aside.items():
            alter.rename_column(self.connection, table.name, temporary, name)
        alter.add_foreign_keys(self.connection, table, wanted)
        if target(self.new):
            alter.create_others(self.connection, self.tables, {join_name(table.name, self.new.name)})
            for start in range(0, len(links), BATCH):
                join = self.tables.join(table.name, self.new.name)
                self.connection.execute(sa.insert(join), links[start : start + BATCH])

    def complete(self, lacking: set[str]) -> None:
        """Fills companions that a later version of the type keeps beside the value; the value itself stays."""
        for name in lacking:
            alter.add_column(self.connection, self.table.c[name])
        there = [column for column in columns(self.new) if column.name not in lacking]
        for rows in self._rows(there):
            filled = [self.new.store(self.new.load({**dict.fromkeys(lacking), **row})) for row in rows]
            self._update({name: name for name in lacking}, list(zip([row["id"] for row in rows], filled, strict=True)))

    # -- reading --------------------------------------------------------------------------------------------------

    def _each(self) -> Iterator[tuple[int, str, Any, Any]]:
        """(id, reference, old value, new value or Refused) of every record that has a value."""
        for rows in self._rows(self._old_columns()):
            befores = [self._titled(value) for value in self._loaded(rows)]
            for row, before in zip(rows, befores, strict=True):
                if before is None or before == ():
                    continue
                try:
                    after = self._converted(before)
                except Refused as refused:
                    after = refused
                yield row["id"], row["reference"] or f"#{row['id']}", before, after

    def _rows(self, wanted: Sequence[sa.Column[Any]]) -> Iterator[list[Mapping[str, Any]]]:
        """The records, in batches by id, so that nothing stays open while they are changed."""
        fixed = (sa.column("id", sa.BigInteger()), sa.column("reference", sa.Text()))
        source = sa.table(self.module.name, *fixed, *[sa.column(each.name, each.type) for each in wanted])
        last = 0
        while True:
            query = sa.select(source).where(source.c["id"] > last).order_by(source.c["id"]).limit(BATCH)
            rows = list(self.connection.execute(query).mappings())
            if not rows:
                return
            yield rows
            last = rows[-1]["id"]

    def _old_columns(self) -> list[sa.Column[Any]]:
        if self.old is None:
            return [sa.Column(self.new.name)]
        return columns(self.old)

    def _loaded(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        if self.old is None:
            return [row[self.new.name] for row in rows]
        goal = target(self.old)
        if not goal:
            return [self.old.load(row) for row in rows]
        join = sa.table(join_name(self.module.name, self.new.name), *map(sa.column, ("record", "target", "position")))
        within = join.c["record"].between(rows[0]["id"], rows[-1]["id"])
        found = defaultdict(list)
        ordered = sa.select(join).where(within).order_by(join.c["record"], join.c["position"])
        for record, identity, _position in self.connection.execute(ordered):
            found[record].append(Linked(identity, goal))
        return [tuple(found[row["id"]]) for row in rows]

    # -- converting -----------------------------------------------------------------------------------------------

    def _titled(self, value: Any) -> Any:
        """Linked records with the titles by which they are written."""
        if isinstance(value, Linked):
            title = self._title(value)
            return replace(value, title=title, raw=title)
        if isinstance(value, tuple) and value and isinstance(value[0], Linked):
            return tuple(map(self._titled, value))
        return value

    def _title(self, link: Linked) -> str:
        module = self.declaration.modules.get(link.module)
        kept = [module.title_field] if module and not module.title_field.computed else []
        names = dict.fromkeys(["reference", *[column.name for each in kept for column in each.columns()]])
        source = sa.table(link.module, sa.column("id"), *map(sa.column, names))
        row = self.connection.execute(sa.select(source).where(source.c["id"] == link.id)).mappings().first()
        if row is None:
            return f"#{link.id}"
        return (kept[0].write(kept[0].load(row)) if kept else "") or row["reference"] or f"#{link.id}"

    def _written(self, value: Any) -> str:
        return str(value) if self.old is None else self.old.write(value)

    def _converted(self, before: Any) -> Any:
        goals = getattr(self.new, "to", ())
        if not goals:
            return self.new.read(self._written(before))
        found = tuple(self._link(each, goals) for each in self._named(before))
        if self.new.multiple:
            return found
        if len(found) > 1:
            raise Refused("several records, where there is place for one")
        return found[0]

    def _named(self, before: Any) -> Sequence[Any]:
        """The records, or the names of records, of a value."""
        if isinstance(before, tuple):
            return before
        if isinstance(before, Linked) or not self.new.multiple:
            return (before if isinstance(before, Linked) else self._written(before),)
        return split(self._written(before))

    def _link(self, value: Any, goals: Sequence[str]) -> Linked:
        if isinstance(value, Linked) and value.module in goals:
            return value
        name = value.title if isinstance(value, Linked) else str(value)
        found = [
            Linked(identity, goal)
            for goal in goals
            for identity in self.connection.execute(named(self.tables.module(goal), name).limit(2)).scalars()
        ]
        if len(found) != 1:
            raise Refused("no record bears this name" if not found else "several records bear this name")
        return found[0]

    # -- writing --------------------------------------------------------------------------------------------------

    def _fill(self, aside: Mapping[str, str]) -> list[dict[str, Any]]:
        """Puts the values where they are kept meanwhile; answers the rows of the new join table."""
        links: list[dict[str, Any]] = []
        waiting: list[tuple[int, Mapping[str, Any]]] = []
        for identity, _reference, _before, after in self._each():
            if isinstance(after, Refused):
                continue
            if target(self.new):
                unique = dict.fromkeys(link.id for link in after)
                links += [{"record": identity, "target": goal, "position": place} for place, goal in enumerate(unique)]
            else:
                waiting.append((identity, self.new.store(after)))
            if len(waiting) >= BATCH:
                self._update(aside, waiting)
                waiting = []
        self._update(aside, waiting)
        return links

    def _update(self, names: Mapping[str, str], values: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
        """`names`: the field's column → the one that is written."""
        if not names or not values:
            return
        types = {column.name: column.type for column in columns(self.new)}
        source = sa.table(self.module.name, sa.column("id"), *[sa.column(names[each], types[each]) for each in names])
        bound = {names[each]: sa.bindparam(f"to_{place}", type_=types[each]) for place, each in enumerate(names)}
        statement = sa.update(source).where(source.c["id"] == sa.bindparam("of")).values(bound)
        rows = [
            {"of": identity, **{f"to_{place}": stored[each] for place, each in enumerate(names)}}
            for identity, stored in values
        ]
        self.connection.execute(statement, rows)
