"""A form for a new record that says the same as one that was sent within the last hour: it asks before it is done.

The browser's Back button leads to a form with what was typed and with another one-time key. Who sends it once more may
want a second record, or may not know that there is a first one.
"""

import hashlib
import json

from pyramid.renderers import render_to_response
from pyramid.request import Request
from pyramid.response import Response

from portal.accounts.drafts import DraftContent
from portal.fields.file import kept_input
from portal.records.reading.records import Records
from portal.records.writing.form_keys import is_used, keep_address, recent_address
from portal.texts import _
from portal.views.forms.drafts import account_once_key
from portal.views.forms.form_page import QuestionPage
from portal.views.forms.submissions import once_key
from portal.views.wording import record_in_words
from portal.web.addresses import create_address, record_address
from portal.web.form_input import posted_text, whole_number

CONFIRMED = "_again"  # the input of the question: a second record is wanted


def ask_if_same(records: Records, request: Request, content: DraftContent) -> Response | None:
    """The question whether the record is to be created again; None where it was not, and for the answer to it.

    What does not come from a page has no one-time key, and is not asked. A form that is sent twice at once has the same
    key.
    """
    key = account_once_key(request)
    if not key or CONFIRMED in request.POST or is_used(records.connection, records.policy.tables, key):
        return None
    first_id = whole_number(recent_address(records, _content_key(records, request, content)))
    first = records.get(first_id) if first_id else None
    if first is None:  # or it is deleted, or not the author's to see
        return None
    inputs = [(name, text) for name, texts in content.inputs.items() for text in texts]
    page = QuestionPage(
        heading=_("Create another one?"),
        subject=record_in_words(first),
        text=_("You created the record above a short time ago, with the same values."),
        action=create_address(records.name),
        submit=_("Create another one"),
        back_url=record_address(records.name, first.id),
        once=once_key(request),
        hidden=(*inputs, ("_draft", posted_text(request, "_draft")), (CONFIRMED, "yes")),
    )
    return render_to_response("question.pt", {"page": page}, request)


def remember_content(records: Records, request: Request, content: DraftContent, record_id: int) -> None:
    """Remembers which record was created by a form that says this."""
    if account_once_key(request):
        keep_address(records, _content_key(records, request, content), str(record_id))


def _content_key(records: Records, request: Request, content: DraftContent) -> str:
    """What the form for a new record says, without its files: those that were stored have other keys the next time."""
    inputs = {name: texts for name, texts in content.inputs.items() if not name.endswith(kept_input(""))}
    said = json.dumps([records.name, inputs], sort_keys=True)
    return f"{request.visitor.own_account}:={hashlib.sha256(said.encode()).hexdigest()}"
