"""Saved views: lists that an account has named, and the columns that it has chosen for a list itself.

One row per account, module and name. The row without a name is how the account wants the list of the module when no
view is open. The key of a view is random: anyone who has the module and a link with the key from its owner may open
the view; nobody else learns its name. Only its owner can change it. What it shows depends on the policy of the person
who opens it.
"""

import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from portal.database.fetching import Row, fetch
from portal.database.insert import insert_into
from portal.database.schema.tables import Tables
from portal.fields.refused import Refused, storable
from portal.fields.text import at_most
from portal.records.writing.errors import unique_violations_retried
from portal.texts import _, first_visible, ngettext

MOST_VIEWS = 50  # of one module and account
LONGEST_NAME = 80  # characters
LONGEST_PARAMETERS = 3_000  # characters of an address
KEY_BYTES = 12

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Arrangement:
    """What is saved of a list: the parameters of its address, its columns (None: as declared) and their density."""

    parameters: Pairs = ()
    columns: tuple[str, ...] | None = None
    compact: bool = False


@dataclass(frozen=True)
class SavedView:
    """A list that someone has named; without a name, their settings for the list itself."""

    key: str
    account: int
    name: str
    arrangement: Arrangement
    is_default: bool = False


class SavedViews:
    """The views of one account. Changes never affect those of others."""

    def __init__(self, connection: sa.Connection, tables: Tables, account_id: int) -> None:
        self._connection, self._tables, self._account_id = connection, tables, account_id
        self._table = tables.saved_view

    def find(self, module: str, key: str = "") -> list[SavedView]:
        """What the account has saved for a module, by name, and the view with `key`, whoever owns it."""
        statement = self._tables.statement("saved views", self._select)
        values = {"account_id": self._account_id, "module": module, "key": key}
        return [_view(row) for row in fetch(self._connection, statement, values)]

    def _select(self) -> sa.Select[tuple[object, ...]]:
        columns = self._table.c
        mine_or_shared = (columns["account"] == sa.bindparam("account_id")) | (columns["key"] == sa.bindparam("key"))
        query = sa.select(self._table).where(columns["module"] == sa.bindparam("module"), mine_or_shared)
        return query.order_by(columns["name"], columns["key"])

    def add(self, module: str, name: str, arrangement: Arrangement) -> str:
        """Saves a list under a new name; returns the key of the view. Raises Refused."""
        others = [view for view in self.find(module) if view.name]
        name = _checked_name(name, others)
        if len(others) >= MOST_VIEWS:
            raise Refused(
                ngettext(
                    "You can save at most ${number} view of a list. Delete one first.",
                    "You can save at most ${number} views of a list. Delete one first.",
                    MOST_VIEWS,
                )
            )
        _check_size(arrangement)
        return self._insert(module, name, arrangement)

    def rename(self, module: str, key: str, name: str) -> None:
        """Renames a view. Raises Refused."""
        others = [view for view in self.find(module) if view.name and view.key != key]
        name = _checked_name(name, others)
        with unique_violations_retried():
            self._connection.execute(sa.update(self._table).where(*self._mine(module, key)).values(name=name))

    def overwrite(self, module: str, key: str, arrangement: Arrangement) -> None:
        """Saves another list under the name of a view. Raises Refused."""
        _check_size(arrangement)
        statement = sa.update(self._table).where(*self._mine(module, key))
        self._connection.execute(statement.values(_values(arrangement)))

    def arrange(self, module: str, columns: tuple[str, ...] | None, compact: bool, key: str) -> None:
        """Saves the columns of a view; without a key, those for the list itself."""
        if key:
            statement = sa.update(self._table).where(*self._mine(module, key))
            self._connection.execute(statement.values(columns=_names(columns), compact=compact))
            return
        nameless = self._table.c["name"] == ""
        this_list = self._table.c["account"] == self._account_id, self._table.c["module"] == module, nameless
        self._connection.execute(sa.delete(self._table).where(*this_list))
        if columns is not None or compact:
            self._insert(module, "", Arrangement((), columns, compact))

    def delete(self, module: str, key: str) -> None:
        """Deletes a saved view."""
        self._connection.execute(sa.delete(self._table).where(*self._mine(module, key)))

    def make_default(self, module: str, key: str) -> None:
        """Makes the list open with this view; with an empty key, as declared."""
        mine = self._table.c["account"] == self._account_id, self._table.c["module"] == module
        is_this = sa.case((self._table.c["key"] == key, sa.true()), else_=sa.false())
        self._connection.execute(sa.update(self._table).where(*mine).values(is_default=is_this))

    def _mine(self, module: str, key: str) -> tuple[sa.ColumnElement[bool], ...]:
        columns = self._table.c
        return columns["account"] == self._account_id, columns["module"] == module, columns["key"] == key

    def _insert(self, module: str, name: str, arrangement: Arrangement) -> str:
        """Inserts a row; of two sent at the same time under one name, the second one counts."""
        row = {"account": self._account_id, "module": module, "name": name, "key": secrets.token_urlsafe(KEY_BYTES)}
        values = _values(arrangement)
        statement = insert_into(self._connection, self._table).values({**row, **values})
        keys = ["account", "module", "name"]
        upsert = statement.on_conflict_do_update(index_elements=keys, set_=values).returning(self._table.c["key"])
        key: str = self._connection.execute(upsert).scalar_one()
        account = self._tables.account
        mine = account.c["id"] == self._account_id, account.c["arranges"].is_not(True)
        self._connection.execute(sa.update(account).where(*mine).values(arranges=True))
        return key


def _checked_name(name: str, others: list[SavedView]) -> str:
    """The name of a saved view without superfluous spaces. Raises Refused."""
    name = storable(" ".join(name.split()))
    if not first_visible(name):
        raise Refused(_("Enter a name for the view."))
    at_most(name, LONGEST_NAME)
    if any(name.casefold() == other.name.casefold() for other in others):
        raise Refused(_("You already have a view with this name."))
    return name


def _check_size(arrangement: Arrangement) -> None:
    """Raises Refused if a saved view has more parameters than an address should have."""
    if sum(len(name) + len(value) for name, value in arrangement.parameters) > LONGEST_PARAMETERS:
        raise Refused(_("There are too many filters to save."))


def _values(arrangement: Arrangement) -> dict[str, object]:
    return {
        "parameters": [list(pair) for pair in arrangement.parameters],
        "columns": _names(arrangement.columns),
        "compact": arrangement.compact,
    }


def _names(columns: tuple[str, ...] | None) -> list[str] | None:
    return None if columns is None else list(columns)


def _view(row: Row) -> SavedView:
    parameters = tuple((name, value) for name, value in row["parameters"])
    columns = None if row["columns"] is None else tuple(row["columns"])
    arrangement = Arrangement(parameters, columns, bool(row["compact"]))
    return SavedView(row["key"], row["account"], row["name"], arrangement, bool(row["is_default"]))
