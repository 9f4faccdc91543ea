"""Several portals in one process, each in a folder named like its host."""

import contextlib
import datetime
import shutil
import threading
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from webtest import TestApp

from portal.application import host_portals
from portal.commands import main
from portal.commands.worker import HostedWorkers
from portal.database.engine import make_engine, reading
from portal.jobs.pending_work import measure_pending_work
from portal.settings import ProcessSettings
from portal.web import hosting
from tests.functional.conftest import CHEAP, PASSWORD, SMALL
from tests.functional.test_signing_in import is_signed_in, try_to_sign_in
from tests.portal_files import change

ACME, GLOBEX = "care.acme.example", "globex.example"
NAMES = {ACME: "Acme Care", GLOBEX: "Globex Help"}


def run(settings, *arguments):
    options = ["--folder", str(settings.folder), "--database", settings.database]
    done = CliRunner().invoke(main, [*map(str, arguments), *options])
    assert done.exit_code == 0, done.output


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def made(request, tmp_path_factory):
    """The folders of two portals, each with one person, and on PostgreSQL their database."""
    hosted = tmp_path_factory.mktemp("made") / "hosted"
    with contextlib.ExitStack() as opened:
        url = None
        if request.param == "postgresql":
            url = opened.enter_context(request.getfixturevalue("postgresql").empty_database())
        for host, name in NAMES.items():
            shutil.copytree(SMALL, hosted / host)
            change(hosted / host, "name: Small Portal", f"name: {name}")
            one = settings_of(hosted, url).for_portal(hosted / host)
            run(one, "apply")
            run(one, "import", "people", people_of(hosted, host))
        yield hosted, url


@pytest.fixture
def settings(request, made, tmp_path):
    """The settings of a copy of both portals; on PostgreSQL, each has a schema in one database."""
    hosted, url = shutil.copytree(made[0], tmp_path / "hosted"), made[1]
    with contextlib.ExitStack() as opened:
        if url:
            like = urlsplit(url).path.lstrip("/")
            url = opened.enter_context(request.getfixturevalue("postgresql").empty_database(like=like))
        yield settings_of(hosted, url)


def settings_of(hosted, url):
    """The settings of the portals in a folder, with a database at that address or a file for each."""
    database = f"{url}{'&' if '?' in url else '?'}schema={{folder}}" if url else "sqlite:///var/portal.sqlite"
    return ProcessSettings(hosted=hosted, database=database, base_url="https://{folder}", reload_every=0, **CHEAP)


def people_of(folder, host):
    file = folder / f"{host}.csv"
    file.write_text(f"name,email\nPerson of {host},person@{host}\n")
    return file


def browser(application, host):
    return TestApp(application, extra_environ={"HTTP_HOST": host, "wsgi.url_scheme": "https"})


@pytest.fixture
def application(settings):
    portals = host_portals(settings)
    yield portals
    for host in NAMES:
        if (made := portals.application(host)) is not None:
            made.registry.live.engine.dispose()


@pytest.mark.sqlite_suffices
def test_each_host_is_a_portal_of_its_own(application):
    for host, name in NAMES.items():
        assert name in browser(application, host).get("/login", status=200).text
        assert name in browser(application, f"{host.upper()}:443").get("/login", status="*").text


@pytest.mark.sqlite_suffices
def test_portals_share_what_is_the_same_in_all_of_them(application):
    one, other = (application.application(host).registry for host in NAMES)
    assert one.adapters is other.adapters  # Pyramid finds views there: separate ones take 1.5 MB more per portal
    portals = [registry.live.current() for registry in (one, other)]
    assert portals[0].assets.get("portal.js") is portals[1].assets.get("portal.js")
    assert portals[0].tables.by_name is portals[1].tables.by_name
    assert portals[0].declaration.modules is portals[1].declaration.modules
    assert [portal.declaration.settings.name.plain for portal in portals] == list(NAMES.values())


def test_people_of_one_portal_are_strangers_to_the_other(settings, application, tmp_path):
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    browsers = {host: browser(application, host) for host in NAMES}
    for host, there in browsers.items():
        one = settings.for_portal(settings.hosted / host)
        add = ("account", "add", f"person@{host}", "--profile", "staff", "--name", "P", "--password-file", password)
        run(one, *add)
        try_to_sign_in(there, f"person@{host}", PASSWORD)
    for host in [ACME, GLOBEX] * 4:  # in turn, as they share connections, in which statements are prepared
        page = browsers[host].get("/people/", status=200).text
        assert [f"Person of {name}" in page for name in NAMES] == [name == host for name in NAMES]
    try_to_sign_in(elsewhere := browser(application, GLOBEX), f"person@{ACME}", PASSWORD)
    assert not is_signed_in(elsewhere)
    # The session of one is not valid in the other either.
    session = "; ".join(f"{name}={value}" for name, value in browsers[ACME].cookies.items())
    assert not is_signed_in(TestApp(application, extra_environ={"HTTP_HOST": GLOBEX, "HTTP_COOKIE": session}))


@pytest.mark.sqlite_suffices
def test_nobody_answers_for_other_hosts(application):
    others = ["other.example", "", "..", ".", "var", f"{ACME}/../{GLOBEX}", f"{ACME},{GLOBEX}", f"{ACME}:1:2", "%2e%2e"]
    for host in others:
        answer = browser(application, host).get("/login", status=404)
        assert answer.text == "There is no portal at this address.\n", host


@pytest.mark.sqlite_suffices
def test_a_load_balancer_may_name_the_process_by_its_number(application):
    assert browser(application, "10.0.0.11:6543").get("/-/health", status=200).json == {"status": "live"}


@pytest.mark.sqlite_suffices
def test_a_portal_that_cannot_start_leaves_the_others_alone(settings, application, caplog):
    (settings.hosted / ACME / "modules.yaml").write_text("modules: [")
    answer = browser(application, ACME).get("/login", status=503)
    assert answer.headers["Retry-After"] == "5"
    assert "Traceback" not in answer.text
    assert f"The portal {ACME} cannot start: modules.yaml:1:" in caplog.text
    browser(application, GLOBEX).get("/login", status=200)


@pytest.mark.sqlite_suffices
def test_a_portal_that_was_mended_starts(settings, application, monkeypatch):
    monkeypatch.setattr(hosting, "TRY_AGAIN", 0)
    file = settings.hosted / ACME / "modules.yaml"
    right = file.read_text()
    file.write_text("modules: [")
    browser(application, ACME).get("/login", status=503)
    file.write_text(right)
    browser(application, ACME).get("/login", status=200)


@pytest.mark.sqlite_suffices
def test_portals_that_are_not_kept_come_back(settings):
    application = host_portals(settings.model_copy(update={"loaded_portals": 1}))
    for host in (ACME, GLOBEX, ACME, GLOBEX):
        assert NAMES[host] in browser(application, host).get("/login", status=200).text


@pytest.mark.sqlite_suffices
def test_a_worker_works_for_all_of_them(settings):
    shutil.copytree(settings.hosted / ACME, settings.hosted / f"{ACME} of yesterday")  # which no browser can request
    stopping = threading.Event()
    with contextlib.ExitStack() as locks:
        workers = list(HostedWorkers(settings, settings.hosted, None, stopping, locks).present())
        for worker in workers:
            worker.turn()
            with reading(worker.engine) as connection:
                pending_work = measure_pending_work(connection, worker.tables(), datetime.datetime.now(datetime.UTC))
            assert pending_work.worker_seen is not None
            worker.engine.dispose()
    assert len(workers) == len(NAMES)


def test_one_of_them_is_backed_up_and_restored(settings, tmp_path):
    one = settings.for_portal(settings.hosted / ACME)
    run(one, "backup", tmp_path / "set")
    folder = tmp_path / "elsewhere" / ACME
    folder.mkdir(parents=True)
    there = one.for_portal(folder)
    if "postgresql" in settings.database:
        forget(one)
        assert "is of the schema care.acme.example" in refused_restore(
            one, tmp_path / "other.example", tmp_path / "set"
        )
    run(there, "restore", tmp_path / "set")
    engine = make_engine(there.database_url)
    with reading(engine) as connection:
        assert connection.execute(sa.text("SELECT name FROM people")).scalars().all() == [f"Person of {ACME}"]
    engine.dispose()
    # On PostgreSQL, the other one is in the same database, and unchanged.
    engine = make_engine(settings.for_portal(settings.hosted / GLOBEX).database_url)
    with reading(engine) as connection:
        assert connection.execute(sa.text("SELECT name FROM people")).scalars().all() == [f"Person of {GLOBEX}"]
    engine.dispose()


def refused_restore(one, folder, source):
    folder.mkdir()
    other = one.for_portal(folder)
    options = ["--folder", str(folder), "--database", other.database]
    done = CliRunner().invoke(main, ["restore", str(source), *options])
    assert done.exit_code == 1
    return done.output


def forget(one):
    engine = make_engine(one.database_url)
    with engine.begin() as connection:
        connection.execute(sa.text(f'DROP SCHEMA "{ACME}" CASCADE'))
    engine.dispose()
