"""Processes that a drill starts, kills and starts again, and their ports."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]
CHEAP = {  # saves time in drills: cheap hashing, and already compiled templates
    "PORTAL_PASSWORD_MEMORY": "8", "PORTAL_PASSWORD_ROUNDS": "1", "PORTAL_COMPILED": str(ROOT / "var" / "templates"),
}  # fmt: skip
TIMEOUT = 120  # seconds until something has started


def free_ports(count: int) -> list[int]:
    """Free ports."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _port in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_until(happened: Callable[[], bool], what: str) -> None:
    """Returns when something has happened. Raises TimeoutError."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        with contextlib.suppress(OSError, psycopg.Error):
            if happened():
                return
        time.sleep(0.1)
    raise TimeoutError(f"{what}: not within {TIMEOUT} seconds")


@dataclass
class Processes:
    """What runs, by name; `start` starts it again as it was."""

    folder: Path
    commands: dict[str, tuple[list[str], dict[str, str]]] = field(default_factory=dict)
    running: dict[str, subprocess.Popen] = field(default_factory=dict)

    def run(self, name: str, command: list[str], **environment: str) -> None:
        """Starts a process under a name, with its output in a file of that name."""
        self.commands[name] = command, environment
        self.start(name)

    def start(self, name: str) -> None:
        """Starts a killed process again, as systemd does."""
        command, environment = self.commands[name]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, cwd=self.folder, env={**os.environ, **environment}, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def kill(self, name: str) -> None:
        """Ends a process and its children immediately, with SIGKILL."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        """Ends all of them."""
        for name in list(self.running):
            self.kill(name)


def serve(processes: Processes, folder: Path, database: str, files: str, **settings: str) -> str:
    """The address of the portal in `folder`, served by a ready process named "web"."""
    port = free_ports(1)[0]
    settings |= {"PORTAL_FOLDER": str(folder), "PORTAL_DATABASE": database, "PORTAL_FILES": files} | CHEAP
    processes.run("web", [str(BIN / "portal"), "serve", "--port", str(port)], **settings)
    address = f"http://localhost:{port}"
    wait_until(lambda: answers(address), "the portal")
    return address


def answers(address: str) -> bool:
    """Whether a web machine is ready."""
    with urllib.request.urlopen(f"{address}/-/health", timeout=5) as answer:  # noqa: S310 ours
        return answer.status == 200
