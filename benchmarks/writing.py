"""Eight people who make tickets at once, each in a thread, through the application: how long each waits for the answer.

`python -m benchmarks.writing URL SECONDS` prints JSON. It writes: give it a copy, `copied` makes one of an SQLite file.
"""

import json
import shutil
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.measuring import share
from benchmarks.ours import Portal, creations

PEOPLE = 8


def copied(file: Path, folder: Path) -> str:
    """The address of a copy of an SQLite database that nobody uses at the moment."""
    copy = folder / f"written_{file.name}"
    for left in folder.glob(f"{copy.name}*"):
        left.unlink()
    shutil.copyfile(file, copy)
    return f"sqlite:///{copy}"


def eight_writers(portal: Portal, seconds: float) -> dict[str, float | str]:
    """Milliseconds until the answer, and every kind of refusal with how often it came."""
    refused: Counter[str] = Counter()
    begin = threading.Barrier(PEOPLE)
    calls = [creations(portal, who) for who in ("staff", "many") * (PEOPLE // 2)]

    def work(person: int) -> list[float]:
        times = []
        begin.wait()
        end = time.perf_counter() + seconds
        while (start := time.perf_counter()) < end:
            try:
                calls[person]()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is counted and shown
                refused[f"{type(error).__name__}: {error}"] += 1
            times.append((time.perf_counter() - start) * 1000)
        return times

    with ThreadPoolExecutor(PEOPLE) as pool:
        taken = sorted(milliseconds for times in pool.map(work, range(PEOPLE)) for milliseconds in times)
    shares = {f"p{percent}": share(taken, percent / 100) for percent in (50, 95, 99)}
    most = "; ".join(f"{count} × {what}" for what, count in refused.most_common(3))
    return {**shares, "longest": taken[-1], "per_second": len(taken) / seconds, "errors": refused.total(), "most": most}


if __name__ == "__main__":
    json.dump({"eight writers at once": eight_writers(Portal(sys.argv[1]), float(sys.argv[2]))}, sys.stdout)
