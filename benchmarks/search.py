"""`python -m benchmarks.search SQLITE POSTGRESQL`: the search on both databases, filled with as many tickets.

Each search is asked for on one and then on the other, so that other work on the machine disturbs both alike: a page of
hits with their number, for four readers. What is compared is processor time, that of PostgreSQL's process included,
which must run on this machine; beside it stands the time on the clock.
"""

import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.filling import FEW_PERSON, MANY_PERSON, declaration
from benchmarks.measuring import share
from benchmarks.words import COMMON, HALF_COMMON, NOWHERE, RARE, Writer
from portal.database.engine import make_engine, reading
from portal.database.schema.tables import Tables, build
from portal.database.search import index as search
from portal.database.search.tokens import organization_token, owner_token
from portal.database.search.words import parse_words

ROUNDS = 3  # after one that is not counted
PAGE, COUNTED = 26, search.COUNTED
SHARES = (0.5, 0.95, 0.99)
READERS: dict[str, tuple[str, ...] | None] = {
    "ten tickets": (owner_token(FEW_PERSON),),
    "own tickets": (owner_token(MANY_PERSON),),
    "large company": (organization_token(1),),
    "staff": None,
}


@dataclass
class Database:
    """One of the two, with an open transaction."""

    name: str
    connection: sa.Connection

    def worked(self) -> float:
        """Milliseconds that this thread and the process of PostgreSQL have computed."""
        mine = time.thread_time() * 1000
        if self.name == "sqlite":
            return mine
        driver: Any = self.connection.connection.driver_connection
        return mine + int(Path(f"/proc/{driver.info.backend_pid}/schedstat").read_text().split()[0]) / 1_000_000


def terms() -> dict[str, list[str]]:
    """What is searched for: some eighty words and pairs of words, from the most frequent to the rarest.

    Those with only old hits are beginnings of the references of a tenth of all tickets and of a thousand of them.
    """
    common = list(dict.fromkeys(Writer(11).text(60).split()))
    source = random.Random(4)
    rare = [word for word in dict.fromkeys(Writer(12).text(400).split()) if word not in common]
    return {
        "common": [COMMON, HALF_COMMON, COMMON[:3], *common[:17]],
        "rare": [RARE, RARE[:4], *source.sample(rare, 20)],
        "two words": [f"{COMMON} {HALF_COMMON}", *(f"{COMMON} {word}" for word in common[:9]),
                      *(f"{one} {other}" for one, other in zip(common[:12], common[3:], strict=False))],
        "only old hits": [f"TT{number}{word}" for number in (1, 2, 3, 35, 222) for word in ("", f" {COMMON}")],
        "none": [NOWHERE, f"{COMMON} {NOWHERE}"],
    }  # fmt: skip


def main(urls: list[str]) -> None:
    if len(urls) != 2:
        raise SystemExit(__doc__)
    tables = build(declaration())
    engines = [make_engine(url) for url in urls]
    taken: dict[tuple[str, str, str], list[tuple[float, float]]] = defaultdict(list)
    with reading(engines[0]) as one, reading(engines[1]) as other:
        databases = [Database(connection.dialect.name, connection) for connection in (one, other)]
        for number in range(ROUNDS + 1):
            for reader, kind, request in _requests(tables):
                results = []
                for database in databases:
                    began, worked = time.perf_counter(), database.worked()
                    results.append(search.find(database.connection, request, PAGE, counted=COUNTED).hits)
                    if number:
                        times = database.worked() - worked, (time.perf_counter() - began) * 1000
                        taken[reader, kind, database.name].append(times)
                if len({tuple(hit.record for hit in hits) for hits in results}) > 1:
                    print(f"the two find different records: {reader}, {request.words}")
    _report(taken)


def _requests(tables: Tables) -> Iterator[tuple[str, str, search.Search]]:
    for reader, scopes in READERS.items():
        for kind, texts in terms().items():
            for text in texts:
                words, part = parse_words(text), 1 if scopes is None else 0
                yield reader, kind, search.Search(tables.search, tables.module("tickets"), words, scopes, part)


def _report(taken: dict[tuple[str, str, str], list[tuple[float, float]]]) -> None:
    print("| reader | words | processor, SQLite | PostgreSQL | ratio | clock, SQLite | PostgreSQL |")
    print("|---|---|---|---|---|---|---|")
    for reader, kind in dict.fromkeys((reader, kind) for reader, kind, _database in taken):
        cells = []
        for measure in (0, 1):
            times = [sorted(row[measure] for row in taken[reader, kind, name]) for name in ("sqlite", "postgresql")]
            one, other = ([share(of_database, part) for part in SHARES] for of_database in times)
            cells += [_joined(one), _joined(other)]
            if not measure:
                cells.append(_joined([theirs / ours for ours, theirs in zip(one, other, strict=True)]))
        print("|", " | ".join([reader, kind, *cells]), "|")
    print("\nMilliseconds: p50 / p95 / p99; the ratio is that of processor time.")


def _joined(numbers: list[float]) -> str:
    return " / ".join(f"{number:.1f}" for number in numbers)


if __name__ == "__main__":
    main(sys.argv[1:])
