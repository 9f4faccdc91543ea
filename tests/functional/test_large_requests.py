"""Large bodies to a real server: they take no memory, and everyone else is served meanwhile."""

import http.client
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.functional.conftest import CHEAP, SMALL

SERVER = f"""
import sys
from pathlib import Path
from portal.application import make_server_application
from portal.commands.waitress_server import listening_server
from portal.settings import ProcessSettings

settings = ProcessSettings(folder=Path({str(SMALL)!r}), database=sys.argv[1], port=0, **{CHEAP})
server = listening_server(make_server_application(settings), settings)
print(server.port, flush=True)
server.run(0)
"""
SIZE = 29_000_000  # bytes
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=cut"}

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read in Linux's /proc")


@pytest.fixture(scope="module")
def server(filled_sqlite, tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(filled_sqlite, folder / "portal.sqlite")
    arguments = [sys.executable, "-c", SERVER, f"sqlite:///{folder / 'portal.sqlite'}"]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    process.port = int(process.stdout.readline())
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def ask(server, method, path, body=None, headers=(), chunked=False):
    connection = http.client.HTTPConnection("localhost", server.port, timeout=120)
    try:
        connection.request(method, path, body, dict(headers), encode_chunked=chunked)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


def peak(server):
    """The most memory that the server has had, in bytes."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{server.pid}/status").read_text())[1]) * 1000


def guest(server):
    """The headers of a browser that has opened the sign-in page."""
    cookies = ask(server, "GET", "/login")[2].get_all("Set-Cookie")
    return {"Cookie": "; ".join(cookie.partition(";")[0] for cookie in cookies)}


@pytest.mark.parametrize(
    ("kind", "unit"),
    [(URLENCODED, b"%41"), (URLENCODED, b"a&"), (URLENCODED, b"+"), ({}, b"%41"), (MULTIPART, b"\n"),
     (MULTIPART, b"\r\n--cut\r\n"), (MULTIPART, b"\r\n--cut\r\nContent-Disposition: form-data; name=a\r\n\r\n1")],
)  # fmt: skip
def test_four_large_bodies_at_once_use_no_memory_and_block_nobody(server, kind, unit):
    browser = guest(server)
    ask(server, "POST", "/login", b"email=x", {**kind, **browser})
    before, body = peak(server), unit * (SIZE // len(unit))
    with ThreadPoolExecutor(8) as pool:
        large = [pool.submit(ask, server, "POST", path, body, {**kind, **headers})
                 for path in ("/login", "/nothing") for headers in ({}, browser)]  # fmt: skip
        others = [pool.submit(ask, server, "GET", "/login") for _number in range(8)]
        assert {request.result()[0] for request in others} == {200}
        assert {request.result()[0] for request in large} <= {303, 400, 413}
    assert peak(server) - before < 40_000_000


def test_a_chunked_body_is_measured_too(server):
    browser, before = guest(server), peak(server)
    headers = {**URLENCODED, **browser, "Transfer-Encoding": "chunked"}
    status, _page, _headers = ask(server, "POST", "/login", iter([b"%41" * 300_000] * 10), headers, chunked=True)
    assert status == 413
    assert peak(server) - before < 40_000_000
