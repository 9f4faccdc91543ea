"""Datasette on the same SQLite file, with a query written by hand for each page and its own page of the result.

`python datasette_pages.py FILE SECONDS` prints JSON. It has neither rights nor counts, filters or paging here: it is
the measure for how fast a page that shows a known query can be.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from datasette.app import Datasette

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.measuring import RefusedPageError, Timing, memory
from benchmarks.words import RARE

COLUMNS = "tickets.id, reference, title, status, urgency, assignee, due, tickets.modified, comments"
LIST = f"SELECT {COLUMNS} FROM tickets ORDER BY modified DESC, id DESC LIMIT 25"
SEARCH = f"""
SELECT {COLUMNS} FROM portal_search_fts JOIN portal_search ON portal_search.seq = portal_search_fts.rowid
JOIN tickets ON tickets.id = portal_search.record
WHERE portal_search_fts MATCH '"_mtickets" AND "' || :q || '"*' ORDER BY portal_search_fts.rowid DESC LIMIT 25
"""


async def ask(application: Any, path: str, query: str = "") -> int:
    """One page, without a server between."""
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
             "path": path, "raw_path": path.encode(), "query_string": query.encode(),
             "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1), "server": ("localhost", 80)}  # fmt: skip
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    if sent[0]["status"] != 200:
        raise RefusedPageError(f"{path}: {sent[0]['status']}")
    return sum(len(message.get("body", b"")) for message in sent[1:])


async def measure(application: Any, pages: list[tuple[str, str]], seconds: float) -> Timing:
    """As measuring.measure does, but within the loop of events that Datasette lives in."""
    for page in pages:
        size = await ask(application, *page)
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(taken) < 5:
        for page in pages:
            start = time.perf_counter()
            await ask(application, *page)
            taken.append((time.perf_counter() - start) * 1000)
    taken.sort()
    return Timing(taken[len(taken) // 2], taken[int(len(taken) * 0.95)], 1000 * len(taken) / sum(taken), 0.0, size)


async def main() -> None:
    file, seconds = Path(sys.argv[1]), float(sys.argv[2])
    queries = {"list": {"sql": LIST}, "search": {"sql": SEARCH}}
    metadata = {"databases": {file.stem: {"queries": queries}}}
    site = Datasette([str(file)], metadata=metadata, settings={"num_sql_threads": 1})
    await site.invoke_startup()
    application = site.app()
    newest = [row[0] for row in (await site.get_database(file.stem).execute(LIST)).rows]
    timings = {
        "list": await measure(application, [(f"/{file.stem}/list", "")], seconds),
        "search, rare word": await measure(application, [(f"/{file.stem}/search", f"q={RARE}")], seconds),
        "detail": await measure(
            application, [(f"/{file.stem}/tickets/{ticket}", "") for ticket in newest[:20]], seconds
        ),
    }
    json.dump({**{name: timing.as_row() for name, timing in timings.items()}, "memory": memory()}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
