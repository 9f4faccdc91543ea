"""The demo portal, served once for all tests in this folder, and people who sign in to it with a real browser.

The tests share the database: each works on its own tickets, or only reads.
"""

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, expect

from portal.application import make_application
from portal.commands import main as portal
from portal.database.engine import writing
from portal.settings import ProcessSettings
from tests.browser.walking import FOLDER, sign_in, ticket
from tests.portal_files import copied
from tests.real_parts import PAGE_TIMEOUT, made_once, serving

MORE_TICKETS = 60  # enough for a second and a third page

expect.set_options(timeout=PAGE_TIMEOUT)


def run(*arguments: str) -> str:
    """The output of a portal command, which must succeed."""
    result = CliRunner().invoke(portal, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo's declarations with its database filled."""

    def fill(folder: Path) -> None:
        copied(FOLDER, folder)
        run("apply", "--folder", str(folder))
        run("demo", "--tickets", str(MORE_TICKETS), "--folder", str(folder))

    return shutil.copytree(made_once(tmp_path_factory, "filled-demo", fill), tmp_path_factory.mktemp("demo") / "portal")


@pytest.fixture(scope="session")
def application(demo_folder: Path) -> Iterator[Any]:
    """The demo as an application."""
    application = make_application(ProcessSettings(folder=demo_folder))
    yield application
    application.registry.live.engine.dispose()


@pytest.fixture(scope="session")
def address(application: Any) -> Iterator[str]:
    """The address of the demo, without a trailing slash."""
    with serving(application) as address:
        yield address


@pytest.fixture(autouse=True)
def forget_drafts_and_views(application: Any) -> Iterator[None]:
    """Drafts and list settings of a test do not reappear in the next one."""
    yield
    portal = application.registry.live.current()
    with writing(portal.engine) as connection:
        connection.execute(sa.delete(portal.tables.draft))
        connection.execute(sa.delete(portal.tables.saved_view))


@pytest.fixture(scope="session")
def passwords() -> dict[str, tuple[str, str]]:
    """The demo's accounts: profile, or “other” for the customer of another company, to e-mail address and password."""
    with (FOLDER / "demo" / "accounts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = {row["profile"]: (row["email"], row["password"]) for row in reversed(rows)}
    return {**found, "other": (rows[-1]["email"], rows[-1]["password"])}


@pytest.fixture(scope="session")
def signed_in(browser: Browser, address: str, passwords: dict[str, tuple[str, str]]) -> Callable[[str], Any]:
    """A function that returns the cookies of someone who has signed in, once for all tests."""
    states: dict[str, Any] = {}

    def state(profile: str) -> Any:
        if profile not in states:
            context = browser.new_context(base_url=address)
            context.set_default_timeout(PAGE_TIMEOUT)
            page = context.new_page()
            sign_in(page, *passwords[profile])
            states[profile] = context.storage_state()
            context.close()
        return states[profile]

    return state


@pytest.fixture
def visit(open_page: Callable[..., Page], address: str, signed_in: Callable[[str], Any]) -> Callable[..., Page]:
    """A function that opens a page as someone: `visit("customer", "/tickets/", viewport=…)`; "" is a stranger."""

    def opened(profile: str, path: str = "/", **options: Any) -> Page:
        state = {"storage_state": signed_in(profile)} if profile else {}
        page = open_page(base_url=address, **{"locale": "en-GB", **state, **options})
        page.goto(path)
        return page

    return opened


@pytest.fixture
def new_ticket(visit: Callable[..., Page]) -> Callable[..., str]:
    """A function that makes a ticket of the customer's own and returns its address."""
    return lambda title, **fields: ticket(visit("customer", "/tickets/create"), title, **fields)
