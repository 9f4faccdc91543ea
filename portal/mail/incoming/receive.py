"""One mail → a comment, a record, a note about a bounced letter, or kept aside with a reason; never twice.

The sender is proved by the reply address, which only the recipient of a letter has, or by the thread of an earlier
mail of theirs; they may do what their profile lets them do on the pages. A mail that a machine wrote is never used:
nothing that the portal sends can come back as a comment.
"""

import contextlib
import datetime
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.accounts.accounts import load_account
from portal.accounts.bounces import count_bounce
from portal.accounts.keys_and_tokens import find_portal_key
from portal.database import outbox, queue
from portal.database.schema.tables import Tables
from portal.fields.base import Field
from portal.fields.email import normalize_email
from portal.fields.linked_value import Linked
from portal.fields.refused import FORBIDDEN, Refused
from portal.mail.incoming.body import MailFile, UnreadableMailError
from portal.mail.incoming.delivery_report import DeliveryReport
from portal.mail.incoming.mail_rows import (
    KeptAsideError,
    MailOutcome,
    MailRow,
    claim_mail,
    claim_unused_mail,
    created_since,
    finish_mail,
    record_of_thread,
    take_mail_of_newcomer,
)
from portal.mail.incoming.mail_store import MailStore
from portal.mail.incoming.message import IncomingMail, read_mail
from portal.mail.incoming.reply_text import Reply, split_reply
from portal.mail.incoming.senders import MailSender, Senders
from portal.mail.reply_address import ReplyTo, read_reply_address
from portal.records.policy import portal_policy, system_policy
from portal.records.reading.records import Record, Records
from portal.records.writing.comments import LONGEST_COMMENT
from portal.records.writing.errors import ConflictError, NotAllowedError
from portal.records.writing.files import attachment_limits, may_attach
from portal.records.writing.history import SYSTEM, add_event
from portal.records.writing.lifecycle import is_final
from portal.records.writing.pending_files import PendingFile
from portal.records.writing.writer import Writer
from portal.texts import _, beginning, is_blank, translate

MOST_AN_HOUR = 20  # records that one sender creates by mail; further mails are kept aside
MOST_OF_STRANGERS = 5
HOUR = datetime.timedelta(hours=1)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CheckedFiles:
    """The files of a mail: the accepted ones, and why others are not, for staff and in its text."""

    accepted: Sequence[PendingFile] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()  # in the language of the sender

    def with_notes(self, text: str) -> str:
        """The text of the mail, followed by what is missing from it: its sender would not know otherwise."""
        return "\n\n".join(filter(None, (text.rstrip(), "\n".join(f"[{note}]" for note in self.notes))))


@dataclass(frozen=True)
class Receiver:
    """Receives mail for one portal, in the caller's transaction (`MailStore.in_transaction`)."""

    connection: sa.Connection
    tables: Tables
    store: MailStore
    now: datetime.datetime

    def receive(self, raw: bytes, envelope: tuple[str, ...] = ()) -> MailOutcome:
        """Uses a mail once. `envelope`: the addresses that it was delivered to. Raises NotStoredYetError."""
        try:
            mail = self._read(raw, envelope)
        except UnreadableMailError as error:
            mail_id = self._claim_unread(raw)
            return self._keep(mail_id, raw, str(error)) if mail_id else MailOutcome("duplicate")
        mail_id = self._claim(mail)
        return self._use(mail_id, mail, raw) if mail_id else MailOutcome("duplicate")

    def keep(self, raw: bytes, reason: str) -> MailOutcome:
        """Keeps a mail that the portal failed to process, with the reason. Raises NotStoredYetError."""
        try:
            mail = self._read(raw)
        except Exception:  # noqa: BLE001  the reading may be what failed
            mail_id = self._claim_unread(raw)
        else:
            mail_id = self._claim(mail)
        return self._keep(mail_id, raw, reason) if mail_id else MailOutcome("duplicate")

    def receive_again(self, mail: MailRow, as_stranger: bool = False) -> MailOutcome:
        """Uses a kept mail: its sender is known by now, or staff turn it into a record (`as_stranger`).

        Raises NotStoredYetError, and UnreadableMailError.
        """
        if not mail.stored or not claim_unused_mail(self.connection, self.tables, mail.id):
            return MailOutcome("duplicate")
        raw = self.store.read(mail.stored)
        return self._use(mail.id, self._read(raw), raw, as_stranger)

    def adopt(self) -> bool:
        """Gives a stranger who has access by now one of their mails; returns whether there was one.

        A kept mail is used, and a record created from a mail becomes theirs. Raises NotStoredYetError.
        """
        mail = take_mail_of_newcomer(self.connection, self.tables)
        if mail is None:
            return False
        if mail.outcome == "kept":
            self.receive_again(mail)
        elif mail.module and mail.record:
            self._give(mail.sender, (mail.module, mail.record))
            outcome = MailOutcome("created", mail.reason, (mail.module, mail.record))
            finish_mail(self.connection, self.tables, mail.id, outcome, mail.stored)
        return True

    def _give(self, address: str, place: tuple[str, int]) -> None:
        """Makes someone the owner of a record without one."""
        module, record_id = place
        with contextlib.suppress(KeptAsideError):
            sender = self._senders.known(address)
            records = Records(self.connection, system_policy(self.tables), module)
            record = records.get(record_id)
            owner = records.module.fields.get(records.module.owner or "")
            if sender is not None and record is not None and owner is not None and not record.values.get(owner.name):
                values = self._owner_values(records, sender, defaults=False)
                Writer(records, SYSTEM).change(record, values, record.version)

    def _read(self, raw: bytes, envelope: tuple[str, ...] = ()) -> IncomingMail:
        inbox = self.tables.declaration.inbox
        return read_mail(raw, envelope, inbox.address if inbox else "")

    def _claim(self, mail: IncomingMail) -> int | None:
        facts = {"message_id": mail.message_id, "sender": mail.sender, "sender_name": mail.sender_name}
        return claim_mail(self.connection, self.tables, mail.key, self.now, **facts, subject=mail.subject)

    def _claim_unread(self, raw: bytes) -> int | None:
        return claim_mail(self.connection, self.tables, hashlib.sha256(raw).hexdigest(), self.now)

    def _use(self, mail_id: int, mail: IncomingMail, raw: bytes, as_stranger: bool = False) -> MailOutcome:
        try:
            with self.connection.begin_nested():  # a failure halfway leaves nothing behind
                outcome = self._outcome(mail, as_stranger)
        except KeptAsideError as error:
            self.store.use_nothing()
            return self._keep(mail_id, raw, str(error), error.stranger)
        # The mail itself is kept if part of it was not accepted.
        stored = self.store.name_of(raw) if outcome.reason and outcome.kind != "bounced" else None
        finish_mail(self.connection, self.tables, mail_id, outcome, stored)
        return outcome

    def _keep(self, mail_id: int, raw: bytes, reason: str, stranger: bool = False) -> MailOutcome:
        outcome = MailOutcome("kept", reason, stranger=stranger)
        finish_mail(self.connection, self.tables, mail_id, outcome, self.store.name_of(raw))
        return outcome

    def _outcome(self, mail: IncomingMail, as_stranger: bool) -> MailOutcome:
        if as_stranger:
            return self._create(mail, self._senders.known(mail.sender) or self._senders.stranger(mail))
        if mail.report is not None:
            return self._bounced(mail.report)
        if mail.automatic:
            raise KeptAsideError(_("a program wrote it, not a person"))
        if mail.forged:
            raise KeptAsideError(_("the mail server says that the sender is not who they claim to be"))
        # If a program lost the reply address, the letter that the mail refers to says what it replies to.
        if (reply_to := self._reply_by_address(mail) or self._reply_by_letter(mail)) is not None:
            place = (reply_to.module, reply_to.record_id)
            return self._comment(mail, self._senders.replying(mail, reply_to), place, internal=reply_to.internal)
        thread = record_of_thread(self.connection, self.tables, mail.sender, mail.references)
        if thread is not None and (sender := self._senders.known(mail.sender)) is not None:
            return self._comment(mail, sender, thread)
        return self._new(mail)

    # -- replies -------------------------------------------------------------------------------------------------------

    def _reply_by_letter(self, mail: IncomingMail) -> ReplyTo | None:
        letter = outbox.find_letter_by_message_id(self.connection, self.tables, mail.references)
        if letter is None or not letter["record"] or (letter["account"] or 0) < 1:
            return None
        event = self.tables.event
        events = event.c["id"].in_(letter["events"] or []), event.c["internal"]
        internal = self.connection.execute(sa.select(sa.literal(1)).where(*events).limit(1)).first() is not None
        return ReplyTo(letter["module"], letter["record"], letter["account"], internal)

    def _reply_by_address(self, mail: IncomingMail) -> ReplyTo | None:
        key = find_portal_key(self.connection, self.tables)
        if key is None:
            return None
        declaration = self.tables.declaration
        names = {**declaration.names_by_former, **{name: name for name in declaration.modules}}
        answered = (read_reply_address(key, address, names) for address in mail.recipients)
        return next((reply_to for reply_to in answered if reply_to is not None), None)

    def _comment(
        self, mail: IncomingMail, sender: MailSender, place: tuple[str, int], internal: bool = False
    ) -> MailOutcome:
        module, record_id = place
        records = self._records(sender, module)
        record = records.get(record_id) if records else None
        if records is None or record is None:
            raise KeptAsideError(_("its sender may not see the record that it replies to"))
        reply = split_reply(mail.text)
        checked_reply = _readable(reply)
        sent = _unfolded(mail, reply)
        if is_blank(checked_reply.text) and not sent:
            raise KeptAsideError(_("it is empty"))
        writer, files = Writer(records, sender.author), self._files(records, sent, record)
        try:
            text = files.with_notes(checked_reply.text)
            comment_id = writer.comment(record, text, internal=internal, folded=checked_reply.folded)
        except NotAllowedError:
            raise KeptAsideError(_("its sender may not comment on the record that it replies to")) from None
        except ConflictError:
            raise KeptAsideError(_("the conversation that it replies to is closed")) from None
        if files.accepted:
            writer.attach(record, files.accepted, comment_id=comment_id)
        return MailOutcome("commented", files.reason, place)

    # -- letters that bounced ------------------------------------------------------------------------------------------

    def _bounced(self, report: DeliveryReport) -> MailOutcome:
        """Notes a bounced letter: on its record, for staff, and in the count of its account."""
        letter = outbox.find_letter_by_message_id(self.connection, self.tables, report.letter_ids)
        if letter is None:
            raise KeptAsideError(_("it reports a failed delivery of an email that the portal did not send"))
        queue.refuse(self.connection, self.tables.outbox, letter["id"], report.reason)
        if report.permanent and letter["account"]:
            count_bounce(self.connection, self.tables, letter["account"], report.reason)
        module, record_id = letter["module"], letter["record"]
        if module not in self.tables.declaration.modules or not record_id:
            return MailOutcome("bounced", report.reason)
        account = load_account(self.connection, self.tables, letter["account"] or 0)
        records = Records(self.connection, system_policy(self.tables), module)
        details = {"internal": True, "person": account.person if account else None}
        add_event(records, record_id, "bounced", SYSTEM, details)
        return MailOutcome("bounced", report.reason, (module, record_id))

    # -- new records ---------------------------------------------------------------------------------------------------

    def _new(self, mail: IncomingMail) -> MailOutcome:
        inbox = self.tables.declaration.inbox
        if inbox is None:
            raise KeptAsideError(_("it is not a reply to an email from the portal"))
        comes_from_itself = mail.sender == normalize_email(inbox.address)  # replies to its record would come in here
        if comes_from_itself:
            raise KeptAsideError(_("it comes from the address of the inbox itself"))
        sender = self._senders.known(mail.sender)
        if sender is None and inbox.unknown == "keep":
            raise KeptAsideError(_("its sender is not known"), stranger=True)
        most = MOST_OF_STRANGERS if sender is None else MOST_AN_HOUR
        if created_since(self.connection, self.tables, mail.sender, self.now - HOUR) >= most:
            raise KeptAsideError(_("its sender wrote too many emails within an hour"))
        return self._create(mail, sender or self._senders.stranger(mail))

    def _create(self, mail: IncomingMail, sender: MailSender) -> MailOutcome:
        inbox = self.tables.declaration.inbox
        records = self._records(sender, inbox.creates) if inbox else None
        if inbox is None or records is None:
            raise KeptAsideError(_("its sender may not create records"))
        writer, module = Writer(records, sender.author), records.module
        everything = Records(self.connection, portal_policy(sender.policy), records.name)
        files = self._files(everything, mail.files)
        text = _readable(Reply(mail.text))
        text = Reply(files.with_notes(text.text), text.folded)
        subject = mail.subject or translate(_("(no subject)"), self.tables.declaration.settings.languages[0])
        longest = module.fields[inbox.title].length_limit if inbox.title else None
        if longest and len(subject) > longest:  # some people write everything into the subject
            text = _readable(Reply(f"{subject}\n\n{text.text}".strip(), text.folded))
            subject = beginning(subject, longest)
        values = self._owner_values(records, sender)
        for name, content in ((inbox.title, subject), (inbox.text, text.text)):
            if name is not None:
                values[name] = _fitting(module.fields[name], content, records)
        try:
            record_id = writer.create(values)
        except NotAllowedError:
            raise KeptAsideError(_("its sender may not create records")) from None
        except Refused as error:
            raise KeptAsideError(translate(error.message, "en")) from None
        place = (records.name, record_id)
        record = everything.get(record_id)
        if record is None:
            raise LookupError(place)
        writer, comment_id = Writer(everything, sender.author), None
        if len(values.get(inbox.text or "") or "") < len(text.text) and module.comments and not is_blank(text.text):
            comment_id = writer.add_comment(record, text.text, folded=text.folded)  # what the field has no room for
        if files.accepted:
            writer.attach(record, files.accepted, comment_id=comment_id)
        is_stranger = sender.person is None and sender.author.account is None
        return MailOutcome("created", files.reason, place, stranger=is_stranger)

    def _owner_values(self, records: Records, sender: MailSender, defaults: bool = True) -> dict[str, Any]:
        """The values that name the owner, if fields do so. `defaults`: for a new record, whose defaults also may."""
        module = records.module
        values: dict[str, Any] = {}
        owner = module.fields.get(module.owner or "")
        if owner is not None and sender.person is not None:
            link = Linked(sender.person, str(self.tables.declaration.people))
            values[owner.name] = (link,) if owner.multiple else link
        organization = module.fields.get(module.organization or "")
        companies = sender.policy.reader.companies
        if organization is not None and companies and not (defaults and organization.default is not None):
            links = tuple(Linked(company, str(self.tables.declaration.organizations)) for company in companies)
            values[organization.name] = links if organization.multiple else links[0]
        return values

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _records(self, sender: MailSender, module: str) -> Records | None:
        if module not in self.tables.declaration.modules or sender.policy.access(module) is None:
            return None
        return Records(self.connection, sender.policy, module)

    def _files(self, records: Records, sent: Sequence[MailFile], record: Record | None = None) -> CheckedFiles:
        """Those of a mail's files that their record accepts, stored. Raises NotStoredYetError."""
        if not sent:
            return CheckedFiles()
        limit, language, reason = attachment_limits(records.module), records.policy.reader.language, ""
        if limit is None or not may_attach(records):
            reason = _("its files were not added: its sender may not add files to this record")
        elif record is not None and is_final(records, record):
            reason = _("its files were not added: the record is closed")
        if limit is None or reason:
            note = translate(_("The files of this email were not added: files are not accepted here."), language)
            # Without mentioning inline pictures, such as those of signatures.
            return CheckedFiles(reason=reason, notes=(note,) if any(not file.content_id for file in sent) else ())
        taken, refused = self.store.files(sent, limit, records.policy.reader, records.name)
        reason = " ".join(translate(sentence, "en") for sentence in refused)
        return CheckedFiles(taken, reason, tuple(translate(sentence, language) for sentence in refused))

    @property
    def _senders(self) -> Senders:
        return Senders(self.connection, self.tables, self.now)


def _readable(reply: Reply) -> Reply:
    """A mail's text without characters that cannot be saved, at most as long as a comment; the rest is folded away."""
    text, folded = FORBIDDEN.sub("", reply.text), FORBIDDEN.sub("", reply.folded)
    return Reply(text[:LONGEST_COMMENT], "\n".join(filter(None, (text[LONGEST_COMMENT:], folded))))


def _unfolded(mail: IncomingMail, reply: Reply) -> list[MailFile]:
    """The files of a mail's reply without the pictures of its quote and its signature."""
    folded = {file for file in mail.files if file.content_id and f"[{file.name}]" in reply.folded}
    return [file for file in mail.files if file not in folded or f"[{file.name}]" in reply.text]


def _fitting(field: Field, content: str, records: Records) -> Any:
    """A mail's `content` as a value of `field`, shortened to fit."""
    content = FORBIDDEN.sub("", content).strip()
    limit = field.length_limit or len(content)
    try:
        return field.parse(content[:limit], records.policy.reader)
    except Refused:
        return content[:limit]
