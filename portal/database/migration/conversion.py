"""Converts the values of a field that will be stored differently.

Each value is written by the old field and read by the new one: once to count what does not fit, and once to fill new
columns, which then replace the old ones. A link keeps its records if they may stay, otherwise their titles are looked
up.
"""

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import sqlalchemy as sa
from markupsafe import escape

from portal.batches import batched
from portal.database.migration import alter, values_set_aside
from portal.database.schema.tables import Tables, columns_of
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.file import FileValue
from portal.fields.linked_value import Linked
from portal.fields.reader import Reader
from portal.fields.record_titles import ids_named
from portal.fields.refused import Refused
from portal.fields.several_values import split_values
from portal.fields.table_names import is_rows, join_name
from portal.fields.whole_day import WholeDay

BATCH = 1000
SHOWN = 3


@dataclass
class Misfits:
    """The values that the new field refuses; the first few are shown with their records."""

    values: int = 0  # all values of the old field, fitting or not
    count: int = 0
    shown: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return ", ".join(self.shown) + (", …" if self.count > len(self.shown) else "")


class Converted(NamedTuple):
    """The value of one record, before and after its field gets another type."""

    record_id: int
    reference: str
    before: Any
    after: Any  # Refused if it does not fit


@dataclass(frozen=True)
class Conversion:
    """The conversion of one field to another type. `old` is None if this version no longer understands it: then its
    column is read as text.

    A large PostgreSQL table is converted in advance, see background_conversion.py.
    """

    connection: sa.Connection
    tables: Tables
    module: Module
    old: Field | None
    new: Field

    @property
    def table(self) -> sa.Table:
        """The declared table of the field that is converted."""
        return self.tables.module(self.module.name)

    @property
    def old_columns(self) -> list[sa.Column[Any]]:
        """The columns of the old values; none for a list of links."""
        if self.old is None:
            return [sa.Column(self.new.name)]
        return columns_of(self.old)

    @property
    def is_about_links(self) -> bool:
        """Whether values are links before or after: they also depend on other records."""
        return any(field is not None and field.targets for field in (self.old, self.new))

    def misfits(self) -> Misfits:
        """Reads every value; changes nothing."""
        misfits = Misfits()
        for value in self._values():
            misfits.values += 1
            if self.is_misfit(value):
                misfits.count += 1
                if len(misfits.shown) < SHOWN:
                    misfits.shown.append(self.describe(value))
        return misfits

    @property
    def loses_days(self) -> bool:
        """Whether days without a time become the moments at which they begin."""
        had_days = self.old is not None and self.old.takes_days
        return had_days and self.new.is_moment and not self.new.takes_days and not self._is_formula

    def is_misfit(self, value: Converted) -> bool:
        """Whether the new field refuses a value, or takes only a part of it."""
        return isinstance(value.after, Refused) or (self.loses_days and isinstance(value.before, WholeDay))

    def describe(self, value: Converted) -> str:
        """A value that does not fit, as shown in a plan."""
        return f'{value.reference} "{self.as_text(value.before)[:40]}"'

    def run(self, keep_misfits: bool = False) -> None:
        """Converts the values; one that does not fit becomes empty, and is set aside if `keep_misfits`."""
        table, names = self.table, [column.name for column in columns_of(self.new)]
        temporary = {name: f"_new_{place}" for place, name in enumerate(names)}
        for name, temporary_name in temporary.items():
            alter.add_column(self.connection, table.c[name], temporary_name)
        links, misfits = self._fill(temporary)
        if old := self._columns_to_drop(names):
            alter.drop_columns(self.connection, table.name, old)
        if self.old is not None and self.old.in_join_table:
            alter.drop_tables(self.connection, [join_name(table.name, self.new.name)])
        for name, temporary_name in temporary.items():
            alter.rename_column(self.connection, table.name, temporary_name, name)
        alter.add_foreign_keys(self.connection, table, names)
        if self.new.in_join_table:
            alter.create_tables(self.connection, self.tables, {join_name(table.name, self.new.name)})
            join = self.tables.join(table.name, self.new.name)
            for batch in batched(links, BATCH):
                self.connection.execute(sa.insert(join), batch)
        if misfits and keep_misfits:
            values_set_aside.set_values_aside(self.connection, table.name, self.new.name, misfits)

    def _columns_to_drop(self, names: list[str]) -> list[str]:
        """The old columns. If the old type is no longer understood, its companion columns are unknown: then includes
        those whose names the new field needs."""
        old = [column.name for column in self.old_columns]
        if self.old is not None:
            return old
        present = {column["name"] for column in sa.inspect(self.connection).get_columns(self.table.name)}
        return [*old, *(name for name in names if name in present and name not in old)]

    def restore_set_aside(self) -> None:
        """Fills fields with values that were set aside when the type last changed, and that fit this type, unless they
        have another value by now."""
        fitting = self.fitting_aside()
        if not fitting:
            return
        names = {column.name: column.name for column in columns_of(self.new)}
        empty = self._empty_records(fitting)
        self.update(names, [(record_id, stored) for record_id, stored in fitting.items() if record_id in empty])
        aside = values_set_aside.column_name(self.new.name)
        values_set_aside.write_texts(self.connection, self.module.name, aside, dict.fromkeys(sorted(empty)))

    def fitting_aside(self) -> dict[int, Mapping[str, Any]]:
        """The values set aside that fit, as they are stored, by record id."""
        fitting: dict[int, Mapping[str, Any]] = {}
        if self.new.in_join_table or self._is_formula:
            return fitting  # a list of links has no column that could be empty, and a formula fills its own
        for record_id, text in values_set_aside.texts_set_aside(
            self.connection, self.module.name, self.new.name
        ).items():
            with contextlib.suppress(Refused):
                fitting[record_id] = self.new.store(self._convert_text(text))
        return fitting

    def fill_companions(self, missing: set[str]) -> None:
        """Adds and fills missing companion columns of a field; the value itself stays."""
        for name in missing:
            alter.add_column(self.connection, self.table.c[name])
        existing = [column for column in columns_of(self.new) if column.name not in missing]
        for rows in self._batches(existing):
            stored = [self.new.store(self.new.load({**dict.fromkeys(missing), **row})) for row in rows]
            self.update({name: name for name in missing}, list(zip([row["id"] for row in rows], stored, strict=True)))

    # -- reading --------------------------------------------------------------------------------------------------

    def _values(self) -> Iterator[Converted]:
        """Every record that has a value."""
        for rows in self._batches(self.old_columns):
            yield from self.convert(rows)

    def convert(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[Converted]:
        """The rows of one batch that have a value, converted."""
        values = [self._with_titles(value) for value in self._load(rows)]
        for row, before in zip(rows, values, strict=True):
            if before is None or before == ():
                continue
            try:
                after = self._convert(before)
            except Refused as refused:
                after = refused
            yield Converted(row["id"], row.get("reference") or f"#{row['id']}", before, after)

    def _batches(self, read: Sequence[sa.Column[Any]]) -> Iterator[list[dict[str, Any]]]:
        """The records in batches by id, so that no cursor is open while they are changed."""
        rows = self.rows_after(0, read)
        while rows:
            yield rows
            rows = self.rows_after(rows[-1]["id"], read)

    def rows_after(self, record_id: int, read: Sequence[sa.Column[Any]]) -> list[dict[str, Any]]:
        """The next batch of records after this one, with the columns `read`."""
        source = self._source(read)
        return self._rows(sa.select(source).where(source.c["id"] > record_id).order_by(source.c["id"]).limit(BATCH))

    def rows_of(self, record_ids: Sequence[int]) -> list[dict[str, Any]]:
        """The existing records among `record_ids`, with their old values."""
        source = self._source(self.old_columns)
        return self._rows(sa.select(source).where(source.c["id"].in_(record_ids)).order_by(source.c["id"]))

    def _source(self, read: Sequence[sa.Column[Any]]) -> sa.TableClause:
        # The rows of a `lines` field have no reference of their own.
        reference = [] if is_rows(self.module.name) else [sa.column("reference", sa.Text())]
        values = [sa.column(column.name, column.type) for column in read]
        return sa.table(self.module.name, sa.column("id", sa.BigInteger()), *reference, *values)

    def _rows(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        return [dict(row) for row in self.connection.execute(query).mappings()]

    def _load(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        if self.old is None:
            return [row[self.new.name] for row in rows]
        if not self.old.in_join_table:
            return [self.old.load(row) for row in rows]
        join = sa.table(join_name(self.module.name, self.new.name), *map(sa.column, ("record", "target", "position")))
        batch = join.c["record"].between(rows[0]["id"], rows[-1]["id"])
        links = defaultdict(list)
        ordered = sa.select(join).where(batch).order_by(join.c["record"], join.c["position"])
        for record_id, target_id, _position in self.connection.execute(ordered):
            links[record_id].append(Linked(target_id, self.old.targets[0]))
        return [tuple(links[row["id"]]) for row in rows]

    # -- converting -----------------------------------------------------------------------------------------------

    def _with_titles(self, value: Any) -> Any:
        """Linked records with the titles used to write them."""
        if isinstance(value, Linked):
            title = self._title(value)
            return replace(value, title=title, raw=title)
        if isinstance(value, tuple) and value and isinstance(value[0], Linked):
            return tuple(map(self._with_titles, value))
        return value

    def _title(self, link: Linked) -> str:
        module = self.tables.declaration.modules.get(link.module)
        title = module.title_field if module and not module.title_field.computed else None
        names = dict.fromkeys(["reference", *(column.name for column in (title.columns() if title else []))])
        source = sa.table(link.module, sa.column("id"), *map(sa.column, names))
        row = self.connection.execute(sa.select(source).where(source.c["id"] == link.id)).mappings().first()
        if row is None:
            return f"#{link.id}"
        return (title.write(title.load(dict(row))) if title else "") or row["reference"] or f"#{link.id}"

    def as_text(self, value: Any) -> str:
        """An old value as text."""
        return str(value) if self.old is None else self.old.write(value)

    def _convert_text(self, text: str) -> Any:
        if self.new.targets:
            return self._link(text, self.new.targets)
        return self.new.read(_as_html(text) if self.new.holds_html else text, self._reader)

    @property
    def _is_formula(self) -> bool:
        """Whether the values will be computed: none that people entered stays."""
        return self.new.name in self.module.formulas

    def _convert(self, before: Any) -> Any:
        if self._is_formula:
            raise Refused("the formula gives another value")
        targets = self.new.targets
        if not targets:
            return self._read(before)
        links = tuple(self._link(item, targets) for item in self._names(before))
        if self.new.multiple:
            return links
        if len(links) > 1:
            raise Refused("several records, but only room for one")
        return links[0]

    def _read(self, before: Any) -> Any:
        """The value of the first text form that the new field can read; files stay. Raises Refused if there is none."""
        if self.old is not None and self.old.by_upload and self.new.by_upload:
            files = self.old.files_in(before)
            if len(files) > 1 and not self.new.multiple:
                raise Refused("several files, but only room for one")
            if self.new.needs_preview and not self._are_pictures(files):
                raise Refused("not a picture")
            return self.new.of_files(files)
        forms = (str(before),) if self.old is None else self.old.text_forms(before, self._reader)
        for form in forms:
            try:
                return self.new.read(_as_html(form) if self.new.holds_html else form, self._reader)
            except Refused as error:
                refused = error
        raise refused

    def _are_pictures(self, files: Sequence[FileValue]) -> bool:
        """Whether all files have a preview."""
        table, ids = self.tables.file, {file.id for file in files}
        pictures = sa.select(sa.func.count()).where(table.c["id"].in_(ids), table.c["preview"].is_not(None))
        return self.connection.execute(pictures).scalar_one() == len(ids)

    @cached_property
    def _reader(self) -> Reader:
        return self.tables.declaration.reader().machine

    def _names(self, before: Any) -> Sequence[Any]:
        """The records, or the names of records, in a value."""
        if isinstance(before, tuple):
            return before
        if isinstance(before, Linked) or not self.new.multiple:
            return (before if isinstance(before, Linked) else self.as_text(before),)
        return split_values(self.as_text(before))

    def _link(self, item: Any, targets: Sequence[str]) -> Linked:
        """The record of a link or of a name. Raises Refused unless there is exactly one."""
        if isinstance(item, Linked) and item.module in targets:
            return item
        name = item.title if isinstance(item, Linked) else str(item)
        links = [
            Linked(record_id, target)
            for target in targets
            if target in self._existing_tables
            for record_id in self.connection.execute(ids_named(self.tables.module(target), name).limit(2)).scalars()
        ]
        if len(links) != 1:
            raise Refused("no record has this name" if not links else "several records have this name")
        return links[0]

    @cached_property
    def _existing_tables(self) -> set[str]:
        """The existing tables: a new module has none while the plan is made, and no records when it is carried out."""
        inspector = sa.inspect(self.connection)
        return {target for target in self.new.targets if inspector.has_table(target)}

    # -- writing --------------------------------------------------------------------------------------------------

    def _empty_records(self, fitting: Mapping[int, Mapping[str, Any]]) -> set[int]:
        """The records among those of `fitting` whose value is empty, or the same but for its companion columns."""
        first = columns_of(self.new)[0]
        source = sa.table(self.module.name, sa.column("id"), sa.column(first.name, first.type))
        empty: set[int] = set()
        for batch in batched(list(fitting), BATCH):
            for record_id, value in self.connection.execute(sa.select(*source.c).where(source.c["id"].in_(batch))):
                if value is None or value == fitting[record_id][first.name]:
                    empty.add(record_id)
        return empty

    def _fill(self, temporary: Mapping[str, str]) -> tuple[list[dict[str, Any]], dict[int, str]]:
        """Writes the new values to the temporary columns; returns the rows of the new join table, and the misfits."""
        links: list[dict[str, Any]] = []
        misfits: dict[int, str] = {}
        pending: list[tuple[int, Mapping[str, Any]]] = []
        for value in self._values():
            if self.is_misfit(value):
                misfits[value.record_id] = self.as_text(value.before)
            if isinstance(value.after, Refused):
                continue
            if self.new.in_join_table:
                ids = dict.fromkeys(link.id for link in value.after)
                links += [
                    {"record": value.record_id, "target": target_id, "position": place}
                    for place, target_id in enumerate(ids)
                ]
            else:
                pending.append((value.record_id, self.new.store(value.after)))
            if len(pending) >= BATCH:
                self.update(temporary, pending)
                pending = []
        self.update(temporary, pending)
        return links, misfits

    def update(self, names: Mapping[str, str], values: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
        """Writes values. `names`: column of the field → column to write. `values`: record id and stored values."""
        if not names or not values:
            return
        types = {column.name: column.type for column in columns_of(self.new)}
        source = sa.table(
            self.module.name, sa.column("id"), *[sa.column(target, types[name]) for name, target in names.items()]
        )
        bound = {
            target: sa.bindparam(f"value_{place}", type_=types[name])
            for place, (name, target) in enumerate(names.items())
        }
        statement = sa.update(source).where(source.c["id"] == sa.bindparam("record_id")).values(bound)
        rows = [
            {"record_id": record_id, **{f"value_{place}": stored[name] for place, name in enumerate(names)}}
            for record_id, stored in values
        ]
        self.connection.execute(statement, rows)


def _as_html(text: str) -> str:
    """HTML that shows the plain text of a field converted to `html`."""
    return str(escape(text)).replace("\n", "<br>")
