"""A declaration on its way: what the files say in shapes, not yet checked against each other and not yet resolved.

The entries fill it, the checks look names up in it, resolve reads it. It never leaves this folder.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path as Folder
from typing import Any
from zoneinfo import ZoneInfo

from portal.declaration.shapes import Button, Module, Profile, Settings
from portal.declaration.source.problems import Path, Problem, suggest
from portal.declaration.source.reader import Document
from portal.fields.base import Field
from portal.fields.reader import Reader

MODULES = "modules.yaml"
BUTTONS = "buttons.yaml"


def profile_file(name: str) -> str:
    """Where a profile stands."""
    return f"profiles/{name}.yaml"


def key(field: Field | None, name: str, default: Any = None) -> Any:
    """A key that only some types have. Asking pydantic for what it lacks is slow, and fields are many."""
    return default if field is None else field.__dict__.get(name, default)


def leads_to(field: Field | None) -> tuple[str, ...]:
    """The modules that a link leads to; nothing for other fields."""
    return key(field, "to", ())


@dataclass
class Draft:
    """`written` and `written_profiles` are the entries as they were understood; `broken` what could not be."""

    folder: Folder
    overrides: Mapping[str, str] = field(default_factory=dict)  # settings from outside of the files, which win
    documents: dict[str, Document] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    settings: Settings = field(default_factory=Settings)
    people: str | None = None
    organizations: str | None = None
    modules: dict[str, Module] = field(default_factory=dict)
    declared: dict[str, Module] = field(default_factory=dict)  # the modules as they were before they were resolved
    written: dict[str, dict[str, Any]] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    written_profiles: dict[str, dict[str, Any]] = field(default_factory=dict)
    buttons: dict[str, Button] = field(default_factory=dict)
    broken: set[tuple[str, ...]] = field(
        default_factory=set
    )  # ("module",), ("module", "field"), ("", profile or button)

    def unread(self, file: str) -> bool:
        """Whether the file is there and nothing could be read of it: then what it would say is not missed."""
        document = self.documents.get(file)
        return document is not None and document.data is None and bool(document.problems)

    def error(self, file: str, path: Path, message: str, key: bool = False) -> None:
        """Notes what is wrong at `path` of `file`."""
        self.problems.append(self.documents[file].problem(path, message, key=key))

    def warn(self, file: str, path: Path, message: str, key: bool = False) -> None:
        """Notes what is worth a look at `path` of `file`."""
        self.problems.append(self.documents[file].problem(path, message, key=key, warning=True))

    def has(self, file: str, path: Path) -> bool:
        """Whether something stands at `path` of `file`."""
        node = self.documents[file].root if file in self.documents else None
        for part in path:
            node = node.children.get(part) if node is not None else None
        return node is not None

    def field(self, module: str, name: str) -> Field | None:
        """A declared or built-in field, None where there is none that could be understood."""
        found = self.modules.get(module)
        return (found.fields.get(name) or found.builtin.get(name)) if found is not None else None

    def doubtful(self, module: str, name: str | None = None) -> bool:
        """Whether a mistake told elsewhere keeps us from knowing this module or field."""
        return (module,) in self.broken or (name is not None and (module, name) in self.broken)

    def no_module(self, name: str) -> str:
        """The sentence for a module that does not exist."""
        return f'no module "{name}"{suggest(name, self.modules)}'

    def no_field(self, module: str, name: str) -> str:
        """The sentence for a field that does not exist; the module is named by whoever knows that it is another one."""
        return f'no field "{name}"{suggest(name, self.modules[module].everything)}'

    def follow(self, module: str, path: Sequence[str]) -> "Followed":
        """The fields along a dotted path of links."""
        steps: list[tuple[str, Field]] = []
        here = module
        for index, name in enumerate(path):
            if self.doubtful(here, name) or here not in self.modules:
                return Followed(steps)
            found = self.field(here, name)
            if found is None:
                where = "" if here == module else f" in {here}"
                return Followed(steps, f"{self.no_field(here, name)}{where}")
            steps.append((here, found))
            if index == len(path) - 1:
                return Followed(steps, last=found)
            targets = leads_to(found)
            if not targets:
                return Followed(steps, f'"{name}" is no link, so nothing comes after it')
            if len(targets) > 1:
                return Followed(steps, f'"{name}" leads to several modules, so nothing can come after it')
            here = targets[0]
        return Followed(steps)

    def along(self, module: str, path: str) -> Iterator[tuple[Module, Field]]:
        """As Declaration.along: what fields ask when they are bound; raises KeyError where it leads nowhere."""
        followed = self.follow(module, path.split("."))
        if followed.last is None:
            raise KeyError(path)
        yield from ((self.modules[name], each) for name, each in followed.steps)

    @cached_property
    def linking(self) -> Mapping[str, list[tuple[str, str]]]:
        """For each module the (module, field) pairs that link to it, in the order of the file."""
        found: dict[str, list[tuple[str, str]]] = {}
        for module in self.modules.values():
            for each in module.fields.values():
                for target in leads_to(each):
                    found.setdefault(target, []).append((module.name, each.name))
        return found

    @cached_property
    def reader(self) -> Reader:
        """Somebody with a person and a company, for trying out values."""
        return Reader(
            time_zone=ZoneInfo(self.settings.time_zone), currency=self.settings.currency, plain=True,
            people=self.people, organizations=self.organizations, person=1, companies=(1,),
        )  # fmt: skip


@dataclass
class Followed:
    """Where a path led: `last` is its end, `complaint` why there is none; neither where an earlier mistake hides it."""

    steps: list[tuple[str, Field]]
    complaint: str | None = None
    last: Field | None = None
