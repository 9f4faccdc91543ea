"""Erases a person: the account goes, the record of the person stays but is emptied, and nothing names them any more.

All in one transaction. This file handles each table that holds an account, a name or an address, and
`tests/functional/test_erasing.py` fails for a table that it misses. What others wrote in free text stays: `mentions`
finds it. The caller removes the bytes of files after the commit.
"""

import contextlib
import dataclasses
import datetime
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.accounts.accounts import Account, accounts_of, find_account
from portal.accounts.giving_access import AccessRefusedError
from portal.accounts.people import company_path, people_of_address
from portal.batches import batched
from portal.database.schema.tables import Tables
from portal.declaration.shapes import Module
from portal.fields.email import normalize_email
from portal.fields.signature import Signature
from portal.records.indexing.search_entries import replace_texts
from portal.records.policy import system_policy
from portal.records.reading.history import PORTAL
from portal.records.reading.page_of_records import Record
from portal.records.reading.records import Records
from portal.records.reading.search_everywhere import hits_everywhere
from portal.records.writing.changing import change_record
from portal.records.writing.history import Author, add_event
from portal.records.writing.module_rows import row_writer
from portal.texts import _, translate

DELETED_PERSON = _("Deleted person")
BATCH = 500
MOST_MENTIONS = 20  # of each module
# Tables whose rows go with an account, and what they are called; the account itself comes last.
OF_ACCOUNT = {
    "session": "session", "api_token": "token", "passkey": "passkey", "recovery_code": "recovery code",
    "second_factor": "second factor", "link": "emailed link", "saved_view": "saved view", "draft": "draft",
    "pending_file": "unsent file", "letter_choice": "choice of emails", "seen": "mark of what was seen",
}  # fmt: skip
# Tables whose rows keep the number of the account, which is then nobody's, and show another author.
BY_ACCOUNT = {"comment": "comment", "event": "history event", "file": "file", "opening": "mass invitation"}
# What is deleted along with the values of the person's record, which itself stays.
ON_PERSON = {"file": "file", "comment": "comment", "watcher": "watcher", "seen": "mark", "announcement": "announcement"}


@dataclass
class Erasure:
    """Erases one person in the transaction of `connection`.

    `author` is who does it, and the person `me`. Afterwards, `counts` says how much of each kind was erased, `names`
    what the person was called, and `stored` which bytes to remove.
    """

    connection: sa.Connection
    tables: Tables
    now: datetime.datetime
    author: Author = Author(name=PORTAL)
    me: int | None = None
    counts: Counter[str] = dataclasses.field(default_factory=Counter)
    names: list[str] = dataclasses.field(default_factory=list)
    stored: list[str] = dataclasses.field(default_factory=list)

    def erase(self, email: str) -> None:
        """Erases the person with an address. Raises AccessRefusedError if it is nobody's or several people's, Refused
        if an existing table does not accept the empty values."""
        person = self._person(email)
        accounts = self._accounts(email, person)
        if person is None and not accounts:
            raise AccessRefusedError(f"nobody has the address {normalize_email(email)}")
        emails = {account.email for account in accounts} | _addresses(person, self._people)
        self.names = sorted({*emails, *(account.name for account in accounts), *([person.title] if person else [])})
        ids = [account.id for account in accounts]
        self._rename_authors(ids, emails)
        self._erase_signatures(ids)
        if person is None:
            self._rename_creators(accounts)
        else:
            self._stop_watching(person.id)
            self._empty_person(person)
            self._rename_in_history(person)
        self._erase_mail(ids, emails)
        self._delete_accounts(ids)

    @property
    def nobody(self) -> str:
        """The person's new name, in the first language of the portal."""
        return translate(DELETED_PERSON, self.tables.declaration.settings.languages[0])

    @property
    def _people(self) -> Records | None:
        return self._records(self.tables.declaration.people) if self.tables.declaration.people else None

    def _records(self, module: str) -> Records:
        reader = self.tables.declaration.reader(now=self.now, person=self.me)
        return Records(self.connection, system_policy(self.tables, reader), module)

    def _person(self, email: str) -> Record | None:
        people = self._people
        if people is None:
            return None
        ids = people_of_address(self.connection, self.tables, email)
        if len(ids) > 1:
            raise AccessRefusedError(f"several people have the address {email}: give all but one another address first")
        return people.get(ids[0]) if ids else None

    def _accounts(self, email: str, person: Record | None) -> list[Account]:
        if person is not None:
            return accounts_of(self.connection, self.tables, people=[person.id])
        account = find_account(self.connection, self.tables, email)
        return [account] if account else []

    def _do(self, what: str, statement: Any) -> None:
        self.counts[what] += self.connection.execute(statement).rowcount

    # -- what they did ----------------------------------------------------------------------------------------------

    def _rename_authors(self, ids: list[int], emails: set[str]) -> None:
        """Renames authors who wrote by mail without an account: the mails say who they were."""
        tables, mail = self.tables, self.tables.mail.c
        for name, what in BY_ACCOUNT.items():
            table = getattr(tables, name)
            self._do(what, sa.update(table).where(table.c["account"].in_(ids)).values(author=self.nobody))
        from_them = mail["sender"].in_(emails)
        names = [*self.names, *self.connection.scalars(sa.select(mail["sender_name"]).where(from_them).distinct())]
        for name in ("comment", "event", "file"):
            table = getattr(tables, name)
            wrote = sa.exists().where(
                from_them, mail["module"] == table.c["module"], mail["record"] == table.c["record"]
            )
            by_mail = table.c["account"].is_(None), table.c["author"].in_(names), wrote
            self._do(BY_ACCOUNT[name], sa.update(table).where(*by_mail).values(author=self.nobody))

    def _erase_signatures(self, ids: list[int]) -> None:
        """Keeps the time of a signature and removes the name and the drawing, also from the history."""
        for module in self.tables.declaration.modules.values():
            for signature in (field for field in module.fields.values() if field.signs and module.table is None):
                table = self.tables.module(module.name)
                theirs = table.c[f"_{signature.name}_account"].in_(ids)
                signed = list(self.connection.scalars(sa.select(table.c["id"]).where(theirs)))
                columns = signature.store(Signature(self.nobody, author=self.nobody))
                remaining = {f"_{signature.name}_{part}" for part in ("signed", "account")}
                values = {name: value for name, value in columns.items() if name not in remaining}
                self._do("signature", sa.update(table).where(theirs).values(values))
                self._find_again(module.name, signed)
        event = self.tables.event.c
        self._forget_values(sa.and_(event["account"].in_(ids), event["kind"] == "signed"))

    def _rename_creators(self, accounts: list[Account]) -> None:
        """Without a people module, records name who created and changed them."""
        for module in self.tables.declaration.modules.values():
            table = self.tables.module(module.name)
            for builtin in ("created_by", "modified_by"):
                if module.table is not None or builtin not in module.builtin:
                    continue
                names = table.c[builtin].in_([account.name for account in accounts])
                values = module.builtin[builtin].store(self.nobody)
                self._do("record", sa.update(table).where(names).values(values))

    def _stop_watching(self, person: int) -> None:
        watcher = self.tables.watcher
        theirs = watcher.c["person"] == person
        watched = self.connection.execute(sa.select(watcher.c["module"], watcher.c["record"]).where(theirs)).all()
        self._do("watched record", sa.delete(watcher).where(theirs))
        for module in {row[0] for row in watched} & self.tables.declaration.modules.keys():
            self._find_again(module, [row[1] for row in watched if row[0] == module])

    def _find_again(self, module: str, ids: Iterable[int]) -> None:
        """Updates the search index to what the records now contain."""
        for batch in batched(ids, BATCH):
            replace_texts(self._records(module), batch)

    # -- their own record -------------------------------------------------------------------------------------------

    def _empty_person(self, person: Record) -> None:
        """Keeps the record, so that links to it work, and removes its values, files, comments and their history. Its
        company stays, as it decides who sees what belongs to the company."""
        people, tables = self._records(person.module), self.tables
        values = self._empty_values(people.module, person)
        self.counts["value"] += len(values)
        self._remember_bytes(tables.file, _is_about(tables.file, person))
        change_record(people, self.author, person, values, person.version)
        for name, what in ON_PERSON.items():
            table = getattr(tables, name)
            self._do(f"{what} on the person", sa.delete(table).where(_is_about(table, person)))
        if people.module.table is None:
            signatures = [field.store(None) for field in people.module.fields.values() if field.signs]
            emptied = {name: value for columns in signatures for name, value in columns.items()}
            row_writer(people).touch(person.id, {**emptied, "comments": 0, "attachments": 0})
        self._find_again(person.module, [person.id])
        self._forget_values(_is_about(tables.event, person))
        add_event(people, person.id, "erased", self.author)

    def _empty_values(self, module: Module, person: Record) -> dict[str, Any]:
        """The new values of the record: nothing except the text that it is called by."""
        path = company_path(self.tables.declaration)
        remaining = {module.state_field, path[0][1].name if path else None}
        values: dict[str, Any] = {
            name: None
            for name, field in module.fields.items()
            if not (field.computed or field.signs or name in remaining or field.is_empty(person.values[name]))
        }
        title = module.title_field
        texts = [
            name for name, field in module.fields.items() if name in (title.name, *title.sources) and field.verbatim
        ]
        for name in texts[-1:]:
            values[name] = f"{self.nobody} {person.id}" if module.field(name).unique else self.nobody
        return values

    def _rename_in_history(self, person: Record) -> None:
        """Renames the person in the history of other records, whose links contain the name at the time."""
        text = sa.cast(self.tables.event.c["details"], sa.Text)
        # The rows of `lines` are JSON in a text of JSON.
        named = (f"{person.module}{quote}, {person.id}, {quote}" for quote in ('"', '\\"'))
        condition = sa.or_(*(text.contains(link, autoescape=True) for link in named))
        self._rewrite_details(condition, lambda details: _renamed(details, [person.module, person.id], self.nobody))

    def _forget_values(self, condition: sa.ColumnElement[bool]) -> None:
        """Keeps which fields these events changed, not their values."""
        self._rewrite_details(
            condition, lambda details: {name: value for name, value in details.items() if name != "changes"}
        )

    def _rewrite_details(
        self, condition: sa.ColumnElement[bool], rewrite: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> None:
        event = self.tables.event
        for event_id, details in self.connection.execute(
            sa.select(event.c["id"], event.c["details"]).where(condition)
        ).all():
            if (rewritten := rewrite(details or {})) != (details or {}):
                this_event = sa.update(event).where(event.c["id"] == event_id)
                self.connection.execute(this_event.values(details=rewritten))

    # -- their account ----------------------------------------------------------------------------------------------

    def _erase_mail(self, ids: list[int], emails: set[str]) -> None:
        """Deletes emails to them; of emails from them, keeps only what was done with them."""
        outbox, mail, sign_up = self.tables.outbox, self.tables.mail, self.tables.sign_up
        recipient = sa.func.lower(outbox.c["recipient"])
        to_them = [recipient.in_(emails), *(recipient.endswith(f"<{email}>", autoescape=True) for email in emails)]
        self._do("email", sa.delete(outbox).where(sa.or_(outbox.c["account"].in_(ids), *to_them)))
        from_them = mail.c["sender"].in_(emails)
        self._remember_bytes(mail, from_them)
        outcome = sa.case((mail.c["outcome"] == "kept", "dismissed"), else_=mail.c["outcome"])
        emptied = dict.fromkeys(("sender", "sender_name", "subject", "reason", "message_id", "stored"))
        values = {**emptied, "outcome": outcome, "stranger": False}
        self._do("incoming email", sa.update(mail).where(from_them).values(values))
        self._do("request for access", sa.delete(sign_up).where(sign_up.c["email"].in_(emails)))

    def _delete_accounts(self, ids: list[int]) -> None:
        tables = self.tables
        views = dict.fromkeys(("viewed_account", "viewed_profile", "viewed_since"))
        viewing = tables.session.c["viewed_account"].in_(ids)
        self.connection.execute(sa.update(tables.session).where(viewing).values(views))
        self._remember_bytes(tables.pending_file, tables.pending_file.c["account"].in_(ids))
        for name, what in OF_ACCOUNT.items():
            table = getattr(tables, name)
            self._do(what, sa.delete(table).where(table.c["account"].in_(ids)))
        for account_id in ids:  # one-time keys of forms begin with it
            self._do(
                "form that was sent", sa.delete(tables.once).where(tables.once.c["key"].startswith(f"{account_id}:"))
            )
        self._do("account", sa.delete(tables.account).where(tables.account.c["id"].in_(ids)))

    def _remember_bytes(self, table: sa.Table, condition: sa.ColumnElement[bool]) -> None:
        columns = [table.c[name] for name in ("stored", "preview") if name in table.c]
        for row in self.connection.execute(sa.select(*columns).where(condition)):
            self.stored += [name for name in row if name]


def mentions(connection: sa.Connection, tables: Tables, names: Iterable[str]) -> list[Record]:
    """Records in which texts may still name an erased person: the search finds one of the names or addresses there."""
    policy, records = system_policy(tables), dict[tuple[str, int], Record]()
    for name in names:
        for hits in hits_everywhere(connection, policy, name, MOST_MENTIONS, []):
            records |= {(record.module, record.id): record for record in hits.newest}
    return list(records.values())


def _addresses(person: Record | None, people: Records | None) -> set[str]:
    if person is None or people is None:
        return set()
    addresses = [person.values[name] for name, field in people.module.fields.items() if field.holds_email]
    return {normalize_email(address) for address in addresses if address}


def _renamed(recorded: Any, link: list[Any], title: str) -> Any:
    """A value of the history with an erased person's new name in its links, which are [module, id, title]."""
    if isinstance(recorded, dict):
        return {name: _renamed(value, link, title) for name, value in recorded.items()}
    if isinstance(recorded, list):
        if len(recorded) == 3 and recorded[:2] == link:
            return [*link, title]
        return [_renamed(value, link, title) for value in recorded]
    if isinstance(recorded, str) and recorded.startswith("[{"):  # rows, or what someone typed
        with contextlib.suppress(ValueError):
            return json.dumps(_renamed(json.loads(recorded), link, title), ensure_ascii=False)
    return recorded


def _is_about(table: sa.Table, record: Record) -> sa.ColumnElement[bool]:
    return sa.and_(table.c["module"] == record.module, table.c["record"] == record.id)
