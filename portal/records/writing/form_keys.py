"""One-time keys of forms: a form that is sent twice is processed once."""

import datetime
import secrets

import sqlalchemy as sa

from portal.database.insert import insert_into
from portal.database.schema.tables import Tables
from portal.records.reading.records import Records
from portal.records.writing.errors import unique_violations_retried

LIFETIME = datetime.timedelta(days=30)  # as long as a draft


def address_of_key(records: Records, key: str) -> str | None:
    """Where the first submission of the form with this key led; None if this is the first, which then owns the key.

    Raises RetryError while another transaction is still processing the first submission.
    """
    table = records.policy.tables.once
    address = kept_address(records.connection, records.policy.tables, key)
    if address is not None:
        return address
    with unique_violations_retried():
        records.connection.execute(sa.insert(table).values(key=key, address="", created=records.policy.reader.now))
    return None


def kept_address(connection: sa.Connection, tables: Tables, key: str) -> str | None:
    """The address to which the form with this key led; None if it has not been sent."""
    table = tables.once
    return connection.execute(sa.select(table.c["address"]).where(table.c["key"] == key)).scalar()


def keep_address(records: Records, key: str, address: str) -> None:
    """Remembers the address to which the form with this key led."""
    values = {"address": address, "created": records.policy.reader.now}
    insert = insert_into(records.connection, records.policy.tables.once).values(key=key, **values)
    records.connection.execute(insert.on_conflict_do_update(index_elements=["key"], set_=values))


def forget_old_keys(connection: sa.Connection, tables: Tables, now: datetime.datetime) -> None:
    """Deletes the keys of forms that were sent long ago, a few at a time."""
    table = tables.once
    old = sa.select(table.c["key"]).where(table.c["created"] < now - LIFETIME).limit(1_000)
    connection.execute(sa.delete(table).where(table.c["key"].in_(old)))


def one_time_key() -> str:
    """A new key for the hidden input `_once` of a form."""
    return secrets.token_urlsafe(12)
