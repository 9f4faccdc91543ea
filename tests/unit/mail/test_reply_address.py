"""Reply addresses: what the token says, and that nobody else can write one."""

import itertools

import pytest
from pydantic import ValidationError

from portal.accounts.keys_and_tokens import find_portal_key, portal_key
from portal.database.engine import make_engine, reading, writing
from portal.database.migration.plan_and_apply import apply
from portal.database.schema.tables import build
from portal.declaration.shapes import Inbox
from portal.mail.reply_address import ReplyTo, make_reply_address, read_reply_address
from tests.unit.mail.test_letters import SMALL

KEY = b"k" * 32
MODULES = {"tickets": "tickets", "tasks": "tasks"}
ABOUT = ReplyTo("tickets", 1042, 7)
LONGEST_INBOX = "a.b" + "c" * 24 + "@lumen.example"
ADDRESS = make_reply_address(KEY, "help@lumen.example", ABOUT)


@pytest.mark.parametrize("about", [ABOUT, ReplyTo("tasks", 2**62, 2**31 - 1), ReplyTo("tasks", 1, 1)])
def test_the_token_finds_record_and_recipient(about):
    address = make_reply_address(KEY, LONGEST_INBOX, about)
    for written in (address, address.upper(), address.replace("a.b", "else+a.b")):
        assert read_reply_address(KEY, written, MODULES) == about


def test_the_longest_inbox_leaves_room_for_the_token():
    """RFC 5321 allows 64 characters before the @."""
    assert Inbox(address=LONGEST_INBOX, creates="tickets").address == LONGEST_INBOX
    with pytest.raises(ValidationError):
        Inbox(address=f"x{LONGEST_INBOX}", creates="tickets")
    assert len(make_reply_address(KEY, LONGEST_INBOX, ABOUT).partition("@")[0]) == 64


def test_an_address_without_a_token_of_this_portal_is_ignored():
    local, _plus, token = ADDRESS.partition("@")[0].partition("+")
    others = ["help@lumen.example", "help+@lumen.example", "", "@", "help+ü" + token[1:] + "@lumen.example"]
    changed = [
        token[:place] + ("a" if token[place] != "a" else "b") + token[place + 1 :] for place in range(len(token) - 1)
    ]
    for address in [*others, *[f"{local}+{each}@lumen.example" for each in changed]]:
        assert read_reply_address(KEY, address, MODULES) is None
    assert read_reply_address(b"x" * 32, ADDRESS, MODULES) is None
    assert read_reply_address(KEY, ADDRESS, {"tasks": "tasks"}) is None


def test_an_answer_finds_the_record_of_a_module_that_was_renamed_since():
    assert read_reply_address(KEY, ADDRESS, {"tickets": "requests"}) == ReplyTo("requests", 1042, 7)


def test_each_record_account_and_module_has_another_token():
    every = [ReplyTo(*which) for which in itertools.product(MODULES, (1, 2), (1, 2))]
    assert len({make_reply_address(KEY, "help@lumen.example", about) for about in every}) == len(every)


def test_the_key_is_made_once_and_kept(database_url):
    engine, tables = make_engine(database_url), build(SMALL)
    apply(engine, tables)
    with reading(engine) as connection:
        assert find_portal_key(connection, tables) is None
    with writing(engine) as connection:
        key = portal_key(connection, tables)
        assert portal_key(connection, tables) == key
    with reading(engine) as connection:
        assert find_portal_key(connection, tables) == key
    assert len(key) == 32
    engine.dispose()
