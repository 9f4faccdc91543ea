"""Every column of the portal's own tables about people and records: who gets it, or that it is left out on purpose.

What becomes of a column when a person is erased is asked by tests/functional/test_erasing.py.
"""

import dataclasses
import datetime

import pytest

from portal.accounts import own_data
from portal.database.schema.system_tables import shared_system_tables
from portal.database.schema.tables import build
from portal.records.reading.as_json import comment_json, file_json
from portal.records.reading.comments import Comment
from portal.records.reading.files import StoredFile
from portal.records.reading.history import Event
from portal.records.transfer.csv_columns import settable
from portal.views.api.openapi import COMMENT, FILE
from tests.functional.test_erasing import IMPERSONAL
from tests.functional.test_files_in_bundles import CARRIED as CARRIED_OF_FILES
from tests.unit.database.portals import load_shipped

# What people do not get of what is stored about them: keys and secrets, and what only the portal needs.
KEPT_FROM_PEOPLE = {
    "account": {
        "id",
        "person",
        "password",
        "must_change",
        "bounces",
        "bounce_reason",
        "news_from",
        "hides",
        "arranges",
    },
    "session": {"token", "account", "remembered", "viewed_account", "viewed_profile", "viewed_since"},
    "passkey": {"id", "account", "credential", "public_key", "sign_count"},
    "api_token": {"id", "token", "account"},
    "saved_view": {"key", "account", "is_default", "compact"},
    "comment": {"account", "folded", "corrected"},
    "file": {"account", "field", "staff", "internal", "stored", "preview"},
    "event": {"id", "account", "author", "internal"},
    "watcher": {"person"},
    "seen": {"account", "dismissed"},
    "pending_file": {"key", "account", "field", "media_type", "stored", "preview"},
    "draft": {"id", "account", "step", "version"},
    "outbox": {
        *("id", "message", "message_id", "state", "attempts", "next_try", "locked_until", "give_up", "reason"),
        *("account", "module", "record", "kind", "events"),
    },
    "letter_choice": {"account"},
    "mail": {"id", "key", "message_id", "stranger", "reason", "stored"},
}
# Tables of which people get nothing: secrets, what is kept for days, requests for access, mass invitations.
NOT_GIVEN = {"second_factor", "recovery_code", "link", "once", "sign_up", "opening"}
# What neither an export carries nor an import sets: the rest of a record's row, and of the rows of its files.
NOT_CARRIED = {"id", "created_by", "modified", "modified_by", "channel", "comments", "_reference_folded", "_version"}
NOT_CARRIED_OF_FILES = {"id", "comment", "stored", "preview", "account", "author", "staff", "created"}


def names(kind):
    return {field.name for field in dataclasses.fields(kind)}


def sample(kind, moment):
    return kind(**dict.fromkeys(names(kind)) | {moment: datetime.datetime(2026, 3, 5, tzinfo=datetime.UTC)})


# The columns of comments, files and events that are read, and what programs get of them.
AS_JSON = {
    "comment": (Comment, comment_json(sample(Comment, "created"), [], internal=True).keys() - {"files"}, COMMENT),
    "file": (StoredFile, file_json(sample(StoredFile, "created")).keys(), FILE),
}


def test_every_column_about_a_person_is_given_to_them_or_kept_on_purpose():
    event = own_data.event_json(dataclasses.replace(sample(Event, "at"), changes=(), record=0), None)
    given = {
        "account": {*own_data.ACCOUNT}, "mail": {*own_data.MAILS}, "watcher": {*own_data.WATCHED},
        "event": event.keys() - {"reference", "transition", "changes"} | {"details"},
        **{table: {*columns} for table, columns in own_data.OF_ACCOUNT.values()},
        **{table: {*keys, "module", "record"} for table, (_kind, keys, _schema) in AS_JSON.items()},
    }  # fmt: skip
    forgotten = [
        f"{name}.{column}"
        for name, table in shared_system_tables().items()
        if table.name not in IMPERSONAL and name not in NOT_GIVEN
        for column in {*table.c.keys()} - given.get(name, set()) - KEPT_FROM_PEOPLE.get(name, set())
    ]
    assert sorted(forgotten) == [], "accounts/own_data.py, or KEPT_FROM_PEOPLE and NOT_GIVEN here"


@pytest.mark.parametrize(
    ("table", "kind"), [*((name, kind) for name, (kind, *_more) in AS_JSON.items()), ("event", Event)]
)
def test_every_column_of_comments_files_and_events_is_read(table, kind):
    unread = {*shared_system_tables()[table].c.keys()} - names(kind) - {"module", "record", "details"}
    assert sorted(unread) == [], f"{kind.__name__} in records/reading/"


@pytest.mark.parametrize("table", AS_JSON)
def test_what_is_read_is_given_to_programs_and_described_or_kept_on_purpose(table):
    kind, keys, schema = AS_JSON[table]
    assert sorted(names(kind) - keys - KEPT_FROM_PEOPLE[table]) == [], "records/reading/as_json.py"
    assert sorted(keys - schema["properties"].keys()) == [], "views/api/openapi.py: FILE and COMMENT"


def test_every_column_of_a_record_and_of_its_files_is_exported_and_imported_or_not_on_purpose():
    declaration = load_shipped("tests/portals/wide")
    module = declaration.modules["requests"]
    fields = [*module.fields.values(), *settable(module, with_files=True).values()]
    carried = {column.name for field in fields for column in field.columns()}
    of_record = {*build(declaration).module("requests").c.keys()} - carried - NOT_CARRIED
    of_files = {*shared_system_tables()["file"].c.keys()} - {*CARRIED_OF_FILES} - NOT_CARRIED_OF_FILES
    assert sorted(of_record) == [], "records/transfer/csv_columns.py: SETTABLE, or NOT_CARRIED here"
    assert sorted(of_files) == [], (
        "records/transfer/: exporting_files.py and importing_files.py, or NOT_CARRIED_OF_FILES"
    )
