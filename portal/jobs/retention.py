"""Deletes records whose retention (`keep`) has ended, each as a person would: in a transaction, with its history.

Deletion cannot be undone. So the worker notes when it first sees a rule, logs how many records it will delete, and
begins a day later; a different period or different final states restart that day. A record that others still need
stays, and is tried again.
"""

import datetime
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import sqlalchemy as sa

from portal.database.engine import reading
from portal.database.insert import insert_into
from portal.database.schema.tables import Tables
from portal.declaration.shapes import Module
from portal.fields.refused import Refused
from portal.jobs.transactions import failure_logged, in_retried_transaction
from portal.records.policy import system_policy
from portal.records.reading.records import Records
from portal.records.writing.history import Author
from portal.records.writing.retention import NOTICE, count_overdue, kept_for_some_time, overdue
from portal.records.writing.writer import Writer
from portal.texts import plural

log = logging.getLogger(__name__)

DELETED, NEEDED, CHANGED, FAILED = "deleted", "needed", "changed", "failed"  # the outcome for one record
BATCH = 100  # records of a module deleted in one turn of the worker, so that letters need not wait


@dataclass(frozen=True)
class Retention:
    """The records of one database whose retention has ended. `places`: where unfinished modules go on."""

    engine: sa.Engine
    clock: Callable[[], datetime.datetime]
    places: dict[str, int] = field(default_factory=dict)

    def delete_all(self, tables: Tables, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Deletes some of the records whose deletion was announced in time; returns how many."""
        modules = kept_for_some_time(tables)
        in_retried_transaction(self.engine, _forget_others, tables, modules)
        return sum(self._try(tables, module, is_stopping) for module in modules)

    def _try(self, tables: Tables, module: Module, is_stopping: Callable[[], bool]) -> int:
        """Deletes records of one module; a failure does not hold up the others."""
        with failure_logged(log, "The records of %s that are kept no longer could not be deleted", module.name):
            return self._delete(tables, module, is_stopping)
        return 0

    def _delete(self, tables: Tables, module: Module, is_stopping: Callable[[], bool]) -> int:
        now = self.clock()
        if not in_retried_transaction(self.engine, _is_announced, tables, module, now):
            return 0
        key, last = tables.module(module.name).c["id"], self.places.pop(module.name, 0)
        following = sa.select(key).where(overdue(tables, module, now), key > last).order_by(key).limit(BATCH)
        with reading(self.engine) as connection:
            ids = list(connection.scalars(following))
        outcomes = Counter(self._delete_one(tables, module, record_id, now) for record_id in ids if not is_stopping())
        if len(ids) == BATCH:
            self.places[module.name] = ids[-1]
        if outcomes[DELETED] or outcomes[NEEDED]:
            sentence = "%s: %s deleted that had not changed for %s; %s left, which others need"
            log.info(sentence, module.name, plural(outcomes[DELETED], "record"), module.keep, outcomes[NEEDED])
        return outcomes[DELETED]

    def _delete_one(self, tables: Tables, module: Module, record_id: int, now: datetime.datetime) -> str:
        def delete(connection: sa.Connection) -> str:
            table = tables.module(module.name)
            still = sa.select(table.c["id"]).where(table.c["id"] == record_id, overdue(tables, module, now))
            is_overdue = connection.execute(still.with_for_update()).first() is not None
            reader = tables.declaration.reader(now=now)
            records = Records(connection, system_policy(tables, reader), module.name)
            record = records.get(record_id) if is_overdue else None
            if record is None:
                return CHANGED
            Writer(records, Author(name=reader.text(tables.declaration.settings.name))).delete(record)
            return DELETED

        with failure_logged(log, "%s %s, which is kept no longer, could not be deleted", module.name, record_id):
            try:
                return in_retried_transaction(self.engine, delete)
            except Refused:
                return NEEDED
        return FAILED


def _is_announced(connection: sa.Connection, tables: Tables, module: Module, now: datetime.datetime) -> bool:
    """Whether a rule `keep` has been known for long enough; notes it when it is first seen."""
    table, rule = tables.keep, " ".join([str(module.keep), module.state_field or "", *module.final_states])
    known = connection.execute(sa.select(table).where(table.c["module"] == module.name)).mappings().first()
    if known is not None and known["rule"] == rule:
        return bool(known["since"] <= now - NOTICE)
    values = {"rule": rule, "since": now}
    insert = insert_into(connection, table).values(module=module.name, **values)
    connection.execute(insert.on_conflict_do_update(index_elements=["module"], set_=values))
    if number := count_overdue(connection, tables, module, now):
        sentence = "%s: %s unchanged for %s will be deleted, from %s on, unless keep is changed before"
        begin = (now + NOTICE).isoformat(" ", "minutes")
        log.warning(sentence, module.name, plural(number, "record"), module.keep, begin)
    return False


def _forget_others(connection: sa.Connection, tables: Tables, modules: list[Module]) -> None:
    """Forgets modules without `keep`: if the rule returns, it is announced again."""
    others = tables.keep.c["module"].not_in([module.name for module in modules])
    connection.execute(sa.delete(tables.keep).where(others))
