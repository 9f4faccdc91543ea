"""RowForm: the inputs of one row of `lines`, extracted from the form of its record."""

from collections.abc import Iterable, Iterator, Mapping

from portal.fields.protocols import Form


class RowForm:
    """The inputs of one row, `lines.0.price`, as a form of its own: `price`."""

    def __init__(self, inputs: Mapping[str, list[str]]) -> None:
        self._inputs = inputs

    def __iter__(self) -> Iterator[str]:
        return iter(self._inputs)

    def __contains__(self, name: object) -> bool:
        return name in self._inputs

    def items(self) -> Iterable[tuple[str, str]]:
        """Each input with its value; an input with several values occurs several times."""
        return ((name, text) for name, texts in self._inputs.items() for text in texts)

    def get(self, name: str, default: str = "") -> str:
        """The value of an input; of several, the last one."""
        return self._inputs[name][-1] if self._inputs.get(name) else default

    def getall(self, name: str) -> list[str]:
        """All values of an input of the row."""
        return list(self._inputs.get(name, ()))


def row_in(form: Form, prefix: str) -> RowForm:
    """The RowForm of the row whose inputs begin with `prefix`: “lines.0.”."""
    inputs: dict[str, list[str]] = {}
    for name, text in form.items():
        if name.startswith(prefix):
            inputs.setdefault(name.removeprefix(prefix), []).append(text)
    return RowForm(inputs)
