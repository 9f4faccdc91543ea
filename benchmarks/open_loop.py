"""How long people wait at half load: `python -m benchmarks.open_loop URL [SECONDS]`, on a database that is filled.

A web process of its own answers. First it is asked for the next page as soon as it has answered, which says how many it
answers in a second. Then half as many are asked for, at fixed moments, whether or not the earlier ones are answered:
a page counts from the moment at which it should have been asked for, so that what one slow page holds up counts too.
"""

import itertools
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from benchmarks.measuring import share
from benchmarks.ours import PEOPLE, Portal
from benchmarks.replica import Client, pages_a_second, request, requests_of, web_process
from benchmarks.search import terms

CONNECTIONS = 16
SECONDS = 20.0
SHARES = (0.5, 0.95, 0.99, 1.0)


def searches_of(portal: Portal) -> list[bytes]:
    """The requests of all people for all terms that the benchmark of the search has."""
    texts = [text for of_kind in terms().values() for text in of_kind]
    return [request(portal, who, f"/tickets/?q={quote(text)}") for text in texts for who in PEOPLE]


def waits(port: int, requests: list[bytes], a_second: float, seconds: float) -> list[float]:
    """Milliseconds from the moment at which each page was due to its last byte, sorted."""
    numbers, start = itertools.count(), time.perf_counter() + 0.1
    last = int(a_second * seconds)

    def ask(connection: int) -> list[float]:
        client, taken = Client(port, requests, connection), []
        while (number := next(numbers)) < last:
            due = start + number / a_second
            time.sleep(max(0.0, due - time.perf_counter()))
            client.next = number
            client.send()
            while not client.receive():
                pass
            taken.append((time.perf_counter() - due) * 1000)
        client.connection.close()
        return taken

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return sorted(itertools.chain.from_iterable(pool.map(ask, range(CONNECTIONS))))


def main(url: str, seconds: float) -> None:
    portal = Portal(url)
    print("| | answered a second | asked for | p50 ms | p95 ms | p99 ms | longest ms |")
    print("|---|---|---|---|---|---|---|")
    for kind, requests in {"pages": requests_of(portal), "searches": searches_of(portal)}.items():
        random.Random(1).shuffle(requests)
        with web_process(url) as port:
            pages_a_second([port], requests)  # its templates and statements are read then
            half = pages_a_second([port], requests) / 2
            taken = waits(port, requests, half, seconds)
        shown = " | ".join(f"{share(taken, part):.0f}" for part in SHARES)
        print(f"| {kind} | {2 * half:.0f} | {half:.0f} | {shown} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS)
