"""Why a search found a record where the list does not show it: the name of a field, or a piece of the conversation."""

from collections.abc import Mapping, Sequence

from portal.records.reading import highlight
from portal.records.reading.conversations import readable_texts_together
from portal.records.reading.highlight import Words
from portal.records.reading.records import Record, Records
from portal.records.reading.together import Selection, by_ids_together
from portal.texts import _


def match_notes(hits: Sequence[tuple[Records, Sequence[int]]], words: Words) -> list[dict[int, str]]:
    """“found in Description”, “found in the conversation: …”, for those of the records of each module where that can
    be said. The modules are read together."""
    selections = [Selection(records, ids, _searched_fields(records)) for records, ids in hits]
    notes = [
        _notes_of_fields(records, read, words)
        for (records, _ids), read in zip(hits, by_ids_together(selections), strict=True)
    ]
    others = [
        (records.module, [record_id for record_id in ids if record_id not in of_module])
        for (records, ids), of_module in zip(hits, notes, strict=True)
    ]
    if any(ids for _module, ids in others):
        records = hits[0][0]
        texts = readable_texts_together(records.connection, records.policy, others)
        for of_module, of_records in zip(notes, texts, strict=True):
            of_module.update(_notes_of_conversations(records, of_records, words))
    return notes


def _notes_of_fields(records: Records, hits: Sequence[Record], words: Words) -> dict[int, str]:
    reader = records.policy.reader
    fields = [records.module.field(name) for name in _searched_fields(records)]
    return {
        record.id: reader.text(_("found in ${field}", mapping={"field": reader.text(field.title)}))
        for record in hits
        if (field := highlight.elsewhere(fields, record.values, words))
    }


def _notes_of_conversations(records: Records, texts: Mapping[int, Sequence[str]], words: Words) -> dict[int, str]:
    notes = {}
    for record_id, of_record in texts.items():
        excerpt = next(filter(None, (highlight.excerpt(text, words) for text in of_record)), "")
        if excerpt:
            sentence = _("found in the conversation: ${excerpt}", mapping={"excerpt": excerpt})
            notes[record_id] = records.policy.reader.text(sentence)
    return notes


def _searched_fields(records: Records) -> list[str]:
    """The readable fields in which the general search looks."""
    readable_names = records.policy.readable(records.name)
    return [name for name, field in records.module.fields.items() if field.searched and name in readable_names]
