"""A portal is backed up while others write, and restored elsewhere: nothing of the set is missing."""

import hashlib
import io
import json
import shutil
import threading

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from webtest import TestApp

from portal.application import make_application
from portal.commands import main
from portal.database.engine import make_engine, reading, writing
from portal.database.schema.tables import build
from portal.declaration.load import load
from portal.settings import ProcessSettings
from portal.store.store import open_store
from tests.functional.conftest import CHEAP
from tests.functional.test_signing_in import is_signed_in, try_to_sign_in


def run(*arguments, code=0):
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def written(portal_folder, database):
    """A function that adds a file and its row, as an upload does; it says how many there are."""
    tables, engine = build(load(portal_folder).declaration), make_engine(database)
    store = open_store("var/files", portal_folder)

    def write(text):
        stored = store.put(io.BytesIO(text.encode()))
        with writing(engine) as connection:
            connection.execute(sa.insert(tables.file).values(name=text, stored=stored.name, size=stored.size))

    write.tables, write.engine, write.store = tables, engine, store
    yield write
    engine.dispose()


@pytest.fixture
def elsewhere(request, database, tmp_path):
    """A new folder and an empty database of the same kind."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    if database.startswith("sqlite"):
        yield folder, f"sqlite:///{folder}/var/portal.sqlite"
        return
    with request.getfixturevalue("postgresql").empty_database() as url:
        yield folder, url


def test_a_backup_under_load_is_restored_whole(portal_folder, database, written, elsewhere, tmp_path):
    written("first")
    target = tmp_path / ("set" if database.startswith("sqlite") else "set.tar.gz")
    ended, (folder, url) = threading.Event(), elsewhere

    def keep_writing():
        number = 0
        while not ended.is_set():
            number += 1
            written(f"text {number}")

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        said = run("backup", target, "--folder", portal_folder, "--database", database)
    finally:
        ended.set()
        writer.join()
    assert "the database, " in said
    assert target.stat().st_mode & 0o077 == 0
    run("restore", target, "--folder", folder, "--database", url)
    engine, store = make_engine(url), open_store("var/files", folder)
    with reading(engine) as connection:
        rows = connection.execute(sa.select(written.tables.file.c["name"], written.tables.file.c["stored"])).all()
    assert ("first",) in [(name,) for name, _stored in rows]
    for text, stored in rows:
        assert b"".join(store.read(stored)) == text.encode()
    engine.dispose()
    application = make_application(ProcessSettings(folder=folder, database=url, **CHEAP))
    browser = TestApp(application)
    try_to_sign_in(browser)
    assert is_signed_in(browser)
    application.registry.live.engine.dispose()


def test_a_file_removed_in_the_meantime_is_reported(portal_folder, database, written, tmp_path):
    written("gone")
    shutil.rmtree(portal_folder / "var" / "files")
    assert "the store does not have" in run(
        "backup", tmp_path / "set", "--folder", portal_folder, "--database", database
    )


def test_a_damaged_backup_and_a_place_in_use_are_refused(portal_folder, sqlite_url, filled_sqlite, tmp_path):
    shutil.copy(filled_sqlite, sqlite_url.removeprefix("sqlite:///"))
    target, folder = tmp_path / "set", tmp_path / "elsewhere"
    folder.mkdir()
    options = "--folder", portal_folder, "--database", sqlite_url
    run("backup", target, *options)
    assert "exists already" in run("backup", target, *options, code=1)
    assert "already contains a portal" in run("restore", target, *options, code=1)
    with (target / "declarations" / "modules.yaml").open("a") as file:
        file.write("# more\n")
    assert "damaged" in run("restore", target, "--folder", folder, code=1)
    assert "no backup" in run("restore", portal_folder, "--folder", folder, code=1)
    refused = run("restore", portal_folder / "modules.yaml", "--folder", folder, code=1)
    assert refused.strip().endswith("file could not be opened successfully")
    assert [path for path in folder.rglob("*") if path.is_file()] == []


@pytest.fixture
def archive(portal_folder, sqlite_url, filled_sqlite, tmp_path):
    shutil.copy(filled_sqlite, sqlite_url.removeprefix("sqlite:///"))
    run("backup", tmp_path / "set.tgz", "--folder", portal_folder, "--database", sqlite_url)
    return tmp_path / "set.tgz"


@pytest.mark.parametrize("part", [0.1, 0.9])
def test_an_archive_that_was_cut_off_is_refused_in_a_sentence(archive, tmp_path, part):
    content, folder = archive.read_bytes(), tmp_path / "elsewhere"
    folder.mkdir()
    archive.write_bytes(content[: int(len(content) * part)])
    assert "is damaged" in run("restore", archive, "--folder", folder, code=1)


@pytest.mark.parametrize("name", ["declarations/../evil.yaml", "declarations//evil.yaml", "/evil.yaml"])
def test_a_backup_that_names_a_file_outside_of_it_writes_none_there(portal_folder, archive, tmp_path, name):
    folder, content = tmp_path / "a" / "b", tmp_path / "forged"
    folder.mkdir(parents=True)
    shutil.unpack_archive(archive, content, "gztar")
    for path in (content / "evil.yaml", content / "declarations" / "evil.yaml"):
        path.write_text("evil")
    manifest = json.loads((content / "backup.json").read_text())
    manifest["contents"][name] = hashlib.sha256(b"evil").hexdigest()
    (content / "backup.json").write_text(json.dumps(manifest))
    assert "damaged" in run("restore", content, "--folder", folder, code=1)
    assert not list(tmp_path.glob("a/**/*.yaml"))


def test_a_portal_in_the_schema_of_its_user_is_restored_there(portal_folder, postgresql, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with postgresql.empty_database() as first, postgresql.empty_database() as second:
        for url in (first, second):
            engine = make_engine(url)
            with writing(engine) as connection:
                connection.exec_driver_sql("CREATE SCHEMA care")
                connection.exec_driver_sql(
                    f"ALTER ROLE portal IN DATABASE {engine.url.database} SET search_path = care"
                )
            engine.dispose()
        run("apply", "--folder", portal_folder, "--database", first)
        run("backup", tmp_path / "backup", "--folder", portal_folder, "--database", first)
        run("restore", tmp_path / "backup", "--folder", elsewhere, "--database", second)
        assert "nothing to do" in run("plan", "--folder", elsewhere, "--database", second)
