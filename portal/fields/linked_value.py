"""The value of a link: one record of another module, as its reader sees it."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Linked:
    """A linked record: always with its title, openable only if `visible`. Equal if the same record."""

    id: int
    module: str
    title: str = field(default="", compare=False)
    visible: bool = field(default=False, compare=False)
    reference: str = field(default="", compare=False)
    raw: str = field(default="", compare=False)  # for CSV: a unique field's value, else the reference

    def __str__(self) -> str:
        return self.title
