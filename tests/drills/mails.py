"""What becomes of real mails: each is received twice, by two processes, and used once or kept with a reason.

    .venv/bin/python -m tests.drills.mails FOLDER

FOLDER contains mails as files, at any depth. Prints what became of them, and which took longest. Exits 1 if one was
lost or used twice, took more than two seconds, or if a machine got an answer.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import sqlalchemy as sa

from portal.database.engine import make_engine, reading
from portal.database.schema.tables import build
from portal.declaration.load import load
from portal.mail.incoming.body import UnreadableMailError
from portal.mail.incoming.message import read_mail
from portal.mail.incoming.reply_text import split_reply

PORTAL = Path(sys.executable).parent / "portal"
SMALL = Path(__file__).parents[1] / "portals/small"
INBOX = "inbox: {address: help@supplier.example, creates: tickets, title: title, unknown: create}\n"
LONGEST = 2  # seconds for one mail


def main(mails: Path) -> int:
    """The exit status."""
    files = sorted(path for path in mails.rglob("*") if path.is_file())
    slow, automatic = read_all(files)
    with tempfile.TemporaryDirectory() as made:
        folder = make_portal(Path(made) / "portal")
        for _round in range(2):
            take_in(folder, files)
        outcomes, reasons, answered = what_became(folder)
    lines = [f"{len(files)} mails, each brought twice: {dict(outcomes)}"]
    lines += [f"{number:5} kept: {reason}" for reason, number in reasons.most_common()]
    lines.append("slowest: " + ", ".join(f"{seconds * 1000:.0f} ms {path.name}" for seconds, path in slow[:3]))
    contents = {path.read_bytes() for path in files}
    problems = [f"{seconds:.1f} s to read {path}" for seconds, path in slow if seconds > LONGEST]
    if sum(outcomes.values()) > len(contents) or outcomes[""]:
        problems.append(f"{len(contents)} different mails became {sum(outcomes.values())}: {dict(outcomes)}")
    problems += [f"an answer goes to {address}, who sent only what machines write" for address in answered & automatic]
    print(*lines, *(problems or ["each was used once or kept; no machine was answered"]), sep="\n")  # noqa: T201
    return 1 if problems else 0


def read_all(files: list[Path]) -> tuple[list[tuple[float, Path]], set[str]]:
    """How long reading each mail takes, the slowest first; and who sent only automatic mail."""
    times, machines, people = [], set(), set()
    for path in files:
        start = time.perf_counter()
        try:
            mail = read_mail(path.read_bytes())
            split_reply(mail.text)
            (machines if mail.automatic or mail.report else people).add(mail.sender)
        except UnreadableMailError:
            pass
        times.append((time.perf_counter() - start, path))
    return sorted(times, reverse=True), machines - people


def make_portal(folder: Path) -> Path:
    """A portal without records that turns mail into tickets, also from strangers."""
    shutil.copytree(SMALL, folder)
    modules = folder / "modules.yaml"
    modules.write_text(INBOX + modules.read_text())
    subprocess.run([PORTAL, "apply", "--folder", folder], check=True, capture_output=True)
    return folder


def take_in(folder: Path, files: list[Path]) -> None:
    """Two processes empty a Maildir with all the mails. Raises CalledProcessError."""
    maildir = folder.parent / "Maildir"
    for name in ("new", "cur", "tmp"):
        (maildir / name).mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(files):
        shutil.copy(path, maildir / "new" / f"{number}.host")
    command = [PORTAL, "inbox", "--once", "--maildir", maildir, "--folder", folder]
    workers = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _number in range(2)]
    for worker in workers:
        if worker.wait():
            raise subprocess.CalledProcessError(worker.returncode, command)
    left = list((maildir / "new").iterdir())
    if left:
        raise RuntimeError(f"{len(left)} mails were left: {left[0].name}")
    shutil.rmtree(maildir)


def what_became(folder: Path) -> tuple[Counter[str], Counter[str], set[str]]:
    """The number of mails by outcome, and by reason if kept; and the recipients of letters."""
    tables, engine = build(load(folder).declaration), make_engine(f"sqlite:///{folder}/var/portal.sqlite")
    mail, outbox = tables.mail, tables.outbox
    with reading(engine) as connection:
        rows = connection.execute(sa.select(mail.c["outcome"], mail.c["reason"])).all()
        answered = set(connection.scalars(sa.select(outbox.c["recipient"])))
    engine.dispose()
    kept = Counter(reason for outcome, reason in rows if outcome == "kept")
    return Counter(outcome or "" for outcome, _reason in rows), kept, answered


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
