"""What a list's address asks for: search, tab, filters, sort, page. No name is trusted before the policy knows it.

Unknown parameters are ignored; a value that cannot be read becomes a message at its filter, and filters nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from portal.conditions import ALWAYS, AllOf, AnyOf, Comparison, Condition, ParsedValue
from portal.database.sql import where
from portal.fields.base import Field, Form, Refused
from portal.fields.reader import Reader
from portal.records.reading.records import Query, Records
from portal.texts import _, ngettext

MOST_SORTS = 4  # fields
MOST_VALUES = 100  # of one filter
LONGEST_VALUE = 1_000  # characters; SQLite refuses patterns of 50,000 bytes


@dataclass(frozen=True)
class Filter:
    """What was typed into the filter of one field."""

    name: str
    values: tuple[str, ...] = ()
    minimum: str = ""
    maximum: str = ""
    empty: bool = False
    error: str = ""

    @property
    def used(self) -> bool:
        return bool(self.values or self.minimum or self.maximum or self.empty)


@dataclass(frozen=True)
class ListRequest:
    """One list as it was asked for; `query` holds the conditions of tab, button and filters together."""

    query: Query
    tab: str = ""
    button: str = ""
    filters: dict[str, Filter] = field(default_factory=dict)

    @property
    def narrowed(self) -> bool:
        """Whether text or filters leave out rows that the tab would show."""
        return bool(self.query.text) or any(each.used for each in self.filters.values())


def read_address(records: Records, form: Form) -> ListRequest:
    """The list that the parameters of `/MODULE/` ask for."""
    layout = records.access.list
    button = form.get("button", "")
    narrowing = button_condition(records, button)
    tab = form.get("tab", "")
    if tab not in (layout.tabs or {}):
        # A button shows what its own condition says, whatever the first tab is.
        tab = "" if narrowing is not None else next(iter(layout.tabs or ()), "")
    typed = {name.partition(".")[0] for name in form}
    read = {
        each.name: _read_filter(records, each, form) if each.name in typed else (Filter(each.name), [])
        for each in filterable(records)
    }
    wanted = [tab_condition(records, tab), narrowing or ALWAYS, *(each for _, asks in read.values() for each in asks)]
    query = Query(
        text=" ".join(form.get("q", "").replace("\x00", " ").split())[:1000],
        condition=AllOf(tuple(wanted)),
        sort=tuple(_wanted_sort(records, form)),
        after=form.get("after", ""),
        before=form.get("before", ""),
        size=layout.page_size or 25,
    )
    return ListRequest(
        query, tab, button if narrowing is not None else "", {name: one for name, (one, _) in read.items()}
    )


def tab_condition(records: Records, tab: str) -> Condition:
    """The condition of a tab; of an unknown one none."""
    found = (records.access.list.tabs or {}).get(tab)
    return found.where if found else ALWAYS


def button_condition(records: Records, name: str) -> Condition | None:
    """The condition of a home button that opens this list; None where the profile has no such button."""
    if not name or name not in (records.policy.profile.home.buttons or ()):
        return None
    button = records.policy.declaration.buttons[name]
    return (button.where or ALWAYS) if button.opens == records.name else None


def filterable(records: Records) -> Iterator[Field]:
    """The fields that can be filtered by: those that may be read and are of a kind that has a filter."""
    readable = records.policy.readable(records.name)
    return (
        each for name, each in records.module.everything.items() if name in readable and each.filter and each.stored
    )


def _wanted_sort(records: Records, form: Form) -> list[str]:
    """Each field once, and no more of them than anybody tells apart: each is compared with all before it."""
    by_field = {entry.removeprefix("-"): entry for entry in form.getall("sort")[::-1]}
    return [entry for name, entry in reversed(by_field.items()) if _sortable(records, name)][:MOST_SORTS]


def _sortable(records: Records, name: str) -> bool:
    """Whether the list can be sorted by this field; the rest is ignored, as if it had not been asked."""
    return name in records.policy.readable(records.name) and records.module.field(name).sortable


def _read_filter(records: Records, each: Field, form: Form) -> tuple[Filter, list[Condition]]:
    """What was typed into a filter, and what it asks; nothing where it cannot be read."""
    found = Filter(
        each.name,
        tuple(dict.fromkeys(value for value in form.getall(each.name) if value.strip())),
        form.get(f"{each.name}.min", "").strip(),
        form.get(f"{each.name}.max", "").strip(),
        form.get(f"{each.name}.empty", "") == "1",
    )
    try:
        _check_amount(found)
        conditions = list(_conditions(each, found, records.policy.reader))
        for condition in conditions:
            where(condition, records.table, records.module, records.policy.declaration, records.policy.reader)
    except Refused as refused:
        return replace(found, error=refused.message), []
    return found, conditions


def _check_amount(asked: Filter) -> None:
    if len(asked.values) > MOST_VALUES:
        raise Refused(_("This form has too many fields."))
    if any(len(value) > LONGEST_VALUE for value in asked.values):
        raise Refused(ngettext("Use at most ${number} character.", "Use at most ${number} characters.", LONGEST_VALUE))


def _conditions(each: Field, asked: Filter, reader: Reader) -> Iterator[Condition]:
    """Several values: any of them. Raises Refused."""
    if asked.values or asked.empty:
        ways = [
            Comparison((each.name,), operator, ParsedValue(value)) for operator, value in _sought(each, asked, reader)
        ]
        yield AnyOf((*ways, Comparison((each.name,), "empty", True)) if asked.empty else tuple(ways))
    for operator, bound in (("min", asked.minimum), ("max", asked.maximum)):
        if bound and each.ranged:
            yield Comparison((each.name,), operator, ParsedValue(each.constant(bound, reader)))


def _sought(each: Field, asked: Filter, reader: Reader) -> list[tuple[str, Any]]:
    return [each.parse_filter(value, reader) for value in asked.values]
