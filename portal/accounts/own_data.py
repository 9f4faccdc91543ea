"""What the portal holds about a person, as a ZIP archive: account, person, records, comments, files and history.

Everything is read with the person's own rights: what they may not see is not in the archive. It is written completely
while the transaction is open, and never held in memory.
"""

import datetime
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO

import sqlalchemy as sa

from portal.accounts.identity import Identity
from portal.batches import batched
from portal.conditions import AnyOf, Comparison
from portal.fields.dates_and_times import utc_text
from portal.records.policy import Policy
from portal.records.reading.as_json import comments_json, file_json, record_json
from portal.records.reading.comments import comments_by_ids
from portal.records.reading.files import StoredFile, file
from portal.records.reading.history import Event, EventFilter, FieldChange, Unfitting, whole_history
from portal.records.reading.records import Query, Record, Records
from portal.records.transfer.file_bundle import bundled_path
from portal.store.store import Store, StoreError
from portal.texts import _, ngettext

BATCH = 100  # records, comments or events in memory at a time
# The columns that a person gets of their account's rows: no secrets, and nothing that only the portal needs.
ACCOUNT = (
    "email", "name", "profile", "created", "signed_in", "invited", "access_from", "access_until", "records_from",
    "language", "browser_language", "subject", "second_factor", "disabled",
)  # fmt: skip
OF_ACCOUNT = {
    "devices": ("session", ("created", "seen", "expires", "agent")),
    "passkeys": ("passkey", ("name", "created", "used")),
    "tokens": ("api_token", ("name", "read_only", "until", "created", "used")),
    "letter-choices": ("letter_choice", ("relation", "kind", "wanted")),
    "letters": ("outbox", ("recipient", "subject", "created", "sent")),
    "saved-views": ("saved_view", ("module", "name", "parameters", "columns")),
    "drafts": ("draft", ("form", "modified", "data")),
    "files-of-drafts": ("pending_file", ("module", "name", "size", "created")),
    "seen": ("seen", ("module", "record", "at", "hidden")),
}
MAILS = ("sender", "sender_name", "subject", "received", "outcome", "module", "record")
WATCHED = ("module", "record", "added")


@dataclass(frozen=True)
class ArchiveLimits:
    """The limits of an archive of a person's data: entries of each list, and bytes of files."""

    entries: int
    size: int


@dataclass
class OwnData:
    """Writes the archive of what is stored about the person of one account. `most`: None for no limit."""

    connection: sa.Connection
    identity: Identity
    store: Store
    most: ArchiveLimits | None = None
    left_out: list[str] = field(default_factory=list)

    def write(self, target: BinaryIO) -> None:
        """Writes the archive. Raises OSError if it cannot be written."""
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            self._write_account(archive)
            for name in self.policy.modules:
                self._write_list(archive, f"records/{name}.json", self._records_of(name))
            self._write_list(archive, "comments.json", self._comments())
            self._write_files(archive)
            self._write_list(archive, "history.json", self._events())
            archive.writestr("about.txt", self._about())

    @property
    def policy(self) -> Policy:
        """The rights of the person."""
        return self.identity.policy

    def _write_account(self, archive: zipfile.ZipFile) -> None:
        tables, account = self.policy.tables, self.identity.account
        mine = tables.account.c["id"] == account.id
        self._write_list(archive, "account/account.json", self._rows(tables.account, ACCOUNT, mine))
        for name, (attribute, columns) in OF_ACCOUNT.items():
            table = getattr(tables, attribute)
            rows = self._rows(table, columns, table.c["account"] == account.id)
            self._write_list(archive, f"account/{name}.json", rows)
        mails = self._rows(tables.mail, MAILS, tables.mail.c["sender"] == account.email)
        self._write_list(archive, "account/mails.json", mails)
        watched = self._rows(tables.watcher, WATCHED, tables.watcher.c["person"] == account.person)
        self._write_list(archive, "account/watched.json", watched)
        person, people = account.person, self.policy.declaration.people
        if person and people and self.policy.access(people):
            records = Records(self.connection, self.policy, people)
            if record := records.get(person):
                archive.writestr("person.json", _as_text(record_json(records, record)))

    def _rows(self, table: sa.Table, names: Iterable[str], whose: sa.ColumnElement[bool]) -> Iterator[Any]:
        columns = [table.c[name] for name in names]
        query = sa.select(*columns).where(whose).order_by(*table.primary_key)
        for row in self.connection.execute(query, execution_options={"yield_per": BATCH}).mappings():
            yield dict(row)

    def _records_of(self, module: str) -> Iterator[Any]:
        """The records of a module that the person owns or has created."""
        records = Records(self.connection, self.policy, module)
        declared, person = records.module, self.policy.reader.person
        # In the people module, the owner is the record itself, which is in person.json.
        paths = [declared.owner.split(".")] if declared.owner not in (None, "id") and person else []
        by = "me" if self.policy.declaration.people else self.identity.account.name
        if "created_by" in declared.builtin and (person or by != "me"):
            paths.append(["created_by"])
        mine = [Comparison(tuple(path), "equal", by if path == ["created_by"] else "me") for path in paths]
        if mine:
            query = Query(condition=AnyOf(tuple(mine)), sort=("id",))
            for record in records.iterate(query, records.module.everything, size=BATCH):
                yield record_json(records, record)

    def _visible(self, table: sa.Table) -> Iterator[tuple[Records, Record, list[int]]]:
        """The records that the account has added comments or files to and may still read, with the ids of these."""
        mine = table.c["account"] == self.identity.account.id, table.c["record"].is_not(None)
        columns = [table.c[name] for name in ("module", "record", "id")]
        query = sa.select(*columns).where(*mine).order_by(*columns)
        ids: dict[tuple[str, int], list[int]] = {}
        for module, record, row_id in self.connection.execute(query):
            ids.setdefault((module, record), []).append(row_id)
        for module in self.policy.modules:
            records = Records(self.connection, self.policy, module)
            names = [name for name, field in records.module.fields.items() if field.by_upload]
            for batch in batched([record for name, record in ids if name == module], BATCH):
                for record in records.by_ids(batch, names):
                    yield records, record, ids[module, record.id]

    def _comments(self) -> Iterator[Any]:
        for records, record, ids in self._visible(self.policy.tables.comment):
            for comment in comments_json(records, record, comments_by_ids(records, record, ids)):
                yield {**_place(record), **comment}

    def _write_files(self, archive: zipfile.ZipFile) -> None:
        """The files that the account has added, and a list of them."""
        entries, size = [], 0
        for records, record, ids in self._visible(self.policy.tables.file):
            for stored in filter(None, (file(records, record, file_id) for file_id in ids)):
                size += stored.size
                path = f"files/{record.module}/" + bundled_path(record.id, stored.id, stored.name, internal=False)
                is_there = (self.most is None or size <= self.most.size) and self._add_file(archive, path, stored)
                entries.append({**_place(record), **file_json(stored), "path": path if is_there else None})
        self._write_list(archive, "files.json", entries)
        if missing := sum(entry["path"] is None for entry in entries):
            sentence = ngettext(
                "${number} file is not included: files.json lists it. Open it in the portal.",
                "${number} files are not included: files.json lists them. Open them in the portal.",
                missing,
            )
            self.left_out.append(sentence)

    def _add_file(self, archive: zipfile.ZipFile, path: str, stored: StoredFile) -> bool:
        """Adds a file to the archive; returns whether the store has its bytes."""
        try:
            chunks = self.store.read(stored.stored)
        except StoreError:
            return False
        entry = zipfile.ZipInfo(path, stored.created.timetuple()[:6])  # not compressed: most files are already
        with archive.open(entry, "w", force_zip64=True) as target:
            target.writelines(chunks)
        return True

    def _events(self) -> Iterator[Any]:
        if not self.policy.modules:
            return
        records = Records(self.connection, self.policy, next(iter(self.policy.modules)))
        only, before = EventFilter(accounts=[self.identity.account.id]), None
        while True:
            events, before = whole_history(records, only, BATCH, before)
            yield from (event_json(event, record) for event, record in events)
            if before is None:
                return

    def _write_list(self, archive: zipfile.ZipFile, name: str, items: Iterable[Any]) -> None:
        """Writes a file with a JSON list, one entry per line; no file for an empty list."""
        items = iter(items)
        first = next(items, None)
        if first is None:
            return
        most = None if self.most is None else self.most.entries - 1
        with archive.open(name, "w", force_zip64=True) as target:
            target.write(b"[\n" + _as_text(first).encode())
            for item in islice(items, most):
                target.write(b",\n" + _as_text(item).encode())
            target.write(b"\n]\n")
        if most is not None and next(items, None) is not None:
            facts = {"file": name, "number": most + 1}
            self.left_out.append(_("${file} has the first ${number} entries. Ask us for the rest.", mapping=facts))

    def _about(self) -> str:
        """The description of the archive, in the person's language."""
        reader = self.policy.reader
        sentences: list[str] = [
            _("What ${portal} holds about ${email}, as of ${date}.", mapping={
                "portal": reader.text(self.policy.declaration.settings.name),
                "email": self.identity.account.email,
                "date": reader.today,
            }),
            _("account: your account, its settings, what it has saved, and the emails to and from it."),
            _("person.json: what is recorded about you. records: what is yours, and what you have created."),
            _("comments.json, files and history.json: what you have written, added and done."),
            *self.left_out,
        ]  # fmt: skip
        return "\n".join(reader.text(sentence) for sentence in sentences) + "\n"


def _place(record: Record) -> dict[str, Any]:
    return {"module": record.module, "record": record.id, "reference": record.reference, "title": record.title}


def event_json(event: Event, record: Record | None) -> dict[str, Any]:
    """What someone did, for the archive, and to which record; None if it is gone or not theirs to read."""
    title = {"reference": record.reference, "title": record.title} if record else {"reference": event.reference}
    return {
        "module": event.module,
        "record": event.record,
        **title,
        "kind": event.kind,
        "transition": event.transition or None,
        "at": utc_text(event.at),
        "channel": event.channel,
        "changes": [_change_json(change) for change in event.changes],
    }


def _change_json(change: FieldChange) -> dict[str, Any]:
    to_json: Callable[[Any], Any] = change.field.to_json
    before, after = (
        str(value) if isinstance(value, Unfitting) else to_json(value) for value in (change.before, change.after)
    )
    return {"field": change.field.name, **({"before": before, "after": after} if change.has_values else {})}


def _as_text(item: Any) -> str:
    return json.dumps(item, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    return utc_text(value) if isinstance(value, datetime.datetime) else str(value)
