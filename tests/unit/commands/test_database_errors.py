"""What people read when the database refuses in the middle of a command."""

import sqlite3

import click
import pytest
import sqlalchemy as sa

from portal.commands.database_errors import database_errors_explained
from portal.database.engine import make_engine, writing


def refused(words):
    return sa.exc.OperationalError("INSERT", None, sqlite3.OperationalError(words))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("database is locked", "busy"),
        ("database or disk is full", "disk is full"),
        ("unable to open database", "answer"),
    ],
)
def test_what_people_can_do_something_about_is_a_sentence(words, sentence):
    with pytest.raises(click.UsageError, match=sentence), database_errors_explained():
        raise refused(words)


def test_missing_rights_are_no_mistake_of_ours(postgresql_url):
    engine = make_engine(postgresql_url)
    with (
        pytest.raises(
            click.UsageError, match="permission denied for schema public: the user in PORTAL_DATABASE should"
        ),
        database_errors_explained(),
        writing(engine) as connection,
    ):
        connection.exec_driver_sql("CREATE ROLE nobody")
        connection.exec_driver_sql("SET LOCAL ROLE nobody")
        connection.exec_driver_sql("CREATE TABLE notes (id integer)")
    engine.dispose()


def test_a_mistake_of_ours_stays_what_it_is():
    with pytest.raises(sa.exc.OperationalError), database_errors_explained():
        raise refused("no such column: nmae")
