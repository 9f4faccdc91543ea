"""Whatever is sent, the answer is a page: no internal errors, no internals, nothing from outside one's scope."""

import gc
import re
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.functional.world import ANNA, BRUNO, NANCY

# WebOb keeps long bodies in files that it does not close.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

INTERNALS = re.compile(r"Traceback|sqlalchemy|psycopg|sqlite3|predicate mismatch|\.py\b|SELECT \w")
LONG, HUGE = "x" * 10_000, "9" * 400
ODD = [
    "", " ", "0", "-1", "1e999", "NaN", "Infinity", HUGE, f"-{HUGE}", "9223372036854775807", "9223372036854775808",
    LONG, "'; DROP TABLE requests; --", "\" OR 1=1", "<script>alert(1)</script>", "${1+1}", "%(x)s", "{0}", "\\", "%",
    "_", "*", "\u202e", "\ufeff", "🙂", "İ", "ß", "ﬁ", "١٢٣", "²", "a\r\nb", "\t", "../../etc/passwd", "null", "None",
    "true", "1,000", "2026-02-30", "0000-00-00", "9999-12-31", "10000-01-01", "24:00", "2026-03-29T02:30", "99:99",
    "1:2:3:4", "$service", "people:1", "companies:0", ":", "::", "a:b:c", "EUR", "1 XXX", "1 EUR EUR",
]  # fmt: skip


def fill(world):
    values = world.for_request()
    world.add("requests", name="Mine", **values)
    world.add("requests", name="Foreign", **values | {"caller": world.the("people", "Carla Neri"), "company": None})
    for number in range(12):
        world.add("things", name=f"T{number}", amount=number, words=("a",), owner=values["company"])


def is_whole(answer):
    assert answer.status_int < 500, answer.request.url
    if answer.content_type == "text/html":
        assert not INTERNALS.search(re.sub(r'value="[^"]*"|<textarea.*?</textarea>', "", answer.text, flags=re.DOTALL))
    return True


FIELDS = [
    "name", "prose", "amount", "weight", "price", "share", "ready", "day", "moment", "clock", "effort", "since", "size",
    "colours", "words", "owner", "makers", "either", "place", "stars", "tint", "city", "reference", "id", "created",
]  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_no_filter_breaks(filled, field):
    for value in ODD[FIELDS.index(field) % 3 :: 3]:
        typed = quote(value)
        query = "&".join(f"{field}{part}={typed}" for part in ("", ".min", ".max"))
        assert is_whole(filled[ANNA].see(f"/things/?{query}"))


PATHS = ["/things/", "/things/export.csv", "/requests/find", "/search", "/things/create"]


@pytest.mark.sqlite_suffices
@pytest.mark.parametrize(
    "parameter", ["q", "sort", "after", "before", "tab", "button", "_step", "name.empty", "name.", ".", "[]"]
)
@pytest.mark.parametrize("path", PATHS)
def test_no_parameter_breaks(filled, path, parameter):
    for value in ODD[3 * PATHS.index(path) :: 16]:  # each parameter gets a third of the texts, each path others
        assert is_whole(filled[ANNA].see(f"{path}?{quote(parameter)}={quote(value)}&field=service"))


@pytest.mark.parametrize(
    "identity", ["0", "-1", "01", "1.0", "1e1", HUGE, "9223372036854775808", "%D9%A1", "1%20", "+1", "x", "1;2"]
)
def test_an_invalid_id_is_not_found(filled, identity):
    for more in ("", "edit", "comments", "move/resolve"):
        assert filled[NANCY].see(f"/requests/{identity}/{more}").status_int in (301, 404)


@pytest.mark.sqlite_suffices
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "HEAD"])
@pytest.mark.parametrize(
    "path", ["/", "/things/", "/things/create", "/requests/1/", "/search", "/things/export.csv", "/nothing"]
)
def test_other_methods_are_answered_with_what_the_address_knows(filled, method, path):
    anna = filled[ANNA]
    answer = anna.request(path, method=method, status="*", expect_errors=True, headers={"X-CSRF-Token": anna.token})
    assert is_whole(answer) if method != "HEAD" else answer.status_int < 500
    if answer.status_int == 405:
        assert answer.headers["Allow"]


def test_forms_take_any_text(world):
    fill(world)
    anna, nancy = world[ANNA], world[NANCY]
    request = next(record for record in world.all("requests") if record.title == "Mine").id
    names = [
        "service", "category", "name", "body", "impact", "affected", "helpers", "cost", "cost.currency", "when",
        "where_to.street", "labels", "code", "_version", "_once", "_step", "_to", "_find", "_find.service",
    ]  # fmt: skip
    for value in ODD:
        form = {name: value for name in names}
        assert is_whole(anna.send("/requests/create", form))
        assert is_whole(nancy.send(f"/requests/{request}/edit", form))
        assert is_whole(anna.send(f"/requests/{request}/comments", {"text": value, "internal": value}))
        assert is_whole(anna.send(f"/requests/{request}/move/close", {"satisfaction": value, "comment": value}))
    for value in ODD[::16]:
        for name in names:
            assert is_whole(anna.send("/requests/create", {"service": "1", "name": "x", "body": "y", name: value}))
    gc.collect()


@pytest.mark.sqlite_suffices
def test_a_file_in_the_place_of_a_text_is_no_text(world):
    fill(world)
    anna = world[ANNA]
    request = next(record for record in world.all("requests") if record.title == "Mine").id
    form = [
        "service", "helpers", "name", "body", "cost", "when", "labels", "where_to.city", "_once", "_step", "_to",
        "_find", "_draft",
    ]  # fmt: skip
    for address, names in (
        ("/requests/create", form),
        (f"/requests/{request}/comments", ["text", "internal", "_once"]),
        (f"/requests/{request}/move/close", ["satisfaction", "comment"]),
    ):
        for name in names:
            answer = anna.post(address, {"_csrf": anna.token}, upload_files=[(name, "x.txt", b"text")], status="*")
            assert is_whole(answer), name
    for name in ("name", "_version"):
        answer = world[NANCY].post(
            f"/requests/{request}/edit", {"_csrf": world[NANCY].token}, upload_files=[(name, "x", b"t")], status="*"
        )
        assert is_whole(answer)


parameters = st.lists(
    st.tuples(
        st.sampled_from([*FIELDS, "q", "sort", "tab", "after", "before", "button"]).flatmap(
            lambda name: st.sampled_from([name, f"{name}.min", f"{name}.max", f"{name}.empty"])
        ),
        st.one_of(st.sampled_from([*ODD, *FIELDS, *[f"-{name}" for name in FIELDS]]), st.text(max_size=30)),
    ),
    max_size=5,
)


@settings(max_examples=10, derandomize=True)
@given(parameters=parameters)
def test_any_address_of_a_list_is_answered_within_the_scope(filled, parameters):
    query = "&".join(f"{quote(name)}={quote(value.encode('utf-8', 'surrogatepass'))}" for name, value in parameters)
    for path in ("/things/", "/requests/"):
        answer = filled[BRUNO].see(f"{path}?{query}")
        assert is_whole(answer)
        assert '">Foreign<' not in answer


@pytest.mark.sqlite_suffices
def test_a_cookie_of_nonsense_is_no_error(filled):
    for value in ("%ff", "x" * 4000, "q=%00", '"', "=", "after=x&after=y"):
        answer = filled[ANNA].get("/requests/1/", headers={"Cookie": f"list={value}"}, status="*")
        assert answer.status_int < 500
