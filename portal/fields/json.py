"""`json`: structured data. Read and checked, not stored yet."""

from typing import ClassVar, Literal

from portal.fields.base import Field


class Json(Field):
    type: Literal["json"]
    stored: ClassVar[bool] = False
    sortable: ClassVar[bool] = False
    can_be_unique: ClassVar[bool] = False
    long: ClassVar[bool] = True
