"""`make bench`: fills the databases that are missing, measures everything, prints and keeps the results.

QUICK=1 measures small tables for a short time; it ends within three minutes. MILLIONS=10 measures ten million tickets
too. BENCH_SECONDS is how long each page is asked for. BENCH_FOLDER says where databases and the rivals' virtualenv are
kept from run to run. Nothing here decides a test: times depend on the machine.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

from benchmarks.filling import fill
from benchmarks.results import Results
from benchmarks.servers import create_database, postgresql
from benchmarks.writing import copied

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("BENCH_FOLDER") or Path(tempfile.gettempdir()) / "portal-bench")
QUICK = os.environ.get("QUICK", "") not in ("", "0")
MILLIONS = int(os.environ.get("MILLIONS") or 1)
SIZES = (10_000,) if QUICK else tuple(dict.fromkeys([10_000, 100_000, 1_000_000, MILLIONS * 1_000_000]))
SECONDS = float(os.environ.get("BENCH_SECONDS") or (0.2 if QUICK else 1.5))
TIMEOUT = 3600  # seconds for each part


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    FOLDER.chmod(0o755)  # PostgreSQL runs as a user of its own
    results = Results()
    rivals = _virtualenv(results)
    with postgresql(FOLDER) as server:
        for size in SIZES:
            for kind, url in _databases(server, size).items():
                print(f"measuring {size:,} tickets on {kind} …", flush=True)
                results.ours[kind, size] = _program(sys.executable, "-m", "benchmarks.ours", url, str(SECONDS))
        print("measuring eight writers at once …", flush=True)
        file = copied(FOLDER / f"tickets_{SIZES[min(1, len(SIZES) - 1)]}.sqlite", FOLDER)
        results.writers = _program(sys.executable, "-m", "benchmarks.writing", file, str(10 * SECONDS))
        length = int(results.ours["sqlite", SIZES[-1]]["staff: list"]["bytes"])
        results.bare = _program(sys.executable, "-m", "benchmarks.bare", str(length), str(SECONDS))
        if rivals:
            _measure_rivals(results, rivals, server)
    _report(results)


def _databases(server: str | None, size: int) -> dict[str, str]:
    """The addresses of both databases of a size; filled now where they were not before."""
    urls = {"sqlite": f"sqlite:///{FOLDER / f'tickets_{size}.sqlite'}"}
    if server:
        urls["postgresql"] = server.format(name=f"tickets_{size}")
    for kind, url in urls.items():
        mark = FOLDER / f"{kind}_{size}.filled"
        if not mark.exists():
            print(f"filling {size:,} tickets into {kind} …", flush=True)
            began = time.monotonic()
            _empty(kind, server, size)
            fill(url, size)
            mark.write_text(f"{time.monotonic() - began:.0f} seconds\n")
    return urls


def _empty(kind: str, server: str | None, size: int) -> None:
    if kind == "postgresql" and server:
        create_database(server, f"tickets_{size}")
    for left in FOLDER.glob(f"tickets_{size}.sqlite*") if kind == "sqlite" else ():
        left.unlink()


def _virtualenv(results: Results) -> Path | None:
    """The rivals' Python; None, with a sentence, where they cannot be had."""
    folder = FOLDER / "rivals"
    python = folder / "bin" / "python"
    if (folder / ".installed").exists():
        return python
    print("installing what is compared …", flush=True)
    venv.create(folder, with_pip=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "-r", str(HERE / "requirements.txt")]
    if subprocess.run(install, check=False).returncode:
        results.left_out.append("Django's admin and Datasette are left out: they could not be installed.")
        return None
    (folder / ".installed").touch()
    return python


def _measure_rivals(results: Results, python: Path, server: str | None) -> None:
    file = FOLDER / f"tickets_{SIZES[-1]}.sqlite"
    databases = {"sqlite": str(file)}
    if server:
        databases["postgresql"] = f"{FOLDER / 'postgresql'} tickets_{SIZES[-1]}"
    for kind, database in databases.items():
        print(f"measuring Django's admin on {kind} …", flush=True)
        results.django[kind] = _program(str(python), str(HERE / "rivals" / "django_admin.py"), database, str(SECONDS))
    print("measuring Datasette …", flush=True)
    results.datasette = _program(str(python), str(HERE / "rivals" / "datasette_pages.py"), str(file), str(SECONDS))


def _program(*command: str) -> dict[str, Any]:
    """A part of the benchmark in a process of its own, so that its memory is its own."""
    done = subprocess.run(command, cwd=HERE.parent, stdout=subprocess.PIPE, timeout=TIMEOUT, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")
    return json.loads(done.stdout)


def _report(results: Results) -> None:
    text = "\n".join(results.lines())
    print(text)
    folder = FOLDER / "results"
    folder.mkdir(exist_ok=True)
    (folder / "RESULTS.md").write_text(f"# How fast the portal is\n{text}\n", encoding="utf-8")
    (folder / "growth.svg").write_text(results.plot(), encoding="utf-8")
    print(f"\nkept in {folder}")


if __name__ == "__main__":
    main()
