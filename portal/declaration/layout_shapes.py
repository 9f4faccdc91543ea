"""The shapes of layouts: what a list, a detail page and a form show, in which order."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field as Key
from pydantic import StrictBool, model_validator

from portal.conditions import ALWAYS
from portal.declaration import value_types
from portal.fields.base_shape import Shape, Where
from portal.texts import Text


class Tab(Shape):
    label: Text | None = None
    where: Where = ALWAYS


class ListLayout(Shape):
    columns: tuple[value_types.FieldName, ...] | None = None
    sort: value_types.SortFields | None = None
    tabs: dict[str, Tab] | None = None
    page_size: int | None = Key(None, ge=1, le=500)
    export: StrictBool | None = None


class Section(Shape):
    title: Text | None = None
    fields: tuple[value_types.LayoutRow, ...]
    show_when: Where | None = None


class Related(Shape):
    module: value_types.ModuleName
    columns: tuple[str, ...] | None = None


class DetailLayout(Shape):
    sections: tuple[Section, ...] | None = None
    aside: tuple[value_types.FieldName, ...] | None = None
    related: tuple[Related, ...] | None = None
    comments: Literal["top", "bottom"] | None = None
    history: StrictBool | None = None

    @model_validator(mode="before")
    @classmethod
    def _related_by_name(cls, entry: Any) -> Any:
        if isinstance(entry, Mapping) and isinstance(entry.get("related"), list):
            related = [{"module": item} if isinstance(item, str) else item for item in entry["related"]]
            return {**entry, "related": related}
        return entry


class Step(Shape):
    title: Text | None = None
    fields: tuple[value_types.FormRow, ...]


class FormLayout(Shape):
    fields: tuple[value_types.FormRow, ...] | None = None
    steps: tuple[Step, ...] | None = Key(None, min_length=1)
    suggest: value_types.ModuleName | None = None  # whose records may answer a typed title
    files: StrictBool = False  # whether the form asks for files; set by resolve; refused in YAML
