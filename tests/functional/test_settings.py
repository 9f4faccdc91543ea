"""The effects of the settings of the server and of the machine, each given as PORTAL_* or like its siblings."""

import contextlib
import datetime
import http.client
import threading
import urllib.parse

import pytest
from waitress import wasyncore

from portal.commands.waitress_server import listening_server
from portal.declaration.load import load
from portal.declaration.shapes import Letters
from portal.rendering.templates import Templates
from portal.settings import DECLARED, read_settings
from portal.store.store import StoreError, open_store
from portal.texts import Text

pytestmark = pytest.mark.sqlite_suffices
FORWARDED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
OTHERS = {
    "name": ("Other", Text("Other")), "logo": ("mark.svg", "mark.svg"), "accent": ("#aa0000", "#aa0000"),
    "languages": ("it,en", ("it", "en")), "currency": ("PLN", "PLN"), "time_zone": ("Asia/Tokyo", "Asia/Tokyo"),
    "remember_days": ("7", 7), "base_url": ("https://care.example", "https://care.example"),
    "support_address": ("help@x.example", "help@x.example"), "administrators": ("power", ("power",)),
    "sign_in": ("link", ("link",)), "second_factor": ("power", ("power",)),
    "letters": ('{"footer": "Bye"}', Letters(footer=Text("Bye"))),
    "hours": ('{"monday": "9:00-18:00"}', {"monday": ((540, 1080),)}),
    "holidays": ("2026-08-14, 2026-12-24", (datetime.date(2026, 8, 14), datetime.date(2026, 12, 24))),
}  # fmt: skip


def echo(environ, start_response):
    """Answers with what the application knows about the client."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ['REMOTE_ADDR']} {environ['wsgi.url_scheme']}".encode()]


def served(application, visit, **variables):
    """What `visit` sees at the address of a server configured with these variables, the address, and its threads."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(f"PORTAL_{name}", value)
        server = listening_server(application, read_settings(port=0))
    seen, threads = [], len(server.listeners[0].task_dispatcher.threads)
    visitor = threading.Thread(target=lambda: seen.append(visit(server.host, server.port)))
    visitor.start()
    while visitor.is_alive():
        wasyncore.loop(0.02, use_poll=True, map=server.sockets, count=1)
    server.listeners[0].task_dispatcher.shutdown(timeout=1)
    wasyncore.close_all(server.sockets)
    return seen[0], server.host, threads


def forwarded(host, port):
    """How a request through a proxy is seen."""
    with contextlib.closing(http.client.HTTPConnection(host, port, timeout=60)) as connection:
        connection.request("GET", "/", headers=FORWARDED)
        return connection.getresponse().read().decode()


def test_the_server_listens_where_it_is_told_with_as_many_threads(monkeypatch):
    assert served(echo, forwarded, HOST="127.0.0.2", THREADS="3") == ("127.0.0.1 http", "127.0.0.2", 3)
    monkeypatch.setenv("PORTAL_PORT", "7001")
    assert read_settings().own_address(None) == "http://localhost:7001"


def test_only_the_trusted_proxy_says_who_comes():
    assert served(echo, forwarded)[0] == "127.0.0.1 http"
    assert served(echo, forwarded, TRUSTED_PROXY="127.0.0.1")[0] == "203.0.113.7 https"
    assert served(echo, forwarded, TRUSTED_PROXY="198.51.100.1")[0] == "127.0.0.1 http"


def test_files_in_a_service_are_asked_for_with_the_keys(monkeypatch):
    authorizations = []

    def service(environ, start_response):
        authorizations.append(environ.get("HTTP_AUTHORIZATION", ""))
        start_response("403 Forbidden", [("Content-Length", "0")])
        return []

    def look(host, port):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "our-key")
        for secret in ("one", "other"):
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
            endpoint = urllib.parse.quote(f"http://{host}:{port}", safe="")
            settings = read_settings(files=f"s3://bucket?endpoint={endpoint}")
            with pytest.raises(StoreError):
                next(open_store(*settings.store_address).read("a-file"))

    served(service, look)
    assert all("Credential=our-key/" in authorization for authorization in authorizations)
    assert len({authorization.rpartition("Signature=")[2] for authorization in authorizations}) > 1


def test_passwords_are_hashed_with_the_memory_and_in_the_rounds_that_are_set(make_app):
    app = make_app(password_memory=16, password_rounds=3)
    assert "m=16,t=3," in app.app.registry.passwords.hash("correct horse battery")


def test_templates_are_compiled_into_the_folder_that_is_set(make_app, tmp_path, monkeypatch):
    monkeypatch.setattr(Templates, "load", lambda templates: templates["error.pt"].cook_check())  # one is enough
    # Those of other tests are compiled already.
    monkeypatch.setattr("portal.rendering.templates.shared_templates", Templates)
    make_app(compiled=tmp_path / "templates")
    assert list((tmp_path / "templates").iterdir()) != []


@pytest.mark.parametrize("name", DECLARED)
def test_a_setting_wins_over_the_key_of_the_file(name, monkeypatch, portal_folder):
    (portal_folder / "mark.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    text, value = OTHERS[name]
    before = load(portal_folder, read_settings().declared).declaration.settings
    monkeypatch.setenv(f"PORTAL_{name.upper()}", text)
    after = load(portal_folder, read_settings().declared).declaration.settings
    assert (getattr(before, name) != value, getattr(after, name)) == (True, value)
