"""What is new to the reader: on the page of a record, “seen” as sent by pages, hidden records, and dismissed
notices."""

import hashlib
from dataclasses import dataclass

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.records.reading.records import Records
from portal.records.writing.seen_and_hidden import dismiss, mark_all_seen, mark_seen
from portal.views.lists.list_navigation import back_to_list
from portal.web.addresses import list_address
from portal.web.flash import set_flash
from portal.web.form_input import posted_text
from portal.web.resources import Module, Record


@dataclass(frozen=True)
class RecordNews:
    """What the page of a record says about its news."""

    seen_url: str = ""  # the address for “seen”; empty: nothing is new
    key: str = ""  # of the state that the page shows
    hide_url: str = ""
    hidden: bool = False


@view_config(context=Record, name="seen", request_method="POST")
def mark_record_seen(resource: Record, request: Request) -> Response:
    """`POST /MODULE/ID/seen`: the reader has seen the record as the page with the key `_seen` showed it.

    Later events are not seen. Without a key, everything until now is.
    """
    records, record_id = _with_news(resource.records), resource.record.id
    changed = resource.record.changed
    key = posted_text(request, "_seen")
    if changed and key in ("", _seen_key(request, records, record_id, changed.isoformat())):
        mark_seen(records, record_id, request.news.account, changed)
    return HTTPSeeOther(resource.path)


@view_config(context=Module, name="seen", request_method="POST")
def mark_module_seen(module: Module, request: Request) -> Response:
    """`POST /MODULE/seen`: marks everything in the module as seen."""
    mark_all_seen(_with_news(module.records), request.news.account)
    return HTTPSeeOther(list_address(module.module_name))


@view_config(context=Record, name="hide", request_method="POST")
def hide_record(resource: Record, request: Request) -> Response:
    """`POST /MODULE/ID/hide`: leaves the record out of the reader's own lists until it changes.

    `_hide=false` shows it again.
    """
    records, record_id = _with_news(resource.records), resource.record.id
    hide = posted_text(request, "_hide") != "false"
    changed = resource.record.changed
    if changed:
        mark_seen(records, record_id, request.news.account, changed, hide=hide)
    if not hide:
        return HTTPSeeOther(resource.path)
    return set_flash(request, HTTPSeeOther(back_to_list(resource, request)), "hidden")


@view_config(context=Record, name="dismiss", request_method="POST")
def dismiss_notice(resource: Record, request: Request) -> Response:
    """`POST /MODULE/ID/dismiss`: hides the notice from the reader's home page until it changes."""
    records, changed = resource.records, resource.record.changed
    if all(panel.notices != records.name for panel in request.policy.profile.home.declared_panels):
        raise HTTPNotFound
    if changed:
        dismiss(records, resource.record.id, request.news.account, changed)
    return HTTPSeeOther("/")


def _with_news(records: Records) -> Records:
    """The records to mark as seen or hidden. Raises HTTPNotFound for a module in which nothing is ever new."""
    if not records.module.has_news:
        raise HTTPNotFound
    return records


def record_news(resource: Record, request: Request) -> RecordNews | None:
    """What the page of a record says about its news, and the form that marks it as seen."""
    records, record_id = resource.records, resource.record.id
    if not records.module.has_news:
        return None
    news, changed = request.news.of(records, [resource.record]), resource.record.changed
    return RecordNews(
        seen_url=f"{resource.path}seen" if record_id in news.unread else "",
        key=_seen_key(request, records, record_id, changed.isoformat()) if changed else "",
        hide_url=f"{resource.path}hide",
        hidden=record_id in news.hidden,
    )


def _seen_key(request: Request, records: Records, record_id: int, changed: str) -> str:
    """The key of what a page shows, to mark it as seen; without its time, which the reader may not be shown."""
    state = f"seen {request.news.account} {records.name} {record_id} {changed}"
    return hashlib.sha256(state.encode()).hexdigest()[:24]
