"""Records, comments and files as programs read them: what the API answers, and what webhooks are sent.

Their values were already read with the rights of a policy; only the files of comments are looked up here.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from portal.fields.dates_and_times import utc_text
from portal.records.reading.comments import Comment
from portal.records.reading.files import StoredFile, files
from portal.records.reading.records import Record, Records

TITLE, VERSION = "_title", "_version"


def record_json(records: Records, record: Record) -> dict[str, Any]:
    """A record as JSON for programs, with the fields that were read; keys that the portal adds begin with `_`."""
    fields = {
        name: field.to_json(record.values[name])
        for name, field in records.module.everything.items()
        if name in record.values
    }
    return {"id": record.id, "reference": record.reference, TITLE: record.title, VERSION: record.version, **fields}


def comments_json(records: Records, record: Record, comments: Sequence[Comment]) -> list[dict[str, Any]]:
    """Comments with their files; only staff, who alone read internal ones, get `internal`."""
    by_comment: dict[int | None, list[StoredFile]] = defaultdict(list)
    for file in files(records, record) if comments else ():
        by_comment[file.comment].append(file)
    staff = records.policy.staff
    return [comment_json(comment, by_comment[comment.id], internal=staff) for comment in comments]


def comment_json(comment: Comment, files: Sequence[StoredFile], internal: bool) -> dict[str, Any]:
    """A comment with its files; `internal`: whether also whether it is internal."""
    return {
        "id": comment.id,
        "author": comment.author,
        "staff": comment.staff,
        "text": comment.text,
        "created": utc_text(comment.created),
        "channel": comment.channel or "portal",
        "files": [file_json(file) for file in files],
        **({"internal": comment.internal} if internal else {}),
    }


def file_json(file: StoredFile) -> dict[str, Any]:
    """A file as JSON for programs, without its bytes."""
    return {
        "id": file.id,
        "name": file.name,
        "size": file.size,
        "media_type": file.media_type,
        "author": file.author,
        "comment": file.comment,
        "created": utc_text(file.created),
    }
