"""The pages about access, and their parts. Plain values, as in views/parts.py."""

from dataclasses import dataclass

from portal.texts import Words
from portal.views.forms.form_parts import FormRow, Offer
from portal.views.parts import Action, Moment, TitledLink


@dataclass(frozen=True)
class Fact:
    label: Words
    text: Words


@dataclass(frozen=True)
class AccessCard:
    """The card of a person's access, for readers who may change it."""

    state: Words
    tone: str
    facts: tuple[Fact, ...] = ()
    actions: tuple[Action, ...] = ()
    link: str = ""  # of the invitation that was just made, shown once


@dataclass(frozen=True)
class WaitingLine:
    """One who has signed up, with the profiles to choose from."""

    id: int
    name: str
    initials: str
    email: str
    company: str
    at: Moment
    profiles: tuple[Offer, ...]


@dataclass(frozen=True)
class WaitingPage:
    """waiting.pt: people who wait for approval."""

    url: str
    back_url: str
    lines: tuple[WaitingLine, ...] = ()
    error: Words = ""


@dataclass(frozen=True)
class Colleague:
    """One person of a company, with their access."""

    name: str
    initials: str
    email: str
    profile: Words
    state: Words
    tone: str
    signed_in: Moment | None
    until: str
    bounces: Words = ""  # that their emails do
    url: str = ""  # of their card; empty for the reader
    mine: bool = False


@dataclass(frozen=True)
class JoinLink:
    """A company's own link; `link` empty: there is none."""

    url: str  # where its buttons post to
    link: str
    profiles: tuple[Offer, ...]
    profile: Words = ""  # the profile of people who join with it
    error: Words = ""


@dataclass(frozen=True)
class CompanyPage:
    """company.pt: the access of a company's people."""

    heading: str
    back_url: str
    people: tuple[Colleague, ...]
    count: str
    more: bool
    waiting: WaitingPage
    join: JoinLink
    invite_url: str = ""
    switch_url: str = ""  # for staff
    closed: bool = False


@dataclass(frozen=True)
class OpenPage:
    """open.pt: inviting everybody; without `submit` there is nobody to invite."""

    url: str
    back_url: str
    text: Words
    rows: tuple[FormRow, ...] = ()
    submit: Words = ""
    once: str = ""
    running: bool = False
    outcome: tuple[Words, ...] = ()  # what became of the last time
    left_out: tuple[TitledLink, ...] = ()  # those who could not be invited then
