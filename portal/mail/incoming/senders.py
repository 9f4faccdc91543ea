"""Who sent a mail, and what they may do: what their profile lets them do on the pages."""

import datetime
from dataclasses import dataclass

import sqlalchemy as sa

from portal.accounts.accounts import NO_ACCOUNT, Account, find_account, find_account_of_person, load_account
from portal.accounts.bounces import forget_bounces
from portal.accounts.identity import Identity, admit
from portal.accounts.people import companies_of, people_with_email
from portal.database.schema.tables import Tables
from portal.fields.email import normalize_email
from portal.mail.incoming.mail_rows import KeptAsideError, stranger_of
from portal.mail.incoming.message import IncomingMail
from portal.mail.reply_address import ReplyTo
from portal.records.policy import Policy, outsider_policy, system_policy
from portal.records.reading.records import Record, Records
from portal.records.writing.history import Author
from portal.texts import _


@dataclass(frozen=True)
class MailSender:
    """The sender of a mail, with their rights. A stranger has no person."""

    policy: Policy
    author: Author
    person: int | None = None


@dataclass(frozen=True)
class Senders:
    """Finds the senders of mails."""

    connection: sa.Connection
    tables: Tables
    now: datetime.datetime

    def known(self, address: str) -> MailSender | None:
        """The person who has access with an address, else the person recorded with it; None for a stranger.

        Raises KeptAsideError if their access has ended.
        """
        account = find_account(self.connection, self.tables, address)
        if account is not None:
            return self.admitted(account)
        person = self._person(address)
        if person is None:
            return None
        account = find_account_of_person(self.connection, self.tables, person.id)
        if account is not None:  # from whatever address they write
            return self.admitted(account)
        companies = companies_of(self.connection, self.tables, person.id) or ()
        return self._without_access(person.title, person.id, companies)

    def replying(self, mail: IncomingMail, reply_to: ReplyTo) -> MailSender:
        """The recipient of the letter that `mail` replies to. Raises KeptAsideError if someone else writes."""
        if reply_to.account_id == NO_ACCOUNT and self._wrote_as_stranger(mail, reply_to):
            return self.stranger(mail)
        account = load_account(self.connection, self.tables, reply_to.account_id)
        if account is None or normalize_email(account.email) != mail.sender:
            raise KeptAsideError(_("the email that it replies to went to someone else"))
        return self.admitted(account)

    def _wrote_as_stranger(self, mail: IncomingMail, reply_to: ReplyTo) -> bool:
        stranger = stranger_of(self.connection, self.tables, (reply_to.module, reply_to.record_id))
        return stranger is not None and stranger.sender == mail.sender

    def admitted(self, account: Account) -> MailSender:
        """An account as a sender. Raises KeptAsideError if it may not sign in."""
        language = account.reads or self.tables.declaration.settings.languages[0]
        identity = admit(self.connection, self.tables, account, language=language, now=self.now)
        if not isinstance(identity, Identity):
            raise KeptAsideError(_("its sender currently has no access"))
        forget_bounces(self.connection, self.tables, account.id)
        return MailSender(identity.policy, Author(account.id, account.name, "mail"), account.person)

    def stranger(self, mail: IncomingMail) -> MailSender:
        """Someone unknown to the portal."""
        return self._without_access(mail.sender_name or mail.sender, None, ())

    def _person(self, address: str) -> Record | None:
        """The one person with an address; None if there are several."""
        if self.tables.declaration.people is None:
            return None
        records = Records(self.connection, system_policy(self.tables), self.tables.declaration.people)
        people = people_with_email(records, address)
        return people[0] if len(people) == 1 else None

    def _without_access(self, name: str, person: int | None, companies: tuple[int, ...]) -> MailSender:
        """A sender in whose name the portal writes, and who may read nothing."""
        reader = self.tables.declaration.reader(person=person, companies=companies, now=self.now)
        return MailSender(outsider_policy(self.tables, reader), Author(None, name, "mail"), person)
