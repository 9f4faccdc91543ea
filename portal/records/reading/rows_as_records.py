"""The rows of a `lines` field in forms: their columns, and what links in them offer."""

from dataclasses import dataclass, replace
from functools import cached_property

from portal.declaration.shapes import Access, Module
from portal.fields.base import Field
from portal.fields.table_names import join_name
from portal.records.policy import system_policy
from portal.records.reading.records import Records


@dataclass(frozen=True)
class RowRecords(Records):
    """The rows of one `lines` field in the forms of their records: their columns, and what links in them offer.

    Rows are read and written as a value of one record at a time; none are found here.
    """

    form_of: str = ""

    def __post_init__(self) -> None:
        """The field is readable, otherwise a form would not contain it."""

    @property
    def as_system(self) -> Records:
        """The rows in forms with every column, as the portal itself sees them."""
        return replace(self, policy=system_policy(self.policy.tables, self.policy.reader))

    @property
    def form_module(self) -> str:
        return self.form_of

    @cached_property
    def module(self) -> Module:
        declared = self.policy.declaration.row_modules[self.name]
        shown = {name: field for name, field in declared.fields.items() if self.policy.staff or not field.internal}
        return Module(name=self.name, fields=shown, label=declared.label)

    @cached_property
    def access(self) -> Access:
        return Access(module=self.name)


def rows_of(records: Records, field: Field) -> RowRecords:
    """The rows of a `lines` field of `records`, as records of a module whose fields are its columns."""
    return RowRecords(records.connection, records.policy, join_name(records.name, field.name), form_of=records.name)
