"""The bytes of files: stored under random names in a folder or an S3-compatible service, read back as a stream.

Nothing here knows who may read a file, or what it is called: the rows of `portal_file` do. Bytes are stored before
their row is committed, and removed after it is gone, so that no row is ever without its bytes; what no row names is
left for `unnamed` to find.
"""

import contextlib
import datetime
import itertools
import os
import secrets
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, urlsplit

from portal.lazy import LazyModule

obstore = LazyModule("obstore")
backends = LazyModule("obstore.store")

CHUNK = 256 * 1024  # bytes that are read at a time
PART = 5 * 1024 * 1024  # bytes that are sent at a time: the least that S3 takes as a part
SETTLED = datetime.timedelta(hours=1)  # a file without a row may still get one from an open transaction until then


class StoreError(Exception):
    """The store does not take bytes, or does not give them."""


@dataclass(frozen=True)
class Stored:
    """What was stored: its random name and its size in bytes."""

    name: str
    size: int


@dataclass(frozen=True)
class Store:
    """Bytes by name. `folder` is where they lie on disk, None for a service."""

    backend: Any
    folder: Path | None = None

    def put(self, source: BinaryIO) -> Stored:
        """Stores what `source` holds from its present position, durably. Raises StoreError."""
        return self.put_as(_new_name(), source)

    def put_as(self, name: str, source: BinaryIO) -> Stored:
        """Stores under a name that is known already, as a backup has it. Raises StoreError."""
        size = 0
        with _failing_plainly():
            with obstore.open_writer(self.backend, name, buffer_size=PART, max_concurrency=1) as writer:
                while chunk := source.read(CHUNK):
                    writer.write(chunk)
                    size += len(chunk)
            self._sync(name)
        return Stored(name, size)

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes of `name`, in chunks. Raises StoreError: for a name that is not there before the first of them."""
        with _failing_plainly():
            stream = obstore.get(self.backend, name).stream(min_chunk_size=CHUNK)
        return _chunks(stream)

    def remove(self, names: Collection[str]) -> None:
        """Removes what bears these names; a name that is not there is no error. Raises StoreError."""
        with _failing_plainly():
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    obstore.delete(self.backend, name)

    def unnamed(self, named: Collection[str], now: datetime.datetime) -> list[str]:
        """Stored names that are not among `named` and have been there for longer than an open transaction lives."""
        with _failing_plainly():
            stored = itertools.chain.from_iterable(obstore.list(self.backend))
            settled = (entry["path"] for entry in stored if entry["last_modified"] < now - SETTLED)
            return [name for name in settled if name not in named]

    def _sync(self, name: str) -> None:
        """A folder's file and its directory entries survive a power cut."""
        if self.folder is None:
            return
        path = self.folder / name
        for part in (path, path.parent, self.folder):
            _sync(part)


def open_store(address: str, folder: Path, access_key: str = "", secret_key: str = "") -> Store:
    """The store at `address`: `s3://BUCKET?endpoint=URL&region=NAME`, or a folder, which is made where it is missing.

    A relative folder is under `folder`; the keys are those of S3. Raises ValueError for an address of another kind,
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
                client_options={"allow_http": bool(endpoint and endpoint.startswith("http://")), "timeout": "60s"},
                retry_config={"max_retries": 3, "retry_timeout": datetime.timedelta(seconds=15)},
            )
        )
    if "://" in address:
        raise ValueError(f'"{address}" is not a store: a folder, or s3://bucket?endpoint=https://s3.example')
    path = folder / address
    made = [part for part in (path, *path.parents) if not part.exists()]
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for part in made:
        _sync(part.parent)
    return Store(backends.LocalStore(prefix=path), path)


def _sync(path: Path) -> None:
    """A file's content, or the names in a folder, survive a power cut."""
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
    """Failures of the disk and of the service are one exception."""
    try:
        yield
    except (OSError, obstore.exceptions.BaseError) as error:
        raise StoreError(str(error)) from error


def _new_name() -> str:
    """A name that nobody guesses, in one of 256 folders."""
    name = secrets.token_hex(20)
    return f"{name[:2]}/{name[2:]}"
