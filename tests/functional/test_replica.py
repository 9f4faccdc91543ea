"""Pages are read from a real streaming replica, which lags or dies: everyone sees their own changes."""

import pytest
import sqlalchemy as sa
from webtest import TestApp

from portal.database.engine import DatabaseUnreachableError, make_engine, reading, writing
from portal.database.errors import DatabaseError, Failure, classify, connection_ended
from portal.database.replica import MOST_LAG, WRITTEN
from tests.functional.conftest import fill_in

ANNA = "anna@acme.example"


@pytest.fixture(scope="module")
def standby(postgresql, filled_postgresql):
    with postgresql.replica() as server:
        yield server


@pytest.fixture
def database(postgresql, filled_postgresql):
    with postgresql.empty_database(like=filled_postgresql) as url:
        yield url


@pytest.fixture
def read_url(standby, database):
    return standby.url(sa.make_url(database).database)


@pytest.fixture
def app(make_app, database, read_url):
    return make_app(database_read=read_url)


@pytest.fixture
def seconds(app):
    """The clock for the replica's rules, which stands still until a test moves it."""
    moment = [0.0]
    replica_of(app)._clock = lambda: moment[0]
    return moment


@pytest.fixture
def answered_by(app, seconds):
    """A function that opens a page and says which server read its records."""
    servers = set()
    engines = {"primary": replica_of(app).primary, "replica": replica_of(app).engine}
    for name, engine in engines.items():

        def listen(_connection, _cursor, statement, *_others, name=name):
            if "tickets" in statement:
                servers.add(name)

        sa.event.listen(engine, "before_cursor_execute", listen)

    def answered(path="/tickets/", status=200, browser=app):
        servers.clear()
        page = browser.get(path, status=status)
        return page, "+".join(sorted(servers))

    return answered


def replica_of(app):
    return app.app.registry.live.replica


def follow(standby, app):
    """Waits until the replica may answer readers: it has replayed everything up to the last page read.

    The server's own work keeps writing to the log, so that the next page's position is later again.
    """
    app.get("/tickets/")
    position = replica_of(app).position()
    for _attempt in range(10_000):
        if standby.ask(f"SELECT pg_last_wal_replay_lsn() - '0/0' >= {position} FROM pg_sleep(0.002)"):
            return
    pytest.fail("the replica does not follow")


@pytest.fixture
def paused(standby):
    """A function that pauses replay: the replica keeps receiving the log, but replays nothing until the test ends."""
    yield lambda: standby.ask("SELECT pg_wal_replay_pause()::text")
    standby.ask("SELECT pg_wal_replay_resume()::text")


def create(app, title):
    return fill_in(app, "/tickets/create", {"title": title})


def test_pages_are_read_from_the_replica_and_forms_saved_on_the_primary(app, standby, sign_in, answered_by):
    sign_in(ANNA)
    created = create(app, "Printer on fire")
    follow(standby, app)
    for path in ("/tickets/", created.location, "/tickets/?q=printer", "/search?q=printer"):
        page, server = answered_by(path)
        assert ("Printer on fire" in page, server) == (True, "replica"), path


def test_people_see_their_own_changes_even_if_the_replica_lags(app, standby, sign_in, answered_by, paused, seconds):
    sign_in(ANNA)
    other = sign_in("bruno@acme.example", browser=TestApp(app.app))
    follow(standby, app)
    answered_by(browser=other)
    paused()
    create(app, "Only on the primary")
    page, server = answered_by()
    assert ("Only on the primary" in page, server) == (True, "primary")
    seconds[0] += MOST_LAG - 0.1
    page, server = answered_by(browser=other)
    assert ("Only on the primary" in page, server) == (False, "replica"), "others read what was there a moment ago"
    seconds[0] += 0.2
    page, server = answered_by(browser=other)
    assert ("Only on the primary" in page, server) == (True, "primary"), "and not for longer"
    standby.ask("SELECT pg_wal_replay_resume()::text")
    follow(standby, app)
    assert [answered_by(browser=one)[1] for one in (app, other)] == ["replica", "replica"]


def test_rights_are_those_of_the_primary_though_the_replica_lags(app, standby, sign_in, answered_by, paused):
    sign_in(ANNA)
    follow(standby, app)
    assert answered_by()[1] == "replica"
    paused()
    accounts = app.app.registry.live.current().tables.account
    account = sa.update(accounts).where(accounts.c["email"] == ANNA)
    with writing(replica_of(app).primary) as connection:
        connection.execute(account.values(profile="power"))
    assert answered_by()[1] == "primary", "records are not read by rights of another moment"
    with writing(replica_of(app).primary) as connection:
        connection.execute(account.values(disabled=True))
    assert app.get("/tickets/").location.endswith("/login?next=%2Ftickets%2F")


def test_a_replica_that_dies_is_replaced_by_the_primary(make_app, postgresql, database, sign_in):
    with postgresql.replica() as server:
        app = make_app(database_read=server.url(sa.make_url(database).database))
        sign_in(ANNA, browser=app)
        create(app, "Printer")
        follow(server, app)
        assert "Printer" in app.get("/tickets/")
        assert replica_of(app).engine.pool.checkedin()
        server.kill()
        assert ["Printer" in app.get("/tickets/") for _attempt in range(3)] == [True] * 3
        assert replica_of(app).engine.pool.checkedin() == 0
        assert "Printer" in make_app(database_read=replica_of(app).engine.url.render_as_string()).get(
            "/tickets/", headers={"Cookie": cookies(app)}
        ), "a portal starts without it"


def cookies(app):
    return "; ".join(f"{name}={value}" for name, value in app.cookies.items())


def test_a_connection_of_the_replica_that_ends_within_a_page_is_replaced_by_the_primary(app, standby, sign_in, seconds):
    sign_in(ANNA)
    create(app, "Printer")
    follow(standby, app)

    def end(connection, cursor, statement, *_others):
        if "tickets" in statement:
            standby.ask(f"SELECT pg_terminate_backend({cursor.connection.info.backend_pid}, 5000)")

    sa.event.listen(replica_of(app).engine, "before_cursor_execute", end)
    assert "Printer" in app.get("/tickets/")


def test_a_position_that_no_log_has_is_ignored_or_read_from_the_primary(app, standby, sign_in, answered_by):
    sign_in(ANNA)
    follow(standby, app)
    expected = {"0": "replica", "x": "replica", "-1": "replica", "9" * 400: "replica", "9" * 18: "primary"}
    for position, server in expected.items():
        app.set_cookie("portal_position", position)
        assert answered_by()[1] == server, position


def test_a_database_that_follows_no_other_is_never_read(make_app, postgresql, filled_postgresql, sign_in):
    with postgresql.empty_database(like=filled_postgresql) as url:
        app = make_app(database_read=url)
        sign_in(ANNA, browser=app)
        create(app, "Printer")
        assert "Printer" in app.get("/tickets/")


def test_sqlite_has_no_replica(sqlite_url, filled_sqlite, make_app, read_url):
    with pytest.raises(DatabaseUnreachableError, match="SQLite is one file and has no replica"):
        make_app(database=f"sqlite:///{filled_sqlite}", database_read=read_url)


def test_an_address_that_is_no_database_of_postgresql_is_refused(make_app, filled_sqlite):
    with pytest.raises(DatabaseUnreachableError, match="is for PostgreSQL"):
        make_app(database_read=f"sqlite:///{filled_sqlite}")


def test_the_position_is_kept_by_the_browser_and_only_by_forms(app, sign_in):
    assert "portal_position" not in app.get("/login").headers.get("Set-Cookie", "")
    sign_in(ANNA)
    assert int(app.cookies["portal_position"]) > 0


def test_a_primary_that_has_become_a_standby_is_left_for_a_new_connection(standby):
    engine = make_engine(standby.url("postgres"))
    with pytest.raises(DatabaseError) as caught, reading(engine) as connection:
        connection.exec_driver_sql(WRITTEN)
    assert classify(caught.value) == Failure.READ_ONLY
    assert connection_ended(caught.value)
    engine.dispose()
