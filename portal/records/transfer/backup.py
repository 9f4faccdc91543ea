"""Makes and restores a backup: database, files and declarations as one consistent set, in a folder or an archive.

The database is copied as of one moment. Files are copied before and after: the first pass has those removed while the
backup is made, the second those added. Files that the copied database does not name are left out.
"""

import contextlib
import datetime
import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from portal.database.copying import NAMES, copy_database, restore_copy
from portal.database.engine import reading
from portal.store.store import Store, StoreError

MANIFEST = "backup.json"
FORMAT = 1
ARCHIVES = {".tar": "", ".gz": "gz", ".tgz": "gz"}  # extension → compression

StoredNames = Callable[[sa.Connection], set[str]]  # every name in the store that the database names


class BackupError(Exception):
    """A backup cannot be made or restored; the message says why."""


@dataclass(frozen=True)
class Backup:
    """The contents of a backup."""

    created: datetime.datetime
    files: int
    declarations: int
    bytes: int
    missing: tuple[str, ...]  # files that the database names and the store lacked


# -- making ------------------------------------------------------------------------------------------------------------


def make_backup(
    engine: sa.Engine, store: Store, folder: Path, stored_names: StoredNames, target: Path, now: datetime.datetime
) -> Backup:
    """Backs up the portal in `folder` to `target`, which must not exist: an archive if its name says so, else a folder.

    Raises BackupError, CopyError, StoreError and OSError, and then leaves nothing at `target`.
    """
    if target.exists():
        raise BackupError(f"{target} exists already")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as temporary:
        content = Path(temporary) / "content"
        content.mkdir(mode=0o700)
        backup = _fill(engine, store, folder, stored_names, content, now)
        if target.suffix in ARCHIVES:
            packed = Path(temporary) / target.name
            _pack(content, packed, ARCHIVES[target.suffix])
            content = packed
        content.rename(target)
    return backup


def _fill(
    engine: sa.Engine, store: Store, folder: Path, stored_names: StoredNames, content: Path, now: datetime.datetime
) -> Backup:
    files = content / "files"
    with reading(engine) as connection:
        before = stored_names(connection)
    _copy_files(store, before, files)
    with copy_database(engine, content / NAMES[engine.dialect.name]) as connection:
        named = stored_names(connection)
    missing = _copy_files(store, named - before, files) | {name for name in named if not (files / name).is_file()}
    for name in before - named:
        (files / name).unlink(missing_ok=True)
    declarations = _copy_declarations(folder, content / "declarations")
    contents = {str(path.relative_to(content)): _digest(path) for path in sorted(content.rglob("*")) if path.is_file()}
    manifest = {
        "format": FORMAT,
        "created": now.isoformat(),
        "database": NAMES[engine.dialect.name],
        "missing": sorted(missing),
        "contents": contents,
    }
    (content / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    size = sum(path.stat().st_size for path in content.rglob("*") if path.is_file())
    return Backup(now, len(named - missing), declarations, size, tuple(sorted(missing)))


def _copy_files(store: Store, names: set[str], target: Path) -> set[str]:
    """Copies files from the store into a backup; returns the names of those that it lacks."""
    missing = set()
    for name in sorted(names):
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("wb") as file:
                file.writelines(store.read(name))
        except StoreError as error:
            path.unlink(missing_ok=True)
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
            missing.add(name)
    return missing


def _copy_declarations(folder: Path, target: Path) -> int:
    """Copies the YAML files and others next to them, such as logos, into a backup, except hidden ones and `var/`."""
    files = [path for path in sorted(folder.iterdir()) if path.is_file()] + sorted(folder.glob("profiles/*.yaml"))
    declarations = [path for path in files if path.suffix in (".yaml", ".svg", ".png", ".jpg", ".jpeg", ".webp")]
    for path in declarations:
        copy = target / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return len(declarations)


def _pack(content: Path, target: Path, compression: str) -> None:
    with (
        os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
        tarfile.open(fileobj=file, mode="w:gz" if compression else "w") as archive,
    ):
        archive.add(content, arcname=".")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# -- restoring ---------------------------------------------------------------------------------------------------------


def restore_backup(source: Path, url: str, open_store: Callable[[], Store], folder: Path) -> Backup:
    """Restores a backup into an empty folder, database and store. Raises BackupError, CopyError, StoreError, OSError.

    Everything is checked first. The declarations come last: without them, no portal starts on a half-restored set.
    """
    if (folder / "modules.yaml").exists():
        raise BackupError(f"{folder} already contains a portal: name a new folder")
    with _open_backup(source) as content:
        manifest = _checked_manifest(content)
        restore_copy(url, content / manifest["database"])
        store, names = open_store(), _contents_of(manifest, "files")
        for name in names:
            with (content / "files" / name).open("rb") as file:
                store.put_as(name, file)
        declarations = _contents_of(manifest, "declarations")
        for name in declarations:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(content / "declarations" / name, path)
        size = sum((content / name).stat().st_size for name in manifest["contents"])
    created = datetime.datetime.fromisoformat(manifest["created"])
    return Backup(created, len(names), len(declarations), size, tuple(manifest["missing"]))


@contextlib.contextmanager
def _open_backup(source: Path) -> Iterator[Path]:
    """The folder of a backup; an archive is unpacked temporarily."""
    if source.is_dir():
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="portal-restore-") as temporary:
        try:
            with tarfile.open(source) as archive:
                archive.extractall(temporary, filter="data")
        except (tarfile.TarError, EOFError, zlib.error) as error:  # truncated or corrupted
            reason = str(error).partition("\n")[0].rstrip(":")  # tarfile's further lines list what it tried
            raise BackupError(f"{source} is not a backup, or is damaged: {reason}") from None
        yield Path(temporary)


def _checked_manifest(content: Path) -> dict[str, Any]:
    """The list of a backup's contents, after checking that everything in it is intact."""
    try:
        manifest = json.loads((content / MANIFEST).read_text(encoding="utf-8"))
        contents, version, database = dict(manifest["contents"]), manifest["format"], manifest["database"]
    except (OSError, ValueError, KeyError, TypeError):
        raise BackupError(f"this is not a backup of a portal: it has no {MANIFEST}") from None
    if version != FORMAT:
        raise BackupError(f"the backup was made by another version of the portal (format {version})")
    for name in {database, *contents}:
        path = content / name
        # A path that leaves the folder, through ".." or a link, would be written outside of the portal's; so would one
        # that begins with a slash, without its first part.
        leads_out = "//" in name or name.startswith("/") or path.resolve() != content.resolve() / name
        if leads_out or not path.is_file() or _digest(path) != contents.get(name):
            raise BackupError(f"the backup is damaged: {name} has changed since it was written")
    return manifest


def _contents_of(manifest: dict[str, Any], part: str) -> list[str]:
    return [name.removeprefix(f"{part}/") for name in manifest["contents"] if name.startswith(f"{part}/")]
