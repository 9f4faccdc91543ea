"""Drafts of forms: saved while the reader types and when a form is refused, offered by its page, listed in /account/.

A form is named by its address without the leading slash: `tickets/7/edit`, `tickets/7/comments`,
`tickets/7/move/close`, and for a new record `tickets/create/KEY`, where the key tells two open forms apart.
"""

import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pyramid.events import NewRequest, subscriber
from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config
from webob.multidict import MultiDict

from portal.accounts.attempts import SET_ASIDE, TooManyAttemptsError, check_attempt, network_of
from portal.accounts.drafts import Draft, DraftContent, Drafts, owner_digest, set_aside
from portal.database.engine import writing
from portal.database.errors import DatabaseError
from portal.declaration.layouts import flat
from portal.fields.file import token_input
from portal.fields.reader import Reader
from portal.records.writing.form_keys import kept_address
from portal.views.displays import short_moment
from portal.views.forms.form_page import DraftForm, DraftShown
from portal.views.forms.uploads import ATTACHMENTS_INPUTS, attachments_input
from portal.web.addresses import own_path
from portal.web.cookies import Cookie, read_cookie, set_cookie
from portal.web.form_input import posted_once_key, posted_text, whole_number
from portal.web.resources import Account
from portal.web.safe_methods import SAFE_METHODS

log = logging.getLogger(__name__)

NAME = r"[a-z][a-z0-9_]{0,47}"
RECORD = r"[1-9][0-9]{0,17}"
KEY = re.compile(r"[A-Za-z0-9_-]{8,32}")
OWNER = re.compile(r"[0-9a-f]{16}")
FORM = re.compile(rf"({NAME})/(?:create/{KEY.pattern}|({RECORD})/(?:edit|comments|move/{NAME}))")
ADDRESS = re.compile(rf"/({NAME}/(?:create|{RECORD}/(?:edit|comments|move/{NAME})))")
# Answers to a readable form that was not accepted: errors, conflicts, records that are gone.
REFUSED = frozenset({400, 403, 404, 409, 422, 429, 500, 503})
FILES_LOST = "files.lost"  # instead of an input: the form had files, and nobody was signed in


# -- names of forms ----------------------------------------------------------------------------------------------------


def draft_key(text: str) -> str:
    """The key of the draft that a form names, or a new one, random enough to be unique across browsers."""
    return text if KEY.fullmatch(text) else secrets.token_urlsafe(9)


def form_name(request: Request) -> str:
    """The name of the form that a request sends, as for its drafts: `tickets/5/edit`, `tickets/create/KEY`."""
    path = request.path_info.strip("/")
    return f"{path}/{draft_key(posted_text(request, '_draft'))}" if path.endswith("/create") else path


def page_of_form(form: str, step: int) -> str:
    """The address of the page with the form of a draft."""
    path, _slash, last = form.rpartition("/")
    if path.endswith("/create"):
        return f"/{path}?_draft={last}&_step={step}"
    return f"/{path}/" if last == "comments" else f"/{form}"


def page_of_unsent_form(request: Request) -> str:
    """The page of the form that a request could not send, to return to after signing in; empty for other requests."""
    if not ADDRESS.fullmatch(request.path_info):
        return ""
    path = request.path_info.strip("/")
    if path.endswith("/create") and not KEY.fullmatch(posted_text(request, "_draft")):
        return ""
    return page_of_form(form_name(request), whole_number(posted_text(request, "_step")) or 0)


# -- reading -----------------------------------------------------------------------------------------------------------


def drafts_of(request: Request) -> Drafts:
    """The Drafts that forms keep for the signed-in account."""
    none = request.method in SAFE_METHODS and not request.visitor.has_drafts
    return Drafts(request.connection, request.portal.tables, request.visitor.own_account, request.now, none=none)


def _owner_of(request: Request) -> str:
    """The digest of the signed-in account in forms; empty without an account, and in a preview."""
    account_id = request.visitor.own_account
    return owner_digest(account_id) if account_id else ""


def as_form(inputs: Mapping[str, Any]) -> MultiDict:
    """The inputs of a draft as if they had been posted."""
    several = ((name, [texts] if isinstance(texts, str) else texts) for name, texts in inputs.items())
    return MultiDict([(name, text) for name, texts in several for text in texts])


def draft_form(
    request: Request, name: str, draft: Draft | None = None, *, key: str = "", basis: str = "", continues: bool = False
) -> DraftForm:
    """What a form contains so that it can be saved as a draft; `draft`: the one that its page offers; `continues`:
    with a link to the page that shows all of it."""
    shown = _draft_shown(draft, request.reader, continues) if draft else None
    return DraftForm(name, _owner_of(request), key, basis, shown)


def _draft_shown(draft: Draft, reader: Reader, continues: bool) -> DraftShown:
    """The line “Draft from 14:02 · Discard”."""
    page = page_of_form(draft.form, draft.content.step)
    start, lost = page.partition("?")[0], FILES_LOST in draft.content.inputs
    return DraftShown(draft.form, short_moment(draft.modified, reader), start, page if continues else "", lost)


# -- keeping -----------------------------------------------------------------------------------------------------------


@subscriber(NewRequest)
def watch_form(event: NewRequest) -> None:
    """Saves a form as a draft if the response does not accept it."""
    request = event.request
    if request.method == "POST" and ADDRESS.fullmatch(request.path_info):
        request.add_response_callback(_keep_refused_form)


def _keep_refused_form(request: Request, response: Response) -> None:
    """Saves a refused form as a draft, after the request's own transaction. What cannot be saved is left out."""
    owner, form, content = posted_text(request, "_account"), form_name(request), posted_content(request)
    try:
        if request.visitor.identity is None and OWNER.fullmatch(owner):
            _set_aside(request, response, f"{owner} {form}", content)
        elif response.status_code in REFUSED and keeps_form(request):
            _save_apart(request, form, content)
    except (*DatabaseError, TooManyAttemptsError) as error:
        log.info("A draft is not kept: %s", error)


def keeps_form(request: Request) -> bool:
    """Whether the request sends a form that this account has filled in, to be saved if it is not accepted."""
    if request.method != "POST" or not ADDRESS.fullmatch(request.path_info):
        return False
    owner = _owner_of(request)
    if not owner or posted_text(request, "_account") != owner:
        return False
    content = posted_content(request)
    return content.length > 0 and not _is_empty_comment(form_name(request), content)


def _is_empty_comment(form: str, content: DraftContent) -> bool:
    """Whether the form is for a comment and has neither text nor files: “Internal” alone is not worth saving."""
    names = ("text", FILES_LOST, *map(token_input, ATTACHMENTS_INPUTS))
    parts = (content.inputs.get(name, ()) for name in names)
    return form.endswith("/comments") and not any(text.strip() for texts in parts for text in texts)


def _save_apart(request: Request, form: str, content: DraftContent) -> None:
    """Saves a draft in a transaction of its own, as the request's has been rolled back."""
    with writing(request.portal.engine) as connection:
        drafts = Drafts(connection, request.portal.tables, request.visitor.own_account, request.now)
        drafts.save(form, with_steps_of_draft(request, drafts, form, content))


def _set_aside(request: Request, response: Response, owned_form: str, content: DraftContent) -> None:
    """After a session has ended: until its account signs in again with this browser. Files from someone who is not
    signed in are not stored; the draft remembers that there were some.

    Raises TooManyAttemptsError: all browsers share the room for such drafts; one network cannot displace the others'.
    """
    if any(not isinstance(part, str) for part in request.POST.values()):
        content = replace(content, inputs={**content.inputs, FILES_LOST: ["yes"]})
    if not content.length or _is_empty_comment(owned_form, content):
        return
    key = secrets.token_urlsafe(24)
    set_cookie(request, response, Cookie.DRAFT, key, keep=3_600)  # first: the next page says whether it was kept
    with writing(request.portal.engine) as connection:
        network = network_of(request.remote_addr)
        check_attempt(connection, request.portal.tables, SET_ASIDE, network, request.now)
        set_aside(connection, request.portal.tables, key, owned_form, content, request.now)


def claim_draft(request: Request, response: Response, account_id: int) -> None:
    """At sign-in, turns what this browser sent after its session ended into a draft of the account that wrote it."""
    key = read_cookie(request, Cookie.DRAFT)
    if key and Drafts(request.connection, request.portal.tables, account_id, request.now).claim(key[:64]):
        set_cookie(request, response, Cookie.DRAFT, None)


def posted_content(request: Request) -> DraftContent:
    """What a draft keeps of a posted form: all inputs except the engine's own and files."""
    names = [name for name in dict.fromkeys(request.POST) if not name.startswith("_")]
    inputs = {name: [text for text in request.POST.getall(name) if isinstance(text, str)] for name in names}
    version, step = posted_text(request, "_version"), posted_text(request, "_step")
    return DraftContent(inputs, posted_text(request, "_basis")[:20_000], whole_number(version), whole_number(step) or 0)


# -- saving while the reader types, discarding -------------------------------------------------------------------------


@view_config(context=Account, name="drafts", request_method="POST", renderer="json")
def save_draft(context: Account, request: Request) -> dict[str, bool]:
    """`POST /account/drafts`: saves what has been typed into a form; nothing of a form that was already sent."""
    form = posted_text(request, "_form")
    match = FORM.fullmatch(form)
    is_seen = match is not None and request.policy.access(match[1]) is not None
    if not is_seen or posted_text(request, "_account") != _owner_of(request):
        raise HTTPNotFound
    key, drafts, content = posted_once_key(request), drafts_of(request), posted_content(request)
    if key and kept_address(request.connection, request.portal.tables, key) is not None:
        return {"saved": False}
    if _is_empty_comment(form, content):
        drafts.discard(form)
        return {"saved": False}
    drafts.save(form, with_steps_of_draft(request, drafts, form, content))
    return {"saved": True}


@view_config(context=Account, name="discard", request_method="POST")
def discard_draft(context: Account, request: Request) -> Response:
    """`POST /account/discard`: deletes the draft of a form, and returns to the page on which it was discarded."""
    form = posted_text(request, "_form")
    if FORM.fullmatch(form):
        drafts_of(request).discard(form)
    return HTTPSeeOther(own_path(posted_text(request, "next")))


def with_steps_of_draft(request: Request, drafts: Drafts, form: str, content: DraftContent) -> DraftContent:
    """The sent inputs of a form; if it has steps, with the other steps from its draft.

    The page of a step contains the others as they were when it was drawn; later changes to them are newer.
    """
    module = form.partition("/")[0]
    access = request.policy.access(module)
    steps = (access.create.steps if access and "/create/" in form else None) or ()
    earlier = drafts.get(form) if content.step < len(steps) else None
    if earlier is None:
        return content
    names = set(flat(steps[content.step].fields))
    if content.step == len(steps) - 1:
        # attachments are asked for in the last step
        names.add(attachments_input(request.portal.declaration.modules[module]))
    shown = {name: texts for name, texts in content.inputs.items() if name.partition(".")[0] in names}
    others = {name: texts for name, texts in earlier.content.inputs.items() if name.partition(".")[0] not in names}
    return replace(content, inputs={**others, **shown})
