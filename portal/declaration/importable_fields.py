"""Which fields people can import from a file of rows, and which ones such a file cannot give to new records."""

from collections.abc import Iterable

from portal.declaration.shapes import Module
from portal.fields.base import Field


def is_importable(field: Field) -> bool:
    """Whether a cell can hold a value: no file, no rows, and no name under which somebody else signs."""
    return not (field.by_upload or field.row_fields or field.signs)


def required_but_not_importable(module: Module, names: Iterable[str]) -> list[str]:
    """Those of the fields `names` that every new record needs and that no cell can hold."""
    fields = [module.fields[name] for name in names if name in module.fields]
    return [field.name for field in fields if not is_importable(field) and (field.required or field.wrong_number(0))]
