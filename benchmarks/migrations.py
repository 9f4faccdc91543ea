"""How long who reads and who saves waits while `portal apply` changes a large table.

    python -m benchmarks.migrations [URL [ROWS]]

While each change is applied, one process reads a record and another saves one, again and again; the longest wait of
each is printed, with what the plan has said. URL: an empty database; without it PostgreSQL is started for this.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path

import sqlalchemy as sa

from benchmarks.servers import create_database, postgresql
from portal.database.engine import make_engine, reading, writing
from portal.database.errors import DatabaseError
from portal.database.migration.plan_and_apply import apply, plan
from portal.database.schema.tables import Tables, build
from portal.declaration.load import load

ROWS = 1_000_000
ROWS_OF_POSTGRESQL = "SELECT value FROM generate_series(1, {}) AS value"
ROWS_OF_SQLITE = (
    "WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < {}) SELECT value FROM n"
)
FIELDS = "title: text, code: {type: text, index: false, search: false}, part: {type: link, to: parts}"
MORE = "note: text, other: {type: link, to: parts}"
CONVERTED = f"{FIELDS.replace('text, index: false', 'integer, index: true')}, {MORE}"
RENAMED = CONVERTED.replace("code: {", "number_of_part: {formerly: code, ")
# What changes → the module, and its fields.
CHANGES = {
    "a column is added": ("things", f"{FIELDS}, note: text"),
    "a link is added, with its index": ("things", f"{FIELDS}, {MORE}"),
    "an index is made": ("things", f"{FIELDS.replace('index: false', 'index: true')}, {MORE}"),
    "values are converted": ("things", CONVERTED),
    "a field is renamed": ("things", RENAMED),
    "a module is renamed": ("items", RENAMED),
}
names = ["things", "items"]  # of the module; the first one is tried first


def declared(folder: Path, module: str, fields: str) -> Tables:
    """The tables of a portal with these fields of things, or items."""
    (folder / "profiles").mkdir(exist_ok=True)
    (folder / "profiles/staff.yaml").write_text("staff: true\nmodules: {}\n", encoding="utf-8")
    renamed = "" if module == "things" else "formerly: things, "
    modules = f"modules:\n  parts: {{fields: {{name: text}}}}\n  {module}: {{{renamed}fields: {{{fields}}}}}\n"
    (folder / "modules.yaml").write_text(modules, encoding="utf-8")
    loaded = load(folder)
    if loaded.declaration is None:
        raise ValueError("\n".join(map(str, loaded.errors)))
    return build(loaded.declaration)


def fill(engine: sa.Engine, rows: int) -> None:
    """The rows of things, each with a number as its code."""
    numbers = (ROWS_OF_POSTGRESQL if engine.name == "postgresql" else ROWS_OF_SQLITE).format(rows)
    values = "value, value, CAST(value AS TEXT), 'A thing', CAST(value AS TEXT), 1"
    with writing(engine) as connection:
        connection.exec_driver_sql(
            f"INSERT INTO things (id, number, reference, title, code, _version) SELECT {values} FROM ({numbers}) AS n"
        )


def read(engine: sa.Engine) -> None:
    """What a page does. A renamed module is read under its new name from then on."""
    try:
        with reading(engine) as connection:
            connection.exec_driver_sql(f"SELECT title FROM {names[0]} WHERE id = 17").scalar()
    except sa.exc.DBAPIError:
        names.reverse()


def save(engine: sa.Engine) -> None:
    """What a form does. Where the table has changed meanwhile it is sent again."""
    with contextlib.suppress(*DatabaseError), writing(engine) as connection:
        connection.exec_driver_sql(f"UPDATE {names[0]} SET title = 'Another' WHERE id = 18")


def wait(url: str, act: Callable[[sa.Engine], None], stopped: Event, waits: Queue[float]) -> None:
    """In a process of its own: acts again and again until stopped, then says how long that took at most."""
    engine = make_engine(url)
    longest = 0.0
    while not stopped.is_set():
        start = time.perf_counter()
        act(engine)
        longest = max(longest, time.perf_counter() - start)
        time.sleep(0.005)
    waits.put(longest * 1000)


def longest_wait(url: str, act: Callable[[sa.Engine], None], run: Callable[[], object]) -> float:
    """The milliseconds for which someone waits at most while `run` runs."""
    stopped = multiprocessing.Event()
    waits: Queue[float] = multiprocessing.Queue()
    process = multiprocessing.Process(target=wait, args=(url, act, stopped, waits))
    process.start()
    time.sleep(2)  # until it has begun
    run()
    stopped.set()
    longest: float = waits.get()
    process.join()
    return longest


def measure(url: str, engine: sa.Engine, tables: Tables) -> str:
    """Applies a change, and says how long it took and who waited for how long."""
    planned = plan(engine, tables)
    took: list[float] = []
    saves: list[float] = []

    def change() -> None:
        start = time.perf_counter()
        apply(engine, tables)
        took.append(time.perf_counter() - start)

    before = longest_wait(url, read, lambda: time.sleep(3))
    reads = longest_wait(url, read, lambda: saves.append(longest_wait(url, save, change)))
    waits = f"longest read {reads:,.0f} ms (before: {before:,.0f}), longest save {saves[0]:,.0f} ms"
    return "\n    ".join([f"{took[0]:.1f} s; {waits}", *(step.planned for step in planned.steps)])


def main(url: str, rows: int) -> None:
    """Prints for each change how long it takes and who waits, and its plan."""
    engine = make_engine(url)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        apply(engine, declared(folder, "things", FIELDS))
        fill(engine, rows)
        for name, (module, fields) in CHANGES.items():
            tables = declared(folder, module, fields)
            print(f"{name}: {measure(url, engine, tables)}", flush=True)
            left = plan(engine, tables)
            if left.steps:
                raise ValueError(f"after that something is left to do: {left}")
    engine.dispose()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else ROWS)
    else:
        with tempfile.TemporaryDirectory() as data:
            Path(data).chmod(0o755)  # the server may run as another user
            with postgresql(Path(data)) as pattern:
                if pattern is not None:
                    create_database(pattern, "migrations")
                    main(pattern.format(name="migrations"), ROWS)
