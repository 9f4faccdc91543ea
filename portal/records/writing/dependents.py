"""What goes with a record that is deleted: the rows of the portal's own tables that are about it."""

import sqlalchemy as sa

from portal.records.reading.records import Records


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
