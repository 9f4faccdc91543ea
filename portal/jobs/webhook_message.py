"""The message to a webhook about an event: the record as its profile may read it at this moment, as JSON.

The envelope is that of Standard Webhooks (`type`, `timestamp`, `data`); the record has the form of the API.
"""

import datetime
import json
from typing import Any

import sqlalchemy as sa

from portal.database.deliveries import event_type
from portal.database.schema.tables import Tables
from portal.declaration.shapes import Webhook
from portal.fields.dates_and_times import utc_text
from portal.records.policy import profile_policy
from portal.records.reading.as_json import comments_json, file_json, record_json
from portal.records.reading.comments import comments_by_ids
from portal.records.reading.files import file
from portal.records.reading.history import Event, find_event
from portal.records.reading.records import Record, Records


def write_message(
    connection: sa.Connection, tables: Tables, webhook: Webhook, event_id: int, now: datetime.datetime
) -> str | None:
    """The message to a webhook about an event; None if the profile may not read it, or no longer."""
    policy = profile_policy(tables, webhook.as_, now)
    if not policy.modules:
        return None
    readable = find_event(Records(connection, policy, next(iter(policy.modules))), event_id)
    if readable is None:
        return None
    event, _record = readable
    data = _data(Records(connection, policy, event.module), event)
    return None if data is None else message_text(event_type(event.module, event.kind), event.at, data)


def message_text(type_: str, at: datetime.datetime, data: dict[str, Any]) -> str:
    """The JSON of a whole message to a webhook, in the common envelope."""
    return json.dumps({"type": type_, "timestamp": utc_text(at), "data": data}, ensure_ascii=False)


def _data(records: Records, event: Event) -> dict[str, Any] | None:
    common = {"module": event.module, "author": event.author, "channel": event.channel}
    if event.kind == "deleted":  # its values are gone
        return {**common, "record": {"id": event.record, "reference": event.reference or None}}
    record = records.get(event.record)
    if record is None:
        return None
    more = _more(records, record, event)
    return None if more is None else {**common, "record": record_json(records, record), **more}


def _more(records: Records, record: Record, event: Event) -> dict[str, Any] | None:
    """What a webhook's message adds to the record; None if its subject is gone, or not for this reader."""
    if event.kind == "commented":
        comments = comments_by_ids(records, record, [event.about_id] if event.about_id else [])
        return {"comment": comments_json(records, record, comments)[0]} if comments else None
    if event.kind == "attached":
        attached = file(records, record, event.about_id) if event.about_id else None
        return {"file": file_json(attached)} if attached else None
    if event.kind == "created":
        return {}
    changed = {"changed": [change.field.name for change in event.changes]}
    if event.kind != "moved":
        return changed
    states = [change for change in event.changes if change.field.name == records.module.state_field]
    moved = {"from": states[0].before, "to": states[0].after} if states else {}
    return {**changed, "transition": event.transition or None, **moved}
