"""The outline of a portal before it is written: modules and fields, with the reasons for what was guessed.

Decides what is the same for databases and files: titles, columns of lists, tabs, people, owners.
"""

import dataclasses
import re
from dataclasses import dataclass
from typing import Any

from portal.declaration.plurals import in_singular
from portal.texts import label_from_name
from portal.workshop.outlines.naming import snake

TITLES = ("name", "title", "subject", "label", "full_name", "company_name", "last_name")
PERSON_TITLES = ("full_name", "last_name")  # a person's `title` is their job
LONG_AGO = re.compile(r"birth|born|hire|expir")  # dates that nobody sorts by
PEOPLE = re.compile(r"(customer|client|contact|user|person|people|member|account|employee)s?$")
FIRST_PEOPLE = re.compile(r"(customer|client|contact|person|people)s?$")
TABS = re.compile(r"(^|_)(status|state|stage)$")
LONG = ("longtext", "markdown")
TELLING = re.compile(r"(^|_)(status|state|stage|priority|type|total|date|name)(_|$)")
MOST_OF_TYPE = {"link": 2, "choice": 2, "date": 1, "datetime": 1, "money": 1, "email": 1, "boolean": 1}  # in a list
MOST_TABS = 8
MOST_COLUMNS = 6
ICONS = {
    "customer": "users", "client": "users", "contact": "users", "person": "user", "employee": "id-card",
    "user": "user", "invoice": "file-text", "order": "shopping-cart", "product": "package", "ticket": "life-buoy",
    "supplier": "truck", "shipper": "ship", "category": "tags", "company": "building-2", "account": "building-2",
    "payment": "credit-card", "project": "folder-kanban", "task": "list-checks", "article": "book-open",
    "track": "music", "album": "disc-3", "artist": "mic-vocal", "region": "map", "territory": "map-pin",
}  # fmt: skip


@dataclass
class OutlineField:
    """A guessed field: its name, type and other keys as in YAML, its name in the file or table, and the reason."""

    name: str
    type: str
    keys: dict[str, Any] = dataclasses.field(default_factory=dict)
    source: str = ""
    reason: str = ""
    filled: int = 1  # how many rows have a value

    @property
    def target(self) -> str | None:
        """The module that a guessed link leads to."""
        return self.keys.get("to") if self.type == "link" else None


@dataclass
class OutlineModule:
    """A module: `keys` come before its fields; `notes` are comments above it; `left_out`: columns, with the reason."""

    name: str
    source: str
    fields: list[OutlineField] = dataclasses.field(default_factory=list)
    keys: dict[str, Any] = dataclasses.field(default_factory=dict)
    notes: list[str] = dataclasses.field(default_factory=list)
    left_out: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    rows: int = 0
    joins: bool = False  # whether its rows only connect two records

    @property
    def label(self) -> str:
        """The guessed label of a module."""
        return str(label_from_name(self.name))

    @property
    def icon(self) -> str | None:
        """A fitting icon, by the last word of the name."""
        return ICONS.get(in_singular(self.name).rpartition("_")[2])

    @property
    def title(self) -> OutlineField | None:
        """The field that names a record; None if its reference does."""
        by_name = {field.name: field for field in self.fields if field.type == "text"}
        own = [f"{in_singular(self.name)}_{name}" for name in ("name", "title", "subject", "description")]
        names = (*PERSON_TITLES, *TITLES) if {"first_name", "last_name"} <= by_name.keys() else TITLES
        return next((by_name[name] for name in (*names, *own, "description") if name in by_name), None)

    def columns(self) -> list[str]:
        """The columns of its list: the title, then the most informative fields."""
        title = self.title
        shown = [
            field
            for field in self.fields
            if field is not title and field.type not in LONG and field.filled and not field.keys.get("required")
        ]
        by_type: dict[str, list[OutlineField]] = {}
        for field in sorted(shown, key=lambda field: not TELLING.search(field.name)):
            by_type.setdefault(field.type, []).append(field)
        best = [field for type_, most in MOST_OF_TYPE.items() for field in by_type.get(type_, ())[:most]]
        rest = [field for field in shown if field not in best]
        chosen = {field.name for field in [*best, *rest][: MOST_COLUMNS - 1]}
        key = next((field.name for field in self.fields if field.keys.get("required")), "reference")
        titled = [title.name] if title else []
        return [key, *titled, *(field.name for field in self.fields if field.name in chosen)]

    def sort(self) -> str | None:
        """The newest first, by the first date."""
        dated = [field for field in self.fields if field.type in ("date", "datetime") and field.filled]
        dates = [field.name for field in dated if not LONG_AGO.search(field.name)]
        if dates:
            return f"-{dates[0]}"
        return self.title.name if self.title else None

    def tabs(self) -> tuple[OutlineField, list[str]] | None:
        """The choice that divides the list into tabs, and its options."""
        for field in self.fields:
            options = field.keys.get("options", ())
            if (
                field.type == "choice"
                and TABS.search(field.name)
                and len(options) <= MOST_TABS
                and all(map(snake, options))
            ):
                return field, list(options)
        return None


@dataclass
class Outline:
    """All modules, in menu order; `read_only`: the tables belong to others and stay in place."""

    modules: list[OutlineModule]
    read_only: bool
    origin: str  # what it was made from, for the first line

    def people(self) -> OutlineModule | None:
        """The module whose records are people: customers or the like, each with their own address."""
        linked = {field.target for module in self.modules for field in module.fields}
        named = [module for module in self.modules if PEOPLE.search(module.name) and _has_address(module)]
        ranked = sorted(named, key=lambda module: (not FIRST_PEOPLE.search(module.name), module.name not in linked))
        return ranked[0] if ranked else None

    def owner(self, module: OutlineModule) -> str | None:
        """The field that says who owns a record."""
        people = self.people()
        if people is None or module is people:
            return None
        return next((field.name for field in module.fields if field.target == people.name), None)

    def through(self, module: OutlineModule) -> str | None:
        """The link to a module with an owner, through which a customer sees the records."""
        owned = {other.name for other in self.modules if self.owner(other)} - {module.name}
        return next((field.name for field in module.fields if field.target in owned), None)


def _has_address(module: OutlineModule) -> bool:
    return any(field.type == "email" and field.filled for field in module.fields)
