"""Does one thing to many records: to each separately, completely or not at all, and with its outcome.

Each record is written within a savepoint, by the same writer as single records, so that the same checks of rights,
states and versions apply.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from portal.batches import batched
from portal.declaration.shapes import Transition
from portal.fields.base import Field
from portal.fields.refused import Refused
from portal.records.reading.records import Record, Records
from portal.records.writing.errors import ConflictError, NotAllowedError
from portal.texts import _

MOST_RECORDS = 1_000  # records
INPUTS = ("ids", "all", "do")  # which say what is done to which records
BATCH = 100


@dataclass(frozen=True)
class RecordOutcome:
    """The outcome for one record; `record` is None if the reader sees none with this id. No `problem`: it succeeded."""

    id: int
    record: Record | None
    problem: str = ""
    field: Field | None = None  # whose answer is the problem


class AnswerRefusedError(Refused):
    """The answer for a field is refused for this record."""

    def __init__(self, message: str, field: Field) -> None:
        super().__init__(message)
        self.field = field


def do_to_many(records: Records, ids: Sequence[int], do: Callable[[Record], None]) -> Iterator[RecordOutcome]:
    """Does one thing to each of many records, `ids`, in this order, and returns the outcomes."""
    for batch in batched(ids, BATCH):
        records_by_id = {record.id: record for record in records.by_ids(batch, records.module.everything)}
        for record_id in batch:
            record = records_by_id.get(record_id)
            if record is None:
                yield RecordOutcome(record_id, None, _("This record does not exist."))
            else:
                yield _attempt(records, record, do)


def _attempt(records: Records, record: Record, do: Callable[[Record], None]) -> RecordOutcome:
    try:
        with records.connection.begin_nested():
            do(record)
    except AnswerRefusedError as refused:
        return RecordOutcome(record.id, record, refused.message, refused.field)
    except Refused as refused:
        return RecordOutcome(record.id, record, refused.message)
    except ConflictError:
        return RecordOutcome(record.id, record, _("Someone else has just changed it."))
    except NotAllowedError:
        return RecordOutcome(record.id, record, _("Only someone else can do this."))
    return RecordOutcome(record.id, record)


def transitions_for_many(records: Records) -> list[Transition]:
    """The transitions that a profile may use on many records at once; none that asks for a file or a signature, since
    each record needs its own, or for a field with the name of one of this form's inputs."""
    fields = records.module.fields
    return [
        transition
        for transition in records.module.transitions.values()
        if transition.bulk
        and records.policy.may(records.name, transition.name)
        and transition.ask.keys().isdisjoint(INPUTS)
        and not any(fields[name].by_upload or fields[name].signs for name in transition.ask if name in fields)
    ]
