"""Letters about records: one letter with what one recipient may currently read of what happened.

Everything is read with the recipient's own policy. They are not notified of what they did themselves, except that a
record of theirs was opened: that letter is their receipt. A desk address without an account only gets the title.
"""

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage

import sqlalchemy as sa

from portal.accounts.accounts import NO_ACCOUNT
from portal.accounts.letter_choices import chosen_letters
from portal.database.outbox import About
from portal.database.schema.tables import Tables
from portal.declaration.layouts import form_layout_fields
from portal.declaration.shapes import LETTER_KINDS, LetterKind, Module, Wording
from portal.fields.byte_sizes import shown_size
from portal.fields.datetime import Datetime
from portal.fields.reader import Reader
from portal.mail.announcement import AnnouncedEvent, Announcement
from portal.mail.builder import LetterContent, LetterThread, QuotedComment, Sender, write_letter
from portal.mail.incoming.mail_rows import first_message_id
from portal.mail.recipients import Recipient, Role, recipients
from portal.mail.reply_address import ReplyTo, make_message_id, make_reply_address
from portal.mail.unsubscribe_token import unsubscribe_token
from portal.records.policy import outsider_policy
from portal.records.reading.comments import Comment, comments_by_ids, newest_comments
from portal.records.reading.files import StoredFile, files
from portal.records.reading.records import Record, Records
from portal.records.writing.comments import may_comment
from portal.records.writing.lifecycle import is_final
from portal.texts import _

MOMENT = Datetime(name="at", type="datetime")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
MOST_FACTS, LONGEST_FACT = 12, 2_000  # fields repeated in a receipt, characters of each


@dataclass(frozen=True)
class Letter:
    """A letter to one recipient, and its subject."""

    message: EmailMessage
    about: About


def record_letters(
    connection: sa.Connection,
    tables: Tables,
    sender: Sender,
    key: bytes,
    announcement: Announcement,
    only_to: int | None = None,
) -> list[Letter]:
    """The letters about an `announcement`, one for each person who may be notified at this moment.

    `key`: that of the portal; `only_to`: the id of the only account to write a letter for.
    """
    if announcement.module not in tables.declaration.modules:
        return []
    to = recipients(connection, tables, sender, announcement.module, announcement.record)
    chosen = [recipient for recipient in to if only_to in (None, recipient.account.id)]
    letters = (_letter(connection, tables, sender, key, announcement, recipient) for recipient in chosen)
    return [letter for letter in letters if letter is not None]


def _letter(
    connection: sa.Connection,
    tables: Tables,
    sender: Sender,
    key: bytes,
    announcement: Announcement,
    recipient: Recipient,
) -> Letter | None:
    """The letter to one recipient; None if there is nothing to notify them of."""
    module, account = tables.declaration.modules[announcement.module], recipient.account
    choices, relation = chosen_letters(connection, tables, account.id), recipient.relation
    events = {
        event.id: kind
        for event in announcement.events
        if (kind := _kind_of_letter(event, recipient, module)) and (relation, kind) in choices
    }
    identity = recipient.identity
    if not events or (identity is not None and identity.policy.access(module.name) is None):
        return None
    policy = identity.policy if identity else outsider_policy(tables, sender.reader(account))
    records = Records(connection, policy, module.name)
    record = records.get(announcement.record)
    if record is None:
        return None
    events_in_letter = [event for event in announcement.events if event.id in events]
    letter = RecordLetter(sender, recipient, records, record, events_in_letter, events)
    without_account = letter.for_stranger if recipient.is_stranger else letter.for_outsiders
    content = letter.content() if identity else without_account()
    if content is None:
        return None
    about = About(letter.kind, account.id, module.name, record.id, tuple(event.id for event in announcement.events))
    return Letter(write_letter(sender, account, content, letter.thread(key)), about)


def _kind_of_letter(event: AnnouncedEvent, recipient: Recipient, module: Module) -> LetterKind | None:
    """The kind of letter that an event causes for a recipient; None for none."""
    mail, roles = module.mail, recipient.roles
    mine = event.account is not None and event.account == recipient.account.id
    is_told = any(role.of_creation for role in roles) and (not mine or Role.OWNER in roles)
    if event.kind == "created" and mail.created and is_told:
        return "created"
    staff = recipient.identity is not None and recipient.identity.policy.staff
    if mine or (event.internal and not staff):
        return None
    if recipient.is_stranger:  # their own mails belong to no account
        return "commented" if event.kind == "commented" and mail.commented and event.account is not None else None
    if Role.ASSIGNEE in roles and (event.kind == "created" or mail.assigned in event.details.get("fields", ())):
        return "assigned"
    if event.kind == "reminded" and Role.OWNER in roles:
        return "reminded"
    if event.kind in ("commented", "attached") and mail.commented:
        return "commented"
    return "moved" if event.kind.partition(":")[0] == "moved" and mail.moved else None


@dataclass(frozen=True)
class RecordLetter:
    """What one recipient reads about one record; `kinds`: the ids of events → the kinds of letter that they cause."""

    sender: Sender
    recipient: Recipient
    records: Records
    record: Record
    events: Sequence[AnnouncedEvent]
    kinds: Mapping[int, LetterKind]

    @property
    def kind(self) -> LetterKind:
        """The kind of the whole letter."""
        return next(kind for kind in LETTER_KINDS if kind in self.kinds.values())

    @property
    def reader(self) -> Reader:
        return self.records.policy.reader

    @property
    def address(self) -> str:
        return f"{self.sender.address}/{self.records.name}/{self.record.id}/"

    def content(self) -> LetterContent | None:
        """The content; None if nothing is left that the recipient may read."""
        comments, state = self._new_comments() or self._question(), self._state()
        kinds = {
            kind for kind in self.kinds.values() if (kind != "commented" or comments) and (kind != "moved" or state)
        }
        if not kinds:
            return None
        kind = next(kind for kind in LETTER_KINDS if kind in kinds)
        mail = self.records.module.mail
        wording = {"created": mail.created, "commented": mail.commented, "moved": mail.moved}.get(kind)
        own = wording if isinstance(wording, Wording) else Wording()
        own_words = _paragraphs(self._fill(self.reader.text(own.text)))
        return LetterContent(
            subject=self._fill(self.reader.text(own.subject)) if own.subject else self._subject(),
            paragraphs=tuple(own_words if own.text else self._sentences(kind, state)),
            button=self.reader.text(_("Open ${reference}", mapping={"reference": self.record.reference})),
            address=self.address,
            heading=self.record.title,
            eyebrow=" · ".join(filter(None, [self.record.reference, state])),
            facts=tuple(self._facts()) if any(event.kind == "created" for event in self.events) else (),
            comments=tuple(comments),
            reasons=(self._reason(), *self._footer()),
            spell_out=False,
        )

    def for_outsiders(self) -> LetterContent:
        """The content for an address without an account: there is something to look at."""
        return LetterContent(
            subject=self._subject(),
            paragraphs=(self.reader.text(_("There is something new here, and nobody is assigned to it.")),),
            button=self.reader.text(_("Open ${reference}", mapping={"reference": self.record.reference})),
            address=self.address,
            heading=self.record.title,
            eyebrow=self.record.reference,
            reasons=self._footer(),
            spell_out=False,
        )

    def for_stranger(self) -> LetterContent | None:
        """The content for a stranger whose mail created the record: the answers, and nothing that they wrote.

        A mail may have a forged sender, to whom the portal must not send the words of the forger.
        """
        comments = [comment for comment in self._new_comments() if comment.from_staff]
        if not comments:
            return None
        about = self.reader.text(_("Your message ${reference}", mapping={"reference": self.record.reference}))
        return LetterContent(
            about, paragraphs=(), button="", address="", comments=tuple(comments), reasons=self._footer()
        )

    def thread(self, key: bytes) -> LetterThread:
        """A letter has the same Message-ID each time, and all letters about a record to one account share one root."""
        about, former = self._about(self.records.name), self.records.module.formerly
        unsubscribe = None
        if self.recipient.identity is not None:
            token = unsubscribe_token(key, self.recipient.account.id)
            unsubscribe = (self.reader.text(_("Stop these emails")), f"{self.sender.address}/unsubscribe/{token}")
        answers = self._takes_answers()
        return LetterThread(
            message_id=make_message_id(key, f"{about}.{self.events[-1].id}", self.sender.domain),
            root=f"<{about}@{self.sender.domain}>",
            former_root=f"<{self._about(former)}@{self.sender.domain}>" if former else "",
            own_mail=self._own_mail(),
            reply_to=self._reply_address(key) if answers else self.sender.mailbox,
            reply_above=self._reply_above() if answers else None,
            unsubscribe=unsubscribe,
        )

    def _about(self, module: str) -> str:
        return f"{module}.{self.record.id}.{self.recipient.account.id}"

    def _own_mail(self) -> str:
        records, address = self.records, self.recipient.account.email
        return first_message_id(records.connection, records.policy.tables, address, records.name, self.record.id)

    def _takes_answers(self) -> bool:
        """Whether a reply by mail becomes a comment by the recipient."""
        known = self.recipient.identity is not None or self.recipient.is_stranger
        has_inbox = self.sender.inbox is not None and known
        return has_inbox and may_comment(self.records) and not is_final(self.records, self.record)

    def _reply_address(self, key: bytes) -> str:
        account_id = NO_ACCOUNT if self.recipient.is_stranger else self.recipient.account.id
        reply_to = ReplyTo(self.records.name, self.record.id, account_id, any(event.internal for event in self.events))
        return make_reply_address(key, str(self.sender.inbox), reply_to)

    def _reply_above(self) -> tuple[str, str]:
        declared = self.reader.text(self.sender.declaration.settings.letters.reply_above)
        line = declared or self.reader.text(_("Please write above this line"))
        return self.reader.text(_("Reply to this email to add a comment.")), line

    def _new_comments(self) -> list[QuotedComment]:
        """The comments that the events announce, and the files without one, as far as the recipient may read them.

        The oldest first; files that one person added at once are together.
        """
        spoken = [event for event in self.events if event.kind in ("commented", "attached")]
        if not spoken:
            return []
        stored = files(self.records, self.record)
        ids = {event.details["comment"] for event in spoken if event.details.get("comment")}
        newest_first = comments_by_ids(self.records, self.record, ids) if self.records.module.comments else []
        comments = [self._quoted_comment(comment, stored) for comment in reversed(newest_first)]
        file_ids = {event.details.get("file") for event in spoken}
        added: dict[str, list[StoredFile]] = {}
        for file in stored:
            if file.id in file_ids and file.comment is None:
                added.setdefault(file.author, []).append(file)
        return [*comments, *(self._files_added(list(reversed(group))) for group in added.values())]

    def _question(self) -> list[QuotedComment]:
        """The subject of a reminder: the last comment, if the other side wrote it."""
        if "reminded" not in self.kinds.values() or not self.records.module.comments:
            return []
        stored = files(self.records, self.record)
        newest = newest_comments(self.records, self.record, 1)
        return [self._quoted_comment(comment, stored) for comment in newest if comment.staff]

    def _files_added(self, added: Sequence[StoredFile]) -> QuotedComment:
        """Files that someone added without a comment, in order."""
        return self._by(added[0].author, added[0].staff, added[0].created, (), added)

    def _quoted_comment(self, comment: Comment, stored: Sequence[StoredFile]) -> QuotedComment:
        """A comment with those of the record's `stored` files that belong to it."""
        attached = [file for file in reversed(stored) if file.comment == comment.id]
        return self._by(comment.author, comment.staff, comment.created, _paragraphs(comment.text), attached)

    def _by(
        self,
        author: str,
        from_staff: bool,
        at: datetime.datetime,
        paragraphs: Sequence[str],
        attached: Sequence[StoredFile],
    ) -> QuotedComment:
        side = self.reader.text(_("Support")) if from_staff else ""
        return QuotedComment(
            from_staff=from_staff,
            author=author,
            when=" · ".join(filter(None, [side, MOMENT.show(at, self.reader)])),
            paragraphs=tuple(paragraphs),
            files=tuple(
                (file.name, shown_size(file.size, self.reader), f"{self.address}files/{file.id}") for file in attached
            ),
        )

    def _state(self) -> str:
        """The current state as the recipient sees it; empty if there is none, or if they may not read it."""
        name, values = self.records.module.state_field, self.record.values
        return self.records.module.field(name).show(values[name], self.reader) if name and name in values else ""

    def _sentences(self, kind: LetterKind, state: str) -> list[str]:
        say = self.reader.text
        created = next((event for event in self.events if event.kind == "created"), None)
        sentences = []
        if kind == "created" and created and created.account == self.recipient.account.id:
            sentences.append(say(_("This is what we have received from you.")))
        elif kind == "created" and created and created.author:
            sentences.append(say(_("${author} opened this.", mapping={"author": created.author})))
        if Role.DESK in self.recipient.roles:
            sentences.append(say(_("Nobody is assigned to it yet.")))
        if "assigned" in self.kinds.values():
            sentences.append(say(_("This is assigned to you.")))
        if kind == "reminded":
            sentences.append(say(_("Reminder: this is waiting for you.")))
        if "moved" in self.kinds.values() and state:
            sentences.append(say(_("The status is now: ${state}", mapping={"state": state})))
        return sentences

    def _facts(self) -> list[tuple[str, str]]:
        """The filled-in fields that the recipient may read."""
        module, record = self.records.module, self.record
        left_out = {module.title, module.state_field}
        facts = []
        for name in form_layout_fields(module.create):
            if name in left_out or name not in record.values or name not in module.fields:
                continue
            field = module.fields[name]
            text = "" if field.is_empty(record.values[name]) else field.show(record.values[name], self.reader).strip()
            if text:
                facts.append((self.reader.text(field.title), _shortened(text)))
        return [*facts[:MOST_FACTS], *self._received_files()]

    def _received_files(self) -> list[tuple[str, str]]:
        """What came with a record of the recipient's own; the events of these files tell them nothing."""
        account = self.recipient.account.id
        if not any(event.kind == "created" and event.account == account for event in self.events):
            return []
        attached = reversed(files(self.records, self.record))
        own = [file for file in attached if file.account == account and file.comment is None]
        names = "\n".join(f"{file.name}, {shown_size(file.size, self.reader)}" for file in own)
        return [(self.reader.text(_("Files")), _shortened(names))] if names else []

    def _subject(self) -> str:
        reference, title = self.record.reference, self.record.title
        return f"[{reference}] {title}" if title != reference else reference

    def _reason(self) -> str:
        reason = next(role.reason for role in Role if role in self.recipient.roles)
        return self.reader.text(_(reason, mapping={"reference": self.record.reference}))

    def _footer(self) -> tuple[str, ...]:
        text = self.reader.text(self.sender.declaration.settings.letters.footer)
        return (text,) if text else ()

    def _fill(self, text: str) -> str:
        """`text` with its placeholders replaced by values, as far as the recipient may read them."""
        module, values = self.records.module, self.record.values
        fixed = {"reference": self.record.reference, "title": self.record.title, "link": self.address}

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name in fixed:
                return fixed[name]
            return module.field(name).show(values[name], self.reader) if name in values else ""

        return PLACEHOLDER.sub(value, text)


def _paragraphs(text: str) -> list[str]:
    """The paragraphs of a text in a letter, between empty lines."""
    return [part.strip("\n") for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")) if part.strip()]


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_FACT else f"{text[:LONGEST_FACT].rstrip()} …"
