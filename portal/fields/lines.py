"""`lines`: rows that belong to the record, as an order's do. Read and checked, not stored yet."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field as Key
from pydantic import ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from portal.fields.base import Field
from portal.fields.protocols import Declared


class Lines(Field):
    type: Literal["lines"]
    stored: ClassVar[bool] = False
    sortable: ClassVar[bool] = False
    can_be_unique: ClassVar[bool] = False
    long: ClassVar[bool] = True
    sample: ClassVar[Mapping[str, Any]] = {"fields": {"what": "text", "price": {"type": "money"}}, "total": ["price"]}

    fields: dict[str, Field] = Key(min_length=1)
    total: tuple[str, ...] = ()
    min: int = Key(0, ge=0)
    max: int | None = Key(None, ge=1)

    @property
    def row_fields(self) -> Mapping[str, Field]:
        return self.fields

    @field_validator("fields", mode="before")
    @classmethod
    def _columns(cls, entries: Any) -> Any:
        if not isinstance(entries, Mapping):
            return entries
        return {name: _column(name, entry) for name, entry in entries.items()}

    @field_validator("total", mode="before")
    @classmethod
    def _one_or_several(cls, total: Any) -> Any:
        return (total,) if isinstance(total, str) else total

    @model_validator(mode="after")
    def _totals_are_columns(self) -> "Lines":
        for name in self.total:
            if name not in self.fields:
                raise _mistake(f'no column "{name}"', ("total",))
        return self

    def bind(self, declaration: Declared, module: Any) -> None:
        for column in self.fields.values():
            for target in column.targets:
                if target not in declaration.modules:
                    raise ValueError(f'no module "{target}"')


def _column(name: str, entry: Any) -> Field:
    if isinstance(entry, Field):
        return entry
    keys = {"type": entry} if isinstance(entry, str) else entry
    kind = Field.types.get(str(keys.get("type"))) if isinstance(keys, Mapping) else None
    if kind is None or kind.stored is False:
        known = ", ".join(sorted(name for name, type_ in Field.types.items() if type_.stored and not type_.computed))
        raise _mistake(f"must be the type of a column: {known}", (name,))
    try:
        return kind.model_validate({**keys, "name": name})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _mistake(first["msg"].removeprefix("Value error, "), (name, *first["loc"])) from None


def _mistake(sentence: str, path: tuple[Any, ...]) -> PydanticCustomError:
    return PydanticCustomError("value_error", "{error}", {"error": sentence, "path": path})
