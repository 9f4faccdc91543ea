"""The watchers of a record: showing, adding and removing them."""

import datetime
from dataclasses import dataclass
from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts.accounts import accounts_of
from portal.accounts.identity import Identity, admit
from portal.accounts.people import people_of_address
from portal.conditions import Comparison
from portal.fields.record_titles import RECORD_ID
from portal.fields.refused import Refused
from portal.records.reading.records import Records
from portal.records.writing.errors import NotAllowedError
from portal.records.writing.watching import addable, may_watch, watching_people
from portal.texts import _
from portal.views.forms.form_page import FormRow, Offer, QuestionPage, Widget
from portal.views.forms.offers import FIND
from portal.views.forms.submissions import record_or_list, response_when_done
from portal.views.wording import initials, record_in_words
from portal.web.addresses import record_address
from portal.web.flash import set_flash
from portal.web.form_input import posted_text
from portal.web.resources import Record, RecordWatchers

NOBODY_CHOSEN = _("Choose someone from the list, or enter the email address of a colleague.")
OFFERED = 200  # people at once; more are found by typing


@dataclass(frozen=True)
class Watcher:
    """A person who watches a record."""

    id: int
    name: str
    initials: str
    url: str = ""  # of the person, if the reader may see them
    mine: bool = False
    removable: bool = False


@dataclass(frozen=True)
class Watchers:
    """The card of a record's watchers."""

    people: tuple[Watcher, ...]
    url: str
    may_add: bool = False
    mine: str = ""  # the reader's own id, if they may add themselves

    @property
    def follows(self) -> bool:
        return any(person.mine for person in self.people)


def watchers_card(resource: Record) -> Watchers | None:
    """Who watches the record, as far as the reader may know; None if nobody does and nobody can be added."""
    records, record = resource.records, resource.record
    if not records.module.watchers:
        return None
    reader, watching, may_add = records.policy.reader, watching_people(records, record), may_watch(records)
    if not watching and not may_add:
        return None
    return Watchers(
        people=tuple(
            Watcher(
                id=person.id,
                name=person.name,
                initials=initials(person.name),
                url=record_address(str(reader.people), person.id) if person.visible else "",
                mine=person.id == reader.person,
                removable=person.removable,
            )
            for person in watching
        ),
        url=f"{resource.path}watchers",
        may_add=may_add,
        mine=str(reader.person or "") if may_add else "",
    )


@view_config(context=RecordWatchers, name="", request_method="GET", renderer="question.pt", permission="watch")
def show_adding(resource: RecordWatchers, request: Request) -> QuestionPage:
    """`GET /MODULE/ID/watchers`: the form for adding a watcher."""
    return _adding_page(resource, request)


@view_config(context=RecordWatchers, name="find", request_method="GET", renderer="json", permission="watch")
def find_people(resource: RecordWatchers, request: Request) -> list[dict[str, Any]]:
    """`GET /MODULE/ID/watchers/find?q=`: the people that the reader may see and add, by name."""
    offered, text = _offered_people(resource.records), request.GET.get("q", "").replace("\x00", "")[:200]
    return [{"id": person, "title": title} for person, title in (offered.find(text) if offered else ())]


@view_config(context=RecordWatchers, name="", request_method="POST", renderer="question.pt")
def change_watchers(resource: RecordWatchers, request: Request) -> QuestionPage | Response:
    """`POST /MODULE/ID/watchers`: adds or removes a person; people other than oneself only with the right `watch`."""
    records, record = resource.records, resource.record
    writer, removed = request.writer(records), posted_text(request, "remove")
    try:
        if removed:
            writer.unwatch(record, _person_id(removed) or 0)
            address = record_or_list(resource.record_resource, record.id, request)
            response = response_when_done(records, request, address)
            return set_flash(request, response, "unwatched")
        if not may_watch(records):
            raise HTTPNotFound
        typed = posted_text(request, "add"), posted_text(request, "address")
        chosen = None if posted_text(request, "_find") else chosen_person(records, *typed)
        if chosen is None:
            return _refused_watchers(resource, request, "")
        writer.watch(record, chosen)
    except NotAllowedError:
        if removed:
            raise HTTPNotFound from None
        return _refused_watchers(resource, request, _("Choose someone from the list."))
    except Refused as problem:
        return _refused_watchers(resource, request, problem.message)
    response = response_when_done(records, request, resource.record_resource.path)
    sees = _can_see(records, record.id, chosen, request.now)
    return set_flash(request, response, "watched" if sees else "watched-without-access")


def _can_see(records: Records, record_id: int, person: int, now: datetime.datetime) -> bool:
    """Whether a person to add as a watcher may sign in at this moment, and then sees the record."""
    connection, tables = records.connection, records.policy.tables
    accounts = accounts_of(connection, tables, people=[person])
    admitted = [admit(connection, tables, account, now=now) for account in accounts]
    return any(
        Records(connection, identity.policy, records.name).exists(record_id)
        for identity in admitted
        if isinstance(identity, Identity) and identity.policy.access(records.name)
    )


def _refused_watchers(resource: RecordWatchers, request: Request, error: str) -> QuestionPage:
    """The form for watchers with its input, and why nobody was added; without a reason during a search."""
    if not posted_text(request, "_find"):
        request.response.status_code = 422
        error = error or NOBODY_CHOSEN
    return _adding_page(resource, request, error)


def _person_id(text: str) -> int | None:
    """The id of a person in an input of the watchers page."""
    return int(text) if RECORD_ID.fullmatch(text) else None


def chosen_person(records: Records, person: str, address: str) -> int | None:
    """The person to add as a watcher, named by id, or by the address of a colleague; None if they may not be added.

    The whole address must match, so that guessing reveals nothing about people in other companies.
    """
    if text := person.strip():
        return _person_id(text) or 0
    address = address.strip()
    ids = people_of_address(records.connection, records.policy.tables, address) if address else []
    return next(iter(addable(records, ids)), None) if ids else None


def _offered_people(records: Records) -> Records | None:
    """The people that the reader may see and add as watchers; None if there are none."""
    policy, people = records.policy, records.policy.declaration.people
    if people is None or policy.access(people) is None:
        return None
    offered = records.of(people)
    path = policy.declaration.modules[people].organization
    if policy.staff:
        return offered
    return offered.narrow(Comparison(tuple(path.split(".")), "equal", "my organization")) if path else None


def _adding_page(resource: RecordWatchers, request: Request, error: str = "") -> QuestionPage:
    """The form for adding a watcher: a choice among the people that the reader sees, and an address for others."""
    records, record = resource.records, resource.record
    offered, text = _offered_people(records), posted_text(request, f"{FIND}add")
    titles = offered.find(text, OFFERED + 1) if offered else []
    address, chosen = f"{resource.record_resource.path}watchers", posted_text(request, "add")
    rows = [Widget("address", _("Email address of a colleague"), type="email", value=posted_text(request, "address"))]
    if titles or text:
        offers = tuple(Offer(str(person), title, str(person) == chosen) for person, title in titles[:OFFERED])
        many = bool(text) or len(titles) > OFFERED
        find = f"{address}/find"
        rows.insert(0, Widget("add", _("Person"), "link", offers=offers, many=many, find=find, find_text=text))
    return QuestionPage(
        heading=_("Add a watcher"),
        subject=record_in_words(record),
        action=address,
        submit=_("Add"),
        back_url=resource.record_resource.path,
        text=_("Watchers see this record and its conversation."),
        rows=tuple(FormRow((row,)) for row in rows),
        icon="user-plus",
        error=error,
    )
