"""What pages about access are made of. Plain values, as in parts.py."""

from dataclasses import dataclass

from portal.views.parts import Action
from portal.web.shell import Words


@dataclass(frozen=True)
class Fact:
    label: Words
    text: Words


@dataclass(frozen=True)
class AccessCard:
    """The card of a person's access, for who may change it."""

    state: Words
    tone: str
    facts: tuple[Fact, ...] = ()
    actions: tuple[Action, ...] = ()
    link: str = ""  # of the invitation that was just made, shown once
