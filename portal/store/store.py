"""The bytes of files: stored under random names in a folder or an S3-compatible service, read back as a stream.

Nothing here knows who may read a file, or its name: the rows of `portal_file` do. Bytes are stored before their row is
committed, and removed after it is deleted, so that no row is ever without its bytes; `unnamed` finds bytes that no row
names.
"""

import contextlib
import datetime
import http.client
import io
import os
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, urlsplit

from portal.lazy import LazyModule

obstore = LazyModule("obstore")
backends = LazyModule("obstore.store")

CHUNK = 256 * 1024  # bytes to read at a time
IN_MEMORY = 5 * 1024 * 1024  # bytes of a file that is sent from memory, or written to disk at a time
TRIES = 3
PAUSE = 1  # seconds between two of them
SIGNED_FOR = datetime.timedelta(hours=1)
TIMEOUT = 60  # seconds without a response from the service
SETTLED = datetime.timedelta(hours=1)  # until then, a file without a row may still get one from an open transaction


class StoreError(Exception):
    """The store cannot write or read bytes."""


@dataclass(frozen=True)
class Stored:
    """A stored file: its random name and its size in bytes."""

    name: str
    size: int


@dataclass(frozen=True)
class Store:
    """Bytes by name. `folder` is their place on disk, None for a service."""

    backend: Any
    folder: Path | None = None

    def put(self, source: BinaryIO) -> Stored:
        """Durably stores `source` from its current position. Raises StoreError."""
        return self.put_as(_new_name(), source)

    def put_as(self, name: str, source: BinaryIO) -> Stored:
        """Stores under a given name, for example from a backup. Raises StoreError."""
        start = source.tell()
        size = source.seek(0, io.SEEK_END) - start
        source.seek(start)
        with _failing_plainly():
            if self.folder is not None:
                self._write(self.folder, name, source)
            elif size > IN_MEMORY:
                self._send(name, source, size)
            else:
                obstore.put(self.backend, name, source.read(), use_multipart=False)
        return Stored(name, size)

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes of `name`, in chunks. Raises StoreError; if the name does not exist, before the first chunk."""
        with _failing_plainly():
            stream = obstore.get(self.backend, name).stream(min_chunk_size=CHUNK)
        return _chunks(stream)

    def remove(self, names: Collection[str]) -> None:
        """Removes files by name; a missing one is not an error. Raises StoreError."""
        with _failing_plainly():
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    self._remove(name)

    def unnamed(self, named: Collection[str], now: datetime.datetime) -> list[str]:
        """Stored names that are not among `named` and are older than any open transaction."""
        with _failing_plainly():
            return [name for name, at in self._stored() if at < now - SETTLED and name not in named]

    # -- a folder ---------------------------------------------------------------------------------------------------

    def _write(self, folder: Path, name: str, source: BinaryIO) -> None:
        """Writes a file that only gets its name when it is complete, and survives a power failure with its folders."""
        with obstore.open_writer(self.backend, name, buffer_size=IN_MEMORY, max_concurrency=1) as writer:
            while chunk := source.read(CHUNK):
                writer.write(chunk)
        path = folder / name
        for part in (path, path.parent, folder):
            _sync(part)

    # -- a service --------------------------------------------------------------------------------------------------

    def _send(self, name: str, source: BinaryIO, size: int) -> None:
        """Sends a large file in one request, which the service accepts completely or not at all.

        After a multipart upload whose process is killed, the service would keep the parts forever without listing them.
        """
        start = source.tell()
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        for tries_left in reversed(range(TRIES)):
            source.seek(start)
            address = obstore.sign(self.backend, "PUT", name, SIGNED_FOR)
            request = urllib.request.Request(address, source, headers, method="PUT")  # noqa: S310 the store's own
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT):  # noqa: S310
                    return
            except (OSError, http.client.HTTPException) as error:
                refused = isinstance(error, urllib.error.HTTPError) and error.code < 500
                if refused or not tries_left:
                    raise
                time.sleep(PAUSE)

    # -- both -------------------------------------------------------------------------------------------------------

    def _stored(self) -> Iterator[tuple[str, datetime.datetime]]:
        """The names of everything stored, with the time of the last byte.

        In a folder, also unfinished files of killed processes, which obstore neither lists nor removes.
        """
        if self.folder is None:
            yield from (
                (entry["path"], entry["last_modified"]) for batch in obstore.list(self.backend) for entry in batch
            )
            return
        for path in self.folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file():
                    changed = datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.UTC)
                    yield path.relative_to(self.folder).as_posix(), changed

    def _remove(self, name: str) -> None:
        if self.folder is None:
            obstore.delete(self.backend, name)
        else:
            (self.folder / name).unlink()


def open_store(address: str, folder: Path, access_key: str = "", secret_key: str = "") -> Store:
    """The store at `address`: `s3://BUCKET?endpoint=URL&region=NAME`, or a folder, which is created if missing.

    A relative folder is under `folder`; the keys are for S3. Raises ValueError for any other kind of address,
    and OSError.
    """
    parts = urlsplit(address)
    if parts.scheme == "s3":
        options = dict(parse_qsl(parts.query))
        if not parts.netloc or set(options) - {"endpoint", "region"}:
            raise ValueError(f'"{address}" is not a store; one looks like s3://bucket?endpoint=https://s3.example')
        endpoint = options.get("endpoint")
        return Store(
            backends.S3Store(
                parts.netloc,
                prefix=parts.path.strip("/") or None,
                endpoint=endpoint,
                access_key_id=access_key,
                secret_access_key=secret_key,
                region=options.get("region", "us-east-1"),
                virtual_hosted_style_request=False,
                client_options={
                    "allow_http": bool(endpoint and endpoint.startswith("http://")),
                    "timeout": f"{TIMEOUT}s",
                },
                retry_config={"max_retries": 3, "retry_timeout": datetime.timedelta(seconds=15)},
            )
        )
    if "://" in address:
        raise ValueError(f'"{address}" is not a store: a folder, or s3://bucket?endpoint=https://s3.example')
    path = folder / address
    new_folders = [part for part in (path, *path.parents) if not part.exists()]
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for part in new_folders:
        _sync(part.parent)
    return Store(backends.LocalStore(prefix=path), path)


def _sync(path: Path) -> None:
    """Makes the content of a stored file, or the names in a folder, survive a power failure."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _chunks(stream: Iterable[Any]) -> Iterator[bytes]:
    with _failing_plainly():
        for chunk in stream:
            yield bytes(chunk)


@contextlib.contextmanager
def _failing_plainly() -> Iterator[None]:
    """Turns failures of the disk and of the service into StoreError."""
    try:
        yield
    except (OSError, http.client.HTTPException, obstore.exceptions.BaseError) as error:
        raise StoreError(str(error)) from error


def _new_name() -> str:
    """An unguessable name for a file in the store, in one of 256 folders."""
    name = secrets.token_hex(20)
    return f"{name[:2]}/{name[2:]}"
