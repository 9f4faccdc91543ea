"""Writes signatures, with the time and the account, once and for all."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from portal.fields.base import Field
from portal.records.reading.records import Record, Records
from portal.records.writing.history import Author, add_event, change_details


def with_signatures(
    records: Records, values: Mapping[str, Any], author: Author, at: datetime.datetime | None = None
) -> dict[str, Any]:
    """`values` with the time and the account added to the signatures among them; `at`: the time, if it is not now."""
    moment = at or records.policy.reader.now
    signed = {name: values[name] for name in _signatures(records, values) if values[name]}
    return {**values, **{name: value.signed(moment, author.account, author.name) for name, value in signed.items()}}


def without_signed(records: Records, before: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` without signatures that exist already: they stay as they are."""
    signed = {name for name in _signatures(records, values) if before.get(name)}
    return {name: value for name, value in values.items() if name not in signed}


def not_signed_yet(record: Record, fields: Iterable[Field]) -> list[Field]:
    """The `fields` without a signature."""
    return [field for field in fields if not (field.signs and record.values.get(field.name))]


def add_change_events(
    records: Records, record_id: int, kind: str, author: Author, before: Mapping[str, Any], changed: Mapping[str, Any]
) -> None:
    """Records what `changed` as an event of `kind`, and its signatures as a separate event."""
    signed = _signatures(records, changed)
    others = {name: value for name, value in changed.items() if name not in signed}
    if others or not signed:
        add_event(records, record_id, kind, author, change_details(records.module, before, others))
    add_signed_event(records, record_id, author, changed)


def add_signed_event(records: Records, record_id: int, author: Author, values: Mapping[str, Any]) -> None:
    """Records the signatures among the `values` that were written as an event."""
    signed = {name: values[name] for name in _signatures(records, values) if values[name]}
    if signed:
        add_event(records, record_id, "signed", author, change_details(records.module, {}, signed))


def _signatures(records: Records, values: Mapping[str, Any]) -> list[str]:
    return [name for name, field in records.module.fields.items() if field.signs and name in values]
