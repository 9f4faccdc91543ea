"""Canned answers that staff insert into a comment: the records of the module that `conversation:` names."""

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.view import view_config

from portal.fields.record_titles import RECORD_ID
from portal.records.reading.records import Records
from portal.web.resources import RecordComments

MOST_ANSWERS = 200


def _canned_answers(records: Records) -> Records | None:
    """The records that the reader may insert into a comment: those of the module that they see, if they are staff."""
    name = records.module.conversation.answers
    if name is None or not records.policy.staff or records.policy.access(name) is None:
        return None
    return records.of(name)


def answers_offered(records: Records) -> list[tuple[int, str]]:
    """Ids and titles of the canned answers offered to staff."""
    answers = _canned_answers(records)
    return [] if answers is None else answers.find("", MOST_ANSWERS)


def answer_text(records: Records, text: str) -> str:
    """The text of the canned answer with the id `text`; empty if there is none for this reader."""
    answers = _canned_answers(records)
    answer = answers.get(int(text)) if answers and RECORD_ID.fullmatch(text) else None
    field = answers.module.first_long_text if answers else None
    if answer is None or field is None:
        return ""
    return field.show(answer.values.get(field.name), records.policy.reader)


@view_config(context=RecordComments, name="answer", request_method="GET", renderer="json", permission="comment")
def show_answer(context: RecordComments, request: Request) -> dict[str, str]:
    """`GET /MODULE/ID/comments/answer`: the text of a canned answer, for the script that inserts it."""
    text = answer_text(context.records, request.GET.get("id", ""))
    if not text:
        raise HTTPNotFound
    return {"text": text}
