"""What one person may see and do: scope, fields, actions. The only place where access is decided.

Every path to a record (page, search, filter, sort, count, file, export, API) starts from `Policy.scope`; every path to
a field from `Policy.readable`; every action from `Policy.may`. Nothing above this layer builds a query of its own.
"""

import datetime
from dataclasses import dataclass, field, replace
from functools import cached_property

import sqlalchemy as sa

from portal.conditions import Comparison
from portal.database.schema.indexes import scope_column
from portal.database.schema.tables import Tables
from portal.database.search import index as search
from portal.database.sql import linked, where
from portal.declaration.shapes import ACTIONS, Access, Declaration, Module, Profile, Through
from portal.fields.reader import Reader
from portal.records.statement_cache import MOST_COMPANIES, StatementCache, shared_reader

MOST_BRANCHES = 10  # companies of one person that are asked one by one


@dataclass(frozen=True)
class Policy:
    """The rights of `reader` under `profile`. `records_from` hides what is older, see `_recent`."""

    tables: Tables
    profile: Profile
    reader: Reader
    records_from: datetime.date | None = None
    kept: StatementCache = field(default_factory=StatementCache, compare=False, repr=False)

    @property
    def declaration(self) -> Declaration:
        """What the tables were made from."""
        return self.tables.declaration

    @cached_property
    def general(self) -> "Policy | None":
        """The rights of everybody with this profile, for statements that are built once; None where they differ from
        person to person by more than whose the records are."""
        known = self.declaration.profiles.get(self.profile.name) is self.profile
        if not known or self.records_from is not None or len(self.reader.companies) > MOST_COMPANIES:
            return None
        kind = (self.profile.name, self.reader.person is None, len(self.reader.companies))
        kept = self.tables.statements
        found = kept.get(kind)
        if found is None or found.reader.today != self.reader.today:
            found = kept[kind] = replace(self, reader=shared_reader(self.reader), kept=StatementCache())
        return found

    @property
    def staff(self) -> bool:
        """Whether the reader is the supplier's side of a conversation."""
        return self.profile.staff

    @property
    def modules(self) -> dict[str, Access]:
        """The enabled modules, in the order of the menu."""
        return self.profile.modules

    def access(self, module: str) -> Access | None:
        """What the profile says of `module`; None where it is not enabled."""
        return self.profile.modules.get(module)

    def may(self, module: str, action: str) -> bool:
        """Whether an action or a transition is granted; the record's own state is checked where it is done."""
        access = self.access(module)
        return access is not None and action in access.can

    def readable(self, module: str) -> frozenset[str]:
        """The names of the fields of `module` that may be read on any path."""
        access = self.access(module)
        return access.readable if access else frozenset()

    def scope(self, module: str) -> sa.ColumnElement[bool]:
        """SQL on `tables.module(module)`: the rows that exist for this reader. False for a module not enabled."""
        access = self.access(module)
        if access is None:
            return sa.false()
        declared, table = self.declaration.modules[module], self.tables.module(module)
        parts = [
            self._within(access, declared, table),
            where(access.where, table, declared, self.declaration, self.reader),
        ]
        if self.records_from is not None and access.see != "all":
            parts.append(self._recent(declared, table))
        return sa.and_(*parts)

    def branches(self, module: str) -> list[sa.ColumnElement[bool]] | None:
        """The scope in parts, no row in two of them, each found by one column that says whose a record is.

        They only say by which index the rows of `scope` are found; None where no index can. No part: no row.
        """
        access, declared, table = self.access(module), self.declaration.modules[module], self.tables.module(module)
        if access is None:
            return []
        if access.see == "all":
            return [sa.true()]
        owner = scope_column(declared, table, declared.owner)
        mine = [table.c[owner] == self.reader.person] if owner and self.reader.person is not None else []
        if access.see == "own":
            return mine if owner else None
        organization = scope_column(declared, table, declared.organization)
        if access.see != "organization" or not organization or (declared.owner and not owner):
            return None
        companies = list(dict.fromkeys(self.reader.companies))
        if len(companies) > MOST_BRANCHES:
            return None
        others = table.c[organization].is_(None) | table.c[organization].not_in(companies)
        return [table.c[organization] == company for company in companies] + [
            sa.and_(part, others) if companies else part for part in mine
        ]

    def visible(self, module: str) -> sa.Select[tuple[int]]:
        """The ids of the rows of `module` that exist for this reader, as a subquery."""
        table = self.tables.module(module)
        return sa.select(table.c["id"]).where(self.scope(module)).correlate(None)

    def search_scopes(self, module: str) -> list[str] | None:
        """The tokens of the search index that cover the scope; None where tokens cannot say it, and the join must."""
        access, declared = self.access(module), self.declaration.modules[module]
        see = access.see if access else None
        persons = [search.person(self.reader.person)] if self.reader.person else []
        companies = [search.organization(company) for company in self.reader.companies]
        owned, organized = stands_in_record(declared.owner), stands_in_record(declared.organization)
        if see == "own" and owned:
            return persons
        if see == "organization" and organized and (owned or not declared.owner):
            return companies + (persons if owned else [])
        return None

    def _within(self, access: Access, module: Module, table: sa.Table) -> sa.ColumnElement[bool]:
        see = access.see
        if see == "all":
            return sa.true()
        if isinstance(see, Through):
            field = module.field(see.through)
            ways = [linked(field, table, self.visible(target)) for target in field.targets]
            if field.module_column:
                module_name = table.c[field.module_column]
                ways = [sa.and_(module_name == target, way) for target, way in zip(field.targets, ways, strict=True)]
            return sa.or_(*ways)
        mine = self._leads_to("me", module.owner, module, table)
        if see == "own":
            return mine
        return sa.or_(self._leads_to("my organization", module.organization, module, table), mine)

    def _leads_to(self, whom: str, path: str | None, module: Module, table: sa.Table) -> sa.ColumnElement[bool]:
        """Rows whose `path` leads to the reader, or to one of the reader's companies."""
        if path is None:
            return sa.false()
        if path == "id":
            ids = [self.reader.person] if whom == "me" else list(self.reader.companies)
            return table.c["id"].in_([identity for identity in ids if identity is not None])
        test = Comparison(tuple(path.split(".")), "equal", whom)
        return where(test, table, module, self.declaration, self.reader)

    def _recent(self, module: Module, table: sa.Table) -> sa.ColumnElement[bool]:
        """Not older than `records_from`; the reader's own card and company stay."""
        midnight = datetime.datetime.combine(self.records_from, datetime.time(), self.reader.time_zone)
        cards = {self.reader.people: [self.reader.person], self.reader.organizations: list(self.reader.companies)}
        kept = [identity for identity in cards.get(module.name, []) if identity]
        return sa.or_(table.c["created"] >= midnight, table.c["id"].in_(kept))


def stands_in_record(path: str | None) -> bool:
    """Whether an owner or organization path is told by the record itself, so that the index can hold it."""
    return path is not None and "." not in path


def system_policy(tables: Tables, reader: Reader | None = None) -> Policy:
    """The rights of the portal itself and of its administrator at the command line: everything."""
    access = {name: _everything(module) for name, module in tables.declaration.modules.items()}
    profile = Profile(name="system", staff=True, modules=access)
    return Policy(tables, profile, replace(reader or tables.declaration.reader(), plain=True))


def _everything(module: Module) -> Access:
    transitions = module.lifecycle.transitions if module.lifecycle else {}
    return Access(
        module=module.name,
        see="all",
        can=(*ACTIONS, *transitions),
        label=module.label,
        singular=module.singular,
        icon=module.icon,
        list=module.list,
        detail=module.detail,
        create=module.create,
        edit=module.edit,
        readable=frozenset(module.everything),
    )
