"""Records and files as JSON: what programs do not get is left out on purpose."""

import dataclasses
import datetime

from portal.records.reading.as_json import file_json
from portal.records.reading.files import StoredFile

# Where the bytes are, and what only decides who may have the file.
LEFT_OUT = {"stored", "preview", "field", "account", "staff", "internal"}


def test_whatever_is_known_of_a_file_is_in_its_json_or_left_out_on_purpose():
    names = {field.name for field in dataclasses.fields(StoredFile)}
    file = StoredFile(**{**dict.fromkeys(names), "created": datetime.datetime(2026, 3, 5, tzinfo=datetime.UTC)})
    assert sorted((names - file_json(file).keys()) ^ LEFT_OUT) == [], "as_json.py: file_json, or LEFT_OUT here"
