"""The word to the administrators when letters were given up: one letter a day, however many were."""

import datetime

import sqlalchemy as sa

from portal.accounts.people import Identity, accounts_of, admit
from portal.database import outbox
from portal.database.outbox import About
from portal.database.schema.tables import Tables
from portal.mail.account_letters import letters_given_up
from portal.mail.builder import Sender

KIND = "given-up"
AT_MOST_EVERY = datetime.timedelta(days=1)


def tell_administrators(connection: sa.Connection, tables: Tables, sender: Sender) -> None:
    """Queue a letter to everybody who may open the page of the outbox, unless they had one today."""
    if outbox.written_since(connection, tables, KIND, sender.now - AT_MOST_EVERY):
        return
    for profile in tables.declaration.settings.administrators:
        for account in accounts_of(connection, tables, profile=profile):
            if isinstance(admit(connection, tables, account, now=sender.now), Identity):
                outbox.put(connection, tables, letters_given_up(sender, account), sender.now, about=About(KIND))
