"""The shapes of the home page of a profile: its buttons and its panels."""

import hashlib
from functools import cached_property
from typing import Literal

from pydantic import Field as Key

from portal.condition_texts import condition_key
from portal.conditions import ALWAYS
from portal.declaration import value_types
from portal.fields.base_shape import Shape, Where
from portal.texts import Text


class Panel(Shape):
    """A part of the home page: one of `chart`, `list`, `notices` and `text`. `label`: its heading."""

    chart: value_types.ModuleName | None = None
    list: value_types.ModuleName | None = None
    notices: value_types.ModuleName | None = None
    text: Text | None = None
    label: Text | None = None
    where: Where = ALWAYS
    by: value_types.FieldName | None = None
    per: Literal["day", "week", "month", "quarter", "year"] | None = None
    of: value_types.FieldName | None = None  # the field that is summed; else the records are counted
    as_: Literal["bar", "line", "donut"] | None = Key(None, alias="as")

    @property
    def module(self) -> str | None:
        """The module whose records it shows."""
        return self.chart or self.list or self.notices

    @cached_property
    def key(self) -> str:
        """The name of a panel in the address of its list, which no button can have; it changes with `where`."""
        return f"{self.module}.{hashlib.sha256(condition_key(self.where).encode()).hexdigest()[:8]}"


class Home(Shape):
    buttons: tuple[value_types.ButtonName, ...] | None = None
    panels: tuple[Literal["activity"] | Panel, ...] = ()

    @property
    def declared_panels(self) -> tuple[Panel, ...]:
        """The panels except the activity."""
        return tuple(panel for _index, panel in self.indexed_panels)

    @property
    def indexed_panels(self) -> tuple[tuple[int, Panel], ...]:
        """The same, each with its place among all `panels`."""
        return tuple((index, panel) for index, panel in enumerate(self.panels) if isinstance(panel, Panel))
