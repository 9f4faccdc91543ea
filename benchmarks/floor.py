"""Each page beside its floor: a bare Pyramid page of the same size, and the page's SQL on a cursor of the driver.

`python -m benchmarks.floor URL [ROUNDS]` prints the processor time of this process for both, and the median of their
ratios. Page and floor are asked for in turn, because a busy machine is slower by half from second to second.
"""

import statistics
import sys
import time
from collections.abc import Callable

from benchmarks import bare
from benchmarks.measuring import wsgi_call
from benchmarks.ours import PEOPLE, Portal, bare_executor, pages, statements
from portal.database.engine import make_engine, reading

ROUNDS, CALLS = 8, 6


def compare(portal: Portal, who: str, path: str, rounds: int) -> tuple[float, float, float]:
    """Milliseconds of a page and of its floor, the least of all rounds; and the median of how many times the floor."""
    body = [portal.get(who, path) for _time in range(3)][-1]
    executed, application = statements(portal, who, path), bare.application(len(body))
    with reading(make_engine(portal.url)) as connection:
        execute = bare_executor(connection)

        def floor() -> None:
            wsgi_call(application, "/tickets")
            for statement, parameters in executed:
                execute(statement, parameters)

        taken = [(_least(lambda: portal.get(who, path)), _least(floor)) for _round in range(rounds)]
    ours, floors = zip(*taken, strict=True)
    return min(ours), min(floors), statistics.median(page / least for page, least in taken)


def print_line(name: str, compared: tuple[float, float, float]) -> None:
    """A page and what `compare` says of it."""
    page, floor, times = compared
    print(f"{name:30} {page:6.2f} ms, floor {floor:5.2f} ms: {times:4.1f} ×", flush=True)


def _least(call: Callable[[], object]) -> float:
    """The least processor time of some calls, in milliseconds."""
    taken = []
    for _call in range(CALLS):
        start = time.process_time()
        call()
        taken.append((time.process_time() - start) * 1000)
    return min(taken)


if __name__ == "__main__":
    portal, rounds = Portal(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else ROUNDS
    for who in PEOPLE:
        for name, paths in pages(portal, who).items():
            print_line(f"{who}: {name}", compare(portal, who, paths[0], rounds))
