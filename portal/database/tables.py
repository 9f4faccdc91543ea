"""The tables, made from the declaration: one typed table per module, a join table per `links` field, the portal's own.

Core tables, one MetaData per portal. Generated columns carry no server default, NOT NULL, CHECK or CASCADE: the
engine enforces what they would, so that plans stay small and SQLite never rebuilds a table.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from portal.database.indexes import LONGEST_INDEXED, add_indexes
from portal.database.search import search_table
from portal.declaration.shapes import Declaration, Module
from portal.fields.columns import UTCDateTime, folded_text
from portal.fields.links import join_name, shortened

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


@dataclass(frozen=True)
class Tables:
    """Every table of one portal; the portal's own ones by name, the modules' by `module`."""

    metadata: sa.MetaData
    account: sa.Table
    session: sa.Table
    link: sa.Table
    attempt: sa.Table
    outbox: sa.Table
    sequence: sa.Table
    schema: sa.Table
    comment: sa.Table
    event: sa.Table
    once: sa.Table
    search: sa.Table

    def module(self, name: str) -> sa.Table:
        """The table of a module."""
        return self.metadata.tables[name]

    def join(self, module: str, field: str) -> sa.Table:
        """The join table of a `links` field."""
        return self.metadata.tables[join_name(module, field)]


def build(declaration: Declaration) -> Tables:
    """The tables that `declaration` wants."""
    metadata = sa.MetaData(naming_convention=NAMING)
    for module in declaration.modules.values():
        _module_table(metadata, module)
    for module in declaration.modules.values():
        add_indexes(declaration, module, metadata.tables[module.name])
    return Tables(metadata, **_own_tables(metadata), search=search_table(metadata))


def _module_table(metadata: sa.MetaData, module: Module) -> None:
    table = sa.Table(
        module.name,
        metadata,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("number", sa.BigInteger(), index=True),
        sa.Column("reference", sa.Text(), index=True),
        sa.Column("_reference_folded", folded_text()),
        sa.Column("created", UTCDateTime()),
        sa.Column("created_by", sa.BigInteger() if module.builtin["created_by"].type == "link" else sa.Text()),
        sa.Column("modified", UTCDateTime()),
        sa.Column("modified_by", sa.BigInteger() if module.builtin["modified_by"].type == "link" else sa.Text()),
        sa.Column("channel", sa.Text()),
        sa.Column("comments", sa.BigInteger()),
        sa.Column("attachments", sa.BigInteger()),
        sa.Column("_version", sa.BigInteger()),
        # A number is never used twice, whatever is deleted.
        sqlite_autoincrement=True,
        info={
            "title": _title_column(module),
            "title_folded": _folded_title_column(module),
            "unique": [name for name, field in module.fields.items() if field.unique and field.columns()],
        },
    )
    for name, field in module.fields.items():
        for column in field.columns():
            table.append_column(column)
        if field.multiple and getattr(field, "to", None):
            _join_table(metadata, module.name, name, field.to[0])
    for name in _unique(module):
        sa.Index(shortened(f"ix_{module.name}_{name}"), table.c[name], unique=True)


def _title_column(module: Module) -> str | None:
    return module.title if module.title in module.fields else None


def _folded_title_column(module: Module) -> str | None:
    return getattr(module.fields.get(module.title or ""), "folded", None)


def _join_table(metadata: sa.MetaData, module: str, field: str, target: str) -> None:
    name = join_name(module, field)
    sa.Table(
        name,
        metadata,
        sa.Column("record", sa.BigInteger(), sa.ForeignKey(f"{module}.id"), primary_key=True),
        sa.Column("target", sa.BigInteger(), sa.ForeignKey(f"{target}.id"), primary_key=True),
        sa.Column("position", sa.Integer()),
        sa.Index(shortened(f"ix_{name}_target"), "target"),
    )


def _unique(module: Module) -> list[str]:
    """The columns whose index keeps two simultaneous writes of a unique value from slipping through.

    PostgreSQL cannot index a value of more than 2,700 bytes, so that long texts are looked after by the engine alone.
    """
    fields = [each for each in module.fields.values() if each.unique and each.columns()]
    return [each.columns()[0].name for each in fields if getattr(each, "max_length", 0) <= LONGEST_INDEXED]


def _own_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    return {
        "account": sa.Table(
            "portal_account",
            metadata,
            sa.Column("id", sa.Integer(), primary_key=True),
            sa.Column("email", sa.Text(), unique=True),  # folded: compared without case
            sa.Column("name", sa.Text()),
            sa.Column("profile", sa.Text()),
            sa.Column("person", sa.BigInteger(), index=True),
            sa.Column("password", sa.Text()),
            sa.Column("must_change", sa.Boolean()),
            sa.Column("disabled", sa.Boolean()),
            sa.Column("access_from", sa.Date()),
            sa.Column("access_until", sa.Date()),
            sa.Column("records_from", sa.Date()),
            sa.Column("language", sa.Text()),
            sa.Column("created", UTCDateTime()),
            sqlite_autoincrement=True,
        ),
        "session": sa.Table(
            "portal_session",
            metadata,
            sa.Column("token", sa.Text(), primary_key=True),  # the hash of the cookie's value
            sa.Column("account", sa.Integer(), sa.ForeignKey("portal_account.id"), index=True),
            sa.Column("remembered", sa.Boolean()),
            sa.Column("created", UTCDateTime()),
            sa.Column("seen", UTCDateTime()),
            sa.Column("expires", UTCDateTime(), index=True),
        ),
        "link": sa.Table(
            "portal_link",
            metadata,
            sa.Column("token", sa.Text(), primary_key=True),  # the hash of what stands in the address
            sa.Column("account", sa.Integer(), sa.ForeignKey("portal_account.id"), index=True),
            sa.Column("purpose", sa.Text()),
            sa.Column("expires", UTCDateTime()),
            sa.Column("used", UTCDateTime()),
        ),
        "attempt": sa.Table(
            "portal_attempt",
            metadata,
            sa.Column("key", sa.Text(), primary_key=True),  # what is counted: purpose and a hash of who
            sa.Column("window", sa.BigInteger(), primary_key=True),  # seconds since 1970, start of the window
            sa.Column("count", sa.Integer()),
        ),
        "outbox": sa.Table(
            "portal_outbox",
            metadata,
            sa.Column("id", sa.Integer(), primary_key=True),
            sa.Column("recipient", sa.Text()),
            sa.Column("subject", sa.Text()),
            sa.Column("message", sa.Text()),  # the whole letter as it will be sent
            sa.Column("created", UTCDateTime()),
            sa.Column("sent", UTCDateTime()),
            sqlite_autoincrement=True,
        ),
        "sequence": sa.Table(
            "portal_sequence",
            metadata,
            sa.Column("module", sa.Text(), primary_key=True),
            sa.Column("last", sa.BigInteger()),
        ),
        "schema": sa.Table(
            "portal_schema",
            metadata,
            sa.Column("id", sa.Integer(), primary_key=True),
            sa.Column("applied", UTCDateTime()),
            sa.Column("description", sa.JSON()),
        ),
        "comment": sa.Table(
            "portal_comment",
            metadata,
            sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
            sa.Column("module", sa.Text()),
            sa.Column("record", sa.BigInteger()),
            sa.Column("account", sa.Integer()),
            sa.Column("author", sa.Text()),  # the name as it was when the comment was written
            sa.Column("staff", sa.Boolean()),
            sa.Column("internal", sa.Boolean()),
            sa.Column("text", sa.Text()),
            sa.Column("created", UTCDateTime()),
            sa.Column("channel", sa.Text()),
            sa.Index("ix_portal_comment_module_record", "module", "record"),
            sqlite_autoincrement=True,
        ),
        "event": sa.Table(
            "portal_event",
            metadata,
            sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
            sa.Column("module", sa.Text()),
            sa.Column("record", sa.BigInteger()),
            sa.Column("kind", sa.Text()),  # created, edited, moved, commented, deleted
            sa.Column("account", sa.Integer()),
            sa.Column("at", UTCDateTime()),
            sa.Column("details", sa.JSON()),
            sa.Index("ix_portal_event_module_record", "module", "record"),
            sqlite_autoincrement=True,
        ),
        "once": sa.Table(
            "portal_once",
            metadata,
            sa.Column("key", sa.Text(), primary_key=True),  # a form's one-time key, with the account's id before it
            sa.Column("address", sa.Text()),  # where the first sending of the form led
            sa.Column("created", UTCDateTime(), index=True),
        ),
    }
