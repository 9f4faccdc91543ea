"""A disk with known durable content: files as of their last fsync, names as of their folder's.

A process started with `environment` reports each fsync here (sync.c) and waits for the answer, which may be that the
disk failed. `cut` makes a folder that a power cut could leave: with any part of what was not synced.
"""

import contextlib
import random
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).with_name("sync.c")
BLOCK = 4096  # bytes that a disk writes atomically


class NoCompilerError(Exception):
    """There is no C compiler."""


@dataclass
class Disk:
    """A folder whose durable content is known. `forgets`: like a disk that claims to have written, but has not."""

    folder: Path
    forgets: bool = False
    error: int = 0  # the errno with which every fsync fails
    synced: int = 0
    contents: dict[Path, bytes] = field(default_factory=dict)
    names: dict[Path, set[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, path: Path) -> None:
        """Notes that the current content is durable."""
        self.synced += 1
        if path.is_dir():
            self.names[path] = {entry.name for entry in path.iterdir()}
        elif path.exists():
            self.contents[path] = path.read_bytes()

    def note_all(self) -> None:
        """Notes that everything in the folder is durable."""
        for path in [self.folder, *self.folder.rglob("*")]:
            self.note(path)

    def cut(self, target: Path, chance: random.Random) -> None:
        """Writes what a power cut at this moment may leave to `target`. The caller holds `lock`: no fsync returns."""
        self._cut(self.folder, target, chance)

    def _cut(self, folder: Path, target: Path, chance: random.Random) -> None:
        target.mkdir()
        certain = self.names.get(folder, set())
        for name in certain | ({entry.name for entry in folder.iterdir()} if folder.is_dir() else set()):
            path = folder / name
            if (name not in certain or not path.exists()) and chance.random() < 0.5:
                continue
            if path.is_dir() or path in self.names:
                self._cut(path, target / name, chance)
            else:
                (target / name).write_bytes(self._left(path, chance))

    def _left(self, path: Path, chance: random.Random) -> bytes:
        """The content, block by block either as synced or as written since."""
        synced = self.contents.get(path, b"")
        written = path.read_bytes() if path.exists() else synced
        size = chance.choice([len(synced), len(written)])
        longer = max(len(synced), len(written))
        versions = synced.ljust(longer, b"\0"), written.ljust(longer, b"\0")
        return b"".join(chance.choice(versions)[at : at + BLOCK] for at in range(0, longer, BLOCK))[:size]

    def answer(self, listening: socket.socket) -> None:
        """Answers processes until the socket is closed."""
        with contextlib.suppress(OSError):
            while True:
                asking, _address = listening.accept()
                with asking, asking.makefile("rb") as stream:
                    path = Path(stream.read().decode())
                    with self.lock:
                        if not (self.error or self.forgets) and path.is_relative_to(self.folder):
                            self.note(path)
                        asking.sendall(bytes([self.error]))


@contextlib.contextmanager
def watched(disk: Disk) -> Iterator[dict[str, str]]:
    """The environment of a process whose fsyncs are reported to `disk`. Raises NoCompilerError."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise NoCompilerError("there is no C compiler")
    beside = disk.folder.parent
    library, address = beside / "sync.so", beside / "sync"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(address))
        listening.listen()
        thread = threading.Thread(target=disk.answer, args=(listening,))
        thread.start()
        try:
            yield {"LD_PRELOAD": str(library), "SYNC_SOCKET": str(address)}
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
