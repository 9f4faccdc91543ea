"""`/-/history`: what happened to all records, for administrators, within what they may see."""

from dataclasses import dataclass, replace

from pyramid.request import Request
from pyramid.view import view_config

from portal.accounts.accounts import accounts_matching
from portal.declaration.shapes import display_name
from portal.fields.dates_and_times import parse_date
from portal.fields.refused import Refused
from portal.fields.whole_day import whole_day
from portal.records.reading.history import Event, EventFilter, whole_history
from portal.records.reading.records import Query, Record, Records
from portal.texts import Words, _, fold
from portal.views.forms.form_page import Offer
from portal.views.records.history import PAGE, HistoryLine, history_line, start_of_history
from portal.views.wording import record_in_words
from portal.web.addresses import history_address, record_address
from portal.web.resources import Administration
from portal.web.security import ADMINISTER

NAMES = ("module", "who", "record", "from", "to")
LONGEST = 200  # characters of the text in a filter
MOST_RECORDS = 100  # matching one reference or title
MOST_AUTHORS = 100  # whose names or addresses contain the text


@dataclass(frozen=True)
class WholeHistoryPage:
    """all_history.pt, for administrators: what happened to all records, and the filters."""

    lines: tuple[HistoryLine, ...]
    modules: tuple[Offer, ...]
    who: str = ""
    record: str = ""
    start: str = ""
    end: str = ""
    error: Words = ""
    clear_url: str = ""  # without the filters; empty: none is active
    older_url: str = ""


@dataclass(frozen=True)
class Answer:
    """A page of the whole history: its events, the key of the next one, and a sentence if a filter cannot be read."""

    events: list[tuple[Event, Record | None]]
    more: int | None = None
    error: Words = ""


@view_config(
    context=Administration, name="history", request_method="GET", renderer="all_history.pt", permission=ADMINISTER
)
def show_all_history(context: Administration, request: Request) -> WholeHistoryPage:
    """`GET /-/history`: the newest events, narrowed by `module`, `who`, `record`, `from` and `to` of the address."""
    inputs = {name: str(request.GET.get(name, "")).strip()[:LONGEST] for name in NAMES}
    shown, parameters = _events_of(request, inputs), [(name, text) for name, text in inputs.items() if text]
    return WholeHistoryPage(
        lines=tuple(_record_line(request, event, record) for event, record in shown.events),
        modules=tuple(
            Offer(name, display_name(access), chosen=name == inputs["module"])
            for name, access in request.policy.modules.items()
        ),
        who=inputs["who"],
        record=inputs["record"],
        start=inputs["from"],
        end=inputs["to"],
        error=shown.error,
        clear_url=history_address() if parameters else "",
        older_url=history_address([*parameters, ("before", str(shown.more))]) if shown.more else "",
    )


def _events_of(request: Request, inputs: dict[str, str]) -> Answer:
    """The requested events from the history of all records."""
    names = [inputs["module"]] if inputs["module"] else list(request.policy.modules)
    records = [Records(request.connection, request.policy, name) for name in names if request.policy.access(name)]
    if not records:
        return Answer([])
    try:
        only = _event_filter(request, records, inputs)
    except Refused as refused:
        return Answer([], error=refused.message)
    return Answer(*whole_history(records[0], only, PAGE, start_of_history(request)))


def _event_filter(request: Request, records: list[Records], inputs: dict[str, str]) -> EventFilter:
    """The input as a filter of events. Raises Refused for an invalid date."""
    reader, named = request.reader, [name for name in ("from", "to") if inputs[name]]
    days = {name: whole_day(parse_date(inputs[name], reader), reader.time_zone) for name in named}
    tables = request.policy.tables
    return EventFilter(
        module=inputs["module"] or None,
        records=[pair for of_module in records for pair in _named(of_module, inputs["record"])]
        if inputs["record"]
        else None,
        accounts=[account.id for account in accounts_matching(request.connection, tables, inputs["who"], MOST_AUTHORS)]
        if inputs["who"]
        else None,
        start=days["from"].start if "from" in days else None,
        end=days["to"].end if "to" in days else None,
    )


def _named(records: Records, text: str) -> list[tuple[str, int]]:
    """The records whose history is requested: the one with a reference, else those that the search finds."""
    hits = records.page(Query(text=text, size=MOST_RECORDS), []).records
    exact = [record for record in hits if fold(record.reference) == fold(text)]
    return [(records.name, record.id) for record in exact or hits]


def _record_line(request: Request, event: Event, record: Record | None) -> HistoryLine:
    records = Records(request.connection, request.policy, event.module)
    line, singular = history_line(records, request, event), request.reader.text(records.access.singular or event.module)
    if record is None:
        return replace(line, record=_("${singular} (deleted)", mapping={"singular": singular}))
    url = record_address(event.module, record.id)
    return replace(line, record=f"{singular} · {record_in_words(record)}", record_url=url)
