"""A portal with a field of every type, for the tests of import and export; and the command line on it."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from click.testing import CliRunner, Result

from portal.commands import main
from portal.commands.open_portal import OpenPortal
from portal.database.engine import make_engine, reading
from portal.database.migration.plan_and_apply import apply
from portal.database.schema.tables import Tables, build
from portal.declaration.declaration import Declaration
from portal.records.policy import system_policy
from portal.records.reading.records import Query, Record, Records
from portal.settings import read_settings
from tests.portal_files import load_whole, write_portal

MODULES = """
portal: {name: Shop, languages: [en, it], currency: USD, time_zone: Europe/Rome}
people: people
modules:
  people:
    fields:
      name: {type: text, required: true, label: {en: Full name, it: Nome e cognome}}
      email: {type: email, required: true, unique: true, label: {en: E-mail, it: Posta}}
      boss: {type: link, to: people}
      friends: {type: links, to: people}
      age: {type: integer, min: 0, default: 18}
  services:
    see: all
    fields:
      name: {type: text, required: true}
  categories:
    see: all
    fields:
      name: {type: text, required: true}
      service: {type: link, to: services, required: true}
  things:
    see: all
    reference: "TH{number:03}"
    title: title
    fields:
      title: {type: text, required: true, label: {en: Title, it: Titolo}}
      code: {type: text, unique: true}
      body: longtext
      page: markdown
      rich: html
      mail: email
      phone: phone
      site: url
      amount: integer
      weight: {type: decimal, places: 3}
      price: {type: money, label: {en: Price, it: Prezzo}}
      share: percent
      ready: boolean
      day: date
      moment: datetime
      clock: time
      length: duration
      kind: {type: choice, options: {small: {en: Small one, it: Piccolo}, large: Large}, label: Sort}
      large_reason: {type: text, required: true, show_when: {kind: large}}
      colours: {type: choices, options: [red, green, "dark, blue"]}
      tags: tags
      service: {type: link, to: services}
      category: {type: link, to: categories, where: {service: $service}}
      owners: {type: links, to: people}
      about: {type: link, to: [people, services]}
      place: address
      stars: rating
      colour: color
      length_of_title: {type: lookup, of: service.name}
      solved: {type: datetime, read_only: true}
      secret: {type: text, internal: true}
      state: {type: choice, options: [new, done]}
    lifecycle:
      field: state
      start: new
      transitions: {finish: {from: new, to: done, set: {solved: now}}}
"""
PROFILE = """
label: Staff
modules:
  things:
    options: {kind: {small: Tiny}}
    list: {columns: [reference, title, price, day, moment, kind, ready, service, owners]}
    can: [export]
  services: {}
  people: {see: all}
"""


@dataclass
class Shop:
    """The portal, its database, and the command line on it."""

    folder: Path
    url: str
    tables: Tables
    engine: sa.Engine

    @property
    def declaration(self) -> Declaration:
        """What the tables were made from."""
        return self.tables.declaration

    def run(self, *arguments: Any) -> Result:
        """Runs `portal ARGUMENTS`. Import and export get this portal: opening it would take most of their time."""
        said = ["--folder", str(self.folder), "--database", self.url, *map(str, arguments)]
        settings = read_settings(None, folder=self.folder, database=self.url)
        opened = OpenPortal(settings, self.tables, self.engine) if arguments[0] in ("import", "export") else None
        return CliRunner().invoke(main, said, obj=opened, catch_exceptions=False)

    def file(self, content: str | bytes, name: str = "file.csv") -> Path:
        """A file with this content."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def load(self, module: str, content: str | bytes, *options: str) -> Result:
        """`portal import` of a file with this content."""
        return self.run("import", module, self.file(content), *options)

    def loaded(self, module: str, content: str, *options: str) -> None:
        """The same, which must succeed."""
        result = self.load(module, content, *options)
        assert result.exit_code == 0, result.output

    def bad(self, module: str, content: str | bytes, *options: str) -> list[str]:
        """The messages about a refused file, without the file's name and the summary."""
        result = self.load(module, content, *options)
        assert result.exit_code == 1, result.output
        start = f"{self.folder / 'file.csv'}:"
        return [line.removeprefix(start) for line in result.output.splitlines() if line.startswith(start)]

    def records(self, module: str) -> list[Record]:
        """All records of a module, by id."""
        with reading(self.engine) as connection:
            system = Records(connection, system_policy(self.tables), module)
            return list(system.iterate(Query(sort=("id",)), system.module.everything))

    def values(self, module: str, *names: str) -> list[Any]:
        """These fields of all records; linked records by their titles."""
        rows = [tuple(plain(record.values[name]) for name in names) for record in self.records(module)]
        return [row[0] for row in rows] if len(names) == 1 else rows


def plain(value: Any) -> Any:
    """A value to compare with: linked records are their titles."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value.title if hasattr(value, "visible") else value


def make_shop(folder: Path, url: str, modules: str = MODULES, profile: str = PROFILE) -> Shop:
    """The portal with its tables."""
    return open_shop(write_portal(folder, modules, staff=profile), url)


def open_shop(folder: Path, url: str) -> Shop:
    """The portal in `folder`; missing tables are created."""
    tables, engine = build(load_whole(folder)), make_engine(url)
    apply(engine, tables, allow_loss=False)
    return Shop(folder, url, tables, engine)


def table(content: bytes) -> list[list[str]]:
    """The rows of a CSV file, including the header."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
