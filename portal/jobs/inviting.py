"""Invites everyone, once the portal has been opened to all: a batch per transaction, with the letters in it."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from portal.accounts.accounts import Account
from portal.accounts.giving_access import INVITATION_LIFETIME
from portal.accounts.mass_invitation import current_mass_invitation, invite_next_people
from portal.database import outbox
from portal.database.engine import reading
from portal.database.schema.tables import Tables
from portal.jobs.transactions import in_retried_transaction
from portal.mail.access_letters import invitation_letter
from portal.mail.builder import Sender


@dataclass(frozen=True)
class Inviting:
    """Continues “Invite everyone” in one database; `sender` returns the sender of the letters at a moment."""

    engine: sa.Engine
    clock: Callable[[], datetime.datetime]
    sender: Callable[[Tables, datetime.datetime], Sender]

    def invite_all(self, tables: Tables, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Invites until nobody is left; returns how many people were examined."""
        with reading(self.engine) as connection:
            if current_mass_invitation(connection, tables) is None:
                return 0
        number = 0
        while not is_stopping():
            examined = in_retried_transaction(self.engine, self._invite, tables)
            if not examined:
                break
            number += examined
        return number

    def _invite(self, connection: sa.Connection, tables: Tables) -> int | None:
        now = self.clock()
        sender = self.sender(tables, now)

        def write(account: Account, token: str) -> None:
            letter = invitation_letter(sender, account, token, INVITATION_LIFETIME.days)
            outbox.put_letter(connection, tables, letter, now)

        return invite_next_people(connection, tables, now, write)
