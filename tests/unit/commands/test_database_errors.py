"""What people read when the database refuses in the middle of a command."""

import sqlite3

import click
import pytest
import sqlalchemy as sa

from portal.commands.database_errors import database_errors_explained


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


def test_a_mistake_of_ours_stays_what_it_is():
    with pytest.raises(sa.exc.OperationalError), database_errors_explained():
        raise refused("no such column: nmae")
