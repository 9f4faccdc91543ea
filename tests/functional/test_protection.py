"""What is refused before any view, and the headers of every answer."""

import io

import pytest
from webob import Request

from tests.functional.conftest import form_of
from tests.functional.raw_requests import FORM, cookies_of, post, raw
from tests.functional.test_signing_in import ANNA, is_signed_in

pytestmark = pytest.mark.sqlite_suffices


@pytest.fixture
def app(shared_app):
    return shared_app


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost, evil.example", "localhost.evil.example", "", "localhost:x", "localhost:\xb2"]
)
def test_a_host_that_is_not_ours_is_refused(app, host):
    answer = raw(app, HTTP_HOST=host)
    assert answer.status_int == 400
    assert "evil" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "localhost:6543", "127.0.0.1:8080", "[::1]:6543", "LOCALHOST"])
def test_in_development_this_machine_is_ours(app, host):
    assert raw(app, HTTP_HOST=host).status_int == 200


def test_in_production_only_the_host_of_base_url_is_ours(make_app):
    app = make_app(base_url="https://care.example")
    assert raw(app, HTTP_HOST="care.example").status_int == 200
    assert raw(app, HTTP_HOST="localhost").status_int == 400
    assert raw(app, HTTP_HOST="care.example:81").status_int == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_a_foreign_page_is_refused_even_with_a_valid_token(app, sign_in, headers):
    sign_in(ANNA)
    form_of(app.get("/"), "/logout").submit(headers=headers, status=400)
    assert is_signed_in(app)


def test_a_form_of_our_own_page_is_taken(app, sign_in):
    sign_in(ANNA)
    headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    form_of(app.get("/"), "/logout").submit(headers=headers, status=303)


def test_no_token_a_wrong_one_and_another_persons_are_refused(app, another_browser, sign_in):
    sign_in(ANNA)
    other = sign_in("carla@globex.example", browser=another_browser())
    foreign = form_of(other.get("/"), "/logout")["_csrf"].value
    for token in ({}, {"_csrf": "wrong"}, {"_csrf": foreign}, {"_csrf": "ü"}):
        refused = app.post("/logout", token, headers={"Referer": "http://localhost/tickets/?q=a"}, status=400)
        assert refused.html.h1.text == "This form has expired"
        assert refused.html.select_one("main a.primary")["href"] == "/tickets/?q=a"
    assert is_signed_in(app)
    assert "allow cookies" not in refused
    assert "allow cookies" in another_browser().post("/login", {"email": ANNA}, status=400)


def test_a_form_opened_before_signing_in_is_taken_after_it(app, sign_in):
    form = form_of(app.get("/login"), "/login")
    sign_in(ANNA)
    form["email"] = "wrong@acme.example"
    form.submit(status=422)


@pytest.mark.parametrize(
    ("path", "query"),
    [("/\xff", ""), ("/login", "next=%ff"), ("/tickets/\xed\xa0\x80", ""), ("/login", "next=%00"), ("/login", "%fe=1")],
)
def test_anything_that_is_not_text_is_refused(app, path, query):
    answer = raw(app, path, query)
    assert answer.status_int == 400
    assert answer.content_type == "text/html"
    assert "Traceback" not in answer.text


def test_a_body_that_is_no_text_is_refused(app):
    app.get("/login")
    assert post(app, b"email=%ff&password=x").status_int == 400
    assert post(app, b"email=%00&password=x").status_int == 400
    assert post(app, b"no parts at all", "multipart/form-data").status_int == 400


def test_too_many_fields_of_an_address_are_refused_before_they_are_parsed(app):
    assert raw(app, query="a=1&" * 1001).status_int == 413


def test_a_body_over_the_limit_is_refused(make_app):
    app = make_app(largest_request=100_000)
    app.get("/login")
    answer = post(app, b"a=" + b"x" * 100_000)
    assert answer.status_int == 413
    assert "The portal accepts at most 0.1 MB at once." in answer.text


def test_more_text_than_is_accepted_is_refused_with_the_limit(app):
    app.get("/login")
    answer = post(app, b"a=" + b"x" * 2_000_000)
    assert answer.status_int == 413
    assert "The portal accepts at most 2 MB of text at once." in answer.text


class Endless(io.RawIOBase):
    """A body without an end."""

    sent = 0

    def read(self, size=-1):
        self.sent += 1
        assert self.sent < 100
        return b"a" * 65_536


@pytest.mark.parametrize("path", ["/login", "/password/forgotten"])
def test_a_body_whose_length_nobody_says_is_not_read(app, path):
    app.get("/login")
    body = Endless()
    as_gunicorn_says = {"wsgi.input": body, "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    form = {"CONTENT_TYPE": FORM, "HTTP_COOKIE": cookies_of(app), "REQUEST_METHOD": "POST"}
    request = Request.blank(path, environ={**as_gunicorn_says, **form}, base_url="http://localhost")
    request.environ.pop("CONTENT_LENGTH", None)
    answer = request.get_response(app.app)
    assert (answer.status_int, body.sent) == (411, 0)


def test_a_file_in_place_of_a_text_is_no_text(app):
    token = form_of(app.get("/login"), "/login")["_csrf"].value
    files = [("email", "a.txt", b"anna"), ("password", "b.txt", b"x"), ("next", "c.txt", b"/")]
    app.post("/login", {"_csrf": token}, upload_files=files, status=422)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/login", "GET, HEAD, POST"),
        ("TRACE", "/login", "GET, HEAD, POST"),
        ("GET", "/logout", "POST"),
        ("GET", "/language", "POST"),
        ("DELETE", "/-/health", "GET, HEAD"),
        ("POST", "/tickets/", "GET, HEAD"),
        ("PATCH", "/tickets/create", "GET, HEAD, POST"),
    ],
)
def test_a_wrong_method_is_told_which_are_right(app, sign_in, method, path, allowed):
    sign_in(ANNA)
    answer = app.request(path, method=method, status=405)
    assert answer.headers["Allow"] == allowed
    assert "predicate" not in answer


def test_what_a_profile_may_not_do_does_not_exist_whatever_the_method(app, sign_in):
    sign_in(ANNA)
    for method in ("GET", "POST", "PUT"):
        app.request("/articles/create", method=method, status=404)


@pytest.mark.parametrize(
    "path", ["/nothing", "/login/more", "/tickets/create/more", "/password/reset", "/-/", "/static/x"]
)
def test_what_does_not_exist_is_a_page_of_its_own(app, sign_in, path):
    sign_in(ANNA)
    answer = app.get(path, status=404)
    assert "Page not found" in answer
    assert answer.html.html["lang"] == "en"


@pytest.mark.parametrize("path", ["/login", "/nothing", "/-/health", "/password/reset/x"])
def test_every_answer_tells_browsers_what_they_may_do(app, path):
    headers = app.get(path, status="*").headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/login", "/nothing", "/robots.txt"])
def test_search_engines_are_told_to_list_nothing_and_may_read_that(app, path):
    assert app.get(path, status="*").headers["X-Robots-Tag"] == "noindex, nofollow"
    robots = app.get("/robots.txt", status=200)
    assert (robots.content_type, robots.text.splitlines()[1:]) == ("text/plain", ["User-agent: *", "Disallow:"])


def test_refusals_bear_the_headers_too(app):
    assert raw(app, HTTP_HOST="evil.example").headers["X-Content-Type-Options"] == "nosniff"


def test_style_sheets_are_kept_for_ever_and_zipped(app):
    address = app.get("/login").html.find("link", rel="stylesheet")["href"]
    answer = raw(app, address, HTTP_ACCEPT_ENCODING="gzip")
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"


def test_a_mistake_of_ours_shows_a_number_that_the_log_knows(app, sign_in, caplog):
    sign_in(ANNA)
    app.app.registry.clock = lambda: "no time at all"
    answer = app.get("/", status=500)
    number = answer.html.select_one(".fixed").text
    assert number in caplog.text
    assert "Traceback" not in answer
