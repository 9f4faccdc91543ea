"""Why a search found a record where the list does not show it: the name of a field, or a piece of the conversation."""

from collections.abc import Sequence

from portal.records.reading import highlight
from portal.records.reading.conversations import readable_texts
from portal.records.reading.highlight import Words
from portal.records.reading.records import Records
from portal.texts import _


def match_notes(records: Records, ids: Sequence[int], words: Words) -> dict[int, str]:
    """“found in Description”, “found in the conversation: …”, for those of the records `ids` where that can be said."""
    if not ids:
        return {}
    reader, names = records.policy.reader, _searched_fields(records)
    fields = [records.module.field(name) for name in names]
    notes = {
        record.id: reader.text(_("found in ${field}", mapping={"field": reader.text(field.title)}))
        for record in records.by_ids(ids, names)
        if (field := highlight.elsewhere(fields, record.values, words))
    }
    others = [record_id for record_id in ids if record_id not in notes]
    for record_id, texts in readable_texts(records.connection, records.policy, records.module, others).items():
        excerpt = next(filter(None, (highlight.excerpt(text, words) for text in texts)), "")
        if excerpt:
            notes[record_id] = reader.text(_("found in the conversation: ${excerpt}", mapping={"excerpt": excerpt}))
    return notes


def _searched_fields(records: Records) -> list[str]:
    """The readable fields in which the general search looks."""
    readable_names = records.policy.readable(records.name)
    return [name for name, field in records.module.fields.items() if field.searched and name in readable_names]
