"""What one person may see and do: scope, fields, actions. The only place where access is decided.

Every path to a record (page, search, filter, sort, count, file, export, API) starts from `Policy.scope`; every path to
a field from `Policy.readable`; every action from `Policy.may`. Nothing above this layer builds a query of its own.
"""

import datetime
import weakref
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

import sqlalchemy as sa

from portal.conditions import ALWAYS, Comparison, compared_fields
from portal.database.schema.indexes import scope_column
from portal.database.schema.tables import Tables
from portal.database.search.tokens import organization_token, owner_token, watcher_token
from portal.database.sql import Among, linked, where
from portal.declaration.declaration import Declaration
from portal.declaration.shapes import ACTIONS, Access, Module, Profile
from portal.fields.base import Field
from portal.fields.reader import Reader
from portal.records.statement_cache import ReaderKind, StatementCache, may_be_shared, shared_reader

SYSTEM = ""  # instead of a profile's name
MOST_BRANCHES = 10  # companies of one reader that are looked up one by one

_system_profiles: weakref.WeakKeyDictionary[Tables, Profile] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Policy:
    """The rights of `reader` under `profile`. `records_from` hides older records in modules that request it, but not
    those to which the reader was added."""

    tables: Tables
    profile: Profile
    reader: Reader
    records_from: datetime.date | None = None
    system: bool = False  # the portal itself
    is_shared: ClassVar[bool] = False

    @property
    def declaration(self) -> Declaration:
        """What the tables were made from."""
        return self.tables.declaration

    @cached_property
    def shared(self) -> "SharedPolicy | None":
        """The policy of all readers of this kind; None if this reader's rights differ in more than which records belong
        to them."""
        kind = ReaderKind.of(SYSTEM if self.system else self.profile.name, self.reader)
        is_declared = self.system or self.declaration.profiles.get(self.profile.name) is self.profile
        if kind is None or not is_declared or self.records_from is not None:
            return None
        policy: SharedPolicy | None = self.tables.shared_policies.get(kind)
        if policy is None or policy.reader.today != self.reader.today:
            policy = SharedPolicy(self.tables, self.profile, shared_reader(self.reader), system=self.system)
            self.tables.shared_policies[kind] = policy
        return policy

    @property
    def staff(self) -> bool:
        """Whether the reader is on the supplier's side of a conversation."""
        return self.profile.staff

    @property
    def modules(self) -> dict[str, Access]:
        """The enabled modules, in the order of the menu."""
        return self.profile.modules

    def module(self, name: str) -> Module:
        """A declared module, with the profile's own labels of options."""
        return self.profile.labeled.get(name) or self.declaration.modules[name]

    def columns(self, lines: Field) -> dict[str, Field]:
        """The columns of a `lines` field that may be read, provided the field itself may be."""
        return {name: column for name, column in lines.row_fields.items() if self.staff or not column.internal}

    def access(self, module: str) -> Access | None:
        """What the profile says about `module`; None if it is not enabled."""
        return self.profile.modules.get(module)

    def may(self, module: str, action: str) -> bool:
        """Whether an action or a transition is granted; the record's state is checked when it is performed."""
        access = self.access(module)
        granted = access is not None and action in access.can
        return granted and bool(self.grants) if action == "grant" else granted

    @cached_property
    def grants(self) -> tuple[str, ...]:
        """The profiles that the reader may grant, and whose accounts they may change; none without `grant`.

        Only staff may grant a staff profile, and only administrators that of administrators.
        """
        people, profiles = self.declaration.people, self.declaration.profiles
        access = self.access(people) if people else None
        if access is None or "grant" not in access.can:
            return ()
        customers = tuple(name for name, profile in profiles.items() if not profile.staff)
        names = access.grants or (customers if self.staff else (self.profile.name,))
        administrators = self.declaration.settings.administrators
        is_administrator = self.profile.name in administrators
        return tuple(
            name
            for name in names
            if name in profiles
            and (self.staff or not profiles[name].staff)
            and (is_administrator or name not in administrators)
        )

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
        if self.records_from is not None and declared.records_from:
            recent, watched = self._recent(declared, table, self.records_from), self._watched(declared, table)
            parts.append(recent if watched is None else sa.or_(recent, watched))
        return sa.and_(*parts)

    def branches(self, module: str) -> list[sa.ColumnElement[bool]] | None:
        """The scope in disjoint parts, each found by the one column that says whom a record belongs to.

        They only select the index that finds the rows of `scope`; None if no index does. No parts: no rows.
        """
        access, declared, table = self.access(module), self.declaration.modules[module], self.tables.module(module)
        if access is None:
            return []
        if access.see == "all":
            return [sa.true()]
        owner = scope_column(declared, table, declared.owner)
        mine = [table.c[owner] == self.reader.person] if owner and self.reader.person is not None else []
        watched = self._watched(declared, table)
        if owner and watched is not None:
            not_mine = sa.or_(table.c[owner].is_(None), table.c[owner] != self.reader.person)
            mine.append(sa.and_(watched, not_mine))
        if access.see == "own":
            return mine if owner else None
        organization = scope_column(declared, table, declared.organization)
        if access.see != "organization" or not organization or (declared.owner and not owner):
            return None
        companies = list(dict.fromkeys(self.reader.companies))
        if len(companies) > MOST_BRANCHES:
            return None
        if watched is not None and not owner:
            mine.append(watched)
        others = table.c[organization].is_(None) | table.c[organization].not_in(companies)
        return [table.c[organization] == company for company in companies] + [
            sa.and_(part, others) if companies else part for part in mine
        ]

    def narrows_branches(self, module: str) -> bool:
        """Whether the scope leaves out rows of its `branches`: by a condition, or because they are old."""
        access = self.access(module)
        return access is None or access.where != ALWAYS or self.hides_older(module)

    def scope_is_shared(self, module: str) -> bool:
        """Whether the SQL of the scope is the same for all readers of a kind, all day."""
        access = self.access(module)
        if access is None:
            return True
        if access.through:
            link = self.declaration.modules[module].field(access.through)
            if not all(map(self.scope_is_shared, link.targets)):
                return False
        return may_be_shared([access.where])

    def hides_older(self, module: str) -> bool:
        """Whether the first visible day of the account hides older records of `module`."""
        return self.records_from is not None and bool(self.declaration.modules[module].records_from)

    def sees_all(self, module: str) -> bool:
        """Whether every record of `module` exists for this reader."""
        access = self.access(module)
        return access is not None and access.see == "all" and access.where == ALWAYS and not self.hides_older(module)

    def deciding_fields(self, module: str) -> frozenset[str]:
        """The fields whose values decide whether a record exists for this reader."""
        access, declared = self.access(module), self.declaration.modules[module]
        if access is None:
            return frozenset()
        path = access.through or {"own": declared.owner, "organization": declared.organization}.get(str(access.see))
        paths = [*([path.split(".")] if path else []), *compared_fields(access.where)]
        return frozenset(path[0] for path in paths) & declared.fields.keys()

    def visible_ids(self, module: str) -> sa.Select[tuple[int]] | None:
        """The ids of the records of `module` that exist for this reader; None for all."""
        return None if self.sees_all(module) else self.visible(module)

    def visible(self, module: str) -> sa.Select[tuple[int]]:
        """The ids of the rows of `module` that exist for this reader, as a subquery."""
        table = self.tables.module(module)
        return sa.select(table.c["id"]).where(self.scope(module)).correlate(None)

    def search_scopes(self, module: str) -> list[str] | None:
        """The tokens of the search index that cover the scope; None if tokens cannot express it and a join must."""
        access, declared = self.access(module), self.declaration.modules[module]
        see = access.see if access else None
        persons = [owner_token(self.reader.person)] if self.reader.person else []
        watchers = [watcher_token(self.reader.person)] if self.reader.person and declared.watchers else []
        companies = [organization_token(company) for company in self.reader.companies]
        owned, organized = is_own_field(declared.owner), is_own_field(declared.organization)
        if see == "own" and owned:
            return persons + watchers
        if see == "organization" and organized and (owned or not declared.owner):
            return companies + (persons if owned else []) + watchers
        return None

    def colleagues(self) -> sa.ColumnElement[bool]:
        """SQL on the table of people: those of the reader's companies, and the reader."""
        people = self.declaration.modules[str(self.declaration.people)]
        table = self.tables.module(people.name)
        own = self._leads_to("my organization", people.organization, people, table)
        return sa.or_(own, self._leads_to("me", "id", people, table))

    def without_where(self, module: str) -> "Policy":
        """The policy without the module's `where` and without the first visible day."""
        access = self.modules[module].model_copy(update={"where": ALWAYS})
        profile = self.profile.model_copy(update={"modules": {**self.modules, module: access}})
        return replace(self, profile=profile, records_from=None)

    def without_day(self) -> "Policy":
        """The policy without the first visible day."""
        return replace(self, records_from=None)

    def _within(self, access: Access, module: Module, table: sa.Table) -> sa.ColumnElement[bool]:
        """The rows of the profile's scope, and those that the reader watches."""
        watched = self._watched(module, table)
        within = self._within_scope(access, module, table)
        return within if access.see == "all" or watched is None else sa.or_(within, watched)

    def _watched(self, module: Module, table: sa.Table) -> sa.ColumnElement[bool] | None:
        """The rows to which the reader was added; None if there cannot be any."""
        if not module.watchers or self.reader.person is None:
            return None
        watcher = self.tables.watcher
        of_module = watcher.c["module"] == module.name, watcher.c["person"] == self.reader.person
        return Among(table.c["id"], sa.select(watcher.c["record"]).where(*of_module).scalar_subquery())

    def _within_scope(self, access: Access, module: Module, table: sa.Table) -> sa.ColumnElement[bool]:
        if access.see == "all":
            return sa.true()
        if access.through:
            field = module.field(access.through)
            return sa.or_(*[self._linked_to_visible(field, target, table) for target in field.targets])
        mine = self._leads_to("me", module.owner, module, table)
        if access.see == "own":
            return mine
        return sa.or_(self._leads_to("my organization", module.organization, module, table), mine)

    def _linked_to_visible(self, field: Field, target: str, table: sa.Table) -> sa.ColumnElement[bool]:
        within = linked(field, table, self.visible(target))
        return sa.and_(table.c[field.module_column] == target, within) if field.module_column else within

    def _leads_to(self, whom: str, path: str | None, module: Module, table: sa.Table) -> sa.ColumnElement[bool]:
        """Rows whose `path` leads to the reader (`me`), or to one of the reader's companies (`my organization`)."""
        if path is None:
            return sa.false()
        if path == "id":
            ids = [self.reader.person] if whom == "me" else list(self.reader.companies)
            return table.c["id"].in_([record_id for record_id in ids if record_id is not None])
        comparison = Comparison(tuple(path.split(".")), "equal", whom)
        return where(comparison, table, module, self.declaration, self.reader)

    def _recent(self, module: Module, table: sa.Table, first_day: datetime.date) -> sa.ColumnElement[bool]:
        """Not older than `records_from`; the reader's own person and companies are always visible."""
        midnight = datetime.datetime.combine(first_day, datetime.time(), self.reader.time_zone)
        own_ids: list[int] = []
        if module.name == self.reader.people and self.reader.person is not None:
            own_ids.append(self.reader.person)
        if module.name == self.reader.organizations:
            own_ids.extend(self.reader.companies)
        return sa.or_(table.c["created"] >= midnight, table.c["id"].in_(own_ids))


@dataclass(frozen=True)
class SharedPolicy(Policy):
    """The policy with which the statements shared by all readers of one kind are built."""

    statements: StatementCache = field(default_factory=StatementCache, compare=False, repr=False)
    is_shared: ClassVar[bool] = True


class ModulePolicy:
    """What the rights of `policy` say about the module `name`."""

    policy: Policy
    name: str

    @cached_property
    def module(self) -> Module:
        return self.policy.module(self.name)

    @cached_property
    def access(self) -> Access:
        return self.policy.modules[self.name]

    @cached_property
    def table(self) -> sa.Table:
        return self.policy.tables.module(self.name)


def is_own_field(path: str | None) -> bool:
    """Whether an owner or organization path is a field of the record itself, so that the search index can hold it."""
    return path is not None and "." not in path


def system_policy(tables: Tables, reader: Reader | None = None) -> Policy:
    """The rights of the portal itself and of its administrator at the command line: everything."""
    reader = replace(reader or tables.declaration.reader(), plain=True)
    return Policy(tables, _system_profile(tables), reader, system=True)


def _system_profile(tables: Tables) -> Profile:
    profile = _system_profiles.get(tables)
    if profile is None:
        access = {name: _everything(module) for name, module in tables.declaration.modules.items()}
        profile = _system_profiles[tables] = Profile(name="system", staff=True, modules=access)
    return profile


def profile_policy(tables: Tables, profile: str, now: datetime.datetime) -> Policy:
    """The rights of a profile without a person: no record is their own, or their company's."""
    return Policy(tables, tables.declaration.profiles[profile], tables.declaration.reader(now=now, plain=True))


def outsider_policy(tables: Tables, reader: Reader | None = None) -> Policy:
    """The portal's own rights on the customers' side of conversations: with these it writes what came by mail, and
    reads what it sends to people without access."""
    policy = system_policy(tables, reader)
    return replace(policy, profile=policy.profile.model_copy(update={"staff": False}))


def portal_policy(policy: Policy) -> Policy:
    """The portal's own rights, in the name of the reader of `policy` and on their side of the conversation."""
    return (system_policy if policy.staff else outsider_policy)(policy.tables, policy.reader)


def _everything(module: Module) -> Access:
    return Access(
        module=module.name,
        see="all",
        can=(*ACTIONS, *module.transitions),
        label=module.label,
        singular=module.singular,
        icon=module.icon,
        list=module.list,
        detail=module.detail,
        create=module.create,
        edit=module.edit,
        readable=frozenset(module.everything),
    )
