"""Suggests records of another module that may answer a question, by the words of its title, while it is typed
(`suggest` in a create layout). “That solved it” ends the form.
"""

from typing import Any

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.records.reading.any_words import ids_with_any_word
from portal.records.reading.records import Records
from portal.texts import beginning, ngettext
from portal.views.forms.drafts import KEY, drafts_of
from portal.views.forms.form_page import SuggestionInputs
from portal.web.addresses import list_address, record_address
from portal.web.flash import set_flash
from portal.web.form_input import posted_text
from portal.web.resources import Module

MOST = 3  # records at once
LONGEST = 200  # characters of a title that are searched for
ABOUT = 140  # characters of a record's text


def suggestion_inputs(records: Records, shown: set[str], key: str) -> SuggestionInputs | None:
    """What a form with these fields tells the script; None if nothing can be suggested."""
    title = records.module.title_field.name
    if title not in shown or _suggested(records) is None:
        return None
    return SuggestionInputs(f"/{records.name}/suggested", f"field-{title}", f"/{records.name}/solved", key)


def _suggested(records: Records) -> Records | None:
    """The records that the form suggests; None if none, or if the profile lacks their module."""
    module = records.access.create.suggest
    return records.of(module) if module and records.policy.access(module) else None


@view_config(context=Module, name="suggested", request_method="GET", renderer="json", permission="create")
def suggest_records(module: Module, request: Request) -> dict[str, Any]:
    """`GET /MODULE/suggested?q=`: the records with most words of a title, and a sentence with their number."""
    records = _suggested(module.records)
    if records is None:
        raise HTTPNotFound
    text = records.module.first_long_text
    about = text if text and text.name in records.policy.readable(records.name) else None
    ids = ids_with_any_word(records, request.GET.get("q", "")[:LONGEST], MOST)
    by_id = {record.id: record for record in records.by_ids(ids, [about.name] if about else [])}
    suggestions = [
        {
            "title": by_id[record_id].title,
            "url": record_address(records.name, record_id),
            "about": beginning(about.show(by_id[record_id].values[about.name], request.reader), ABOUT) if about else "",
        }
        for record_id in ids
        if record_id in by_id
    ]
    summary = ngettext("${number} possible answer", "${number} possible answers", len(suggestions))
    return {"summary": request.reader.text(summary) if suggestions else "", "suggestions": suggestions}


@view_config(context=Module, name="solved", request_method="POST", permission="create")
def end_form(module: Module, request: Request) -> Response:
    """`POST /MODULE/solved`: deletes the draft of a new record; nothing is created."""
    key = posted_text(request, "_draft")
    if _suggested(module.records) is None:
        raise HTTPNotFound
    if KEY.fullmatch(key):
        drafts_of(request).discard(f"{module.module_name}/create/{key}")
    return set_flash(request, HTTPSeeOther(list_address(module.module_name)), "solved")
