"""The fixtures for all tests: empty databases, a browser, a served application, a folder of real files.

Each starts only when a test uses it. Fixtures that know the product are next to the tests that use them.
"""

import contextlib
import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, Page

from tests.real_parts import PostgreSQL, page_opener, running_browser, running_postgresql, serving, unavailable

# In memory, if there is plenty: each commit of a database on a disk waits for it, a fifth of the time of all tests.
MEMORY, ENOUGH = Path("/dev/shm"), 4 * 2**30  # noqa: S108 - bytes
if MEMORY.is_dir() and "TMPDIR" not in os.environ and shutil.disk_usage(MEMORY).free >= ENOUGH:
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

# The machine that runs the tests may be slow or busy, which is not the fault of an example or its strategy. Fixtures
# are made once for all examples of a test.
ALLOWED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("portal", parent=settings(), max_examples=50, deadline=None, suppress_health_check=ALLOWED)
settings.load_profile("portal")

# Compiled once for all processes of a run and for later runs: it would take each of them some seconds.
os.environ.setdefault("PORTAL_COMPILED", str(Path(__file__).parents[1] / "var" / "templates"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the PostgreSQL variants of tests marked `sqlite_suffices`."""
    calls = {item: getattr(item, "callspec", None) for item in items if item.get_closest_marker("sqlite_suffices")}
    left_out = {item for item, call in calls.items() if call and "postgresql" in call.params.values()}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish() -> None:
    """Excludes what was imported and collected from garbage collection: it stays until the end."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    with running_postgresql() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: PostgreSQL) -> Iterator[str]:
    """An empty PostgreSQL database."""
    with postgresql.empty_database() as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'portal.sqlite'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database; the test runs once on each kind."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with running_browser() as chromium:
        yield chromium


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """A function that opens a page of its own, with Playwright's options: `open_page(java_script_enabled=False)`."""
    with page_opener(browser) as opener:
        yield opener


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()


@pytest.fixture
def live_server() -> Iterator[Callable[..., str]]:
    """A function that serves a WSGI application until the test ends and returns its address."""
    with contextlib.ExitStack() as served:
        yield lambda application: served.enter_context(serving(application))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder that PORTAL_TEST_DATA names: real files, too large or too foreign to be kept here."""
    folder = os.environ.get("PORTAL_TEST_DATA")
    if not folder:
        pytest.skip("PORTAL_TEST_DATA names no folder of real files")
    if not Path(folder).is_dir():
        unavailable(f"PORTAL_TEST_DATA names {folder}, which is no folder")
    return Path(folder)
