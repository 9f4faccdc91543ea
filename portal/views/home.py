"""The home page: a greeting, the buttons in the centre, the latest activity."""

import datetime
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from portal.conditions import ALWAYS, AllOf
from portal.declaration.shapes import Button
from portal.records.reading.filters import button_condition, tab_condition
from portal.records.reading.records import Count, Query, Record, Records
from portal.texts import _, readable
from portal.views.addresses import button_address, record_address
from portal.views.lists import counted
from portal.views.pages import Happening, HomeButton, HomePage
from portal.views.parts import Moment
from portal.views.values import initials, moment
from portal.web.resources import Root

LATEST = 6
LONG_AGO = datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)


@view_config(context=Root, name="", request_method="GET", renderer="home.pt")
def show_home(root: Root, request: Request) -> dict[str, Any]:
    """`/`"""
    profile = request.policy.profile
    wants_activity = "activity" in profile.home.panels
    page = HomePage(
        greeting=greeting(request),
        about=", ".join(companies(request)),
        buttons=tuple(buttons(request)),
        activity=tuple(activity(request)) if wants_activity else None,
    )
    return {"page": page}


def greeting(request: Request) -> str:
    """Good morning, by the reader's clock."""
    account = request.visitor.identity.account
    name = (account.name or "").split(" ")[0] or account.email
    hour = request.reader.now.astimezone(request.reader.time_zone).hour
    if 5 <= hour < 12:
        return _("Good morning, ${name}", mapping={"name": name})
    return (
        _("Good evening, ${name}", mapping={"name": name})
        if hour >= 18 or hour < 5
        else _("Hello, ${name}", mapping={"name": name})
    )


def companies(request: Request) -> list[str]:
    """The reader's companies by name, where the profile shows them at all."""
    reader = request.reader
    if not reader.companies or request.policy.access(reader.organizations) is None:
        return []
    records = Records(request.connection, request.policy, reader.organizations)
    return [record.title for record in records.rows(reader.companies, [])]


def buttons(request: Request) -> Iterator[HomeButton]:
    """The buttons, with the numbers of what they open: one statement per module, however many they are."""
    declared = [request.portal.declaration.buttons[name] for name in request.policy.profile.home.buttons or ()]
    asked: dict[str, dict[str, Query]] = defaultdict(dict)
    for each in declared:
        module = (each.opens or "").partition("/")[0]
        if each.count and request.policy.access(module) is not None:
            asked[module][each.name] = opened(Records(request.connection, request.policy, module), each)
    counts: dict[str, Count] = {}
    for module, queries in asked.items():
        found = Records(request.connection, request.policy, module).counts(list(queries.values()))
        counts.update(zip(queries, found, strict=True))
    for each in declared:
        yield HomeButton(
            label=each.label or readable(each.name),
            icon=each.icon,
            url=button_address(each),
            text=each.text or "",
            tone=each.tone or "",
            count=counted(counts[each.name], request.reader) if each.name in counts else "",
        )


def opened(records: Records, declared: Button) -> Query:
    """The list that a button opens."""
    tabs = records.access.list.tabs or {}
    narrowing = button_condition(records, declared.name) if declared.where is not None else None
    tab = declared.tab if declared.tab in tabs else "" if narrowing is not None else next(iter(tabs), "")
    return Query(condition=AllOf((tab_condition(records, tab or ""), narrowing or ALWAYS)))


def activity(request: Request) -> list[Happening]:
    """What changed last in the modules that people talk about or that move, newest first.

    Where the time of the change may not be read, its order remains.
    """
    latest: list[tuple[datetime.datetime, Record, Records]] = []
    for name in request.policy.modules:
        module = request.portal.declaration.modules[name]
        if module.comments or module.lifecycle:
            records = Records(request.connection, request.policy, name)
            page = records.page(
                Query(sort=("-modified",), size=LATEST), ["modified", "modified_by", *_state_name(records)]
            )
            latest += [(record.values.get("modified") or LONG_AGO, record, records) for record in page.rows]
    latest.sort(key=lambda found: found[0], reverse=True)
    return [happening(request, record, records) for _at, record, records in latest[:LATEST]]


def happening(request: Request, record: Record, records: Records) -> Happening:
    """One line: the record, its state and reference, who changed it last and when, as far as that may be read."""
    state = [records.module.field(name).show(record.values.get(name), request.reader) for name in _state_name(records)]
    who, at = record.values.get("modified_by"), record.values.get("modified")
    return Happening(
        title=record.title,
        text=" · ".join(part for part in [*state, record.reference] if part),
        at=moment(at, request.reader) if at else Moment("", ""),
        url=record_address(records.name, record.id),
        initials=initials(str(who)) if who else "",
        icon="" if who else records.access.icon or "square",
    )


def _state_name(records: Records) -> list[str]:
    lifecycle = records.module.lifecycle
    return [lifecycle.field] if lifecycle and lifecycle.field in records.policy.readable(records.name) else []
