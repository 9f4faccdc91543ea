"""What an import by a person may set: the fields in the forms of their profile.

Nothing here extends what the policy grants: new records need `create` and changes need `edit`, in addition to `import`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from portal.declaration.importable_fields import is_importable, required_but_not_importable
from portal.declaration.layouts import form_layout_fields
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.records.reading.named_records import naming_fields
from portal.records.reading.records import Record, Records
from portal.records.transfer.csv_columns import Targets, settable
from portal.records.writing.lifecycle import editable_fields
from portal.records.writing.validation import typed_fields
from portal.texts import _

REFERENCE = "reference"


@dataclass(frozen=True)
class ImportRights:
    """What a person may set in new and in existing records, by field name."""

    records: Records
    new: Collection[str]
    changed: Collection[str]
    needed: Sequence[Field] = ()  # required for new records, but no cell can hold them

    def refusals(self, record: Record | None, names: Collection[str]) -> Mapping[str, str]:
        """Why the fields `names`, in which a row differs from its record, cannot be set; "" is for the whole row.

        `record`: None for a new one.
        """
        policy, name = self.records.policy, self.records.name
        if record is None:
            if not policy.may(name, "create"):
                return {"": _("There is no such record, and you may not add any.")}
            if self.needed:
                labels = policy.reader.listed(policy.reader.text(field.title) for field in self.needed)
                return {"": _("New records need ${fields}, which no cell can hold.", mapping={"fields": labels})}
            reason = _("You cannot set this in new records.")
            refused = {field: reason for field in names if field not in self.new}
            return refused | ({REFERENCE: _("There is no such record.")} if REFERENCE in refused else {})
        if not names:
            return {}
        if not policy.may(name, "edit"):
            return {"": _("You may not change this record.")}
        fields = [self.records.module.field(field) for field in names]
        open_now = {field.name for field in editable_fields(self.records, record, fields)}
        closed = {field: _("This can no longer be changed.") for field in names if field not in open_now}
        return closed | {field: _("You cannot change this.") for field in names if field not in self.changed}


def import_rights(records: Records) -> ImportRights:
    """What the reader of `records` may set with an import."""
    access = records.access
    form_fields = form_layout_fields(access.create)
    new, changed = (
        frozenset(field.name for field in typed_fields(records, names) if is_importable(field))
        if records.policy.may(records.name, action)
        else frozenset[str]()
        for action, names in (("create", form_fields), ("edit", form_layout_fields(access.edit)))
    )
    needed = [records.module.fields[name] for name in required_but_not_importable(records.module, form_fields)]
    return ImportRights(records, new, changed, needed)


def import_keys(records: Records) -> list[Field]:
    """The fields that the reader may use to identify the records that a file changes."""
    if not records.policy.may(records.name, "edit"):
        return []
    module, readable = _declared_module(records), records.policy.readable(records.name)
    named = [field for field in naming_fields(module) if field.name in readable]
    return [field for field in named if field.unique is True or field.name == REFERENCE]


def import_targets(rights: ImportRights, key: str | None) -> Targets:
    """The fields that the columns of a person's file may fill: as declared, since files use the labels of the
    declaration (those of the profile are tried as well)."""
    records = rights.records
    module, readable = _declared_module(records), records.policy.readable(records.name)
    names = [name for name in settable(module) if name in rights.new or name in rights.changed or name == key]
    shown: Mapping[str, Field] = {name: field for name, field in module.everything.items() if name in readable}
    return Targets({name: module.field(name) for name in names}, shown)


def _declared_module(records: Records) -> Module:
    """The module of `records` with its own labels of options, not those of the profile."""
    return records.policy.declaration.modules[records.name]


def may_import(records: Records) -> bool:
    """Whether the list offers this profile an import."""
    return records.policy.may(records.name, "import")
