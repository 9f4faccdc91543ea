"""The small portal, served in process on a database of its own: four people who can sign in, and an adjustable clock.

The tables and the people are made once per kind of database; every test gets a copy.
"""

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pyramid.router import Router
from webtest import Form, TestApp

from portal.application import make_application
from portal.declaration.load import load
from portal.records.indexing.backlog import running_threads
from portal.settings import ProcessSettings
from portal.web import health_probe
from portal.web.live import LivePortal
from tests.functional.lamp_shop import lamp_shop
from tests.functional.orders_portal import orders
from tests.functional.world import (
    CHEAP,
    PASSWORD,
    PEOPLE_OF_SMALL,
    Clock,
    Rows,
    World,
    make_tables,
    opened_world,
    put_back,
    reset_ids,
    rows_of,
)
from tests.real_parts import PostgreSQL

__all__ = ["lamp_shop", "orders"]  # fixtures of their own files

FORM = re.compile(r'<form\b[^>]*\baction="([^"]*)".*?</form>', re.DOTALL)
SMALL = Path(__file__).parents[1] / "portals" / "small"


def fill(url: str) -> None:
    """Creates the tables of the small portal, and its people."""
    make_tables(load(SMALL).declaration, url, PEOPLE_OF_SMALL)


@pytest.fixture(scope="session", autouse=True)
def patient_probe() -> Iterator[None]:
    """On a slow machine, the health probe waits for the database for as long as it takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(health_probe, "TIMEOUT", 60.0)
        yield


@pytest.fixture(scope="session")
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "portal.sqlite"
    fill(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def filled_postgresql(postgresql: PostgreSQL) -> Iterator[str]:
    with postgresql.empty_database() as url:
        fill(url)
        yield urlsplit(url).path.lstrip("/")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of the small portal with its people; the test runs once on each kind."""
    with small_database(request, tmp_path) as url:
        yield url


@contextlib.contextmanager
def small_database(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """The same for longer-lived fixtures: of the kind in the parameter, SQLite by default."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield f"sqlite:///{shutil.copy(request.getfixturevalue('filled_sqlite'), folder / 'portal.sqlite')}"
    else:
        server, filled = request.getfixturevalue("postgresql"), request.getfixturevalue("filled_postgresql")
        with server.empty_database(like=filled) as url:
            yield url


@pytest.fixture
def portal_folder(tmp_path: Path) -> Path:
    """A copy of the small portal's YAML that tests may change."""
    return Path(shutil.copytree(SMALL, tmp_path / "folder"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def started(folder: Path, database: str, on_loopback: bool = True, **settings: object) -> Router:
    """The portal of a folder as an application, which signs people in fast and notices every change to the files."""
    chosen = {"folder": folder, "database": database, "reload_every": 0, **CHEAP, **settings}
    return make_application(ProcessSettings(**chosen), on_loopback=on_loopback)


@pytest.fixture
def make_app(database: str, portal_folder: Path, clock: Clock) -> Iterator[Callable[..., TestApp]]:
    """A function that starts the portal with other settings: `make_app(base_url="https://care.example")`."""
    with contextlib.ExitStack() as opened:

        def make(**settings: object) -> TestApp:
            application = started(portal_folder, **{"database": database, **settings})
            application.registry.clock = clock
            opened.callback(application.registry.live.close)
            return TestApp(application)

        yield make


@pytest.fixture
def app(make_app: Callable[..., TestApp]) -> TestApp:
    """The small portal in a browser without cookies."""
    return make_app()


@contextlib.contextmanager
def served(request: pytest.FixtureRequest, declare: Callable[[Path], object]) -> Iterator[tuple[Router, Rows]]:
    """The small portal, with its folder changed by `declare`, and everything in its database."""
    folder = request.getfixturevalue("tmp_path_factory").mktemp("small") / "folder"
    declare(Path(shutil.copytree(SMALL, folder)))
    with small_database(request, folder.parent) as url:
        application = started(folder, url)
        yield application, rows_of(application.registry.live.current())
        application.registry.live.close()


@pytest.fixture(scope="session")
def small_portal(request: pytest.FixtureRequest) -> Iterator[tuple[Router, Rows]]:
    """The small portal, started once. A file that needs a changed one has a fixture of this name of its own."""
    with served(request, lambda folder: None) as portal:
        yield portal


@pytest.fixture
def shared_app(small_portal: tuple[Router, Rows], clock: Clock) -> Iterator[TestApp]:
    """The same as `app`, started once for the tests of a file; each test is rolled back."""
    application, rows = small_portal
    live, application.registry.clock = application.registry.live, clock
    yield TestApp(application)
    put_back(live.current(), rows)
    reset_ids(live.current())
    shutil.rmtree(live.folder / "var" / "files", ignore_errors=True)


@contextlib.contextmanager
def changeable(live: LivePortal) -> Iterator[Path]:
    """The YAML of a shared portal, which tests may change; it is restored afterwards."""
    texts = {path: path.read_text() for path in live.folder.rglob("*.yaml")}
    yield live.folder
    for path in set(live.folder.rglob("*.yaml")) - texts.keys():
        path.unlink()
    for path, text in texts.items():
        path.write_text(text)
    live.current()
    live.close()  # after it has kept the declarations
    for thread in running_threads():
        thread.join()


@pytest.fixture
def another_browser(app: TestApp) -> Callable[[], TestApp]:
    """A function that opens the same portal in another browser."""
    return lambda: TestApp(app.app)


@pytest.fixture
def sign_in(app: TestApp) -> Callable[..., TestApp]:
    """A function that signs someone in: `sign_in("anna@acme.example", remember=True)`; returns the browser."""

    def signed_in(email: str, password: str = PASSWORD, browser: TestApp = app, remember: bool = False) -> TestApp:
        fill_in(browser, "/login", {"email": email, "password": password, "remember": remember})
        return browser

    return signed_in


@pytest.fixture
def people(sign_in: Callable[..., TestApp], another_browser: Callable[[], TestApp]) -> dict[str, TestApp]:
    """Browsers of anna, of bruno in the same company, of carla in another one, and of nancy in support."""
    return {wish.email.partition("@")[0]: sign_in(wish.email, browser=another_browser()) for wish in PEOPLE_OF_SMALL}


def form_of(page: object, action: str) -> object:
    """The form of a page that is sent to `action`; others are not parsed, which would take most of a test's time."""
    return Form(page, next(form[0] for form in FORM.finditer(page.text) if unescape(form[1]) == action))


def fill_in(
    browser: TestApp, address: str, values: Mapping[str, object], action: str = "", status: object = 303
) -> Any:
    """Opens a page, fills in the form that is sent to `action` or to the page's own address, and sends it."""
    form = form_of(browser.get(address), action or address)
    for name, value in values.items():
        form[name] = value
    return form.submit(status=status)


# -- one portal for the whole run, see world.py ------------------------------------------------------------------------


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def wide_world(request: pytest.FixtureRequest) -> Iterator[World]:
    with opened_world("wide", request) as world:
        yield world


@pytest.fixture(scope="session")
def wide_rows(wide_world: World) -> Rows:
    return wide_world.rows()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def post_world(request: pytest.FixtureRequest) -> Iterator[World]:
    with opened_world("post", request) as world:
        yield world


@pytest.fixture(scope="session")
def post_rows(post_world: World) -> Rows:
    return post_world.rows()


@pytest.fixture
def post(post_world: World, post_rows: Rows) -> Iterator[World]:
    """The portal that writes letters; each test is rolled back."""
    yield post_world
    post_world.put_back(post_rows)


@pytest.fixture(scope="module")
def filled(request: pytest.FixtureRequest, wide_world: World, wide_rows: dict) -> Iterator[World]:
    """The wide portal with the records made by the file's own `fill(world)`; its tests only read."""
    request.module.fill(wide_world)
    wide_world.kept = wide_world.rows()
    yield wide_world
    wide_world.kept = None
    wide_world.put_back(wide_rows)


@pytest.fixture
def world(wide_world: World, wide_rows: dict) -> Iterator[World]:
    """The wide portal with only its people; what a test adds is removed after it."""
    if wide_world.kept:
        wide_world.put_back(wide_rows)
    yield wide_world
    wide_world.put_back(wide_world.kept or wide_rows)


def without_tokens(page: object) -> str:
    """The text of a page without what differs each time: the token and the keys of its forms."""
    return re.sub(r'name="_(once|csrf|draft)" value="[^"]*"|data-draft="[^"]*"', "", page.text)
