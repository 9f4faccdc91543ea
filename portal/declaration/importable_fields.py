"""Which fields people can import from a file of rows, and which required ones such a file cannot set in new records."""

from collections.abc import Iterable

from portal.declaration.shapes import Module
from portal.fields.base import Field


def is_importable(field: Field) -> bool:
    """Whether a cell can hold a value: not for files, rows and signatures, which nobody may enter for others."""
    return not (field.by_upload or field.row_fields or field.signs)


def required_but_not_importable(module: Module, names: Iterable[str]) -> list[str]:
    """The fields among `names` that every new record needs and no cell can hold."""
    fields = [module.fields[name] for name in names if name in module.fields]
    return [field.name for field in fields if not is_importable(field) and (field.required or field.wrong_number(0))]
