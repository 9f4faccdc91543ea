"""The declaration: the whole of a portal's YAML, checked, resolved and frozen."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from portal.declaration.shapes import Access, Button, Inbox, Module, Profile, Settings, SignUp, Webhook
from portal.fields.base import Field
from portal.fields.base_shape import Shape
from portal.fields.link import link_targets
from portal.fields.reader import Reader
from portal.fields.rollup import Rollup
from portal.fields.table_names import join_name


class Declaration(Shape):
    """The whole of a portal's YAML, checked and resolved: the one object on which the engine runs."""

    folder: Path
    settings: Settings
    people: str | None = None
    organizations: str | None = None
    modules: dict[str, Module]
    profiles: dict[str, Profile]
    buttons: dict[str, Button] = {}
    inbox: Inbox | None = None
    sign_up: SignUp | None = None
    webhooks: dict[str, Webhook] = {}
    icons: frozenset[str] = frozenset()  # every icon that the declaration names

    @cached_property
    def row_modules(self) -> dict[str, Module]:
        """The rows of the `lines` fields, by the name of their table."""
        return row_modules(self.modules.values())

    @cached_property
    def rollups(self) -> dict[str, list[Rollup]]:
        """The roll-ups over the records of each module that has any."""
        over: dict[str, list[Rollup]] = {}
        for field in (field for module in self.modules.values() for field in module.fields.values()):
            if field.rollup:
                over.setdefault(field.rollup.counted, []).append(field.rollup)
        return over

    @cached_property
    def searched_elsewhere(self) -> dict[str, set[str]]:
        """The fields of each module that are part of the searched text of other records, through lookups."""
        names: dict[str, set[str]] = {}
        for module in self.modules.values():
            for path, here, field in self.searched_ways(module):
                if len(path) > 1:
                    names.setdefault(here.name, set()).add(field.name)
        return names

    @cached_property
    def with_rows(self) -> dict[str, Module]:
        """Everything that has a table: the modules, and the rows of their `lines` fields."""
        return {**self.modules, **self.row_modules}

    @cached_property
    def stored(self) -> dict[str, Module]:
        """Everything whose table is the portal's own."""
        return {name: module for name, module in self.with_rows.items() if module.table is None}

    @cached_property
    def names_by_former(self) -> dict[str, str]:
        """The modules that bore another name, by that name; without names that another module bears now."""
        renamed = {str(module.formerly): name for name, module in self.modules.items() if module.formerly}
        return {former: name for former, name in renamed.items() if former not in self.modules}

    def accesses(self, module: str) -> list[tuple[Profile, Access]]:
        """The profiles that have a module, each with its access to it."""
        having = (profile for profile in self.profiles.values() if module in profile.modules)
        return [(profile, profile.modules[module]) for profile in having]

    @property
    def uses_passwords(self) -> bool:
        """Whether people sign in with passwords."""
        return "password" in self.settings.sign_in

    @property
    def approves_sign_ups(self) -> bool:
        """Whether someone has to approve a sign-up before its person may sign in."""
        return self.sign_up is None or self.sign_up.approve

    def along(self, module: str, path: str) -> Iterator[tuple[Module, Field]]:
        """The (module, field) pairs along a dotted path from `module`. Raises KeyError if it leads nowhere."""
        here: Module | None = self.with_rows[module]
        for name in path.split("."):
            if here is None:
                raise KeyError(path)
            field = here.field(name)
            yield here, field
            targets = (join_name(here.name, name),) if field.row_fields else link_targets(field)
            here = self.with_rows.get(targets[0]) if len(targets) == 1 else None

    def searched_ways(self, module: Module) -> Iterator[tuple[tuple[str, ...], Module, Field]]:
        """Each field on the paths of a module's searched lookups: its path, its module, the field."""
        for field in module.fields.values():
            if field.searched:
                yield from self._way(module, field)

    def _way(
        self, module: Module, lookup: Field, before: tuple[str, ...] = ()
    ) -> Iterator[tuple[tuple[str, ...], Module, Field]]:
        path = lookup.link_path
        for number, (here, field) in enumerate(self.along(module.name, ".".join(path)) if path else (), start=1):
            yield (*before, *path[:number]), here, field
            yield from self._way(here, field, (*before, *path[: number - 1]))

    def reader(self, **facts: Any) -> Reader:
        """A reader in this portal's time zone and currency; `facts` are the other attributes."""
        settings = self.settings
        usual = {
            "language": settings.languages[0], "default_language": settings.languages[0],
            "time_zone": ZoneInfo(settings.time_zone), "currency": settings.currency,
            "people": self.people, "organizations": self.organizations,
        }  # fmt: skip
        return Reader(**{**usual, **facts})


def fields_with_rows(modules: Iterable[Module]) -> Iterator[tuple[Module, Field]]:
    """The `lines` fields, each with its module."""
    return ((module, field) for module in modules for field in module.lines)


def row_modules(modules: Iterable[Module]) -> dict[str, Module]:
    """The rows of each `lines` field as a module, which has columns, links and conditions, by the name of their table.

    No profile has such a module: readers of the field may read its rows. A unique column is unique within one record,
    and no index enforces this.
    """
    by_table: dict[str, Module] = {}
    for module, field in fields_with_rows(modules):
        name = join_name(module.name, field.name)
        columns = {
            key: column.model_copy(update={"unique": False}) if column.unique else column
            for key, column in field.row_fields.items()
        }
        by_table[name] = Module(name=name, fields=columns, label=field.title)
    return by_table
