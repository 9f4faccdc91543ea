"""What a list's address asks for: search, tab, filters, sort, page. No name is trusted before the policy knows it.

Unknown parameters are ignored; a value that cannot be read becomes a message at its filter, and filters nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from portal.conditions import ALWAYS, All, Condition, Some, Test
from portal.fields import Field, Form, Refused
from portal.fields.link import IDENTITY, Linked
from portal.records.query import Query, Records


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
class Asked:
    """One list as it was asked for; `query` holds the conditions of tab, button and filters together."""

    query: Query
    tab: str = ""
    button: str = ""
    filters: dict[str, Filter] = field(default_factory=dict)

    @property
    def narrowed(self) -> bool:
        """Whether text or filters leave out rows that the tab would show."""
        return bool(self.query.text) or any(each.used for each in self.filters.values())


def read_address(records: Records, form: Form) -> Asked:
    """The list that the parameters of `/MODULE/` ask for."""
    layout = records.access.list
    button = form.get("button", "")
    narrowing = button_condition(records, button)
    tab = form.get("tab", "")
    if tab not in (layout.tabs or {}):
        # A button shows what its own condition says, whatever the first tab is.
        tab = "" if narrowing is not None else next(iter(layout.tabs or ()), "")
    filters = {each.name: _read_filter(records, each, form) for each in filterable(records)}
    conditions = [each for name, one in filters.items() for each in _tests(records, name, one)]
    wanted = [tab_condition(records, tab), narrowing or ALWAYS, *conditions]
    query = Query(
        text=" ".join(form.get("q", "").replace("\x00", " ").split())[:1000],
        condition=All(tuple(wanted)),
        sort=tuple(entry for entry in form.getall("sort") if entry),
        after=form.get("after", ""),
        before=form.get("before", ""),
        size=layout.page_size or 25,
    )
    return Asked(query, tab, button if narrowing is not None else "", filters)


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


def _read_filter(records: Records, each: Field, form: Form) -> Filter:
    found = Filter(
        each.name,
        tuple(value for value in form.getall(each.name) if value.strip()),
        form.get(f"{each.name}.min", "").strip(),
        form.get(f"{each.name}.max", "").strip(),
        form.get(f"{each.name}.empty", "") == "1",
    )
    try:
        for test in _tests(records, each.name, found):
            _try(records, each, test)
    except Refused as refused:
        return Filter(each.name, found.values, found.minimum, found.maximum, found.empty, refused.message)
    return found


def _try(records: Records, each: Field, condition: Condition) -> None:
    """Raises Refused where a value cannot be read as the field's type."""
    if isinstance(condition, Some):
        for part in condition.parts:
            _try(records, each, part)
    elif isinstance(condition, Test) and condition.operator != "empty":
        each.constant(condition.value, records.policy.reader)


def _tests(records: Records, name: str, asked: Filter) -> Iterator[Condition]:
    if asked.error:
        return
    each = records.module.field(name)
    if asked.values or asked.empty:
        ways = [_one(each, value) for value in asked.values]
        yield Some((*ways, Test((name,), "empty", True)) if asked.empty else tuple(ways))
    for operator, bound in (("min", asked.minimum), ("max", asked.maximum)):
        if bound and each.filter == "range":
            yield Test((name,), operator, bound)


def _one(each: Field, value: str) -> Condition:
    """Text-like types: contains; links: the id, or text that the title contains; the rest: equal."""
    if each.filter == "link":
        module, _colon, identity = value.rpartition(":")
        if IDENTITY.fullmatch(identity) and (module or each.to[0]) in each.to:
            return Test((each.name,), "equal", Linked(int(identity), module or each.to[0]))
        return Test((each.name,), "equal" if value in each.specials else "contains", value)
    return Test((each.name,), "contains" if each.filter == "text" else "equal", value)
