"""The checks on a sent file: its name, its size; and that its bytes are not swept away."""

import io

import pytest
import sqlalchemy as sa

from portal.database.engine import make_engine, writing
from portal.database.schema.tables import build, sorted_system_tables
from portal.declaration.shapes import Attachments
from portal.fields.reader import Reader
from portal.mail.incoming.mail_rows import stored_mails
from portal.records.writing.files import stored_file_names
from portal.records.writing.upload_checks import LONGEST_NAME, Upload, check_uploads
from tests.unit.database.portals import load_shipped

LIMIT = Attachments(max_size=1_000)


def check(name, size=1):
    """Whether the file is accepted, or why not."""
    checked = check_uploads([Upload(name, io.BytesIO(b"x" * size), size)], LIMIT, Reader())
    return bool(checked.accepted), "".join(map(str, checked.refused))


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..\\boot.ini", "/etc/passwd", "C:\\a.pdf", "..", " . ", "a\0.pdf", "a\r\nSet-Cookie: b.pdf",
     "a\tb.pdf", "a\u2028b.pdf", "a\u202egnp.exe", "\ud800.pdf", "x" * 296 + ".pdf"],
)  # fmt: skip
def test_a_name_that_could_mislead_or_lead_elsewhere_is_refused(name):
    taken, reason = check(name)
    assert not taken
    assert "was not added: its name" in reason
    assert not {"\0", "\r", "\n", "\u202e", "\u2028"} & set(reason)


@pytest.mark.parametrize("name", ["Größe „Łódź“ 東京.pdf", "a;b='c\" %41.pdf", "x" * LONGEST_NAME, ".profile"])
def test_any_other_name_is_taken(name):
    assert check(name) == (True, "")


def test_one_byte_more_than_the_limit_is_too_much():
    assert check("a.pdf", 1_000) == (True, "")
    taken, reason = check("a.pdf", 1_001)
    assert not taken
    assert "the limit is" in reason


def test_no_bytes_are_swept_away_that_a_row_of_the_portals_own_tables_names(tmp_path):
    tables = build(load_shipped("tests/portals/small"))
    bearers = [
        (table, column)
        for table in tables.by_name.values()
        for column in ("stored", "preview")
        if table.name.startswith("portal_") and column in table.c
    ]
    with writing(make_engine(f"sqlite:///{tmp_path}/files.sqlite")) as connection:
        for table in sorted_system_tables(tables):
            table.create(connection)
        for table, column in bearers:
            required = {each.name: "x" for each in table.c if not each.nullable and isinstance(each.type, sa.Text)}
            name = f"{table.name}.{column}"
            connection.execute(sa.insert(table).values(**{**required, **dict.fromkeys(required, name), column: name}))
        named = stored_file_names(connection, tables) | stored_mails(connection, tables)
    assert bearers
    missing = {f"{table.name}.{column}" for table, column in bearers} - named
    assert sorted(missing) == [], "stored_file_names (records/writing/files.py): portal files would remove their bytes"
