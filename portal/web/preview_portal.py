"""`portal preview`: declarations that are not in force, with the real data, read-only, for one person.

The database is read through temporary views (migration/temporary_views.py), so it need not match. Opening the address
that the command prints sets a cookie with a key: other users of the machine, who can also reach the port, have none.
"""

import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.accounts.accounts import Account, accounts_of, find_account
from portal.accounts.identity import Identity, NotAdmitted, admit
from portal.database.engine import Connection, Engine, reading
from portal.database.migration.plan_and_apply import missing_steps
from portal.database.migration.temporary_views import open_as_declared
from portal.database.schema.tables import Tables
from portal.declaration.shapes import display_name
from portal.texts import _, translate
from portal.web.live import LivePortal, Portal
from portal.web.read_only_view import ReadOnlyView


@dataclass(frozen=True)
class Previewing:
    """A preview: `source` as it was named, read from `folder`; its viewer, and the key of the address."""

    source: str
    folder: Path
    key: str
    email: str | None = None  # None: the first administrator

    def knows(self, key: str) -> bool:
        """Whether a browser has the key."""
        return hmac.compare_digest(key.encode("utf-8", "replace"), self.key.encode())

    def account(self, connection: Connection, tables: Tables) -> Account | None:
        """The account whose view is shown."""
        if self.email is not None:
            return find_account(connection, tables, self.email)
        names = tables.declaration.settings.administrators
        return next((account for name in names for account in accounts_of(connection, tables, profile=name)), None)

    def identity(self, connection: Connection, tables: Tables, **reading: Any) -> Identity | NotAdmitted:
        """The rights of the viewer under these declarations, or why they cannot sign in."""
        account = self.account(connection, tables)
        if account is None:
            return NotAdmitted(_("There is no such account."))
        return admit(connection, tables, account, **reading)

    @property
    def stranger(self) -> ReadOnlyView:
        """The message in a browser without the key."""
        return ReadOnlyView(
            translate(_("Preview of ${source}, which is not in force", mapping={"source": self.source}), "en")
        )

    def banner(self, identity: Identity) -> ReadOnlyView:
        """The banner of every page."""
        reader, profile = identity.policy.reader, identity.policy.profile
        names = {"source": self.source, "name": identity.account.name}
        title = _("Preview of ${source}, which is not in force, as ${name} (${profile})", mapping={
            **names, "profile": reader.text(display_name(profile)),
        })  # fmt: skip
        return ReadOnlyView(reader.text(title), reader.text(_("read-only")), reader.language)


class PreviewedPortal(LivePortal):
    """The declarations of a folder, without putting them in force: the database is not changed for them."""

    def _adapt(self, tables: Tables, development: bool) -> tuple[Engine, list[str], bool]:
        engine, notes = open_as_declared(self.engine, tables)
        with reading(self.engine) as connection:
            missing = [step.planned for step in missing_steps(connection, tables)]
        return engine, [*notes, *missing], True

    def _catch_up_index(self) -> None:
        """Does nothing: the search index stays as it is."""

    def _last_valid(self) -> Portal | None:
        """None: a preview is not about what is in force."""

    def _keep(self, portal: Portal) -> None:
        """Does nothing: this portal is not in force."""
