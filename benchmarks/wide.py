"""The pages of a module with 140 fields beside their floor: `python -m benchmarks.wide` prints what `floor` prints.

The fields are of fourteen types in turn, and a tenth of them is required. No layout is declared: pages show what they
show to someone who wrote nothing but the fields.
"""

import random
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from benchmarks.floor import ROUNDS, compare, print_line
from benchmarks.ours import Portal
from portal.database.engine import make_engine
from portal.database.migration.plan_and_apply import apply
from portal.database.schema.tables import build
from portal.declaration.load import load

FIELDS, RECORDS, PEOPLE = 140, 60, 40
OPTIONS = ["small", "medium", "large", "huge", "other"]
# What is declared of each type of field, and values of it as they are typed.
TYPES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "text": ({"max_length": 80}, ("Second floor", "Not known yet")),
    "longtext": ({}, ("It was measured twice.\nNothing else was seen.", "As agreed.")),
    "integer": ({}, ("12", "40000")),
    "decimal": ({"places": 2}, ("12.50", "1999.99")),
    "money": ({"currency": "EUR"}, ("12.50", "1999.99")),
    "date": ({}, ("2026-03-05", "2025-11-30")),
    "datetime": ({}, ("2026-03-05T12:00", "2025-11-30T08:15")),
    "boolean": ({}, ("true",)),
    "choice": ({"options": OPTIONS}, tuple(OPTIONS)),
    "choices": ({"options": OPTIONS}, tuple(OPTIONS)),
    "link": ({"to": "contacts"}, tuple(str(number) for number in range(1, PEOPLE + 1))),
    "email": ({}, ("someone@example.com",)),
    "phone": ({}, ("+39 06 1234567",)),
    "url": ({}, ("https://example.com/sites/12",)),
}


def fields() -> dict[str, dict[str, Any]]:
    """The fields as they are declared, by name."""
    kinds = list(TYPES)
    of_types = [{"type": kind, **TYPES[kind][0]} for kind in kinds]
    return {
        f"field_{number:03}": {**of_types[number % len(kinds)], "required": number % 10 == 0}
        for number in range(FIELDS)
    }


def write_declaration(folder: Path) -> None:
    """The portal: a wide module, one that it links to, and staff."""
    modules = {
        "assets": {"title": "field_000", "fields": fields()},
        "contacts": {"title": "name", "fields": {"name": "text", "email": "email"}},
    }
    settings = {"name": "Wide", "base_url": "http://localhost"}
    whole = {"portal": settings, "modules": modules}
    everything = {name: {"see": "all", "can": ["create", "edit"]} for name in modules}
    (folder / "profiles").mkdir()
    for name, content in {"modules": whole, "profiles/staff": {"staff": True, "modules": everything}}.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def fill(portal: Portal) -> None:
    """Contacts and records, as they are typed into the forms."""
    source, token = random.Random(1), portal.token("staff", "/assets/create")
    contacts = [{"name": f"Person {number}", "email": f"person{number}@example.com"} for number in range(PEOPLE)]
    records = [
        {name: source.choice(TYPES[field["type"]][1]) for name, field in fields().items()} for _number in range(RECORDS)
    ]
    for module, rows in {"contacts": contacts, "assets": records}.items():
        for row in rows:
            portal.post("staff", f"/{module}/create", {**row, "_csrf": token})


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_declaration(folder)
        url = f"sqlite:///{folder / 'portal.sqlite'}"
        loaded = load(folder)
        if loaded.declaration is None:
            raise SystemExit("\n".join(map(str, loaded.problems)))
        apply(make_engine(url), build(loaded.declaration))
        portal = Portal(url, folder, {"staff": (None, "staff")})
        fill(portal)
        for path in ("/assets/", f"/assets/{RECORDS}/", "/assets/create", f"/assets/{RECORDS}/edit"):
            print_line(path, compare(portal, "staff", path, rounds))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
