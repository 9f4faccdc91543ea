"""Drafts: what an account has typed into a form and not sent yet, kept on the server until it is sent or discarded.

One row per account and form, so that a draft is there in another tab and on another device. Nobody else reads it. A
form that arrives after its session has ended belongs to nobody yet: it is set aside under a random key that only that
browser holds, and becomes a draft when the account that filled in the form signs in again.
"""

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from portal.database.insert import insert_into
from portal.database.schema.tables import Tables

LIFETIME = datetime.timedelta(days=30)
SET_ASIDE = datetime.timedelta(hours=1)
MOST_DRAFTS = 100  # per account; the oldest is dropped first
MOST_SET_ASIDE = 500  # of all browsers together
LONGEST = 1_000_000  # characters of all inputs of one draft
LONGEST_SET_ASIDE = 200_000  # likewise, for a form that was set aside


@dataclass(frozen=True)
class DraftContent:
    """The content of a form. `basis` says what it was made from (views/forms/merging.py); `version`: of the record."""

    inputs: Mapping[str, Sequence[str]]
    basis: str = ""
    version: int | None = None
    step: int = 0

    @property
    def length(self) -> int:
        """The number of characters in all inputs of a draft."""
        return sum(len(text) for texts in self.inputs.values() for text in texts)


@dataclass(frozen=True)
class Draft:
    """An unfinished form; `form` is its address without the leading slash, followed by a key for a new record."""

    id: int
    form: str
    modified: datetime.datetime
    content: DraftContent = field(default_factory=lambda: DraftContent({}))


class Drafts:
    """The drafts of one account. Those older than 30 days no longer count, and are deleted when the next one is saved.

    `none`: the account is known to have none, so none are looked up.
    """

    def __init__(
        self, connection: sa.Connection, tables: Tables, account_id: int, now: datetime.datetime, none: bool = False
    ) -> None:
        self._connection, self._tables, self._account_id, self._now = connection, tables, account_id, now
        self._table, self._none = tables.draft, none

    def get(self, form: str) -> Draft | None:
        """The draft of one form."""
        statement = self._tables.statement("draft", lambda: self._select().where(self._form == sa.bindparam("form")))
        return self._one(statement, {"form": form})

    def newest(self, prefix: str) -> Draft | None:
        """The newest draft of the forms that begin with `prefix`."""
        statement = self._tables.statement("newest draft", self._newest)
        return self._one(statement, {"pattern": prefix.replace("_", "\\_") + "%"})

    def all(self) -> list[Draft]:
        """Every draft, the newest first."""
        statement = self._select().order_by(self._table.c["modified"].desc(), self._table.c["id"].desc())
        return [_draft(row) for row in self._connection.execute(statement, self._mine).mappings()]

    def save(self, form: str, content: DraftContent) -> None:
        """Saves `content` as the draft of `form`, replacing an older one; what is too long is left out."""
        self._connection.execute(sa.delete(self._table).where(self._table.c["modified"] < self._now - LIFETIME))
        if content.length > LONGEST:
            return
        self.discard(form)
        values = {"modified": self._now, **_columns(content)}
        # If two tabs save the same form at the same time, the second is retried, and wins.
        upsert = insert_into(self._connection, self._table).values(account=self._account_id, form=form, **values)
        self._connection.execute(upsert.on_conflict_do_update(index_elements=["account", "form"], set_=values))
        newest = sa.select(self._table.c["id"]).where(self._table.c["account"] == self._account_id)
        newest = newest.order_by(self._table.c["modified"].desc(), self._table.c["id"].desc()).limit(MOST_DRAFTS)
        surplus = self._table.c["id"].not_in(newest.subquery().select())
        self._connection.execute(sa.delete(self._table).where(self._table.c["account"] == self._account_id, surplus))

    def discard(self, form: str) -> None:
        """Deletes the draft of a form."""
        mine = self._table.c["account"] == self._account_id
        self._connection.execute(sa.delete(self._table).where(mine, self._form == form))

    def claim(self, key: str) -> bool:
        """Takes over what this browser has set aside under `key`, if this account filled it in; whether it did."""
        pending = self._table.c["account"].is_(None), self._form.startswith(f"{key} ", autoescape=True)
        row = self._connection.execute(sa.select(self._table).where(*pending)).mappings().first()
        if row is None or row["modified"] < self._now - SET_ASIDE:
            return False
        _key, owner, form = row["form"].split(" ", 2)
        if owner != owner_digest(self._account_id):
            return False
        self._connection.execute(sa.delete(self._table).where(self._table.c["id"] == row["id"]))
        self.save(form, _draft(row).content)
        return True

    @property
    def _form(self) -> sa.Column[str]:
        return self._table.c["form"]

    @property
    def _mine(self) -> dict[str, object]:
        return {"account_id": self._account_id, "oldest": self._now - LIFETIME}

    def _select(self) -> sa.Select[tuple[object, ...]]:
        columns = self._table.c
        return sa.select(self._table).where(
            columns["account"] == sa.bindparam("account_id"), columns["modified"] >= sa.bindparam("oldest")
        )

    def _newest(self) -> sa.Select[tuple[object, ...]]:
        order = self._table.c["modified"].desc(), self._table.c["id"].desc()
        return self._select().where(self._form.like(sa.bindparam("pattern"), escape="\\")).order_by(*order).limit(1)

    def _one(self, statement: sa.Select[tuple[object, ...]], values: dict[str, object]) -> Draft | None:
        if self._none:
            return None
        row = self._connection.execute(statement, {**self._mine, **values}).mappings().first()
        return None if row is None else _draft(row)


def set_aside(
    connection: sa.Connection, tables: Tables, key: str, owned_form: str, content: DraftContent, now: datetime.datetime
) -> None:
    """Sets an unsent form aside for an hour, as its session had ended; `owned_form`: the digest in it, and its name."""
    table = tables.draft
    nobody = table.c["account"].is_(None)
    connection.execute(sa.delete(table).where(nobody, table.c["modified"] < now - SET_ASIDE))
    if content.length > LONGEST_SET_ASIDE:
        return
    row = {"account": None, "form": f"{key} {owned_form}", "modified": now, **_columns(content)}
    connection.execute(sa.insert(table).values(row))
    newest = sa.select(table.c["id"]).where(nobody).order_by(table.c["id"].desc()).limit(MOST_SET_ASIDE)
    connection.execute(sa.delete(table).where(nobody, table.c["id"].not_in(newest.subquery().select())))


def is_set_aside(connection: sa.Connection, tables: Tables, key: str) -> bool:
    """Whether an unsent form is set aside under `key`: it may have been too long, or been displaced by others."""
    table = tables.draft
    mine = table.c["account"].is_(None), table.c["form"].startswith(f"{key} ", autoescape=True)
    return connection.execute(sa.select(sa.literal(1)).where(*mine)).first() is not None


def owner_digest(account_id: int) -> str:
    """The owner that a form names: enough of its account to tell apart two accounts in one browser."""
    return hashlib.sha256(f"draft {account_id}".encode()).hexdigest()[:16]


def _columns(content: DraftContent) -> dict[str, object]:
    data = {"inputs": {name: list(texts) for name, texts in content.inputs.items()}, "basis": content.basis}
    return {"step": content.step, "version": content.version, "data": data}


def _draft(row: sa.RowMapping) -> Draft:
    data = row["data"]
    content = DraftContent(data["inputs"], data["basis"], row["version"], row["step"] or 0)
    return Draft(row["id"], row["form"], row["modified"], content)
