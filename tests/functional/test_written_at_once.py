"""The same thing written by two requests at once: the second is tried again, and is no error.

On SQLite one waits for the other.
"""

import pytest
import sqlalchemy as sa

from portal.accounts.accounts import find_account
from portal.accounts.drafts import Content, Drafts
from portal.accounts.giving_access import Register
from portal.accounts.letter_choices import save_choices
from portal.database.engine import writing
from portal.database.errors import is_retryable
from portal.records.writing.errors import RetryError
from tests.functional.world import ANNA, BRUNO, NOW


def save_draft(connection, tables):
    Drafts(connection, tables, find_account(connection, tables, ANNA).id, NOW).save("requests/1/edit", Content({}))


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
