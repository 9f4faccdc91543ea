"""The home page: a greeting, notices, the buttons in the center, the panels with the latest activity."""

import datetime
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pyramid.request import Request
from pyramid.view import view_config

from portal.conditions import ALWAYS, AllOf
from portal.declaration.shapes import DEFAULT_ICON, Button, display_name
from portal.records.reading.list_request import button_condition, tab_condition
from portal.records.reading.records import Count, Query, Record, Records
from portal.texts import Words, _
from portal.views import charts
from portal.views.charts import Chart, chart_of
from portal.views.displays import moment
from portal.views.home_panels import Notice, PanelList, PanelText, notices, panel_list, panel_text
from portal.views.parts import Moment
from portal.views.wording import count_text, initials, reference_in_words
from portal.web.addresses import button_address, list_address, record_address
from portal.web.resources import Root

MOST_HAPPENINGS = 6
LONG_AGO = datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class HomeButton:
    label: Words
    icon: str
    url: str
    text: Words = ""
    tone: str = ""
    count: str = ""


@dataclass(frozen=True)
class NewRecords:
    """A module with something new, on the home page."""

    label: Words
    icon: str
    count: str
    url: str


@dataclass(frozen=True)
class Happening:
    """A line of the latest activity."""

    title: Words
    text: Words
    at: Moment
    url: str = ""
    initials: str = ""  # or an icon
    icon: str = ""


@dataclass(frozen=True)
class HomePanel:
    """A panel: the latest activity, the first records of a list, a chart, or a text."""

    activity: tuple[Happening, ...] | None = None
    list: PanelList | None = None
    chart: Chart | None = None
    text: PanelText | None = None

    @property
    def wide(self) -> bool:
        """Whether its content needs the width."""
        return self.activity is not None or self.list is not None


@dataclass(frozen=True)
class HomePage:
    """home.pt"""

    greeting: Words
    about: Words = ""
    buttons: tuple[HomeButton, ...] = ()
    notices: tuple[Notice, ...] = ()
    panels: tuple[HomePanel, ...] = ()
    news: tuple[NewRecords, ...] = ()

    @property
    def columns(self) -> tuple[tuple[HomePanel, ...], ...]:
        """The wide panels, and the others next to them; one column if there is only one kind."""
        wide, narrow = (tuple(panel for panel in self.panels if panel.wide is is_wide) for is_wide in (True, False))
        return tuple(filter(None, (wide, narrow)))


@view_config(context=Root, name="", request_method="GET", renderer="home.pt")
def show_home(root: Root, request: Request) -> HomePage:
    """`GET /`: the home page."""
    return HomePage(
        greeting=_greeting(request),
        about=request.reader.listed(_companies(request)),
        buttons=tuple(_buttons(request)),
        news=tuple(_new_records(request)),
        notices=tuple(notices(request)),
        panels=tuple(_panels(request)),
    )


def _new_records(request: Request) -> Iterator[NewRecords]:
    """The modules with something new, in menu order, for the home page."""
    for name, count in request.news.counts().items():
        access = request.policy.modules[name]
        text = count_text(count, request.reader)
        yield NewRecords(display_name(access), access.icon or DEFAULT_ICON, text, list_address(name))


def _greeting(request: Request) -> str:
    """The greeting on the home page, “Good morning, Maria”, by the reader's clock."""
    account = request.visitor.identity.account
    mapping = {"name": account.name.split(" ")[0] or account.email}
    hour = request.reader.now.astimezone(request.reader.time_zone).hour
    if 5 <= hour < 12:
        return _("Good morning, ${name}", mapping=mapping)
    if 12 <= hour < 18:
        return _("Hello, ${name}", mapping=mapping)
    return _("Good evening, ${name}", mapping=mapping)


def _companies(request: Request) -> list[str]:
    """The names of the reader's companies on the home page, if the profile shows them."""
    reader = request.reader
    if not reader.companies or request.policy.access(reader.organizations) is None:
        return []
    records = Records(request.connection, request.policy, reader.organizations)
    return [record.title for record in records.by_ids(reader.companies, [])]


def _buttons(request: Request) -> Iterator[HomeButton]:
    """The buttons of the home page, with the numbers of records that they open."""
    declared = [request.portal.declaration.buttons[name] for name in request.policy.profile.home.buttons or ()]
    counts = _button_counts(request, declared)
    for button in declared:
        yield HomeButton(
            label=display_name(button),
            icon=button.icon,
            url=button_address(button),
            text=button.text or "",
            tone=button.tone or "",
            count=count_text(counts[button.name], request.reader) if button.name in counts else "",
        )


def _button_counts(request: Request, declared: list[Button]) -> dict[str, Count]:
    """How many records each button of the home page opens, by name: one statement per module."""
    queries: dict[str, dict[str, Query]] = defaultdict(dict)
    for button in declared:
        module = (button.opens or "").partition("/")[0]
        if button.count and request.policy.access(module) is not None:
            records = Records(request.connection, request.policy, module)
            query = _button_query(records, button)
            hidden = replace(query, condition=AllOf((query.condition, request.news.shown(records))))
            queries[module][button.name] = hidden if request.news.hidden(records) else query
    counts: dict[str, Count] = {}
    for module, by_button in queries.items():
        records = Records(request.connection, request.policy, module)
        counts.update(zip(by_button, records.counts(list(by_button.values())), strict=True))
    return counts


def _button_query(records: Records, button: Button) -> Query:
    """The list that a button of the home page opens: its tab and its condition; without either, the first tab."""
    tabs = records.access.list.tabs or {}
    condition = ALWAYS if button.where is None else button_condition(records, button.name) or ALWAYS
    first = next(iter(tabs), "") if button.where is None else ""
    tab = button.tab if button.tab in tabs else first
    return Query(condition=AllOf((tab_condition(records, tab or ""), condition)))


def _panels(request: Request) -> Iterator[HomePanel]:
    """The panels of the home page, without those whose records or fields this reader may not read."""
    for number, panel in enumerate(request.policy.profile.home.panels, start=1):
        if panel == "activity":
            yield HomePanel(activity=tuple(_activity(request)))
        elif panel.text is not None:
            yield HomePanel(text=panel_text(request, panel))
        elif (chart := chart_of(request, panel, number, charts.MOST_COUNTED)) is not None:
            yield HomePanel(chart=chart)
        elif (rows := panel_list(request, panel)) is not None:
            yield HomePanel(list=rows)


def _activity(request: Request) -> list[Happening]:
    """The latest activity on the home page: changes in modules with comments or a lifecycle, newest first.

    If the time of a change may not be read, the record keeps its place.
    """
    latest: list[tuple[datetime.datetime, Record, Records]] = []
    for name in request.policy.modules:
        module = request.portal.declaration.modules[name]
        if module.comments or module.lifecycle:
            records = Records(request.connection, request.policy, name)
            page = records.page(
                Query(sort=("-modified",), size=MOST_HAPPENINGS), ["modified", "modified_by", *_state_name(records)]
            )
            latest += [(record.values.get("modified") or LONG_AGO, record, records) for record in page.records]
    latest.sort(key=lambda change: change[0], reverse=True)
    return [_happening(request, record, records) for _at, record, records in latest[:MOST_HAPPENINGS]]


def _happening(request: Request, record: Record, records: Records) -> Happening:
    """A line of the latest activity: the record, its state and reference, who changed it and when, if readable."""
    state = [records.module.field(name).show(record.values.get(name), request.reader) for name in _state_name(records)]
    author, at = record.values.get("modified_by"), record.values.get("modified")
    return Happening(
        title=record.title,
        text=" · ".join(part for part in [*state, reference_in_words(record)] if part),
        at=moment(at, request.reader) if at else Moment("", ""),
        url=record_address(records.name, record.id),
        initials=initials(str(author)) if author else "",
        icon="" if author else records.access.icon or DEFAULT_ICON,
    )


def _state_name(records: Records) -> list[str]:
    name = records.module.state_field
    return [name] if name in records.policy.readable(records.name) else []
