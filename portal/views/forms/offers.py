"""What a link of a form offers: records by their titles, and on cards what the records say about themselves."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.fields.link import RECORD_ID
from portal.records.reading.records import Records
from portal.records.writing.form_conditions import offered_records
from portal.views.parts import Offer

# So many records a link offers at once; of more, one finds by typing.
OFFERED = 200
OFFERED_IN_ROWS = 50  # of lines: each row has all of them, unless the script finds them as one types
# A link that is the only field of a step is drawn as cards when it offers so many records at most.
RECORD_CARDS = 12
ABOUT = 140  # characters of a record's description on its card


@dataclass(frozen=True)
class LinkOffers:
    """Titles by the value of the input; `more`: there are records besides these."""

    titles: dict[str, str]
    more: bool


def link_offers(  # noqa: PLR0913 - all of a form that decides about them
    records: Records,
    field: Any,
    values: Mapping[str, Any],
    stored: Any,
    find_text: str,
    chosen: list[str],
    *,
    known: dict[Any, list[tuple[int, str]]],
) -> LinkOffers:
    """The records that a link offers, given the form's other `values`; what is chosen or `stored` is always there.

    `find_text` narrows them to titles that contain it. `known`: what other rows of the same lines have found.
    """
    most = OFFERED_IN_ROWS if records.form_module != records.name else OFFERED
    titles: dict[str, str] = {}
    more = False
    for module in field.targets:
        offered = offered_records(records, field, module, values) if records.policy.access(module) else None
        if offered is not None:
            prefix = f"{module}:" if field.several_targets else ""
            key = (module, offered.narrowed, find_text, most)
            if key not in known:
                known[key] = offered.find(find_text, most + 1)
            more = more or len(known[key]) > most
            titles |= _titles(offered, prefix, known[key][:most])
            titles |= _titles(
                offered, prefix, _chosen(offered, prefix, [text for text in chosen if text not in titles])
            )
    for link in field.links_in(stored):
        if field.link_value(link) in chosen:
            titles.setdefault(field.link_value(link), link.title)
    return LinkOffers(titles, more)


def _titles(offered: Records, prefix: str, titles: list[tuple[int, str]]) -> dict[str, str]:
    """By the value of the input; where a link may lead to several modules, the title names the module."""
    label = f"{offered.policy.reader.text(offered.access.singular)}: " if prefix else ""
    return {f"{prefix}{record_id}": label + title for record_id, title in titles}


def _chosen(offered: Records, prefix: str, values: list[str]) -> list[tuple[int, str]]:
    """The records among `offered` that the inputs name, whatever is searched for."""
    texts = [value.removeprefix(prefix) for value in values if value.startswith(prefix)]
    ids = [int(text) for text in texts if RECORD_ID.fullmatch(text)]
    return [(record.id, record.title) for record in offered.by_ids(ids, [])]


def link_cards(
    records: Records, field: Any, values: Mapping[str, Any], offers: tuple[Offer, ...]
) -> tuple[Offer, ...] | None:
    """The offers with what the records say about themselves; None where they are too many for cards."""
    offered = offered_records(records, field, field.targets[0], values) if not field.several_targets else None
    if offered is None or not 0 < len(offers) <= RECORD_CARDS:
        return None
    texts = descriptions(offered, [int(offer.value) for offer in offers])
    return tuple(offer._replace(help=texts.get(offer.value, "")) for offer in offers)


def descriptions(records: Records, ids: list[int]) -> dict[str, str]:
    """By id, the beginning of the first text that the reader may read and that is not the title."""
    readable, title = records.policy.readable(records.name), records.module.title_field.name
    texts = (
        field
        for name, field in records.module.fields.items()
        if field.searched and field.input_type == "text" and field.widget in ("textarea", "input")
        if name in readable and name != title
    )
    field = next(texts, None)
    if field is None:
        return {}
    reader = records.policy.reader
    return {
        str(record.id): textwrap.shorten(field.show(record.values[field.name], reader), ABOUT, placeholder=" …")
        for record in records.by_ids(ids, [field.name])
    }
