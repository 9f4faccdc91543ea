"""Modules over existing tables: a query instead of one of the portal's own tables.

An ExistingTable has the columns of one of the portal's own tables, so that lists, filters, links and scopes read it
like any other; in SQL, it is a subquery of the original table. Nothing is copied: changes by other programs are visible
immediately. Nothing is altered either, so no index of ours helps: rows that its own indexes do not find are scanned.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from portal.database.existing_tables.search import TEXT
from portal.database.existing_tables.values import VALUES, Expression
from portal.database.schema.inspection import UNKNOWN, ExistingTables, InspectedTable
from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Module
from portal.declaration.source.suggestions import suggest
from portal.fields.base import Field
from portal.fields.column_types import UTCDateTime
from portal.fields.link import KEY, LINKED_KEY

READING = {"export", "grant"}  # actions that leave the records as they are
NUMBER_PART = re.compile(r"(.*)\{number(?::0(\d{1,2}))?\}(.*)", re.DOTALL)
EXISTING = "existing"  # entry of a table's `info`: it is an existing one

# Kinds of columns from which a field's column can be read, by its type; text accepts all but BINARY.
WHOLE, EXACT, TRUTH, DAY, MOMENT, CLOCK, WORDS = "integer", "decimal", "boolean", "date", "datetime", "time", "text"
UNREADABLE = "binary"
FITTING = {
    WHOLE: {"integer"},
    EXACT: {"integer", "decimal"},
    TRUTH: {"boolean", "integer"},
    DAY: {"date", "datetime", "moment"},
    MOMENT: {"datetime", "moment", "date"},
    CLOCK: {"time"},
}
FITTING_ON_SQLITE = {DAY: {"text", "integer", "decimal"}, MOMENT: {"text", "integer", "decimal"}, CLOCK: {"text"}}


class ExistingTable(sa.Table):
    """An existing table in the metadata, replaced in SQL with its `source`."""

    source: sa.Select[Any]
    over: "ExistingModule"
    inherit_cache = True

    def subquery_text(self, dialect: sa.Dialect) -> str:
        """The SQL of `source`, compiled once."""
        texts: dict[str, str] = self.info.setdefault("sql", {})
        if dialect.name not in texts:
            compiled = self.source.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
            texts[dialect.name] = str(compiled)
        return texts[dialect.name]


@compiles(ExistingTable)
def _as_subquery(table: ExistingTable, compiler: SQLCompiler, **options: Any) -> str:
    if not options.get("asfrom") or options.get("iscrud"):
        return compiler.visit_table(table, **options)
    inner = table.subquery_text(compiler.dialect)
    if (linter := options.get("from_linter")) is not None:
        linter.froms[table] = table.name
    alias = options.get("enclosing_alias")
    return (
        f"({inner})"
        if alias is not None and alias.element is table
        else f"({inner}) AS {compiler.preparer.format_table(table)}"
    )


@dataclass(frozen=True)
class Mismatch:
    """A difference between the database and the declaration; without `field`, it concerns the table itself."""

    module: str
    sentence: str
    field: str | None = None


@dataclass(frozen=True)
class ExistingModule:
    """A module over an existing table, in one database."""

    declaration: Declaration
    module: Module
    existing: ExistingTables

    @property
    def inspected(self) -> InspectedTable | None:
        """The table, if it exists."""
        return self.existing.tables.get(str(self.module.table))

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the key that exist."""
        if self.inspected is None:
            return ()
        if self.module.key is None:
            return self.inspected.key
        names = [self.inspected.column(name) for name in self.module.key]
        return () if None in names else tuple(name for name in names if name is not None)

    @property
    def has_integer_key(self) -> bool:
        """Whether the key is one integer, which is then the id of the record."""
        return self.inspected is not None and [self.inspected.columns[name] for name in self.key] == ["integer"]

    def add_table(self, metadata: sa.MetaData, info: dict[str, Any]) -> None:
        """Adds the query to the metadata as the table of the module; `info`: what links need to know about it."""
        declared = [column for field in self.module.fields.values() for column in field.columns()]
        texts = [sa.Column(TEXT.format(name), sa.Text()) for name in ("reference", *self.module.fields)]
        keys = [sa.Column(name, sa.types.NullType()) for name in self._raw_keys()]
        columns = [*_builtin_columns(self.module), *declared, *texts, *keys]
        copies = [sa.Column(own.name, own.type, primary_key=own.primary_key, info=own.info) for own in columns]
        table = ExistingTable(self.module.name, metadata, *copies, info={**info, EXISTING: True})
        table.source, table.over = self._query(copies), self

    def _query(self, columns: list[sa.Column[Any]]) -> sa.Select[Any]:
        """The query for the module's table; without rows if the table or its key is missing."""
        nothing = {column.name: _nothing(column) for column in columns}
        if self.inspected is None or not self.key:
            return sa.select(*[value.label(name) for name, value in nothing.items()]).where(sa.false())
        source = self.source_table().alias("_")
        known = self._own_columns(source)
        for field in self.module.fields.values():
            known |= self._field_columns(field, source)
        known[TEXT.format("reference")] = known["reference"]
        known |= {name: source.c[column] for name, column in self._raw_keys().items()}
        present: list[sa.ColumnElement[bool]] = [source.c[name].is_not(None) for name in self.key]
        if self.has_integer_key:
            present = [source.c[self.key[0]] > 0]  # ids that can be in an address
        return sa.select(*[value.label(name) for name, value in {**nothing, **known}.items()]).where(*present)

    def _raw_keys(self) -> dict[str, str]:
        """The columns with the unchanged keys of a row and of linked rows, if ids are computed."""
        inspected = self.inspected
        if inspected is None:
            return {}
        raw = {KEY: self.key[0]} if len(self.key) == 1 and not self.has_integer_key else {}
        for field in self.module.fields.values():
            column = inspected.column(field.column or field.name)
            target = self._over(field.targets[0]) if field.targets and not field.computed else None
            if column is None or target is None or target.inspected is None or target.has_integer_key:
                continue
            if len(target.key) == 1 and target.inspected.columns[target.key[0]] == inspected.columns[column]:
                raw[LINKED_KEY.format(field.name)] = column
        return raw

    def mismatches(self) -> Iterator[Mismatch]:
        """What is missing or has another type, each with its cure."""
        name, table = self.module.name, self.module.table
        if self.inspected is None:
            yield Mismatch(name, f'module {name}: the database has no table "{table}"; correct table:, or create it')
            return
        columns = self.inspected.columns
        for column in self.module.key or ():
            if self.inspected.column(column) is None:
                hint = suggest(column, columns)
                yield Mismatch(name, f'module {name}: table "{table}" has no column "{column}"{hint}; correct key:')
        if self.module.key is None and not self.inspected.key:
            yield Mismatch(name, f'module {name}: "{table}" has no primary key; name the columns of one as key:')
        for field in self.module.fields.values():
            if not field.virtual and (sentence := self._misfit_of(field)):
                yield Mismatch(name, f"{name}.{field.name} stays empty: {sentence}", field.name)

    def _misfit_of(self, field: Field) -> str:
        if self.inspected is None:
            return ""
        declared = field.column or field.name
        column = self.inspected.column(declared)
        if column is None:
            near = suggest(declared, self.inspected.columns)
            return f'table "{self.inspected.name}" has no column "{declared}"{near}; correct column:'
        if field.targets and len(self._over(field.targets[0]).key) > 1:
            return f"the key of {field.targets[0]} is made of several columns, to which one column cannot link"
        kind = self.inspected.columns[column]
        if self._is_readable(field, kind):
            return ""
        return (
            f'column "{column}" of "{self.inspected.name}" holds values of type {kind}, and the field is {field.type}'
        )

    def _is_readable(self, field: Field, kind: str) -> bool:
        if kind == UNREADABLE:
            return False
        if field.targets:
            return not self._has_integer_links(field.targets[0]) or kind in (WHOLE, UNKNOWN)
        kind_of_field = _kind_of(field.columns()[0])
        on_sqlite = FITTING_ON_SQLITE.get(kind_of_field, set()) if self.existing.dialect == "sqlite" else set()
        return kind_of_field == WORDS or kind == UNKNOWN or kind in FITTING[kind_of_field] | on_sqlite

    def _has_integer_links(self, module: str) -> bool:
        """Whether links refer to the records of a module by an integer."""
        target = self._over(module)
        return target.module.table is None or target.has_integer_key

    def _over(self, module: str) -> "ExistingModule":
        return ExistingModule(self.declaration, self.declaration.modules[module], self.existing)

    # -- what is written --------------------------------------------------------------------------------------------

    @property
    def is_written(self) -> bool:
        """Whether any profile may change the records."""
        accesses = self.declaration.accesses(self.module.name)
        return any(not READING.issuperset(access.can) for _profile, access in accesses)

    def source_table(self) -> sa.TableClause:
        """The table itself. Raises LookupError if the database does not have it."""
        if self.inspected is None:
            raise LookupError(self.module.table)
        return sa.table(self.inspected.name, *map(sa.column, self.inspected.columns), schema=self.inspected.schema)

    def column_of(self, field: Field) -> str | None:
        """The column of a field that can be read and written."""
        column = self.inspected.column(field.column or field.name) if self.inspected and field.columns() else None
        return None if column is None or self._misfit_of(field) else column

    def links_by_integer(self, field: Field) -> bool:
        """Whether a link stores the id of the record, not another type of key."""
        return self._has_integer_links(field.targets[0])

    def record_id(self, source: sa.FromClause) -> Expression:
        """The id of a row of `source_table`."""
        values = VALUES[self.existing.dialect]
        key = [source.c[name] for name in self.key]
        return key[0] if self.has_integer_key else values.record_id([values.text(column) for column in key])

    def is_record(self, source: sa.FromClause, record_id: int) -> sa.ColumnElement[bool]:
        """Whether a row of `source_table` is that of a record."""
        return self.record_id(source) == record_id

    def version(self, source: sa.FromClause) -> Expression:
        """A number that changes whenever a declared value of the row changes, whoever writes it."""
        values = VALUES[self.existing.dialect]
        columns = [column for field in self.module.fields.values() if (column := self.column_of(field))]
        texts = [sa.func.coalesce(values.text(source.c[name]), "", type_=sa.Text()) for name in columns]
        return values.record_id(texts) if texts else sa.literal_column("0")

    def native_value(self, field: Field, value: Any) -> Any:
        """A stored value of a field in the form of its column."""
        column = self.column_of(field)
        kind = self.inspected.columns[column] if self.inspected and column else ""
        zone = ZoneInfo(self.declaration.settings.time_zone)
        return VALUES[self.existing.dialect].native_value(value, kind, zone)

    # -- the columns ------------------------------------------------------------------------------------------------

    def _own_columns(self, source: sa.FromClause) -> dict[str, Expression]:
        """The columns of every record, as far as an existing table has them."""
        values, key = VALUES[self.existing.dialect], [source.c[name] for name in self.key]
        number: Expression = sa.cast(key[0], sa.BigInteger()) if self.has_integer_key else sa.null()
        reference = self._reference(key[0], [values.text(column) for column in key])
        record_id = self.record_id(source)
        counts = {
            "comments": self._count("portal_comment", record_id) if self.module.comments else sa.literal_column("0"),
            "attachments": self._count("portal_file", record_id) if self.module.attachments else sa.literal_column("0"),
        }
        return {
            **counts,
            "id": record_id,
            "number": number,
            "reference": reference,
            "_reference_folded": values.folded(reference),
            "_version": self.version(source) if self.is_written else sa.literal_column("0"),
        }

    def _count(self, table: str, record_id: Expression) -> Expression:
        """How many comments or files of a record customers may see."""
        rows = sa.table(table, *map(sa.column, ("module", "record", "internal")))
        of_record = rows.c["module"] == self.module.name, rows.c["record"] == record_id
        public = sa.func.coalesce(sa.cast(rows.c["internal"], sa.Boolean()), sa.false()).is_(sa.false())
        count = sa.select(sa.func.count()).select_from(rows).where(*of_record, public)
        return count.scalar_subquery()

    def _reference(self, key: Expression, texts: list[Expression]) -> Expression:
        values = VALUES[self.existing.dialect]
        reference = texts[0]
        for text in texts[1:]:
            reference = reference + "-" + text
        parts = NUMBER_PART.fullmatch(self.module.reference)
        if parts is None:
            return reference
        before, digits, after = parts.groups()
        if digits and self.has_integer_key:
            reference = values.padded(key, int(digits))
        reference = before + reference if before else reference
        return reference + after if after else reference

    def _field_columns(self, field: Field, source: sa.FromClause) -> dict[str, Expression]:
        columns, inspected = field.columns(), self.inspected
        column = inspected.column(field.column or field.name) if inspected and columns else None
        if inspected is None or column is None or self._misfit_of(field):
            return {}
        kind = inspected.columns[column]
        values, value = VALUES[self.existing.dialect], source.c[column]
        text = values.text(value)
        constants = field.constants(self.declaration.settings.currency)
        expressions: dict[str, Expression] = {TEXT.format(field.name): self._searched(field, text)}
        for own in columns:
            if own.name == field.name:
                expressions[own.name] = self._value(field, own, value, kind)
            elif own.name == field.folded:
                expressions[own.name] = values.folded(text)
            elif own.name == field.key_column:
                expressions[own.name] = sa.func.lower(sa.func.trim(text))
        return expressions | {name: sa.literal(constant) for name, constant in constants.items()}

    def _value(self, field: Field, own: sa.Column[Any], value: Expression, kind: str) -> Expression:
        values, zone = VALUES[self.existing.dialect], self.declaration.settings.time_zone
        if field.targets:
            return value if self._has_integer_links(field.targets[0]) else values.record_id([values.text(value)])
        read = {
            WHOLE: lambda: value,
            EXACT: lambda: values.number(value),
            TRUTH: lambda: values.boolean(value, kind),
            DAY: lambda: values.date(value, kind, zone),
            MOMENT: lambda: values.moment(value, kind, zone),
            CLOCK: lambda: values.time(value),
            WORDS: lambda: values.text(value),
        }
        return read[_kind_of(own)]()

    def _searched(self, field: Field, text: Expression) -> Expression:
        """The searched text of a value in an existing table, as SQL: for a choice, its labels."""
        labels = [(name, " ".join(option.label)) for name, option in field.declared_options.items() if name]
        return sa.case(*[(text == name, label) for name, label in labels], else_=text) if labels else text


def _builtin_columns(module: Module) -> list[sa.Column[Any]]:
    """The columns of an existing table's query that no field declares, as every module's table has them."""
    authors = [
        sa.Column(column.name, column.type)
        for name in ("created_by", "modified_by")
        for column in module.builtin[name].columns()
    ]
    return [
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("number", sa.BigInteger()),
        sa.Column("reference", sa.Text()),
        sa.Column("_reference_folded", sa.Text()),
        sa.Column("created", UTCDateTime()),
        sa.Column("modified", UTCDateTime()),
        *authors,
        sa.Column("channel", sa.Text()),
        sa.Column("comments", sa.BigInteger()),
        sa.Column("attachments", sa.BigInteger()),
        sa.Column("_version", sa.BigInteger()),
    ]


def _nothing(column: sa.Column[Any]) -> Expression:
    if isinstance(column.type, sa.types.NullType):
        return sa.null()
    # PostgreSQL does not support a cast to text with a collation.
    return sa.cast(sa.null(), sa.Text() if isinstance(column.type, sa.Text) else column.type)


def _kind_of(column: sa.Column[Any]) -> str:
    """The kind of values that a column of a field holds."""
    python_type = column.type.python_type.__name__
    return {"int": WHOLE, "Decimal": EXACT, "bool": TRUTH, "date": DAY, "datetime": MOMENT, "time": CLOCK}.get(
        python_type, WORDS
    )
