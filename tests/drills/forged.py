"""What strangers who act in other people's names can make the portal send: few letters, and no words of their own.

    .venv/bin/python -m tests.drills.forged [NUMBER]

Sends NUMBER forged sign-ups, requests for a reset and for a sign-in link (10,000 in all), from many networks, for
addresses with and without access. Prints letters, rows and times. Exits 1 if an address got more letters than its
limit, a letter contains what the sender typed, or known and unknown addresses are answered differently.
"""

import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from email.utils import parseaddr
from pathlib import Path

import sqlalchemy as sa
from click.testing import CliRunner
from webtest import TestApp

from portal.accounts.attempts import RESET_ADDRESS, SIGN_UP_PORTAL
from portal.application import make_application
from portal.commands import main as command
from portal.database.engine import reading
from portal.settings import ProcessSettings

SMALL = Path(__file__).parents[1] / "portals/small"
KNOWN = "anna@acme.example"
WORDS = "buy-now"  # in every address, name and header that the sender chooses
NETWORKS = 400
WAYS = ("/signup", "/password/forgotten", "/password/link")
SLOWER = 3  # factor by which the median answer for known addresses may be slower


def main(number: int) -> int:
    """The exit status."""
    with tempfile.TemporaryDirectory() as made:
        app = make_portal(Path(made) / "portal")
        times, answers = ask(app, number)
        lines, problems = look(app)
    known, unknown = (statistics.median(times[key]) * 1000 for key in (True, False))
    lines.append(f"answered in {known:.1f} ms for known addresses, {unknown:.1f} ms for unknown ones")
    if not 1 / SLOWER < known / unknown < SLOWER:
        problems.append("the time of an answer tells who has access")
    problems += [f"{way}: known {answers[way, True]}, unknown {answers[way, False]}" for way in differing(answers)]
    print(*lines, *(problems or ["no word of the sender's was sent, no address got too many letters"]), sep="\n")  # noqa: T201
    return 1 if problems else 0


def make_portal(folder: Path) -> TestApp:
    """A portal with one account, that takes sign-ups and signs in by links."""
    shutil.copytree(SMALL, folder)
    modules = folder / "modules.yaml"
    modules.write_text("sign_up: {profile: customer}\n" + modules.read_text())
    who = ["account", "add", KNOWN, "--profile", "customer", "--organization", "Acme"]
    for arguments in (["apply"], who):
        done = CliRunner().invoke(command, [*arguments, "--folder", str(folder)])
        if done.exit_code:
            raise RuntimeError(done.output)
    settings = ProcessSettings(folder=folder, smtp="smtp://127.0.0.1:1", sign_in="password,link", password_memory=8)
    return TestApp(make_application(settings, on_loopback=True))


def ask(app: TestApp, number: int) -> tuple[dict[bool, list[float]], dict[tuple[str, bool], Counter[str]]]:
    """The times of the answers and the answers to known and unknown addresses."""
    times: dict[bool, list[float]] = defaultdict(list)
    answers: dict[tuple[str, bool], Counter[str]] = defaultdict(Counter)
    token = app.get("/signup").forms[0]["_csrf"].value
    for turn in range(number):
        way, known = WAYS[turn % 3], turn % 2 == 0
        # Asked as often as the known one where the limits of an address count; a sign-up for each of the others.
        email = KNOWN if known else f"victim{turn if way == '/signup' else ''}.{WORDS}@elsewhere.example"
        environ = {"REMOTE_ADDR": f"10.0.{turn % NETWORKS // 200}.{turn % 200}", "HTTP_USER_AGENT": WORDS}
        start = time.perf_counter()
        answer = app.post(way, {"_csrf": token, "email": email, "name": WORDS}, extra_environ=environ, status="*")
        times[known].append(time.perf_counter() - start)
        answers[way, known][f"{answer.status_int} {answer.location or ''}"] += 1
    return times, answers


def differing(answers: dict[tuple[str, bool], Counter[str]]) -> list[str]:
    """The requests for which known and unknown addresses get different answers, apart from reached limits."""
    return [way for way in WAYS if set(answers[way, True]) != set(answers[way, False])]


def look(app: TestApp) -> tuple[list[str], list[str]]:
    """What was written to whom, and what is wrong with it."""
    portal = app.app.registry.live.current()
    tables = portal.tables
    with reading(portal.engine) as connection:
        letters = connection.execute(sa.select(tables.outbox)).mappings().all()
        counts = {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (tables.outbox, tables.sign_up, tables.attempt)
        }
    portal.engine.dispose()
    per_address = Counter(parseaddr(letter["recipient"])[1] for letter in letters)
    own_words = [row for row in letters if WORDS in row["message"].replace(row["recipient"], "")]
    problems = [f"{address} got {number} letters" for address, number in per_address.items() if number > most(address)]
    if own_words:
        problems.append(f"{len(own_words)} letters hold what the sender typed: {own_words[0]['message'][:500]}")
    if len(letters) > SIGN_UP_PORTAL.most * 2 + most(KNOWN) * 2:  # an hour may end meanwhile
        problems.append(f"{len(letters)} letters were written")
    return [f"rows: {counts}", f"letters to {KNOWN}: {per_address[KNOWN]}"], problems


def most(address: str) -> int:
    """How many letters an address may get, even if an hour ends in the meantime."""
    return 2 * (1 + (2 * RESET_ADDRESS.most if address == KNOWN else 0))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
