"""The engine's own inputs with values that are foreign, repeated, huge or not text, at every address: no 5xx."""

from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.functional.test_odd_input import fill, is_whole
from tests.functional.world import ANNA, BRUNO, NANCY

# WebOb keeps long bodies in files that it does not close.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.sqlite_suffices,  # what PostgreSQL takes for no text is tried by the tests of odd input
]

INPUTS = [
    "_step", "_to", "_draft", "_version", "_once", "_find", "_find.service", "_button", "_form", "_account", "_list",
    "_csrf", "button", "tab", "sort", "after", "before", "next", "field", "q", "sent", "letter", "language", "email",
    "current", "new", "confirm", "remember", "internal", "text", "comment",
]  # fmt: skip
BUTTONS = ["new_request", "printing", "waiting", "resolved", "open_requests"]
VALUES = [
    *BUTTONS, "module:things", "requests/create", "tasks/create", "1/edit", "create", "service", "name", "-name",
    "id", "open", "resolve", "0", "1", "-1",
    "2", "99999999999999999999", "9" * 400, "1e999", "NaN", "", " ", "x" * 3000, "[]",
    "{}", "null", "/", "//evil.example", "/\\evil.example", "\u202e", "\U0001f642", "١", "²", "\r\nSet-Cookie: a=b",
    "WyJ4IiwxXQ", "=?utf-8?b?SGkNCg==?=",
]  # fmt: skip
NO_TEXT = [b"\x00", b"\xff", b"\xed\xa0\x80", b"a\x00b"]
PAGES = [
    "", "login", "password", "password/forgotten", "password/reset/x", "search", "-/outbox", "-/problems", "-/health",
    "requests/", "requests/create", "requests/find", "requests/export.csv", "requests/1/", "requests/1/edit",
    "requests/1/delete", "requests/1/move/resolve", "requests/1/move/close", "requests/1/comments", "things/",
    "things/create", "things/find", "things/1/edit", "tasks/", "tasks/create", "people/1/edit", "articles/", "account/",
    "account/drafts", "account/discard", "language",
]  # fmt: skip
pairs = st.lists(st.tuples(st.sampled_from(INPUTS), st.sampled_from(VALUES) | st.text(max_size=20)), max_size=6)
bounded = settings(max_examples=15, derandomize=True)


@pytest.mark.parametrize("value", VALUES)
def test_no_value_in_the_engine_s_inputs_breaks_a_page(filled, value):
    typed = quote_from_bytes(value.encode())
    query = "&".join(f"{name}={typed}&{name}=1" for name in INPUTS)
    # Each value at every other page: all of them would be thousands of requests.
    for number, path in enumerate(PAGES[VALUES.index(value) % 2 :: 2]):
        assert is_whole(filled[(ANNA, BRUNO, NANCY)[number % 3]].see(f"/{path}?{query}"))


@pytest.mark.parametrize("module", ["things", "tasks", "requests", "people"])
def test_a_button_of_another_module_fills_in_nothing(filled, module):
    for person in (ANNA, NANCY):
        plain = filled[person].see(f"/{module}/create")
        for button in BUTTONS:
            answer = filled[person].see(f"/{module}/create?_button={button}")
            assert answer.status_int == plain.status_int
            if module != "requests" and answer.status_int == 200:
                assert "Printer" not in answer


def test_bytes_that_are_no_text_are_refused_at_every_address(filled):
    for path in PAGES:
        for value in NO_TEXT:
            assert filled[ANNA].see(f"/{path}?_step={quote_from_bytes(value)}").status_int in (400, 404)


@bounded
@given(path=st.sampled_from(PAGES), sent=pairs)
def test_any_inputs_of_an_address_are_answered(filled, path, sent):
    query = "&".join(f"{name}={quote_from_bytes(value.encode('utf-8', 'surrogatepass'))}" for name, value in sent)
    for person in (ANNA, NANCY):
        assert is_whole(filled[person].see(f"/{path}?{query}"))


@bounded
@given(path=st.sampled_from(PAGES), sent=pairs)
def test_any_inputs_of_a_form_are_answered(world, path, sent):
    if not world.all("requests"):
        fill(world)
    texts = [(name, value.encode("utf-8", "replace").decode()) for name, value in sent]
    for person in (ANNA, NANCY):
        assert is_whole(world[person].send(f"/{path}", texts))
