"""Marks which records an account has seen or hidden (reading/news.py reads the marks).

Never a side effect of reading: pages send a mark once they are viewed, and authors have seen what they wrote.
"""

import datetime

import sqlalchemy as sa

from portal.database.insert import insert_into
from portal.records.reading.news import ALL
from portal.records.reading.records import Records
from portal.records.writing.history import Author

LONG_AGO = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def mark_seen(records: Records, record_id: int, account: int, at: datetime.datetime, hide: bool = False) -> None:
    """Marks a record as seen by the account up to `at`. A hidden record is shown again, unless `hide`."""
    tables, now = records.policy.tables, records.policy.reader.now
    values = {"at": at, "hidden": now if hide else None}
    row = {"account": account, "module": records.name, "record": record_id, **values}
    key = [column.name for column in tables.seen.primary_key]
    statement = insert_into(records.connection, tables.seen).values(row)
    records.connection.execute(statement.on_conflict_do_update(index_elements=key, set_=values))
    if hide:
        hiding = sa.update(tables.account).where(tables.account.c["id"] == account)
        records.connection.execute(hiding.values(hides=True))


def dismiss(records: Records, record_id: int, account: int, changed: datetime.datetime) -> None:
    """Marks a notice as dismissed by the account until it changes, and as seen. Lists still show it."""
    seen, account_table = records.policy.tables.seen, records.policy.tables.account
    values = {"at": changed, "dismissed": changed}
    row = {"account": account, "module": records.name, "record": record_id, **values}
    key = [column.name for column in seen.primary_key]
    # A record that was hidden, and is shown again because it changed, must not become hidden by being seen.
    still_hidden = sa.case((seen.c["at"] >= changed, seen.c["hidden"]), else_=None)
    statement = insert_into(records.connection, seen).values(row)
    records.connection.execute(
        statement.on_conflict_do_update(index_elements=key, set_={**values, "hidden": still_hidden})
    )
    hiding = sa.update(account_table).where(account_table.c["id"] == account)
    records.connection.execute(hiding.values(hides=True))


def mark_all_seen(records: Records, account: int) -> None:
    """Marks everything in the module as seen by the account. What is hidden or dismissed stays so."""
    table = records.policy.tables.seen
    of_module = table.c["account"] == account, table.c["module"] == records.name
    shown = *of_module, table.c["hidden"].is_(None), table.c["dismissed"].is_(None)
    records.connection.execute(sa.delete(table).where(*shown))
    mark_seen(records, ALL, account, records.policy.reader.now)


def mark_own_change_seen(records: Records, record_id: int, author: Author) -> None:
    """Marks the record as seen by its author, who has seen the result of their own change."""
    if author.account is not None and records.module.has_news:
        mark_seen(records, record_id, author.account, records.policy.reader.now)


def mark_new_to_staff(records: Records, record_id: int, author: Author) -> None:
    """After an internal change, marks the record as new again to staff who had seen it, but not to the author."""
    table, account = records.policy.tables.seen, records.policy.tables.account
    staff = [name for name, profile in records.policy.declaration.profiles.items() if profile.staff]
    others = sa.select(account.c["id"]).where(account.c["profile"].in_(staff), account.c["id"] != (author.account or 0))
    seen = table.c["module"] == records.name, table.c["record"] == record_id, table.c["account"].in_(others)
    records.connection.execute(sa.update(table).where(*seen).values(at=LONG_AGO, hidden=None))
