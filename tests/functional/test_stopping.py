"""`portal serve` finishes open requests before it exits: a real process, a real signal, no sleeping."""

import http.client
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

# Answers when the test says so, on standard input; reports its progress on standard output.
SERVER = """
import sys
from pathlib import Path
from portal.commands.waitress_server import listening_server
from portal.settings import ProcessSettings

def application(environ, start_response):
    if environ["PATH_INFO"] == "/-/health":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"well"]
    print("asked\\n", end="", flush=True)  # in one piece
    sys.stdin.readline()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"x" * 3_000_000]

server = listening_server(application, ProcessSettings(folder=Path("."), port=0))
print(server.port, flush=True)
server.run(float(sys.argv[1]))
print("stopped", flush=True)
"""


@pytest.fixture
def start():
    started = []

    def start(timeout):
        arguments = [sys.executable, "-c", SERVER, str(timeout)]
        process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process, int(process.stdout.readline())

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def answer(port, path="/"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        return len(connection.getresponse().read())
    finally:
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_open_requests_are_answered_before_the_server_ends(start, number):
    process, port = start(60)
    with ThreadPoolExecutor(1) as pool:
        open_request = pool.submit(answer, port)
        assert process.stdout.readline() == "asked\n"
        process.send_signal(number)
        process.stdin.write("go\n")
        process.stdin.flush()
        assert open_request.result() == 3_000_000
    assert process.stdout.readline() == "stopped\n"
    assert process.wait() == 0


def test_a_request_that_takes_too_long_does_not_keep_the_server(start):
    process, port = start(0)
    with ThreadPoolExecutor(1) as pool:
        open_request = pool.submit(answer, port)
        assert process.stdout.readline() == "asked\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "stopped\n"
        assert isinstance(open_request.exception(), http.client.HTTPException | OSError)


def test_monitors_are_answered_while_all_threads_are_busy(start):
    process, port = start(60)
    with ThreadPoolExecutor(4) as browsers:
        pages = [browsers.submit(answer, port) for _number in range(4)]
        assert [process.stdout.readline() for _page in pages] == ["asked\n"] * 4
        assert answer(port, "/-/health") == len("well")
        process.stdin.close()
        assert [page.result() for page in pages] == [3_000_000] * 4
