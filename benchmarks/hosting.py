"""What a hundred portals in one process cost: memory of each, and how long its first page takes.

    python -m benchmarks.hosting DATABASE [PORTALS]

Each is a copy of the demo's declarations. DATABASE is as in PORTAL_DATABASE, with {folder} where each portal differs,
such as postgresql://user:password@host/empty_database?schema={folder}, or sqlite:///var/portal.sqlite. Databases and
files are left in a folder for temporary files.
"""

from __future__ import annotations

import gc
import io
import multiprocessing
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measuring import share
from portal.application import host_portals
from portal.database.engine import make_engine
from portal.database.migration.plan_and_apply import apply
from portal.database.schema.tables import build
from portal.declaration.load import load
from portal.settings import ProcessSettings

DEMO = Path(__file__).parents[1]
DECLARATIONS = ("modules.yaml", "buttons.yaml", "profiles", "demo", "logo.svg")


def make_portals(settings: ProcessSettings, portals: int) -> list[str]:
    """The folders of so many portals with their tables; their names."""
    names = [f"portal-{number}.example" for number in range(portals)]
    for name in names:
        one = settings.for_portal(Path(settings.hosted or "") / name)
        one.folder.mkdir()
        for part in DECLARATIONS:
            copy = shutil.copytree if (DEMO / part).is_dir() else shutil.copy
            copy(DEMO / part, one.folder / part)
        one.make_database_folder()
        declaration = load(one.folder).declaration
        if declaration is None:
            raise ValueError("the demo has mistakes: see portal check")
        engine = make_engine(one.database_url)
        apply(engine, build(declaration))
        engine.dispose()
    return names


def seconds_of_page(application: Any, name: str) -> float:
    """How long the sign-in page of a portal takes."""
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/login", "SCRIPT_NAME": "", "QUERY_STRING": "", "HTTP_HOST": name,
        "SERVER_NAME": name, "SERVER_PORT": "443", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr, "wsgi.version": (1, 0),
    }  # fmt: skip
    answered = []
    began = time.perf_counter()
    b"".join(application(environ, lambda status, _headers, *_error: answered.append(status)))
    if answered != ["200 OK"]:
        raise ValueError(f"{name} answers {answered}")
    return time.perf_counter() - began


def megabytes() -> float:
    """What this process holds in memory now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def measure(settings: ProcessSettings, names: list[str]) -> None:
    """Opens every portal but the last one, and prints the figures."""
    application, most_kept = host_portals(settings), settings.loaded_portals
    seconds_of_page(application, names[-1])  # compiles the templates, once for all
    before = megabytes()
    firsts = sorted(seconds_of_page(application, name) for name in names[:-1])
    each_takes = (megabytes() - before) / len(firsts)
    again = sorted(seconds_of_page(application, name) for name in names[-1 - min(most_kept, len(firsts)) : -1])
    print(
        f"{most_kept} kept in memory: {each_takes:.1f} MB for each portal; first page p50 {share(firsts, 0.5):.2f} s,"
        f" at most {firsts[-1]:.2f} s; next page of one that is kept {share(again, 0.5) * 1000:.1f} ms"
    )


def main(database: str, portals: int = 100) -> None:
    """Measures with all portals kept in memory, and with the default, each in a process of its own."""
    folder = Path(tempfile.mkdtemp(prefix="portal-hosting-"))
    settings = ProcessSettings(
        hosted=folder, database=database, base_url="https://{folder}", compiled=folder / "templates"
    )
    names = make_portals(settings, portals + 1)
    print(f"{portals} portals, each a copy of the demo, in {folder}")
    for most_kept in (portals + 1, settings.loaded_portals, 1):
        one_run = settings.model_copy(update={"loaded_portals": most_kept})
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(one_run, names))
        process.start()
        process.join()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
