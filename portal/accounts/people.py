"""The person of an account, and the companies of people, along the path that their module's `organization` names."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.accounts.accounts import find_account
from portal.conditions import Comparison
from portal.database.schema.tables import Tables
from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.records.reading.records import Query, Record, Records


@dataclass(frozen=True)
class PersonRow:
    """The row of an account's person: its id (None if deleted) and the first link of the path to its company."""

    person: int | None
    organization: int | None = None
    any_closed: bool = True  # whether there is any company whose people may not sign in


def companies_of_each(connection: sa.Connection, tables: Tables) -> dict[int, tuple[int, ...]]:
    """The people who have an account, with their companies as returned by `companies_of`."""
    if tables.declaration.people is None:
        return {}
    people = tables.module(tables.declaration.people).c["id"]
    with_account = sa.select(people).where(people.in_(sa.select(tables.account.c["person"])))
    ids: dict[int, tuple[int, ...]] = {person: (person,) for person in connection.scalars(with_account)}
    if tables.declaration.modules[tables.declaration.people].organization is None:
        return dict.fromkeys(ids, ())
    for module, field in company_path(tables.declaration):
        targets = _targets(connection, tables, module.name, field.name)
        for person, reached in ids.items():
            ids[person] = tuple(dict.fromkeys(target for record_id in reached for target in targets.get(record_id, ())))
    return ids


def _targets(connection: sa.Connection, tables: Tables, module: str, field: str) -> dict[int, list[int]]:
    """The ids that `field`, a link on the path from people to their companies, links to, by record."""
    table = tables.module(module)
    if field in table.c:
        query = sa.select(table.c["id"], table.c[field]).where(table.c[field].is_not(None))
    else:
        join = tables.join(module, field)  # `links` have a table of their own
        query = sa.select(join.c["record"], join.c["target"]).order_by(join.c["position"])
    targets: dict[int, list[int]] = defaultdict(list)
    for record_id, target in connection.execute(query):
        targets[record_id].append(target)
    return targets


def companies_of(
    connection: sa.Connection, tables: Tables, person: int | None, person_row: PersonRow | None = None
) -> tuple[int, ...] | None:
    """The ids of a person's companies, along the people module's `organization`; `person_row` if already loaded.

    None if the person was deleted: with a people module, every account belongs to one of its records.
    """
    if tables.declaration.people is None:
        return ()
    row = _load_person_row(connection, tables, person) if person_row is None else person_row
    if row.person is None:
        return None
    path, steps = tables.declaration.modules[tables.declaration.people].organization, company_path(tables.declaration)
    ids = [] if path is None else [row.person]
    if _first_step(tables) != "id":  # the row contains the first link
        ids, steps = [row.organization] if row.organization is not None else [], steps[1:]
    for module, field in steps:
        if ids:
            ids = list(dict.fromkeys(connection.scalars(linked_ids(tables, module.name, field.name, ids))))
    return tuple(ids)


def person_columns(tables: Tables) -> tuple[sa.Column[Any], sa.Column[Any]]:
    """The columns of a PersonRow in the people module's table."""
    table = tables.module(str(tables.declaration.people))
    return table.c["id"], table.c[_first_step(tables)]


def _load_person_row(connection: sa.Connection, tables: Tables, person: int | None) -> PersonRow:
    columns = person_columns(tables)
    row = connection.execute(sa.select(*columns).where(columns[0] == person)).first()
    return PersonRow(None) if row is None else PersonRow(row[0], row[1])


def linked_ids(tables: Tables, module: str, field: str, ids: Any) -> sa.Select[Any]:
    """SQL: the ids that the link `field` leads to from `ids`, one step on the path from people to their companies."""
    table = tables.module(module)
    if field in table.c:
        return sa.select(table.c[field]).where(table.c["id"].in_(ids), table.c[field].is_not(None))
    join = tables.join(module, field)  # `links` have a table of their own
    return sa.select(join.c["target"]).where(join.c["record"].in_(ids)).order_by(join.c["position"])


def company_path(declaration: Declaration) -> list[tuple[Module, Field]]:
    """The links that lead from a person to their companies."""
    path = declaration.modules[str(declaration.people)].organization
    return [] if path in (None, "id") else list(declaration.along(str(declaration.people), path))


def _first_step(tables: Tables) -> str:
    """The column of a person's first link to their companies; "id" without one, or if it has a table of its own."""
    steps = company_path(tables.declaration)
    return steps[0][1].name if steps and steps[0][1].name in tables.module(str(tables.declaration.people)).c else "id"


def people_with_email(people: Records, email: str) -> list[Record]:
    """The first two of `people` whose record contains an address."""
    field = people.module.email_field
    if field is None:
        return []
    having_it = Query(condition=Comparison((field.name,), "equal", email), sort=("id",), size=2)
    return people.page(having_it, []).records


def people_of_address(connection: sa.Connection, tables: Tables, email: str) -> list[int]:
    """The ids of the people who sign in with an address, then of those whose record contains it."""
    account = find_account(connection, tables, email)
    people = tables.declaration.modules[str(tables.declaration.people)]
    table = tables.module(people.name)
    has_address = [field.compare(table, "equal", email) for field in people.fields.values() if field.holds_email]
    query = sa.select(table.c["id"]).where(sa.or_(sa.false(), *has_address)).order_by(table.c["id"])
    ids = [*([account.person] if account and account.person else []), *connection.scalars(query)]
    return list(dict.fromkeys(ids))
