"""The bytes of a mail and of its files: stored before the transaction that names them, as uploads are.

Only the transaction finds out what to store: the sender decides which files are accepted. If it needs bytes that are
not stored yet, it ends with NotStoredYetError, they are stored while others may write, and it is retried. A crash in
between leaves bytes that no row names, which `portal files` removes, and never a row without bytes.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, TypeVar

import sqlalchemy as sa

from portal.database.engine import paused, writing
from portal.declaration.shapes import Attachments
from portal.fields.reader import Reader
from portal.mail.incoming.body import MailFile
from portal.records.writing.pending_files import PendingFile, store_file
from portal.records.writing.upload_checks import Upload, check_uploads
from portal.store.store import Store

Result = TypeVar("Result")


class NotStoredYetError(Exception):
    """Bytes are needed that `store` will store; then the transaction is retried."""

    def __init__(self, store: Callable[[], None]) -> None:
        super().__init__("bytes are not stored yet")
        self.store = store


class MailStore:
    """Stores the bytes of one mail. `scan`: the virus scanner, if there is one."""

    def __init__(self, store: Store, scan: Callable[[BinaryIO], str | None] | None = None) -> None:
        self.store = store
        self._scan = scan
        self._stored: dict[Any, Any] = {}
        self._kept: dict[str, bytes] = {}
        self._used: set[str] = set()

    def read(self, name: str) -> bytes:
        """Reads a kept mail, which keeps its name if it is kept again. Raises NotStoredYetError."""

        def read() -> None:
            self._kept[name] = b"".join(self.store.read(name))
            self._stored[self._kept[name]] = name  # stored by another transaction, which removes it if need be

        if name not in self._kept:
            raise NotStoredYetError(read)
        return self._kept[name]

    def name_of(self, raw: bytes) -> str:
        """The name under which a whole mail is stored. Raises NotStoredYetError."""
        name: str = self._have(raw, lambda: self.store.put(io.BytesIO(raw)).name)
        self._used.add(name)
        return name

    def files(
        self, files: Sequence[MailFile], limit: Attachments, reader: Reader, module: str
    ) -> tuple[list[PendingFile], tuple[str, ...]]:
        """Those of `files` within the limits of a module, stored, and a sentence for each of the others.

        Raises NotStoredYetError.
        """

        def store() -> tuple[list[PendingFile], tuple[str, ...]]:
            uploads = [Upload(file.name, io.BytesIO(file.content), len(file.content)) for file in files]
            checked = check_uploads(uploads, limit, reader, self._scan)
            taken = [store_file(self.store, file.source, file.name, kind, module) for file, kind in checked.accepted]
            return taken, checked.refused

        taken, refused = self._have((tuple(files), module), store)
        self._used.update(_names(taken))
        return taken, refused

    def use_nothing(self) -> None:
        """Notes that the transaction was rolled back, so that nothing names the bytes stored so far."""
        self._used.clear()

    def in_transaction(self, engine: sa.Engine, use: Callable[[sa.Connection], Result]) -> Result:
        """Calls `use` in a transaction, again whenever it needs something stored, and returns its result.

        Removes what was stored here but not used by the last transaction. Raises StoreError.
        """
        while True:
            self._used.clear()
            try:
                with writing(engine) as connection:
                    result = use(connection)
            except NotStoredYetError as missing:
                missing.store()
            else:
                self.store.remove(set(self._names()) - self._used - set(self._kept))
                return result

    def in_pauses(self, connection: sa.Connection, use: Callable[[], Result]) -> Result:
        """Calls `use` for a mail in the transaction of a request, which must not have written yet, and returns its
        result; others may write while files of the mail are stored. Raises StoreError.
        """
        while True:
            try:
                return use()
            except NotStoredYetError as missing:
                with paused(connection):
                    missing.store()

    def _have(self, key: Any, store: Callable[[], Any]) -> Any:
        if key not in self._stored:
            raise NotStoredYetError(lambda: self._stored.__setitem__(key, store()))
        return self._stored[key]

    def _names(self) -> Iterator[str]:
        for stored in self._stored.values():
            yield from (stored,) if isinstance(stored, str) else _names(stored[0])


def _names(files: Sequence[PendingFile]) -> Iterator[str]:
    for file in files:
        yield from filter(None, (file.stored, file.preview))
