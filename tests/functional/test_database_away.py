"""The database ends a connection, or answers read-only, while people work: one more try, or 503 with Retry-After."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.database.engine import make_engine
from tests.functional.conftest import PASSWORD, fill_in, form_of

ANNA = "anna@acme.example"
PAGES = ["/", "/tickets/", "/tickets/?q=printer", "/tickets/create", "/search?q=printer", "/password"]


def engine_of(app):
    return app.app.registry.live.engine


class Interruption:
    """Ends the portal's own connection to PostgreSQL before the statement of a number, once."""

    def __init__(self, engine, url):
        self.url, self.remaining = url, None
        sa.event.listen(engine, "before_cursor_execute", self)

    def __call__(self, connection, cursor, *_others):
        if self.remaining is None:
            return
        self.remaining -= 1
        if self.remaining == 0:
            self.remaining = None
            other = make_engine(self.url)
            with other.connect() as beside:
                beside.exec_driver_sql(f"SELECT pg_terminate_backend({cursor.connection.info.backend_pid}, 5000)")
            other.dispose()


@pytest.fixture
def database(postgresql, filled_postgresql):
    """Only PostgreSQL: SQLite has no connections that others could end."""
    with postgresql.empty_database(like=filled_postgresql) as url:
        yield url


@pytest.mark.parametrize("page", PAGES)
def test_a_connection_that_ends_while_a_page_is_read_is_tried_again(database, app, sign_in, page):
    sign_in(ANNA)
    interruption = Interruption(engine_of(app), database)
    number, interrupted = 0, True
    while interrupted:
        number += 1
        interruption.remaining = number
        answer = app.get(page, status="*")
        assert (answer.status_int, number) == (200, number)
        interrupted = interruption.remaining is None
    assert number > 1


def test_a_connection_that_ends_while_a_form_is_sent_gives_503_and_a_way_to_try_again(database, app, sign_in):
    sign_in(ANNA)
    interruption = Interruption(engine_of(app), database)
    number, interrupted = 0, True
    while interrupted and number < 100:
        number += 1
        form = form_of(app.get("/tickets/create"), "/tickets/create")
        interruption.remaining = number
        answer = form.submit(status="*")
        assert answer.status_int in (200, 303, 422, 503), (number, answer)
        assert answer.status_int != 503 or answer.headers["Retry-After"]
        interrupted = interruption.remaining is None


def test_a_database_that_answers_read_only_gives_503_until_it_can_be_written_again(database, app, sign_in):
    """Like a primary that became a standby; pages can still be read."""
    sign_in(ANNA)
    read_only(database, True)
    form = form_of(app.get("/tickets/create"), "/tickets/create")
    form["title"] = "Printer"
    refused = form.submit(status=503)
    assert refused.html.main.find("a", class_="primary").get_text(strip=True) == "Try again"
    assert int(refused.headers["Retry-After"]) > 0
    assert app.get("/tickets/").status_int == 200
    read_only(database, False)
    assert form.submit().status_int == 303


def test_while_others_hold_what_it_needs_the_portal_says_that_it_is_busy(database, make_app, sign_in):
    app = make_app(database=with_option(database, "lock_timeout=1ms"))
    sign_in(ANNA, browser=app)
    form = form_of(app.get("/tickets/create"), "/tickets/create")
    form["title"] = "Printer"
    other = make_engine(database)
    with other.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE tickets")
        assert "The portal is busy. Please try again." in app.get("/tickets/", status=503)
        assert "The portal is busy and nothing was saved. Please try again." in form.submit(status=503)
    other.dispose()
    assert form.submit().status_int == 303


def with_option(url, setting):
    """The address of a database whose connections start with this setting."""
    return sa.make_url(url).update_query_dict({"options": f"-c {setting}"}).render_as_string(hide_password=False)


def read_only(url, on):
    """Makes new connections read-only, and ends the portal's own, as a failing server would."""
    other = make_engine(url)
    with other.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = off")
        name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = {'on' if on else 'off'}")
        if on:
            others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            connection.exec_driver_sql(f"{others} WHERE pid <> pg_backend_pid() AND datname = current_database()")
    other.dispose()


def test_a_read_only_file_gives_503_when_something_is_written(filled_sqlite, make_app):
    app = make_app(database=f"sqlite:///file:{filled_sqlite}?mode=ro&uri=true")
    assert int(fill_in(app, "/login", {"email": ANNA, "password": PASSWORD}, status=503).headers["Retry-After"]) > 0


PATHS = [
    "/", "/login", "/tickets/", "/tickets/1/", "/tickets/create", "/search?q=x", "/tickets/export.csv", "/account/",
    "/password", "/password/reset/x", "/-/outbox", "/-/problems", "/nothing",
]  # fmt: skip


def test_every_page_says_so_while_the_database_is_away(make_app, database, sign_in):
    if not database.startswith("sqlite"):
        pytest.skip("a file is taken away")
    app = make_app()
    sign_in(ANNA, browser=app)
    token = form_of(app.get("/"), "/logout")["_csrf"].value
    app.app.registry.live.engine.dispose()
    file = Path(database.removeprefix("sqlite:///"))
    for path in file.parent.glob(f"{file.name}*"):
        path.unlink()
    file.mkdir()
    for path in PATHS:
        answer = app.get(path, status="*")
        assert (answer.status_int, int(answer.headers["Retry-After"]) > 0) == (503, True), path
    for path in ("/login", "/logout", "/tickets/create", "/password", "/language"):
        answer = app.post(path, {"_csrf": token, "email": ANNA, "password": "x"}, status="*")
        assert (answer.status_int, int(answer.headers["Retry-After"]) > 0) == (503, True), path
    assert app.get("/-/health", status="*").status_int == 503
