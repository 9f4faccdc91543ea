"""Many people in one network who sign in, or request a new password, at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from portal.accounts.attempts import TooManyAttemptsError
from portal.accounts.giving_access import AccessRequest
from portal.accounts.link_requests import LinkRequest, request_link
from portal.accounts.passwords import Passwords
from portal.accounts.signing_in import Logins, SignedIn, SignInAttempt
from portal.database.engine import make_engine, reading, writing
from portal.database.schema.tables import build
from portal.declaration.load import load
from tests.functional.conftest import SMALL
from tests.functional.world import CHEAP, NOW, PASSWORD, add_people

OFFICE = 14
NETWORK = "192.0.2.7"


@pytest.fixture
def logins(database):
    """The logins of a portal in which fourteen people of one company can sign in."""
    engine, tables = make_engine(database), build(load(SMALL).declaration)
    passwords = Passwords(CHEAP["password_memory"], CHEAP["password_rounds"])
    people = [AccessRequest(address(number), "customer", f"Person {number}", "Acme") for number in range(OFFICE)]
    with writing(engine) as connection:
        add_people(connection, tables, people)
    yield Logins(engine, tables, passwords)
    engine.dispose()


def address(number):
    return f"person{number}@acme.example"


def at_once(work):
    """The result of `work` for each number in the office, all started at the same moment."""
    start = threading.Barrier(OFFICE)

    def run(number):
        start.wait()
        return work(number)

    with ThreadPoolExecutor(OFFICE) as threads:
        return list(threads.map(run, range(OFFICE)))


def counts(logins):
    with reading(logins.engine) as connection:
        return sorted(connection.scalars(sa.select(logins.tables.attempt.c["count"])))


def test_an_office_signs_in_at_the_same_moment(logins):
    answers = at_once(lambda number: logins.sign_in(SignInAttempt(address(number), PASSWORD, NETWORK), NOW))
    assert [type(answer) for answer in answers] == [SignedIn] * OFFICE
    assert counts(logins) == [0], "only what the network shares, taken back for everyone"


def test_wrong_passwords_at_the_same_moment_are_all_counted(logins):
    def guess(number):
        try:
            return logins.sign_in(SignInAttempt(address(0), "wrong", NETWORK), NOW)
        except TooManyAttemptsError as error:
            return error.seconds

    answers = at_once(guess)
    assert sum(isinstance(answer, int) for answer in answers) == OFFICE - 10


def test_an_office_asks_for_new_passwords_at_the_same_moment(logins):
    def ask(number):
        with writing(logins.engine) as connection:
            return request_link(connection, logins.tables, LinkRequest(address(number), NETWORK), NOW)

    assert None not in at_once(ask)
