"""Requests that would keep a library busy for minutes, or break it: each is refused immediately, with a page."""

import base64
import gzip
import io
import json
import tracemalloc

import pytest

from portal.records.reading.filters import LONGEST_VALUE
from tests.functional.conftest import PASSWORD, form_of
from tests.functional.raw_requests import cookies_of, post, raw
from tests.functional.test_signing_in import ANNA, is_signed_in
from tests.functional.world import NANCY

pytestmark = pytest.mark.sqlite_suffices


@pytest.fixture
def app(shared_app):
    return shared_app


def parts(boundary, number, head='Content-Disposition: form-data; name="a"'):
    return f"--{boundary}\r\n{head}\r\n\r\n1\r\n".encode() * number + f"--{boundary}--\r\n".encode()


def within(inner_type, content):
    """A form with a part that contains a form."""
    head = f'Content-Disposition: form-data; name="a"\r\nContent-Type: {inner_type}'.encode()
    return b"--cut\r\n" + head + b"\r\n\r\n" + content + b"\r\n--cut--\r\n"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("", b"a=1&" * 1001),
        ("APPLICATION/X-WWW-FORM-URLENCODED", b"a=1&" * 1001),
        ("Multipart/Form-Data; Boundary=cut", parts("cut", 1001)),
        ("multipart/form-data; boundary=cut$", parts("cut$", 1001)),
        ("multipart/form-data; xboundary=other; boundary=cut", parts("cut", 1001)),
        ('multipart/form-data; boundary="\\"cut"', parts('"cut', 1001)),
        ("multipart/form-data; boundary=cut; boundary=other", parts("other", 1001)),
        ("multipart/form-data; boundary=cut", within("multipart/mixed; boundary=inner", parts("inner", 1001))),
        ("multipart/form-data; boundary=cut", within("application/x-www-form-urlencoded", b"a=1&" * 1001)),
        ("multipart/form-data; boundary=cut", within("text/plain\rContent-Type: multipart/mixed", b"")),
        ("multipart/form-data; boundary=cut", parts("cut", 1, "X: y\r\n" * 100_000)),
        ("multipart/form-data; boundary=cut", parts("cut", 1, "Content-Disposition: form-data; name=" + "a;" * 50_000)),
        ("multipart/form-data; boundary=cut" + ';"' * 5_000, parts("cut", 1)),
    ],
)
def test_no_disguise_hides_how_many_fields_a_form_has(app, sign_in, content_type, body):
    sign_in(ANNA)
    assert post(app, body, content_type).status_int in (400, 413)


@pytest.mark.parametrize(("number", "taken"), [(3_000, True), (5_001, False)])
def test_the_inputs_of_rows_may_be_more(app, sign_in, number, taken):
    sign_in(ANNA)
    row = 'Content-Disposition: form-data; name="lines.12.price"'
    for content_type, body in (
        ("", b"lines.12.price=1&" * number),
        ("multipart/form-data; boundary=cut", parts("cut", number, row)),
    ):
        assert (post(app, body, content_type).status_int != 413) == taken


def test_a_part_of_a_form_without_a_name_is_no_field(app, sign_in):
    sign_in(ANNA)
    assert post(app, parts("cut", 1, "Content-Type: text/plain"), "multipart/form-data; boundary=cut").status_int == 400


def test_the_count_holds_wherever_the_marks_stand_in_what_is_read_at_once(app, sign_in):
    sign_in(ANNA)
    for size in range(65_500, 65_540):
        filling = b"x" * size
        body = b'--cut\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + filling + b"\r\n" + parts("cut", 999)
        assert post(app, body, "multipart/form-data; boundary=cut").status_int == 413


def test_an_uploaded_file_may_hold_what_looks_like_parts(app, sign_in):
    sign_in(ANNA)
    form = form_of(app.get("/"), "/logout")
    odd = b"--other\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" * 15
    app.post("/logout", {"_csrf": form["_csrf"].value}, upload_files=[("file", "multipart.sql", odd)], status=303)


def test_an_uploaded_file_may_have_any_number_of_lines(app, sign_in):
    sign_in(ANNA)
    form = form_of(app.get("/"), "/logout")
    lines = b"7\n" * 2_000_000
    app.post("/logout", {"_csrf": form["_csrf"].value}, upload_files=[("file", "readings.csv", lines)], status=303)


class Unreadable(io.RawIOBase):
    """A body that must not be read."""

    def readinto(self, buffer):
        raise AssertionError("the body was read")

    def seek(self, offset, whence=0):
        return 0


def unread(app, path, content_type, length=29_000_000, **environ):
    """The answer to a body of `length` bytes, none of which may be read."""
    unreadable = {"wsgi.input": Unreadable(), "CONTENT_LENGTH": str(length)}
    return post(app, b"", content_type, path, **unreadable, **environ)


FORM_TYPES = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=cut", ""]


@pytest.mark.parametrize(
    "path", ["/login", "/", "/password/forgotten", "/language", "/nothing", "/tickets/create", "/-/x"]
)
@pytest.mark.parametrize("content_type", FORM_TYPES)
def test_nothing_large_is_read_that_an_anonymous_browser_sends(app, path, content_type):
    app.get("/login")
    guest = cookies_of(app)
    for cookie in ("", guest, "portal_session=forged", f"{guest}; portal_session=forged"):
        assert unread(app, path, content_type, HTTP_COOKIE=cookie).status_int in (303, 400, 405, 413)
        assert unread(app, path, content_type, 70_000, HTTP_COOKIE=cookie).status_int in (303, 400, 405)
    # Without a cookie there is no token.
    assert unread(app, path, content_type, 10, HTTP_COOKIE="").status_int in (303, 400, 405)


COSTLY = [
    ("application/x-www-form-urlencoded", b"a=" + b"%41" * 660_000),
    ("application/x-www-form-urlencoded", b"a=" + b"x" * 2_000_000),
    ("", b"%" * 1_900_000),
    ("multipart/form-data; boundary=cut", parts("cut", 1) + b"\n" * 1_000_000),
    ("multipart/form-data; boundary=cut", parts("cut", 1) + b"\r\n--cu\r\n" * 300_000),
    (f"multipart/form-data; boundary={'-' * 200}", parts("-" * 200, 1)),
]


@pytest.mark.parametrize(("content_type", "body"), COSTLY)
def test_what_is_costly_to_parse_is_refused_whoever_sends_it(app, sign_in, content_type, body):
    sign_in(ANNA)
    tracemalloc.start()
    try:
        answer = post(app, body, content_type)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_int in (400, 413)
    assert peak < 20_000_000  # bytes


def test_a_compressed_body_is_not_unpacked(app, sign_in):
    sign_in(ANNA)
    assert post(app, gzip.compress(b"a=1&" * 10_000_000), HTTP_CONTENT_ENCODING="gzip").status_int == 400


def test_a_long_text_in_any_script_is_taken(world):
    text = "漢" * 100_000
    in_memory = {"webob.is_body_seekable": True}
    sent = world[NANCY].send("/things/create", {"name": "x", "prose": text}, extra_environ=in_memory)
    assert sent.status_int in (303, 422)


@pytest.mark.parametrize("encoding", ["utf-16", "zip", "bogus", "\xff"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_encoding_is_refused(app, encoding, method):
    content_type = f"application/x-www-form-urlencoded; charset={encoding}"
    assert raw(app, method=method, CONTENT_TYPE=content_type, CONTENT_LENGTH="0").status_int == 400


LONG = "a" * 20_000


@pytest.mark.parametrize("cookie", [LONG, f"portal_guest={LONG}", f"theme=x {LONG}", "=" * 20_000])
def test_cookies_that_are_not_ours_cost_nothing_and_change_nothing(app, cookie):
    assert raw(app, HTTP_COOKIE=cookie).status_int == 200


def test_cookies_of_others_on_the_same_host_do_no_harm(app, sign_in):
    sign_in(ANNA)
    session = next(cookie for cookie in app.cookiejar if cookie.name == "portal_session")
    cookies = f'_ga={"x" * 3000}; broken "; portal_session={session.value};other={"y" * 20_000}'
    assert raw(app, "/tickets/", HTTP_COOKIE=cookies).status_int == 200


@pytest.mark.parametrize("address", ["http://[", "http://localhost:port/", "\xff", "//"])
def test_after_signing_in_a_form_leads_to_its_own_page_whatever_it_says_it_comes_from(app, address):
    answer = raw(app, "/tickets/1/comments", method="POST", HTTP_REFERER=address)
    assert answer.location.endswith("/login?next=%2Ftickets%2F1%2F")


@pytest.mark.parametrize("following", ["/ż", "/ü", "/\u2028", "/\x7f", "/ b", "/\U0001f600"])
def test_an_address_that_no_header_takes_leads_home(app, following):
    form = form_of(app.get("/login"), "/login")
    form["email"], form["password"] = ANNA, PASSWORD
    form["next"].force_value(following)
    answer = form.submit(status=303)
    assert answer.location == "http://localhost/"
    assert is_signed_in(app)


@pytest.mark.parametrize("path", ["//evil.example/../tickets", "//tickets", "/.//tickets"])
def test_the_missing_slash_never_leads_to_another_host(app, sign_in, path):
    sign_in(ANNA)
    assert raw(app, path, HTTP_COOKIE=cookies_of(app)).location == "http://localhost/tickets/"


def test_a_line_break_in_an_address_begins_no_line_of_the_log(app, sign_in, caplog):
    sign_in(ANNA)
    app.app.registry.clock = lambda: "no time at all"
    raw(app, "/\n2026-01-01 INFO forged")
    assert "\n2026-01-01 INFO forged" not in caplog.text


# -- lists ------------------------------------------------------------------------------------------------------------


def key(*values):
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


ODD = [
    {"datetime": "0001-01-01T00:00:00+14:00"}, {"datetime": "9999-12-31T23:59:59-14:00"}, {"datetime": "2026-01-01"},
    {"date": "2026-01-01"}, {"time": "10:00"}, {"time": "10:00+02:00"}, {"decimal": "NaN"}, {"decimal": "1e39"},
    float("nan"), float("inf"), True, 2**63, -(2**63), "\ud800", "a\x00b", "", {}, {"x": 1}, {"datetime": 5}, [1], None,
]  # fmt: skip


SORTS = ["name", "-moment", "day", "clock", "weight", "amount", "ready", "size", "owner", "price"]


@pytest.mark.parametrize("sort", SORTS)
def test_a_forged_key_of_a_page_is_ignored(world, sort):
    world.add("things", name="Thing")
    for place, value in enumerate(ODD):
        for number, forged in enumerate((key(value, 1), key(value, value), key(value))):
            way = ("after", "before")[(place + number + SORTS.index(sort)) % 2]  # each way half of the sorts
            assert world[NANCY].see(f"/things/?sort={sort}&{way}={forged}").status_int == 200, value


def test_too_many_sorts_and_values_are_answered_at_once(world):
    world.add("things", name="Thing")
    sorts = "&".join(["sort=name", "sort=-name", "sort=prose"] * 300)
    assert world[NANCY].titles(f"/things/?{sorts}") == ["Thing"]
    values = "&".join(f"name={number}" for number in range(950))
    assert "too many fields" in world[NANCY].get(f"/things/?{values}")


@pytest.mark.parametrize("field", ["name", "prose", "words", "owner", "makers", "either", "place", "city"])
def test_a_text_too_long_to_search_for_is_reported_at_its_filter(world, field):
    assert f"at most {LONGEST_VALUE:,} " in world[ANNA].get(f"/things/?{field}={'%25' * 30_000}")


def test_a_long_text_finds_nothing_to_choose(world):
    assert world[NANCY].get(f"/things/find?field=owner&q={'a' * 60_000}").json == []
    form = {"_find": "owner", "_find.owner": "a" * 100_000, "name": "x"}
    in_memory = {"webob.is_body_seekable": True}
    assert world[NANCY].send("/things/create", form, extra_environ=in_memory).status_int == 200


def test_a_list_in_the_order_of_a_long_text_has_pages_with_short_addresses(world):
    for number in range(40):
        world.add("things", name=f"Thing {number:02}", prose="a" * 20_000 + f"{number:02}")
    page = world[NANCY].get("/things/?sort=prose")
    found = world[NANCY].titles("/things/?sort=prose")
    while following := next((each for each in page.html.select("a[rel=next]")), None):
        assert len(following["href"]) < 4_000
        page = world[NANCY].get(following["href"])
        found += [cell.text.strip() for cell in page.html.select("tbody a.cover")]
    assert len(found) == len(set(found)) == 40


@pytest.mark.parametrize("step", [("0000999", ""), ("0", "0000999"), ("1" * 5000, "0"), ("²", "0")])
def test_a_step_with_leading_zeros_is_no_step(world, step):
    service = world.add("services", name="Printing")
    form = {"_step": step[0], "_to": step[1], "service": str(service), "name": "x", "body": "y"}
    assert world[NANCY].send("/requests/create", form).status_int in (200, 303, 422)
