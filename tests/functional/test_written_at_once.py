"""Several requests that write the same thing at once: they are retried, and nobody sees an error.

On SQLite one waits for the other.
"""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa

from portal.accounts.accounts import find_account
from portal.accounts.drafts import DraftContent, Drafts
from portal.accounts.giving_access import Register
from portal.accounts.letter_choices import save_choices
from portal.database.engine import writing
from portal.database.errors import is_retryable
from portal.records.writing.errors import RetryError
from portal.records.writing.history import SYSTEM
from portal.records.writing.writer import Writer
from tests.functional.world import ANNA, BRUNO, NOW


def save_draft(connection, tables):
    Drafts(connection, tables, find_account(connection, tables, ANNA).id, NOW).save("requests/1/edit", DraftContent({}))


def end_letters(connection, tables):
    save_choices(connection, tables, find_account(connection, tables, ANNA).id, ())


def take_address(connection, tables, email=ANNA):
    Register(connection, tables, NOW).change_email(email, "new@acme.example")


def take_address_too(connection, tables):
    take_address(connection, tables, BRUNO)


@pytest.mark.parametrize(
    ("write", "write_too"), [(save_draft, save_draft), (end_letters, end_letters), (take_address, take_address_too)]
)
def test_the_second_is_tried_again(world, write, write_too):
    engine, tables = world.portal.engine, world.portal.tables
    if engine.dialect.name == "sqlite":
        pytest.skip("one writer waits for the other")
    with writing(engine) as late:
        late.execute(sa.select(tables.account.c["id"])).all()  # from now on it sees this moment
        with writing(engine) as early:
            write(early, tables)
        with pytest.raises((RetryError, sa.exc.DBAPIError)) as error:
            write_too(late, tables)
    assert isinstance(error.value, RetryError) or is_retryable(error.value)


def test_everyone_who_follows_a_record_may_comment_on_it_at_the_same_moment(world):
    request = world.add("requests", name="Busy", **world.for_request())
    with writing(world.portal.engine) as connection:
        records = world.records(connection, "requests")
        for name in ("Bruno Verdi", "Carla Neri", "Dario Blu", "Edda Sola"):
            Writer(records, SYSTEM).watch(records.get(request), world.the("people", name).id)
    together = Barrier(len(world.browsers))

    def comment(browser):
        together.wait()
        return browser.send(f"/requests/{request}/comments", {"text": "Me too"}).status_int

    with ThreadPoolExecutor(len(world.browsers)) as threads:
        assert set(threads.map(comment, world.browsers.values())) == {303}
    assert world.record("requests", request).values["comments"] == len(world.browsers)
