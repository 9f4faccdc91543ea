"""The tables made from the declaration: one per module, `links` field and `lines` field; and the system tables.

Generated columns have no server default, NOT NULL, CHECK or CASCADE: the portal enforces these itself, so that
migrations stay small and SQLite never rebuilds a table.
"""

import dataclasses
import datetime
import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.database.postgresql import cache_plan
from portal.database.schema.existing_tables import ExistingModule, Mismatch
from portal.database.schema.indexes import LONGEST_INDEXED, add_indexes, index_name
from portal.database.schema.inspection import NOTHING, ExistingTables
from portal.database.schema.system_tables import shared_system_tables
from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.column_types import UTCDateTime, folded_text, serial_column
from portal.fields.table_names import NAMING, join_name
from portal.memory import gc_paused


@dataclass(frozen=True, eq=False)
class Tables:
    """Every table of one portal: the system tables as attributes, those of the modules by `module`."""

    declaration: Declaration
    by_name: Mapping[str, sa.Table]
    account: sa.Table
    session: sa.Table
    api_token: sa.Table
    link: sa.Table
    second_factor: sa.Table
    recovery_code: sa.Table
    passkey: sa.Table
    company: sa.Table
    sign_up: sa.Table
    opening: sa.Table
    saved_view: sa.Table
    attempt: sa.Table
    key: sa.Table
    outbox: sa.Table
    delivery: sa.Table
    mail: sa.Table
    announcement: sa.Table
    letter_choice: sa.Table
    heartbeat: sa.Table
    sequence: sa.Table
    schema: sa.Table
    declarations: sa.Table
    backlog: sa.Table
    keep: sa.Table
    comment: sa.Table
    file: sa.Table
    watcher: sa.Table
    pending_file: sa.Table
    seen: sa.Table
    event: sa.Table
    once: sa.Table
    draft: sa.Table
    search: sa.Table
    mismatches: tuple[Mismatch, ...] = ()  # differences of existing tables from the declaration
    version: int = dataclasses.field(default_factory=itertools.count(1).__next__, init=False)
    # Built once for these tables: statements by name, and the policies shared by kinds of readers (records/policy.py).
    statements: dict[str, sa.Select[Any]] = dataclasses.field(default_factory=dict, init=False, repr=False)
    shared_policies: dict[Any, Any] = dataclasses.field(default_factory=dict, init=False, repr=False)
    # Modules that had more records than a choice offers, and when that was found (Records.all_if_few).
    large: dict[tuple[str, int], datetime.datetime] = dataclasses.field(default_factory=dict, init=False, repr=False)

    def statement(self, key: str, build: Callable[[], sa.Select[Any]]) -> sa.Select[Any]:
        """The statement that `build` returns, built once per portal: it is the same for every reader."""
        if key not in self.statements:
            self.statements[key] = cache_plan(build(), self.version)
        return self.statements[key]

    @property
    def existing(self) -> set[str]:
        """The names in the database of the existing tables that modules read."""
        return {module.table for module in self.declaration.modules.values() if module.table is not None}

    def module(self, name: str) -> sa.Table:
        """The table of a module."""
        return self.by_name[name]

    def join(self, module: str, field: str) -> sa.Table:
        """The table of a `links` or a `lines` field."""
        return self.by_name[join_name(module, field)]


@gc_paused()
def build(
    declaration: Declaration, existing: ExistingTables = NOTHING, system: Mapping[str, sa.Table] | None = None
) -> Tables:
    """The tables of a declaration.

    `existing`: the existing tables that modules read. `system`: system tables for these tables alone, by their
    attribute; by default, those shared by all portals of the process.
    """
    metadata = sa.MetaData(naming_convention=NAMING)
    read = [module for module in declaration.modules.values() if module.table is not None]
    existing_modules = [ExistingModule(declaration, module, existing) for module in read]
    others = {module.name for module in read}
    for module in declaration.modules.values():
        if module.table is None:
            _module_table(metadata, module, others)
    for existing_module in existing_modules:
        existing_module.add_table(metadata, _info(existing_module.module))
    for rows in declaration.row_modules.values():
        _rows_table(metadata, rows, others)
    for module in declaration.modules.values():
        if module.table is None:
            add_indexes(declaration, module, metadata.tables[module.name])
    mismatches = tuple(mismatch for existing_module in existing_modules for mismatch in existing_module.mismatches())
    system = shared_system_tables() if system is None else system
    by_name = {**metadata.tables, **{table.name: table for table in system.values()}}
    return Tables(declaration, by_name, mismatches=mismatches, **system)


def _module_table(metadata: sa.MetaData, module: Module, others: Collection[str]) -> None:
    """The portal's own table of a module, without foreign keys to the modules `others`, which have existing tables."""
    table = sa.Table(
        module.name,
        metadata,
        serial_column("id"),
        sa.Column("number", sa.BigInteger(), index=True),
        sa.Column("reference", sa.Text(), index=True),
        sa.Column("_reference_folded", folded_text()),
        sa.Column("created", UTCDateTime()),
        *_author_columns(module.builtin["created_by"]),
        sa.Column("modified", UTCDateTime()),
        *_author_columns(module.builtin["modified_by"]),
        sa.Column("channel", sa.Text()),
        sa.Column("comments", sa.BigInteger()),
        sa.Column("attachments", sa.BigInteger()),
        sa.Column("_version", sa.BigInteger()),
        # An id is never reused, even if the newest record is deleted.
        sqlite_autoincrement=True,
        info=_info(module),
    )
    for name, field in module.fields.items():
        for column in field.columns():
            table.append_column(_without_key_to(others, column))
        if field.in_join_table:
            _join_table(metadata, module.name, name, field.targets[0], others)
    for names in _unique_columns(module):
        sa.Index(index_name(module.name, *names), *[table.c[name] for name in names], unique=True)


def _info(module: Module) -> dict[str, Any]:
    """What links to a module need to know about its table, stored with the table."""
    unique = [field.key_column for field in module.fields.values() if field.unique is True and field.columns()]
    title = module.title if module.title in module.fields else None
    return {"title": title, "title_folded": module.fields[title].folded if title else None, "unique": unique}


def _without_key_to(others: Collection[str], column: sa.Column[Any]) -> sa.Column[Any]:
    if not any(key.target_fullname.partition(".")[0] in others for key in column.foreign_keys):
        return column
    return sa.Column(column.name, column.type, primary_key=column.primary_key, info=column.info)


def _author_columns(field: Field) -> list[sa.Column[Any]]:
    """The columns of `created_by` or `modified_by`, without a foreign key so that a person can be deleted."""
    return [sa.Column(column.name, column.type) for column in field.columns()]


def _join_table(metadata: sa.MetaData, module: str, field: str, target: str, others: Collection[str]) -> None:
    name = join_name(module, field)
    target_column = sa.Column("target", sa.BigInteger(), sa.ForeignKey(f"{target}.id"), primary_key=True)
    sa.Table(
        name,
        metadata,
        sa.Column("record", sa.BigInteger(), sa.ForeignKey(f"{module}.id"), primary_key=True),
        _without_key_to(others, target_column),
        sa.Column("position", sa.Integer()),
        sa.Index(index_name(name, "target"), "target"),
    )


def _rows_table(metadata: sa.MetaData, rows: Module, others: Collection[str]) -> None:
    """The table of a `lines` field's rows, without a foreign key to their record: a removed field keeps its rows, and
    these must not prevent the deletion of records."""
    sa.Table(
        rows.name,
        metadata,
        serial_column("id"),
        sa.Column("_record", sa.BigInteger()),
        sa.Column("_position", sa.Integer()),
        *[_without_key_to(others, column) for field in rows.fields.values() for column in field.columns()],
        sa.Index(index_name(rows.name, "_record", "_position"), "_record", "_position"),
        *[
            sa.Index(index_name(rows.name, name), name)
            for name, field in rows.fields.items()
            if field.targets and field.columns()
        ],
        sqlite_autoincrement=True,
    )
    for name, field in rows.fields.items():
        if field.in_join_table:
            _join_table(metadata, rows.name, name, field.targets[0], others)


def _unique_columns(module: Module) -> list[tuple[str, ...]]:
    """The columns of each unique index, which prevents two simultaneous writes of one value.

    PostgreSQL cannot index a value of more than 2,700 bytes: the uniqueness of long texts is checked before writing.
    """
    fields = [field for field in module.fields.values() if field.unique and field.columns()]
    return [
        (*module.unique_within(field), field.key_column)
        for field in fields
        if (field.length_limit or 0) <= LONGEST_INDEXED
    ]


def sorted_system_tables(tables: Tables) -> list[sa.Table]:
    """The system tables, in an order in which they can be created."""
    return sa.schema.sort_tables([table for table in tables.by_name.values() if table.name.startswith("portal_")])


def stored_fields(module: Module) -> dict[str, Field]:
    """The fields with a place in the database, and the two built-in ones whose column depends on `people:`."""
    authors = {name: module.builtin[name] for name in ("created_by", "modified_by") if name in module.builtin}
    stored = {name: field.as_stored for name, field in module.fields.items()}
    return authors | {name: field for name, field in stored.items() if field.in_join_table or field.columns()}


def columns_of(field: Field) -> list[sa.Column[Any]]:
    """The columns of a field."""
    return _author_columns(field) if field.name in ("created_by", "modified_by") else field.columns()


def column_names_of(field: Field) -> list[str]:
    """The names of a field's columns in the table of its module."""
    return [column.name for column in columns_of(field)]
