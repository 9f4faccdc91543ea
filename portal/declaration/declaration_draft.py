"""A declaration while it is read: shapes from the files, not yet checked against each other or resolved.

`read_modules` and similar functions fill it, the checks look up names in it, `resolve` reads it. It never leaves this
folder.
"""

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from portal.declaration.declaration import row_modules
from portal.declaration.shapes import Button, Inbox, Module, Profile, Settings, SignUp, Webhook
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.document import Document
from portal.declaration.source.problems import KeyPath, Problem, ProblemText
from portal.declaration.unknown_names import no_field, no_module
from portal.fields.base import Field
from portal.fields.link import link_targets
from portal.fields.reader import Reader
from portal.fields.table_names import is_rows, join_name

MODULES = "modules.yaml"
BUTTONS = "buttons.yaml"
ALL_MODULES = ""  # stands for every module if a whole profile is in doubt


@dataclass
class DeclarationDraft:
    """`module_entries` and `profile_entries` are the entries as mappings, `broken_…` the names of unusable entries."""

    folder: Path
    overrides: Mapping[str, str] = dataclasses.field(default_factory=dict)  # settings from outside the files; they win
    unsaved: Mapping[str, bytes] = dataclasses.field(default_factory=dict)  # read instead of the file
    documents: dict[str, Document] = dataclasses.field(default_factory=dict)
    problems: list[Problem] = dataclasses.field(default_factory=list)
    settings: Settings = dataclasses.field(default_factory=Settings)
    people: str | None = None
    organizations: str | None = None
    inbox: Inbox | None = None
    sign_up: SignUp | None = None
    webhooks: dict[str, Webhook] = dataclasses.field(default_factory=dict)
    modules: dict[str, Module] = dataclasses.field(default_factory=dict)
    declared: dict[str, Module] = dataclasses.field(default_factory=dict)  # the modules before they were resolved
    module_entries: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    profiles: dict[str, Profile] = dataclasses.field(default_factory=dict)
    profile_entries: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    buttons: dict[str, Button] = dataclasses.field(default_factory=dict)
    icons: set[str] = dataclasses.field(default_factory=set)
    unread_files: set[str] = dataclasses.field(default_factory=set)  # misnamed, or impossible to open
    broken_roles: bool = False  # whether people: or organizations: names no module
    broken_modules: set[str] = dataclasses.field(default_factory=set)
    broken_fields: set[tuple[str, str]] = dataclasses.field(default_factory=set)  # (module, field)
    misnamed_fields: list[str] = dataclasses.field(default_factory=list)  # the module of each field with a bad name
    broken_profiles: set[str] = dataclasses.field(default_factory=set)
    broken_accesses: set[tuple[str, str]] = dataclasses.field(default_factory=set)  # (profile, module)
    broken_buttons: set[str] = dataclasses.field(default_factory=set)

    @property
    def errors(self) -> list[Problem]:
        """The problems so far that are not warnings."""
        return [problem for problem in self.problems if not problem.warning]

    @property
    def modules_in_doubt(self) -> Collection[str]:
        """The modules with an error so far, in modules.yaml or in a profile: less is known about them."""
        errors = self.errors
        accesses = {module for _profile, module in self.broken_accesses}
        whole_profiles = ALL_MODULES in accesses or any(
            problem.path in (("staff",), ("extends",)) for problem in errors
        )
        if whole_profiles or self.broken_profiles or self.broken_roles or self.unread_files or not self.profiles:
            return self.modules.keys()
        paths = (problem.path for problem in errors)
        return accesses | {str(path[1]) for path in paths if path[:1] == ("modules",) and len(path) > 1}

    def at(self, file: str, *path: str | int) -> Cursor:
        """A cursor at `path` of `file`."""
        return Cursor(self.documents[file], self.problems, path)

    def at_module(self, module: str) -> Cursor:
        """A cursor at a module of modules.yaml."""
        return self.at(MODULES, "modules", module)

    def is_unreadable(self, file: str) -> bool:
        """Whether the file exists but nothing in it could be read: then its contents do not count as missing."""
        document = self.documents.get(file)
        unreadable = document is not None and document.data is None and bool(document.problems)
        return unreadable or file in self.unread_files

    def has(self, file: str, path: KeyPath) -> bool:
        """Whether something is written at `path` of `file`."""
        return file in self.documents and self.documents[file].has(path)

    def known(self, name: str) -> Module | None:
        """A module, or the rows of a `lines` field by the name of their table."""
        return self.modules.get(name) or (self.row_modules.get(name) if is_rows(name) else None)

    def field(self, module: str, name: str) -> Field | None:
        """A declared or built-in field; None if it does not exist or could not be understood."""
        owner = self.known(module)
        return (owner.fields.get(name) or owner.builtin.get(name)) if owner is not None else None

    def holder_of(self, field: Field) -> str:
        """Where the options of `field` belong, for causes: to the module if they are its states, else the field."""
        for module in self.modules.values():
            if module.fields.get(field.name) is field:
                return module.name if field.name == module.state_field else join_name(module.name, field.name)
        return ""

    def require_module(self, name: str, at: Cursor) -> Module | None:
        """A module; None if it does not exist, which is reported at `at` unless another problem explains it."""
        if name not in self.modules and not self.is_broken(name):
            at.wrong(self.no_module(name))
        return self.modules.get(name)

    def require_field(self, module: str, name: str, at: Cursor) -> Field | None:
        """Like `field`; a missing field is reported at `at` unless another problem explains it."""
        field = self.field(module, name)
        if field is None and not self.is_broken(module, name):
            at.wrong(self.no_field(module, name))
        return field

    def is_broken(self, module: str, name: str | None = None) -> bool:
        """Whether another problem already explains why this module, or its field, is unknown."""
        return module in self.broken_modules or (name is not None and (module, name) in self.broken_fields)

    def has_broken_field(self, module: str) -> bool:
        """Whether the module, or one of its fields, could not be understood."""
        return module in self.broken_modules or any(owner == module for owner, _name in self.broken_fields)

    def no_module(self, name: str) -> ProblemText:
        """The sentence for a module that does not exist."""
        return no_module(name, self.modules.keys() - self.broken_modules)

    def no_field(self, module: str, name: str) -> ProblemText:
        """The sentence for a field that does not exist in `module`."""
        owner = self.known(module)
        everything = owner.everything if owner else ()
        names = [known for known in everything if known.isascii() and known.isidentifier()]
        return no_field(module, name, names)

    def follow(self, module: str, path: Sequence[str], into_rows: bool = False) -> "FollowedPath":
        """The fields along a dotted path of links; in a condition, also from `lines` to one of their columns."""
        steps: list[tuple[str, Field]] = []
        here = module
        for index, name in enumerate(path):
            if self.is_broken(here, name) or self.known(here) is None:
                return FollowedPath(steps)
            field = self.field(here, name)
            if field is None:
                sentence = self.no_field(here, name)
                return FollowedPath(steps, sentence if here == module else sentence.within(f"{{}} in {here}"))
            steps.append((here, field))
            if index == len(path) - 1:
                return FollowedPath(steps, last=field)
            targets = (join_name(here, name),) if into_rows and field.row_fields else link_targets(field)
            if not targets:
                return FollowedPath(steps, f'"{name}" is not a link, so nothing can follow it')
            if len(targets) > 1:
                return FollowedPath(steps, f'"{name}" links to several modules, so nothing can follow it')
            here = targets[0]
        return FollowedPath(steps)

    def along(self, module: str, path: str) -> Iterator[tuple[Module, Field]]:
        """Like Declaration.along, for fields that are being bound. Raises KeyError if the path leads nowhere."""
        followed = self.follow(module, path.split("."))
        if followed.last is None:
            raise KeyError(path)
        for name, field in followed.steps:
            if (owner := self.known(name)) is not None:
                yield owner, field

    @cached_property
    def row_modules(self) -> Mapping[str, Module]:
        """The rows of the `lines` fields, once all fields are bound."""
        return row_modules(self.modules.values())

    @cached_property
    def linking(self) -> Mapping[str, list["LinkingPath"]]:
        """For each module, the links to it in the order of the file, including those in rows of `lines`."""
        linking: dict[str, list[LinkingPath]] = {}
        for module in self.modules.values():
            for field in module.fields.values():
                for path in ((field,), *((field, column) for column in field.row_fields.values())):
                    for target in link_targets(path[-1]):
                        linking.setdefault(target, []).append(LinkingPath(module.name, path))
        return linking

    @cached_property
    def membership(self) -> frozenset[tuple[str, str]]:
        """The (module, field) pairs that say which company a person belongs to: whoever can change them sees more."""
        people = self.modules.get(self.people or "")
        paths = [path for path in (people.owner, people.organization) if path] if people is not None else []
        return frozenset(
            (module, field.name)
            for path in paths
            for module, field in self.follow(str(self.people), path.split(".")).steps
            if field.name in self.modules[module].fields
        )

    @cached_property
    def reader(self) -> Reader:
        """A person with a company, for trying out values."""
        return Reader(
            time_zone=ZoneInfo(self.settings.time_zone), currency=self.settings.currency, plain=True,
            people=self.people, organizations=self.organizations, person=1, companies=(1,),
        )  # fmt: skip


@dataclass(frozen=True)
class LinkingPath:
    """A link of `module`: its field, or the `lines` field and its linking column."""

    module: str
    fields: tuple[Field, ...]


@dataclass
class FollowedPath:
    """`last`: the end of the path; `problem`: why there is none. Neither is set if another problem explains it."""

    steps: list[tuple[str, Field]]
    problem: str | None = None
    last: Field | None = None
