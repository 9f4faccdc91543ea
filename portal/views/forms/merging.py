"""Simultaneous changes of two people to a record: whose value is whose, and which fields both have changed.

A form carries its basis, in a hidden input and in its draft: a digest of each value that it showed, and the record's
version. With it, the server distinguishes a person's changes from values that the form only showed, so that values
that someone else has changed in the meantime are not reverted.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from portal.fields.base import Field
from portal.fields.linked_value import Linked
from portal.fields.reader import PLAIN
from portal.records.reading.records import Record, Records
from portal.views.displays import moment
from portal.views.forms.form_content import FormContent, inputs_of
from portal.views.forms.form_page import Conflict, ConflictingField
from portal.views.forms.offers import with_titles

ENTRY = re.compile(r"([a-z][a-z0-9_]*):([0-9a-f]{10})")


@dataclass(frozen=True)
class Basis:
    """The digests of the values that a form showed when it was opened, by field; empty if the form has none."""

    version: int
    digests: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The hidden input `_basis`."""
        return " ".join(f"{name}:{digest}" for name, digest in self.digests.items())

    def changed(self, fields: Iterable[Field], values: Mapping[str, Any], errors: Mapping[str, str]) -> set[str]:
        """The fields whose `values` differ from what the form showed; without digests, all of them."""
        return {
            field.name
            for field in fields
            if field.name in errors or self.digests.get(field.name) != _digest_of(field, values.get(field.name))
        }


def basis_of(fields: Iterable[Field], values: Mapping[str, Any], version: int = 0) -> Basis:
    """The basis of a form that shows `values`."""
    return Basis(version, {field.name: _digest_of(field, values.get(field.name)) for field in fields})


def read_basis(text: str, version: int) -> Basis:
    """The basis in a hidden input or a draft, without anything that is not a digest."""
    return Basis(version, dict(ENTRY.findall(text[:20_000])))


def _digest_of(field: Field, value: Any) -> str:
    """A short digest of one value, the same for the stored value and for the unchanged input of a form."""
    inputs = json.dumps(field.inputs(value, PLAIN))
    return hashlib.sha256(inputs.encode("utf-8", "replace")).hexdigest()[:10]


@dataclass(frozen=True)
class Merged:
    """A form made from an older version, updated to the current one."""

    content: FormContent
    own: frozenset[str]  # the fields that this person has changed
    contested: frozenset[str]  # those of them that someone else has also changed


def merge_changes(record: Record, fields: Sequence[Field], content: FormContent, basis: Basis) -> Merged:
    """A person's changes in a form with `fields`, made from `basis`, applied to the current record."""
    own = basis.changed(fields, content.values, content.errors)
    present = basis_of(fields, record.values).digests
    others = [field for field in fields if field.name not in own]
    inputs = {name: texts for name, texts in content.inputs.items() if name.partition(".")[0] in own}
    inputs |= inputs_of(others, record.values, content.records.policy.reader)
    values = {**content.values, **{field.name: record.values.get(field.name) for field in others}}
    errors = {name: error for name, error in content.errors.items() if name.partition(".")[0] in own}
    contested = {
        field.name
        for field in fields
        if field.name in own
        and basis.digests.get(field.name) != present[field.name]
        and _digest_of(field, values.get(field.name)) != present[field.name]
    }
    return Merged(replace(content, inputs=inputs, values=values, errors=errors), frozenset(own), frozenset(contested))


def conflict_of_changes(record: Record, fields: Sequence[Field], merged: Merged) -> Conflict:
    """What a page says about simultaneous changes: who saved first and when, and the fields that both changed."""
    records, reader = merged.content.records, merged.content.records.policy.reader
    is_own = _saved_by_reader(records, record)
    author = None if is_own else record.values.get("modified_by")
    at = record.values.get("modified") or reader.now
    differences = tuple(
        _difference(records, field, merged.content.values.get(field.name), record.values.get(field.name))
        for field in fields
        if field.name in merged.contested
    )
    return Conflict(str(author) if author else "", moment(at, reader), differences, is_own)


def _saved_by_reader(records: Records, record: Record) -> bool:
    """Whether the reader saved the current version: in another window, or on another device."""
    reader = records.policy.reader
    current = records.as_system.get(record.id)
    if current is None or reader.person is None:
        return False
    return current.values.get("modified_by") == Linked(reader.person, str(reader.people))


def _difference(records: Records, field: Field, yours: Any, theirs: Any) -> ConflictingField:
    """A field with different values from two people."""
    reader = records.policy.reader
    return ConflictingField(
        field.title, field.show(with_titles(records, field, yours), reader), field.show(theirs, reader)
    )
