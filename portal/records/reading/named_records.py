"""Finds records by what people call them, one at a time; `transfer/records_by_name.py` does so for a whole file."""

import sqlalchemy as sa

from portal.conditions import Comparison, ParsedValue
from portal.declaration.references import whole_reference
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.fields.record_titles import is_called
from portal.records.policy import Policy
from portal.records.reading.records import Query, Record, Records
from portal.texts import _, ngettext

LONGEST_SHOWN = 80  # characters of a name in a sentence


def find_named(connection: sa.Connection, policy: Policy, module: str, name: str) -> list[int]:
    """The ids of the first two records called `name` by a unique field, else the reference, else the title."""
    table = policy.tables.module(module)
    title = [table.info["title"]] if table.info["title"] else []
    for columns in (table.info["unique"], ["reference"], title):
        same = is_called([table.c[column] for column in columns], name)
        ids = list(connection.scalars(sa.select(table.c["id"]).where(same).order_by(table.c["id"]).limit(2)))
        if ids:
            return ids
    return []


def name_problem(number: int, module: str, name: str) -> str:
    """Why a name identifies no record of a module: none has it, or several do, `number` of them."""
    name = name[:LONGEST_SHOWN]
    if not number:
        return _("No record in ${module} is named “${name}”.", mapping={"module": module, "name": name})
    return ngettext(
        "${number} record in ${module} is named “${name}”.",
        "${number} records in ${module} are named “${name}”.",
        number,
        module=module,
        name=name,
    )


def find_records(records: Records, reference: str) -> list[int]:
    """The ids of the records with a reference, or this unique field or title, regardless of who may see them.

    The leading zeros of its number may be left out.
    """
    column = records.table.c["reference"]
    for whole in (reference, whole_reference(records.module.reference, reference)):
        ids = records.connection.scalars(sa.select(records.table.c["id"]).where(column == whole)).all()
        if ids:
            return list(ids)
    return find_named(records.connection, records.as_system.policy, records.name, reference)


def record_with_reference(records: Records, text: str) -> Record | None:
    """The reader's record whose whole reference is `text`, possibly without leading zeros; a number alone is not
    enough."""
    whole = whole_reference(records.module.reference, text)
    if not whole or whole.isdecimal():
        return None
    is_called = Comparison(("reference",), "one_of", ParsedValue((text, whole)))
    return next(iter(records.page(Query(condition=is_called, size=1), []).records), None)


def naming_fields(module: Module) -> list[Field]:
    """The fields by which a record of `module` may be named, the most reliable first; each has one key column."""
    if not module.builtin:  # the rows of a `lines` field
        return []
    unique = [field for field in module.fields.values() if field.unique is True]
    fields = {field.name: field for field in (*unique, module.builtin["reference"], module.title_field)}
    return [
        field
        for field in fields.values()
        if not field.targets and any(column.name == field.key_column for column in field.columns())
    ]
