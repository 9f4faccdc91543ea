"""Notifies webhooks of events: each at least once, retried with growing pauses for at most three days.

Events are sent in the order in which they happened, except for retries, and unless several workers send at the same
time: receivers should rely on the version of the record, which is the one at the moment of sending.
"""

import datetime
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from portal.accounts.keys_and_tokens import portal_key
from portal.database import queue
from portal.database.deliveries import is_declared
from portal.database.engine import reading
from portal.database.errors import affects_whole_database
from portal.database.schema.tables import Tables
from portal.declaration.shapes import Webhook
from portal.jobs.sending import TOO_LATE, Rest, Result
from portal.jobs.transactions import in_retried_transaction
from portal.jobs.webhook_message import write_message
from portal.jobs.webhook_request import DeliveryError, post, webhook_secrets
from portal.texts import _

log = logging.getLogger(__name__)

OWN_ERROR = _("Internal error; the log has the details")
A_TURN = datetime.timedelta(seconds=5)  # after this time, the next webhook gets its turn
NO_KEY = "Messages to webhooks are waiting, because PORTAL_WEBHOOK_KEY is not set"


@dataclass
class Delivering:
    """Notifies the webhooks of one database. `keys`: those in the setting; None if there is none."""

    engine: sa.Engine
    clock: Callable[[], datetime.datetime]
    keys: str | None
    _rests: dict[str, Rest] = field(default_factory=lambda: defaultdict(Rest))  # by the address
    _portal_key: bytes | None = None
    _missed_key: bool = False

    def deliver_all(self, tables: Tables, is_stopping: Callable[[], bool]) -> int:
        """Sends what is due; returns how many messages were accepted."""
        taken = 0
        for name, webhook in tables.declaration.webhooks.items():
            if self._is_due(tables, name) and self._has_key():
                taken += self._deliver(tables, name, webhook, is_stopping)
        return taken

    def give_up(self, tables: Tables) -> int:
        """Gives up on messages after three days, or if their receiver is gone; returns how many they were."""
        if not self._is_late(tables):
            return 0
        late = self._write(queue.give_up_late, tables.delivery, self.clock(), TOO_LATE, is_declared(tables))
        log.error("Messages to webhooks given up: %s", late)
        return late

    def _has_key(self) -> bool:
        if self.keys is None and not self._missed_key:
            log.error(NO_KEY)
            self._missed_key = True
        return self.keys is not None

    def _deliver(self, tables: Tables, name: str, webhook: Webhook, is_stopping: Callable[[], bool]) -> int:
        """Sends one webhook what is due, as long as its turn lasts; returns how many messages it accepted."""
        taken, rest, end = 0, self._rests[webhook.url], self.clock() + A_TURN
        while self.clock() < end and not is_stopping() and not rest.lasts(self.clock()):
            row = self._write(queue.claim, tables.delivery, self.clock(), tables.delivery.c["webhook"] == name)
            if row is None:
                break
            taken += self._deliver_one(tables, webhook, row, rest)
        return taken

    def _deliver_one(self, tables: Tables, webhook: Webhook, row: sa.RowMapping, rest: Rest) -> int:
        table, row_id, pause = tables.delivery, row["id"], queue.pause_after(row["attempts"])
        try:
            with reading(self.engine) as connection:
                message = write_message(connection, tables, webhook, row["event"], self.clock())
            if message is None:  # the profile may read none of it
                self._write(queue.remove, table, row_id)
                return 0
            secrets = self._secrets(tables, row["webhook"])
            post(webhook.url, secrets, row["message_id"], self.clock(), message)
        except DeliveryError as error:
            log.warning("Webhook %s was not notified of %s: %s", row["webhook"], row["type"], error)
            reason, pause = str(error), max(pause, error.pause)
            rest.begin(self.clock(), error.pause)
            if error.gone:
                self._write(queue.stop_trying, table, reason, self.clock(), table.c["webhook"] == row["webhook"])
        except Exception as error:
            if affects_whole_database(error):
                raise
            log.exception("Webhook %s could not be notified of %s", row["webhook"], row["type"])
            reason = OWN_ERROR
        else:
            self._write(queue.mark_sent, table, row_id, self.clock())
            log.info("Webhook %s notified of %s: %s", row["webhook"], row["type"], row["message_id"])
            rest.end()
            return 1
        self._write(queue.put_off, table, row_id, self.clock() + pause, reason)
        return 0

    def _secrets(self, tables: Tables, name: str) -> list[str]:
        if self._portal_key is None:
            self._portal_key = self._write(portal_key, tables)
        return webhook_secrets(self.keys or "", self._portal_key, name)

    def _is_due(self, tables: Tables, name: str) -> bool:
        with reading(self.engine) as connection:
            return queue.is_due(connection, tables.delivery, self.clock(), tables.delivery.c["webhook"] == name)

    def _is_late(self, tables: Tables) -> bool:
        if not tables.declaration.webhooks:
            return False
        with reading(self.engine) as connection:
            return queue.is_late(connection, tables.delivery, self.clock(), is_declared(tables))

    def _write(self, write: Callable[..., Result], *arguments: Any) -> Result:
        """Calls `write` with a connection, in a transaction of its own."""
        return in_retried_transaction(self.engine, write, *arguments)
