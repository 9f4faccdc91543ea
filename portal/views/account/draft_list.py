"""The list of a person's drafts at `/account/`: what each is about, and the way back to its form."""

from dataclasses import dataclass

from pyramid.request import Request

from portal.accounts.drafts import Draft
from portal.records.reading.page_of_records import Record
from portal.records.reading.records import Records
from portal.texts import Words, _, beginning
from portal.views.displays import moment
from portal.views.forms.drafts import page_of_form
from portal.views.parts import Moment
from portal.views.wording import new_label, record_in_words

EXCERPT = 200  # characters of a draft whose own page shows all of it
# Widgets of fields that people write into.
WRITTEN = frozenset({"input", "textarea", "markdown", "html"})


@dataclass(frozen=True)
class DraftLine:
    """A draft in the list of one's own."""

    form: str
    title: Words
    at: Moment
    url: str = ""  # where it can be continued; empty if its page is gone
    text: str = ""


def draft_line(request: Request, draft: Draft) -> DraftLine:
    """A draft: where it belongs, and the start of its text; all of it if its page no longer exists."""
    module, _slash, path = draft.form.partition("/")
    records = _records_of(request, module)
    record = _record_of(records, path) if records else None
    url = page_of_form(draft.form, draft.content.step) if records and _may_continue(records, path, record) else ""
    text = _written_text(records, draft)
    return DraftLine(
        form=draft.form,
        title=_draft_title(records, path, record),
        at=moment(draft.modified, request.reader),
        url=url,
        text=beginning(text, EXCERPT) if url else text,
    )


def _records_of(request: Request, module: str) -> Records | None:
    """The records of the module that a draft in the list is about; None if the profile no longer has it."""
    return None if request.policy.access(module) is None else Records(request.connection, request.policy, module)


def _record_of(records: Records, path: str) -> Record | None:
    """The record that a draft in the list changes; None for a new one, and for one that can no longer be seen."""
    record_id = path.partition("/")[0]
    drafted = records.by_ids([int(record_id)], []) if record_id.isdecimal() else []
    return drafted[0] if drafted else None


def _may_continue(records: Records, path: str, record: Record | None) -> bool:
    """Whether the profile still has the page of the form that a draft in the list belongs to."""
    first, _slash, action = path.partition("/")
    if first == "create":
        return records.policy.may(records.name, "create")
    name = {"comments": "comment"}.get(action, action.removeprefix("move/"))
    return record is not None and records.policy.may(records.name, name)


def _draft_title(records: Records | None, path: str, record: Record | None) -> str:
    if records and path.startswith("create/"):
        return new_label(records)
    return record_in_words(record) if record else _("This record is no longer available")


def _written_text(records: Records | None, draft: Draft) -> str:
    """The text written into a draft in the list, without choices."""
    fields = records.module.fields if records else {}
    names = {name for name, field in fields.items() if field.widget in WRITTEN} | {"text", "comment"}
    texts = [text for name, texts in draft.content.inputs.items() if name in names for text in texts if text.strip()]
    return "\n".join(texts)
