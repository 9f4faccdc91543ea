"""The columns of a list, and those of the related lists of a record."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from portal.declaration.layouts import detail_layout_fields
from portal.records.reading.list_request import ListRequest
from portal.records.reading.records import Records
from portal.texts import Words
from portal.views.displays import COUNT_ICONS
from portal.views.lists.filters import FilterState, Parameters
from portal.web.addresses import list_address


class Column(NamedTuple):
    name: str
    label: Words
    place: str = "extra"  # lead, reference, status, when; phones omit extra ones
    icon: str = ""  # shown instead of the label: comments, attachments, channel
    sort_url: str = ""
    sorted: Literal["ascending", "descending", ""] = ""
    number: bool = False
    filter: FilterState | None = None

    @property
    def classes(self) -> str:
        """The classes of its cells."""
        return f"{self.place} number" if self.number else self.place

    @property
    def cell_label(self) -> Words:
        """The label before its cells on a narrow screen; empty if the cell speaks for itself."""
        return self.label if self.place == "extra" else ""


def list_column(
    records: Records, list_request: ListRequest, name: str, parameters: Parameters, states: Mapping[str, FilterState]
) -> Column:
    """One column of a list with its order and its filter."""
    field = records.module.field(name)
    column = plain_column(records, name)._replace(filter=states.get(name))
    order = next(iter(list_request.query.sort or records.access.list.sort or ()), "")
    if order == name:
        column = column._replace(sorted="ascending")
    elif order == f"-{name}":
        column = column._replace(sorted="descending")
    if not field.sortable:
        return column
    others = [(key, value) for key, value in parameters if key != "sort"]
    reverse = f"-{name}" if order == name else name
    return column._replace(sort_url=list_address(records.name, [*others, ("sort", reverse)]))


def plain_column(records: Records, name: str) -> Column:
    """A column in related lists, without order or filter."""
    field = records.module.field(name)
    places = {records.module.title_field.name: "lead", "reference": "reference", "modified": "when"}
    place = "status" if name == records.module.state_field else places.get(name, "extra")
    number = field.filter == "range" and not field.specials
    return Column(name, field.title, place, COUNT_ICONS.get(name, ""), number=number)


def shown_columns(records: Records, chosen: Sequence[str] | None) -> tuple[str, ...]:
    """The columns of a list: the chosen ones that still exist and may be read; the declared ones if none is left."""
    declared = records.access.list.columns or ()
    if chosen is None:
        return declared
    offered = columns_to_choose(records)
    return tuple(name for name in chosen if name in offered) or declared


def columns_to_choose(records: Records) -> tuple[str, ...]:
    """The possible columns for a reader: the fields of the declared list, and those of the detail page that are short
    enough; always the title."""
    access, module = records.access, records.module
    readable = records.policy.readable(records.name)
    declared = access.list.columns or ()
    short = [name for name in detail_layout_fields(access.detail) if not module.field(name).long]
    names = dict.fromkeys((*declared, module.title_field.name, *short))
    return tuple(name for name in names if name in readable)
