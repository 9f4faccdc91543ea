"""The tabs of a list, with their numbers of records."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from portal.conditions import always
from portal.records.reading.news import News
from portal.records.reading.records import Count, Records
from portal.texts import Words, label_from_name, ngettext
from portal.views.lists.shown_list import ShownList
from portal.views.wording import count_text
from portal.web.addresses import list_address


@dataclass(frozen=True)
class TabState:
    label: Words
    url: str
    current: bool = False
    count: str = ""
    new: str = ""  # “3 new” in the reader's language, as it is used twice; empty if nothing is new


def tabs(shown: ShownList, counts: Mapping[str, Count], news: News) -> Iterator[TabState]:
    """The tabs with their counts, and how many of their records are new; they keep search, filters and order. In a
    saved view, none is current, unless a tab other than the view's is requested."""
    records, as_saved = shown.records, shown.view is not None and "tab" not in dict(shown.parameters)
    others = [(name, value) for name, value in shown.parameters_without("button") if name != "tab"]
    declared, reader = records.access.list.tabs or {}, records.policy.reader
    for (name, tab), new in zip(declared.items(), news.of_tabs or [0] * len(declared), strict=True):
        yield TabState(
            tab.label or label_from_name(name),
            list_address(records.name, [*others, ("tab", name)]),
            name == shown.request.tab and not as_saved,
            count_text(counts[name], reader),
            reader.text(ngettext("${number} new", "${number} new", new)) if new else "",
        )


def widest_tab(records: Records) -> dict[str, str]:
    """The parameter for the first tab without conditions, so that “Show all” shows all; empty if there is none."""
    for name, tab in (records.access.list.tabs or {}).items():
        if always(tab.where):
            return {"tab": name}
    return {}
