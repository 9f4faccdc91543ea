"""The pages of the portal about itself, for administrators and for staff who handle mail, and their parts.

Plain values, as in views/parts.py.
"""

from dataclasses import dataclass

from portal.records.audit.deciding_line import Line
from portal.texts import Words
from portal.views.administration.reasons import Reason
from portal.views.forms.form_parts import Offer
from portal.views.parts import Moment, TitledLink
from portal.views.records.record_parts import HistoryLine
from portal.workshop.changed_lines import ChangedFile, ComparedLine


@dataclass(frozen=True)
class MailShown:
    """A mail that came in and was not used; `url` opens it."""

    sender: str
    subject: str
    reason: str
    at: Moment
    url: str


@dataclass(frozen=True)
class LetterShown:
    id: int
    to: str
    subject: str
    at: Moment
    state: Words
    tone: str = ""
    reason: str = ""  # why the last try to send it failed, in the words of the mail server
    url: str = ""


@dataclass(frozen=True)
class StateTab:
    """A tab of the emails: those of one state."""

    label: Words
    url: str
    current: bool = False


@dataclass(frozen=True)
class SourceShown:
    """Lines of a declaration, the last of them marked."""

    lines: tuple[tuple[int, str], ...]  # number and text, but the last one
    number: int
    text: str
    mark: str  # spaces, and ^ below what is meant


@dataclass(frozen=True)
class RelatedShown:
    note: str  # “first defined here”
    place: str
    source: SourceShown | None = None


@dataclass(frozen=True)
class ProblemShown:
    code: str
    place: str  # modules.yaml:41:9
    path: str
    message: str
    cure: str
    source: SourceShown | None = None
    related: tuple[RelatedShown, ...] = ()
    warning: bool = False


@dataclass(frozen=True)
class CheckedFile:
    """A file of the declarations, and how much is wrong in it."""

    name: str
    errors: int = 0
    warnings: int = 0


@dataclass(frozen=True)
class OutboxPage:
    """outbox.pt, for administrators: the letters, and the one that is read."""

    letters: tuple[LetterShown, ...] = ()
    tabs: tuple[StateTab, ...] = ()
    chosen: LetterShown | None = None
    text: str = ""
    links_url: str = ""  # where the links of the chosen one are shown
    may_send: bool = False
    sends_email: bool = False  # whether there is a mail server


@dataclass(frozen=True)
class InboxPage:
    """inbox.pt, for staff: the mails that were not used, and the one that is read."""

    mails: tuple[MailShown, ...] = ()
    chosen: MailShown | None = None
    text: str = ""
    files: tuple[str, ...] = ()
    create_label: Words = ""  # “New ticket”; empty where no record can be made of the mail
    create_url: str = ""
    dismiss_url: str = ""


@dataclass(frozen=True)
class ProblemsPage:
    """problems.pt, for administrators: what is wrong with the declarations, and what is in force meanwhile."""

    problems: tuple[ProblemShown, ...]
    files: tuple[CheckedFile, ...]
    read: Moment
    errors: Words = ""  # “2 errors”
    warnings: Words = ""
    in_force: Moment | None = None  # since when the last good one is in force; None: the newest one is
    changes: tuple[str, ...] = ()  # what the database lacks, in sentences


@dataclass(frozen=True)
class ProblemKindPage:
    """problem_kind.pt, for administrators: what the code of a problem means."""

    code: str
    title: str
    cure: str
    wrong: str
    right: str


@dataclass(frozen=True)
class WholeHistoryPage:
    """all_history.pt, for administrators: what happened to all records, and the filters."""

    lines: tuple[HistoryLine, ...]
    modules: tuple[Offer, ...]
    who: str = ""
    record: str = ""
    start: str = ""
    end: str = ""
    error: Words = ""
    clear_url: str = ""  # without the filters; empty: none is in force
    older_url: str = ""


@dataclass(frozen=True)
class Viewable:
    """An account or a profile that the portal can be seen as; `refused`: why it cannot be."""

    name: Words
    value: str
    input: str = "account"  # or profile
    initials: str = ""  # or an icon
    about: Words = ""
    refused: Words = ""
    url: str = ""  # what they see, and why


@dataclass(frozen=True)
class ViewAsPage:
    """view_as.pt, for administrators: as whom they can see the portal."""

    people: tuple[Viewable, ...]
    profiles: tuple[Viewable, ...]
    query: str = ""
    more: bool = False  # whether more people match
    error: Words = ""


@dataclass(frozen=True)
class ReasonGroup:
    """People for whom the same decides: `number` of them, the first ones by name, `others` behind a click."""

    people: tuple[TitledLink, ...]
    others: tuple[TitledLink, ...]
    number: int
    profile: Words
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Audience:
    """Who sees a record, and who does not."""

    reference: str
    title: str
    url: str
    seeing: tuple[ReasonGroup, ...]
    blind: tuple[ReasonGroup, ...]
    sees: int = 0
    does_not: int = 0


@dataclass(frozen=True)
class ModuleRights:
    """What somebody may see and do in a module; without a `scope` they do not have it."""

    label: Words
    scope: Words = ""
    where: str = ""  # as it is declared
    can: Words = ""
    count: str = ""
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class PersonRights:
    """What an account sees and does; `refused`: why it may not sign in."""

    name: str
    about: Words
    account: str
    modules: tuple[ModuleRights, ...] = ()
    refused: Words = ""


@dataclass(frozen=True)
class ExplainPage:
    """explain.pt, for administrators: who sees a record and why, or what somebody sees."""

    modules: tuple[Offer, ...]
    reference: str = ""
    subjects: tuple[Offer, ...] = ()  # what may be asked of the record
    error: Words = ""
    audience: Audience | None = None
    person: PersonRights | None = None


@dataclass(frozen=True)
class MapLink:
    """A row of a box; `y`: its middle."""

    name: str
    y: int
    decides: bool


@dataclass(frozen=True)
class MapBox:
    """A module of the drawing, in pixels; `core`: people and companies."""

    name: str
    label: str
    count: str
    x: int
    y: int
    height: int
    core: bool
    links: tuple[MapLink, ...]


@dataclass(frozen=True)
class MapLine:
    """A link of the drawing; `decides`: somebody sees records by it."""

    path: str
    decides: bool


@dataclass(frozen=True)
class ProfileColumn:
    label: Words
    file: str
    staff: bool
    administers: bool


@dataclass(frozen=True)
class RightsCell:
    """What a profile may in a module; without a `scope` it does not have it."""

    profile: Words
    scope: Words = ""
    can: Words = ""
    where: str = ""  # as it is declared


@dataclass(frozen=True)
class ModuleRow:
    """A module of the table, with its links in words."""

    name: str
    label: str
    links: tuple[Words, ...]
    cells: tuple[RightsCell, ...]


@dataclass(frozen=True)
class MapPage:
    """map.pt, for administrators: the modules drawn with their links, and who may do what."""

    width: int
    height: int
    box_width: int
    fits: bool  # whether it may be drawn smaller to fit the page
    boxes: tuple[MapBox, ...]
    lines: tuple[MapLine, ...]
    profiles: tuple[ProfileColumn, ...]
    modules: tuple[ModuleRow, ...]
    links: int
    since: Moment


@dataclass(frozen=True)
class EffectExample:
    """A record that somebody loses or gains; without `url` it cannot be opened yet."""

    label: str
    url: str
    people: str


@dataclass(frozen=True)
class EffectLine:
    """Something that is lost, gained or changed."""

    kind: str
    sentence: str
    place: str = ""  # profiles/customer.yaml:8:5
    changed: tuple[ComparedLine, ...] = ()  # the lines there, before and after
    examples: tuple[EffectExample, ...] = ()


@dataclass(frozen=True)
class EffectSection:
    """What changes for the people of a profile, or for everybody."""

    title: Words
    people: Words
    lines: tuple[EffectLine, ...]


@dataclass(frozen=True)
class EffectPage:
    """effect.pt, for administrators: what the files mean that wait for the database; without `sections` none do."""

    sections: tuple[EffectSection, ...] = ()
    lost: str = ""
    gained: str = ""
    concerned: str = ""
    people: int = 0
    steps: tuple[str, ...] = ()
    has_problems: bool = False  # the files have mistakes
    files: tuple[ChangedFile, ...] = ()  # that differ
    number: Words = ""  # of them
    command: str = ""  # that puts them in force
