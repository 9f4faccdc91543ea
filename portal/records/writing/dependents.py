"""What depends on a record that is deleted: the links of other records to it, and the rows of the portal's own tables
that are about it.
"""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from portal.fields.base import Field
from portal.records.reading.records import Record, Records
from portal.texts import _, ngettext

MOST_NAMED = 1_000  # records that may be named as the reason of a refusal; of more, none is


def links_to(module: str, field: Field) -> Iterator[tuple[str, ...]]:
    """The paths by which `field`, or columns of its rows, may link to records of `module`."""
    if module in field.targets and not field.computed:
        yield (field.name,)
    for name, column in field.row_fields.items():
        if module in column.targets and not column.computed:
            yield (field.name, name)


def still_needed(linking: Records, linking_records: Sequence[Record], asker: Records) -> str:
    """Why a record cannot be deleted, without what its reader may not see."""
    ids = [record.id for record in linking_records[:MOST_NAMED]]
    visible = asker.of(linking.name).by_ids(ids, []) if asker.policy.access(linking.name) else []
    if len(visible) < len(ids):
        return _("Other records still link to this one.")
    titles = ", ".join(record.title for record in visible[:3]) + ("…" if len(linking_records) > 3 else "")
    label = asker.policy.reader.text(linking.module.label)
    return ngettext(
        "${number} record in ${module} still links to this one: ${titles}",
        "${number} records in ${module} still link to this one: ${titles}",
        len(linking_records),
        module=label,
        titles=titles,
    )


def delete_what_depends(records: Records, record_id: int) -> None:
    """Removes a record's conversation, files, watchers and news; of a person also that they watch other records."""
    tables, connection, declaration = records.policy.tables, records.connection, records.policy.declaration
    for table in (tables.comment, tables.file, tables.watcher, tables.seen):
        on_record = table.c["module"] == records.name, table.c["record"] == record_id
        connection.execute(sa.delete(table).where(*on_record))
    if records.name == declaration.people:
        connection.execute(sa.delete(tables.watcher).where(tables.watcher.c["person"] == record_id))
    if records.name == declaration.organizations:
        _close_way_in(records, record_id)


def _close_way_in(records: Records, company: int) -> None:
    """Nobody comes into a deleted company: its link is void, and so are the links of those who asked to join it by
    that. Who has proved their address waits for staff to decide."""
    tables, connection = records.policy.tables, records.connection
    connection.execute(sa.delete(tables.company).where(tables.company.c["organization"] == company))
    of_company, proved = tables.sign_up.c["organization"] == company, tables.sign_up.c["proved"]
    connection.execute(sa.delete(tables.sign_up).where(of_company, proved.is_(None)))
    connection.execute(sa.update(tables.sign_up).where(of_company).values(organization=None))
