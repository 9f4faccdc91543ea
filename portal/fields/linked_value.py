"""The value of a link: one record of another module, as its reader meets it."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Linked:
    """A linked record: the title always, the way there only if `visible`. Two are equal if they are one record."""

    id: int
    module: str
    title: str = field(default="", compare=False)
    visible: bool = field(default=False, compare=False)
    reference: str = field(default="", compare=False)
    raw: str = field(default="", compare=False)  # for CSV: a unique field's value, else the reference

    def __str__(self) -> str:
        return self.title
