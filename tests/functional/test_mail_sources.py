"""`portal inbox` receives mail from a Maildir, by LMTP, and from a real IMAP server."""

import contextlib
import getpass
import grp
import imaplib
import os
import shutil
import signal
import smtplib
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from portal.commands import main
from portal.database.engine import make_engine, reading
from portal.database.schema.tables import build
from portal.declaration.load import load
from portal.records.policy import system_policy
from portal.records.reading.records import Query, Records
from tests.functional.conftest import SMALL
from tests.real_parts import unavailable
from tests.waiting import TIMEOUT, result_of

PORTAL = Path(sys.executable).parent / "portal"
DOVECOT = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
mail_location = maildir:{folder}/Maildir
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
default_login_user = {login_user}
default_internal_user = {internal_user}
default_internal_group = {internal_group}
first_valid_uid = 0
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}
}}
"""


@pytest.fixture
def folder(tmp_path: Path, filled_sqlite: Path) -> Path:
    """The folder of a portal that turns mail into tickets, with its database and a Maildir."""
    portal = Path(shutil.copytree(SMALL, tmp_path / "portal"))
    modules = portal / "modules.yaml"
    modules.write_text("inbox: {address: help@supplier.example, creates: tickets}\n" + modules.read_text())
    (portal / "var").mkdir()
    shutil.copy(filled_sqlite, portal / "var" / "portal.sqlite")
    for name in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    return portal


def mail(number: int) -> bytes:
    return (
        f"From: Anna <anna@acme.example>\r\nTo: help@supplier.example\r\nSubject: Number {number}\r\n"
        f"Message-ID: <{number}@acme.example>\r\n\r\nHello\r\n"
    ).encode()


def portal(folder: Path, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        [PORTAL, *arguments, "--folder", str(folder)], capture_output=True, text=True, check=False, **options
    )


def titles(folder: Path) -> list[str]:
    """The titles of all tickets, oldest first."""
    tables, engine = build(load(folder).declaration), make_engine(f"sqlite:///{folder}/var/portal.sqlite")
    with reading(engine) as connection:
        records = Records(connection, system_policy(tables), "tickets")
        found = [record.title for record in records.iterate(Query(sort=("id",)), ["title"])]
    engine.dispose()
    return found


def test_a_maildir_is_emptied_by_several_processes_each_mail_once(folder: Path):
    maildir = folder.parent / "Maildir"
    for number in range(6):
        (maildir / "new" / f"{number}.host").write_bytes(mail(number))
    (maildir / "new" / "copy.host").write_bytes(mail(3))
    (maildir / "new" / "0.broken").mkdir()
    results: list[subprocess.CompletedProcess[str]] = []

    workers = [
        threading.Thread(target=lambda: results.append(portal(folder, "inbox", "--once", "--maildir", str(maildir))))
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [result.returncode for result in results] == [0, 0], [result.stderr for result in results]
    assert sorted(titles(folder)) == [f"Number {number}" for number in range(6)]
    assert [path.name for path in (maildir / "new").iterdir()] == ["0.broken"]
    assert len(list((maildir / "cur").iterdir())) == 7


def test_mail_is_taken_by_lmtp_until_it_is_told_to_stop(folder: Path):
    port = free_port()
    with running(folder, "inbox", "--lmtp", str(port)) as (process, line):
        assert line == f"Receiving mail by LMTP on 127.0.0.1:{port}\n"
        with smtplib.LMTP("127.0.0.1", port) as server:
            server.sendmail("anna@acme.example", ["help@supplier.example"], mail(1))
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT) == 0
    assert titles(folder) == ["Number 1"]


def test_an_imap_mailbox_is_read_and_its_mails_are_marked_as_seen(folder: Path, caplog: pytest.LogCaptureFixture):
    password = folder.parent / "password"
    password.write_text("secret\n")
    with running_dovecot([mail(0), mail(1)]) as (port, new):
        url = f"imap://help@127.0.0.1:{port}/INBOX"
        once = ["inbox", "--once", "--folder", str(folder), "--imap"]
        first = CliRunner().invoke(main, [*once, url, "--password-file", str(password)])
        second = CliRunner().invoke(main, [*once, url, "--password-file", str(password)])
        wrong = CliRunner().invoke(main, [*once, f"imap://help:wrong@127.0.0.1:{port}/INBOX"])
        (new / "2.host").touch(mode=0)  # Dovecot closes the connection when it is to give this one
        (new / "3.host").write_bytes(mail(3))
        third = CliRunner().invoke(main, [*once, url, "--password-file", str(password)])
        for number in range(4, 28):
            (new / f"{number}.host").touch(mode=0)
        fourth = CliRunner().invoke(main, [*once, url, "--password-file", str(password)])
        (new / "99.host").write_bytes(mail(4))
        fifth = CliRunner().invoke(main, [*once, url, "--password-file", str(password)])

    assert (first.exit_code, first.stdout) == (0, "Received 2 messages\n"), first.stderr
    assert second.stdout == "Received 0 messages\n"
    assert wrong.exit_code == 1
    assert "does not give its mail" in wrong.stderr
    assert (third.exit_code, third.stdout) == (0, "Received 1 message\n"), "monitors learn of no failure"
    assert "does not give 1 message" in caplog.text
    assert (fourth.exit_code, fifth.exit_code) == (1, 0), "a server that gives nothing is a failure"
    assert sorted(titles(folder)) == ["Number 0", "Number 1", "Number 3", "Number 4"]


def test_a_mailbox_that_gives_nothing_is_asked_less_often_and_monitors_learn_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    class Stopped:
        def __init__(self) -> None:
            self.pauses: list[int] = []

        def is_set(self) -> bool:
            return len(self.pauses) == 6

        def wait(self, pause: int) -> None:
            self.pauses.append(pause)

    def pauses(*source: str) -> list[int]:
        stopped = Stopped()
        monkeypatch.setattr("portal.commands.inbox.stop_signals", lambda: contextlib.nullcontext(stopped))
        CliRunner().invoke(main, ["inbox", "--folder", str(folder), *source])
        return stopped.pauses

    def heartbeats() -> list[str]:
        with contextlib.closing(sqlite3.connect(folder / "var" / "portal.sqlite")) as connection:
            return [name for (name,) in connection.execute("SELECT name FROM portal_heartbeat")]

    assert pauses("--imap", f"imap://127.0.0.1:{free_port()}/INBOX") == [20, 40, 80, 160, 300, 300]
    assert heartbeats() == []
    assert pauses("--maildir", str(folder.parent / "Maildir")) == [10] * 6
    assert heartbeats() == ["inbox"]
    assert pauses("--once", "--maildir", str(folder.parent / "Maildir")) == []
    assert heartbeats() == [], "whatever starts the command each time knows if it runs"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def running(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running command, and the first line that it prints."""
    process = subprocess.Popen(
        [PORTAL, *arguments, "--folder", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def running_dovecot(mails: list[bytes]) -> Iterator[tuple[int, Path]]:
    """A Dovecot with a mailbox whose password is “secret”; its port, and the folder of new mail."""
    program = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        unavailable("Dovecot is not installed")
    user, group, port = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name, free_port()
    users = {"login_user": user, "internal_user": user, "internal_group": group, "user": user, "group": group}
    if user == "root":  # it gives its rights away, to the users that its package makes, and reads no mail of root
        users = {"login_user": "dovenull", "internal_user": "dovecot", "internal_group": "dovecot"}
        users |= {"user": "nobody", "group": "nogroup"}
    with tempfile.TemporaryDirectory(prefix="portal-dovecot-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        new = folder / "Maildir" / "new"
        new.mkdir(parents=True)
        for number, raw in enumerate(mails):
            (new / f"{number}.host").write_bytes(raw)
        if user == "root":
            for path in (new.parent, new, *new.iterdir()):
                shutil.chown(path, users["user"], users["group"])
        (folder / "dovecot.conf").write_text(DOVECOT.format(folder=folder, port=port, **users))
        process = subprocess.Popen([program, "-F", "-c", str(folder / "dovecot.conf")])
        try:
            wait_for(port, folder / "log")
            yield port, new
        finally:
            process.terminate()
            process.wait()


def wait_for(port: int, log: Path) -> None:
    """Returns when the server greets."""

    def greet() -> None:
        with imaplib.IMAP4("127.0.0.1", port, timeout=TIMEOUT):
            pass

    try:
        result_of(greet, (OSError, imaplib.IMAP4.error), "Dovecot's greeting")
    except BaseException as failure:
        failure.add_note(log.read_text() if log.exists() else "")
        raise
