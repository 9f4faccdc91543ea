"""The person and the company of an account: ordinary records, found or created when access is given.

They are created through the records layer by the portal itself, in the name of `author`.
"""

import dataclasses
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.accounts.accounts import Account
from portal.accounts.people import people_with_email
from portal.database.schema.tables import Tables
from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.email import normalize_email
from portal.fields.linked_value import Linked
from portal.fields.refused import Refused
from portal.records.policy import system_policy
from portal.records.reading.named_records import find_named
from portal.records.reading.records import Record, Records
from portal.records.writing.defaults import defaults
from portal.records.writing.history import SYSTEM, Author
from portal.records.writing.validation import is_taken, without_taken
from portal.records.writing.writer import Writer
from portal.texts import fits_one_line, is_blank

LONGEST_NAME = 200  # characters


class AccessRefusedError(Exception):
    """Access cannot be given or changed like this; the message is a sentence for the administrator."""


@dataclass(frozen=True)
class AccessRequest:
    """The access that an administrator gives to a person."""

    email: str
    profile: str
    name: str | None = None
    organization: str | None = None  # the company's title; a record is created if there is none
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # access_from, access_until, records_from
    company: int | None = None  # the company's id, instead of its title
    person: int | None = None  # the person's id, if it is not looked up by address


@dataclass
class PeopleRegister:
    """The people and companies of one portal, changed in the name of `author`, who is the person `me`.

    `warnings` lists the requirements that were waived.
    """

    connection: sa.Connection
    tables: Tables
    now: datetime.datetime
    author: Author = SYSTEM
    me: int | None = None
    warnings: list[str] = dataclasses.field(default_factory=list)

    @property
    def declaration(self) -> Declaration:
        """What the tables were made from."""
        return self.tables.declaration

    def person_for(self, access_request: AccessRequest, email: str) -> Record | None:
        """The person to give access to, with their company; created if there is none yet. Raises
        AccessRefusedError."""
        if self.declaration.people is None:
            if access_request.organization:
                raise AccessRefusedError("modules.yaml names no people module: nobody can belong to a company")
            return None
        people = self.records(self.declaration.people)
        if access_request.person is not None:
            return people.get(access_request.person)
        company = self._company_of(access_request)
        person = self._find_person(people, email)
        if person is None:
            name = access_request.name or readable_name(email)
            field = people.module.email_field
            values = {field.name: email} if field else {}
            return self._create(people, name, {**values, **self._company_value(people.module, company)})
        self._add_company(people, person, company)
        return person

    def address_of(self, person_id: int) -> str:
        """The address on a person's record, in the form used to find accounts; empty if there is none."""
        people = self.records(str(self.declaration.people))
        person, field = people.get(person_id), people.module.email_field
        return normalize_email(person.values[field.name] or "") if person and field else ""

    def person_with(self, email: str) -> Record | None:
        """The person who has an address. Raises AccessRefusedError if several have it."""
        if self.declaration.people is None:
            return None
        return self._find_person(self.records(self.declaration.people), normalize_email(email))

    def change_email_of_person(self, account: Account, new: str) -> None:
        """Gives an account's person its new address, unless their record has a different one than the account."""
        if self.declaration.people is None or account.person is None:
            return
        people = self.records(self.declaration.people)
        person = people.get(account.person)
        field = people.module.email_field
        if person is None or field is None:
            return
        present = person.values[field.name] or ""
        if normalize_email(present) != account.email:
            self.warnings.append(f"the record of {person.title} keeps the address {present or 'it has'}")
            return
        self._check_written(people.module, f"the address of {person.title} is another one there")
        same = self._find_person(people, new)
        if same is not None and same.id != person.id:
            raise AccessRefusedError(f"{same.title} has the address {new}")
        Writer(people, self.author).change(person, {field.name: new}, person.version)

    def _find_person(self, people: Records, email: str) -> Record | None:
        having_it = people_with_email(people, email)
        if len(having_it) > 1:
            raise AccessRefusedError(f"several people of {people.name} have the address {email}")
        return people.get(having_it[0].id) if having_it else None

    def _company_of(self, access_request: AccessRequest) -> Linked | None:
        if access_request.company is not None and self.declaration.organizations is not None:
            return Linked(access_request.company, self.declaration.organizations)
        return self._company(access_request.organization) if access_request.organization else None

    def _company(self, title: str) -> Linked:
        module = self.declaration.organizations
        if module is None:
            raise AccessRefusedError("modules.yaml names no organizations module: nobody can belong to a company")
        companies = self.records(module)
        ids = find_named(self.connection, companies.policy, module, title)
        if len(ids) > 1:
            raise AccessRefusedError(f'several records of {module} are called "{title}"')
        if not ids and not self._title_value(companies, title):
            raise AccessRefusedError(f'{module} has no record called "{title}", and a new one could not be named so')
        return Linked(ids[0] if ids else self._create(companies, title, {}).id, module)

    def _company_value(self, people: Module, company: Linked | None) -> dict[str, Any]:
        """The value that makes the new person belong to the company."""
        if company is None:
            return {}
        path = people.organization
        if not path or path not in people.fields:
            raise AccessRefusedError(
                f"{people.name}.organization is no link of its own: set the company on the records"
            )
        return {path: (company,) if people.field(path).multiple else company}

    def _add_company(self, people: Records, person: Record, company: Linked | None) -> None:
        if company is None:
            return
        for name, value in self._company_value(people.module, company).items():
            current = person.values.get(name)
            if not current:
                self._check_written(people.module, f"{person.title} belongs to no company there")
                Writer(people, self.author).change(person, {name: value}, person.version)
            elif company.id not in [link.id for link in (current if isinstance(current, tuple) else (current,))]:
                self.warnings.append(f"{person.title} stays with the company that is recorded already")

    def _create(self, records: Records, title: str, values: dict[str, Any]) -> Record:
        module = records.module
        self._check_written(module, f"“{title}” is not there")
        values = {**self._title_value(records, title), **values}
        self._check_unique(records, values)
        given = {**defaults(records), **values}
        filled = without_taken(records, given, values)
        for name, field in module.fields.items():
            if filled.get(name) != given.get(name):
                why = "must be unique, and another record has its default: it"
            elif field.required and not field.computed and filled.get(name) in (None, ""):
                why = "is required, and"
            else:
                continue
            self.warnings.append(f"{module.name}.{name} {why} was left empty for {title}")
        created = records.get(Writer(records, self.author).create(values))
        if created is None:
            raise LookupError(f"a new record of {records.name} cannot be read")
        return created

    def _check_unique(self, records: Records, values: Mapping[str, Any]) -> None:
        for name in values:
            field = records.module.field(name)
            if field.unique and is_taken(records, field, values, None):
                shown = field.write(values[name])
                raise AccessRefusedError(
                    f"{records.name}.{name} must be unique, and another record has “{shown}”: give another one, "
                    "or correct that record"
                )

    def _check_written(self, module: Module, reason: str) -> None:
        if module.table is not None:
            raise AccessRefusedError(
                f"{module.name} are read from the table {module.table}, and {reason}: add it there"
            )

    def _title_value(self, records: Records, title: str) -> dict[str, Any]:
        """The value of the title field, if it can hold a name."""
        field = records.module.fields.get(records.module.title or "")
        if field is None:
            return {}
        if field.computed:
            return _parts_of_name(records.module, field, title)
        try:
            return {field.name: field.read(title, records.policy.reader.machine)}
        except Refused:
            self.warnings.append(f"{records.name}.{field.name} cannot hold “{title}”, and was left empty")
            return {}

    def records(self, module: str) -> Records:
        """All records of a module, in which people and companies are found or created."""
        reader = self.declaration.reader(now=self.now, person=self.me)
        return Records(self.connection, system_policy(self.tables, reader), module)


def _parts_of_name(module: Module, field: Field, name: str) -> dict[str, str]:
    """A new person's name split among the texts that make up the title `field`: its first word for the first of them,
    the rest for the last."""
    texts = [part for part, other in module.fields.items() if part in field.sources and other.verbatim]
    first, _space, rest = name.partition(" ")
    if len(texts) < 2 or not rest:
        return {part: name for part in texts[-1:]}
    return {texts[0]: first, texts[-1]: rest}


def readable_name(email: str) -> str:
    """A name for a person of whom only the address is known."""
    return " ".join(part.capitalize() for part in email.partition("@")[0].replace("_", ".").split(".") if part)


def is_person_name(text: str) -> bool:
    """Whether this can be the name of a person."""
    return not is_blank(text) and len(text) <= LONGEST_NAME and all(map(fits_one_line, text))
