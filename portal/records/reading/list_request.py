"""The list that an address asks for: search, tab, filters, sort, page. Only fields that may be read are filtered by.

Unknown parameters are ignored; a value that cannot be parsed becomes a message at its filter, and filters nothing.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from portal.conditions import ALWAYS, AllOf, AnyOf, Comparison, Condition, ParsedValue, joined_conditions
from portal.declaration.references import whole_reference
from portal.fields.base import Field, Refused
from portal.fields.protocols import Form
from portal.records.reading.records import Count, Query, Records
from portal.texts import _, ngettext

MOST_SORTS = 4  # fields: each row is compared in all of them
MOST_VALUES = 100  # of one filter
LONGEST_VALUE = 1_000  # characters; SQLite refuses patterns of 50,000 bytes


class Filter(NamedTuple):
    """The filter of one field, as it was typed."""

    name: str
    values: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()  # of the linked records
    minimum: str = ""
    maximum: str = ""
    empty: bool = False
    error: str = ""

    @property
    def used(self) -> bool:
        return bool(self.values or self.ids or self.minimum or self.maximum or self.empty)


@dataclass(frozen=True)
class ListRequest:
    """A list that was asked for; `query` holds the conditions of tab, button and filters together."""

    query: Query
    filtering: Condition = ALWAYS  # the filters alone
    tab: str = ""
    button: str = ""
    filters: dict[str, Filter] = dataclasses.field(default_factory=dict)

    @property
    def narrowed(self) -> bool:
        """Whether text or filters leave out rows that the tab would show."""
        return bool(self.query.text) or any(filter_.used for filter_ in self.filters.values())


def read_list_request(records: Records, form: Form, *, first_tab: bool = True) -> ListRequest:
    """The list that the parameters of `/MODULE/` ask for; `first_tab`: what is meant where they name no tab."""
    layout = records.access.list
    button = form.get("button", "")
    narrowing = button_condition(records, button)
    tab = form.get("tab", "")
    if tab not in (layout.tabs or {}):
        # With a button the list shows what the button's condition lets through, not the first tab.
        tab = next(iter(layout.tabs or ()), "") if narrowing is None and first_tab else ""
    names = {name.partition(".")[0] for name in form}
    filters: dict[str, Filter] = {}
    filtering: list[Condition] = []
    for field in filterable(records):
        if field.name in names:
            filters[field.name], conditions = _read_filter(records, field, form)
            filtering += conditions
        else:
            filters[field.name] = Filter(field.name)
    query = Query(
        text=" ".join(form.get("q", "").replace("\x00", " ").split())[:1000],
        condition=AllOf((tab_condition(records, tab), narrowing or ALWAYS, *filtering)),
        sort=tuple(_read_sort(records, form)),
        after=form.get("after", ""),
        before=form.get("before", ""),
        size=layout.page_size or 25,
    )
    return ListRequest(query, AllOf(tuple(filtering)), tab, button if narrowing is not None else "", filters)


def narrow_list_request(list_request: ListRequest, condition: Condition) -> ListRequest:
    """The same list, and the counts of its tabs, of the records for which `condition` holds too."""
    if condition == ALWAYS:
        return list_request
    query = replace(list_request.query, condition=AllOf((list_request.query.condition, condition)))
    return replace(list_request, query=query, filtering=AllOf((list_request.filtering, condition)))


def tab_condition(records: Records, tab: str) -> Condition:
    """The condition of a tab; of an unknown one none."""
    declared = (records.access.list.tabs or {}).get(tab)
    return declared.where if declared else ALWAYS


def tab_counts(records: Records, list_request: ListRequest) -> dict[str, Count]:
    """How many records each tab of the list has, of those that the search and the filters leave."""
    conditions = {name: tab.where for name, tab in (records.access.list.tabs or {}).items()}
    if list_request.query.text:
        query = Query(list_request.query.text, list_request.filtering)
        counts = records.counts_of_hits(query, list(conditions.values()))
    else:
        filtering = list_request.filtering
        counts = records.counts([Query(condition=AllOf((where, filtering))) for where in conditions.values()])
    return dict(zip(conditions, counts, strict=True))


def button_condition(records: Records, name: str) -> Condition | None:
    """The condition of a home button that opens this list; None where the profile has no such button."""
    if not name or name not in (records.policy.profile.home.buttons or ()):
        return None
    button = records.policy.declaration.buttons[name]
    return (button.where or ALWAYS) if button.opens == records.name else None


def filterable(records: Records) -> Iterator[Field]:
    """The fields that can be filtered by: those that may be read and are of a kind that has a filter."""
    readable = records.policy.readable(records.name)
    return (field for name, field in records.module.everything.items() if name in readable and field.filter)


def _read_sort(records: Records, form: Form) -> list[str]:
    """The sort criteria, each field once and at most MOST_SORTS."""
    by_field = {entry.removeprefix("-"): entry for entry in form.getall("sort")[::-1]}
    return [entry for name, entry in reversed(by_field.items()) if _sortable(records, name)][:MOST_SORTS]


def _sortable(records: Records, name: str) -> bool:
    """Whether the list can be sorted by this field; other names are ignored."""
    return name in records.policy.readable(records.name) and records.module.field(name).sortable


def _read_filter(records: Records, field: Field, form: Form) -> tuple[Filter, list[Condition]]:
    """A filter and its conditions; none where it cannot be parsed."""
    chosen = Filter(
        field.name,
        values=_values(form, field.name),
        ids=_values(form, f"{field.name}.id") if field.targets else (),
        minimum=form.get(f"{field.name}.min", "").strip(),
        maximum=form.get(f"{field.name}.max", "").strip(),
        empty=form.get(f"{field.name}.empty", "") == "1",
    )
    try:
        _check_size(chosen)
        conditions = list(_conditions(records, field, chosen))
        for part in joined_conditions(AllOf(tuple(conditions))):
            records.statements.sql(part)
    except Refused as refused:
        return chosen._replace(error=refused.message), []
    return chosen, conditions


def _values(form: Form, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in form.getall(name) if value.strip()))


def _check_size(chosen: Filter) -> None:
    if len(chosen.values) + len(chosen.ids) > MOST_VALUES:
        raise Refused(_("This form has too many fields."))
    if any(len(value) > LONGEST_VALUE for value in (*chosen.values, *chosen.ids)):
        raise Refused(ngettext("Use at most ${number} character.", "Use at most ${number} characters.", LONGEST_VALUE))


def _conditions(records: Records, field: Field, chosen: Filter) -> Iterator[Condition]:
    """Several values: any of them. Raises Refused."""
    path, reader = (field.name,), records.policy.reader
    if chosen.values or chosen.ids or chosen.empty:
        parsed = [field.parse_filter(value, reader) for value in chosen.values]
        parsed += [("equal", field.parse_filter_id(record_id)) for record_id in chosen.ids]
        ways = [Comparison(path, operator, ParsedValue(value)) for operator, value in parsed]
        if field.name == "reference":
            whole = filter(None, (whole_reference(records.module.reference, value) for value in chosen.values))
            ways += [Comparison(path, "equal", ParsedValue(reference)) for reference in whole]
        yield AnyOf((*ways, Comparison(path, "empty", ParsedValue(True))) if chosen.empty else tuple(ways))
    for operator, bound in (("min", chosen.minimum), ("max", chosen.maximum)):
        if bound and field.ranged:
            yield Comparison(path, operator, ParsedValue(field.constant(bound, reader)))
