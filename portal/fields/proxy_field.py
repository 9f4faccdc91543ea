"""ProxyField, the base of fields that answer like another one, `_target`, which is found when the field is bound.

A lookup answers like the field at the end of its way, a formula like a field of the type of its result.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import PrivateAttr

from portal.fields.base import Field
from portal.fields.base_shape import Option
from portal.fields.linked_value import Linked
from portal.fields.reader import Reader
from portal.fields.sheet_cell import SheetCell
from portal.texts import Text


def from_target(name: str) -> Any:
    """A class attribute of a proxy field that is its target's."""
    return property(lambda field: getattr(field._target, name))


class ProxyField(Field):
    """The target says how its values are shown, compared, written and read."""

    type: str
    _target: Field = PrivateAttr()
    _labels: Mapping[str, Text] = PrivateAttr({})  # of a profile, for this field alone

    display: ClassVar[str] = from_target("display")
    filter: ClassVar[str] = from_target("filter")
    input_type: ClassVar[str] = from_target("input_type")
    inputmode: ClassVar[str] = from_target("inputmode")
    suffix: ClassVar[str] = from_target("suffix")
    long: ClassVar[bool] = from_target("long")
    sortable: ClassVar[bool] = from_target("sortable")
    comparable: ClassVar[bool] = from_target("comparable")
    specials: ClassVar[tuple[str, ...]] = from_target("specials")

    def with_labels(self, labels: Mapping[str, Text]) -> Field:
        """A copy whose options have a profile's own labels, once it is bound again."""
        copy = self.model_copy()
        copy._labels = labels
        return copy

    def _answer_like(self, target: Field) -> None:
        self._target = target.with_labels(self._labels) if self._labels else target

    @property
    def ranged(self) -> bool:
        return self._target.ranged

    @property
    def targets(self) -> tuple[str, ...]:
        return self._target.targets

    @property
    def offered(self) -> Mapping[str, Option]:
        return self._target.offered

    @property
    def declared_options(self) -> Mapping[str, Option]:
        return self._target.declared_options

    @property
    def value_type(self) -> str:
        return self._target.value_type

    def bounds(self, reader: Reader) -> tuple[Any, Any]:
        return self._target.bounds(reader)

    def parse(self, text: str, reader: Reader) -> Any:
        return self._target.parse(text, reader)

    def inputs(self, value: Any, reader: Reader) -> dict[str, str | list[str]]:
        """As the target's, under this field's name."""
        inputs = self._target.inputs(value, reader)
        return {self.name + name.removeprefix(self._target.name): text for name, text in inputs.items()}

    def show(self, value: Any, reader: Reader) -> str:
        return self._target.show(value, reader)

    def html(self, value: Any) -> str:
        return self._target.html(value)

    def sheet_cell(self, value: Any, reader: Reader) -> SheetCell | None:
        return self._target.sheet_cell(value, reader)

    def write(self, value: Any) -> str:
        return self._target.write(value)

    def to_json(self, value: Any) -> Any:
        return self._target.to_json(value)

    def json_schema(self, *, written: bool) -> dict[str, Any]:
        return self._target.json_schema(written=written)

    def constant(self, raw: Any, reader: Reader) -> Any:
        return self._target.constant(raw, reader)

    def parse_filter(self, text: str, reader: Reader) -> tuple[str, Any]:
        return self._target.parse_filter(text, reader)

    def parse_filter_id(self, text: str) -> Any:
        return self._target.parse_filter_id(text)

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        return self._target.matches(value, operator, constant)

    def near(self, constant: Any) -> tuple[Any, ...]:
        return self._target.near(constant)

    def links_in(self, value: Any) -> tuple[Linked, ...]:
        return self._target.links_in(value)

    def texts(self, value: Any) -> Iterable[str]:
        return self._target.texts(value)
