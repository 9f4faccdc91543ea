"""ProxyField, the base of fields that behave like another one, `_target`, which is found when the field is bound.

A lookup behaves like the field at the end of its path, a formula like a field with the type of its result.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import PrivateAttr

from portal.fields.base import Field
from portal.fields.reader import Reader
from portal.texts import Text


def from_target(name: str) -> Any:
    """An attribute or method of a proxy field that delegates to its target."""
    return property(lambda field: getattr(field._target, name))


class ProxyField(Field):
    """The target defines how its values are shown, compared, written and read."""

    type: str
    _target: Field = PrivateAttr()
    _labels: Mapping[str, Text | bool] = PrivateAttr({})  # of a profile, only for this field

    display: ClassVar[str] = from_target("display")
    filter: ClassVar[str] = from_target("filter")
    input_type: ClassVar[str] = from_target("input_type")
    inputmode: ClassVar[str] = from_target("inputmode")
    suffix: ClassVar[str] = from_target("suffix")
    searchable: ClassVar[bool] = from_target("searchable")
    long: ClassVar[bool] = from_target("long")
    sortable: ClassVar[bool] = from_target("sortable")
    is_moment: ClassVar[bool] = from_target("is_moment")
    has_currency: ClassVar[bool] = from_target("has_currency")
    comparable: ClassVar[bool] = from_target("comparable")
    specials: ClassVar[tuple[str, ...]] = from_target("specials")
    ranged: ClassVar[Any] = from_target("ranged")
    targets: ClassVar[Any] = from_target("targets")
    offered: ClassVar[Any] = from_target("offered")
    branches: ClassVar[Any] = from_target("branches")
    option_of: ClassVar[Any] = from_target("option_of")
    declared_options: ClassVar[Any] = from_target("declared_options")
    value_type: ClassVar[Any] = from_target("value_type")
    bounds: ClassVar[Any] = from_target("bounds")
    parse: ClassVar[Any] = from_target("parse")
    show: ClassVar[Any] = from_target("show")
    html: ClassVar[Any] = from_target("html")
    sheet_cell: ClassVar[Any] = from_target("sheet_cell")
    write: ClassVar[Any] = from_target("write")
    to_json: ClassVar[Any] = from_target("to_json")
    json_schema: ClassVar[Any] = from_target("json_schema")
    constant: ClassVar[Any] = from_target("constant")
    bound: ClassVar[Any] = from_target("bound")
    parse_filter: ClassVar[Any] = from_target("parse_filter")
    parse_filter_id: ClassVar[Any] = from_target("parse_filter_id")
    matches: ClassVar[Any] = from_target("matches")
    near: ClassVar[Any] = from_target("near")
    links_in: ClassVar[Any] = from_target("links_in")
    texts: ClassVar[Any] = from_target("texts")

    def with_labels(self, labels: Mapping[str, Text | bool]) -> Field:
        """A copy whose options get a profile's own labels once it is bound again."""
        copy = self.model_copy()
        copy._labels = labels
        return copy

    def _answer_like(self, target: Field) -> None:
        self._target = target.with_labels(self._labels) if self._labels else target

    def inputs(self, value: Any, reader: Reader) -> dict[str, str | list[str]]:
        """Those of the target, under this field's name."""
        inputs = self._target.inputs(value, reader)
        return {self.name + name.removeprefix(self._target.name): text for name, text in inputs.items()}
