"""Charts: counts or sums in panels of the home page, each part with the list of exactly the records in it.

A chart over so many records that the reader would have to wait has a page of its own, fetched after the home page
(static/js/charts.js).
"""

import datetime
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from babel.dates import format_date, format_skeleton
from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.view import view_config

from portal.conditions import AllOf, always
from portal.declaration.home_shapes import Panel
from portal.declaration.shapes import display_name
from portal.fields.base import Field
from portal.fields.grouping import Period, Periods, latest_periods
from portal.fields.money import Money
from portal.fields.numbers import localized
from portal.fields.reader import Reader
from portal.records.reading.groups import Group, GroupRequest, read_groups, within_periods
from portal.records.reading.records import Records
from portal.texts import Words, _, ngettext
from portal.views.chart_drawing import Amount, ChartDrawing, draw
from portal.views.lists.filters import Parameters
from portal.views.lists.tabs import widest_tab
from portal.views.wording import inside_sentence
from portal.web.addresses import chart_address, list_address
from portal.web.resources import Module

MOST_COUNTED = 5_000  # the reader's rows that are counted while the home page waits
MOST_PARTS = 8  # charts.css has this many colors
HEADINGS: dict[Period | None, str] = {
    None: _("${what} by ${field}"),
    "day": _("${what} by day"),
    "week": _("${what} by week"),
    "month": _("${what} by month"),
    "quarter": _("${what} by quarter"),
    "year": _("${what} by year"),
}
SKELETONS: dict[Period, str] = {"day": "MMMd", "week": "MMMd", "month": "yMMM", "year": "y"}  # from CLDR


@dataclass(frozen=True)
class Chart:
    """The macro `chart` of charts.pt; `later_url`: where it is drawn, if not here."""

    heading: Words
    url: str  # of the whole list
    label_heading: Words = ""  # for the table with the same numbers
    amount_heading: Words = ""
    drawings: tuple[ChartDrawing, ...] = ()  # for amounts, one per currency
    others: Words = ""  # the records that are in no part
    later_url: str = ""


@dataclass(frozen=True)
class ChartPage:
    """chart.pt"""

    chart: Chart


@view_config(context=Module, name="chart", request_method="GET", renderer="chart.pt")
def show_chart(module: Module, request: Request) -> ChartPage:
    """`GET /MODULE/chart?panel=N`: a chart of the reader's home page, over all their records, however many."""
    panels = {str(index + 1): panel for index, panel in request.policy.profile.home.indexed_panels}
    number = request.GET.get("panel", "")
    panel = panels.get(number)
    if panel is None or panel.chart != module.module_name:
        raise HTTPNotFound
    chart = chart_of(request, panel, int(number), most=None)
    if chart is None:
        raise HTTPNotFound
    return ChartPage(chart)


def chart_of(request: Request, panel: Panel, number: int, most: int | None) -> Chart | None:
    """The chart of panel `number`, or the place where it is drawn later; None if the reader may not read a field."""
    needed = {name for name in (panel.by, panel.of) if name}
    if panel.chart is None or panel.by is None or not needed <= request.policy.readable(panel.chart):
        return None
    records, reader = Records(request.connection, request.policy, panel.chart), request.reader
    by, of = records.module.field(panel.by), records.module.field(panel.of) if panel.of else None
    periods = latest_periods(panel.per, reader.today) if panel.per else None
    within = [within_periods(by, periods, records)] if periods else []
    condition = AllOf((panel.where, request.news.shown(records), *within))
    what = of.title if of else display_name(records.access)
    names = {"what": reader.text(what), "field": inside_sentence(reader.text(by.title), reader)}
    chart = Chart(
        heading=panel.label or HEADINGS[panel.per] % names,
        url=list_address(records.name, list_parameters(records, panel)),
        label_heading=by.title,
        amount_heading=what,
    )
    groups = read_groups(records, GroupRequest(by, condition, periods.ends(by, reader) if periods else (), of, most))
    if groups is None:
        return replace(chart, later_url=chart_address(records.name, number))
    currencies = {group.total.currency for group in groups.groups if isinstance(group.total, Money)}
    sums = _Sums(records, panel, of, len(currencies) > 1)
    amounts = list(sums.in_periods(by, periods, groups.groups) if periods else sums.by_values(by, groups.groups))
    by_currency: dict[str, list[Amount]] = defaultdict(list)
    for amount in amounts:
        by_currency[amount.currency].append(amount)
    shown = {name: sums.largest(several) for name, several in by_currency.items()}
    missing = groups.number - sum(amount.number for several in shown.values() for amount in several)
    drawings = (draw(panel, several, name if len(shown) > 1 else "") for name, several in shown.items())
    return replace(chart, drawings=tuple(drawings), others=_others(missing, reader) if missing else "")


def list_parameters(records: Records, panel: Panel) -> Parameters:
    """The parameters of the list that a chart or another panel leads to: its records, in any tab."""
    if always(panel.where) and (widest_tab(records) or not records.access.list.tabs):
        return list(widest_tab(records).items())
    return [("button", panel.key)]


def _others(number: int, reader: Reader) -> Words:
    return ngettext("and ${number} other", "and ${number} others", number)


@dataclass(frozen=True)
class _Sums:
    """The sums of a chart's groups, with links to the records of each."""

    records: Records
    panel: Panel
    of: Field | None
    has_currencies: bool

    def by_values(self, by: Field, groups: Sequence[Group]) -> Iterator[Amount]:
        """The parts by value, for values that a filter can find: not an option that is no longer declared, nor a record
        that is gone. Options with the same label for this reader are one part."""
        reader, ranks = self.records.policy.reader, {name: place for place, name in enumerate(by.offered)}
        amounts: dict[tuple[str, str], Amount] = {}
        for group in groups:
            links, option = by.links_in(group.value), "" if by.targets else by.option_of(group.value)
            if links and links[0].title:
                label, filter_ = links[0].title, (f"{by.name}.id", by.link_value(links[0]))
            elif option in by.offered:
                label, filter_ = reader.text(by.offered[option].label), (by.name, option)
            elif not links and not option:
                label, filter_ = reader.text(by.empty_label or _("Empty")), (f"{by.name}.empty", "1")
            else:
                continue
            # Two linked records with the same title are two parts.
            key = filter_[1] if links else label
            rank = ranks.get(option, len(ranks))
            for amount in self._amounts(group, label, [filter_], rank, by.offered[option].tone if option else None):
                known = amounts.get((amount.currency, key))
                amounts[amount.currency, key] = known.plus(amount) if known else amount
        for amount in amounts.values():
            yield self._finished(amount)

    def in_periods(self, by: Field, periods: Periods, groups: Sequence[Group]) -> Iterator[Amount]:
        """Every period, in order, including those without records if any has some."""
        reader = self.records.policy.reader
        filled = [amount for group in groups for amount in self._amounts(group, "", [], group.value)]
        for currency in dict.fromkeys(amount.currency for amount in filled):
            known = {amount.rank: amount for amount in filled if amount.currency == currency}
            for place, (first, last) in enumerate(periods):
                amount = known.get(place) or Amount("", [], 0, Decimal(0), currency, place)
                bounds = [(f"{by.name}.min", first.isoformat()), (f"{by.name}.max", last.isoformat())]
                label = _period_label(periods.kind, first, reader)
                yield self._finished(replace(amount, label=label, filter=bounds))

    def largest(self, amounts: list[Amount]) -> list[Amount]:
        """The parts of a chart: all periods; for values, the largest ones, in declared order if there is one."""
        if self.panel.per:
            return amounts
        return sorted(sorted(amounts, key=lambda amount: -amount.value)[:MOST_PARTS], key=lambda amount: amount.rank)

    def _amounts(
        self, group: Group, label: str, filter_: Parameters, rank: int, tone: str | None = None
    ) -> Iterator[Amount]:
        """The sums of a group; empty if none of its records has a value."""
        total = group.number if self.of is None else group.total
        if isinstance(total, Money):
            yield Amount(label, filter_, group.number, total.amount, total.currency, rank, tone or "")
        elif total is not None:
            yield Amount(label, filter_, group.number, total, "", rank, tone or "")

    def _finished(self, amount: Amount) -> Amount:
        """The amount with its text and the address of its list."""
        reader = self.records.policy.reader
        if self.of is None:
            text = localized(amount.number, reader)
        else:
            value = Money(Decimal(amount.value), amount.currency) if amount.currency else amount.value
            text = self.of.show(value, reader)
        parameters = [*list_parameters(self.records, self.panel), *amount.filter]
        if self.of is not None and self.has_currencies:
            parameters.append((self.of.name, amount.currency))
        return replace(amount, text=text, url=list_address(self.records.name, parameters))


def _period_label(kind: Period, first: datetime.date, reader: Reader) -> str:
    if kind == "quarter":
        return format_date(first, "QQQ y", locale=reader.locale)
    return format_skeleton(SKELETONS[kind], first, locale=reader.locale)
